//! The house keeps its shape: which module may know which (ARCHITECTURE.md), and what only one may name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module, and which others of ours it may use. What is not listed is not allowed.
const ARROWS: &[(&str, &[&str])] = &[
    ("accounting", &["domain"]),
    ("domain", &[]),
    ("crypto", &[]),
    ("wire", &[]),
    ("clock", &["domain"]),
    ("telemetry", &[]),
    ("psp", &["domain", "crypto", "wire"]),
    ("reconcile", &["domain"]),
    ("export", &["accounting", "domain"]),
    ("settlement", &["domain"]),
    ("ledger", &["accounting", "domain", "crypto", "reconcile"]),
    ("outbound", &["psp"]),
    ("config", &["accounting", "alert", "crypto", "domain", "outbound", "psp", "reconcile", "settlement"]),
    ("confirm", &["clock", "config", "crypto", "domain", "ledger", "outbound", "psp", "telemetry"]),
    ("listener", &["clock", "config", "crypto", "domain", "ledger", "psp", "telemetry"]),
    ("admin", &["clock", "config", "crypto", "domain", "ledger", "listener", "psp", "telemetry"]),
    ("alert", &["clock", "config", "domain", "ledger", "telemetry"]),
    ("mail_sink", &[]),
    ("sandbox", &[]),
    ("sweep", &["clock", "config", "domain", "ledger"]),
    ("simulate", &["crypto", "domain", "psp", "sandbox"]),
    ("lifecycle", &["ledger"]),
];

/// A library, and the only modules that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("rusqlite", &["ledger"]),
    ("chrono::", &["domain", "clock"]),
    ("lettre::", &["alert"]),
    (" ring::", &["crypto", "psp"]),
    ("mailparse", &["psp"]),
    ("prometheus_client", &["telemetry", "listener"]),
    ("clap::", &["cli"]),
    ("tokio_rustls", &["outbound"]),
    ("rustls_native_certs", &["outbound"]),
    ("hyper::client", &["outbound", "simulate"]),
    (
        "tokio::",
        &[
            "admin",
            "alert",
            "app",
            "cli",
            "confirm",
            "ledger",
            "lifecycle",
            "listener",
            "mail_sink",
            "outbound",
            "sandbox",
            "simulate",
            "sweep",
        ],
    ),
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
fn modules_know_only_what_they_may() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else { continue };
        for piece in program(&path, &text).split("crate::").skip(1) {
            let used: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{module} may not use {used} ({})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "ARCHITECTURE.md, \"who may know whom\":\n{}", wrong.join("\n"));
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

#[test]
fn architecture_md_names_every_room() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).expect("page");
    let modules: BTreeSet<String> = sources().into_iter().map(|(module, _, _)| module).collect();
    let missing: Vec<_> = modules.iter().filter(|module| !page.contains(&format!("`{module}"))).collect();
    assert!(missing.is_empty(), "not in ARCHITECTURE.md: {missing:?}");
}
