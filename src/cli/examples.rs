//! Two examples for each command, with which its `--help` and its manual page end.

use clap::Command;

/// The path of a command, and its examples.
const EXAMPLES: &[(&[&str], [&str; 2])] = &[
    (
        &["init"],
        [
            "cvco-reconciled init",
            "cvco-reconciled init --shop camping --url https://paiements.camping.example --psp up2pay --to compta@camping.example",
        ],
    ),
    (&["serve"], ["cvco-reconciled serve", "cvco-reconciled --config trial.toml --log debug serve"]),
    (&["demo"], ["cvco-reconciled demo", "cvco-reconciled demo --all --language en --folder /tmp/demo"]),
    (&["check"], ["cvco-reconciled check", "cvco-reconciled check --offline --format json"]),
    (
        &["diagnose"],
        [
            "cvco-reconciled diagnose --endpoint camping-up2pay message.txt",
            "cvco-reconciled diagnose sogecommerce --key-file form.key body.txt",
        ],
    ),
    (
        &["diagnose", "up2pay"],
        [
            "cvco-reconciled diagnose up2pay --pbx-retour 'Mt:M;Ref:R;Auto:A;Erreur:E;Signature:K' message.txt",
            "cvco-reconciled diagnose up2pay --pbx-retour 'Mt:M;Ref:R;Signature:K' --public-key platform.pem -",
        ],
    ),
    (
        &["diagnose", "sogecommerce"],
        [
            "cvco-reconciled diagnose sogecommerce --key-file form.key body.txt",
            "cvco-reconciled diagnose sogecommerce --key 1122334455667788 --algorithm sha-1 -",
        ],
    ),
    (
        &["diagnose", "worldline"],
        [
            "cvco-reconciled diagnose worldline --secret-file webhook.key request.http",
            "cvco-reconciled diagnose worldline --secret SECRET --signature SIGNATURE body.json",
        ],
    ),
    (
        &["import-mail"],
        [
            "cvco-reconciled import-mail warning.eml",
            "cvco-reconciled import-mail --endpoint camping-up2pay warnings.mbox",
        ],
    ),
    (&["orders", "import"], ["cvco-reconciled orders import orders.csv", "cvco-reconciled orders import -"]),
    (
        &["records"],
        ["cvco-reconciled records --state unbalanced", "cvco-reconciled records --shop camping --format csv"],
    ),
    (
        &["record"],
        ["cvco-reconciled record CMD9542124", "cvco-reconciled record CMD9542124 --format html -o dossier/"],
    ),
    (&["reread"], ["cvco-reconciled reread", "cvco-reconciled --config test.toml reread"]),
    (
        &["alerts", "list"],
        [
            "cvco-reconciled alerts list",
            "cvco-reconciled alerts list --unacked --severity urgent --format csv",
        ],
    ),
    (
        &["alerts", "show"],
        ["cvco-reconciled alerts show 17", "cvco-reconciled --config trial.toml alerts show 17"],
    ),
    (
        &["alerts", "ack"],
        [
            "cvco-reconciled alerts ack 17 --note 'remboursé le 12/05'",
            "cvco-reconciled alerts ack 17 18 19 --note 'vu avec la banque'",
        ],
    ),
    (
        &["alerts", "note"],
        [
            "cvco-reconciled alerts note 17 --note 'avoir n° 204'",
            "cvco-reconciled alerts note 17 --note 'le client a rappelé'",
        ],
    ),
    (
        &["alerts", "snooze"],
        [
            "cvco-reconciled alerts snooze 19 --until 2026-12-24",
            "cvco-reconciled alerts snooze 19 20 --until 2026-12-24 --note 'congés'",
        ],
    ),
    (
        &["alerts", "withdraw"],
        ["cvco-reconciled alerts withdraw 18", "cvco-reconciled alerts withdraw 18 19 --note 'par erreur'"],
    ),
    (&["alerts", "queue"], ["cvco-reconciled alerts queue", "cvco-reconciled alerts queue --format json"]),
    (
        &["alerts", "test"],
        ["cvco-reconciled alerts test", "cvco-reconciled alerts test --shop camping --channel mail"],
    ),
    (
        &["relay", "list"],
        [
            "cvco-reconciled relay list",
            "cvco-reconciled relay list --state refused --endpoint camping-up2pay --format csv",
        ],
    ),
    (
        &["relay", "show"],
        ["cvco-reconciled relay show 1204", "cvco-reconciled relay show 1204 --format json"],
    ),
    (
        &["relay", "retry"],
        ["cvco-reconciled relay retry 1204", "cvco-reconciled relay retry 1204 1207 --target shop"],
    ),
    (
        &["relay", "drop"],
        [
            "cvco-reconciled relay drop 1204 --note 'commande validée à la main'",
            "cvco-reconciled relay drop 1204 1207 --target shop",
        ],
    ),
    (
        &["relay", "replay"],
        [
            "cvco-reconciled relay replay --from 2026-03-01 --to 2026-03-02 --failed",
            "cvco-reconciled relay replay --from 2026-03-01T08:00:00Z --to 2026-03-01T12:00:00Z --endpoint camping-up2pay",
        ],
    ),
    (&["log", "status"], ["cvco-reconciled log status", "cvco-reconciled log status --format json"]),
    (
        &["log", "migrate"],
        ["cvco-reconciled log migrate --print", "cvco-reconciled log migrate --owner-url-file owner.url"],
    ),
    (
        &["log", "push"],
        ["cvco-reconciled log push", "cvco-reconciled --config /etc/cvco-reconciled/config.toml log push"],
    ),
    (
        &["log", "pull"],
        ["cvco-reconciled log pull", "cvco-reconciled --config /etc/cvco-reconciled/config.toml log pull"],
    ),
    (
        &["log", "heal"],
        ["cvco-reconciled log heal", "cvco-reconciled --config /etc/cvco-reconciled/config.toml log heal"],
    ),
    (
        &["catch-up"],
        [
            "cvco-reconciled catch-up --since 2026-03-01",
            "cvco-reconciled catch-up --since 2026-03-01 --no-wait",
        ],
    ),
    (
        &["export"],
        [
            "cvco-reconciled export fec --period 2026-03 -o .",
            "cvco-reconciled export gaps --from 2026-03-01 --to 2026-03-15 --format xlsx -o .",
        ],
    ),
    (
        &["close"],
        [
            "cvco-reconciled close --period 2026-03 -o mars/",
            "cvco-reconciled close --period 2026-03 --dry-run",
        ],
    ),
    (
        &["statement", "import"],
        [
            "cvco-reconciled statement import releve-000123.csv",
            "cvco-reconciled statement import --layout ancv releve.csv",
        ],
    ),
    (&["verify"], ["cvco-reconciled verify", "cvco-reconciled verify --format json"]),
    (&["rebuild"], ["cvco-reconciled rebuild", "cvco-reconciled rebuild --format json"]),
    (
        &["backup"],
        [
            "cvco-reconciled backup /var/backups/cvco",
            "cvco-reconciled backup --keep 14 /var/lib/cvco-reconciled/backups",
        ],
    ),
    (
        &["restore"],
        [
            "cvco-reconciled restore /var/backups/cvco/2026-03-01T043000Z",
            "cvco-reconciled restore --accept-loss /var/backups/cvco/2026-03-01T043000Z",
        ],
    ),
    (
        &["simulate"],
        [
            "cvco-reconciled simulate --list",
            "cvco-reconciled simulate --url http://127.0.0.1:8080 --admin http://127.0.0.1:8081 --orders 40",
        ],
    ),
    (&["user-hash"], ["cvco-reconciled --config trial.toml user-hash", "cvco-reconciled user-hash"]),
];

/// Gives each command its examples.
pub(super) fn add(command: Command) -> Command {
    add_below(command, &mut Vec::new())
}

fn add_below(command: Command, path: &mut Vec<String>) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let mut command = command;
    for name in names {
        path.push(name.clone());
        command = command.mut_subcommand(name, |below| add_below(below, path));
        path.pop();
    }
    match EXAMPLES.iter().find(|(of, _)| of == path) {
        Some((_, examples)) => command.after_help(format!("Examples:\n  {}\n  {}", examples[0], examples[1])),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line, as a shell would split it.
    fn words(line: &str) -> Vec<String> {
        let quoted = line.split('\'').enumerate();
        quoted
            .flat_map(|(n, piece)| {
                if n % 2 == 1 {
                    vec![piece.to_owned()]
                } else {
                    piece.split_whitespace().map(str::to_owned).collect()
                }
            })
            .collect()
    }

    #[test]
    fn every_command_has_two_examples_that_the_command_line_takes() {
        fn each(command: &Command, path: &mut Vec<String>) {
            for below in command.get_subcommands() {
                path.push(below.get_name().to_owned());
                let own = EXAMPLES.iter().find(|(of, _)| of == path);
                assert!(below.is_subcommand_required_set() || own.is_some(), "no examples: {path:?}");
                for line in own.map(|(_, examples)| examples).into_iter().flatten() {
                    let words = words(line);
                    assert!(path.iter().all(|name| words.contains(name)), "{line} is not about {path:?}");
                    let taken = super::super::command().try_get_matches_from(words);
                    assert!(taken.is_ok(), "{line}: {}", taken.expect_err("an error"));
                }
                each(below, path);
                path.pop();
            }
        }
        each(&super::super::command(), &mut Vec::new());
    }
}
