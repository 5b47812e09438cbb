//! From a letter to the words of an e-mail: subject, plain text, HTML. The views here choose the words and set
//! the figures; the templates only lay them out.

mod item;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use askama::Template;
use cvco_domain::{Cents, Currency, News, Severity};

use super::RenderError;
use super::catalogue::{Case, Language, Wording, wording};
use super::letter::{Item, Letter};
use super::typography::{amount, one_line, shortened};
use super::words::{self, Labels};
use item::{GREEN, ItemView, severity_colour};

/// An e-mail without its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line without control characters.
    pub subject: String,
    /// The plain-text alternative.
    pub text: String,
    /// The HTML alternative, without external resources.
    pub html: String,
    /// It cannot wait: its headers say so too.
    pub urgent: bool,
}

/// So many discrepancies are told in full; of the others the summary has number and amount.
const MOST_ITEMS: usize = 15;

/// Gmail shows no more than 102 KB of a mail. This much of it is ours; the rest is for headers and for what servers add.
const LARGEST: usize = 88_000;

/// The longest order reference that a subject line repeats in full.
const SUBJECT_REFERENCE: usize = 60;

/// Writes the mail: the gravest discrepancy first, the resolved ones last; on top of several, a summary.
///
/// # Errors
/// None that depends on the letter: a template that cannot be formatted.
pub fn render(letter: &Letter) -> Result<RenderedMail, RenderError> {
    let items = sorted(letter);

    let language = letter.language;
    let subject = subject(letter, &items);
    let mut in_full = items.len().min(MOST_ITEMS);
    loop {
        let left_out: Vec<i64> = items.iter().skip(in_full).map(|item| item.id).collect();
        let page = Page {
            lang: language.as_str(),
            labels: words::labels(language),
            subject: &subject,
            shop_name: one_line(&letter.shop_name),
            host: one_line(&letter.host),
            summary: if items.len() > 1 { summary(language, &items) } else { Vec::new() },
            items: items
                .iter()
                .take(in_full)
                .map(|item| ItemView { link: letter.link(item), ..ItemView::new(language, item) })
                .collect(),
            left_out: (!left_out.is_empty()).then(|| words::left_out(language, &left_out)),
        };
        let text = TextMail { page: &page }.render()?;
        let html = HtmlMail { page: &page }.render()?;
        if in_full == 0 || as_sent(&text).saturating_add(as_sent(&html)) <= LARGEST {
            return Ok(RenderedMail { subject, text, html, urgent: is_urgent(&items) });
        }
        in_full -= 1;
    }
}

/// How many bytes a text takes once it is encoded for the way: as quoted-printable or in base64, whichever is shorter.
fn as_sent(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| *byte == b'=' || !byte.is_ascii()).count();
    let quoted = text.len().saturating_add(escaped.saturating_mul(2));
    // A soft line break after each 75.
    let quoted = quoted.saturating_add(quoted / 25);
    quoted.min(text.len().saturating_mul(4) / 3 * 40 / 39)
}

/// What a mail about several discrepancies says first.
struct SummaryRow {
    title: String,
    badge: &'static str,
    colour: &'static str,
    count: usize,
    amount: String,
    numbers: String,
}

/// A row for each kind, in the order of the items.
fn summary(language: Language, sorted: &[&Item]) -> Vec<SummaryRow> {
    let key = |item: &Item| {
        let said = wording(Case::of(item.kind, &item.detail), language, item.psp);
        (item.news == News::Closed, named(language, item, &said).title)
    };
    let mut rows: Vec<((bool, String), Vec<&Item>)> = Vec::new();
    for item in sorted {
        let key = key(item);
        match rows.iter_mut().find(|(known, _)| *known == key) {
            Some((_, items)) => items.push(item),
            None => rows.push((key, vec![item])),
        }
    }
    let row = |((is_closed, title), items): ((bool, String), Vec<&Item>)| {
        let severity = items.iter().map(|item| item.severity).max().unwrap_or(Severity::Warning);
        let mut sums: BTreeMap<&str, (Currency, Cents)> = BTreeMap::new();
        for (item, cents) in items.iter().filter_map(|item| Some((item, item.at_stake()?.abs()))) {
            let sum = sums.entry(item.currency.as_str()).or_insert((item.currency, Cents::ZERO));
            sum.1 = sum.1.plus(cents);
        }
        let sums = sums.values().map(|(currency, sum)| amount(language, *sum, *currency));
        let ids: Vec<i64> = items.iter().map(|item| item.id).collect();
        SummaryRow {
            title: capitalised(&title),
            badge: if is_closed {
                words::labels(language).resolved
            } else {
                words::severity(language, severity)
            },
            colour: if is_closed { GREEN } else { severity_colour(severity) },
            count: items.len(),
            amount: sums.collect::<Vec<_>>().join(" + "),
            numbers: words::numbers(language, &ids),
        }
    };
    rows.into_iter().map(row).collect()
}

/// The gravest first, the resolved ones last.
pub(super) fn sorted(letter: &Letter) -> Vec<&Item> {
    let mut items: Vec<&Item> = letter.items.iter().collect();
    items.sort_by_key(|item| (item.news == News::Closed, Reverse(item.severity), item.opened_at, item.id));
    items
}

pub(super) fn is_trial(items: &[&Item]) -> bool {
    items.iter().all(|item| item.is_trial())
}

pub(super) fn is_urgent(items: &[&Item]) -> bool {
    let urgent =
        |item: &&Item| item.news != News::Closed && item.severity == Severity::Urgent && !item.is_trial();
    items.iter().any(urgent)
}

/// What the catalogue says, with the word for the item's vouchers.
pub(super) fn named(language: Language, item: &Item, said: &Wording) -> Wording {
    let about = |text: &String| words::about(language, item.voucher_kind(), text);
    Wording {
        title: about(&said.title),
        explanation: about(&said.explanation),
        what_to_do: said
            .what_to_do
            .iter()
            .map(|step| words::to_issuer(language, item.voucher_kind(), &about(step)))
            .collect(),
    }
}

pub(super) fn subject(letter: &Letter, sorted: &[&Item]) -> String {
    let language = letter.language;
    let tail = |item: &Item| {
        let said = wording(Case::of(item.kind, &item.detail), language, item.psp);
        let title = named(language, item, &said).title;
        let figure = item.at_stake().map(|cents| amount(language, cents, item.currency));
        let order = item.order_ref.as_ref().map(|order| shortened(order.as_str(), SUBJECT_REFERENCE));
        words::subject_tail(language, &title, figure.as_deref(), order.as_deref())
    };
    let closed = sorted.iter().filter(|item| item.news == News::Closed).count();
    let open = sorted.len().saturating_sub(closed);
    let what = match sorted {
        [only] => tail(only),
        [gravest, ..] if open > 0 => {
            [&words::count(language, open, closed), words::among_them(language), &tail(gravest)].concat()
        }
        _ => words::count(language, open, closed),
    };
    let colon = words::colon(language);
    let labels = words::labels(language);
    let prefix = if open == 0 {
        format!("{}{colon} ", capitalised(labels.resolved))
    } else if sorted.iter().any(|item| item.news == News::Opened) {
        String::new()
    } else if sorted.iter().any(|item| item.news == News::Escalated) {
        format!("{}{colon} ", capitalised(labels.unanswered))
    } else {
        format!("{}{colon} ", capitalised(labels.reminder))
    };
    let tag = words::tag(is_urgent(sorted), is_trial(sorted));
    one_line(&format!("{prefix}{tag} {}{colon} {what}", letter.shop_name))
}

#[derive(Template)]
#[template(path = "alert.txt")]
struct TextMail<'a> {
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct HtmlMail<'a> {
    page: &'a Page<'a>,
}

struct Page<'a> {
    lang: &'static str,
    labels: &'static Labels,
    subject: &'a str,
    shop_name: String,
    host: String,
    summary: Vec<SummaryRow>,
    items: Vec<ItemView>,
    left_out: Option<String>,
}

impl Page<'_> {
    /// How to act stands once below several discrepancies, if one of them is open.
    fn can_act(&self) -> bool {
        !self.summary.is_empty() && self.items.iter().any(|item| !item.what_to_do.is_empty())
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
