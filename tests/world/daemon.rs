//! The daemon, without its sockets: the real adapters read, the real ledger stores, the APIs are asked, and the rules
//! of time are applied.

use std::collections::BTreeMap;

use cvco_domain::crypto::sha256;
use cvco_domain::{Currency, EndpointId, Event, OrderRef, Question, Standing, Subject, Timestamp, Topic};
use cvco_psp::api::{Answer, Exchange, Inquiry, Step};
use cvco_psp::{Method, WireMessage};
use cvco_reconcile::Policy;
use cvco_reconciled::ledger::{
    Acknowledgement, Act, Arrival as Kept, Confirmation, Entry, Envelope, Notification, OrderRegistration,
    Origin, Store,
};
use rusqlite::Row;

use crate::network::Arrival;
use crate::places::Place;
use crate::telling::{Page, answer};

/// The daemon.
pub(crate) struct Daemon {
    store: Store,
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
    /// Starts with an empty ledger.
    pub(crate) fn start(at: Timestamp, policy: Policy) -> Result<Self, Trouble> {
        let mut store = Store::in_memory().map_err(text)?;
        store.take_all(at, &[Entry::Policy(policy)]).map_err(text)?;
        Ok(Self { store, known: BTreeMap::new() })
    }

    /// The ledger, for who keeps its books.
    pub(crate) const fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    pub(crate) const fn ledger(&self) -> &rusqlite::Connection {
        self.store.connection()
    }

    /// Stores what arrived together, in one transaction: messages with their raw bytes, or registrations.
    pub(crate) fn receive(&mut self, at: Timestamp, arrived: &[Arrival]) -> Result<(), Trouble> {
        let (mut calls, mut registrations) = (Vec::new(), Vec::new());
        for arrival in arrived {
            match (arrival, entry(arrival)?) {
                (Arrival::Message { wire, .. }, Entry::Notification(notification)) => {
                    self.remember(&notification.endpoint, &notification.events);
                    calls.push((at, Kept { notification, envelope: envelope(wire) }));
                }
                (_, registration) => registrations.push(registration),
            }
        }
        if !registrations.is_empty() {
            self.store.take_all(at, &registrations).map_err(text)?;
        }
        if !calls.is_empty() {
            self.store.import_all(calls).map_err(text)?;
        }
        Ok(())
    }

    /// Dies after it took what arrived, and before the commit: the last entry cannot be taken, so none is.
    pub(crate) fn crash(&mut self, at: Timestamp, arrived: &[Arrival]) -> Result<(), Trouble> {
        let mut entries = arrived.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let nothing = Acknowledgement {
            discrepancy: -1,
            note: None,
            by: String::new(),
            act: Act::Acknowledged,
            of: None,
        };
        entries.push(Entry::Acknowledgement(nothing));
        match self.store.take_all(at, &entries) {
            Err(_) => Ok(()),
            Ok(_) => Err("a transaction that cannot be taken was taken".to_owned()),
        }
    }

    pub(crate) fn sweep(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.store.sweep(at).map(drop).map_err(text)
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
        let confirmation = Confirmation {
            shop: endpoint.shop.clone(),
            endpoint: endpoint.id.clone(),
            psp: waiting.place.psp(),
            mode: waiting.place.mode(),
            question: waiting.question.clone(),
            asked_at: waiting.asked_at,
            standing: answer.standing,
            events: answer.events,
            questions: answer.questions,
            remark: answer.remark,
            // No bytes of it are kept here.
            payload_sha256: sha256(&[]).to_string(),
        };
        self.store.take_all(clock, &[Entry::Confirmation(confirmation)]).map(drop).map_err(text)
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

fn entry(arrival: &Arrival) -> Result<Entry, Trouble> {
    Ok(match arrival {
        Arrival::Message { place, wire } => Entry::Notification(notification(*place, wire)?),
        Arrival::Registration { place, reference, total, currency } => Entry::Order(OrderRegistration {
            shop: place.endpoint().shop.clone(),
            reference: OrderRef::new(reference.as_str()).map_err(text)?,
            total: *total,
            currency: Currency::parse(currency).map_err(text)?,
            due: None,
        }),
    })
}

fn notification(place: Place, wire: &WireMessage) -> Result<Notification, Trouble> {
    let (endpoint, request) = (place.endpoint(), wire.as_request());
    let reading = endpoint.adapter.read(&request).map_err(|refused| format!("{place:?}: {refused}"))?;
    Ok(Notification {
        shop: endpoint.shop.clone(),
        endpoint: endpoint.id.clone(),
        psp: place.psp(),
        mode: place.mode(),
        origin: Origin::Call,
        events: reading.events,
        questions: reading.questions,
        remark: reading.remark,
        payload_sha256: sha256(&[request.payload()]).to_string(),
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

pub(crate) fn text(error: impl std::fmt::Display) -> Trouble {
    error.to_string()
}
