//! Questions to the PSPs' own APIs, as the log raises and settles them. Asking itself, how often it was tried and
//! what went wrong, is beside the fold ([`super::attempts`]).

use std::time::Duration;

use cvco_domain::{Asking, EndpointId, Psp, Question, ShopId, Standing, Subject, Timestamp, Topic};
use cvco_reconcile::Rules;
use rusqlite::{Connection, OptionalExtension, params};

use super::LedgerError;

/// For so long an answer to a call that nobody signed is not sought again.
const SPARED: Duration = Duration::from_mins(10);

/// An order that adds up without the answer: its PSP knows the other part under another payment, and waits for it on
/// this one for ever.
const ADDS_UP: &str =
    "state = 'unsettled' AND EXISTS (SELECT 1 FROM orders o WHERE o.order_id = questions.order_id
                         AND o.state IN ('balanced', 'part_refunded', 'refunded'))";

/// For so long the PSP may go on saying that it has not decided.
const UNDECIDED: Duration = Duration::from_hours(24);

/// Whose API is asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) shop: &'a ShopId,
    pub(super) endpoint: &'a EndpointId,
    pub(super) psp: Psp,
}

/// From when on a question would be asked if it were raised now; `None` if it need not be.
pub(super) fn wanted_from(
    conn: &Connection,
    asked: Asked<'_>,
    question: &Question,
    (at, rules): (Timestamp, Rules),
) -> Result<Option<Timestamp>, LedgerError> {
    let known = state(conn, asked.endpoint, question)?;
    let wanted = match (question.asking, known) {
        (Asking::Afresh, _) | (Asking::Sparingly, None) => true,
        (Asking::Once, None) => !knows_transaction(conn, asked, question)?,
        (Asking::Once, Some(known)) => known.state == "given_up" || known.state == "withdrawn",
        (Asking::Sparingly, Some(known)) => return spared_until(conn, (question, &known), at, rules),
    };
    Ok(wanted.then_some(at))
}

/// A call that nobody signed comes again. It costs nothing while an answer is awaited, nor where the last answer is
/// fresh; but the customer whose first card was refused may have paid with a second one meanwhile. So what is not paid
/// for is asked about once more, when that answer is no longer fresh; and so is a transaction, paid or not: of one that
/// was answered for a minute ago a call may bring word of a refund.
fn spared_until(
    conn: &Connection,
    (question, known): (&Question, &Known),
    at: Timestamp,
    rules: Rules,
) -> Result<Option<Timestamp>, LedgerError> {
    let Some(answered_at) = known.answered_at.filter(|_| !known.is_pending()) else { return Ok(None) };
    let spared_until = answered_at.after(SPARED);
    if at >= spared_until {
        return Ok(Some(at));
    }
    let may_be_refunded = rules >= Rules::Third && question.topic == Topic::Transaction;
    let may_change =
        known.state == Standing::Settled.as_str() && (may_be_refunded || !is_paid_for(conn, known.order_id)?);
    Ok(may_change.then_some(spared_until))
}

fn is_paid_for(conn: &Connection, order_id: Option<i64>) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM orders WHERE order_id = ?1
               AND state IN ('balanced', 'unverified', 'part_refunded', 'refunded'))",
        )?
        .query_row([order_id], |row| row.get(0))?)
}

/// Raises a question, unless it need not be asked; when a person is told at the earliest, if it was raised.
pub(super) fn raise(
    conn: &Connection,
    asked: Asked<'_>,
    (question, order_id): (&Question, Option<i64>),
    (at, grace, rules): (Timestamp, Duration, Rules),
) -> Result<Option<Timestamp>, LedgerError> {
    let Some(at) = wanted_from(conn, asked, question, (at, rules))? else { return Ok(None) };
    let overdue_at = at.after(asked.psp.settles_in()).after(grace);
    // One that waits already goes on waiting under its old deadline, but an answer that is under way is too old.
    conn.prepare_cached(
        "INSERT INTO questions (endpoint, topic, subject, shop, psp, order_id, asked_at, state, overdue_at, overdue)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', ?8, 0)
         ON CONFLICT (endpoint, topic, subject) DO UPDATE SET
           asked_at = ?7,
           order_id = COALESCE(order_id, ?6),
           overdue_at = CASE WHEN state IN ('open', 'unsettled') OR overdue = 1 THEN overdue_at ELSE ?8 END,
           state = CASE state WHEN 'unsettled' THEN 'unsettled' ELSE 'open' END",
    )?
    .execute(params![
        asked.endpoint.as_str(),
        question.topic.as_str(),
        question.subject.as_str(),
        asked.shop.as_str(),
        asked.psp.as_str(),
        order_id,
        at,
        overdue_at
    ])?;
    Ok(Some(overdue_at))
}

/// Where a question stands.
pub(super) struct Known {
    state: String,
    answered_at: Option<Timestamp>,
    /// The order that it is about, as far as known.
    pub(super) order_id: Option<i64>,
}

impl Known {
    pub(super) fn is_pending(&self) -> bool {
        self.state == "open" || self.state == "unsettled"
    }

    /// Whether the PSP has said already that it has not decided.
    pub(super) fn is_unsettled(&self) -> bool {
        self.state == Standing::Unsettled.as_str()
    }
}

/// Where a question stands, if it was ever raised.
pub(super) fn state(
    conn: &Connection,
    endpoint: &EndpointId,
    question: &Question,
) -> Result<Option<Known>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT state, answered_at, order_id FROM questions
             WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3",
        )?
        .query_row(params![endpoint.as_str(), question.topic.as_str(), question.subject.as_str()], |row| {
            Ok(Known { state: row.get(0)?, answered_at: row.get(1)?, order_id: row.get(2)? })
        })
        .optional()?)
}

/// The ledger holds what the answer would say: the transaction came by another way.
fn knows_transaction(conn: &Connection, asked: Asked<'_>, question: &Question) -> Result<bool, LedgerError> {
    if question.topic != Topic::Transaction {
        return Ok(false);
    }
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM tenders WHERE tender_id = ?1 AND psp = ?2)")?
        .query_row(params![question.subject.as_str(), asked.psp.as_str()], |row| row.get(0))?)
}

/// Notes how an answer stands. One that was sought before the question was last raised is not the last word. When a
/// person is told of a PSP that does not decide.
pub(super) fn settle(
    conn: &Connection,
    endpoint: &EndpointId,
    (question, asked_at): (&Question, Timestamp),
    (standing, order_id): (Standing, Option<i64>),
    (at, rules): (Timestamp, Rules),
) -> Result<Option<Timestamp>, LedgerError> {
    let (overdue_at, overdue) = match standing {
        Standing::Unsettled => (Some(at.after(UNDECIDED)), false),
        Standing::Settled | Standing::Unknown | Standing::Withdrawn => (None, false),
        Standing::GivenUp => (None, true),
    };
    // An answer that is too old leaves the deadline as it is, or as over.
    conn.prepare_cached(&format!(
        "UPDATE questions SET
           order_id = COALESCE(order_id, ?6), answered_at = ?7,
           settled_at = CASE WHEN ?10 AND ?5 = 'settled' THEN ?7 ELSE settled_at END,
           overdue = CASE WHEN asked_at > ?4 THEN overdue WHEN ?10 AND {ADDS_UP} THEN 0 ELSE ?9 END,
           overdue_at = CASE WHEN asked_at > ?4 THEN overdue_at ELSE ?8 END,
           state = CASE WHEN asked_at > ?4 THEN 'open' ELSE ?5 END
         WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3"
    ))?
    .execute(params![
        endpoint.as_str(),
        question.topic.as_str(),
        question.subject.as_str(),
        asked_at,
        standing.as_str(),
        order_id,
        at,
        overdue_at,
        overdue,
        rules >= Rules::Second
    ])?;
    Ok(overdue_at)
}

/// What an order's questions mean for its assessment.
#[derive(Default)]
pub(super) struct Answers {
    /// Whether an answer is still awaited.
    pub(super) awaited: bool,
    /// The endpoints whose PSPs do not know what they were asked, and what that was.
    pub(super) unknown_to: Vec<(EndpointId, Subject)>,
    /// When each of them was last settled, and where.
    pub(super) settled: Vec<(EndpointId, Timestamp)>,
}

/// Reads what an order's questions mean for it.
pub(super) fn of_order(conn: &Connection, order_id: i64) -> Result<Answers, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT state, endpoint, subject, settled_at FROM questions WHERE order_id = ?1
         ORDER BY endpoint, topic, subject",
    )?;
    let mut rows = statement.query([order_id])?;
    let mut answers = Answers::default();
    while let Some(row) = rows.next()? {
        let endpoint: EndpointId = row.get(1)?;
        answers.settled.extend(row.get::<_, Option<_>>(3)?.map(|at| (endpoint.clone(), at)));
        match row.get_ref(0)?.as_str().unwrap_or_default() {
            "open" | "unsettled" => answers.awaited = true,
            "unknown" => answers.unknown_to.push((endpoint, row.get(2)?)),
            _ => {}
        }
    }
    Ok(answers)
}

/// A question whose answer is awaited too long from now on.
pub(super) struct Due {
    pub(super) endpoint: EndpointId,
    pub(super) at: Timestamp,
    topic: String,
    subject: String,
}

/// The question that time concerns next, if that is at `until` or before.
pub(super) fn next_to_look_at(conn: &Connection, until: Timestamp) -> Result<Option<Due>, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT endpoint, overdue_at, topic, subject FROM questions WHERE overdue_at <= ?1
             ORDER BY overdue_at, endpoint, topic, subject LIMIT 1",
        )?
        .query_row([until], |row| {
            Ok(Due { endpoint: row.get(0)?, at: row.get(1)?, topic: row.get(2)?, subject: row.get(3)? })
        })
        .optional()?)
}

/// When time next concerns any question.
pub(super) fn next_look(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT MIN(overdue_at) FROM questions WHERE overdue_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?)
}

/// Its time is over.
pub(super) fn is_overdue_now(conn: &Connection, due: &Due) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE questions SET overdue_at = NULL, overdue = 1 WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3",
    )?
    .execute(params![due.endpoint.as_str(), due.topic, due.subject])?;
    Ok(())
}

/// The endpoints whose PSPs owe an answer about an order too long.
pub(super) fn endpoints_overdue(conn: &Connection, order_id: i64) -> Result<Vec<EndpointId>, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT endpoint FROM questions WHERE order_id = ?1 AND overdue = 1 ORDER BY endpoint",
    )?;
    let endpoints = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(endpoints)
}

/// The answers that an endpoint's PSP owes too long.
pub(super) struct Overdue {
    pub(super) shop: ShopId,
    pub(super) psp: Psp,
    /// How many, and the first of them, as in `3: session 16Rj…`.
    pub(super) detail: String,
}

/// The answers that an endpoint's PSP owes too long; `None` if there are none.
pub(super) fn overdue(
    conn: &Connection,
    endpoint: &EndpointId,
    rules: Rules,
) -> Result<Option<Overdue>, LedgerError> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT shop, psp, topic, subject, COUNT(*) OVER () FROM questions
             WHERE endpoint = ?1 AND overdue = 1 AND NOT (?2 AND {ADDS_UP})
             ORDER BY asked_at, topic, subject LIMIT 1"
        ))?
        .query_row(params![endpoint.as_str(), rules >= Rules::Second], |row| {
            let (topic, subject, count): (String, String, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(Overdue { shop: row.get(0)?, psp: row.get(1)?, detail: format!("{count}: {topic} {subject}") })
        })
        .optional()?)
}
