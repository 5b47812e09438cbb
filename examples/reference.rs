//! Writes what is made of the command line: manual pages, completions of three shells, docs/commands.md; and docs/metrics.md.
//!
//!     cargo run --example reference -- files FOLDER
//!     cargo run --example reference -- commands > docs/commands.md
//!     cargo run --example reference -- metrics > docs/metrics.md

#![expect(clippy::print_stdout, reason = "a program for the Makefile: its output is a page")]

#[path = "reference/commands.rs"]
mod commands;
#[path = "reference/metrics.rs"]
mod metrics;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap_complete::Shell;
use cvco_reconciled::cli::command;

const PROGRAM: &str = "cvco-reconciled";

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next().and_then(|word| word.into_string().ok()).as_deref(), arguments.next()) {
        (Some("commands"), None) => print!("{}", commands::page(&command())),
        (Some("metrics"), None) => print!("{}", metrics::page()),
        (Some("files"), Some(folder)) => files(&PathBuf::from(folder))?,
        _ => bail!("usage: reference commands | metrics | files FOLDER"),
    }
    Ok(())
}

fn files(folder: &Path) -> Result<()> {
    let man = folder.join("man");
    std::fs::create_dir_all(&man).with_context(|| man.display().to_string())?;
    // The manual's own folder holds nothing else: pages of commands that are gone go too.
    for entry in std::fs::read_dir(&man)? {
        std::fs::remove_file(entry?.path())?;
    }
    clap_mangen::generate_to(command(), &man).context("manual pages")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command(), PROGRAM, folder)
            .with_context(|| format!("completions of {shell}"))?;
    }
    Ok(())
}
