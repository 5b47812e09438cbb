//! What pages load beside themselves: one style sheet, one script, an icon. Their addresses hold a digest of their content, so a
//! browser may keep them forever.

use std::sync::LazyLock;

use cvco_domain::Severity;
use cvco_domain::crypto::sha256;

/// The style sheet.
pub const STYLE: &str = include_str!("../assets/style.css");
/// The script: refreshes, keys, copying. Every page works without it.
pub const SCRIPT: &str = include_str!("../assets/script.js");

/// Something that pages load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its type.
    pub content_type: &'static str,
    /// Its content.
    pub content: String,
}

fn named(name: &str, content: &str, ending: &str) -> String {
    let digest = sha256(&[content.as_bytes()]).to_string();
    format!("/static/{name}-{}.{ending}", digest.get(..12).unwrap_or_default())
}

pub(crate) fn style_path() -> String {
    static PATH: LazyLock<String> = LazyLock::new(|| named("style", STYLE, "css"));
    PATH.clone()
}

pub(crate) fn script_path() -> String {
    static PATH: LazyLock<String> = LazyLock::new(|| named("script", SCRIPT, "js"));
    PATH.clone()
}

const fn state(worst: Option<Severity>) -> &'static str {
    match worst {
        Some(Severity::Urgent) => "urgent",
        Some(Severity::Warning) => "warning",
        Some(Severity::Info) | None => "calm",
    }
}

pub(crate) fn icon_path(worst: Option<Severity>) -> String {
    format!("/static/icon-{}.svg", state(worst))
}

/// The icon of a state: two halves that make a whole, and a shape where something is open.
fn icon(worst: Option<Severity>) -> String {
    let shape = match worst {
        Some(Severity::Urgent) => {
            "<path d=\"m23 12 9 10-9 10-9-10z\" fill=\"#c8321f\" stroke=\"#fff\" stroke-width=\"2\"/>"
        }
        Some(Severity::Warning) => {
            "<path d=\"m23 13 9 18H14z\" fill=\"#c77700\" stroke=\"#fff\" stroke-width=\"2\"/>"
        }
        Some(Severity::Info) | None => "",
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><path d=\"M4 4h11v24H4z\" fill=\"#1f6f78\"/>\
         <path d=\"M17 12h11v16H17z\" fill=\"#d99a3d\"/>{shape}</svg>"
    )
}

/// What stands at an address; `None` where nothing does, such as where an older version had something.
#[must_use]
pub fn at(path: &str) -> Option<Asset> {
    let asset = |content_type, content: &str| Some(Asset { content_type, content: content.to_owned() });
    if path == style_path() {
        return asset("text/css; charset=utf-8", STYLE);
    }
    if path == script_path() {
        return asset("text/javascript; charset=utf-8", SCRIPT);
    }
    let worst = [Some(Severity::Urgent), Some(Severity::Warning), None];
    let worst = worst.into_iter().find(|worst| icon_path(*worst) == path)?;
    asset("image/svg+xml", &icon(worst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_name_is_there_and_nothing_else() {
        for path in [style_path(), script_path(), icon_path(None), icon_path(Some(Severity::Urgent))] {
            assert!(at(&path).is_some(), "{path}");
        }
        assert_eq!(at("/static/style-000000000000.css"), None);
    }

    #[test]
    fn the_script_is_small_and_calls_nobody() {
        assert!(SCRIPT.len() <= 4096, "{} bytes", SCRIPT.len());
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("http") && !text.contains("@import"), "no foreign address");
        }
    }
}
