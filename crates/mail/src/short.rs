//! The same words for a channel: a title and a few lines, without layout and without anything about the customer.

use super::catalogue::{Case, figures_of, wording};
use super::letter::{Item, Letter};
use super::render::{capitalised, is_trial, is_urgent, named, sorted, subject};
use super::typography::{amount, one_line, paris};
use super::{closing, giving_back, words};
use cvco_domain::{News, OrderRef};

/// So many discrepancies have a line of their own.
const MOST_LINES: usize = 15;

/// A message for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortMessage {
    /// As the subject of the e-mail.
    pub title: String,
    /// What there is to know, each line a sentence or a discrepancy.
    pub lines: Vec<String>,
    /// It cannot wait.
    pub urgent: bool,
    /// It is all about trials.
    pub trial: bool,
}

/// Writes the message: the gravest discrepancy first, the resolved ones last.
#[must_use]
pub fn short(letter: &Letter) -> ShortMessage {
    let items = sorted(letter);
    let mut lines = match items.as_slice() {
        [only] => about_one(letter, only),
        several => about_several(letter, several),
    };
    lines.extend(match items.as_slice() {
        [only] => letter.link(only),
        _ => letter.dashboard.as_ref().map(|dashboard| format!("{dashboard}/discrepancies")),
    });
    ShortMessage {
        title: subject(letter, &items),
        lines: lines.iter().map(|line| one_line(line)).collect(),
        urgent: is_urgent(&items),
        trial: is_trial(&items),
    }
}

fn about_one(letter: &Letter, item: &Item) -> Vec<String> {
    let language = letter.language;
    let closed_at = item.closed_at.map(|at| paris(language, at));
    let dated = words::dated(language, item.id, &paris(language, item.opened_at), closed_at.as_deref());
    // It may also have waited for the channel until it was over.
    if item.news == News::Closed || item.closed_at.is_some() {
        return vec![closing::remains(language, item), dated];
    }
    let said = giving_back::said(language, item);
    let colon = words::colon(language);
    let figure = |label: &str, cents| format!("{label}{colon} {}", amount(language, cents, item.currency));
    let [expected, actual] = figures_of(Case::of(item.kind, &item.detail), item.kind, language);
    let gap = item.own_gap().map(|(name, gap)| figure(words::gap(language, name), gap.abs()));
    let known = |label, cents: Option<_>| cents.map(|cents| figure(label, cents));
    let [should_be, is] = item.figures();
    let money: Vec<String> =
        [known(expected, should_be), known(actual, is), gap].into_iter().flatten().collect();
    let mut lines = vec![said.explanation];
    if !money.is_empty() {
        lines.push(money.join(" · "));
    }
    lines.push(dated);
    lines
}

fn about_several(letter: &Letter, items: &[&Item]) -> Vec<String> {
    let language = letter.language;
    let line = |item: &&Item| {
        let said = wording(Case::of(item.kind, &item.detail), language, item.psp);
        let title = capitalised(&named(language, item, &said).title);
        let figure = item.at_stake().map(|cents| amount(language, cents, item.currency));
        let order = item.order_ref.as_ref().map(OrderRef::as_str);
        let tail = words::subject_tail(language, &title, figure.as_deref(), order);
        let badge = match item.news {
            News::Closed => words::labels(language).resolved,
            News::Opened | News::Reminded | News::Escalated => words::severity(language, item.severity),
        };
        format!("{tail} ({badge}, {})", words::numbers(language, &[item.id]))
    };
    let mut lines: Vec<String> = items.iter().take(MOST_LINES).map(line).collect();
    let left_out: Vec<i64> = items.iter().skip(MOST_LINES).map(|item| item.id).collect();
    if !left_out.is_empty() {
        lines.push(words::others(language, &left_out));
    }
    lines
}

#[cfg(test)]
mod tests {
    use cvco_domain::{Kind, News};

    use super::super::Language;
    use super::super::samples::{item, letter};
    use super::*;

    #[test]
    fn one_discrepancy_is_said_in_three_lines() {
        let message = short(&letter(Language::French, vec![item(Kind::ComplementMissing)]));
        assert!(message.urgent && !message.trial);
        assert_eq!(
            message.title.replace('\u{a0}', " "),
            "[CVCo urgent] Camping des Pins : complément carte manquant, 10,00 € – commande CMD9542124-01A5G"
        );
        let lines: Vec<String> = message.lines.iter().map(|line| line.replace('\u{a0}', " ")).collect();
        assert_eq!(
            lines[1..],
            [
                "Attendu : 1 234,00 € · Reçu : 1 224,00 € · Manque : 10,00 €",
                "Écart n° 17, constaté le 01/03/2026 14:25",
            ]
        );
    }

    #[test]
    fn of_many_the_last_are_numbers() {
        let items = (1..=40).map(|id| Item { id, ..item(Kind::AmountShort) }).collect();
        let message = short(&letter(Language::French, items));
        assert_eq!(message.lines.len(), MOST_LINES + 1);
        assert!(
            message.lines[MOST_LINES].replace('\u{a0}', " ").contains("25 autres (nᵒˢ 16–40)"),
            "{message:?}"
        );
        assert!(!message.urgent);
    }

    #[test]
    fn a_closing_says_that_all_is_well_again() {
        let closed = Item {
            news: News::Closed,
            closed_at: Some(item(Kind::AmountShort).opened_at),
            order: None,
            ..item(Kind::AmountShort)
        };
        let message = short(&letter(Language::French, vec![closed]));
        assert!(
            message.title.starts_with("Résolu")
                && message.lines[0].starts_with("Tout est rentré dans l’ordre")
        );
    }
}
