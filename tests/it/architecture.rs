//! The house keeps its shape where the compiler does not see to it: which library only one module of the daemon may name,
//! and that ARCHITECTURE.md names every room.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A library, and the only modules that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("rusqlite", &[]),
    ("chrono::", &["clock"]),
    ("lettre::", &["alert"]),
    ("prometheus_client", &["telemetry", "listener"]),
    ("clap::", &["cli"]),
    ("tokio_rustls", &["outbound", "listener"]),
    ("rustls_native_certs", &["outbound"]),
    ("hyper::client", &["outbound", "admin"]),
    ("nix::unistd", &["account"]),
    ("cvco_trial", &["cli"]),
    ("axum::", &["admin", "dashboard"]),
    ("tower::", &["admin"]),
    ("askama::", &["dashboard"]),
    ("cvco_log_postgres", &["cluster", "cli"]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths
        .into_iter()
        .map(|path| {
            let relative = path.strip_prefix(&root).expect("below src");
            let first = relative.components().next().expect("a component").as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = std::fs::read_to_string(&path).expect("source");
            (module, path, text)
        })
        .collect()
}

/// The part of a source that is the program: tests may look anywhere.
fn program(path: &Path, text: &str) -> String {
    if path.components().any(|c| c.as_os_str() == "tests")
        || path.ends_with("tests.rs")
        || path.ends_with("samples.rs")
    {
        return String::new();
    }
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_library_is_named_only_where_it_belongs() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let code = program(&path, &text);
        for (library, owners) in OWNERS {
            if code.contains(library) && !owners.contains(&module.as_str()) {
                wrong.push(format!("{module} may not name {library} ({})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The room of pages takes rows of the ledger, and reads none itself.
#[test]
fn pages_read_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/pages/src");
    let mut rest = vec![folder];
    while let Some(path) = rest.pop() {
        if path.is_dir() {
            rest.extend(std::fs::read_dir(&path).expect("folder").map(|entry| entry.expect("entry").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("source");
        for word in ["Reader", "std::fs", "std::net", "SystemTime", "Instant"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn architecture_md_names_every_room() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).expect("page");
    let mut rooms: BTreeSet<String> = sources().into_iter().map(|(module, _, _)| module).collect();
    let crates = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).expect("folder");
    rooms.extend(crates.map(|room| room.expect("entry").file_name().to_string_lossy().into_owned()));
    let missing: Vec<_> = rooms.iter().filter(|room| !page.contains(&format!("`{room}"))).collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:?}");
}
