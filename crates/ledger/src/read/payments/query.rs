//! The queries of the list. Payments and orders without any lie in two tables, each with an index by time; a piece of both is
//! merged from them as it is read.

use cvco_domain::Timestamp;
use rusqlite::ToSql;

use super::{COUNTED, OrderStanding, PaymentFilter, Piece, Place};

const OF_PAYMENTS: &str = "FROM records r CROSS JOIN orders o ON o.order_id = r.order_id";
/// An order without payments counts with what was registered last.
const OF_AWAITED: &str = "FROM orders o CROSS JOIN order_versions v ON v.order_id = o.order_id
        AND v.version = (SELECT MAX(w.version) FROM order_versions w WHERE w.order_id = o.order_id)";

const ABOUT_PAYMENT: &str = "d.order_id = r.order_id AND d.closed_at IS NULL
        AND (d.call_number IS NULL OR (d.psp = r.psp AND d.call_number = r.call_number))";
const ABOUT_ORDER: &str = "d.order_id = o.order_id AND d.closed_at IS NULL";

const PAYMENT: &str = "r.first_seen_at AS at, r.order_id AS order_id, r.psp AS psp, r.call_number AS call_number,
        r.mode AS mode, r.currency AS currency, r.expected_cents AS expected_cents, r.voucher_cents AS voucher_cents,
        r.card_cents AS card_cents, r.paid_cents AS paid_cents, r.refunded_cents AS refunded_cents,
        r.paid_cents - r.expected_cents AS gap_cents";
const AWAITED: &str = "o.awaited_since AS at, o.order_id AS order_id, NULL AS psp, NULL AS call_number,
        NULL AS mode, v.currency AS currency, v.total_cents AS expected_cents, 0 AS voucher_cents,
        0 AS card_cents, 0 AS paid_cents, 0 AS refunded_cents, -v.total_cents AS gap_cents";

/// A query and its values.
#[derive(Default)]
pub(super) struct Query {
    pub(super) sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Query {
    pub(super) fn values(&self) -> Vec<&dyn ToSql> {
        self.values.iter().map(AsRef::as_ref).collect()
    }
}

/// One of the two tables.
#[derive(Clone, Copy)]
enum Of {
    Payments,
    Awaited,
}

impl Of {
    /// The columns by which rows are chosen, each of the table that has an index for it.
    const fn columns(self) -> Columns {
        match self {
            Self::Payments => Columns { at: "r.first_seen_at", order: "r.order_id" },
            Self::Awaited => Columns { at: "o.awaited_since", order: "o.order_id" },
        }
    }

    fn select(self, with_details: bool) -> String {
        let (columns, from) = match self {
            Self::Payments => (PAYMENT, OF_PAYMENTS),
            Self::Awaited => (AWAITED, OF_AWAITED),
        };
        let details = if with_details { self.details() } else { String::new() };
        format!("SELECT {columns}{details} {from}")
    }

    /// What is read of those rows alone that are shown.
    fn details(self) -> String {
        let (columns, about) = match self {
            Self::Payments => (
                "r.endpoint AS endpoint, r.taken_back_cents AS taken_back_cents, r.state AS state",
                ABOUT_PAYMENT,
            ),
            Self::Awaited => ("NULL AS endpoint, NULL AS taken_back_cents, NULL AS state", ABOUT_ORDER),
        };
        format!(
            ", {columns}, o.shop AS shop, o.reference AS reference,
             (SELECT COUNT(*) FROM discrepancies d WHERE {about}) AS open,
             (SELECT MIN(CASE d.severity WHEN 'urgent' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END)
                FROM discrepancies d WHERE {about}) AS rank"
        )
    }
}

struct Columns {
    at: &'static str,
    order: &'static str,
}

/// Conditions, and their values.
struct Conditions {
    texts: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// What a filter says of whatever it is about.
    fn of(filter: &PaymentFilter, table: Of) -> Self {
        let Columns { at, order } = table.columns();
        let mut all = Self { texts: vec!["TRUE".to_owned()], values: Vec::new() };
        if let Some(found) = &filter.found {
            all.add(&format!("{order} IN (SELECT value FROM json_each(?))"), found.as_json());
        }
        if filter.open {
            all.texts.push(format!(
                "{order} IN (SELECT order_id FROM discrepancies WHERE closed_at IS NULL AND order_id IS NOT NULL)"
            ));
        }
        if let Some(shop) = &filter.shop {
            all.add("o.shop = ?", shop.as_str().to_owned());
        }
        if let Some(from) = filter.from {
            all.add(&format!("{at} >= ?"), from);
        }
        if let Some(until) = filter.until {
            all.add(&format!("{at} < ?"), until);
        }
        all
    }

    /// Those of payments; `None` where no payment can fit.
    fn of_payments(filter: &PaymentFilter) -> Option<Self> {
        let mut all = Self::of(filter, Of::Payments);
        match filter.standing {
            Some(OrderStanding::Awaited) => return None,
            Some(OrderStanding::Payment(state)) => all.add("r.state = ?", state.as_str()),
            None => {}
        }
        if let Some(psp) = filter.psp {
            all.add("r.psp = ?", psp.as_str());
        }
        if let Some(mode) = filter.mode {
            all.add("r.mode = ?", mode.as_str());
        }
        Some(all)
    }

    /// Those of orders without payments; `None` where none can fit.
    fn of_awaited(filter: &PaymentFilter) -> Option<Self> {
        let is_of_payment = matches!(filter.standing, Some(OrderStanding::Payment(_)));
        if is_of_payment || filter.psp.is_some() || filter.mode.is_some() {
            return None;
        }
        let mut all = Self::of(filter, Of::Awaited);
        all.texts.push("o.awaited_since IS NOT NULL".to_owned());
        Some(all)
    }

    fn add(&mut self, text: &str, value: impl ToSql + 'static) {
        self.texts.push(text.to_owned());
        self.values.push(Box::new(value));
    }

    fn text(&self) -> String {
        self.texts.join(" AND ")
    }
}

/// Which way a list runs, and after which place.
struct Cursor<'p> {
    place: Option<&'p Place>,
    sign: &'static str,
}

impl Cursor<'_> {
    fn limit_payments(&self, conditions: &mut Conditions) {
        let Some(Place { at, order, payment }) = self.place else { return };
        conditions
            .texts
            .push(format!("(r.first_seen_at, r.order_id, r.psp, r.call_number) {} (?, ?, ?, ?)", self.sign));
        let name = payment.as_ref();
        // An order without payments comes before any payment of it that there may be meanwhile.
        let psp = name.map_or("", |payment| payment.psp.as_str());
        let call = name.map_or(String::new(), |payment| payment.call_number.to_string());
        conditions.values.extend(at_and_order(*at, *order));
        conditions.values.push(Box::new(psp));
        conditions.values.push(Box::new(call));
    }

    fn limit_awaited(&self, conditions: &mut Conditions) {
        let Some(Place { at, order, .. }) = self.place else { return };
        conditions.texts.push(format!("(o.awaited_since, o.order_id) {} (?, ?)", self.sign));
        conditions.values.extend(at_and_order(*at, *order));
    }
}

fn at_and_order(at: Timestamp, order: i64) -> [Box<dyn ToSql>; 2] {
    [Box::new(at), Box::new(order)]
}

/// Payments and orders without any, one after the other.
fn both(filter: &PaymentFilter, cursor: &Cursor<'_>, with_details: bool) -> Query {
    let payments = Conditions::of_payments(filter).map(|mut conditions| {
        cursor.limit_payments(&mut conditions);
        (Of::Payments, conditions)
    });
    let awaited = Conditions::of_awaited(filter).map(|mut conditions| {
        cursor.limit_awaited(&mut conditions);
        (Of::Awaited, conditions)
    });
    let mut all = Query::default();
    let mut selects: Vec<String> = Vec::new();
    for (table, conditions) in payments.into_iter().chain(awaited) {
        selects.push(format!("{} WHERE {}", table.select(with_details), conditions.text()));
        all.values.extend(conditions.values);
    }
    if selects.is_empty() {
        // An order without payments has no provider: nothing can fit.
        selects.push(format!("{} WHERE FALSE", Of::Payments.select(with_details)));
    }
    all.sql = selects.join(" UNION ALL ");
    all
}

/// The query of a piece.
pub(super) fn query(filter: &PaymentFilter, piece: &Piece, at_most: u32) -> Query {
    let by_time = |way: &str| format!("at {way}, order_id {way}, psp {way}, call_number {way}");
    match piece {
        Piece::Latest(place) => {
            let all = both(filter, &Cursor { place: place.as_ref(), sign: "<" }, true);
            Query { sql: format!("{} ORDER BY {} LIMIT {at_most}", all.sql, by_time("DESC")), ..all }
        }
        Piece::Earliest(place) => {
            let all = both(filter, &Cursor { place: place.as_ref(), sign: ">" }, true);
            Query { sql: format!("{} ORDER BY {} LIMIT {at_most}", all.sql, by_time("ASC")), ..all }
        }
        Piece::Sorted { by, descending, skip } => {
            let all = both(filter, &Cursor { place: None, sign: "<" }, true);
            let way = if *descending { "DESC" } else { "ASC" };
            let sql = format!(
                "SELECT * FROM ({}) ORDER BY {} {way} NULLS LAST, {} LIMIT {at_most} OFFSET {skip}",
                all.sql,
                by.column(),
                by_time("DESC")
            );
            Query { sql, ..all }
        }
    }
}

/// The query of those that are counted.
pub(super) fn counted(filter: &PaymentFilter) -> Query {
    let all = both(filter, &Cursor { place: None, sign: "<" }, false);
    Query { sql: format!("{} ORDER BY at DESC LIMIT {}", all.sql, COUNTED.saturating_add(1)), ..all }
}

/// The query that adds them up.
pub(super) fn counting(filter: &PaymentFilter) -> Query {
    let counted = counted(filter);
    let sql = format!(
        "SELECT currency, mode IS 'test' AS is_trial, COUNT(*) AS rows, COUNT(*) FILTER (WHERE mode = 'test') AS trials,
                COUNT(*) FILTER (WHERE psp IS NULL) AS awaited, SUM(expected_cents) AS expected,
                SUM(voucher_cents) AS voucher, SUM(card_cents) AS card, SUM(paid_cents) AS paid,
                SUM(refunded_cents) AS refunded, SUM(gap_cents) AS gap
         FROM ({}) GROUP BY 1, 2 ORDER BY 1, 2",
        counted.sql
    );
    Query { sql, ..counted }
}
