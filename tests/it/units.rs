//! The units of systemd: systemd takes them, they leave as little open as they say, and they say why.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::others;

/// In tenths, as `systemd-analyze` counts.
const EXPOSURE: u32 = 11;

/// A tenth more: it must be told whose commands come over the admin socket.
const TELLS_ACCOUNTS: &str = "cvco-reconciled.service";

/// In no sandbox, and it says why: it runs the machine's own `sendmail`.
const WITHOUT_SANDBOX: &str = "cvco-reconciled-failure@.service";

fn units(extensions: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let entries = std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    let has_kind =
        |path: &PathBuf| path.extension().is_some_and(|kind| extensions.iter().any(|e| kind == *e));
    let mut found: Vec<PathBuf> = entries.filter(has_kind).collect();
    found.sort();
    found
}

#[test]
fn systemd_takes_the_units() {
    let Some(mut analyze) = others::program("systemd-analyze") else { return };
    let is_template = |path: &PathBuf| path.to_string_lossy().contains('@');
    let units = units(&["service", "socket", "timer"]).into_iter().filter(|path| !is_template(path));
    let verified =
        analyze.args(["verify", "--man=no", "--recursive-errors=no"]).args(units).output().expect("it runs");
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // The program is not installed here, and a container has no manager to ask.
    let ours: Vec<_> = said
        .lines()
        .filter(|line| line.contains("cvco-reconciled") && !line.contains("is not executable"))
        .collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

#[test]
fn what_a_service_leaves_open_is_little_and_explained() {
    for unit in units(&["service"]).iter().filter(|unit| !unit.ends_with(WITHOUT_SANDBOX)) {
        let Some(mut analyze) = others::program("systemd-analyze") else { return };
        let exposure = EXPOSURE + u32::from(unit.ends_with(TELLS_ACCOUNTS));
        let output = offline(&mut analyze, exposure).arg(unit).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}: more than {exposure} tenths\n{said}", unit.display());
        let text = std::fs::read_to_string(unit).expect("a unit");
        let explained = text.split("What stays open, and why:").nth(1).expect("reasons");
        let reasons: String = explained.lines().skip(1).take_while(|line| line.starts_with("#   ")).collect();
        let open = said.lines().filter_map(|line| line.strip_prefix("✗ ")?.split('=').next());
        for setting in open {
            assert!(reasons.contains(&format!("{setting}=")), "{}: {setting} is open", unit.display());
        }
    }
}

fn offline(analyze: &mut Command, exposure: u32) -> &mut Command {
    let threshold = format!("--threshold={exposure}");
    analyze.args(["security", "--offline=yes", "--no-pager", &threshold])
}
