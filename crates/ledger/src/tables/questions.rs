//! Questions to the PSPs' own APIs, as the log raises and settles them. Asking itself, how often it was tried and
//! what went wrong, is beside the fold ([`super::attempts`]).

use std::time::Duration;

use cvco_log::entry::Answer;
use rusqlite::{Connection, OptionalExtension, params};

use cvco_domain::{
    Asking, Detail, EndpointId, EndpointRef, Psp, Question, ShopId, Standing, Subject, Timestamp, Topic,
};

use super::ids::OrderId;
use crate::LedgerError;

/// For so long an answer to a call that nobody signed is not sought again.
const SPARED: Duration = Duration::from_mins(10);

/// An order that adds up without the answer: its PSP knows the other part under another payment, and waits for it on
/// this one forever.
const ADDS_UP: &str =
    "state = 'unsettled' AND EXISTS (SELECT 1 FROM orders o WHERE o.order_id = questions.order_id
                         AND o.state IN ('balanced', 'part_refunded', 'refunded'))";

/// For so long the PSP may go on saying that it has not decided.
const UNDECIDED: Duration = Duration::from_hours(24);

/// From when on a question would be asked if it were raised now; `None` if it need not be.
pub(crate) fn wanted_from(
    conn: &Connection,
    asked: &EndpointRef,
    question: &Question,
    at: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    let known = state(conn, &asked.endpoint, question)?;
    let wanted = match (question.asking, known) {
        (Asking::Again, _) | (Asking::Sparingly, None) => true,
        (Asking::Once, None) => !knows_transaction(conn, asked, question)?,
        (Asking::Once, Some(known)) => known.state == "given_up" || known.state == "withdrawn",
        (Asking::Sparingly, Some(known)) => return spared_until(conn, question, &known, at),
    };
    Ok(wanted.then_some(at))
}

/// A call that nobody signed comes again. It costs nothing while an answer is awaited, nor where the last answer is
/// fresh; but the customer whose first card was refused may have paid with a second one meanwhile. So what is not paid
/// for is asked about once more, when that answer is no longer fresh; and so is a transaction, paid or not: of one that
/// was answered for a minute ago a call may bring word of a refund.
fn spared_until(
    conn: &Connection,
    question: &Question,
    known: &Known,
    at: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    let Some(answered_at) = known.answered_at.filter(|_| !known.is_pending()) else { return Ok(None) };
    let spared_until = answered_at.after(SPARED);
    if at >= spared_until {
        return Ok(Some(at));
    }
    let may_be_refunded = question.topic == Topic::Transaction;
    let may_change =
        known.state == Standing::Settled.as_str() && (may_be_refunded || !is_paid_for(conn, known.order_id)?);
    Ok(may_change.then_some(spared_until))
}

fn is_paid_for(conn: &Connection, order_id: Option<OrderId>) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM orders WHERE order_id = ?1
               AND state IN ('balanced', 'unverified', 'part_refunded', 'refunded'))",
        )?
        .query_row([order_id], |row| row.get(0))?)
}

/// Raises a question, unless it need not be asked; when a person is told at the earliest, if it was raised.
pub(crate) fn raise(
    conn: &Connection,
    asked: &EndpointRef,
    question: &Question,
    Grounds { order_id, vouched }: Grounds,
    at: Timestamp,
    grace: Duration,
) -> Result<Option<Timestamp>, LedgerError> {
    if vouched {
        vouch(conn, &asked.endpoint, question)?;
    }
    let Some(at) = wanted_from(conn, asked, question, at)? else { return Ok(None) };
    let overdue_at = at.after(asked.psp.terms().settles_in).after(grace);
    // One that waits already goes on waiting under its old deadline, but an answer that is under way is too old.
    conn.prepare_cached(
        "INSERT INTO questions (endpoint, topic, subject, shop, psp, order_id, asked_at, state, overdue_at, overdue,
             vouched)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', ?8, 0, ?9)
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
        overdue_at,
        vouched
    ])?;
    Ok(Some(overdue_at))
}

/// Why a question is raised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grounds {
    /// The order that it is about, where it is known.
    pub(crate) order_id: Option<OrderId>,
    /// Not only a call that nobody signed gives the reason.
    pub(crate) vouched: bool,
}

impl Grounds {
    /// Somebody who is trusted gives the reason.
    pub(crate) const VOUCHED: Self = Self { order_id: None, vouched: true };
}

/// Somebody who is trusted knows of what a question is about: it is asked before those that anybody can have made up.
fn vouch(conn: &Connection, endpoint: &EndpointId, question: &Question) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE questions SET vouched = 1 WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3 AND vouched = 0",
    )?
    .execute(params![endpoint.as_str(), question.topic.as_str(), question.subject.as_str()])?;
    Ok(())
}

/// Where a question stands.
pub(crate) struct Known {
    state: String,
    answered_at: Option<Timestamp>,
    /// The order that it is about, as far as known.
    pub(crate) order_id: Option<OrderId>,
}

impl Known {
    pub(crate) fn is_pending(&self) -> bool {
        self.state == "open" || self.state == "unsettled"
    }

    /// Whether the PSP has said already that it has not decided.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.state == Standing::Unsettled.as_str()
    }
}

/// Where a question stands, if it was ever raised.
pub(crate) fn state(
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
fn knows_transaction(
    conn: &Connection,
    asked: &EndpointRef,
    question: &Question,
) -> Result<bool, LedgerError> {
    if question.topic != Topic::Transaction {
        return Ok(false);
    }
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM tenders WHERE tender_id = ?1 AND psp = ?2)")?
        .query_row(params![question.subject.as_str(), asked.psp.as_str()], |row| row.get(0))?)
}

/// Notes how an answer stands. One that was sought before the question was last raised is not the last word. Says when a
/// person is told of a PSP that does not decide.
pub(crate) fn record_answer(
    conn: &Connection,
    answer: &Answer,
    order_id: Option<OrderId>,
    at: Timestamp,
) -> Result<Option<Timestamp>, LedgerError> {
    let (overdue_at, overdue) = match answer.standing {
        Standing::Unsettled => (Some(at.after(UNDECIDED)), false),
        Standing::Settled | Standing::Unknown | Standing::Withdrawn => (None, false),
        Standing::GivenUp => (None, true),
    };
    // An answer that is too old leaves the deadline as it is, or as over.
    conn.prepare_cached(&format!(
        "UPDATE questions SET
           order_id = COALESCE(order_id, ?6), answered_at = ?7,
           settled_at = CASE WHEN ?5 = 'settled' THEN ?7 ELSE settled_at END,
           overdue = CASE WHEN asked_at > ?4 THEN overdue WHEN {ADDS_UP} THEN 0 ELSE ?9 END,
           overdue_at = CASE WHEN asked_at > ?4 THEN overdue_at ELSE ?8 END,
           state = CASE WHEN asked_at > ?4 THEN 'open' ELSE ?5 END
         WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3"
    ))?
    .execute(params![
        answer.endpoint.endpoint.as_str(),
        answer.question.topic.as_str(),
        answer.question.subject.as_str(),
        answer.asked_at,
        answer.standing.as_str(),
        order_id,
        at,
        overdue_at,
        overdue,
    ])?;
    Ok(overdue_at)
}

/// Whether anything was ever asked.
pub(crate) fn any(conn: &Connection) -> Result<bool, LedgerError> {
    Ok(conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM questions)")?.query_row([], |row| row.get(0))?)
}

/// Whether any answer is awaited too long.
pub(crate) fn any_overdue(conn: &Connection) -> Result<bool, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM questions WHERE overdue = 1)")?
        .query_row([], |row| row.get(0))?)
}

/// What an order's questions mean for its assessment.
#[derive(Default)]
pub(crate) struct Answers {
    /// Whether an answer is still awaited.
    pub(crate) awaited: bool,
    /// The endpoints whose PSPs do not know what they were asked, and what that was.
    pub(crate) unknown_to: Vec<(EndpointId, Subject)>,
    /// When each of them was last settled, and where.
    pub(crate) settled: Vec<(EndpointId, Timestamp)>,
}

/// Reads what an order's questions mean for it.
pub(crate) fn of_order(conn: &Connection, order_id: OrderId) -> Result<Answers, LedgerError> {
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
pub(crate) struct Due {
    pub(crate) endpoint: EndpointId,
    pub(crate) at: Timestamp,
    topic: String,
    subject: String,
}

/// The question whose answer is awaited too long next, if that is at `until` or before.
pub(crate) fn next_due(conn: &Connection, until: Timestamp) -> Result<Option<Due>, LedgerError> {
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

/// When an answer is next awaited too long.
pub(crate) fn next_deadline(conn: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    Ok(conn
        .prepare_cached("SELECT MIN(overdue_at) FROM questions WHERE overdue_at IS NOT NULL")?
        .query_row([], |row| row.get(0))?)
}

/// Its time is over.
pub(crate) fn mark_overdue(conn: &Connection, due: &Due) -> Result<(), LedgerError> {
    conn.prepare_cached(
        "UPDATE questions SET overdue_at = NULL, overdue = 1 WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3",
    )?
    .execute(params![due.endpoint.as_str(), due.topic, due.subject])?;
    Ok(())
}

/// The endpoints whose PSPs owe an answer about an order too long.
pub(crate) fn endpoints_overdue(
    conn: &Connection,
    order_id: OrderId,
) -> Result<Vec<EndpointId>, LedgerError> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT endpoint FROM questions WHERE order_id = ?1 AND overdue = 1 ORDER BY endpoint",
    )?;
    let endpoints = statement.query_map([order_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(endpoints)
}

/// The answers that an endpoint's PSP owes too long.
pub(crate) struct Overdue {
    pub(crate) shop: ShopId,
    pub(crate) psp: Psp,
    /// How many, and the first of them.
    pub(crate) detail: Detail,
}

/// The answers that an endpoint's PSP owes too long; `None` if there are none.
pub(crate) fn overdue(conn: &Connection, endpoint: &EndpointId) -> Result<Option<Overdue>, LedgerError> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT shop, psp, topic, subject, COUNT(*) OVER () FROM questions
             WHERE endpoint = ?1 AND overdue = 1 AND NOT ({ADDS_UP})
             ORDER BY asked_at, topic, subject LIMIT 1"
        ))?
        .query_row([endpoint.as_str()], |row| {
            let detail = Detail::Awaited { topic: row.get(2)?, subject: row.get(3)?, count: row.get(4)? };
            Ok(Overdue { shop: row.get(0)?, psp: row.get(1)?, detail })
        })
        .optional()?)
}

/// After a clock that had run ahead was put right: what was asked in the future counts as asked now.
pub(crate) fn correct_clock(conn: &Connection, at: Timestamp) -> Result<(), LedgerError> {
    let mut ahead = conn.prepare_cached(
        "SELECT endpoint, topic, subject, asked_at, overdue_at FROM questions WHERE asked_at > ?1
         ORDER BY endpoint, topic, subject",
    )?;
    let mut rows = ahead.query([at])?;
    while let Some(row) = rows.next()? {
        let (endpoint, topic, subject): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (asked_at, overdue_at): (Timestamp, Option<Timestamp>) = (row.get(3)?, row.get(4)?);
        let overdue_at = overdue_at.map(|overdue_at| at.after(overdue_at.since(asked_at)));
        conn.prepare_cached(
            "UPDATE questions SET asked_at = ?4, overdue_at = ?5 WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3",
        )?
        .execute(params![endpoint, topic, subject, at, overdue_at])?;
    }
    // Asked before, and answered in the future that the PSP has not decided.
    conn.prepare_cached(
        "UPDATE questions SET overdue_at = ?1 WHERE state = 'unsettled' AND overdue_at > ?1",
    )?
    .execute([at.after(UNDECIDED)])?;
    Ok(())
}
