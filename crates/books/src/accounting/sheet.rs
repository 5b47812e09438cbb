//! What one order, or one statement, brings into the books on one day; and how that becomes an entry.

use std::collections::BTreeMap;
use std::str::FromStr;

use cvco_domain::{
    Booking, Brand, CallNumber, Cents, Contract, Day, Issuer, OrderRef, Psp, ShopId, StatementNumber,
    TenderId, UnknownWord,
};

use super::{Account, Books, JournalEntry, JournalRole, Leg, Line, Role, Source, plain};

/// The postings of one day, of one order or one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Whose they are.
    pub shop: ShopId,
    /// What they are about.
    pub topic: Topic,
    /// The day on which it happened, in Paris.
    pub day: Day,
    /// What happened.
    pub movement: Movement,
    /// They come to nothing together.
    pub postings: Vec<Posting>,
}

/// What a sheet is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// An order, or a payment without one.
    Order(Option<OrderRef>),
    /// A statement.
    Statement(Issuer, StatementNumber),
}

/// What brought money into movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Movement {
    /// A customer paid.
    Receipt,
    /// A customer was given something back.
    Refund,
    /// A card's bank took something back.
    Chargeback,
    /// What was received was cancelled.
    Cancellation,
    /// ANCV or the bank paid out.
    Payout,
}

impl Movement {
    /// Every movement.
    pub const ALL: [Self; 5] =
        [Self::Receipt, Self::Refund, Self::Chargeback, Self::Cancellation, Self::Payout];

    /// The name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Cancellation => "cancellation",
            Self::Payout => "payout",
        }
    }

    /// Whether money went back to a customer.
    #[must_use]
    pub const fn is_back(self) -> bool {
        matches!(self, Self::Refund | Self::Chargeback | Self::Cancellation)
    }

    /// How the label of an entry begins.
    const fn word(self) -> &'static str {
        match self {
            Self::Receipt | Self::Payout => "",
            Self::Refund => "remboursement ",
            Self::Chargeback => "impaye ",
            Self::Cancellation => "annulation ",
        }
    }
}

impl FromStr for Movement {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "receipt, refund, chargeback, cancellation, payout"))
    }
}

/// One amount on one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// What it stands for.
    pub leg: Leg,
    /// The part of a payment that it comes from.
    pub part: Option<Part>,
    /// Where it is booked.
    pub account: Account,
    /// In cents; a debit is positive.
    pub amount: Cents,
}

/// A part of a payment, or the payment as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The order, where the payment names one.
    pub order_ref: Option<OrderRef>,
    /// The provider.
    pub psp: Psp,
    /// The payment.
    pub call_number: CallNumber,
    /// The transaction, and the brand; of a payment as a whole neither.
    pub tender: Option<(Option<TenderId>, Brand)>,
    /// The contract that settles it.
    pub contract: Option<Contract>,
}

/// What makes two postings the same one, booked and as it should be now. A contract may be learned of later, and the
/// account may be another one by then.
type Key<'p> =
    (Leg, Option<(Option<&'p OrderRef>, Psp, &'p CallNumber, Option<&'p (Option<TenderId>, Brand)>)>);

/// What two postings have in common that are about one means of payment in one payment.
type Means<'p> = (Leg, Option<(Option<&'p OrderRef>, Psp, &'p CallNumber, Option<&'p Brand>)>);

impl Posting {
    fn means(&self) -> Means<'_> {
        let (leg, part) = self.key();
        (leg, part.map(|(order, psp, call, tender)| (order, psp, call, tender.map(|(_, brand)| brand))))
    }

    fn key(&self) -> Key<'_> {
        let part = self.part.as_ref();
        (
            self.leg,
            part.map(|part| (part.order_ref.as_ref(), part.psp, &part.call_number, part.tender.as_ref())),
        )
    }

    fn into_line(self) -> Line {
        let source = self.part.map(|part| Source {
            psp: part.psp,
            order_ref: part.order_ref,
            call_number: part.call_number,
            contract: part.contract,
        });
        Line { account: self.account, amount: self.amount, letter: None, leg: self.leg, source }
    }
}

/// A part of an order that moved on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub part: Part,
    /// Who owes it.
    pub issuer: Issuer,
    /// In cents, positive.
    pub amount: Cents,
}

/// A line of a statement, as the books need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOut {
    /// The part that it pays out; `None` where that is not known.
    pub part: Option<Part>,
    /// In cents; negative for what is taken back.
    pub amount: Cents,
    /// What the issuer keeps of it, in cents.
    pub commission: Cents,
}

impl Sheet {
    /// What customers of an order paid, or were given back, on a day. `missing` is what the order's total exceeds its
    /// payments by; it is booked on the last day on which something was paid.
    #[must_use]
    pub fn of_order(
        (shop, order_ref): (&ShopId, Option<&OrderRef>),
        (day, movement): (Day, Movement),
        moved: Vec<Moved>,
        missing: Cents,
        books: &Books,
    ) -> Self {
        let sign = |amount: Cents| if movement.is_back() { Cents::ZERO.minus(amount) } else { amount };
        let whole = moved.first().map(|moved| Part { tender: None, contract: None, ..moved.part.clone() });
        let account =
            |role, part: Option<&Part>, issuer| books.chart.account(role, booking(shop, part, issuer));
        let mut postings: Vec<Posting> = moved
            .into_iter()
            .map(|moved| {
                let account = account(receivable(moved.issuer), Some(&moved.part), Some(moved.issuer));
                let leg = Leg::of(moved.issuer);
                Posting { leg, amount: sign(moved.amount), account, part: Some(moved.part) }
            })
            .collect();
        if books.suspense && missing != Cents::ZERO {
            let account = account(Role::Suspense, whole.as_ref(), None);
            postings.push(Posting { leg: Leg::Suspense, part: whole.clone(), account, amount: missing });
        }
        let owed: Cents = postings.iter().map(|posting| posting.amount).sum();
        let account = account(Role::Customer, whole.as_ref(), None);
        let customer = Posting { leg: Leg::Customer, part: whole, account, amount: Cents::ZERO.minus(owed) };
        // What is debited stands first, as accountants write it.
        let place = if movement.is_back() { 0 } else { postings.len() };
        postings.insert(place, customer);
        Self { shop: shop.clone(), topic: Topic::Order(order_ref.cloned()), day, movement, postings }
    }

    /// What a statement paid out. Lines of which nobody knows what they pay are booked only with [`Books::suspense`].
    #[must_use]
    pub fn of_statement(
        shop: &ShopId,
        (issuer, number): (Issuer, &StatementNumber),
        paid_on: Day,
        lines: Vec<PaidOut>,
        books: &Books,
    ) -> Self {
        let (leg, role) = (Leg::of(issuer), receivable(issuer));
        let commission_role = match issuer {
            Issuer::Ancv => Role::CommissionAncv,
            Issuer::Bank => Role::CommissionCard,
            Issuer::Other(_) => Role::CommissionOther,
        };
        let account =
            |role, part: Option<&Part>| books.chart.account(role, booking(shop, part, Some(issuer)));
        let plain_posting =
            |leg, role, amount| Posting { leg, part: None, account: account(role, None), amount };
        let booked: Vec<PaidOut> =
            lines.into_iter().filter(|line| books.suspense || line.part.is_some()).collect();
        let commission: Cents = booked.iter().map(|line| line.commission).sum();
        let gross: Cents = booked.iter().map(|line| line.amount).sum();
        let vat = vat_within(commission, books.vat_on_commission);
        let mut postings = vec![
            plain_posting(Leg::Bank, Role::Bank, gross.minus(commission)),
            plain_posting(Leg::Commission, commission_role, commission.minus(vat)),
            plain_posting(Leg::Vat, Role::Vat, vat),
        ];
        postings.extend(booked.into_iter().map(|line| {
            let (leg, role) = if line.part.is_some() { (leg, role) } else { (Leg::Suspense, Role::Suspense) };
            let account = account(role, line.part.as_ref());
            Posting { leg, account, part: line.part, amount: Cents::ZERO.minus(line.amount) }
        }));
        let topic = Topic::Statement(issuer, number.clone());
        Self { shop: shop.clone(), topic, day: paid_on, movement: Movement::Payout, postings }.without_zeros()
    }

    fn without_zeros(mut self) -> Self {
        self.postings.retain(|posting| posting.amount != Cents::ZERO);
        self
    }

    /// Nothing is to be booked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.postings.iter().all(|posting| posting.amount == Cents::ZERO)
    }

    /// The same on the accounts on which its parts were booked when they were received: whoever names another account since
    /// has moved nothing of what stands on the old one.
    #[must_use]
    pub fn on_accounts_of(mut self, received: &[Posting]) -> Self {
        let accounts: BTreeMap<Key<'_>, &Account> =
            received.iter().rev().map(|posting| (posting.key(), &posting.account)).collect();
        // A capture may bear another transaction number than what was accepted.
        let means: BTreeMap<Means<'_>, &Account> =
            received.iter().rev().map(|posting| (posting.means(), &posting.account)).collect();
        for posting in &mut self.postings {
            let account = accounts.get(&posting.key()).or_else(|| means.get(&posting.means())).copied();
            if let Some(account) = account {
                posting.account.clone_from(account);
            }
        }
        self
    }

    /// What is left to be booked of this sheet where `booked` was booked before. What stays booked stays on its account.
    #[must_use]
    pub fn less(self, booked: &[Posting]) -> Self {
        let mut due: BTreeMap<Key<'_>, Posting> = BTreeMap::new();
        for posting in &self.postings {
            due.entry(posting.key())
                .and_modify(|due| due.amount = due.amount.plus(posting.amount))
                .or_insert_with(|| posting.clone());
        }
        for posting in booked {
            let back = Cents::ZERO.minus(posting.amount);
            due.entry(posting.key())
                .and_modify(|due| {
                    due.amount = due.amount.plus(back);
                    due.account.clone_from(&posting.account);
                })
                .or_insert_with(|| Posting { amount: back, ..posting.clone() });
        }
        let mut postings: Vec<Posting> = due.into_values().collect();
        postings.sort_by_key(|posting| posting.amount < Cents::ZERO);
        Self { postings, ..self }.without_zeros()
    }

    /// The sheets of the entries that it is booked as: one; or, paired, one for each part of an order. Where all that was paid
    /// was too much, the customer has no line.
    #[must_use]
    pub fn entries(self, books: &Books) -> Vec<Self> {
        let parts =
            |sheet: &Self| sheet.postings.iter().filter(|posting| posting.leg != Leg::Customer).count();
        let customers: Vec<Posting> =
            self.postings.iter().filter(|posting| posting.leg == Leg::Customer).cloned().collect();
        let [customer] = customers.as_slice() else { return vec![self.without_zeros()] };
        if !books.paired || parts(&self) < 2 {
            return vec![self.without_zeros()];
        }
        let of_part = |posting: &Posting| Self {
            shop: self.shop.clone(),
            topic: self.topic.clone(),
            day: self.day,
            movement: self.movement,
            postings: vec![
                posting.clone(),
                Posting { amount: Cents::ZERO.minus(posting.amount), ..customer.clone() },
            ],
        };
        self.postings.iter().filter(|posting| posting.leg != Leg::Customer).map(of_part).collect()
    }

    /// The journal in which it is booked.
    #[must_use]
    pub const fn journal(&self, corrects: bool) -> JournalRole {
        match self.movement {
            _ if corrects => JournalRole::Corrections,
            Movement::Receipt | Movement::Refund | Movement::Chargeback | Movement::Cancellation => {
                JournalRole::Receipts
            }
            Movement::Payout => JournalRole::Bank,
        }
    }

    /// The entry. `date` is the sheet's day, or the first of the period where that day's is closed; `corrects` the entry
    /// of the closed period that it puts right.
    #[must_use]
    pub fn entry(
        self,
        date: Day,
        number: String,
        validated_on: Option<Day>,
        corrects: Option<&str>,
        books: &Books,
    ) -> JournalEntry {
        let label = self.label(date, corrects);
        let piece = match &self.topic {
            Topic::Order(Some(reference)) => reference.as_str(),
            Topic::Order(None) => self.calls().first().map_or("", |call| call.as_str()),
            Topic::Statement(_, number) => number.as_str(),
        };
        JournalEntry {
            journal: books.chart.journal(self.journal(corrects.is_some()), &self.shop),
            number,
            date,
            piece: never_empty(plain(piece)),
            piece_date: self.day,
            label,
            validated_on,
            lines: self.postings.into_iter().map(Posting::into_line).collect(),
            shop: self.shop,
        }
    }

    fn calls(&self) -> Vec<&CallNumber> {
        let mut calls: Vec<_> =
            self.postings.iter().filter_map(|p| p.part.as_ref()).map(|p| &p.call_number).collect();
        calls.sort_unstable();
        calls.dedup();
        calls
    }

    fn label(&self, date: Day, corrects: Option<&str>) -> String {
        let late = match corrects {
            Some(number) => format!(" correction de {number} du {}", self.day),
            None if date != self.day => format!(" du {}", self.day),
            None => String::new(),
        };
        let text = match &self.topic {
            Topic::Statement(Issuer::Ancv, number) => format!("Remboursement ANCV releve {number}{late}"),
            Topic::Statement(Issuer::Bank, number) => format!("Remise CB {number}{late}"),
            Topic::Statement(issuer @ Issuer::Other(_), number) => {
                format!("Remboursement {issuer} releve {number}{late}")
            }
            Topic::Order(reference) => {
                let has = |leg: Leg| self.postings.iter().any(|posting| posting.leg == leg);
                let words = [(Leg::Voucher, "CVCo"), (Leg::OtherVoucher, "titres"), (Leg::Card, "CB")];
                let words: Vec<&str> =
                    words.into_iter().filter(|(leg, _)| has(*leg)).map(|(_, word)| word).collect();
                let what = if words.is_empty() { String::new() } else { format!("{} ", words.join("+")) };
                let back = self.movement.word();
                let calls: Vec<&str> = self.calls().into_iter().map(CallNumber::as_str).collect();
                let reference =
                    reference.as_ref().map(|reference| format!("{reference} ")).unwrap_or_default();
                format!("{reference}{back}{what}appel {}{late}", calls.join(", "))
            }
        };
        plain(&text)
    }
}

/// The account on which waits what an issuer owes.
const fn receivable(issuer: Issuer) -> Role {
    match issuer {
        Issuer::Ancv => Role::Voucher,
        Issuer::Bank => Role::Card,
        Issuer::Other(_) => Role::OtherVoucher,
    }
}

fn booking<'b>(shop: &'b ShopId, part: Option<&'b Part>, issuer: Option<Issuer>) -> Booking<'b> {
    Booking {
        shop,
        psp: part.map(|part| part.psp),
        contract: part.and_then(|part| part.contract.as_ref()),
        issuer,
    }
}

/// A piece is never empty: a reference of nothing but what ASCII lacks keeps a mark.
fn never_empty(piece: String) -> String {
    if piece.is_empty() { "-".to_owned() } else { piece }
}

/// The tax that an amount contains, at so many hundredths of a percent of the amount without it.
fn vat_within(amount: Cents, rate: u32) -> Cents {
    let (amount, rate) = (i128::from(amount.get()), i128::from(rate));
    let whole = 10_000 + rate;
    let doubled = amount * rate * 2;
    let rounded = (doubled + if doubled < 0 { -whole } else { whole }) / (2 * whole);
    Cents::new(i64::try_from(rounded).unwrap_or(0))
}

#[cfg(test)]
mod tests;
