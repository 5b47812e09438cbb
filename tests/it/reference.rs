//! Pages say what the program says: those that are made from it, and those in two languages.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cvco_domain::Kind;
use cvco_reconciled::cli::command;

#[path = "../../examples/reference/commands.rs"]
mod commands;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn markdown() -> Vec<PathBuf> {
    ["", "docs", "docs/fr"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).expect("folder"))
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

#[test]
fn the_page_of_commands_is_what_the_help_says() {
    let written = page("docs/commands.md");
    assert!(
        written == commands::page(&command()),
        "docs/commands.md is not what --help says: run `make docs`"
    );
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let mut dead = Vec::new();
    for path in markdown() {
        let text = std::fs::read_to_string(&path).expect("page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let folder = path.parent().expect("folder");
            if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// The kinds of discrepancy that a page names.
fn kinds(text: &str) -> BTreeSet<&'static str> {
    Kind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| text.contains(&format!("`{kind}`"))).collect()
}

/// The commands that a page names, each by its whole path; one that does not exist fails the test.
fn commands_of(text: &str) -> BTreeSet<String> {
    let program = command();
    let is_word =
        |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !word.starts_with('-');
    let mut found = BTreeSet::new();
    for rest in text.split("cvco-reconciled ").skip(1) {
        let mut at = &program;
        let mut path = Vec::new();
        for word in rest.split([' ', '\n', '`', '…']).take_while(is_word) {
            let Some(below) = at.find_subcommand(word) else { break };
            path.push(word);
            at = below;
        }
        if !path.is_empty() {
            found.insert(path.join(" "));
        }
    }
    found
}

/// The keys of the blocks of configuration in a page.
fn keys(text: &str) -> BTreeSet<String> {
    let blocks = text.split("```toml").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.trim().split_once(" = "));
    lines.map(|(key, _)| key.to_owned()).collect()
}

#[test]
fn both_languages_name_the_same_kinds_and_commands() {
    for (english, french) in
        [("docs/alerts.md", "docs/fr/alertes.md"), ("docs/accounting.md", "docs/fr/comptabilite.md")]
    {
        let (one, other) = (page(english), page(french));
        assert_eq!(kinds(&one), kinds(&other), "kinds in {english} and {french}");
        let (in_english, in_french) = (commands_of(&one), commands_of(&other));
        assert_eq!(in_english, in_french, "commands in {english} and {french}");
        assert!(!in_english.is_empty());
    }
}

#[test]
fn both_languages_configure_the_same_keys() {
    let english = ["up2pay", "sogecommerce", "worldline", "monext"].map(|psp| {
        let page = page(&format!("docs/{psp}.md"));
        let section = page.split("## In five minutes").nth(1).expect("a first section").to_owned();
        section.split("\n## ").next().unwrap_or_default().to_owned()
    });
    assert_eq!(keys(&english.concat()), keys(&page("docs/fr/prestataires.md")));
}

#[test]
fn the_french_page_lists_every_command() {
    let page = page("docs/fr/LISEZMOI.md");
    let table = page.split("## Les commandes").nth(1).expect("a table");
    let listed: BTreeSet<&str> =
        table.split("\n| `").skip(1).filter_map(|row| row.split('`').next()).collect();
    let program = command();
    let known: BTreeSet<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
    assert_eq!(listed, known);
}
