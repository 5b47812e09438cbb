//! A world: a few orders, the weather, a daemon that may die, and a clock that may jump; lived through to its end and
//! compared with the truth.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use cvco_domain::{Cents, Period, Policy, Timestamp};
use cvco_ledger::Ledger;
use cvco_log::row::{Link, Logged};
use cvco_log::{Draft, LogEntry, LogStore, MemoryLog};
use cvco_trial::simulate::Dice;

use crate::cents::{self, Counted};
use crate::clutter;
use crate::daemon::{Daemon, Trouble, text};
use crate::machine::Ground;
use crate::network::{Arrival, Delivery, Weather, after, deliveries};
use crate::order::{Order, below};
use crate::places::policy;
use crate::telling::Page;
use crate::views::{self, Found};

/// Everything that a seed decides.
#[derive(Debug, Clone)]
pub(crate) struct World {
    seed: u64,
    start: Timestamp,
    policy: Policy,
    pub(crate) orders: Vec<Order>,
    /// What it is spared, whatever the dice say.
    spared: BTreeSet<Hardship>,
}

/// What makes life hard for a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hardship {
    /// The network holds messages up for hours or days.
    Weather,
    /// The daemon dies, and is away for a while.
    Deaths,
    /// Its clock jumps now and then.
    Jumps,
    /// Entries come that say nothing.
    Clutter,
    /// Log and ledgers stand in files.
    Files,
}

impl Hardship {
    pub(crate) const ALL: [Self; 5] = [Self::Weather, Self::Deaths, Self::Jumps, Self::Clutter, Self::Files];
}

/// What the network and the machine do to one telling of a world.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a hardship of its own, drawn apart")]
struct Luck {
    weather: Weather,
    /// So often the daemon may still die.
    deaths: u64,
    /// Nobody starts it again for hours.
    lies_long: bool,
    jumps: bool,
    clutter: bool,
    files: bool,
    dice: Dice,
}

/// What came of a world.
#[derive(Debug, Default)]
pub(crate) struct Lived {
    /// What is not as it should be; nothing if all is well.
    pub(crate) wrong: Vec<Trouble>,
    pub(crate) counted: Counted,
}

/// What may be raised for a while where messages are held up: something is missing, or was not told yet.
const PASSING: [&str; 17] = [
    "amount_over",
    "amount_short",
    "capture_overdue",
    "complement_missing",
    "complement_orphan",
    "currency_unexpected",
    "double_payment",
    "order_unknown",
    "refund_late",
    "refund_not_allowed",
    "refund_order",
    "refund_partial",
    "sequence_disagrees",
    "total_unknown",
    "unconfirmed",
    "unknown_status",
    "voucher_orphan",
];

/// One ledger in so many is proven as a whole: it takes longer than a world.
const PROVEN: u64 = 50;

/// One world in so many is told once more, in another order and with other deaths.
const TOLD_TWICE: u64 = 8;

/// One log in so many is folded once more as if nobody had announced what time it is.
const UNANNOUNCED: u64 = 4;

/// One world in so many stands in files.
const FILES: u64 = 100;

/// The clock is wrong by this much at most.
const CLOCK_ERROR: Duration = Duration::from_hours(2);

/// A shorter absence is no pause.
const PAUSE: Duration = Duration::from_secs(2);

/// Calls that found nobody are waited for as long as the pause took, and no longer than this.
const LONGEST_HOLD: Duration = Duration::from_mins(10);

/// A process that stands still longer than this, by the clock, says so.
const STOOD_STILL: i64 = 15_000;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl World {
    /// Draws a world.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let required = dice.below(3) == 0;
        let first = Timestamp::parse("2026-03-01T08:00:00Z").expect("a time");
        // From March to September: PSPs that tell Paris time are read through the night that skips an hour.
        let start = after(first, dice.below(200) * DAY);
        let count = 1 + dice.below(3);
        let draw = |index| Order::draw(seed, index, required, after(start, 180 * MINUTE));
        let orders = (0..count).map(draw).collect();
        Self { seed, start, policy: policy(required), orders, spared: BTreeSet::new() }
    }

    /// A world of a year: an order a day, and nothing that hinders its messages but days of delay.
    pub(crate) fn of_a_year(seed: u64, policy: Policy) -> Self {
        let start = Timestamp::parse("2026-01-05T08:00:00Z").expect("a time");
        let draw = |n: u64| Order::draw(seed, n, false, after(start, n * DAY));
        Self { seed, start, policy, orders: (0..350).map(draw).collect(), spared: BTreeSet::new() }
    }

    /// Lives through it in calm weather.
    pub(crate) fn lived(&self) -> Result<Daemon, Trouble> {
        self.lived_under(Weather::Calm, |_, _| Ok(()))
    }

    /// Lives through it in weather that holds messages up for days, while each month is closed a day after its end.
    pub(crate) fn lived_closing_each_month(
        &self,
        mut close: impl FnMut(&mut Daemon, Period, Timestamp),
    ) -> Result<Daemon, Trouble> {
        let mut open = self.start.paris_day().period();
        self.lived_under(Weather::Wild, |daemon, now| {
            while now.paris_day() > open.last().next() {
                close(daemon, open, now);
                open = open.next();
            }
            Ok(())
        })
    }

    fn lived_under(
        &self,
        weather: Weather,
        each_time: impl FnMut(&mut Daemon, Timestamp) -> Result<(), Trouble>,
    ) -> Result<Daemon, Trouble> {
        let dice = Dice::new(self.seed ^ 0xF01D);
        let mut daemon = Daemon::start(self.start, self.policy.clone(), Ground::in_memory(), dice)?;
        let luck = Luck {
            weather,
            deaths: 0,
            lies_long: false,
            jumps: false,
            clutter: false,
            files: false,
            dice: Dice::new(self.seed),
        };
        self.run(&mut daemon, luck, each_time)?;
        Ok(daemon)
    }

    /// The same world without one of its orders.
    pub(crate) fn without(&self, left_out: usize) -> Self {
        let mut orders = self.orders.clone();
        orders.remove(left_out);
        Self { orders, ..self.clone() }
    }

    /// The same world, spared a hardship.
    pub(crate) fn spared(&self, hardship: Hardship) -> Self {
        let mut world = self.clone();
        world.spared.insert(hardship);
        world
    }

    /// Lives through it, and says what came of it.
    pub(crate) fn live(&self) -> Lived {
        let mut lived = self.tell(0);
        if self.seed.is_multiple_of(TOLD_TWICE) {
            let again = self.tell(1);
            lived.wrong.extend(again.wrong.into_iter().map(|trouble| format!("told once more: {trouble}")));
        }
        lived
    }

    fn tell(&self, telling: u64) -> Lived {
        let luck = Luck::draw(self.seed, telling, &self.spared);
        self.told(telling, &luck)
            .unwrap_or_else(|trouble| Lived { wrong: vec![trouble], counted: Counted::default() })
    }

    fn told(&self, telling: u64, luck: &Luck) -> Result<Lived, Trouble> {
        let dice = Dice::new(self.seed ^ (telling << 60) ^ 0xF01D);
        let ground = if luck.files { Ground::in_files()? } else { Ground::in_memory() };
        let mut daemon = Daemon::start(self.start, self.policy.clone(), ground, dice)?;
        let mut wrong = self.run(&mut daemon, luck.clone(), |_, _| Ok(()))?;
        let (counted, differences) = self.compare(&mut daemon, luck)?;
        wrong.extend(differences);
        Ok(Lived { wrong, counted })
    }

    /// Lives through it; what entries changed that say nothing.
    fn run(
        &self,
        daemon: &mut Daemon,
        mut luck: Luck,
        mut each_time: impl FnMut(&mut Daemon, Timestamp) -> Result<(), Trouble>,
    ) -> Result<Vec<Trouble>, Trouble> {
        let mut wrong = Vec::new();
        let mut coming: Vec<Delivery> = Vec::new();
        for order in &self.orders {
            coming.extend(deliveries(order, luck.weather, &mut order.dice.clone()));
        }
        sort(&mut coming);
        let (mut now, mut skew) = (self.start, 0);
        while let Some(group) = luck.group(&mut coming) {
            now = group.last().map_or(now, |(at, _)| *at);
            if luck.jumps {
                skew = luck.jump(daemon, now, skew)?;
            }
            let clock = skewed(now, skew);
            daemon.pass_time(clock)?;
            each_time(daemon, clock)?;
            let arrivals: Vec<Arrival> = group.iter().map(|(_, arrival)| arrival.clone()).collect();
            if luck.dies() {
                let outage = luck.outage(now);
                if luck.dice.below(2) == 0 {
                    // All of it was durable, and nobody was answered.
                    daemon.receive(clock, &arrivals)?;
                }
                daemon.die(clock, skewed(outage.ends_at, skew))?;
                coming.extend(group.into_iter().rev());
                luck.put_off(&outage, &mut coming);
                continue;
            }
            if !arrivals.iter().all(Arrival::is_message) {
                // Whether a total was changed before or after the payment depends on when the payment was heard of.
                daemon.catch_up()?;
                daemon.ask(&self.pages(), now, clock)?;
            }
            daemon.receive(clock, &arrivals)?;
            if luck.files && luck.dice.below(4) == 0 {
                daemon.copy()?;
            }
            if luck.weather == Weather::Calm || luck.dice.below(4) > 0 {
                // Who asks from a ledger that lags behind may ask what was answered already.
                if luck.weather == Weather::Calm || luck.dice.below(2) == 0 {
                    daemon.catch_up()?;
                }
                daemon.ask(&self.pages(), after(now, 5), after(clock, 5))?;
            }
            if luck.dice.below(3) == 0 {
                daemon.mail(after(clock, 7))?;
            }
            if luck.clutter && luck.dice.below(4) == 0 {
                wrong.extend(clutter::add(daemon, &mut luck.dice)?);
            }
        }
        // All that time can bring: clocks agree again, graces pass, and every question is asked for the last time.
        for days in [1, 9, 20, 40] {
            let later = after(now, days * DAY);
            daemon.pass_time(later)?;
            daemon.ask(&self.pages(), later, later)?;
            daemon.announce(later)?;
            daemon.mail_all(after(later, MINUTE))?;
        }
        Ok(wrong)
    }

    fn pages(&self) -> impl Iterator<Item = &Page> + Clone {
        self.orders.iter().flat_map(|order| &order.account.pages)
    }

    fn compare(&self, daemon: &mut Daemon, luck: &Luck) -> Result<(Counted, Vec<Trouble>), Trouble> {
        let log = daemon.entries()?;
        let twin = views::tables(daemon.twin()?.connection()).map_err(text)?;
        let ledger = daemon.ledger();
        let mut wrong = views::differences(&views::tables(ledger).map_err(text)?, &twin);
        let (counted, amiss) = cents::check(&log, ledger)?;
        wrong.extend(amiss);
        wrong.extend(views::left_over(ledger).map_err(text)?);
        if !luck.jumps && self.seed.is_multiple_of(UNANNOUNCED) {
            let unannounced = unannounced(&log)?;
            let [announced, unannounced] =
                [ledger, unannounced.connection()].map(|ledger| views::readings(ledger).map_err(text));
            let differences = views::differences(&announced?, &unannounced?);
            wrong.extend(
                differences.into_iter().map(|what| format!("with and without announcements, {what}")),
            );
        }
        for order in &self.orders {
            let found = Found::of(ledger, &order.history.reference).map_err(text)?;
            let differences = differences(order, &found, luck);
            if !differences.is_empty() {
                wrong.push(format!("{order}{differences}"));
            }
        }
        let expected: BTreeSet<(String, String)> = self
            .orders
            .iter()
            .filter(|order| order.truth.unanswered)
            .map(|order| ("unconfirmed".to_owned(), order.history.place.endpoint().id.to_string()))
            .collect();
        let of_endpoints: BTreeSet<_> = views::of_endpoints(ledger).map_err(text)?.into_iter().collect();
        if of_endpoints != expected {
            let orders: String = self.orders.iter().map(ToString::to_string).collect();
            wrong.push(format!(
                "{orders}  endpoints\n    should be {expected:?}\n    is        {of_endpoints:?}"
            ));
        }
        let placed: BTreeSet<&str> = self.orders.iter().map(|order| &*order.history.reference).collect();
        for order in views::orders(ledger).map_err(text)? {
            if !placed.contains(&*order) {
                wrong.push(format!("nobody placed order {order}"));
            }
        }
        let twice = views::taken_twice(ledger).map_err(text)?;
        if !twice.is_empty() {
            wrong.push(format!("taken for news twice: {twice:?}"));
        }
        // Where the clock jumped, the fold is the likeliest to depend on it.
        if luck.files || self.seed.is_multiple_of(PROVEN) || (luck.jumps && self.seed.is_multiple_of(4)) {
            wrong.extend(views::flaws(ledger, &mut *daemon.handle()?)?);
        }
        let owed = views::wrongly_owed(ledger).map_err(text)?;
        if !owed.is_empty() {
            wrong.push(format!("e-mails are owed wrongly for {owed:?}"));
        }
        Ok((counted, wrong))
    }
}

/// The daemon is away.
struct Outage {
    begins_at: Timestamp,
    ends_at: Timestamp,
}

impl Outage {
    /// For so long the daemon waits afterwards for those who found nobody.
    fn hold(&self) -> Duration {
        let length = self.ends_at.since(self.begins_at);
        if length < PAUSE { Duration::from_secs(MINUTE) } else { length.min(LONGEST_HOLD) }
    }

    /// When a call is made that was due at an instant. Until the daemon waits no longer all come in their order, those first
    /// that found nobody.
    fn moved(&self, due: Timestamp) -> Timestamp {
        let millis = |span: Duration| u64::try_from(span.as_millis()).expect("hours");
        let (length, hold) = (millis(self.ends_at.since(self.begins_at)), millis(self.hold()));
        let waits = millis(due.since(self.begins_at)) * hold / (length + hold);
        self.ends_at.after(Duration::from_millis(waits))
    }
}

impl Luck {
    fn draw(seed: u64, telling: u64, spared: &BTreeSet<Hardship>) -> Self {
        let mut dice = Dice::new(seed ^ (telling << 60) ^ 0x5EED);
        let weather = match dice.below(5) {
            0..=2 => Weather::Calm,
            3 => Weather::Rough,
            _ => Weather::Wild,
        };
        let deaths = if dice.below(3) == 0 { 3 } else { 0 };
        let jumps = weather != Weather::Calm && dice.below(2) == 0;
        let clutter = dice.below(2) == 0;
        let lies_long = dice.below(2) == 0;
        let bears = |hardship| !spared.contains(&hardship);
        Self {
            weather: if bears(Hardship::Weather) { weather } else { Weather::Calm },
            deaths: if bears(Hardship::Deaths) { deaths } else { 0 },
            lies_long,
            jumps: jumps && bears(Hardship::Jumps),
            clutter: clutter && bears(Hardship::Clutter),
            files: seed.is_multiple_of(FILES) && bears(Hardship::Files),
            dice,
        }
    }

    fn dies(&mut self) -> bool {
        let dies = self.deaths > 0 && self.dice.below(4) == 0;
        self.deaths -= u64::from(dies);
        dies
    }

    /// A restart takes a moment or minutes; where the daemon is left lying, hours.
    fn outage(&mut self, begins_at: Timestamp) -> Outage {
        let length = match self.dice.below(3) {
            0 => SECOND,
            2 if self.lies_long => 5 + self.dice.below(6 * HOUR),
            _ => 5 + self.dice.below(2 * MINUTE),
        };
        Outage { begins_at, ends_at: after(begins_at, length) }
    }

    /// Who found nobody, or would find nobody, calls when the daemon is back; in bad weather a PSP takes its time.
    fn put_off(&mut self, outage: &Outage, coming: &mut [Delivery]) {
        let all_is_usual = outage.ends_at.after(outage.hold());
        for (at, arrival) in coming.iter_mut().filter(|(at, _)| *at < all_is_usual) {
            let patient = arrival.is_message() && self.weather != Weather::Calm && self.dice.below(2) == 0;
            *at = if patient { after(outage.ends_at, self.dice.below(2 * HOUR)) } else { outage.moved(*at) };
        }
        sort(coming);
    }

    /// The clock is set, perhaps. A daemon takes a clock that was set forward for its own standing still, and notices one
    /// that was set back by the dates of its log.
    fn jump(&mut self, daemon: &mut Daemon, now: Timestamp, before: i64) -> Result<i64, Trouble> {
        let most = i64::try_from(CLOCK_ERROR.as_millis()).expect("hours");
        let skew = if self.dice.below(3) == 0 { self.dice.between(-most, most) } else { before };
        if skew - before > STOOD_STILL && self.dice.below(2) == 0 {
            daemon.pause(skewed(now, before), skewed(now, skew))?;
        }
        if self.dice.below(2) == 0 {
            daemon.correct_clock(skewed(now, skew))?;
        }
        Ok(skew)
    }

    /// What reaches the daemon in one transaction: often several messages that come close together.
    fn group(&mut self, coming: &mut Vec<Delivery>) -> Option<Vec<Delivery>> {
        let first = coming.pop()?;
        let until = after(first.0, MINUTE);
        let is_message = first.1.is_message();
        let mut group = vec![first];
        while below(&mut self.dice, 2) == 0 {
            match coming.pop_if(|(at, arrival)| *at <= until && arrival.is_message() && is_message) {
                Some(next) => group.push(next),
                None => break,
            }
        }
        Some(group)
    }
}

/// The next to come stands at the end; those of one instant stay as they are.
fn sort(coming: &mut [Delivery]) {
    coming.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
}

fn skewed(at: Timestamp, skew: i64) -> Timestamp {
    Timestamp::from_millis(at.millis() + skew)
}

/// The same log folded as if nobody had announced any deadline: each is then applied when the next entry comes, and those at
/// the end by one last entry.
fn unannounced(log: &[Link]) -> Result<Ledger, Trouble> {
    let mut quiet = MemoryLog::default();
    let last = log.len().saturating_sub(1);
    let entries: Vec<Logged> =
        log.iter().map(|link| link.row.read().map_err(text)).collect::<Result<_, Trouble>>()?;
    for (position, logged) in entries.iter().enumerate() {
        // That the daemon still lived after its last sign of life is known from the announcement alone.
        let after_last_sign = || {
            entries[position..]
                .iter()
                .any(|later| matches!(later.entry, LogEntry::Pause(pause) if pause.since < logged.at))
        };
        if logged.entry == LogEntry::Time && position < last && !after_last_sign() {
            continue;
        }
        quiet.append(&[Draft::new(&logged.entry).map_err(text)?], logged.at).map_err(text)?;
    }
    let mut ledger = Ledger::in_memory().map_err(text)?;
    ledger.catch_up_all(&mut quiet).map_err(text)?;
    Ok(ledger)
}

/// How the ledger differs from the truth about an order, in words.
fn differences(order: &Order, found: &Found, luck: &Luck) -> String {
    let truth = &order.truth;
    let mut words = String::new();
    let mut differ = |what: &str, expected: &dyn std::fmt::Debug, found: &dyn std::fmt::Debug| {
        writeln!(words, "  {what}\n    should be {expected:?}\n    is        {found:?}").expect("text");
    };
    if found.order != truth.order {
        differ("the order", &truth.order, &found.order);
    }
    let mut records = found.records.clone();
    let clock_error = if luck.jumps { CLOCK_ERROR } else { Duration::ZERO };
    order.forget_unknown_times(&mut records, clock_error);
    if records != truth.records {
        differ("the records", &truth.records, &records);
    }
    if found.open != truth.open {
        differ("what is open", &truth.open, &found.open);
    }
    // An outage raises nothing that would not have been raised without it: rules of time wait until those have called who
    // found nobody. A long one may hide what came and went meanwhile.
    let lay_long = luck.deaths > 0 && luck.lies_long;
    // Two payments of one order that are asked about at once are answered in any order: each looks half paid without the
    // other, and which is known first decides what is raised.
    let in_order = !(lay_long && order.episode.joined);
    let in_time =
        luck.weather == Weather::Calm && !luck.jumps && order.registered.is_known_before() && in_order;
    let exactly = in_time && !lay_long;
    let closed: Vec<&str> = found.closed.iter().map(String::as_str).collect();
    let mut unexpected = closed.clone();
    for kind in &truth.closed {
        if let Some(place) = unexpected.iter().position(|found| found == kind) {
            unexpected.remove(place);
        }
    }
    if !in_time {
        // What is raised on the way may be raised more than once, and so may what stays.
        unexpected.retain(|kind| {
            let stays = truth.open.iter().any(|(open, _)| open == kind);
            !PASSING.contains(kind) && !stays && !truth.closed.contains(kind)
        });
    }
    if !unexpected.is_empty() || (exactly && closed != truth.closed) {
        differ("what was raised and closed", &truth.closed, &found.closed);
    }
    let paid: Cents = truth.records.iter().map(|record| Cents::new(record.paid)).sum();
    let recorded: Cents = found.records.iter().map(|record| Cents::new(record.paid)).sum();
    if paid != recorded {
        differ("the money", &paid, &recorded);
    }
    words
}
