//! Orders and their payments: a list that can be searched, filtered, sorted and taken away.

use askama::Template;
use cvco_domain::{Cents, Currency, Day, Mode, OrderKey, Psp, RecordState, ShopId};
use cvco_ledger::{COUNTED, OrderRow, OrderStanding, PaymentCount, PaymentSort, PaymentSum};

use crate::frame::Frame;
use crate::mark::Mark;
use crate::say::Lent;
use crate::widths::Scale;
use crate::{Say, address, cut, order_address, outside, words};

/// What was chosen, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// What was searched for.
    pub q: String,
    /// A shop.
    pub shop: Option<ShopId>,
    /// A provider.
    pub psp: Option<Psp>,
    /// How it stands.
    pub state: Option<OrderStanding>,
    /// Real payments or trials.
    pub mode: Option<Mode>,
    /// Only with open discrepancies.
    pub open: bool,
    /// From a day on.
    pub from: Option<Day>,
    /// To a day.
    pub to: Option<Day>,
    /// By what it is sorted.
    pub sort: PaymentSort,
    /// The earliest, or the smallest, first.
    pub ascending: bool,
}

impl Chosen {
    /// The address of a list of these, with more of it.
    #[must_use]
    pub fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let (from, to) = (self.from.map(|day| day.to_string()), self.to.map(|day| day.to_string()));
        let is_usual = self.sort == PaymentSort::default() && !self.ascending;
        let mut query = vec![
            ("q", self.q.as_str()),
            ("shop", self.shop.as_ref().map_or("", ShopId::as_str)),
            ("psp", self.psp.map_or("", Psp::as_str)),
            ("state", self.state.map_or("", OrderStanding::as_str)),
            ("mode", self.mode.map_or("", Mode::as_str)),
            ("open", if self.open { "1" } else { "" }),
            ("from", from.as_deref().unwrap_or_default()),
            ("to", to.as_deref().unwrap_or_default()),
            ("sort", if is_usual { "" } else { self.sort.as_str() }),
            ("dir", if self.ascending { "asc" } else { "" }),
        ];
        query.extend_from_slice(more);
        address(path, &query)
    }

    /// Whether anything is chosen but the order.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        let Self { q, shop, psp, state, mode, open, from, to, .. } = self;
        !q.is_empty()
            || shop.is_some()
            || psp.is_some()
            || state.is_some()
            || mode.is_some()
            || *open
            || from.is_some()
            || to.is_some()
    }
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "orders.html")]
pub struct Orders {
    /// What is around it.
    pub frame: Frame,
    /// What was chosen.
    pub chosen: Chosen,
    /// A piece of it.
    pub rows: Vec<OrderRow>,
    /// How many there are, and what they come to.
    pub count: PaymentCount,
    /// What leads to the next piece: a name and a value of the address.
    pub next: Option<(String, String)>,
    /// Whether this is the first piece.
    pub is_first: bool,
    /// It was to be sorted, and there are too many.
    pub is_unsorted: bool,
    /// More orders fit the search than are looked at.
    pub is_cut: bool,
}

/// Who collected a payment, and its number there.
struct PaymentName {
    psp: Psp,
    call: String,
}

/// A state that can be chosen.
struct Choice {
    word: &'static str,
    name: &'static str,
    is_chosen: bool,
}

/// The head of a column.
struct Column {
    name: String,
    sort: PaymentSort,
}

/// The two bars of a payment against what was expected.
struct Bars {
    voucher: i64,
    card: i64,
    missing: i64,
    mark: Option<i64>,
    title: String,
}

/// The width of a bar, and of the narrowest piece that is seen in it.
const FULL: i64 = 1000;
const LEAST: i64 = 35;

impl Orders {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn key(row: &OrderRow) -> OrderKey {
        key(row)
    }

    fn link(row: &OrderRow) -> String {
        order_address("/order", &Self::key(row))
    }

    fn name(&self, row: &OrderRow) -> String {
        match row.reference() {
            Some(reference) => cut(&outside(reference.as_str()), 60),
            None => self.t().say("sans référence", "no reference"),
        }
    }

    /// Who collected it, and what ties its parts together.
    fn payment(row: &OrderRow) -> Option<PaymentName> {
        match row {
            OrderRow::Payment(payment) => {
                Some(PaymentName { psp: payment.psp, call: cut(&outside(payment.call_number.as_str()), 40) })
            }
            OrderRow::Awaited(_) => None,
        }
    }

    fn mark(row: &OrderRow) -> Mark {
        match row {
            OrderRow::Payment(payment) => Mark::of_record(payment.state),
            OrderRow::Awaited(_) => Mark::Waiting,
        }
    }

    fn row_state(&self, row: &OrderRow) -> &'static str {
        words::stands(self.t(), row)
    }

    fn states(&self) -> Vec<Choice> {
        let choice = |standing: OrderStanding| Choice {
            word: standing.as_str(),
            name: words::standing(self.t(), standing),
            is_chosen: self.chosen.state == Some(standing),
        };
        OrderStanding::all().map(choice).collect()
    }

    fn is_test(row: &OrderRow) -> bool {
        matches!(row, OrderRow::Payment(payment) if payment.mode == Mode::Test)
    }

    /// The currency of all rows, if they have but one.
    fn currency(&self) -> Option<Currency> {
        let mut all = self.rows.iter().map(OrderRow::currency);
        let first = all.next().unwrap_or(Currency::EUR);
        all.all(|currency| currency == first).then_some(first)
    }

    fn unit(&self) -> String {
        match self.currency() {
            Some(currency) if currency == Currency::EUR => "\u{a0}(€)".to_owned(),
            Some(currency) => format!("\u{a0}({})", currency.as_str()),
            None => String::new(),
        }
    }

    fn amount(&self, cents: impl Lent<Cents>, row: &OrderRow) -> String {
        match self.currency() {
            Some(_) => self.t().figure(cents),
            None => self.t().money(cents, row.currency()),
        }
    }

    fn expected(&self, row: &OrderRow) -> String {
        row.expected().map_or_else(|| "—".to_owned(), |cents| self.amount(cents, row))
    }

    fn gap(&self, row: &OrderRow) -> String {
        match row.gap() {
            None => "—".to_owned(),
            Some(gap) => self.t().difference(gap),
        }
    }

    fn is_wrong(row: &OrderRow) -> bool {
        matches!(row, OrderRow::Payment(payment) if payment.state == RecordState::Unbalanced)
    }

    fn columns(&self) -> Vec<Column> {
        let t = self.t();
        let column = |name, sort| Column { name, sort };
        vec![
            column(t.say("Commande", "Order"), PaymentSort::Reference),
            column(t.say("Reçu le", "Received"), PaymentSort::Time),
            column(t.say("Payé", "Paid") + &self.unit(), PaymentSort::Paid),
            column(t.say("Écart", "Gap") + &self.unit(), PaymentSort::Gap),
        ]
    }

    fn column(&self, place: usize) -> Column {
        let mut columns = self.columns();
        columns.swap_remove(place.min(columns.len().saturating_sub(1)))
    }

    fn sort_link(&self, sort: impl Lent<PaymentSort>) -> String {
        let sort = sort.lent();
        let is_same = self.chosen.sort == sort;
        let ascending = if is_same { !self.chosen.ascending } else { sort == PaymentSort::Reference };
        Chosen { sort, ascending, ..self.chosen.clone() }.address("/orders", &[])
    }

    fn sorted(&self, sort: impl Lent<PaymentSort>) -> &'static str {
        match (self.chosen.sort == sort.lent() && !self.is_unsorted, self.chosen.ascending) {
            (false, _) => "none",
            (true, true) => "ascending",
            (true, false) => "descending",
        }
    }

    fn next_link(&self) -> Option<String> {
        self.next.as_ref().map(|(name, value)| self.chosen.address("/orders", &[(name, value)]))
    }

    fn first_link(&self) -> String {
        self.chosen.address("/orders", &[])
    }

    fn csv_link(&self) -> String {
        self.chosen.address("/orders.csv", &[])
    }

    fn is_psp(&self, psp: impl Lent<Psp>) -> bool {
        self.chosen.psp == Some(psp.lent())
    }

    fn is_shop(&self, shop: &ShopId) -> bool {
        self.chosen.shop.as_ref() == Some(shop)
    }

    fn from(&self) -> String {
        self.chosen.from.map(|day| day.to_string()).unwrap_or_default()
    }

    fn to(&self) -> String {
        self.chosen.to.map(|day| day.to_string()).unwrap_or_default()
    }

    fn how_many(&self) -> String {
        let (t, count) = (self.t(), &self.count);
        let awaited = t.count(
            i64::from(count.awaited),
            "commande sans paiement",
            "commandes sans paiement",
            "order without a payment",
            "orders without a payment",
        );
        let payments = i64::from(count.counted.saturating_sub(count.awaited));
        let payments = t.count(payments, "paiement", "paiements", "payment", "payments");
        match (count.awaited, count.counted == count.awaited) {
            _ if count.more => {
                let lines = t.count(i64::from(count.counted), "ligne", "lignes", "row", "rows");
                t.say(&format!("plus de {lines}"), &format!("more than {lines}"))
            }
            (0, _) => payments,
            (_, true) => awaited,
            (_, false) => format!("{payments}, {awaited}"),
        }
    }

    fn limit(&self) -> String {
        self.t().number(i64::from(COUNTED))
    }

    fn bars(&self, row: &OrderRow) -> Bars {
        let t = self.t();
        let (voucher, card) = (row.voucher(), row.card());
        let expected = row.expected().unwrap_or_default();
        let (whole, paid) = (expected.max(voucher.plus(card)), voucher.plus(card));
        let scale = Scale { whole, full: FULL, least: LEAST };
        let widths = scale.widths(&[voucher, card, expected.minus(paid)]);
        let width = |place: usize| widths.get(place).copied().unwrap_or_default();
        let mark = row.expected().map(|expected| scale.at(expected));
        let money = |cents| t.money(cents, row.currency());
        let mut title = format!(
            "{} {}, {} {}",
            t.say("titres", "vouchers"),
            money(row.voucher()),
            t.say("carte", "card"),
            money(row.card())
        );
        if let Some(expected) = row.expected() {
            title = format!("{title}, {} {}", t.say("attendu", "expected"), money(expected));
        }
        Bars {
            voucher: width(0),
            card: width(1),
            missing: width(2),
            mark: mark.filter(|mark| *mark < FULL),
            title,
        }
    }

    fn sums(&self) -> Vec<&PaymentSum> {
        self.count.sums.iter().collect()
    }
}

/// Which order a row is about.
fn key(row: &OrderRow) -> OrderKey {
    match row {
        OrderRow::Payment(payment) => match &payment.reference {
            Some(reference) => OrderKey::Reference(payment.shop.clone(), reference.clone()),
            None => OrderKey::Call(payment.shop.clone(), payment.psp, payment.call_number.clone()),
        },
        OrderRow::Awaited(order) => OrderKey::Reference(order.shop.clone(), order.reference.clone()),
    }
}
