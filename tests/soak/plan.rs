//! What happens when: drawn from a seed, so that a run can be played again.

use std::time::Duration;

/// What happens to a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A PSP sends what it held back.
    Burst,
    Quiet,
    /// It is stopped in good order, and started again.
    Stop,
    Kill,
    Export,
    Close,
    Backup,
    Verify,
    MailFails,
    MailWorks,
    ApiFails,
    ApiWorks,
}

/// The events of a run.
pub struct Plan {
    pub length: Duration,
    /// Each with its time since the start.
    pub events: Vec<(Duration, Event)>,
}

/// From one event to the next.
const EVERY: Duration = Duration::from_secs(1);

/// A run of hours has no more events than this.
const AT_MOST: u32 = 480;

/// At the end of a run of hours the API answers for so long: a question that failed often is asked again by then.
const CALM: Duration = Duration::from_mins(11);

/// A run of seconds has each of these once.
const EACH: [Event; 12] = [
    Event::Burst,
    Event::ApiFails,
    Event::Kill,
    Event::MailFails,
    Event::Export,
    Event::ApiWorks,
    Event::Burst,
    Event::Stop,
    Event::Close,
    Event::MailWorks,
    Event::Backup,
    Event::Verify,
];

impl Plan {
    pub fn new(seed: u64, length: Duration) -> Self {
        let every = EVERY.max(length / AT_MOST);
        let times = (1..).map(|number| every * number).take_while(|at| *at <= length);
        let events = if length > Duration::from_mins(1) {
            let (mut state, mut is_calm) = (seed, false);
            let calm = length.saturating_sub(CALM);
            let event = |at: Duration| {
                let event = drawn(next(&mut state));
                if at >= calm && !is_calm {
                    is_calm = true;
                    return (at, Event::ApiWorks);
                }
                (at, if is_calm && event == Event::ApiFails { Event::Quiet } else { event })
            };
            times.map(event).collect()
        } else {
            times.zip(EACH.into_iter().cycle()).collect()
        };
        Self { length, events }
    }
}

/// It lives long between two deaths: memory grows within a life.
fn drawn(number: u64) -> Event {
    match number % 100 {
        0..2 => Event::Kill,
        2..4 => Event::Stop,
        4..14 => Event::Burst,
        14..20 => Event::Export,
        20..24 => Event::Close,
        24..28 => Event::Backup,
        28..30 => Event::Verify,
        30..38 => Event::MailFails,
        38..50 => Event::MailWorks,
        50..55 => Event::ApiFails,
        55..63 => Event::ApiWorks,
        _ => Event::Quiet,
    }
}

/// `SplitMix64` (Steele, Lea and Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
