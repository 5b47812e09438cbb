//! What is told next, and what waits: no noise, no silence. Pure: the rows that wait, the messages that left, the settings,
//! and the time.
//!
//! | news | leaves |
//! |---|---|
//! | urgent | at once and alone; after five messages of a shop in ten minutes, one lists the rest |
//! | others | together, at most one message of a shop in its digest interval |
//! | of a later instant | not before it |
//! | escalated | together, to others; at most one message of a shop in ten minutes |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_domain::{News, ShopId, Timestamp};

/// So many urgent messages of a shop leave alone …
const ALONE: usize = 5;

/// … in this time.
pub(super) const WINDOW: Duration = Duration::from_mins(10);

/// So long the message that lists the rest waits for more.
const GATHERED_FOR: Duration = Duration::from_mins(1);

/// When people are not to be disturbed, by a clock in Paris.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// From this minute of the day on …
    pub from: u32,
    /// … to before this one, which may lie in the next day.
    pub to: u32,
    /// What is urgent comes all the same.
    pub urgent_passes: bool,
}

impl QuietHours {
    /// When the quiet ends that reigns at an instant; `None` if none does.
    fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let (hour, minute, second) = now.paris_time();
        let minute = hour * 60 + minute;
        let is_quiet = if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        };
        // By the clock on the wall; where it is changed in between, the end is looked for again.
        let left = (self.to + 24 * 60 - minute) % (24 * 60);
        is_quiet
            .then(|| now.after(Duration::from_secs(u64::from(left * 60).saturating_sub(u64::from(second)))))
    }
}

/// How often people want to hear of what can wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// At most one message of a shop in this time; zero: each at once, by itself.
    pub digest: Duration,
    /// Of shops that differ.
    pub of_shops: BTreeMap<ShopId, Duration>,
    /// When they want to hear nothing.
    pub quiet: Option<QuietHours>,
}

impl Pace {
    /// The same for all shops, at any hour.
    #[must_use]
    pub const fn of(digest: Duration) -> Self {
        Self { digest, of_shops: BTreeMap::new(), quiet: None }
    }

    fn digest_of(&self, shop: Option<&ShopId>) -> Duration {
        shop.and_then(|shop| self.of_shops.get(shop)).copied().unwrap_or(self.digest)
    }

    /// How far back messages matter to what is told next.
    pub(super) fn memory(&self) -> Duration {
        self.of_shops.values().copied().fold(self.digest.max(WINDOW), Duration::max)
    }
}

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It cannot wait.
    Urgent,
    /// To others, since nobody has seen what it tells.
    Escalation,
    /// It can wait.
    Digest,
}

impl Class {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Escalation => "escalation",
            Self::Digest => "digest",
        }
    }

    pub(super) fn of(news: News, urgent: bool) -> Self {
        match news {
            News::Escalated => Self::Escalation,
            News::Opened | News::Reminded | News::Closed if urgent => Self::Urgent,
            News::Opened | News::Reminded | News::Closed => Self::Digest,
        }
    }
}

/// A piece of news that no message carries yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) shop: Option<ShopId>,
    pub(super) class: Class,
    pub(super) news: News,
    pub(super) owed_at: Timestamp,
    /// The message that opened its thread.
    pub(super) thread: Option<String>,
}

/// A message that left, or is about to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recent {
    pub(super) shop: Option<ShopId>,
    pub(super) class: Class,
    pub(super) at: Timestamp,
}

/// What is told next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// The pieces of news of one message, by their places.
    Now(BTreeSet<usize>),
    /// Nothing, before this instant.
    At(Timestamp),
    /// Nothing waits.
    Never,
}

/// What is told next. `waiting` is in the order in which it came to be owed.
pub(super) fn next(waiting: &[Waiting], recent: &[Recent], pace: &Pace, now: Timestamp) -> Next {
    let mut groups: BTreeMap<(Class, Option<&ShopId>), Vec<usize>> = BTreeMap::new();
    let mut next_at = None;
    for (place, one) in waiting.iter().enumerate() {
        if one.owed_at > now {
            next_at = next_at.into_iter().chain([one.owed_at]).min();
        } else {
            groups.entry((one.class, one.shop.as_ref())).or_default().push(place);
        }
    }
    // Of several messages that may leave now: the urgent first, then what has waited longest.
    let mut due: Vec<(Class, usize, BTreeSet<usize>)> = Vec::new();
    for ((class, shop), places) in groups {
        let sent: Vec<Timestamp> = recent
            .iter()
            .filter(|one| one.class == class && one.shop.as_ref() == shop)
            .map(|one| one.at)
            .collect();
        let group = Group { waiting, places: &places, class, digest: pace.digest_of(shop) };
        let at = group.may_leave_at(&sent, now).max(pace.quiet_until(class, now).unwrap_or(now));
        if at <= now {
            let first = places.first().copied().unwrap_or_default();
            due.push((class, first, group.message(sent_since(&sent, now, WINDOW), now)));
        } else {
            next_at = next_at.into_iter().chain([at]).min();
        }
    }
    due.sort();
    match (due.into_iter().next(), next_at) {
        (Some((_, _, message)), _) => Next::Now(message),
        (None, Some(at)) => Next::At(at),
        (None, None) => Next::Never,
    }
}

impl Pace {
    fn quiet_until(&self, class: Class, now: Timestamp) -> Option<Timestamp> {
        let quiet = self.quiet.filter(|quiet| class == Class::Digest || !quiet.urgent_passes)?;
        quiet.end(now)
    }
}

fn sent_since(sent: &[Timestamp], now: Timestamp, span: Duration) -> usize {
    sent.iter().filter(|at| at.after(span) > now).count()
}

/// What waits of one shop, and is as urgent.
struct Group<'w> {
    waiting: &'w [Waiting],
    places: &'w [usize],
    class: Class,
    digest: Duration,
}

impl Group<'_> {
    fn get(&self, place: usize) -> Option<&Waiting> {
        self.waiting.get(place)
    }

    fn oldest(&self, now: Timestamp) -> Timestamp {
        self.places.iter().filter_map(|place| self.get(*place)).map(|one| one.owed_at).min().unwrap_or(now)
    }

    /// When the next message may leave; `sent` are those before it.
    fn may_leave_at(&self, sent: &[Timestamp], now: Timestamp) -> Timestamp {
        if self.digest.is_zero() {
            return now;
        }
        let after_last = |span| sent.iter().max().map_or(now, |last| last.after(span));
        match self.class {
            Class::Digest => after_last(self.digest),
            Class::Escalation => after_last(WINDOW),
            Class::Urgent => {
                let mut sent = sent.to_vec();
                sent.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
                match sent_since(&sent, now, WINDOW) {
                    few if few < ALONE => now,
                    ALONE => self.oldest(now).after(GATHERED_FOR),
                    _ => sent.get(ALONE).map_or(now, |at| at.after(WINDOW)),
                }
            }
        }
    }

    /// What the next message tells; `sent`: how many of this kind left within the window.
    fn message(&self, sent: usize, now: Timestamp) -> BTreeSet<usize> {
        let Some((first, one)) = self.places.first().and_then(|place| Some((*place, self.get(*place)?)))
        else {
            return BTreeSet::new();
        };
        if self.digest.is_zero() {
            return BTreeSet::from([first]);
        }
        let is_fresh = self.oldest(now).after(GATHERED_FOR) > now;
        let all_alone = self.places.len().saturating_add(sent) <= ALONE || is_fresh;
        if self.class != Class::Urgent || sent >= ALONE || !all_alone {
            return self.places.iter().copied().collect();
        }
        // What closes in one thread is one piece of news.
        let goes_with = |other: &Waiting| {
            one.news == News::Closed && other.news == News::Closed && other.thread == one.thread
        };
        self.places
            .iter()
            .copied()
            .filter(|place| *place == first || self.get(*place).is_some_and(goes_with))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        // Noon in Paris.
        Timestamp::parse("2026-03-02T11:00:00Z").expect("an instant").after(Duration::from_secs(seconds))
    }

    fn urgent(seconds: u64) -> Waiting {
        let shop = ShopId::new("camping").ok();
        Waiting { shop, class: Class::Urgent, news: News::Opened, owed_at: at(seconds), thread: None }
    }

    fn warning(seconds: u64) -> Waiting {
        Waiting { class: Class::Digest, ..urgent(seconds) }
    }

    /// Plays a time: what is owed at which second, and how often somebody looks. What each message held, and when it left.
    fn play(owed: &[Waiting], pace: &Pace, until: u64) -> Vec<(u64, usize)> {
        let (mut left, mut recent, mut messages) = (owed.to_vec(), Vec::new(), Vec::new());
        for second in 0..until {
            loop {
                let now = at(second);
                let there: Vec<Waiting> = left.iter().filter(|one| one.owed_at <= now).cloned().collect();
                let Next::Now(places) = next(&there, &recent, pace, now) else { break };
                let first = &there[*places.first().expect("a message tells something")];
                recent.push(Recent { shop: first.shop.clone(), class: first.class, at: now });
                messages.push((second, places.len()));
                let gone: Vec<Waiting> = places.iter().map(|place| there[*place].clone()).collect();
                for one in gone {
                    let found = left.iter().position(|other| *other == one).expect("it waited");
                    left.remove(found);
                }
            }
        }
        assert!(left.is_empty(), "{} were never told", left.len());
        messages
    }

    const DIGEST: Pace = Pace::of(Duration::from_mins(15));

    #[test]
    fn what_is_owed_from_a_later_instant_waits_for_it_and_holds_nothing_up() {
        let pace = Pace::of(Duration::from_mins(15));
        assert_eq!(next(&[urgent(60)], &[], &pace, at(0)), Next::At(at(60)));
        assert_eq!(next(&[urgent(60)], &[], &pace, at(60)), Next::Now(BTreeSet::from([0])));
        assert_eq!(next(&[urgent(60), urgent(0)], &[], &pace, at(0)), Next::Now(BTreeSet::from([1])));
        assert_eq!(next(&[urgent(60)], &[], &Pace::of(Duration::ZERO), at(0)), Next::At(at(60)));
    }

    #[test]
    fn sixty_urgent_ones_in_three_seconds_are_six_messages() {
        let owed: Vec<Waiting> = (0..60).map(|n| urgent(n / 20)).collect();
        let messages = play(&owed, &DIGEST, 3600);
        assert_eq!(messages.len(), 6, "{messages:?}");
        assert_eq!(messages.iter().map(|(_, news)| news).sum::<usize>(), 60, "each in exactly one");
        assert_eq!(messages.last(), Some(&(60, 55)), "the rest within a minute");
    }

    #[test]
    fn a_storm_that_lasts_is_never_more_than_six_messages_in_ten_minutes() {
        let owed: Vec<Waiting> = (0..720).map(|n| urgent(n * 10)).collect();
        let messages = play(&owed, &DIGEST, 3 * 3600);
        for (start, _) in &messages {
            let within = messages.iter().filter(|(at, _)| at >= start && *at < start + 600).count();
            assert!(within <= 6, "{messages:?}");
        }
        assert_eq!(messages.iter().map(|(_, news)| news).sum::<usize>(), 720);
    }

    #[test]
    fn what_waited_through_an_outage_is_one_list() {
        let owed: Vec<Waiting> = (0..60).map(|_| urgent(0)).collect();
        assert!(matches!(next(&owed, &[], &DIGEST, at(3600)), Next::Now(all) if all.len() == 60));
        assert!(matches!(next(&owed[..3], &[], &DIGEST, at(3600)), Next::Now(one) if one.len() == 1));
    }

    #[test]
    fn warnings_share_one_message_in_the_digest_interval() {
        let owed: Vec<Waiting> = (0..60).map(|n| warning(n * 60)).collect();
        assert_eq!(play(&owed, &DIGEST, 2 * 3600), [(0, 1), (900, 15), (1800, 15), (2700, 15), (3600, 14)]);
        assert_eq!(play(&owed[..3], &Pace::of(Duration::ZERO), 300), [(0, 1), (60, 1), (120, 1)]);
    }

    #[test]
    fn a_shop_may_have_an_interval_of_its_own() {
        let mut pace = DIGEST;
        pace.of_shops.insert(ShopId::new("camping").expect("a shop"), Duration::from_mins(1));
        assert_eq!(play(&[warning(0), warning(1)], &pace, 900), [(0, 1), (60, 1)]);
    }

    #[test]
    fn in_quiet_hours_only_what_is_urgent_passes_and_not_even_that_by_setting() {
        let quiet = |urgent_passes| QuietHours { from: 22 * 60, to: 7 * 60, urgent_passes };
        let night = Timestamp::parse("2026-03-02T22:30:30Z").expect("half past eleven at night");
        let morning = Timestamp::parse("2026-03-03T06:00:00Z").expect("seven o'clock");
        let waits = |one: Waiting, urgent_passes| {
            let pace = Pace { quiet: Some(quiet(urgent_passes)), ..DIGEST };
            next(&[Waiting { owed_at: night, ..one }], &[], &pace, night)
        };
        assert_eq!(waits(warning(0), true), Next::At(morning));
        assert_eq!(waits(urgent(0), true), Next::Now(BTreeSet::from([0])));
        assert_eq!(waits(urgent(0), false), Next::At(morning));
        assert_eq!(quiet(true).end(morning), None);
        let by_day = QuietHours { from: 12 * 60, to: 14 * 60, urgent_passes: true };
        assert_eq!(by_day.end(at(0)), Some(at(7200)));
        assert_eq!(by_day.end(morning), None);
    }

    #[test]
    fn escalations_of_a_shop_are_one_message() {
        let escalated =
            |seconds| Waiting { class: Class::Escalation, news: News::Escalated, ..urgent(seconds) };
        assert_eq!(play(&[escalated(0), escalated(0), escalated(5)], &DIGEST, 900), [(0, 2), (600, 1)]);
    }
}
