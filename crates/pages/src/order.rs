//! One order: what was paid of it, how it came about, what is wrong, and what can be done.

mod story;

use askama::Template;
use cvco_domain::{
    Cents, Currency, Event, Instrument, Mode, OrderKey, Psp, Record, RecordState, Seq, Tender, Way,
};
use cvco_ledger::{Dossier, PaidOut, QuestionLine, RelayState, Reported};
use cvco_mail::{Item, lists};

use crate::frame::{Frame, Role};
use crate::mark::Mark;
use crate::say::Lent;
use crate::widths::Scale;
use crate::{RenderError, Say, address, cut, order_address, outside, words};

pub(crate) use story::Happened;

/// One order.
#[derive(Debug, Template)]
#[template(path = "order.html")]
pub struct OrderPage {
    /// What is around it.
    pub frame: Frame,
    /// All that is known of it.
    pub dossier: Dossier,
    /// Its discrepancies, as the mails tell them, in the dossier's order.
    pub items: Vec<Item>,
    /// The endpoints whose PSP can be asked.
    pub can_ask: bool,
}

/// A piece of the picture of the sum.
struct Piece {
    x: i64,
    width: i64,
    class: &'static str,
    title: String,
}

/// The picture's width, and that of the narrowest piece in it.
const WIDTH: i64 = 1000;
const LEAST: i64 = 15;

impl OrderPage {
    /// The page as a file that needs nothing beside it.
    ///
    /// # Errors
    /// The template could not be filled.
    pub fn as_file(dossier: Dossier, items: Vec<Item>, frame: Frame) -> Result<String, RenderError> {
        let frame = Frame { is_file: true, ..frame };
        Self { frame, dossier, items, can_ask: false }.render()
    }

    fn t(&self) -> Say {
        self.frame.say
    }

    fn name(&self) -> String {
        let t = self.t();
        match &self.dossier.key {
            OrderKey::Reference(_, reference) => cut(&outside(reference.as_str()), 250),
            OrderKey::Call(_, psp, call) => {
                format!("{} {} {}", t.say("Paiement", "Payment"), psp.title(), outside(call.as_str()))
            }
        }
    }

    fn short_name(&self) -> String {
        cut(&self.name(), 40)
    }

    fn state(&self) -> String {
        match (self.dossier.payments.as_slice(), self.dossier.versions.last()) {
            ([], Some(registered)) => lists::awaited(self.t().0, registered.total).to_owned(),
            (payments, _) => {
                let back = payments.iter().filter(|payment| payment.refunded().is_positive());
                lists::order_state(self.t().0, &self.dossier.state, back.map(Record::is_charged_back))
            }
        }
    }

    /// The rest is due later.
    fn is_part_paid(&self) -> bool {
        self.dossier.state.parse() == Ok(RecordState::PartPaid)
    }

    fn state_mark(&self) -> Mark {
        match self.dossier.state.parse() {
            Ok(state) => Mark::of_record(state),
            Err(_) => Mark::Waiting,
        }
    }

    fn file_link(&self) -> String {
        order_address("/order.html", &self.dossier.key)
    }

    fn shop_name(&self) -> &str {
        self.frame.shop(self.dossier.shop())
    }

    /// The payments that count: a trial beside real money is none.
    fn counting(&self) -> Vec<&Record> {
        self.dossier.payments.iter().filter(|payment| payment.counts).collect()
    }

    fn currency(&self) -> Currency {
        let registered = self.dossier.versions.last().map(|version| version.currency);
        registered
            .or_else(|| self.dossier.payments.first().map(|payment| payment.currency))
            .unwrap_or(Currency::EUR)
    }

    fn paid(&self) -> Cents {
        self.counting().into_iter().map(Record::paid).sum()
    }

    /// What the merchant gave back.
    fn refunded(&self) -> Cents {
        self.counting().into_iter().map(Record::refunded).sum::<Cents>().minus(self.taken_back())
    }

    /// What cards' banks took back.
    fn taken_back(&self) -> Cents {
        self.counting().into_iter().map(Record::taken_back).sum()
    }

    fn by(&self, instrument: Instrument) -> Cents {
        self.counting().into_iter().map(|payment| payment.paid_by(instrument)).sum()
    }

    fn vouchers(&self) -> Cents {
        self.by(Instrument::Voucher)
    }

    fn cards(&self) -> Cents {
        self.by(Instrument::Card)
    }

    /// What it should come to: what its shop registered, else what the only payment states.
    fn expected(&self) -> Option<Cents> {
        let registered = self.dossier.versions.last().map(|version| version.total);
        registered.or_else(|| match self.counting().as_slice() {
            [only] => only.expected.map(|(cents, _)| cents),
            _ => None,
        })
    }

    /// What is missing, or too much: of a registered order what its payments leave of it.
    fn gap(&self) -> Option<Cents> {
        let of_the_payment = || self.expected().map(|expected| self.paid().minus(expected));
        self.dossier.gap.or_else(of_the_payment).filter(|gap| *gap != Cents::ZERO)
    }

    fn money(&self, cents: impl Lent<Cents>) -> String {
        self.t().money(cents, self.currency())
    }

    /// Every accepted part side by side, against what was expected.
    fn picture(&self) -> Vec<Piece> {
        let t = self.t();
        let (expected, paid) = (self.expected().unwrap_or_default(), self.paid());
        let scale = Scale { whole: expected.max(paid), full: WIDTH, least: LEAST };
        let counting = self.counting();
        let parts = counting.iter().flat_map(|payment| payment.tenders.iter());
        let parts: Vec<_> = parts.filter(|tender| tender.state.is_accepted()).collect();
        let missing = expected.minus(paid);
        let amounts: Vec<_> = parts.iter().map(|tender| tender.amount).chain([missing]).collect();
        let mut widths = scale.widths(&amounts).into_iter();
        let mut pieces = Vec::new();
        let mut x = 0_i64;
        for tender in parts {
            let width = widths.next().unwrap_or_default();
            let class = if tender.instrument == Instrument::Voucher { "v" } else { "c" };
            let title = format!("{} {}", self.part(tender), t.money(tender.amount, tender.currency));
            pieces.push(Piece { x, width: width.saturating_sub(3).max(1), class, title });
            x = x.saturating_add(width);
        }
        if let Some(width) = widths.next().filter(|width| *width > 0) {
            let title = format!("{} {}", t.say("manque", "missing"), self.money(missing));
            pieces.push(Piece { x, width, class: "gap", title });
        }
        pieces
    }

    /// Where the expected total lies in the picture, if more was paid.
    fn expected_at(&self) -> Option<i64> {
        let (expected, paid) = (self.expected()?, self.paid());
        (paid > expected).then(|| expected.get().saturating_mul(WIDTH) / paid.get().max(1))
    }

    fn part(&self, tender: &Tender) -> String {
        words::part(self.t(), tender)
    }

    fn brand(tender: &Tender) -> String {
        outside(tender.brand.as_str())
    }

    fn transaction(tender: &Tender) -> String {
        tender.id.as_ref().map(|id| outside(id.as_str())).unwrap_or_default()
    }

    fn authorisation(tender: &Tender) -> String {
        tender.authorisation.as_ref().map(|number| outside(number.as_str())).unwrap_or_default()
    }

    fn tender_state(&self, tender: &Tender) -> &'static str {
        lists::tender_state(self.t().0, tender.state, tender.is_charged_back())
    }

    fn tender_mark(tender: &Tender) -> Mark {
        Mark::of_tender(tender.state)
    }

    fn call_caption(&self, psp: impl Lent<Psp>) -> &'static str {
        lists::call_number(self.t().0, Some(psp.lent()))
    }

    fn call(payment: &Record) -> String {
        outside(payment.call_number.as_str())
    }

    fn payment_state(&self, payment: &Record) -> &'static str {
        lists::payment_state(self.t().0, payment.state, payment.is_charged_back())
    }

    fn payment_mark(payment: &Record) -> Mark {
        Mark::of_record(payment.state)
    }

    fn is_test(payment: &Record) -> bool {
        payment.mode == Mode::Test
    }

    fn payment_expected(&self, payment: &Record) -> String {
        payment.expected.map_or_else(|| "—".to_owned(), |(cents, _)| self.t().money(cents, payment.currency))
    }

    fn payment_paid(&self, payment: &Record) -> String {
        self.t().money(payment.paid(), payment.currency)
    }

    fn settled(&self, tender: &Tender) -> String {
        let t = self.t();
        match tender.booked.settled_on {
            Some(on) => format!("{} ({})", t.figure(tender.booked.settled), t.day(on)),
            None => "—".to_owned(),
        }
    }

    fn received_on(&self, tender: &Tender) -> String {
        tender.booked.received_on.map_or_else(|| "—".to_owned(), |day| self.t().day(day))
    }

    fn item_title(&self, item: &Item) -> String {
        lists::title(self.t().0, item)
    }

    fn item_mark(item: &Item) -> Mark {
        if item.closed_at.is_some() { Mark::Good } else { Mark::of_severity(item.severity) }
    }

    fn item_words(&self, item: &Item) -> cvco_mail::Wording {
        lists::said(self.t().0, item)
    }

    fn item_stake(&self, item: &Item) -> String {
        item.at_stake().map(|cents| self.t().money(cents, item.currency)).unwrap_or_default()
    }

    fn sees_payloads(&self) -> bool {
        self.frame.may(Role::Admin)
    }

    fn payload_link(seq: impl Lent<Seq>) -> String {
        address("/payload", &[("entry", &seq.lent().to_string())])
    }

    fn verdict(&self, report: &Reported) -> String {
        words::verdict(self.t(), report)
    }

    fn event(&self, event: &Event) -> String {
        words::event(self.t(), event)
    }

    fn news(&self, news: &str) -> String {
        words::news(self.t(), news)
    }

    fn way(&self, way: &Way) -> String {
        words::way(self.t(), way)
    }

    fn relay_state(&self, state: impl Lent<RelayState>) -> String {
        words::relay_state(self.t(), state.lent())
    }

    fn asked_about(&self, question: &QuestionLine) -> String {
        let QuestionLine { topic, subject, .. } = question;
        match topic.parse() {
            Ok(topic) => outside(lists::asked_about(self.t().0, topic, subject)),
            Err(_) => outside(subject),
        }
    }

    fn question_state(&self, state: &str) -> String {
        words::question_state(self.t(), state)
    }

    fn issuer(&self, line: &PaidOut) -> String {
        words::issuer(self.t(), line.issuer)
    }

    fn matched_by(&self, line: &PaidOut) -> String {
        line.matched_by.as_ref().map(|by| words::matched_by(self.t(), by)).unwrap_or_default()
    }

    fn csv_link(&self, list: impl AsRef<str>) -> String {
        format!("{}&what={}", order_address("/order.csv", &self.dossier.key), list.as_ref())
    }

    /// The fields that were proven, by their names.
    fn fields(&self, event: &Event) -> Vec<(String, String)> {
        let t = self.t();
        let mut fields = Vec::new();
        let mut field = |french: &str, english: &str, value: Option<String>| {
            if let Some(value) = value {
                fields.push((t.say(french, english), outside(&value)));
            }
        };
        field("référence", "reference", event.order_ref.as_ref().map(ToString::to_string));
        field("numéro", "number", Some(event.call_number.to_string()));
        field("transaction", "transaction", event.tender_id.as_ref().map(ToString::to_string));
        field("autorisation", "authorisation", event.authorisation.number().map(ToString::to_string));
        field("contrat", "contract", event.contract.as_ref().map(ToString::to_string));
        field(
            "total de la commande",
            "order's total",
            event.order_total.map(|cents| t.money(cents, event.currency)),
        );
        field("daté par le prestataire", "dated by the provider", event.occurred_at.map(|at| t.paris(at)));
        fields
    }

    fn told_fields(&self, report: &Reported) -> Vec<(String, String)> {
        report.events.iter().flat_map(|event| self.fields(event)).collect()
    }

    fn relay_mark(state: impl Lent<RelayState>) -> Mark {
        match state.lent() {
            RelayState::Delivered => Mark::Good,
            RelayState::Owed => Mark::Waiting,
            RelayState::Refused | RelayState::Parked => Mark::Warning,
            RelayState::Dropped => Mark::Nothing,
        }
    }

    fn at_text(&self, text: &str) -> String {
        words::at_text(self.t(), text)
    }

    fn payout_sum(&self) -> Cents {
        self.dossier.payouts.iter().map(|line| line.amount).sum()
    }

    fn debits(&self) -> Cents {
        self.dossier.entries.iter().map(|line| line.debit).sum()
    }

    fn credits(&self) -> Cents {
        self.dossier.entries.iter().map(|line| line.credit).sum()
    }
}
