//! What these tests need and a machine may lack.

use std::path::PathBuf;

use crate::others::{missing, one_of};

/// Where a browser and its driver are.
pub struct Chrome {
    pub browser: PathBuf,
    pub driver: PathBuf,
}

impl Chrome {
    pub fn find() -> Option<Self> {
        // As Debian, Ubuntu and Google call it.
        let browser = one_of(&["chromium", "chromium-browser", "google-chrome"])?;
        Some(Self { browser, driver: one_of(&["chromedriver"])? })
    }
}

/// The text of axe-core, which looks for what keeps people out.
pub struct Axe(pub String);

impl Axe {
    /// `packaging/bootstrap.sh` puts it where this looks.
    pub fn find() -> Option<Self> {
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
        let file = cache?.join("cvco-reconciled/npm/node_modules/axe-core/axe.min.js");
        std::fs::read_to_string(file).ok().map(Self).or_else(|| missing("axe-core"))
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
