//! What runs here and what runs at a forge is one and the same.

use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn continuous_integration_runs_make_test_and_a_forge_runs_the_package_too() {
    let workflow = read(".github/workflows/ci.yml");
    let commands: Vec<&str> =
        workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: ")).collect();
    let others = [
        "packaging/bootstrap.sh container",
        "make deny",
        "make slim",
        "make service-test",
        "apt-get update && apt-get install --yes valgrind",
        "make instructions",
    ];
    assert_eq!(commands, [["bash .ci/run", "make test-cluster"].as_slice(), &others].concat());
    let ours = read(".ci/run");
    assert_eq!(
        ours.lines().filter(|line| line.contains("make ") && !line.starts_with('#')).collect::<Vec<_>>(),
        ["exec make test"]
    );
    assert!(!workflow.contains("run: |"), "a script of its own");
}

#[test]
fn the_pinned_compiler_is_the_oldest_that_the_crates_take() {
    let pinned: toml::Table = read("rust-toolchain.toml").parse().expect("TOML");
    let crates: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let channel = pinned["toolchain"]["channel"].as_str().expect("a version");
    let oldest = crates["workspace"]["package"]["rust-version"].as_str().expect("a version");
    assert!(channel.starts_with(&format!("{oldest}.")), "{channel} is pinned, {oldest} is the oldest");
}
