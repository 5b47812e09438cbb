//! What is due to be booked: day by day, and before that what was learned of days that are closed.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, params};

use cvco_books::accounting::{Leg, Moved, Movement, PaidOut, Part, Posting, Sheet, Topic};
use cvco_domain::{Books, Cents, Day, Issuer, OrderRef, ShopId, StatementNumber};

use crate::LedgerError;
use crate::tables::ids::{OrderId, StatementId};

use super::{Booked, closed_through};

/// A sheet that is due.
pub(crate) struct Due {
    pub(crate) sheet: Sheet,
    /// The order, of what customers paid or were given back.
    pub(crate) order_id: Option<OrderId>,
    /// The statement, of what was paid out.
    pub(crate) statement_id: Option<StatementId>,
    /// The day on which it is booked.
    pub(crate) date: Day,
    /// What was booked for its day in a closed period.
    corrected: Vec<Corrected>,
}

/// A posting of a closed period.
struct Corrected {
    leg: Leg,
    part: Option<Part>,
    /// The entry's.
    number: String,
}

impl Due {
    /// The entry of a closed period that one of its entries puts right: the one that has a posting of the same part. Where an
    /// entry holds all that was paid on a day, it is that of the day.
    pub(crate) fn corrects(&self, entry: &Sheet, books: &Books) -> Option<&str> {
        let of_part = |posting: &Posting| {
            self.corrected.iter().find(|booked| booked.leg == posting.leg && booked.part == posting.part)
        };
        let own = entry.postings.iter().filter(|posting| posting.leg != Leg::Customer).find_map(of_part);
        let of_day = || self.corrected.first().filter(|_| !books.paired);
        own.or_else(of_day).map(|booked| booked.number.as_str())
    }
}

/// Tells all that is due in a span of days, in the order in which it is booked.
pub(crate) fn each(
    conn: &Connection,
    (from, to): (Day, Day),
    books: &Books,
    tell: &mut dyn FnMut(Due) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let through = closed_through(conn)?;
    if let Some(through) = through.filter(|through| from <= through.next()) {
        late(conn, (through, to), books, tell)?;
    }
    let mut day = from;
    while day <= to {
        for order in orders_of(conn, &Which::Day(day))? {
            let Some(order) = order.on_day(conn, (day, to), books)? else { continue };
            let goes_back = |sheet: &Sheet| sheet.movement.is_back();
            let received = match through {
                Some(_) if order.sheets.iter().any(goes_back) => received(conn, order.order_id)?,
                Some(_) | None => Vec::new(),
            };
            for sheet in order.sheets {
                tell(Due {
                    sheet: sheet.on_accounts_of(&received),
                    order_id: Some(order.order_id),
                    statement_id: None,
                    date: day,
                    corrected: Vec::new(),
                })?;
            }
        }
        for statement in statements_of(conn, day)? {
            let sheet = statement.sheet(conn, books)?;
            if !sheet.is_empty() {
                let statement_id = Some(statement.statement_id);
                tell(Due { sheet, order_id: None, statement_id, date: day, corrected: Vec::new() })?;
            }
        }
        let next = day.next();
        if next == day {
            break;
        }
        day = next;
    }
    Ok(())
}

/// What was learned of closed days since they were closed, booked on the first day that is open.
fn late(
    conn: &Connection,
    (through, to): (Day, Day),
    books: &Books,
    tell: &mut dyn FnMut(Due) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let ids = |column: &str| -> Result<Vec<i64>, LedgerError> {
        let mut ids = conn.prepare_cached(&format!(
            "SELECT DISTINCT {column} FROM reopened WHERE {column} IS NOT NULL ORDER BY {column}"
        ))?;
        Ok(ids.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    };
    for order_id in ids("order_id")?.into_iter().map(OrderId::new) {
        let booked = Booked::of_order(conn, order_id)?;
        let received = received_of(&booked);
        let order = orders_of(conn, &Which::Order(order_id))?.pop();
        let mut due: BTreeMap<(Day, Movement), Sheet> = BTreeMap::new();
        let mut shop = order.as_ref().map(|order| order.shop.clone());
        if let Some(order) = order {
            let days: BTreeSet<Day> =
                order.moves.iter().map(|(day, _, _)| *day).filter(|day| *day <= through).collect();
            for day in days {
                for sheet in
                    order.clone().on_day(conn, (day, to), books)?.map(|day| day.sheets).into_iter().flatten()
                {
                    due.insert((day, sheet.movement), sheet);
                }
            }
        }
        if shop.is_none() {
            shop = conn
                .prepare_cached("SELECT shop FROM orders WHERE order_id = ?1")?
                .query_row([order_id], |row| row.get(0))?;
        }
        let Some(shop) = shop else { continue };
        for (day, movement) in booked.iter().map(|booked| (booked.day, booked.movement)) {
            // Nothing of it stands any more: all of it is taken back.
            due.entry((day, movement)).or_insert_with(|| Sheet {
                shop: shop.clone(),
                topic: Topic::Order(booked.iter().find_map(|b| b.posting.part.as_ref()?.order_ref.clone())),
                day,
                movement,
                postings: Vec::new(),
            });
        }
        for ((day, movement), sheet) in due {
            let (before, corrected) = booked_for(&booked, day, movement);
            let sheet = sheet.on_accounts_of(&received).less(&before);
            if !sheet.is_empty() {
                tell(Due {
                    sheet,
                    order_id: Some(order_id),
                    statement_id: None,
                    date: through.next(),
                    corrected,
                })?;
            }
        }
    }
    for statement_id in ids("statement_id")?.into_iter().map(StatementId::new) {
        let Some(statement) = StatementHead::of(conn, statement_id)? else { continue };
        let booked = Booked::of_statement(conn, statement_id)?;
        let (before, corrected) = booked_for(&booked, statement.paid_on, Movement::Payout);
        let sheet = statement.sheet(conn, books)?.less(&before);
        if !sheet.is_empty() {
            let statement_id = Some(statement_id);
            tell(Due { sheet, order_id: None, statement_id, date: through.next(), corrected })?;
        }
    }
    Ok(())
}

/// What was booked of an order as received.
fn received(conn: &Connection, order_id: OrderId) -> Result<Vec<Posting>, LedgerError> {
    Ok(received_of(&Booked::of_order(conn, order_id)?))
}

fn received_of(booked: &[Booked]) -> Vec<Posting> {
    let receipts = booked.iter().filter(|booked| booked.movement == Movement::Receipt);
    receipts.map(|booked| booked.posting.clone()).collect()
}

/// What was booked for a day, and by which entries.
fn booked_for(booked: &[Booked], day: Day, movement: Movement) -> (Vec<Posting>, Vec<Corrected>) {
    let of_day = || booked.iter().filter(|booked| booked.day == day && booked.movement == movement);
    let corrected = |booked: &Booked| Corrected {
        leg: booked.posting.leg,
        part: booked.posting.part.clone(),
        number: booked.number.clone(),
    };
    (of_day().map(|booked| booked.posting.clone()).collect(), of_day().map(corrected).collect())
}

/// Which orders to look at.
enum Which {
    Day(Day),
    Order(OrderId),
}

/// An order, with what moved of it.
#[derive(Clone)]
struct OrderMoves {
    order_id: OrderId,
    shop: ShopId,
    reference: Option<OrderRef>,
    moves: Vec<(Day, Movement, Moved)>,
}

/// What is booked of an order for one day.
struct OrderDay {
    order_id: OrderId,
    sheets: Vec<Sheet>,
}

const MOVES: [&str; 2] = [
    "SELECT o.order_id, o.shop, o.reference, t.psp, t.call_number, t.tender_id, t.brand, t.contract, t.issuer,
        t.received_on, 'receipt', t.amount_cents, t.position
     FROM tenders t JOIN orders o USING (order_id) WHERE t.amount_cents > 0 AND t.received_on",
    "SELECT o.order_id, o.shop, o.reference, t.psp, t.call_number, t.tender_id, t.brand, t.contract, t.issuer,
        b.returned_on, b.cause, b.amount_cents, t.position
     FROM returns b JOIN tenders t USING (order_id, psp, call_number, position) JOIN orders o USING (order_id)
     WHERE b.amount_cents > 0 AND b.returned_on",
];

fn orders_of(conn: &Connection, which: &Which) -> Result<Vec<OrderMoves>, LedgerError> {
    let [received, returned] = MOVES;
    let of = match which {
        Which::Day(_) => "= ?1",
        Which::Order(_) => "IS NOT NULL AND o.order_id = ?1",
    };
    let query = format!("{received} {of} UNION ALL {returned} {of} ORDER BY 1, 10, 11, 4, 5, 13");
    let mut rows = conn.prepare_cached(&query)?;
    let mut rows = match which {
        Which::Day(day) => rows.query([day])?,
        Which::Order(order_id) => rows.query([order_id])?,
    };
    let mut orders: Vec<OrderMoves> = Vec::new();
    while let Some(row) = rows.next()? {
        let order_id = row.get(0)?;
        if orders.last().is_none_or(|last| last.order_id != order_id) {
            orders.push(OrderMoves {
                order_id,
                shop: row.get(1)?,
                reference: row.get(2)?,
                moves: Vec::new(),
            });
        }
        if let Some(order) = orders.last_mut() {
            let moved = moved(row, order.reference.clone())?;
            order.moves.push((row.get(9)?, row.get(10)?, moved));
        }
    }
    Ok(orders)
}

fn moved(row: &Row<'_>, order_ref: Option<OrderRef>) -> rusqlite::Result<Moved> {
    let part = Part {
        order_ref,
        psp: row.get(3)?,
        call_number: row.get(4)?,
        tender: Some((row.get(5)?, row.get(6)?)),
        contract: row.get(7)?,
    };
    Ok(Moved { part, issuer: row.get(8)?, amount: row.get(11)? })
}

impl OrderMoves {
    /// `to`: the last day of the span that is booked.
    fn on_day(
        self,
        conn: &Connection,
        (day, to): (Day, Day),
        books: &Books,
    ) -> Result<Option<OrderDay>, LedgerError> {
        let missing = if books.suspense { missing(conn, self.order_id, (day, to))? } else { Cents::ZERO };
        let mut sheets = Vec::new();
        for movement in Movement::ALL {
            let moved: Vec<Moved> = self
                .moves
                .iter()
                .filter(|(on, what, _)| *on == day && *what == movement)
                .map(|(_, _, moved)| moved.clone())
                .collect();
            if moved.is_empty() {
                continue;
            }
            let missing = if movement == Movement::Receipt { missing } else { Cents::ZERO };
            let of = (&self.shop, self.reference.as_ref());
            sheets.push(Sheet::of_order(of, (day, movement), moved, missing, books));
        }
        Ok((!sheets.is_empty()).then_some(OrderDay { order_id: self.order_id, sheets }))
    }
}

/// What an order lacks of what is due by the end of the span, or what it has too much, on the last day on which something was
/// received of it; else nothing. It is judged by what was received and given back by then, so that it makes no difference when
/// the span is closed; a payment that began in it is not cut in two by midnight. What a bank took back is booked as that, and
/// what was paid in its place is not too much; nor is what was given back since. Of an order that was registered later the
/// first total counts.
fn missing(conn: &Connection, order_id: OrderId, (day, to): (Day, Day)) -> Result<Cents, LedgerError> {
    Ok(conn
        .prepare_cached(
            "WITH version AS (
               SELECT total_cents, currency,
                      CASE WHEN instalments IS NOT NULL
                           THEN (SELECT COALESCE(SUM(value ->> 'cents'), 0) FROM json_each(instalments)
                                 WHERE COALESCE(value ->> 'due', v.due, '') < ?3)
                           WHEN due >= ?3 THEN 0 ELSE total_cents END AS due_cents
               FROM order_versions v WHERE order_id = ?1
               ORDER BY registered_at < ?3 DESC, IIF(registered_at < ?3, -version, version) LIMIT 1),
             begun AS (
               SELECT psp, call_number FROM tenders WHERE order_id = ?1 AND received_on IS NOT NULL
               GROUP BY psp, call_number HAVING MIN(received_on) <= ?4),
             part AS (
               SELECT t.received_on, t.amount_cents - COALESCE(SUM(r.amount_cents) FILTER (WHERE cause = 'cancellation'), 0) AS paid,
                      COALESCE(SUM(r.amount_cents) FILTER (WHERE cause <> 'cancellation'), 0) AS given_back
               FROM tenders t JOIN begun USING (psp, call_number)
               LEFT JOIN returns r ON r.order_id = t.order_id AND r.psp = t.psp AND r.call_number = t.call_number
                 AND r.position = t.position AND r.returned_on <= ?4
               WHERE t.order_id = ?1 AND t.received_on IS NOT NULL
               GROUP BY t.psp, t.call_number, t.position)
             SELECT CASE WHEN o.state <> 'pending' AND v.currency = 'EUR' AND SUM(p.paid - p.given_back) > 0
                          AND MAX(p.received_on) FILTER (WHERE p.received_on <= ?4) = ?2
                    THEN MAX(v.due_cents - SUM(p.paid), 0) + MIN(v.total_cents - SUM(p.paid - p.given_back), 0)
                    ELSE 0 END
             FROM orders o JOIN version v JOIN part p WHERE o.order_id = ?1",
        )?
        .query_row(params![order_id, day, to.next().start(), to], |row| row.get::<_, Option<Cents>>(0))?
        .unwrap_or_default())
}

/// A statement, without its lines.
struct StatementHead {
    statement_id: StatementId,
    shop: ShopId,
    issuer: Issuer,
    number: StatementNumber,
    paid_on: Day,
}

const STATEMENTS: &str = "SELECT statement_id, shop, issuer, number, paid_on FROM statements WHERE";

fn statements_of(conn: &Connection, day: Day) -> Result<Vec<StatementHead>, LedgerError> {
    let mut rows = conn.prepare_cached(&format!("{STATEMENTS} paid_on = ?1 ORDER BY statement_id"))?;
    Ok(rows.query_map([day], StatementHead::read)?.collect::<Result<_, _>>()?)
}

impl StatementHead {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            statement_id: row.get(0)?,
            shop: row.get(1)?,
            issuer: row.get(2)?,
            number: row.get(3)?,
            paid_on: row.get(4)?,
        })
    }

    fn of(conn: &Connection, statement_id: StatementId) -> Result<Option<Self>, LedgerError> {
        let mut rows = conn.prepare_cached(&format!("{STATEMENTS} statement_id = ?1"))?;
        Ok(rows.query_map([statement_id], Self::read)?.next().transpose()?)
    }

    fn sheet(&self, conn: &Connection, books: &Books) -> Result<Sheet, LedgerError> {
        let mut rows = conn.prepare_cached(
            "SELECT o.reference, t.psp, t.call_number, t.tender_id, t.brand, t.contract,
                    COALESCE(p.amount_cents, l.amount_cents), COALESCE(p.commission_cents, l.commission_cents),
                    IIF(t.received_on <= ?2, p.order_id, NULL)
             FROM statement_lines l
             LEFT JOIN payout_shares p ON p.statement_id = l.statement_id AND p.position = l.position
             LEFT JOIN tenders t ON t.order_id = p.order_id AND t.psp = p.psp AND t.call_number = p.call_number
              AND t.position = p.tender_position
             LEFT JOIN orders o ON o.order_id = t.order_id
             WHERE l.statement_id = ?1 ORDER BY l.position, p.psp, p.call_number, p.tender_position",
        )?;
        let mut closed = BTreeSet::new();
        let lines = rows
            .query_map(params![self.statement_id, closed_through(conn)?], |row| {
                let psp: Option<_> = row.get(1)?;
                let part = match psp {
                    Some(psp) => Some(Part {
                        order_ref: row.get(0)?,
                        psp,
                        call_number: row.get(2)?,
                        tender: Some((row.get(3)?, row.get(4)?)),
                        contract: row.get(5)?,
                    }),
                    None => None,
                };
                closed.extend(row.get::<_, Option<OrderId>>(8)?);
                Ok(PaidOut { part, amount: row.get(6)?, commission: row.get(7)? })
            })?
            .collect::<Result<_, _>>()?;
        let mut booked = Vec::new();
        for order_id in closed {
            booked.extend(received(conn, order_id)?);
        }
        let of = (self.issuer, &self.number);
        Ok(Sheet::of_statement(&self.shop, of, self.paid_on, lines, books).on_accounts_of(&booked))
    }
}
