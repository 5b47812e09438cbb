//! What is known of one order, list by list.

use cvco_domain::{Event, Record, Tender};
use cvco_ledger::{BookedLine, Mailed, PaidOut, QuestionLine, Reported};
use cvco_mail::lists;

use super::{Listed, amount, cell, day, maybe, moment, whole};
use crate::order::{Happened, OrderPage};
use crate::{Say, words};

/// A list on the page of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderList {
    /// The parts of its payments.
    Parts,
    /// What happened.
    Story,
    /// What PSPs told, statement by statement.
    Notifications,
    /// E-mails and messages.
    Messages,
    /// The ways of its calls to the shop.
    Relays,
    /// Questions to PSPs.
    Questions,
    /// Lines of statements.
    Payouts,
    /// Lines of the books.
    Entries,
}

impl OrderList {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Parts,
        Self::Story,
        Self::Notifications,
        Self::Messages,
        Self::Relays,
        Self::Questions,
        Self::Payouts,
        Self::Entries,
    ];

    /// Its word in an address.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parts => "parts",
            Self::Story => "story",
            Self::Notifications => "notifications",
            Self::Messages => "messages",
            Self::Relays => "relays",
            Self::Questions => "questions",
            Self::Payouts => "payouts",
            Self::Entries => "entries",
        }
    }

    /// What its file is called.
    #[must_use]
    pub fn name(self, t: Say) -> String {
        match self {
            Self::Parts => t.say("parts", "parts"),
            Self::Story => t.say("deroulement", "story"),
            Self::Notifications => t.say("notifications", "notifications"),
            Self::Messages => t.say("messages", "messages"),
            Self::Relays => t.say("transmissions", "relays"),
            Self::Questions => t.say("questions", "questions"),
            Self::Payouts => t.say("versements", "payouts"),
            Self::Entries => t.say("ecritures", "entries"),
        }
    }
}

impl OrderPage {
    /// A list of the page as a file.
    #[must_use]
    pub fn csv(&self, list: OrderList) -> String {
        let (t, dossier) = (self.frame.say, &self.dossier);
        match list {
            OrderList::Parts => whole(t, &parts(&dossier.payments)),
            OrderList::Story => whole(t, &self.story()),
            OrderList::Notifications => whole(t, &stated(&dossier.reports)),
            OrderList::Messages => whole(t, &dossier.mails),
            OrderList::Relays => whole(t, &dossier.relays),
            OrderList::Questions => whole(t, &dossier.questions),
            OrderList::Payouts => whole(t, &dossier.payouts),
            OrderList::Entries => whole(t, &dossier.entries),
        }
    }
}

/// A part of a payment.
struct Part<'d> {
    payment: &'d Record,
    tender: &'d Tender,
}

fn parts(payments: &[Record]) -> Vec<Part<'_>> {
    let of = |payment| move |tender| Part { payment, tender };
    payments.iter().flat_map(|payment| payment.tenders.iter().map(of(payment))).collect()
}

impl Listed<15> for Part<'_> {
    const HEADS: [(&'static str, &'static str); 15] = [
        ("prestataire", "provider"),
        ("paiement", "payment"),
        ("mode", "mode"),
        ("part", "part"),
        ("marque", "brand"),
        ("état", "state"),
        ("transaction", "transaction"),
        ("autorisation", "authorisation"),
        ("contrat", "contract"),
        ("comptabilisé le", "accounting day"),
        ("montant", "amount"),
        ("rendu ou repris", "given or taken back"),
        ("devise", "currency"),
        ("versé", "paid out"),
        ("versé le", "paid out on"),
    ];

    fn cells(&self, t: Say) -> [String; 15] {
        let Self { payment, tender } = self;
        [
            cell(payment.psp.title()),
            cell(payment.call_number.as_str()),
            cell(payment.mode.as_str()),
            cell(&words::part(t, tender)),
            cell(tender.brand.as_str()),
            cell(lists::tender_state(t.0, tender.state, tender.is_charged_back())),
            maybe(tender.id.as_ref()),
            maybe(tender.authorisation.as_ref()),
            maybe(tender.contract.as_ref()),
            day(t, tender.booked.received_on),
            amount(Some(tender.amount)),
            amount(Some(tender.refunded)),
            cell(tender.currency.as_str()),
            amount(tender.booked.settled_on.map(|_| tender.booked.settled)),
            day(t, tender.booked.settled_on),
        ]
    }
}

impl Listed<4> for Happened {
    const HEADS: [(&'static str, &'static str); 4] = [
        ("le", "at"),
        ("n° dans le journal", "number in the log"),
        ("événement", "what"),
        ("détail", "detail"),
    ];

    fn cells(&self, t: Say) -> [String; 4] {
        let detail: Vec<&str> = self.says.iter().chain(&self.quiet).map(String::as_str).collect();
        [moment(t, Some(self.at)), maybe(self.seq), cell(&self.what), cell(&detail.join(" · "))]
    }
}

/// What a message says of one amount, or that it says nothing of any.
struct Stated<'d> {
    report: &'d Reported,
    event: Option<&'d Event>,
}

fn stated(reports: &[Reported]) -> Vec<Stated<'_>> {
    let mut all = Vec::new();
    for report in reports {
        all.extend(report.events.iter().map(|event| Stated { report, event: Some(event) }));
        if report.events.is_empty() {
            all.push(Stated { report, event: None });
        }
    }
    all
}

impl Listed<19> for Stated<'_> {
    const HEADS: [(&'static str, &'static str); 19] = [
        ("n° dans le journal", "number in the log"),
        ("reçu le", "received"),
        ("point d'entrée", "endpoint"),
        ("prestataire", "provider"),
        ("nature", "kind"),
        ("opération", "operation"),
        ("marque", "brand"),
        ("montant", "amount"),
        ("devise", "currency"),
        ("résultat", "outcome"),
        ("statut du prestataire", "provider's status"),
        ("référence", "reference"),
        ("paiement", "payment"),
        ("transaction", "transaction"),
        ("autorisation", "authorisation"),
        ("contrat", "contract"),
        ("daté par le prestataire", "dated by the provider"),
        ("SHA-256 du message", "SHA-256 of the message"),
        ("maillon de la chaîne", "link of the chain"),
    ];

    fn cells(&self, t: Say) -> [String; 19] {
        let Self { report, event } = self;
        let of = |shown: fn(&Event) -> Option<String>| maybe(event.and_then(shown));
        [
            report.seq.to_string(),
            moment(t, Some(report.at)),
            cell(report.endpoint.as_str()),
            cell(report.psp.title()),
            cell(&words::verdict(t, report)),
            maybe(event.map(|event| lists::operation(t.0, &event.operation).trim_end_matches(','))),
            of(|event| Some(event.brand.to_string())),
            amount(event.map(words::moved)),
            of(|event| Some(event.currency.as_str().to_owned())),
            maybe(event.map(|event| lists::outcome(t.0, &event.operation, event.state))),
            of(|event| Some(event.status.code.clone())),
            of(|event| event.order_ref.as_ref().map(ToString::to_string)),
            of(|event| Some(event.call_number.to_string())),
            of(|event| event.tender_id.as_ref().map(ToString::to_string)),
            of(|event| event.authorisation.number().map(ToString::to_string)),
            of(|event| event.contract.as_ref().map(ToString::to_string)),
            moment(t, event.and_then(|event| event.occurred_at)),
            maybe(report.sha256.as_ref()),
            maybe(report.chain_hash.as_ref()),
        ]
    }
}

impl Listed<7> for Mailed {
    const HEADS: [(&'static str, &'static str); 7] = [
        ("écart n°", "discrepancy"),
        ("par", "by"),
        ("nature", "kind"),
        ("dû depuis le", "owed since"),
        ("état", "state"),
        ("parti le", "left"),
        ("dernière erreur (en anglais)", "last error"),
    ];

    fn cells(&self, t: Say) -> [String; 7] {
        let sent = self.outcome.as_deref() == Some("sent");
        let state = match self.done_at {
            None => t.say("en attente", "waits"),
            Some(_) if sent => t.say("parti", "sent"),
            Some(_) => t.say("sans objet", "no longer needed"),
        };
        [
            self.discrepancy.to_string(),
            cell(&words::way(t, &self.way)),
            cell(&words::news(t, &self.news)),
            moment(t, Some(self.owed_at)),
            cell(&state),
            moment(t, self.done_at.filter(|_| sent)),
            maybe(self.last_error.as_ref()),
        ]
    }
}

impl Listed<7> for QuestionLine {
    const HEADS: [(&'static str, &'static str); 7] = [
        ("point d'entrée", "endpoint"),
        ("sujet", "topic"),
        ("identifiant", "subject"),
        ("état", "state"),
        ("posée le", "asked"),
        ("tentatives", "attempts"),
        ("dernière erreur (en anglais)", "last error"),
    ];

    fn cells(&self, t: Say) -> [String; 7] {
        [
            cell(&self.endpoint),
            cell(&self.topic),
            cell(&self.subject),
            cell(&words::question_state(t, &self.state)),
            cell(&words::at_text(t, &self.asked_at)),
            self.attempts.to_string(),
            maybe(self.last_error.as_ref()),
        ]
    }
}

impl Listed<7> for PaidOut {
    const HEADS: [(&'static str, &'static str); 7] = [
        ("émetteur", "issuer"),
        ("relevé", "statement"),
        ("ligne", "line"),
        ("versé le", "paid on"),
        ("rapprochée par", "matched by"),
        ("montant (€)", "amount (€)"),
        ("commission (€)", "commission (€)"),
    ];

    fn cells(&self, t: Say) -> [String; 7] {
        [
            cell(&words::issuer(t, self.issuer)),
            cell(self.statement.as_str()),
            self.line.to_string(),
            day(t, Some(self.paid_on)),
            maybe(self.matched_by.as_ref().map(|by| words::matched_by(t, by))),
            amount(Some(self.amount)),
            amount(Some(self.commission)),
        ]
    }
}

impl Listed<8> for BookedLine {
    const HEADS: [(&'static str, &'static str); 8] = [
        ("écriture", "entry"),
        ("date", "date"),
        ("journal", "journal"),
        ("compte", "account"),
        ("libellé", "label"),
        ("lettrage", "letter"),
        ("débit (€)", "debit (€)"),
        ("crédit (€)", "credit (€)"),
    ];

    fn cells(&self, t: Say) -> [String; 8] {
        [
            cell(&self.number),
            day(t, Some(self.on)),
            cell(&self.journal),
            cell(&self.account),
            cell(&self.label),
            maybe(self.letter.as_ref()),
            amount(Some(self.debit)),
            amount(Some(self.credit)),
        ]
    }
}
