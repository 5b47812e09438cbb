//! Decides which message is sent when, and over which connection, before the first one is sent.

use std::iter::repeat_n;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use super::actor::{Message, Play};
use super::dice::Dice;
use super::scenario::Scenario;

/// How fast to send, and over how many connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// So many messages a second, however slow the answers are; `None`: as fast as the connections allow.
    pub per_second: Option<NonZeroU32>,
    /// Connections that are kept open.
    pub connections: NonZeroUsize,
}

/// A message, with the moment when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScheduledMessage {
    /// When to send it, from the start of the run; `None`: when its connection is free.
    pub(super) due: Option<Duration>,
    /// The story that it belongs to.
    pub(super) scenario: Scenario,
    /// The order that it belongs to.
    pub(super) reference: Arc<str>,
    pub(super) message: Message,
}

/// How many buyers pay at the same time.
const CROWD: usize = 64;

/// The messages of each connection. Messages of different plays are shuffled among each other; those of one play
/// keep their order, because they all go over one connection.
pub(super) fn lanes(plan: Vec<Play>, pace: Pace) -> Vec<Vec<ScheduledMessage>> {
    let mut lanes = vec![Vec::new(); pace.connections.get()];
    for (turn, (play, mut scheduled)) in (0_u32..).zip(shuffled(plan)) {
        scheduled.due = pace.per_second.map(|rate| due(turn, rate));
        if let Some(lane) = lanes.get_mut(play % pace.connections) {
            lane.push(scheduled);
        }
    }
    lanes
}

fn due(turn: u32, per_second: NonZeroU32) -> Duration {
    let nanos = u64::from(turn) * 1_000_000_000 / u64::from(per_second.get());
    Duration::from_nanos(nanos)
}

/// All messages in the order of sending, each with the number of its play.
fn shuffled(plan: Vec<Play>) -> impl Iterator<Item = (usize, ScheduledMessage)> {
    let mut dice = Dice::new(0);
    let mut plays = plan.into_iter().enumerate().peekable();
    std::iter::from_fn(move || {
        plays.peek()?;
        let (numbers, crowd): (Vec<_>, Vec<_>) = plays.by_ref().take(CROWD).unzip();
        let mut turns: Vec<_> =
            crowd.iter().enumerate().flat_map(|(n, play)| repeat_n(n, play.messages.len())).collect();
        dice.shuffle(&mut turns);
        let mut queues: Vec<_> = numbers.into_iter().zip(crowd.into_iter().map(messages)).collect();
        let next = move |n: usize| {
            let (number, queue) = queues.get_mut(n)?;
            Some((*number, queue.next()?))
        };
        Some(turns.into_iter().filter_map(next))
    })
    .flatten()
}

fn messages(play: Play) -> impl Iterator<Item = ScheduledMessage> {
    let reference: Arc<str> = play.reference.into();
    play.messages.into_iter().map(move |message| ScheduledMessage {
        due: None,
        scenario: play.scenario,
        reference: Arc::clone(&reference),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::tests::actor;
    use cvco_domain::Timestamp;

    fn pace(per_second: Option<u32>, connections: usize) -> Pace {
        Pace {
            per_second: per_second.and_then(NonZeroU32::new),
            connections: NonZeroUsize::new(connections).expect("more than none"),
        }
    }

    fn plan() -> Vec<Play> {
        actor(5).play_mix(150, Timestamp::from_millis(0))
    }

    #[test]
    fn every_message_is_sent_once_and_a_play_keeps_its_order_on_one_connection() {
        let mut lanes = lanes(plan(), pace(None, 7));
        assert_eq!(lanes.len(), 7);
        for play in plan() {
            let found: Vec<Vec<Message>> = lanes
                .iter_mut()
                .map(|lane| lane.extract_if(.., |scheduled| *scheduled.reference == *play.reference))
                .map(|messages| messages.map(|scheduled| scheduled.message).collect())
                .filter(|messages: &Vec<_>| !messages.is_empty())
                .collect();
            assert_eq!(found, [play.messages]);
        }
        assert!(lanes.iter().all(Vec::is_empty));
    }

    #[test]
    fn plays_overlap() {
        let sent: Vec<_> = shuffled(plan()).map(|(play, _)| play).collect();
        assert!(!sent.is_sorted());
    }

    #[test]
    fn the_times_are_evenly_spaced_over_all_connections() {
        let lanes = lanes(plan(), pace(Some(400), 3));
        let mut dues: Vec<_> =
            lanes.iter().flatten().map(|scheduled| scheduled.due.expect("timed")).collect();
        dues.sort();
        let even: Vec<_> = (0..).map(|n| Duration::from_micros(n * 2500)).take(dues.len()).collect();
        assert_eq!(dues, even);
    }
}
