//! Programs of others that read what we write. `packaging/bootstrap.sh` installs them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program, where it is there.
pub(crate) fn program(name: &str) -> Option<Command> {
    one_of(&[name]).map(Command::new)
}

/// The first of these programs that is there.
pub(crate) fn one_of(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| is_program(place)).or_else(|| missing(names[0]))
}

/// Where something is not there, its check is left out, and that is said loudly; continuous integration (`CI` in the
/// environment) leaves none out.
pub(crate) fn missing<T>(name: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{name} is missing: packaging/bootstrap.sh installs it");
    // Not by a macro: the test runner would keep it to itself.
    let notice = format!("\nNOT CHECKED: {name} is missing; packaging/bootstrap.sh installs it\n");
    drop(std::io::stderr().write_all(notice.as_bytes()));
    None
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Runs a program that must find nothing wrong; what it says. `None` if it is missing.
pub(crate) fn accepts(name: &str, arguments: &[&str]) -> Option<String> {
    let Output { status, stdout, stderr } = program(name)?.args(arguments).output().expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name} {arguments:?}: {said}");
    Some(said)
}
