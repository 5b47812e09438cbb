//! A world: a few orders, the weather, a daemon that may die, and a clock that may jump; lived through to its end and
//! compared with the truth.

use std::collections::BTreeSet;
use std::fmt::Write;

use cvco_domain::{Cents, Period, Policy, Timestamp};
use cvco_trial::simulate::Dice;

use crate::daemon::{Daemon, Trouble, text};
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
}

/// What the network and the machine do to one telling of a world.
#[derive(Debug, Clone)]
struct Luck {
    weather: Weather,
    /// One transaction in so many is lost in a crash; 0: none.
    crashes: u64,
    /// The daemon's clock jumps now and then.
    jumps: bool,
    dice: Dice,
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

/// One world in so many is told once more, in another order and with other crashes.
const TOLD_TWICE: u64 = 8;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

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
        Self { seed, start, policy: policy(required), orders }
    }

    /// A world of a year: an order a day, and nothing that hinders its messages but days of delay.
    pub(crate) fn of_a_year(seed: u64, policy: Policy) -> Self {
        let start = Timestamp::parse("2026-01-05T08:00:00Z").expect("a time");
        let draw = |n: u64| Order::draw(seed, n, false, after(start, n * DAY));
        Self { seed, start, policy, orders: (0..350).map(draw).collect() }
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
        let mut daemon = Daemon::start(self.start, self.policy.clone(), dice)?;
        let luck = Luck { weather, crashes: 0, jumps: false, dice: Dice::new(self.seed) };
        self.run(&mut daemon, luck, each_time)?;
        Ok(daemon)
    }

    /// The same world without one of its orders.
    pub(crate) fn without(&self, left_out: usize) -> Self {
        let mut orders = self.orders.clone();
        orders.remove(left_out);
        Self { orders, ..self.clone() }
    }

    /// Lives through it, and says what is not as it should be; nothing if all is well.
    pub(crate) fn live(&self) -> Vec<Trouble> {
        let mut wrong = self.tell(0);
        if self.seed.is_multiple_of(TOLD_TWICE) {
            wrong.extend(self.tell(1).into_iter().map(|trouble| format!("told once more: {trouble}")));
        }
        wrong
    }

    fn tell(&self, telling: u64) -> Vec<Trouble> {
        let luck = Luck::draw(self.seed, telling);
        let dice = Dice::new(self.seed ^ (telling << 60) ^ 0xF01D);
        let lived = Daemon::start(self.start, self.policy.clone(), dice).and_then(|mut daemon| {
            self.run(&mut daemon, luck.clone(), |_, _| Ok(()))?;
            Ok(daemon)
        });
        match lived.and_then(|mut daemon| self.compare(&mut daemon, &luck)) {
            Ok(wrong) => wrong,
            Err(trouble) => vec![trouble],
        }
    }

    fn run(
        &self,
        daemon: &mut Daemon,
        mut luck: Luck,
        mut each_time: impl FnMut(&mut Daemon, Timestamp) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let mut coming: Vec<Delivery> = Vec::new();
        for order in &self.orders {
            coming.extend(deliveries(order, luck.weather, &mut order.dice.clone()));
        }
        let mut skew = 0;
        let mut now = self.start;
        // Latest first: the next to come stands at the end.
        coming.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        while let Some(group) = luck.group(&mut coming) {
            now = group.last().map_or(now, |(at, _)| *at);
            if luck.jumps && luck.dice.below(3) == 0 {
                skew = luck.dice.between(-7_200_000, 7_200_000);
            }
            let clock = Timestamp::from_millis(now.millis() + skew);
            if luck.jumps && luck.dice.below(2) == 0 {
                daemon.correct_clock(clock)?;
            }
            each_time(daemon, clock)?;
            let arrivals: Vec<Arrival> = group.into_iter().map(|(_, arrival)| arrival).collect();
            if luck.crashes > 0 && luck.dice.below(luck.crashes) == 0 {
                daemon.crash(clock)?;
                // Nobody had an answer: the PSP, and the shop, come again.
                let again = after(now, MINUTE + luck.dice.below(2 * MINUTE));
                coming.extend(arrivals.into_iter().map(|arrival| (again, arrival)));
                coming.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
                luck.crashes = luck.crashes.saturating_mul(2);
                continue;
            }
            if !arrivals.iter().all(Arrival::is_message) {
                // Whether a total was changed before or after the payment depends on when the payment was heard of.
                daemon.ask(&self.pages(), now, clock)?;
            }
            daemon.receive(clock, &arrivals)?;
            if luck.weather == Weather::Calm || luck.dice.below(4) > 0 {
                daemon.ask(&self.pages(), after(now, 5), after(clock, 5))?;
            }
            if luck.dice.below(if luck.jumps { 2 } else { 3 }) == 0 {
                daemon.announce(after(clock, 6))?;
            }
            if luck.dice.below(3) == 0 {
                daemon.mail(after(clock, 7))?;
            }
        }
        // All that time can bring: clocks agree again, graces pass, and every question is asked for the last time.
        for days in [1, 9, 20, 40] {
            let later = after(now, days * DAY);
            daemon.ask(&self.pages(), later, later)?;
            daemon.announce(later)?;
            daemon.mail(later)?;
        }
        Ok(())
    }

    fn pages(&self) -> impl Iterator<Item = &Page> + Clone {
        self.orders.iter().flat_map(|order| &order.account.pages)
    }

    fn compare(&self, daemon: &mut Daemon, luck: &Luck) -> Result<Vec<Trouble>, Trouble> {
        let twin = views::tables(daemon.twin()?).map_err(text)?;
        let ledger = daemon.ledger();
        let mut wrong = views::differences(&views::tables(ledger).map_err(text)?, &twin);
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
        if self.seed.is_multiple_of(PROVEN) || (luck.jumps && self.seed.is_multiple_of(4)) {
            wrong.extend(views::flaws(ledger, daemon.entries())?);
        }
        let owed = views::wrongly_owed(ledger).map_err(text)?;
        if !owed.is_empty() {
            wrong.push(format!("e-mails are owed wrongly for {owed:?}"));
        }
        Ok(wrong)
    }
}

impl Luck {
    fn draw(seed: u64, telling: u64) -> Self {
        let mut dice = Dice::new(seed ^ (telling << 60) ^ 0x5EED);
        let weather = match dice.below(5) {
            0..=2 => Weather::Calm,
            3 => Weather::Rough,
            _ => Weather::Wild,
        };
        let crashes = if dice.below(3) == 0 { 4 } else { 0 };
        let jumps = weather != Weather::Calm && dice.below(2) == 0;
        Self { weather, crashes, jumps, dice }
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
    order.forget_unknown_times(&mut records);
    if records != truth.records {
        differ("the records", &truth.records, &records);
    }
    if found.open != truth.open {
        differ("what is open", &truth.open, &found.open);
    }
    // After a crash a message comes minutes later, perhaps too late for a grace.
    let exactly = luck.weather == Weather::Calm && luck.crashes == 0 && order.registered.is_known_before();
    let mut closed: Vec<&str> = found.closed.iter().map(String::as_str).collect();
    if !exactly {
        closed.retain(|kind| !PASSING.contains(kind) && !truth.open.iter().any(|(open, _)| open == kind));
        closed.retain(|kind| !truth.closed.contains(kind));
        if !closed.is_empty() {
            differ("what was raised and closed", &truth.closed, &found.closed);
        }
    } else if closed != truth.closed {
        differ("what was raised and closed", &truth.closed, &found.closed);
    }
    let paid: Cents = truth.records.iter().map(|record| Cents::new(record.paid)).sum();
    let recorded: Cents = found.records.iter().map(|record| Cents::new(record.paid)).sum();
    if paid != recorded {
        differ("the money", &paid, &recorded);
    }
    words
}
