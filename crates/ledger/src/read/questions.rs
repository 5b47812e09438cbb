//! Which questions to the PSPs' APIs wait for an answer, and what there is to ask about.

use rusqlite::params;

use super::Reader;
use crate::LedgerError;
use crate::tables::ids::OrderId;
use crate::tables::prepared::Prepared;
use crate::tables::{facts, orders, questions};
use cvco_domain::{
    Asking, EndpointId, EndpointRef, Event, OrderRef, Psp, Question, RecordState, ShopId, Timestamp,
};
use cvco_reconcile::Fact;

/// A question that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuestion {
    /// The question.
    pub question: Question,
    /// When it was last raised.
    pub asked_at: Timestamp,
    /// How often it was asked without a final answer.
    pub attempts: u32,
    /// The events of its order, as its PSP notified them.
    pub known: Vec<Event>,
}

/// An order that its shop registered and of which nothing was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnheardOrder {
    /// Whose it is.
    pub shop: ShopId,
    /// Its reference.
    pub reference: OrderRef,
}

/// A question that waits at an endpoint which can no longer be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrandedQuestion {
    /// Whose it is.
    pub shop: ShopId,
    /// Where it was to be asked.
    pub endpoint: EndpointId,
    /// Who was to be asked.
    pub psp: Psp,
    /// The question.
    pub question: Question,
    /// When it was last raised.
    pub asked_at: Timestamp,
}

/// How a question to a PSP's API stands, for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct QuestionLine {
    /// Where it is asked.
    pub endpoint: String,
    /// What kind of thing it is about.
    pub topic: String,
    /// Which one.
    pub subject: String,
    /// Where it stands.
    pub state: String,
    /// When it was last raised.
    pub asked_at: String,
    /// How often it was asked without a final answer.
    pub attempts: i64,
    /// When it is asked again.
    pub next_attempt_at: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

impl Reader {
    /// The questions about an order.
    ///
    /// # Errors
    /// SQLite's own.
    pub(super) fn questions_of(&self, order_id: OrderId) -> Result<Vec<QuestionLine>, LedgerError> {
        self.question_lines("q.order_id = ?1", order_id)
    }

    /// The questions with this subject: a session token, a transaction, a reference.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn questions_about(&self, subject: &str) -> Result<Vec<QuestionLine>, LedgerError> {
        self.question_lines("q.subject = ?1", subject)
    }

    fn question_lines(
        &self,
        condition: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<Vec<QuestionLine>, LedgerError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT q.endpoint, q.topic, q.subject, q.state, q.asked_at, COALESCE(a.attempts, 0), a.attempt_at,
                    a.last_error
             FROM questions q LEFT JOIN attempts a ON a.what = q.endpoint || ' ' || q.topic || ' ' || q.subject
             WHERE {condition} ORDER BY q.asked_at, q.endpoint, q.topic, q.subject"
        ))?;
        let lines = statement
            .query_map([value], |row| {
                Ok(QuestionLine {
                    endpoint: row.get(0)?,
                    topic: row.get(1)?,
                    subject: row.get(2)?,
                    state: row.get(3)?,
                    asked_at: row.get(4)?,
                    attempts: row.get(5)?,
                    next_attempt_at: row.get(6)?,
                    last_error: row.get(7)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(lines)
    }

    /// The questions that wait at any endpoint but these, or for another PSP than the endpoint's is now.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn questions_of_others(
        &self,
        askable: &[(EndpointId, Psp)],
    ) -> Result<Vec<StrandedQuestion>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT shop, endpoint, psp, topic, subject, asked_at FROM questions
             WHERE state IN ('open', 'unsettled') ORDER BY endpoint, topic, subject",
        )?;
        let rows: Vec<StrandedQuestion> = statement
            .query_map([], |row| {
                Ok(StrandedQuestion {
                    shop: row.get(0)?,
                    endpoint: row.get(1)?,
                    psp: row.get(2)?,
                    question: Question { topic: row.get(3)?, subject: row.get(4)?, asking: Asking::Again },
                    asked_at: row.get(5)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        let is_askable = |row: &StrandedQuestion| askable.contains(&(row.endpoint.clone(), row.psp));
        Ok(rows.into_iter().filter(|row| !is_askable(row)).collect())
    }

    /// The questions to an endpoint's API that may be asked now. Those that somebody vouches for come first, so that whoever
    /// knows the address cannot hold them up with made-up ones; then those that were never asked, so that one which
    /// always fails holds up no other; then the longest waiting. What was told a moment ago is left to settle.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn questions_due(
        &self,
        (endpoint, psp): (&EndpointId, Psp),
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<PendingQuestion>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT q.topic, q.subject, q.asked_at, COALESCE(a.attempts, 0), q.order_id
             FROM questions q LEFT JOIN attempts a ON a.what = q.endpoint || ' ' || q.topic || ' ' || q.subject
             WHERE q.endpoint = ?1 AND q.psp = ?2 AND q.state IN ('open', 'unsettled') AND q.asked_at <= ?3
               AND COALESCE(a.attempt_at, '') <= ?4
             ORDER BY q.vouched DESC, COALESCE(a.attempts, 0) > 0, COALESCE(a.attempt_at, q.asked_at) LIMIT ?5",
        )?;
        let settled = now.before(psp.terms().settles_in);
        let mut rows = statement.query(params![endpoint.as_str(), psp.as_str(), settled, now, limit])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            let order_id: Option<OrderId> = row.get(4)?;
            due.push(PendingQuestion {
                question: Question { topic: row.get(0)?, subject: row.get(1)?, asking: Asking::Again },
                asked_at: row.get(2)?,
                attempts: row.get(3)?,
                known: match order_id {
                    Some(order_id) => self.events_of(order_id, psp)?,
                    None => Vec::new(),
                },
            });
        }
        Ok(due)
    }

    fn events_of(&self, order_id: OrderId, psp: Psp) -> Result<Vec<Event>, LedgerError> {
        let facts = self.readable_facts(order_id)?;
        Ok(facts.into_iter().filter(|fact| fact.psp == psp).map(|fact| fact.event).collect())
    }

    /// The facts of an order. One damaged order must not keep all others from being asked about: `verify` names the
    /// row.
    fn readable_facts(&self, order_id: OrderId) -> Result<Vec<Fact>, LedgerError> {
        let known = orders::key(&self.conn, order_id)
            .and_then(|key| facts::of_order(&Prepared::new(&self.conn), order_id, &key));
        match known {
            Ok(facts) => Ok(facts),
            Err(error) if error.is_damage() => {
                tracing::error!(order.id = order_id.get(), %error, "what is known of an order cannot be read");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a question would be asked if it were raised now: not where an answer is awaited or known, as far as that
    /// is enough for the question.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn would_ask(
        &self,
        asked: &EndpointRef,
        question: &Question,
        at: Timestamp,
    ) -> Result<bool, LedgerError> {
        Ok(questions::wanted_from(&self.conn, asked, question, at)?.is_some())
    }

    /// The endpoints that have questions without any answer yet, each with how many. Where the PSP has said that it
    /// has not decided, that is an answer.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn questions_pending(&self) -> Result<Vec<(EndpointId, i64)>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT endpoint, COUNT(*) FROM questions WHERE state = 'open' GROUP BY endpoint ORDER BY endpoint",
        )?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// The orders that were registered in a span of time and of which no PSP has told anything.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn unheard_orders(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<UnheardOrder>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT o.shop, o.reference FROM orders o JOIN order_versions v USING (order_id)
             WHERE v.version = 1 AND v.registered_at >= ?1 AND v.registered_at < ?2
               AND NOT EXISTS (SELECT 1 FROM facts e WHERE e.order_id = o.order_id)
             ORDER BY o.order_id",
        )?;
        let rows = statement
            .query_map([since, until], |row| Ok(UnheardOrder { shop: row.get(0)?, reference: row.get(1)? }))?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// Shows the events of the payments since an instant whose records are in such a state, each with the endpoint that
    /// told it. One order is read at a time: in a season thousands are open.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn events_of_records(
        &self,
        state: RecordState,
        since: Timestamp,
        mut show: impl FnMut(&EndpointId, &Event),
    ) -> Result<(), LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT order_id FROM records WHERE first_seen_at >= ?1 AND state = ?2 ORDER BY order_id",
        )?;
        let ids: Vec<OrderId> = statement
            .query_map(params![since, state.as_str()], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for order_id in ids {
            for Fact { endpoint, event, .. } in &self.readable_facts(order_id)? {
                show(endpoint, event);
            }
        }
        Ok(())
    }

    /// The events of the payments that were heard of in a span of time and of which a part at this endpoint is still
    /// authorised, unless its PSP answered about them since `asked`.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn events_uncaptured(
        &self,
        endpoint: &EndpointId,
        (since, until): (Timestamp, Timestamp),
        asked: Timestamp,
    ) -> Result<Vec<Event>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT r.order_id FROM records r JOIN tenders t USING (order_id, psp, call_number)
             WHERE r.first_seen_at >= ?2 AND r.first_seen_at <= ?3 AND t.endpoint = ?1 AND t.state = 'authorised'
               AND NOT EXISTS (SELECT 1 FROM questions q
                                WHERE q.order_id = r.order_id AND q.endpoint = ?1 AND q.answered_at > ?4)
             ORDER BY r.order_id",
        )?;
        let ids: Vec<OrderId> = statement
            .query_map(params![endpoint.as_str(), since, until, asked], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut events = Vec::new();
        for order_id in ids {
            let facts = self.readable_facts(order_id)?;
            events.extend(facts.into_iter().filter(|fact| fact.endpoint == *endpoint).map(|fact| fact.event));
        }
        Ok(events)
    }

    /// The events of the payments that were heard of in a span of time and of which a part at this endpoint could be given
    /// back: those longest without an answer first, and no more than `limit` payments. `is_due` says whether to ask, from
    /// when a payment was first heard of and when its PSP last answered about it.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn events_refundable(
        &self,
        endpoint: &EndpointId,
        (since, until): (Timestamp, Timestamp),
        is_due: impl Fn(Timestamp, Option<Timestamp>) -> bool,
        limit: usize,
    ) -> Result<Vec<Event>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.order_id, MIN(r.first_seen_at),
                    (SELECT MAX(q.answered_at) FROM questions q WHERE q.order_id = r.order_id AND q.endpoint = ?1) AS answered
             FROM records r JOIN tenders t USING (order_id, psp, call_number)
             WHERE r.first_seen_at >= ?2 AND r.first_seen_at <= ?3 AND t.endpoint = ?1
               AND t.state IN ('authorised', 'captured', 'part_refunded')
             GROUP BY r.order_id ORDER BY COALESCE(answered, ''), r.order_id",
        )?;
        let mut rows = statement.query(params![endpoint.as_str(), since, until])?;
        let mut ids: Vec<OrderId> = Vec::new();
        while let Some(row) = rows.next()? {
            if ids.len() == limit {
                break;
            }
            if is_due(row.get(1)?, row.get(2)?) {
                ids.push(row.get(0)?);
            }
        }
        let mut events = Vec::new();
        for order_id in ids {
            let facts = self.readable_facts(order_id)?;
            events.extend(facts.into_iter().filter(|fact| fact.endpoint == *endpoint).map(|fact| fact.event));
        }
        Ok(events)
    }

    /// What an endpoint's PSP was last asked since an instant and never answered: given up, or withdrawn.
    ///
    /// # Errors
    /// SQLite's own, or a damaged row.
    pub fn unanswered_questions(
        &self,
        (endpoint, psp): (&EndpointId, Psp),
        since: Timestamp,
    ) -> Result<Vec<Question>, LedgerError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT topic, subject FROM questions
             WHERE endpoint = ?1 AND psp = ?2 AND state IN ('given_up', 'withdrawn') AND asked_at >= ?3
             ORDER BY asked_at, topic, subject",
        )?;
        let questions = statement
            .query_map(params![endpoint.as_str(), psp.as_str(), since], |row| {
                Ok(Question { topic: row.get(0)?, subject: row.get(1)?, asking: Asking::Again })
            })?
            .collect::<Result<_, _>>()?;
        Ok(questions)
    }

    /// When an endpoint's API was last asked what happened in a span of time.
    ///
    /// # Errors
    /// SQLite's own.
    pub fn last_window(&self, endpoint: &EndpointId) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.conn.query_row(
            "SELECT MAX(asked_at) FROM questions WHERE endpoint = ?1 AND topic = 'window'",
            [endpoint.as_str()],
            |row| row.get(0),
        )?)
    }
}
