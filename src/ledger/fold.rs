//! The fold: how the log becomes orders, records, tenders and discrepancies.
//!
//! [`Fold::take`] is deterministic: the state it leaves depends on the entries and their times, and on nothing
//! else. The rules of time are applied at the very instants at which they come due, before the next entry is
//! taken, so that it makes no difference when the sweep ran; `rebuild` relies on this.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::{Kind, OrderKey, Timestamp};
use crate::reconcile::{Fact, Policy, assess};

use super::entry::{
    Acknowledgement, Entry, LogRow, Notification, OrderRegistration, SignatureFailures, Verdict,
};
use super::{LedgerError, discrepancies, orders, records};

/// The hash that stands before the first entry.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The ledger's state inside one transaction.
pub(super) struct Fold<'c> {
    conn: &'c Connection,
    head: Head,
    policy: Policy,
    swept_at: Timestamp,
    resumed_at: (i64, Timestamp),
}

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: String,
    pub(super) at: Timestamp,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It was written into the log.
    Written {
        /// Its place there.
        seq: i64,
        /// What a notification amounted to.
        verdict: Option<Verdict>,
        /// A duplicate to the byte: its payload is kept already.
        payload_known: bool,
    },
    /// It changes nothing, such as an order registered again as it was.
    Unchanged,
}

impl<'c> Fold<'c> {
    /// Goes on where the last transaction ended.
    pub(super) fn resume(conn: &'c Connection) -> Result<Self, LedgerError> {
        let row = conn
            .prepare_cached("SELECT head_seq, head_hash, head_at, swept_at, policy FROM progress")?
            .query_row([], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, String>(4)?,
                ))
            })
            .optional()?;
        let start = Timestamp::from_millis(0);
        Ok(match row {
            None => Self {
                conn,
                head: Head { seq: 0, hash: GENESIS.to_owned(), at: start },
                policy: Policy::default(),
                swept_at: start,
                resumed_at: (0, start),
            },
            Some((seq, hash, at, swept_at, policy)) => {
                let time = |text: &str| {
                    Timestamp::parse(text)
                        .map_err(|_| LedgerError::Corrupt { seq, what: "progress".to_owned() })
                };
                Self {
                    conn,
                    head: Head { seq, hash, at: time(&at)? },
                    policy: serde_json::from_str(&policy)?,
                    swept_at: time(&swept_at)?,
                    resumed_at: (seq, time(&swept_at)?),
                }
            }
        })
    }

    /// Writes down how far it came; to be called once, at the end of the transaction.
    pub(super) fn finish(&self) -> Result<(), LedgerError> {
        // A transaction that changed nothing writes nothing, and so needs no sync.
        if (self.head.seq, self.swept_at) == self.resumed_at {
            return Ok(());
        }
        self.conn
            .prepare_cached(
                "INSERT INTO progress (one, head_seq, head_hash, head_at, swept_at, policy)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (one) DO UPDATE SET head_seq = ?1, head_hash = ?2, head_at = ?3, swept_at = ?4, policy = ?5",
            )?
            .execute(params![
                self.head.seq,
                self.head.hash,
                self.head.at,
                self.swept_at,
                serde_json::to_string(&self.policy)?
            ])?;
        Ok(())
    }

    /// The end of the chain.
    pub(super) const fn head(&self) -> &Head {
        &self.head
    }

    /// Where to come back to if an entry fails.
    pub(super) fn bookmark(&self) -> (Head, Policy, Timestamp) {
        (self.head.clone(), self.policy.clone(), self.swept_at)
    }

    /// Forgets what was taken since the bookmark; the caller rolls the database back.
    pub(super) fn return_to(&mut self, (head, policy, swept_at): (Head, Policy, Timestamp)) {
        self.head = head;
        self.policy = policy;
        self.swept_at = swept_at;
    }

    /// Takes one entry. Time never runs backwards in the log: an entry is dated no earlier than the one before,
    /// nor than the last sweep, whose findings it came too late to prevent. An entry may well come with an earlier
    /// time than either: it waited for the writer or for another process, or the clock was put back.
    pub(super) fn take(&mut self, at: Timestamp, entry: &Entry) -> Result<Taken, LedgerError> {
        let at = at.max(self.head.at).max(self.swept_at);
        self.sweep(at)?;
        match entry {
            Entry::Notification(notification) => self.notification(at, entry, notification),
            Entry::Order(order) => self.order(at, entry, order),
            Entry::Policy(policy) => self.change_policy(at, entry, policy),
            Entry::Acknowledgement(ack) => self.acknowledge(at, entry, ack),
            Entry::SignatureFailures(burst) => self.signature_failures(at, entry, burst),
        }
    }

    /// Applies the rules of time up to an instant; says whether any came due.
    pub(super) fn sweep(&mut self, now: Timestamp) -> Result<bool, LedgerError> {
        let came_due = self.apply_time_until(now.max(self.head.at))?;
        if came_due {
            self.swept_at = self.swept_at.max(now);
        }
        Ok(came_due)
    }

    fn apply_time_until(&mut self, now: Timestamp) -> Result<bool, LedgerError> {
        let mut came_due = false;
        while let Some((order_id, due)) = orders::next_to_look_at(self.conn, now)? {
            self.reassess(order_id, due)?;
            came_due = true;
        }
        Ok(came_due)
    }

    fn append(&mut self, at: Timestamp, entry: &Entry, verdict: Option<Verdict>) -> Result<i64, LedgerError> {
        let seq = self.head.seq.saturating_add(1);
        let row = LogRow::new(seq, at, entry, verdict)?;
        let hash = row.chain_hash(&self.head.hash);
        row.insert(self.conn, &hash)?;
        self.head = Head { seq, hash, at };
        Ok(seq)
    }

    fn notification(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        notification: &Notification,
    ) -> Result<Taken, LedgerError> {
        let mut payload_known = false;
        let mut news: Vec<(i64, u32)> = Vec::new();
        for (position, event) in (0_u32..).zip(&notification.events) {
            let key = match &event.order_ref {
                Some(reference) => OrderKey::Reference(notification.shop.clone(), reference.clone()),
                None => {
                    OrderKey::Call(notification.shop.clone(), notification.psp, event.call_number.clone())
                }
            };
            let order_id = orders::find_or_create(self.conn, &key)?;
            let known = orders::facts(self.conn, order_id)?;
            payload_known |=
                known.iter().any(|(_, sha256)| sha256.as_deref() == Some(&notification.payload_sha256));
            let same = |fact: &Fact| {
                fact.event == *event && fact.psp == notification.psp && fact.endpoint == notification.endpoint
            };
            let repeated_here =
                notification.events.iter().take(position as usize).any(|earlier| earlier == event);
            if !repeated_here && !known.iter().any(|(fact, _)| same(fact)) {
                news.push((order_id, position));
            }
        }
        let verdict = match (notification.events.is_empty(), news.is_empty()) {
            (true, _) => Verdict::Ignored,
            (false, true) => Verdict::Duplicate,
            (false, false) => Verdict::Genuine,
        };
        let seq = self.append(at, entry, Some(verdict))?;
        for (order_id, position) in &news {
            orders::remember_event(self.conn, *order_id, seq, *position)?;
        }
        let mut touched: Vec<i64> = news.into_iter().map(|(order_id, _)| order_id).collect();
        touched.dedup();
        for order_id in touched {
            self.reassess(order_id, at)?;
        }
        // A call that verifies proves that the key is right.
        discrepancies::close_of_endpoint(self.conn, &notification.endpoint, Kind::SignatureFailures, at)?;
        Ok(Taken::Written { seq, verdict: Some(verdict), payload_known })
    }

    fn order(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        order: &OrderRegistration,
    ) -> Result<Taken, LedgerError> {
        let key = OrderKey::Reference(order.shop.clone(), order.reference.clone());
        let order_id = orders::find_or_create(self.conn, &key)?;
        if orders::is_current(self.conn, order_id, order)? {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, None)?;
        orders::add_version(self.conn, order_id, seq, order, at)?;
        self.reassess(order_id, at)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    /// A new policy is applied to every order that is still open to it: whatever waits for time, and whatever
    /// has an open discrepancy. What was settled under the old policy stays settled.
    fn change_policy(&mut self, at: Timestamp, entry: &Entry, policy: &Policy) -> Result<Taken, LedgerError> {
        if *policy == self.policy && self.head.seq > 0 {
            return Ok(Taken::Unchanged);
        }
        let seq = self.append(at, entry, None)?;
        self.policy = policy.clone();
        for order_id in orders::open(self.conn)? {
            self.reassess(order_id, at)?;
        }
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    fn acknowledge(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        ack: &Acknowledgement,
    ) -> Result<Taken, LedgerError> {
        if !discrepancies::acknowledge(self.conn, ack, at)? {
            return Err(LedgerError::NoDiscrepancy(ack.discrepancy));
        }
        let seq = self.append(at, entry, None)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    fn signature_failures(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        burst: &SignatureFailures,
    ) -> Result<Taken, LedgerError> {
        let seq = self.append(at, entry, None)?;
        discrepancies::open_of_endpoint(self.conn, burst, at)?;
        Ok(Taken::Written { seq, verdict: None, payload_known: false })
    }

    /// Assesses one order afresh and writes the result down.
    fn reassess(&self, order_id: i64, at: Timestamp) -> Result<(), LedgerError> {
        let key = orders::key(self.conn, order_id)?;
        let order = orders::registered(self.conn, order_id, &key)?;
        let facts: Vec<Fact> =
            orders::facts(self.conn, order_id)?.into_iter().map(|(fact, _)| fact).collect();
        let assessment = assess(&order, &facts, &self.policy, at);
        records::replace(self.conn, order_id, &assessment.records)?;
        discrepancies::settle(self.conn, (order_id, key.shop()), &assessment.findings, at)?;
        orders::note_state(self.conn, order_id, &assessment)
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;
    use crate::domain::{
        Authorisation, Brand, CallNumber, Cents, Currency, EndpointId, Event, Instrument, Mode, Operation,
        OrderRef, Psp, ReportedState, ShopId, StatusCode, StatusReading, TenderId,
    };

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + n * 60_000)
    }

    /// One part of an Up2pay payment of 25.00, of which 15.00 by voucher.
    fn part(instrument: Instrument, amount: i64) -> Entry {
        let voucher = instrument == Instrument::Voucher;
        let event = Event {
            order_ref: Some(OrderRef::new("A").expect("reference")),
            call_number: CallNumber::new("1").expect("call number"),
            tender_id: Some(TenderId::new(if voucher { "11" } else { "12" }).expect("transaction")),
            instrument,
            brand: Brand::new(if voucher { "CVCONNECT" } else { "LIMOCB" }).expect("brand"),
            operation: Operation::Debit,
            amount: Cents::new(amount),
            currency: Currency::EUR,
            state: ReportedState::Authorised,
            status: StatusCode { code: "00000".to_owned(), reading: StatusReading::Known },
            authorisation: Authorisation::NotStated,
            contract: None,
            mode: None,
            complement: !voucher,
            order_total: None,
            itemised: false,
            parts_announced: None,
            occurred_at: None,
        };
        Entry::Notification(Notification {
            shop: ShopId::new("camping").expect("shop"),
            endpoint: EndpointId::new("up2pay").expect("endpoint"),
            psp: Psp::Up2pay,
            mode: Mode::Production,
            events: vec![event],
            remark: None,
            payload_sha256: amount.to_string(),
        })
    }

    fn order() -> Entry {
        Entry::Order(OrderRegistration {
            shop: ShopId::new("camping").expect("shop"),
            reference: OrderRef::new("A").expect("reference"),
            total: Cents::new(2500),
            currency: Currency::EUR,
            due: None,
        })
    }

    fn discrepancies(conn: &Connection) -> Vec<(i64, String, String, Option<String>)> {
        let mut rows = conn
            .prepare("SELECT id, kind, opened_at, closed_at FROM discrepancies ORDER BY id")
            .expect("query");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        rows.expect("rows").collect::<Result<_, _>>().expect("rows")
    }

    /// Folds the log of a ledger again, as `verify` does.
    fn folded_again(conn: &Connection) -> Vec<(i64, String, String, Option<String>)> {
        let scratch = schema::scratch().expect("scratch");
        let mut fold = Fold::resume(&scratch).expect("fold");
        let mut rows =
            conn.prepare(&format!("SELECT {} FROM log ORDER BY seq", LogRow::COLUMNS)).expect("query");
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("row") {
            let (row, _) = LogRow::from_row(row).expect("entry");
            fold.take(row.taken_at().expect("time"), &row.entry().expect("content")).expect("taken");
        }
        discrepancies(&scratch)
    }

    #[test]
    fn an_entry_that_waited_is_dated_after_the_sweep_that_overtook_it() {
        let conn = schema::scratch().expect("ledger");
        let mut fold = Fold::resume(&conn).expect("fold");
        fold.take(minute(0), &order()).expect("taken");
        fold.take(minute(0), &part(Instrument::Voucher, 1500)).expect("taken");
        assert!(fold.sweep(minute(30)).expect("swept"), "the card part is missing since minute 20");
        fold.take(minute(10), &part(Instrument::Card, 1000)).expect("taken");
        let closed = minute(30).to_string();
        assert_eq!(
            discrepancies(&conn),
            [(1, "complement_missing".to_owned(), minute(20).to_string(), Some(closed))]
        );
        assert_eq!(discrepancies(&conn), folded_again(&conn), "the log alone amounts to the same");
    }

    #[test]
    fn a_clock_that_was_put_back_does_not_undo_a_sweep() {
        let conn = schema::scratch().expect("ledger");
        let mut fold = Fold::resume(&conn).expect("fold");
        fold.take(minute(0), &part(Instrument::Voucher, 1500)).expect("taken");
        fold.sweep(minute(60)).expect("swept");
        fold.finish().expect("written");
        let mut fold = Fold::resume(&conn).expect("fold");
        fold.take(minute(5), &order()).expect("taken");
        assert_eq!(fold.head().at, minute(60));
        assert_eq!(discrepancies(&conn), folded_again(&conn));
    }
}
