//! What must come of it: the rows of `acct_orders`, `acct_register` and `acct_tenders` and the discrepancies, from
//! what happened and was told. Nothing here knows how the program reconciles; where a PSP told the last thing that
//! happened to a part, that is where the part stands.

use cvco_domain::{Cents, Instrument, Mode, Psp, Timestamp};

use crate::episodes::Episode;
use crate::history::{Fate, Happened, History, Part};
use crate::places::Place;
use crate::registration::{Registered, Way};
use crate::telling::{Account, Name};

/// A row of `acct_orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub(crate) total: i64,
    pub(crate) currency: String,
    pub(crate) version: i64,
    pub(crate) paid: i64,
    pub(crate) paid_currency: Option<String>,
    pub(crate) state: String,
}

/// A row of `acct_register`, with its tenders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordRow {
    pub(crate) psp: String,
    pub(crate) call_number: String,
    pub(crate) endpoint: String,
    pub mode: String,
    pub(crate) currency: String,
    pub(crate) expected: Option<i64>,
    pub(crate) expected_from: Option<String>,
    pub(crate) voucher: i64,
    pub(crate) card: i64,
    pub(crate) paid: i64,
    pub(crate) refunded: i64,
    pub(crate) gap: Option<i64>,
    pub(crate) state: String,
    pub(crate) tenders: Vec<TenderRow>,
}

/// A row of `acct_tenders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TenderRow {
    pub(crate) id: Option<String>,
    pub(crate) instrument: String,
    pub(crate) brand: String,
    pub(crate) amount: i64,
    pub(crate) refunded: i64,
    pub(crate) state: String,
    /// By the PSP's clock: accepted, captured, last given back.
    pub(crate) times: [Option<String>; 3],
}

/// Nobody told when anything happened to it.
pub(crate) const UNDATED: [Option<String>; 3] = [None, None, None];

/// A discrepancy: its kind, and the call number of its record, if it is one record's.
pub(crate) type Discrepancy = (String, Option<String>);

/// The truth about one order.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    /// `None`: the shop never registers it.
    pub(crate) order: Option<OrderRow>,
    pub(crate) records: Vec<RecordRow>,
    /// Sorted.
    pub(crate) open: Vec<Discrepancy>,
    /// Sorted.
    pub(crate) closed: Vec<&'static str>,
    /// The endpoint's PSP owes an answer for good.
    pub(crate) unanswered: bool,
}

/// Where a record of several stands decides for the order, the first that applies.
const BY_WEIGHT: [&str; 7] =
    ["unbalanced", "part_refunded", "balanced", "unverified", "pending", "refunded", "failed"];

/// Discrepancies of an order as a whole. They are shown with its payment, where it has only one.
const OF_THE_ORDER: [&str; 4] = ["double_payment", "amount_short", "total_changed", "reference_collision"];

/// A record with one of these lacks a part, and does not add up whatever is expected of it.
const PART_MISSING: [&str; 3] = ["complement_missing", "complement_orphan", "voucher_orphan"];

impl Truth {
    pub(crate) fn of(
        episode: &Episode,
        history: &History,
        account: &Account,
        registered: &Registered,
    ) -> Self {
        let homes: Vec<usize> =
            (0..history.visits.len()).map(|visit| if episode.joined { 0 } else { visit }).collect();
        let known = Known { history, account, registered };
        let mut open: Vec<Discrepancy> = Vec::new();
        let mut unanswered = false;
        for kind in episode.open {
            match *kind {
                "unconfirmed" => unanswered = true,
                kind if OF_THE_ORDER.contains(&kind) => open.push((kind.to_owned(), None)),
                kind => open.push((kind.to_owned(), Some(account.calls[episode.visit].clone()))),
            }
        }
        let mut records: Vec<RecordRow> = (0..history.visits.len())
            .filter(|visit| homes[*visit] == *visit)
            .filter_map(|visit| {
                let parts: Vec<(&Part, &Name)> = history
                    .parts
                    .iter()
                    .zip(&account.names)
                    .filter(|(part, _)| homes[part.visit] == visit && known.last(part).is_some())
                    .collect();
                let amiss =
                    visit == episode.visit && episode.open.iter().any(|kind| PART_MISSING.contains(kind));
                (!parts.is_empty()).then(|| known.record(visit, &parts, amiss))
            })
            .collect();
        // What was left over when another attempt paid the order is too many as a whole, and so is a third half.
        let too_many = match (episode.in_halves, history.visits.len()) {
            (true, 3) => Some(2),
            (false, 2) if episode.open.contains(&"amount_over") => Some(episode.visit),
            _ => None,
        };
        let call = too_many.map(|visit| account.calls[visit].clone());
        for record in records.iter_mut().filter(|record| Some(&record.call_number) == call.as_ref()) {
            (record.expected, record.gap) = (Some(0), Some(record.paid));
            "unbalanced".clone_into(&mut record.state);
        }
        records.sort();
        let mut closed: Vec<&'static str> = episode.closed.to_vec();
        registered.add(&records, account.states_total, &mut open, &mut closed);
        let paid: Vec<&RecordRow> = records.iter().filter(|record| record.paid > 0).collect();
        if let [only] = paid.as_slice() {
            let of_the_order = open.iter_mut().filter(|(kind, _)| OF_THE_ORDER.contains(&kind.as_str()));
            of_the_order.for_each(|(_, call)| *call = Some(only.call_number.clone()));
        }
        open.sort();
        closed.sort_unstable();
        let counting = counting(&records, history.place);
        let is_charged_back = history.parts.iter().any(|part| part.charged_back);
        let order = registered.last().map(|(total, currency)| OrderRow {
            total: total.get(),
            currency: currency.to_owned(),
            version: i64::try_from(registered.versions.len()).expect("few"),
            paid: counting.iter().map(|record| record.paid).sum(),
            paid_currency: counting
                .iter()
                .filter(|record| record.paid > 0)
                .map(|record| record.currency.clone())
                .min(),
            state: state_of(&counting, &open, is_charged_back && currency == "EUR", total.get()),
        });
        Self { order, records, open, closed, unanswered }
    }
}

/// Trials count only where there is nothing else, and never at an endpoint for real money.
fn counting(records: &[RecordRow], place: Place) -> Vec<&RecordRow> {
    let mode = records.iter().map(|record| &record.mode).min();
    let is_play_money = |record: &RecordRow| record.mode == "test" && place.mode() == Mode::Production;
    records.iter().filter(|record| Some(&record.mode) == mode && !is_play_money(record)).collect()
}

/// What a bank took back is no refund: the customer owes it. Of an order that was paid, a payment that went back wholly is a part.
fn state_of(records: &[&RecordRow], open: &[Discrepancy], is_charged_back: bool, total: i64) -> String {
    let is_amiss = |kind: &str| matches!(kind, "double_payment" | "amount_over" | "amount_short");
    if is_charged_back || open.iter().any(|(kind, _)| is_amiss(kind)) {
        return "unbalanced".to_owned();
    }
    let stands = |state: &&str| records.iter().any(|record| record.state == *state);
    let kept: i64 =
        records.iter().filter(|record| record.state != "refunded").map(|record| record.paid).sum();
    match BY_WEIGHT.iter().copied().find(stands) {
        Some("balanced") if stands(&"refunded") && kept < total => "part_refunded".to_owned(),
        state => state.unwrap_or("unpaid").to_owned(),
    }
}

/// What is known of an order.
struct Known<'a> {
    history: &'a History,
    account: &'a Account,
    registered: &'a Registered,
}

impl Known<'_> {
    fn told<'p, T>(&self, part: &Part, happened: &'p [Happened<T>]) -> impl Iterator<Item = &'p Happened<T>> {
        // Who asks is told of everything, once anything of the payment was heard of.
        let asked = self.history.place == Place::WorldlineAsked
            && self.history.parts_of(part.visit).any(|part| !part.first_and_later().0.lost)
            && part.first_and_later().0.lost;
        happened.iter().filter(move |happened| asked || !happened.lost)
    }

    fn fates(&self, part: &Part) -> Vec<Happened<Fate>> {
        // Monext tells a cancellation and a capture by the transaction's history, but nothing without its session.
        self.told(part, &part.fates).filter(|told| !told.what.is_of_refund()).copied().collect()
    }

    /// The last thing told of a part.
    fn last(&self, part: &Part) -> Option<Fate> {
        let last = self.fates(part).last()?.what;
        Some(if self.is_play_money(part) { Fate::Refused } else { last })
    }

    /// At a real endpoint Up2pay's trial platform shows by the card's authorisation number, and is not counted.
    fn is_play_money(&self, part: &Part) -> bool {
        self.history.place == Place::Up2pay
            && self.shows_its_world(part)
            && self.history.platform == Mode::Test
    }

    fn shows_its_world(&self, part: &Part) -> bool {
        part.instrument == Instrument::Card
            && !part.misauthorised
            && self.fates(part).iter().any(|told| told.what == Fate::Authorised)
    }

    /// Euros say nothing of a total in another currency: the record holds them as they are, against the PSP's own total.
    fn is_paid_in_other_euros(&self) -> bool {
        let was_accepted = |part: &Part| {
            self.fates(part).iter().any(|told| is_accepted(told.what) || told.what == Fate::Captured)
        };
        self.registered.last().is_some_and(|(_, currency)| currency != "EUR")
            && self.history.parts.iter().any(was_accepted)
    }

    fn mode(&self, visit: usize) -> Mode {
        let place = self.history.place;
        let shown = match place.psp() {
            Psp::Sogecommerce => true,
            Psp::Up2pay => self.history.parts_of(visit).any(|part| self.shows_its_world(part)),
            Psp::Worldline | Psp::Monext | Psp::Ancv => false,
        };
        if shown { self.history.platform } else { place.mode() }
    }

    fn record(&self, visit: usize, parts: &[(&Part, &Name)], amiss: bool) -> RecordRow {
        let place = self.history.place;
        let is_foreign = self.is_paid_in_other_euros();
        let (expected, currency, expected_from) = match self.registered.last() {
            // Each payment is held against its own half.
            Some((_, currency)) if self.registered.way == Way::InHalves => {
                // As soon as all of it is paid, the order says what each payment was about; before, only its PSP does.
                match (self.history.visits.len() > 1, self.account.states_total) {
                    (true, _) => (Some(self.history.total), currency, Some("order")),
                    (false, true) => (Some(self.history.total), currency, Some("psp")),
                    (false, false) => {
                        (self.registered.last().map(|(total, _)| total), currency, Some("order"))
                    }
                }
            }
            Some((total, currency)) if !is_foreign => (Some(total), currency, Some("order")),
            _ if self.account.states_total => (Some(self.history.total), "EUR", Some("psp")),
            _ => (None, "EUR", None),
        };
        let paid = |instrument: Instrument| -> Cents {
            let of = parts.iter().filter(|(part, _)| part.instrument == instrument && currency == "EUR");
            of.filter(|(part, _)| self.last(part).is_some_and(is_accepted)).map(|(part, _)| part.amount).sum()
        };
        let (voucher, card) = (paid(Instrument::Voucher), paid(Instrument::Card));
        let mut tenders: Vec<TenderRow> = parts.iter().map(|(part, name)| self.tender(part, name)).collect();
        tenders.sort();
        let refunded: i64 = tenders.iter().map(|tender| tender.refunded).sum();
        let total = voucher.plus(card).get();
        let gap = expected.map(|expected| total - expected.get());
        let state = if refunded > 0 {
            if refunded >= total { "refunded" } else { "part_refunded" }
        } else if tenders.iter().any(|tender| tender.state == "pending") {
            "pending"
        } else if !parts.iter().any(|(part, _)| self.last(part).is_some_and(is_accepted)) {
            "failed"
        } else if amiss || is_foreign {
            "unbalanced"
        } else {
            let is_all_but_half = self.registered.way == Way::InHalves && self.history.visits.len() == 1;
            match gap {
                Some(0) if is_all_but_half => "part_paid",
                Some(0) => "balanced",
                Some(_) => "unbalanced",
                None => "unverified",
            }
        };
        RecordRow {
            psp: place.psp().to_string(),
            call_number: self.account.calls[visit].clone(),
            endpoint: place.endpoint().id.to_string(),
            mode: self.mode(visit).to_string(),
            currency: currency.to_owned(),
            expected: expected.map(Cents::get),
            expected_from: expected_from.map(str::to_owned),
            voucher: voucher.get(),
            card: card.get(),
            paid: total,
            refunded,
            gap,
            state: state.to_owned(),
            tenders,
        }
    }

    fn tender(&self, part: &Part, name: &Name) -> TenderRow {
        let fates = self.fates(part);
        let last = self.last(part).expect("something was told of it");
        let backs: Vec<&Happened<Cents>> = self.told(part, &part.backs).collect();
        let refunded: Cents = backs.iter().map(|back| back.what).sum();
        let state = match last {
            _ if refunded >= part.amount => "refunded",
            _ if refunded.is_positive() => "part_refunded",
            // A code of no table is a refusal at Up2pay, and undecided at Sogecommerce.
            Fate::Odd if self.history.place.psp() == Psp::Up2pay => "refused",
            Fate::Odd | Fate::Pending => "pending",
            Fate::Refused => "refused",
            Fate::Authorised | Fate::Accepted => "authorised",
            Fate::Captured | Fate::KeepsAll | Fate::AsksBack => "captured",
            Fate::Abandoned => "abandoned",
            Fate::Cancelled => "cancelled",
            Fate::Lapsed => "expired",
        };
        TenderRow {
            id: name.id.clone(),
            instrument: part.instrument.to_string(),
            brand: name.brand.clone(),
            amount: part.amount.get(),
            refunded: refunded.get(),
            state: state.to_owned(),
            times: if self.is_play_money(part)
                || part.first_and_later().0.lost && self.history.place == Place::WorldlineAsked
            {
                UNDATED
            } else {
                self.times(part, &fates, &backs)
            },
        }
    }

    fn times(
        &self,
        part: &Part,
        fates: &[Happened<Fate>],
        backs: &[&Happened<Cents>],
    ) -> [Option<String>; 3] {
        // Every message of Sogecommerce is dated like the payment; what came later counts from when it was heard of.
        let dated = |at: Timestamp| match self.history.place.psp() {
            Psp::Sogecommerce => at.max(self.history.visits[part.visit]),
            Psp::Up2pay => part.first_and_later().0.at,
            Psp::Worldline | Psp::Monext | Psp::Ancv => at,
        };
        let first = |wanted: fn(Fate) -> bool| {
            fates.iter().filter(|told| wanted(told.what)).map(|told| dated(told.at)).min()
        };
        let accepted = match self.history.place.psp() {
            Psp::Sogecommerce => first(is_accepted).map(|_| self.history.visits[part.visit]),
            Psp::Up2pay | Psp::Worldline | Psp::Monext | Psp::Ancv => first(is_accepted),
        };
        let captured = first(|fate| fate == Fate::Captured);
        let given_back = backs.iter().map(|back| back.at).max();
        [accepted, captured, given_back].map(|at| at.map(|at| at.to_string()))
    }
}

const fn is_accepted(fate: Fate) -> bool {
    matches!(fate, Fate::Authorised | Fate::Captured | Fate::Accepted)
}
