//! What becomes of messages on their way: sent again, overtaken, held up for minutes or days. What is lost for good
//! is the episodes' business.

use cvco_domain::{Cents, Timestamp};
use cvco_psp::WireMessage;
use cvco_trial::simulate::Dice;

use crate::order::Order;
use crate::places::Place;

/// How the network treats an order's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// They arrive within a minute, in any order.
    Calm,
    /// They arrive within hours.
    Rough,
    /// They arrive within days, so that what came last may be heard of first.
    Wild,
}

/// Something that reaches the daemon.
#[derive(Debug, Clone)]
pub(crate) enum Arrival {
    Message {
        place: Place,
        wire: WireMessage,
    },
    Registration {
        place: Place,
        reference: String,
        total: Cents,
        currency: &'static str,
        due: Option<Timestamp>,
    },
}

impl Arrival {
    pub(crate) const fn is_message(&self) -> bool {
        matches!(self, Self::Message { .. })
    }
}

/// Something that reaches the daemon, and when.
pub(crate) type Delivery = (Timestamp, Arrival);

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// All that reaches the daemon about an order.
pub(crate) fn deliveries(order: &Order, weather: Weather, dice: &mut Dice) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    let longest = match weather {
        Weather::Calm => MINUTE,
        Weather::Wild if order.bears_long_delays() => 6 * DAY,
        Weather::Rough | Weather::Wild => 10 * 60 * MINUTE,
    };
    for notice in &order.account.notices {
        let mut at = after(notice.at, dice.below(longest));
        let place = notice.place;
        deliveries.push((at, Arrival::Message { place, wire: notice.wire.clone() }));
        // One in three comes again, a few seconds or days later.
        for _ in 0..dice.below(9).saturating_sub(6) {
            let pause = if dice.below(2) == 0 { MINUTE } else { 3 * DAY };
            at = after(at, dice.below(pause));
            deliveries.push((at, Arrival::Message { place, wire: notice.again.clone() }));
        }
    }
    for (at, total, currency) in &order.registered.calls {
        let (place, reference) = (order.history.place, order.history.reference.clone());
        deliveries.push((
            *at,
            Arrival::Registration { place, reference, total: *total, currency, due: order.registered.due },
        ));
    }
    deliveries
}

/// So many seconds later.
pub(crate) fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.after(std::time::Duration::from_secs(seconds))
}
