//! What a shop's years look like: orders of two PSPs with two to four notifications each, some of them repeated,
//! some refunded days later, every third registered. The same number gives the same story.

use anyhow::Result;
use cvco_domain::crypto::SealKey;
use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Currency, EndpointId,
    EndpointRef, Event, Instrument, Mode, Operation, OrderRef, Psp, ReportedState, ShopId, StatusCode,
    StatusReading, TenderId, Timestamp,
};
use cvco_log::entry::{Notification, OrderRegistration, Origin};
use cvco_log::{Draft, Envelope, LogEntry};

/// One order after the other begins; what an order tells next, it tells so many orders later.
const LATER: [u64; 4] = [0, 3, 40, 4_000];

/// When the first order begins.
pub(crate) const START: &str = "2020-01-01T06:00:00Z";

/// What happens at one step, in its order.
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) registration: Option<Draft>,
    pub(crate) notifications: Vec<Draft>,
}

/// `pace`: from one order to the next, in milliseconds; `key` seals the payloads.
pub(crate) fn step(number: u64, pace: i64, key: &SealKey) -> Result<Step> {
    let start = Timestamp::parse(START)?;
    let at = Timestamp::from_millis(start.millis() + i64::try_from(number)? * pace);
    let mut notifications = Vec::new();
    for (turn, later) in LATER.into_iter().enumerate() {
        if let Some(order) = number.checked_sub(later) {
            notifications.extend(Order(order).tells(turn, key)?);
        }
    }
    let order = Order(number);
    let registration = number.is_multiple_of(3).then(|| order.registration()).transpose()?;
    Ok(Step { at, registration, notifications })
}

struct Order(u64);

/// One part of an order's payment.
struct Part {
    instrument: Instrument,
    cents: i64,
    state: ReportedState,
    refund: bool,
}

impl Order {
    fn psp(&self) -> Psp {
        if self.0.is_multiple_of(2) { Psp::Up2pay } else { Psp::Sogecommerce }
    }

    /// A number that looks drawn: transactions come in no order.
    fn drawn(&self) -> u64 {
        self.0.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn voucher(&self) -> i64 {
        1_000 + i64::try_from(self.drawn() % 20_000).unwrap_or(0)
    }

    fn card(&self) -> i64 {
        500 + i64::try_from(self.drawn() / 20_000 % 20_000).unwrap_or(0)
    }

    fn reference(&self) -> String {
        format!("CMD{:010}", self.0)
    }

    fn registration(&self) -> Result<Draft> {
        Ok(Draft::new(&LogEntry::Order(OrderRegistration {
            shop: ShopId::new("camping")?,
            reference: OrderRef::new(self.reference())?,
            total: Cents::new(self.voucher() + self.card()),
            currency: Currency::EUR,
            due: None,
            instalments: Vec::new(),
        }))?)
    }

    /// What it tells in its first, second … turn. Up2pay tells part by part; Sogecommerce both parts at once, and
    /// again when they are captured.
    fn tells(&self, turn: usize, key: &SealKey) -> Result<Option<Draft>> {
        let authorised = ReportedState::Authorised;
        let part = |instrument, state, refund| {
            let cents = if instrument == Instrument::Voucher { self.voucher() } else { self.card() };
            Part { instrument, cents, state, refund }
        };
        let voucher = |state| part(Instrument::Voucher, state, false);
        let card = |state| part(Instrument::Card, state, false);
        let both = |state| vec![voucher(state), card(state)];
        let parts = match (self.psp(), turn) {
            (Psp::Up2pay, 0) => vec![voucher(authorised)],
            (Psp::Up2pay, 1) => vec![card(authorised)],
            // A repetition, as after a lost answer.
            (Psp::Up2pay, 2) if self.drawn().is_multiple_of(5) => vec![card(authorised)],
            (Psp::Sogecommerce, 0) => both(authorised),
            (Psp::Sogecommerce, 1) => both(ReportedState::Captured),
            (Psp::Sogecommerce, 2) if self.drawn().is_multiple_of(3) => both(ReportedState::Captured),
            (Psp::Sogecommerce, 3) if self.drawn().is_multiple_of(10) => {
                vec![part(Instrument::Card, ReportedState::Captured, true)]
            }
            _ => return Ok(None),
        };
        parts
            .iter()
            .map(|part| self.event(part))
            .collect::<Result<_>>()
            .and_then(|events| self.notification(events, key))
            .map(Some)
    }

    fn event(&self, part: &Part) -> Result<Event> {
        let voucher = part.instrument == Instrument::Voucher;
        let brand = match (self.psp(), voucher) {
            (Psp::Up2pay, true) => "CVCONNECT",
            (Psp::Up2pay, false) => "LIMOCB",
            (_, true) => "CVCO",
            (_, false) => "VISA",
        };
        let kind = if part.refund { 9 } else { u8::from(voucher) };
        let itemised = self.psp() == Psp::Sogecommerce;
        Ok(Event {
            order_ref: Some(OrderRef::new(self.reference())?),
            call_number: CallNumber::new(format!(
                "{:x}{}",
                self.drawn(),
                if part.refund { "r" } else { "" }
            ))?,
            tender_id: Some(TenderId::new(format!("{:016x}{kind}", self.drawn().rotate_left(17)))?),
            instrument: part.instrument,
            brand: Brand::new(brand)?,
            operation: if part.refund { Operation::Credit { of: None } } else { Operation::Debit },
            amount: Cents::new(part.cents),
            amount_from: AmountFrom::Part,
            running_total: None,
            currency: Currency::EUR,
            state: part.state,
            status: StatusCode { code: "00000".to_owned(), reading: StatusReading::Known },
            authorisation: match part.instrument {
                Instrument::Voucher => Authorisation::Absent,
                Instrument::Card => Authorisation::Number(AuthorisationNumber::new("292615")?),
            },
            contract: None,
            mode: None,
            complement: !voucher && !part.refund,
            order_total: itemised.then(|| Cents::new(self.voucher() + self.card())),
            itemised: itemised && !part.refund,
            parts_announced: None,
            occurred_at: None,
            accepted_at: None,
            revised: false,
        })
    }

    /// With a body of the length that such calls have; its facts stand in the notification.
    fn notification(&self, events: Vec<Event>, key: &SealKey) -> Result<Draft> {
        let body = format!("{events:?}").into_bytes();
        let psp = self.psp();
        let notification = Notification {
            endpoint: EndpointRef {
                shop: ShopId::new("camping")?,
                endpoint: EndpointId::new(format!("camping-{psp}"))?,
                psp,
                mode: Mode::Production,
            },
            origin: Origin::Call,
            events,
            questions: Vec::new(),
            remark: None,
        };
        let envelope = Envelope {
            method: "POST".to_owned(),
            query: Vec::new(),
            body: body.clone(),
            peer: "192.0.2.1".to_owned(),
            user_agent: String::new(),
            headers: Vec::new(),
        };
        let payload = envelope.seal(key, &body)?;
        Ok(Draft::with_payload(&LogEntry::Notification(notification), payload)?)
    }
}
