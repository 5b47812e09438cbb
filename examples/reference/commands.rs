//! docs/commands.md, from the words that `--help` uses.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

const HEAD: &str = "\
# Commands

<!-- Written by `make docs` from the program's own help; do not edit. A test compares. -->

`cvco-reconciled [--config FILE] COMMAND`; without `--config` it reads `/etc/cvco-reconciled/config.toml`. `--help` after any
command says what stands here.

Commands that read the configuration or write log or ledger run as the service's user: `sudo -u cvco-reconciled
cvco-reconciled …`, so that the files keep their owner.

| exit code | means |
|---|---|
| 0 | done |
| 1 | done, and something is wrong: a finding of `check` or `verify`, a signature that `diagnose` does not find genuine, a line of a statement that nobody knows |
| 2 | wrong usage: command line or configuration |
| 3 | could not be done |
";

/// The page about a program's commands.
pub(crate) fn page(program: &Command) -> String {
    let mut program = program.clone();
    program.build();
    let mut page = HEAD.to_owned();
    page.push_str("\n| command | does |\n|---|---|\n");
    each(&program, &mut Vec::new(), &mut |path, command| {
        let about = plain(command.get_about().map(ToString::to_string));
        let anchor = path.join("-");
        line(&mut page, &format!("| [`{}`](#{anchor}) | {about} |", path.join(" ")));
    });
    line(&mut page, "\n## For every command\n");
    for argument in program.get_arguments().filter(|argument| argument.is_global_set()) {
        option(&mut page, argument);
    }
    each(&program, &mut Vec::new(), &mut |path, command| section(&mut page, path, command));
    page
}

/// Every command that does something, in the order of the help.
fn each(command: &Command, path: &mut Vec<String>, act: &mut impl FnMut(&[String], &Command)) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        path.push(below.get_name().to_owned());
        if !below.is_subcommand_required_set() {
            act(path, below);
        }
        each(below, path, act);
        path.pop();
    }
}

fn section(page: &mut String, path: &[String], command: &Command) {
    line(page, &format!("\n## {}\n", path.join(" ")));
    let about = command.get_long_about().or_else(|| command.get_about());
    line(page, &about.map(ToString::to_string).unwrap_or_default());
    let own =
        |argument: &&Arg| !argument.is_global_set() && !argument.is_hide_set() && argument.get_id() != "help";
    let mut arguments = command.get_arguments().filter(own).peekable();
    if arguments.peek().is_some() {
        page.push('\n');
    }
    for argument in arguments {
        option(page, argument);
    }
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string();
        let lines = examples.lines().skip(1).map(str::trim).collect::<Vec<_>>().join("\n");
        line(page, &format!("\n```\n{lines}\n```"));
    }
}

fn option(page: &mut String, argument: &Arg) {
    let names: Vec<String> =
        argument.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let value = if takes_value { names.join(" ") } else { String::new() };
    let name = match argument.get_long() {
        Some(long) => format!("--{long} {value}").trim_end().to_owned(),
        None => value,
    };
    let help = plain(argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string));
    let mut more = Vec::new();
    let choices: Vec<String> =
        argument.get_possible_values().iter().map(|v| format!("`{}`", v.get_name())).collect();
    if takes_value && !choices.is_empty() {
        more.push(format!("one of {}", choices.join(", ")));
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
    if takes_value && !defaults.is_empty() {
        more.push(format!("`{}` if not given", defaults.join(" ")));
    }
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
    line(page, &format!("- `{name}`: {help}{more}"));
}

/// One line, fit for a table.
fn plain(text: Option<String>) -> String {
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn line(page: &mut String, text: &str) {
    // Writing to a string cannot fail.
    writeln!(page, "{text}").unwrap_or_default();
}
