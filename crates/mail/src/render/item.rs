//! One discrepancy of a mail: its figures, its payments, and what to do.

use std::borrow::Cow;

use cvco_domain::{
    Cents, Currency, Detail, Due, Kind, Mode, News, OrderNow, Record, Severity, Tender, TenderState,
};

use super::capitalised;
use crate::catalogue::{Case, GapName, Language, figures_of};
use crate::letter::Item;
use crate::typography::{amount, difference, one_line, paris};
use crate::words;
use crate::{closing, giving_back, particulars};

pub(super) struct ItemView {
    pub(super) id: i64,
    pub(super) badge: String,
    pub(super) colour: &'static str,
    pub(super) title: String,
    pub(super) explanation: String,
    pub(super) facts: Vec<Fact>,
    pub(super) payments: Vec<PaymentView>,
    pub(super) totals: Vec<Fact>,
    pub(super) record_state: Option<&'static str>,
    pub(super) dated: String,
    /// Empty once it is resolved.
    pub(super) what_to_do: Vec<String>,
    /// Where the dashboard shows it.
    pub(super) link: Option<String>,
}

/// A caption and what it captions.
pub(super) struct Fact {
    pub(super) label: Cow<'static, str>,
    pub(super) value: String,
    tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Wrong,
}

/// One payment of several; or the only one, which needs no heading.
pub(super) struct PaymentView {
    pub(super) heading: Option<String>,
    pub(super) tenders: Vec<TenderView>,
}

pub(super) struct TenderView {
    pub(super) name: String,
    pub(super) amount: String,
    pub(super) state: String,
    pub(super) particulars: String,
    pub(super) accepted: bool,
    /// Neither accepted nor still to be decided.
    pub(super) lost: bool,
}

impl Fact {
    fn plain(label: impl Into<Cow<'static, str>>, value: String) -> Self {
        Self { label: label.into(), value, tone: Tone::Plain }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.tone == Tone::Wrong
    }

    /// A gap by its own name, which says in which direction it goes; a plain difference carries a sign.
    fn gap(language: Language, name: GapName, gap: Cents, currency: Currency) -> Self {
        let value = match name {
            GapName::Difference => difference(language, gap, currency),
            GapName::Short
            | GapName::Over
            | GapName::ToRefund
            | GapName::ToCollect
            | GapName::ToCapture
            | GapName::AgainstTerms => amount(language, gap.abs(), currency),
        };
        Self { label: words::gap(language, name).into(), value, tone: Tone::Wrong }
    }
}

/// The width of a caption in plain text, unless one is longer.
const CAPTION: usize = 16;

impl ItemView {
    /// A caption as wide as the widest one beside it.
    pub(super) fn padded(&self, fact: &Fact) -> String {
        let widest = self.facts.iter().map(|fact| fact.label.chars().count()).max().unwrap_or_default();
        format!("{:<width$}", fact.label, width = widest.max(CAPTION))
    }

    pub(super) fn new(language: Language, item: &Item) -> Self {
        let said = giving_back::said(language, item);
        let opened_at = paris(language, item.opened_at);
        let closed_at = item.closed_at.map(|at| paris(language, at));
        let labels = words::labels(language);
        let severity = words::severity(language, item.severity);
        let colour = severity_colour(item.severity);
        let (badge, colour, explanation, what_to_do) = match item.news {
            News::Opened => (severity.to_owned(), colour, said.explanation, said.what_to_do),
            News::Reminded => (
                format!("{}, {severity}", labels.reminder),
                colour,
                format!("{} {}", words::still_open(language, item.reminded_for), said.explanation),
                said.what_to_do,
            ),
            News::Escalated => (
                format!("{}, {severity}", labels.unanswered),
                colour,
                format!("{} {}", labels.nobody_saw, said.explanation),
                said.what_to_do,
            ),
            News::Closed => (labels.resolved.to_owned(), GREEN, closing::remains(language, item), Vec::new()),
        };
        // It waited for a mail server: whoever followed its steps now would do what is done.
        let is_over = item.news != News::Closed && item.closed_at.is_some();
        let (explanation, what_to_do) =
            if is_over { (closing::remains(language, item), Vec::new()) } else { (explanation, what_to_do) };
        let state = |record: &Record| words::record_stands(language, record.state, record.is_charged_back());
        Self {
            id: item.id,
            badge,
            colour,
            title: capitalised(&said.title),
            explanation,
            facts: facts(language, item),
            payments: payments(language, item),
            totals: totals(language, item),
            record_state: only(&item.records).map(state),
            dated: words::dated(language, item.id, &opened_at, closed_at.as_deref()),
            what_to_do,
            link: None,
        }
    }
}

pub(super) const GREEN: &str = "#1e6b3a";

pub(super) const fn severity_colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Urgent => "#b3261e",
        Severity::Warning => "#8a5a00",
        Severity::Info => "#44546a",
    }
}

fn facts(language: Language, item: &Item) -> Vec<Fact> {
    let labels = words::labels(language);
    let figure = |cents| amount(language, cents, item.currency);
    let provider = match (item.psp, &item.endpoint) {
        (Some(psp), Some(endpoint)) => Some(format!("{} ({endpoint})", psp.title())),
        (Some(psp), None) => Some(psp.title().to_owned()),
        (None, Some(endpoint)) => Some(endpoint.to_string()),
        (None, None) => {
            let names: Vec<_> = item.psps().iter().map(|psp| psp.title()).collect();
            (!names.is_empty()).then(|| names.join(", "))
        }
    };
    let is_test = item.records.first().map_or(item.mode, |record| record.mode) == Mode::Test;
    // How many answers were missing is history once none is.
    let detail = match (&item.detail, item.news) {
        // The parts stand below, as they are now.
        (
            Detail::Awaited { .. }
            | Detail::Parts(_)
            | Detail::LeftOver(_)
            | Detail::Lapsed(_)
            | Detail::PartCaptured { .. }
            | Detail::Payments(_)
            // What waited, or was refused, is dealt with.
            | Detail::NotTaken(_)
            | Detail::RefusedByShop(_),
            News::Closed,
        ) => None,
        (_, _) => particulars::in_words(language, &item.detail, &item.records),
    };
    // Those of a resolved discrepancy are history; how the payments stand now is in the record's totals.
    let (expected, actual, gap) = match item.news {
        News::Opened | News::Reminded | News::Escalated => {
            let [expected, actual] = item.figures();
            (expected, actual, item.own_gap())
        }
        News::Closed => (None, None, None),
    };
    let dues = if item.news == News::Closed { Vec::new() } else { item.due_so_far() };
    let due = |due: &Due| Fact::plain(words::due(language, due.at), figure(due.cents));
    let technical = (item.news != News::Closed)
        .then(|| particulars::technical(language, &item.detail, item.last_error.as_deref()))
        .flatten();
    let is_reminder = matches!(item.news, News::Reminded | News::Escalated);
    let note = item.last_note.as_ref().filter(|_| is_reminder);
    let settled_by = if item.news == News::Closed { closing::settled_by(language, item) } else { None };
    let [expected_label, actual_label] = figures_of(Case::of(item.kind, &item.detail), item.kind, language);
    let about = [
        item.order_ref.as_ref().map(|order| Fact::plain(labels.order, order.to_string())),
        item.call_number
            .as_ref()
            .map(|call| Fact::plain(words::call_number(language, item.psp), call.to_string())),
        provider.map(|provider| Fact::plain(labels.provider, provider)),
        same_call(language, item),
        is_test.then(|| Fact::plain(labels.mode, labels.test_mode.to_owned())),
    ];
    let figures = [
        expected.map(|cents| Fact::plain(expected_label, figure(cents))),
        actual.map(|cents| Fact::plain(actual_label, figure(cents))),
        gap.map(|(name, gap)| Fact::gap(language, name, gap, item.currency)),
        detail.map(|detail| Fact::plain(labels.particulars, detail)),
        settled_by.map(|events| Fact::plain(labels.settled_by, events)),
        technical.map(|what| Fact::plain(labels.technical, what)),
        is_reminder.then(|| Fact::plain(labels.open_since, paris(language, item.opened_at))),
        note.map(|note| Fact::plain(labels.last_note, one_line(note))),
    ];
    let about = about.into_iter().flatten();
    about.chain(dues.iter().map(due)).chain(figures.into_iter().flatten()).collect()
}

fn only(records: &[Record]) -> Option<&Record> {
    match records {
        [only] => Some(only),
        [] | [..] => None,
    }
}

fn payments(language: Language, item: &Item) -> Vec<PaymentView> {
    let records = &item.records;
    let is_one_of_several = records.len() > 1;
    let payment = |record: &Record| PaymentView {
        heading: is_one_of_several.then(|| heading(language, record)),
        tenders: record.tenders.iter().map(|tender| TenderView::new(language, tender)).collect(),
    };
    records.iter().map(payment).collect()
}

/// A payment among others: when, where, and what it came to.
fn heading(language: Language, record: &Record) -> String {
    let accepted = record.tenders.iter().filter(|tender| tender.state.is_accepted());
    let at = accepted.filter_map(|tender| tender.authorised_at).min().or_else(|| record.first_seen_at());
    let at = at.map(|at| format!("{}, ", paris(language, at))).unwrap_or_default();
    let paid = amount(language, record.paid(), record.currency);
    let call = words::call_number(language, Some(record.psp)).to_lowercase();
    format!("{at}{}, {call} {}{} {paid}", record.psp.title(), record.call_number, words::colon(language))
}

impl TenderView {
    fn new(language: Language, tender: &Tender) -> Self {
        let labels = words::labels(language);
        let state = words::tender_stands(language, tender.state, tender.is_charged_back());
        let given_back = tender.refunded.is_positive() && tender.refunded != tender.amount;
        // Of a payment that was never heard of, only what went back is known.
        let is_unknown = tender.amount == Cents::ZERO && tender.refunded.is_positive();
        let transaction = match tender.id.as_ref().filter(|_| !is_unknown) {
            Some(id) => format!("{} {id}", labels.transaction),
            None => labels.no_transaction.to_owned(),
        };
        let at = paris(language, tender.authorised_at.unwrap_or(tender.first_seen_at));
        Self {
            name: format!("{} ({})", words::instrument(language, tender), tender.brand),
            // Nobody said yet how much of a payment it is.
            amount: match (tender.amount == Cents::ZERO, language) {
                (true, Language::French) => "inconnu".to_owned(),
                (true, Language::English) => "unknown".to_owned(),
                (false, _) => amount(language, tender.amount, tender.currency),
            },
            state: if given_back && tender.taken_back.is_positive() && !tender.is_charged_back() {
                let figure = |cents| amount(language, cents, tender.currency);
                let refunded = figure(tender.refunded.minus(tender.taken_back));
                words::refunded_and_taken_back(language, &refunded, &figure(tender.taken_back))
            } else if given_back {
                format!("{state} ({})", amount(language, tender.refunded, tender.currency))
            } else {
                state.to_owned()
            },
            particulars: match (is_unknown, language) {
                (true, Language::French) => "le paiement lui-même n’est pas enregistré ici".to_owned(),
                (true, Language::English) => "the payment itself is not recorded here".to_owned(),
                (false, _) => format!("{transaction}, {at}"),
            },
            accepted: tender.state.is_accepted(),
            lost: !tender.state.is_accepted() && tender.state != TenderState::Pending,
        }
    }
}

/// What the payments come to, and what the order should: once in a mail, and not where the discrepancy itself says what was
/// expected. What a payment alone is held against is said of an order that was never registered.
fn totals(language: Language, item: &Item) -> Vec<Fact> {
    let labels = words::labels(language);
    let Some(first) = item.records.first() else { return Vec::new() };
    let figure = |cents| amount(language, cents, first.currency);
    let paid: Cents = item.records.iter().map(Record::paid).sum();
    let refunded: Cents = item.records.iter().map(Record::refunded).sum();
    let taken_back: Cents = item.records.iter().map(Record::taken_back).sum();
    let mut totals = vec![Fact::plain(labels.total_accepted, figure(paid))];
    if refunded.is_positive() {
        totals.push(Fact::plain(of_which_back(language, refunded, taken_back), figure(refunded)));
    }
    totals.extend(should_be(language, item, paid));
    totals
}

/// Of a part that is missing: the order under which the other one may have been notified.
fn same_call(language: Language, item: &Item) -> Option<Fact> {
    let lacks_a_part =
        matches!(item.kind, Kind::ComplementMissing | Kind::ComplementOrphan | Kind::VoucherOrphan);
    let other = item.order.as_ref().filter(|_| lacks_a_part)?.same_call.as_ref()?;
    let label = match language {
        Language::French => "Numéro d’appel aussi notifié sous",
        Language::English => "Call number also notified under",
    };
    Some(Fact::plain(label, other.to_string()))
}

/// What it should all come to, what is missing or too much, and what is due later, as far as the mail has not said so.
fn should_be(language: Language, item: &Item, paid: Cents) -> Vec<Fact> {
    let labels = words::labels(language);
    let is_closed = item.news == News::Closed;
    let says_expected = !is_closed && item.expected.is_some() && is_of_total(item.kind);
    let own = item.own_gap().filter(|_| !is_closed).map(|(name, _)| name);
    let is_told = |name| says_expected || own == Some(name) || own == Some(GapName::Difference);
    let gap_fact = |gap: Cents, currency| {
        let name = GapName::of_payments(gap);
        (gap != Cents::ZERO && !is_told(name)).then(|| Fact::gap(language, name, gap, currency))
    };
    let shows_gap = !is_closed || closing::has_gap(item);
    let mut facts = Vec::new();
    if let Some((order, total)) = item.order.as_ref().and_then(|order| Some((order, order.total?))) {
        // Of one payment among others the order's total says nothing.
        if order.paid != paid && !is_closed {
            return facts;
        }
        let is_said = says_expected && item.figures().contains(&Some(total.cents));
        if !is_said {
            facts.push(Fact::plain(labels.order_total, amount(language, total.cents, total.currency)));
        }
        if shows_gap && total.currency == item.currency {
            // What is to be given back pays nothing of the rest.
            let surplus = own_surplus(item).filter(|_| !is_closed).unwrap_or_default();
            let left =
                OrderNow { gap: order.gap.map(|gap| gap.minus(surplus)), ..order.clone() }.still_to_pay();
            let over = order.gap.filter(|gap| gap.is_positive());
            facts.extend(gap_fact(over.unwrap_or(Cents::ZERO.minus(left.overdue)), total.currency));
            facts.extend(later(language, &left.later, total.currency));
        }
        return facts;
    }
    let Some(record) = only(&item.records).filter(|_| !says_expected) else { return facts };
    let Some((expected, _)) = record.expected else { return facts };
    facts.push(Fact::plain(labels.expected, amount(language, expected, record.currency)));
    facts.extend(item.order_gap().filter(|_| shows_gap).and_then(|gap| gap_fact(gap, record.currency)));
    facts
}

/// What the discrepancy asks to be given back of an order that is to be paid further.
fn own_surplus(item: &Item) -> Option<Cents> {
    let is_paid_further = item.order.as_ref()?.gap? < Cents::ZERO;
    let (name, gap) = item.own_gap().filter(|_| is_paid_further)?;
    Some(gap).filter(|gap| gap.is_positive() && name == GapName::of_payments(*gap))
}

/// What is to be paid later: the next due dates, and all that follow them in one line.
fn later(language: Language, later: &[Due], currency: Currency) -> Vec<Fact> {
    let (next, rest) = later.split_at(later.len().min(NEXT_DUE));
    let mut facts: Vec<Fact> = next
        .iter()
        .filter_map(|due| Some((due.at?, due.cents)))
        .map(|(at, cents)| Fact::plain(words::due_later(language, at), amount(language, cents, currency)))
        .collect();
    if !rest.is_empty() {
        let cents = rest.iter().map(|due| due.cents).sum();
        facts.push(Fact::plain(words::labels(language).due_after, amount(language, cents, currency)));
    }
    facts
}

/// So many due dates to come are named one by one.
const NEXT_DUE: usize = 3;

/// Whether the figures of a kind are those of the order's total.
fn is_of_total(kind: Kind) -> bool {
    kind == Kind::TotalChanged || kind != Kind::Unconfirmed && GapName::is_of_payments(kind)
}

/// What went back: a bank's taking is no refund.
fn of_which_back(language: Language, back: Cents, taken_back: Cents) -> &'static str {
    match language {
        _ if !taken_back.is_positive() => words::labels(language).of_which_refunded,
        Language::French if taken_back >= back => "dont repris par la banque",
        Language::English if taken_back >= back => "of which taken back by the bank",
        Language::French => "dont repris ou remboursé",
        Language::English => "of which taken back or refunded",
    }
}
