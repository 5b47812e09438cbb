//! The daemon, without its sockets: the real adapters read, the real log keeps, the real ledger follows at its own pace, the
//! APIs are asked, mails leave, and deadlines are announced.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use cvco_domain::crypto::SealKey;
use cvco_domain::{
    Currency, EndpointId, EndpointRef, Event, OrderRef, Policy, Question, Seq, Standing, Subject, Timestamp,
    Topic,
};
use cvco_ledger::{Ledger, Pace};
use cvco_log::entry::{
    Answer as AnswerEntry, ClockCorrection, Hint, MailAbout, Notification, OrderRegistration, Origin, Pause,
    Telling, Told,
};
use cvco_log::row::Link;
use cvco_log::{Draft, Envelope, LogEntry, LogStore};
use cvco_psp::api::{Answer, Exchange, Inquiry, Step};
use cvco_psp::{Method, Reading, WireMessage};
use cvco_trial::simulate::Dice;
use rusqlite::Row;

use crate::machine::{Ground, Machine};
use crate::network::Arrival;
use crate::order::below;
use crate::places::Place;
use crate::telling::{Page, answer};

/// Seals the raw bytes of messages.
pub(crate) static SEAL: LazyLock<SealKey> =
    LazyLock::new(|| SealKey::parse(&SealKey::generate().expect("randomness")).expect("a key"));

/// The daemon writes a sign of life every few seconds: of its last seconds before an end nothing is known.
const SIGN_OF_LIFE: u64 = 5;

/// A shorter gap between two signs of life is no pause.
const PAUSE: Duration = Duration::from_secs(2);

/// The log may be ahead of the clock by as much without a word.
const TOLERATED: Duration = Duration::from_mins(1);

/// An e-mail that did not leave is tried again after this time.
const MAIL_AGAIN: Duration = Duration::from_mins(5);

/// The daemon: it leads, and a second machine follows the same log.
pub(crate) struct Daemon {
    ground: Ground,
    /// Two processes append: each has a handle of its own, and finds entries of the other before its own.
    handles: [Box<dyn LogStore>; 2],
    leader: Machine,
    twin: Machine,
    /// Who appends, who folds when and how much, when time is announced, and whether a mail leaves.
    dice: Dice,
    /// How long news waits for company in a mail.
    digest: Duration,
    mails: u64,
    /// What the messages of each PSP said of each order: what an adapter is told when it asks.
    known: BTreeMap<(String, Option<OrderRef>), Vec<Event>>,
    /// What would say nothing if it were said again.
    pub(crate) said: Said,
}

/// What was said last.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) policy: Option<LogEntry>,
    pub(crate) hint: Option<Hint>,
    pub(crate) undecided: Option<AnswerEntry>,
    pub(crate) told: Option<Told>,
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
    pub(crate) fn start(
        at: Timestamp,
        policy: Policy,
        ground: Ground,
        mut dice: Dice,
    ) -> Result<Self, Trouble> {
        let policy = LogEntry::Policy(policy);
        let mut daemon = Self {
            handles: [ground.log()?, ground.log()?],
            leader: Machine::start(&ground, "ledger.sqlite")?,
            twin: Machine::start(&ground, "twin.sqlite")?,
            ground,
            digest: if dice.below(2) == 0 { Duration::ZERO } else { Duration::from_mins(15) },
            dice,
            mails: 0,
            known: BTreeMap::new(),
            said: Said { policy: Some(policy.clone()), ..Said::default() },
        };
        daemon.append(at, [policy])?;
        Ok(daemon)
    }

    /// Appends entries, and lets the ledger follow to the end.
    pub(crate) fn append(
        &mut self,
        at: Timestamp,
        entries: impl IntoIterator<Item = LogEntry>,
    ) -> Result<(), Trouble> {
        let drafts = entries.into_iter().map(|entry| Draft::new(&entry)).collect::<Result<_, _>>();
        self.log(at, drafts.map_err(text)?)?;
        self.catch_up()
    }

    /// Appends entries, in groups of any size and by either process, while the machines follow as they like.
    fn log(&mut self, at: Timestamp, mut drafts: Vec<Draft>) -> Result<(), Trouble> {
        while !drafts.is_empty() {
            let size = 1 + below(&mut self.dice, drafts.len());
            let group: Vec<Draft> = drafts.drain(..size).collect();
            let handle = below(&mut self.dice, 2);
            self.handles[handle].append(&group, at).map_err(text)?;
            self.leader.stroll(&mut self.dice)?;
            self.twin.stroll(&mut self.dice)?;
        }
        Ok(())
    }

    /// Lets the ledger follow to the end.
    pub(crate) fn catch_up(&mut self) -> Result<(), Trouble> {
        self.leader.catch_up(&mut self.dice)
    }

    pub(crate) const fn ledger(&self) -> &rusqlite::Connection {
        self.books().connection()
    }

    /// The ledger, for who takes extracts.
    pub(crate) const fn books(&self) -> &Ledger {
        self.leader.ledger()
    }

    /// The second machine's ledger, which has folded the whole log too.
    pub(crate) fn twin(&mut self) -> Result<&Ledger, Trouble> {
        self.twin.catch_up(&mut self.dice)?;
        Ok(self.twin.ledger())
    }

    /// A handle for the log.
    pub(crate) fn handle(&self) -> Result<Box<dyn LogStore>, Trouble> {
        self.ground.log()
    }

    /// All that stands in the log.
    pub(crate) fn entries(&mut self) -> Result<Vec<Link>, Trouble> {
        let end = self.handles[1].head().map_err(text)?.seq;
        self.handles[0].read(Seq::ZERO, usize::try_from(end.get()).map_err(text)?).map_err(text)
    }

    /// The date of the log's last entry.
    pub(crate) fn head_at(&mut self) -> Result<Timestamp, Trouble> {
        Ok(self.handles[1].head().map_err(text)?.at)
    }

    /// Stores what arrived together: messages with their raw bytes, or registrations.
    pub(crate) fn receive(&mut self, at: Timestamp, arrived: &[Arrival]) -> Result<(), Trouble> {
        let mut drafts = Vec::new();
        for arrival in arrived {
            let entry = entry(arrival)?;
            if let LogEntry::Notification(told) = &entry {
                self.remember(&told.endpoint.endpoint, &told.events);
            }
            if let LogEntry::Hint(hint) = &entry {
                self.said.hint = Some(hint.clone());
            }
            let draft = match arrival {
                Arrival::Message { wire, .. } => {
                    let sealed = envelope(wire).seal(&SEAL, wire.as_request().payload()).map_err(text)?;
                    Draft::with_payload(&entry, sealed)
                }
                Arrival::Registration { .. } => Draft::new(&entry),
            };
            drafts.push(draft.map_err(text)?);
        }
        self.log(at, drafts)
    }

    /// Copies the ledger's file, which a death may put back.
    pub(crate) fn copy(&mut self) -> Result<(), Trouble> {
        self.leader.copy(&self.ground)
    }

    /// Dies at an instant, and is there again at another one. What it had folded may be lost; and before anything else it
    /// says since when it could not receive. So does a command that writes while nobody receives.
    pub(crate) fn die(&mut self, at: Timestamp, back_at: Timestamp) -> Result<(), Trouble> {
        self.leader.die(&self.ground, &mut self.dice)?;
        let last_sign = at.before(Duration::from_secs(self.dice.below(SIGN_OF_LIFE)));
        if self.dice.below(3) == 0 {
            let away = u64::try_from(back_at.since(at).as_millis()).map_err(text)?;
            let meanwhile = at.after(Duration::from_millis(self.dice.below(away + 1)));
            self.pause(last_sign, meanwhile)?;
            let idle = LogEntry::Told(Told { message_id: "nobody@world".to_owned() });
            self.log(meanwhile, vec![Draft::new(&idle).map_err(text)?])?;
        }
        self.pause(last_sign, back_at)
    }

    /// Says that nothing could be received since an instant, if that was long.
    pub(crate) fn pause(&mut self, since: Timestamp, at: Timestamp) -> Result<(), Trouble> {
        if at.since(since) < PAUSE {
            return Ok(());
        }
        let pause = Draft::new(&LogEntry::Pause(Pause { since })).map_err(text)?;
        self.log(at, vec![pause])
    }

    /// Lets time pass up to an instant: that a deadline has come is announced when it comes, or too late, or not at all, for
    /// the next entry does it as well.
    pub(crate) fn pass_time(&mut self, until: Timestamp) -> Result<(), Trouble> {
        let mut before = None;
        loop {
            self.catch_up()?;
            let Some(deadline) = self.books().position().next_deadline.filter(|at| *at <= until) else {
                return Ok(());
            };
            if before == Some(deadline) {
                return Err(format!("the deadline of {deadline} comes again and again"));
            }
            let at = match self.dice.below(8) {
                0 => return Ok(()),
                1 => {
                    let longest = u64::try_from(until.since(deadline).as_millis()).map_err(text)?;
                    deadline.after(Duration::from_millis(self.dice.below(longest + 1)))
                }
                _ => deadline,
            };
            self.log(at, vec![Draft::new(&LogEntry::Time).map_err(text)?])?;
            before = Some(deadline);
        }
    }

    /// Says what time it is, if a deadline lies before.
    pub(crate) fn announce(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.catch_up()?;
        while self.books().position().next_deadline.is_some_and(|deadline| deadline <= at) {
            self.append(at, [LogEntry::Time])?;
        }
        Ok(())
    }

    /// The clock was put back: what was dated ahead of it is put right.
    pub(crate) fn correct_clock(&mut self, clock: Timestamp) -> Result<(), Trouble> {
        let head = self.head_at()?;
        if head.since(clock) > TOLERATED {
            self.append(clock, [LogEntry::Clock(ClockCorrection { from: head })])?;
        }
        Ok(())
    }

    /// Mails what is owed. Now and then it dies between the intent and the departure, or the server does not take a mail.
    pub(crate) fn mail(&mut self, at: Timestamp) -> Result<(), Trouble> {
        loop {
            self.catch_up()?;
            let Some(message_id) = self.intend(at)? else { return Ok(()) };
            match self.dice.below(8) {
                0 => return Ok(()),
                1 => self
                    .books()
                    .note_attempt(&message_id, at.after(MAIL_AGAIN), Some("busy"))
                    .map_err(text)?,
                _ => self.depart(message_id, at)?,
            }
        }
    }

    /// Mails all that is owed: nothing hinders it any more.
    pub(crate) fn mail_all(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.catch_up()?;
        while let Some(message_id) = self.intend(at)? {
            self.depart(message_id, at)?;
        }
        Ok(())
    }

    /// The next mail, which is in the log before it leaves.
    fn intend(&mut self, at: Timestamp) -> Result<Option<String>, Trouble> {
        let Some(due) = self.books().next_mail(at, &Pace::of(self.digest)).map_err(text)? else {
            return Ok(None);
        };
        if let Some(message_id) = due.message_id {
            return Ok(Some(message_id));
        }
        self.mails += 1;
        let message_id = format!("mail-{}@world", self.mails);
        let about = MailAbout::Discrepancies(due.items);
        self.append(
            at,
            [LogEntry::Telling(Telling {
                message_id: message_id.clone(),
                way: cvco_domain::Way::mail(),
                about,
            })],
        )?;
        Ok(Some(message_id))
    }

    fn depart(&mut self, message_id: String, at: Timestamp) -> Result<(), Trouble> {
        let told = Told { message_id };
        self.said.told = Some(told.clone());
        self.append(at, [LogEntry::Told(told)])
    }

    /// Asks the APIs, until all that can be answered now is answered. `clock` is what the daemon's shows. What there is to
    /// ask is read in the ledger as it is.
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
        if answer.standing == Standing::Unsettled {
            self.said.undecided = Some(answer.clone());
        }
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

    /// What a place told of one of its orders.
    pub(crate) fn known_at(&self, place: Place) -> &[Event] {
        let id = place.endpoint().id.as_str();
        self.known
            .iter()
            .find(|((endpoint, _), _)| endpoint == id)
            .map_or(&[], |(_, events)| events.as_slice())
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
            asking: cvco_domain::Asking::Again,
        },
        asked_at: Timestamp::parse(&column(3)?).expect("a time"),
        order: row.get::<_, Option<String>>(4)?.map(|text| OrderRef::new(text).expect("a reference")),
    })
}

fn entry(arrival: &Arrival) -> Result<LogEntry, Trouble> {
    Ok(match arrival {
        Arrival::Message { place, wire } => understand(*place, wire)?,
        Arrival::Registration { place, reference, total, currency, due } => {
            LogEntry::Order(OrderRegistration {
                shop: place.endpoint().shop.clone(),
                reference: OrderRef::new(reference.as_str()).map_err(text)?,
                total: *total,
                currency: Currency::parse(currency).map_err(text)?,
                due: *due,
                instalments: Vec::new(),
            })
        }
    })
}

fn envelope(wire: &WireMessage) -> Envelope {
    Envelope {
        method: if wire.method == Method::Get { "GET" } else { "POST" }.to_owned(),
        query: wire.query.clone().into_bytes(),
        body: wire.body.clone().into_bytes(),
        peer: "192.0.2.1".to_owned(),
        user_agent: String::new(),
        headers: Vec::new(),
    }
}

/// What a message is evidence of: the one place that calls an adapter about a message.
fn understand(place: Place, wire: &WireMessage) -> Result<LogEntry, Trouble> {
    let (request, adapter) = (wire.as_request(), &place.endpoint().adapter);
    let message = adapter.prove(&request).map_err(|refused| format!("{place:?}: {refused}"))?;
    let (endpoint, origin) = (place.reference(), Origin::Call);
    match adapter.read(&message).map_err(|unread| format!("{place:?}: {unread}"))? {
        Reading::Facts { events, questions, remark, .. } => {
            Ok(LogEntry::Notification(Notification { endpoint, origin, events, questions, remark }))
        }
        Reading::Hint { questions, remark } => {
            Ok(LogEntry::Hint(Hint { endpoint, origin, questions, remark }))
        }
        Reading::Nothing { why } => Err(format!("{place:?} tells of nothing: {why}")),
    }
}

impl Place {
    /// The endpoint as the log names it.
    pub(crate) fn reference(self) -> EndpointRef {
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
