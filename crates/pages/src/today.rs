//! The first page: four figures, the days, what is open, who was heard, what waits.

use std::time::Duration;

use askama::Template;
use cvco_domain::{Cents, Day, EndpointId, Grounds, Mode, Psp, Severity, ShopId, Timestamp};
use cvco_ledger::{Backlog, Balance, DayTakings, OpenNow, Pulse, Unsettled};
use cvco_mail::{Item, lists};

use crate::frame::Frame;
use crate::mark::Mark;
use crate::say::Lent;
use crate::widths::Scale;
use crate::{Say, address, cut, outside, words};

/// How many days the first page looks back.
pub const DAYS: i64 = 30;

/// The first page.
#[derive(Debug, Template)]
#[template(path = "today.html")]
pub struct Today {
    /// What is around it.
    pub frame: Frame,
    /// Only this shop's.
    pub shop: Option<ShopId>,
    /// The first day that is looked at.
    pub from: Day,
    /// The last.
    pub to: Day,
    /// What the days brought.
    pub days: Vec<DayTakings>,
    /// How the payments of these days stand.
    pub balance: Balance,
    /// What issuers still owe.
    pub unsettled: Unsettled,
    /// When these figures were added up.
    pub figures_at: Timestamp,
    /// The open discrepancies, by severity.
    pub open: Vec<OpenNow>,
    /// The gravest of them.
    pub gravest: Vec<Item>,
    /// How each endpoint is heard.
    pub endpoints: Vec<EndpointPulse>,
    /// What is owed and not done.
    pub waiting: Vec<Backlog>,
    /// Entries of the log that are not folded yet.
    pub to_fold: i64,
    /// Entries that could not be folded.
    pub set_aside: i64,
}

/// An endpoint and how it is heard.
#[derive(Debug, Clone)]
pub struct EndpointPulse {
    /// Whose it is.
    pub shop: ShopId,
    /// Who calls it.
    pub psp: Psp,
    /// Real payments or trials.
    pub mode: Mode,
    /// Its id.
    pub id: EndpointId,
    /// Its address up to the secret.
    pub url: String,
    /// Its calls.
    pub pulse: Pulse,
}

impl EndpointPulse {
    /// How many calls its last four weeks let expect of a day.
    fn rhythm(&self, t: impl Lent<Say>) -> String {
        let (t, calls) = (t.lent(), self.pulse.calls);
        if calls >= 28 {
            t.count(calls / 28, "appel par jour", "appels par jour", "call a day", "calls a day")
        } else if calls > 0 {
            t.count(calls, "appel en 28 jours", "appels en 28 jours", "call in 28 days", "calls in 28 days")
        } else {
            "—".to_owned()
        }
    }
}

/// The height of the chart's bars.
const HEIGHT: i64 = 120;
/// The least that is seen of one.
const LEAST: i64 = 2;
/// The width of a day.
const WIDTH: i64 = 22;

/// A day of the chart.
struct Bar {
    x: i64,
    voucher: Span,
    card: Span,
    title: String,
    label: Option<String>,
}

/// A piece of a bar.
struct Span {
    y: i64,
    height: i64,
}

impl Today {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn with_shop(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut query = query.to_vec();
        query.push(("shop", self.shop.as_ref().map_or("", ShopId::as_str)));
        address(path, &query)
    }

    fn orders_link(&self, state: &str) -> String {
        self.with_shop("/orders", &[("from", &self.from.to_string()), ("state", state)])
    }

    fn is_shop(&self, shop: &ShopId) -> bool {
        self.shop.as_ref() == Some(shop)
    }

    fn day_link(&self, day: impl Lent<Day>) -> String {
        let day = day.lent();
        self.with_shop("/orders", &[("from", &day.to_string()), ("to", &day.to_string())])
    }

    fn open_link(&self, severity: impl Lent<Severity>) -> String {
        self.with_shop("/discrepancies", &[("severity", severity.lent().as_str())])
    }

    fn received(&self) -> Cents {
        self.vouchers().plus(self.cards())
    }

    fn vouchers(&self) -> Cents {
        self.days.iter().map(|day| day.voucher).sum()
    }

    fn cards(&self) -> Cents {
        self.days.iter().map(|day| day.card).sum()
    }

    fn returned(&self) -> Cents {
        self.days.iter().map(|day| day.returned).sum()
    }

    fn balanced_share(&self) -> String {
        let Balance { paid, balanced_paid, .. } = self.balance;
        if paid.is_positive() {
            // Rounded down: 100 % says that all of it adds up.
            let share = balanced_paid.get().saturating_mul(100) / paid.get();
            let gap = if self.t().lang() == "fr" { "\u{a0}" } else { "" };
            format!("{share}{gap}%")
        } else {
            "—".to_owned()
        }
    }

    fn still_owed(&self) -> Cents {
        let Unsettled { ancv, other_voucher, card, .. } = self.unsettled;
        ancv.plus(other_voucher).plus(card)
    }

    fn all_open(&self) -> i64 {
        self.open.iter().map(|open| open.count).sum()
    }

    fn urgent(&self) -> i64 {
        self.open.iter().filter(|open| open.severity == Severity::Urgent).map(|open| open.count).sum()
    }

    fn mark(severity: impl Lent<Severity>) -> Mark {
        Mark::of_severity(severity.lent())
    }

    const fn urgent_mark() -> Mark {
        Mark::Urgent
    }

    fn severity(&self, severity: impl Lent<Severity>) -> &'static str {
        lists::severity(self.t().0, severity.lent())
    }

    fn age(&self, since: impl Lent<Timestamp>) -> String {
        self.t().span(self.frame.now.since(since.lent()))
    }

    fn title_of(&self, item: &Item) -> String {
        lists::title(self.t().0, item)
    }

    fn stake(&self, item: &Item) -> String {
        item.at_stake().map(|cents| self.t().money(cents, item.currency)).unwrap_or_default()
    }

    fn subject(item: &Item) -> String {
        let name = item.order_ref.as_ref().map(ToString::to_string);
        let name = name.or_else(|| item.call_number.as_ref().map(ToString::to_string));
        let name = name.or_else(|| item.endpoint.as_ref().map(ToString::to_string));
        cut(&outside(name.unwrap_or_default()), 40)
    }

    /// Every day of the span, also those that brought nothing.
    fn all_days(&self) -> Vec<DayTakings> {
        let day = |offset| {
            let day = self.from.plus(offset);
            let known = self.days.iter().find(|takings| takings.day == day).copied();
            let nothing =
                DayTakings { day, voucher: Cents::ZERO, card: Cents::ZERO, returned: Cents::ZERO, parts: 0 };
            known.unwrap_or(nothing)
        };
        (0..=self.to.days_since(self.from)).map(day).collect()
    }

    fn chart_width(&self) -> i64 {
        self.to.days_since(self.from).saturating_add(1).saturating_mul(WIDTH)
    }

    fn highest(&self) -> Cents {
        self.days.iter().map(|day| day.voucher.plus(day.card)).max().unwrap_or_default()
    }

    fn bars(&self) -> Vec<Bar> {
        let t = self.t();
        let highest = self.highest();
        let scale = Scale { whole: highest, full: HEIGHT, least: LEAST };
        let bar = |(place, day): (i64, DayTakings)| {
            let heights = scale.widths(&[day.voucher, day.card]);
            let height = |place: usize| heights.get(place).copied().unwrap_or_default();
            let (voucher, card) = (height(0), height(1));
            let base = HEIGHT.saturating_sub(voucher);
            Bar {
                x: place.saturating_mul(WIDTH).saturating_add(3),
                voucher: Span { y: base, height: voucher },
                card: Span { y: base.saturating_sub(card), height: card },
                title: format!(
                    "{} {} {}, {} {}",
                    t.say(&format!("{} :", t.day(day.day)), &format!("{}:", t.day(day.day))),
                    t.euros(day.voucher),
                    t.say("en chèques-vacances", "by voucher"),
                    t.euros(day.card),
                    t.say("par carte", "by card")
                ),
                label: (day.day.weekday() == 0).then(|| t.short_day(day.day)),
            }
        };
        (0..).zip(self.all_days()).map(bar).collect()
    }

    fn waiting_name(&self, what: &str) -> String {
        let t = self.t();
        match what {
            "mail" => t.say("E-mails à envoyer", "E-mails to send"),
            "channel" => t.say("Messages à envoyer (Teams, ntfy…)", "Messages to send (Teams, ntfy…)"),
            "anchor" => t.say("Ancres de preuve à envoyer", "Anchors of the proof to send"),
            "relay" => {
                t.say("Notifications à transmettre à la boutique", "Notifications to hand on to the shop")
            }
            "question" => t.say("Questions posées aux prestataires", "Questions put to providers"),
            "decision" => {
                t.say("Transmissions qui attendent une décision", "Relays that wait for a decision")
            }
            other => other.to_owned(),
        }
    }

    fn owed(&self) -> Vec<&Backlog> {
        self.waiting.iter().filter(|backlog| backlog.count > 0).collect()
    }

    fn refusal(&self, grounds: &Grounds) -> String {
        words::grounds(self.t(), grounds)
    }

    fn particulars(grounds: &Grounds) -> Option<String> {
        words::particulars(grounds)
    }

    fn is_test(endpoint: &EndpointPulse) -> bool {
        endpoint.mode == Mode::Test
    }

    fn fresh(&self) -> bool {
        self.frame.now.since(self.figures_at) < Duration::from_mins(2)
    }
}
