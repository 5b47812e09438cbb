//! The daemon, without its sockets: the real adapters read, the real log keeps, the real ledger follows at its own pace, the
//! APIs are asked, mails leave, and deadlines are announced.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_domain::{
    Currency, EndpointId, EndpointRef, Event, OrderRef, Policy, Question, Standing, Subject, Timestamp, Topic,
};
use cvco_ledger::Ledger;
use cvco_log::entry::{
    Answer as AnswerEntry, ClockCorrection, Hint, MailAbout, Notification, OrderRegistration, Origin, Pause,
    Telling, Told,
};
use cvco_log::{Draft, LogEntry, LogStore, MemoryLog};
use cvco_psp::api::{Answer, Exchange, Inquiry, Step};
use cvco_psp::{Facts, Reading, WireMessage};
use cvco_trial::simulate::Dice;
use rusqlite::Row;

use crate::network::Arrival;
use crate::places::Place;
use crate::telling::{Page, answer};

/// The daemon, and a second machine that follows the same log.
pub(crate) struct Daemon {
    log: MemoryLog,
    ledger: Ledger,
    twin: Ledger,
    /// When who folds how much, and whether a mail leaves.
    dice: Dice,
    /// Since when it is down.
    down_since: Option<Timestamp>,
    mails: u64,
    /// What the messages of each PSP said of each order: what an adapter is told when it asks.
    known: BTreeMap<(String, Option<OrderRef>), Vec<Event>>,
}

/// A question that waits for an answer.
struct Waiting {
    place: Place,
    question: Question,
    asked_at: Timestamp,
    order: Option<OrderRef>,
}

/// Something went wrong that never may.
pub(crate) type Trouble = String;

impl Daemon {
    /// Starts with an empty log.
    pub(crate) fn start(at: Timestamp, policy: Policy, dice: Dice) -> Result<Self, Trouble> {
        let mut daemon = Self {
            log: MemoryLog::default(),
            ledger: Ledger::in_memory().map_err(text)?,
            twin: Ledger::in_memory().map_err(text)?,
            dice,
            down_since: None,
            mails: 0,
            known: BTreeMap::new(),
        };
        daemon.append(at, [LogEntry::Policy(policy)])?;
        Ok(daemon)
    }

    /// Appends entries as one group, and lets the ledger follow to the end.
    pub(crate) fn append(
        &mut self,
        at: Timestamp,
        entries: impl IntoIterator<Item = LogEntry>,
    ) -> Result<(), Trouble> {
        self.log(at, entries)?;
        self.follow()
    }

    fn log(&mut self, at: Timestamp, entries: impl IntoIterator<Item = LogEntry>) -> Result<(), Trouble> {
        if let Some(since) = self.down_since.take() {
            // It was down: it says so before anything else.
            let pause = Draft::new(&LogEntry::Pause(Pause { since })).map_err(text)?;
            self.log.append(&[pause], at).map_err(text)?;
        }
        let drafts = entries.into_iter().map(|entry| Draft::new(&entry)).collect::<Result<Vec<_>, _>>();
        // Another handle, as another process or machine has one.
        self.log.clone().append(&drafts.map_err(text)?, at).map_err(text)?;
        Ok(())
    }

    /// Folds what the log has, in groups of any size; the twin comes along now and then.
    fn follow(&mut self) -> Result<(), Trouble> {
        fold_in_groups(&mut self.ledger, &mut self.log, &mut self.dice)?;
        if self.dice.below(3) == 0 {
            fold_in_groups(&mut self.twin, &mut self.log, &mut self.dice)?;
        }
        Ok(())
    }

    pub(crate) const fn ledger(&self) -> &rusqlite::Connection {
        self.ledger.connection()
    }

    /// The ledger, for who takes extracts.
    pub(crate) const fn books(&self) -> &Ledger {
        &self.ledger
    }

    /// The second machine's ledger, which has folded the whole log too.
    pub(crate) fn twin(&mut self) -> Result<&rusqlite::Connection, Trouble> {
        fold_in_groups(&mut self.twin, &mut self.log, &mut self.dice)?;
        Ok(self.twin.connection())
    }

    pub(crate) fn entries(&self) -> MemoryLog {
        self.log.clone()
    }

    /// Stores what arrived together, as one group: messages, or registrations.
    pub(crate) fn receive(&mut self, at: Timestamp, arrived: &[Arrival]) -> Result<(), Trouble> {
        let mut entries = Vec::new();
        for arrival in arrived {
            let entry = entry(arrival)?;
            if let LogEntry::Notification(notification) = &entry {
                self.remember(&notification.endpoint.endpoint, &notification.events);
            }
            entries.push(entry);
        }
        self.append(at, entries)
    }

    /// Dies before what arrived was durable. What it had folded may be lost too: the ledger is made again from the log.
    pub(crate) fn crash(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.down_since.get_or_insert(at);
        if self.dice.below(2) == 0 {
            self.ledger = Ledger::in_memory().map_err(text)?;
        }
        self.follow()
    }

    /// Says that a deadline has come, if one has.
    pub(crate) fn announce(&mut self, at: Timestamp) -> Result<(), Trouble> {
        // Folding one announcement may bring the next deadline.
        while self.ledger.position().next_deadline.is_some_and(|deadline| deadline <= at) {
            self.append(at, [LogEntry::Time])?;
        }
        Ok(())
    }

    /// The clock was put back: what was dated ahead of it is put right.
    pub(crate) fn correct_clock(&mut self, clock: Timestamp) -> Result<(), Trouble> {
        let head = self.log.head().map_err(text)?.at;
        if head.since(clock) > Duration::from_mins(1) {
            self.append(clock, [LogEntry::Clock(ClockCorrection { from: head })])?;
        }
        Ok(())
    }

    /// Mails what is owed. Now and then it dies between the intent and the departure.
    pub(crate) fn mail(&mut self, at: Timestamp) -> Result<(), Trouble> {
        while let Some(due) = self.ledger.next_mail(at, Duration::ZERO).map_err(text)? {
            let message_id = match due.message_id {
                Some(message_id) => message_id,
                None => {
                    self.mails += 1;
                    let message_id = format!("mail-{}@world", self.mails);
                    let about = MailAbout::Discrepancies(due.items);
                    let telling = Telling { message_id: message_id.clone(), about };
                    self.append(at, [LogEntry::Telling(telling)])?;
                    message_id
                }
            };
            if self.dice.below(8) == 0 {
                return Ok(());
            }
            self.append(at, [LogEntry::Told(Told { message_id })])?;
        }
        Ok(())
    }

    /// Asks the APIs, until all that can be answered now is answered. `clock` is what the daemon's shows.
    pub(crate) fn ask<'a>(
        &mut self,
        pages: &(impl Iterator<Item = &'a Page> + Clone),
        now: Timestamp,
        clock: Timestamp,
    ) -> Result<(), Trouble> {
        let mut asked: Vec<(Place, Question)> = Vec::new();
        loop {
            let waiting = self.waiting(clock)?;
            let next = waiting.into_iter().find(|w| !asked.contains(&(w.place, w.question.clone())));
            let Some(next) = next else { return Ok(()) };
            asked.push((next.place, next.question.clone()));
            if let Some(answer) = self.conversation(&next, pages, now)? {
                self.store_answer(&next, answer, clock)?;
            }
        }
    }

    /// `None`: the API fails on it, and is asked again another time.
    fn conversation<'a>(
        &self,
        waiting: &Waiting,
        pages: &(impl Iterator<Item = &'a Page> + Clone),
        now: Timestamp,
    ) -> Result<Option<Answer>, Trouble> {
        let endpoint = waiting.place.endpoint();
        let api = endpoint.adapter.api().ok_or("a question without an API")?;
        let known = self.known.get(&(endpoint.id.to_string(), waiting.order.clone()));
        let inquiry =
            Inquiry { question: &waiting.question, known: known.map(Vec::as_slice).unwrap_or_default() };
        let mut said = Vec::new();
        loop {
            match api.next(&inquiry, &said, now) {
                Step::Answered(answer) => return Ok(Some(answer)),
                Step::Failed(_) => return Ok(None),
                Step::Call(request) => {
                    let outcome = Ok(answer(pages.clone(), &request, now));
                    said.push(Exchange { request, outcome });
                }
            }
            if said.len() > 16 {
                return Err(format!("no end of asking about {}", waiting.question));
            }
        }
    }

    fn store_answer(&mut self, waiting: &Waiting, answer: Answer, clock: Timestamp) -> Result<(), Trouble> {
        let endpoint = waiting.place.endpoint();
        if answer.standing != Standing::Unknown {
            self.remember(&endpoint.id, &answer.events);
        }
        let answer = AnswerEntry {
            endpoint: waiting.place.reference(),
            question: waiting.question.clone(),
            asked_at: waiting.asked_at,
            standing: answer.standing,
            events: answer.events,
            questions: answer.questions,
            remark: answer.remark,
        };
        self.append(clock, [LogEntry::Answer(answer)])
    }

    fn remember(&mut self, endpoint: &EndpointId, events: &[Event]) {
        for event in events {
            let known = self.known.entry((endpoint.to_string(), event.order_ref.clone())).or_default();
            if !known.contains(event) {
                known.push(event.clone());
            }
        }
    }

    fn waiting(&self, clock: Timestamp) -> Result<Vec<Waiting>, Trouble> {
        let mut statement = self
            .ledger()
            .prepare_cached(
                "SELECT q.endpoint, q.topic, q.subject, q.asked_at, o.reference
                 FROM questions q LEFT JOIN orders o USING (order_id)
                 WHERE q.state IN ('open', 'unsettled') AND q.asked_at <= ?1
                 ORDER BY q.asked_at, q.endpoint, q.topic, q.subject",
            )
            .map_err(text)?;
        let rows = statement.query_map([clock.to_string()], waiting).map_err(text)?;
        rows.collect::<Result<_, _>>().map_err(text)
    }
}

fn waiting(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let column = |at: usize| row.get::<_, String>(at);
    let id = column(0)?;
    let asked = |place: &&Place| place.endpoint().id.as_str() == id;
    Ok(Waiting {
        place: *Place::ALL.iter().find(asked).expect("an endpoint of this world"),
        question: Question {
            topic: column(1)?.parse::<Topic>().expect("a topic"),
            subject: Subject::new(column(2)?).expect("a subject"),
            asking: cvco_domain::Asking::Afresh,
        },
        asked_at: Timestamp::parse(&column(3)?).expect("a time"),
        order: row.get::<_, Option<String>>(4)?.map(|text| OrderRef::new(text).expect("a reference")),
    })
}

fn fold_in_groups(ledger: &mut Ledger, log: &mut MemoryLog, dice: &mut Dice) -> Result<(), Trouble> {
    loop {
        let at_most = usize::try_from(1 + dice.below(6)).map_err(text)?;
        let group = log.read(ledger.position().seq, at_most).map_err(text)?;
        if group.is_empty() {
            return Ok(());
        }
        ledger.apply(&group).map_err(text)?;
    }
}

fn entry(arrival: &Arrival) -> Result<LogEntry, Trouble> {
    Ok(match arrival {
        Arrival::Message { place, wire } => understand(*place, wire)?,
        Arrival::Registration { place, reference, total, currency } => LogEntry::Order(OrderRegistration {
            shop: place.endpoint().shop.clone(),
            reference: OrderRef::new(reference.as_str()).map_err(text)?,
            total: *total,
            currency: Currency::parse(currency).map_err(text)?,
            due: None,
        }),
    })
}

/// What a message is evidence of: the one place that calls an adapter about a message.
fn understand(place: Place, wire: &WireMessage) -> Result<LogEntry, Trouble> {
    let (request, adapter) = (wire.as_request(), &place.endpoint().adapter);
    let message = adapter.prove(&request).map_err(|refused| format!("{place:?}: {refused}"))?;
    let (endpoint, origin) = (place.reference(), Origin::Call);
    match message.read().map_err(|unread| format!("{place:?}: {unread}"))? {
        Reading::Facts(Facts { events, questions, remark }) => {
            Ok(LogEntry::Notification(Notification { endpoint, origin, events, questions, remark }))
        }
        Reading::Hint { questions, remark } => Ok(LogEntry::Hint(Hint { endpoint, origin, questions, remark })),
        Reading::Nothing { why } => Err(format!("{place:?} tells of nothing: {why}")),
    }
}

impl Place {
    fn reference(self) -> EndpointRef {
        let endpoint = self.endpoint();
        EndpointRef {
            shop: endpoint.shop.clone(),
            endpoint: endpoint.id.clone(),
            psp: self.psp(),
            mode: self.mode(),
        }
    }
}

pub(crate) fn text(error: impl std::fmt::Display) -> Trouble {
    error.to_string()
}
