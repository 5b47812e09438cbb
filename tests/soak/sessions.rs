//! Sessions at Monext, of months that are over: a call says only that one ended, its API is away now and then, and the months
//! are closed over what it answers.

use std::time::Duration;

use cvco_domain::{Cents, Day, EndpointId, Period, Psp, Timestamp};
use cvco_trial::sandbox::{Failure, Sandbox};
use cvco_trial::simulate::{Actor, MonextTrial, Scenario, Trials, empty_books};

use crate::support::{Daemon, send_raw, until};

/// The sessions of a run lie in so many days.
const SPREAD: Duration = Duration::from_hours(700 * 24);

const TOKEN: &str = "9d5c8b1e7a3f4926b8e1c05d2a7f3e64";
const VOUCHERS: &str = "CVCO1";
const CARDS: &str = "CB1";

struct Session {
    reference: String,
    total: Cents,
    on: Day,
}

pub struct Sessions {
    sandbox: Sandbox,
    actor: Actor,
    /// When the next one is paid.
    next: Timestamp,
    step: Duration,
    told: Vec<Session>,
}

impl Sessions {
    /// Has the daemon ask a sandbox in the place of Monext. `expected`: how many sessions there will be, until `now`.
    pub async fn at(daemon: &mut Daemon, now: Timestamp, seed: u64, expected: usize) -> Self {
        let sandbox = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("a sandbox");
        for laid in empty_books() {
            sandbox.answer_in_turn(laid.calls, laid.answers);
        }
        let soap = sandbox.url("/V4/services");
        daemon.kill();
        daemon.rewrite_configuration(|text| {
            let text = text.replace("[reconcile]", "[confirm]\ncalls_per_second = 100\n[reconcile]");
            format!(
                r#"{text}
[[shop.endpoint]]
id = "monext"
psp = "monext"
mode = "production"
token = "{TOKEN}"
merchant_id = "12345678901234"
access_key = "kT9wQe4RzX7vBn2MsL6p"
voucher_contracts = ["{VOUCHERS}"]
card_contracts = ["{CARDS}"]
api = {{ base_url = "{soap}" }}
"#
            )
        });
        daemon.restart();
        let monext = MonextTrial {
            endpoint: EndpointId::new("monext").expect("an id"),
            token: TOKEN.to_owned(),
            voucher_contract: VOUCHERS.to_owned(),
            card_contract: CARDS.to_owned(),
        };
        let trials = Trials { monext: Some(monext), ..Trials::default() };
        let step = SPREAD / u32::try_from(expected).expect("few").max(1);
        Self {
            sandbox,
            actor: Actor::new(trials, seed),
            next: now.before(SPREAD + step),
            step,
            told: Vec::new(),
        }
    }

    /// One more is paid, and the daemon is told that it ended.
    pub fn one_more(&mut self, daemon: &Daemon) {
        let play = self.actor.play(Scenario::Split, Psp::Monext, self.next).expect("Monext tells it");
        for laid in play.answers {
            self.sandbox.answer_in_turn(laid.calls, laid.answers);
        }
        for message in &play.messages {
            let target = format!("{}?{}", message.path, message.wire.query);
            let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            while send_raw(daemon.public, request.as_bytes()).is_none_or(|answer| answer.status != 200) {
                std::thread::park_timeout(Duration::from_millis(50));
            }
        }
        self.told.push(Session { reference: play.reference, total: play.total, on: self.next.paris_day() });
        self.next = self.next.after(self.step);
    }

    pub fn api_fails(&self) {
        self.sandbox.fail(Failure::Status(503));
    }

    pub fn api_works(&self) {
        self.sandbox.recover();
    }

    /// The last month that is over when the next session is paid.
    pub fn last_month(&self) -> Period {
        self.next.paris_day().period().first().start().before(Duration::from_millis(1)).paris_day().period()
    }

    /// Every session is in the register, and in the books if its month is closed, to the cent.
    pub async fn are_all_known(&self, daemon: &Daemon) {
        let closed = self.last_month();
        self.api_works();
        let sums = |sessions: &mut dyn Iterator<Item = &Session>| {
            let mut sums: Vec<_> =
                sessions.map(|session| format!("{}|{}", session.reference, session.total.get())).collect();
            sums.sort();
            sums
        };
        let told = sums(&mut self.told.iter());
        let known = "SELECT order_ref, paid_cents FROM acct_register WHERE psp = 'monext' ORDER BY order_ref";
        until(async || {
            let known = daemon.rows(known);
            if known == told { Ok(()) } else { Err(format!("{} of {} are known", known.len(), told.len())) }
        })
        .await;
        daemon.out(&["close", "--through", &closed.to_string()]);
        let booked = daemon.rows(
            "SELECT order_ref, CAST(SUM(Debit) AS INTEGER) FROM entries WHERE psp = 'monext' AND movement = 'receipt'
             GROUP BY order_ref ORDER BY order_ref",
        );
        assert_eq!(booked, sums(&mut self.told.iter().filter(|session| session.on <= closed.last())));
    }
}
