//! One order of the world: an episode, drawn and told.

use std::fmt;
use std::time::Duration;

use cvco_domain::{Mode, Psp, Timestamp};
use cvco_trial::simulate::Dice;

use crate::episodes::{EPISODES, Episode};
use crate::history::{Fate, History};
use crate::places::Place;
use crate::registration::{Registered, Way};
use crate::telling::{self, Account};
use crate::truth::{RecordRow, Truth, UNDATED};

/// An order, what happened to it, how it is told, and what must come of it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) episode: &'static Episode,
    pub(crate) history: History,
    pub(crate) account: Account,
    pub(crate) registered: Registered,
    pub(crate) truth: Truth,
    /// Where the network's chances come from.
    pub(crate) dice: Dice,
}

impl Order {
    /// Draws the `index`th order of a seed.
    pub(crate) fn draw(seed: u64, index: u64, required: bool, day: Timestamp) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(1009).wrapping_add(index));
        dice.next();
        let episode = &EPISODES[below(&mut dice, EPISODES.len())];
        let place = episode.places[below(&mut dice, episode.places.len())];
        // ANCV keeps 20 characters of a reference: these differ before.
        let reference = format!("CMD{:08}{index:02}", seed % 100_000_000);
        let at = crate::history::later(day, u32::try_from(dice.below(8 * 60)).expect("minutes"));
        Self::play(episode, place, reference, at, required, dice)
    }

    fn play(
        episode: &'static Episode,
        place: Place,
        reference: String,
        at: Timestamp,
        required: bool,
        mut dice: Dice,
    ) -> Self {
        let mut history = History::of(place, reference, episode.deeds, at, &mut dice);
        if episode.other_world {
            history.platform = match place.mode() {
                Mode::Production => Mode::Test,
                Mode::Test => Mode::Production,
            };
        }
        let registered = if episode.in_halves {
            Registered::in_halves(&history, required)
        } else {
            Registered::draw(&history, is_plain(episode, &history), required, &mut dice)
        };
        let account = telling::tell(&history, &mut dice);
        let truth = Truth::of(episode, &history, &account, &registered);
        Self { episode, history, account, registered, truth, dice }
    }

    /// Only notifications date what happened: what the API alone tells has the daemon's own time. Sogecommerce dates a later
    /// capture like the payment: the daemon has it from when it heard of it, which is never before it happened, but for what
    /// its own clock is wrong by.
    pub(crate) fn forget_unknown_times(&self, records: &mut [RecordRow], clock_error: Duration) {
        let truths: Vec<_> = self.truth.records.iter().flat_map(|record| &record.tenders).collect();
        for tender in records.iter_mut().flat_map(|record| &mut record.tenders) {
            let Some(truth) = truths.iter().find(|truth| truth.id == tender.id) else { continue };
            if truth.times == UNDATED {
                tender.times = UNDATED;
            }
            let [accepted, captured, _] = &truth.times;
            let is_heard_of = self.history.place.psp() == Psp::Sogecommerce && captured > accepted;
            let earliest = instant(captured.as_deref()).map(|at| at.before(clock_error));
            if is_heard_of && instant(tender.times[1].as_deref()) >= earliest {
                tender.times[1].clone_from(captured);
            }
        }
    }

    /// When the shop changes its mind after the payment, the payment must have been heard of before.
    pub(crate) fn bears_long_delays(&self) -> bool {
        self.registered.way != Way::Changed
    }
}

fn instant(text: Option<&str>) -> Option<Timestamp> {
    text.map(|text| Timestamp::parse(text).expect("an instant"))
}

/// Paid to the cent, nothing lost, and nothing done to it afterwards.
fn is_plain(episode: &Episode, history: &History) -> bool {
    let untouched = history.parts.iter().all(|part| {
        part.backs.is_empty()
            && part.fates.iter().all(|told| {
                !told.lost
                    && !matches!(told.what, Fate::Cancelled | Fate::Lapsed)
                    && !told.what.is_of_refund()
            })
    });
    episode.open.is_empty() && episode.closed.is_empty() && !episode.joined && untouched
}

pub(crate) fn below(dice: &mut Dice, bound: usize) -> usize {
    usize::try_from(dice.below(bound as u64)).expect("small")
}

/// The story of an order, for people.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let History { place, reference, total, .. } = &self.history;
        writeln!(f, "order {reference} over {total}: {:?} at {place:?}", self.episode.name)?;
        for (at, total, currency) in &self.registered.calls {
            writeln!(f, "  {at} registered over {total} {currency}")?;
        }
        let mut notices: Vec<_> = self.account.notices.iter().collect();
        notices.sort_by_key(|notice| notice.at);
        for notice in notices {
            writeln!(f, "  {} told: {}", notice.at, notice.words)?;
        }
        Ok(())
    }
}
