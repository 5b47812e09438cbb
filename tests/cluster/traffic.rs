//! Traffic from several threads to machines in turn, and what of it was acknowledged. What a payment sends is drawn from a seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cvco_trial::simulate::Dice;

use crate::machines::Machines;
use crate::support::{Sogecommerce, Up2pay, post, send_raw, until};

/// One thing that is sent.
struct Call {
    request: String,
    /// Orders go to the admin address, and are no notifications.
    is_order: bool,
    /// What of it is found in the ledger: instrument and order.
    states: Vec<String>,
}

/// What is sent.
#[derive(Clone, Copy)]
enum Kind {
    /// One voucher for each payment.
    Vouchers,
    /// Payments of all kinds, good and bad.
    Mixed(u64),
}

pub struct Traffic {
    kind: Kind,
    next: AtomicU64,
    acknowledged: Mutex<Vec<String>>,
    /// How many notifications each order has had, whatever became of them.
    sent: Mutex<BTreeMap<String, u64>>,
    over: AtomicBool,
}

impl Traffic {
    pub fn of_vouchers() -> Arc<Self> {
        Self::of(Kind::Vouchers)
    }

    pub fn mixed(seed: u64) -> Arc<Self> {
        Self::of(Kind::Mixed(seed))
    }

    fn of(kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            kind,
            next: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            sent: Mutex::default(),
            over: AtomicBool::new(false),
        })
    }

    /// Sends until it is over; a machine that is gone is left alone for a moment.
    pub fn send_to(self: &Arc<Self>, machines: &Machines) -> Vec<std::thread::JoinHandle<()>> {
        let addresses: Vec<_> = machines.all.iter().map(|machine| (machine.public, machine.admin)).collect();
        (0..4)
            .map(|thread| {
                let (traffic, addresses) = (Arc::clone(self), addresses.clone());
                std::thread::spawn(move || {
                    let mut turn = thread;
                    while !traffic.over.load(Ordering::SeqCst) {
                        let n = traffic.next.fetch_add(1, Ordering::Relaxed);
                        for call in traffic.calls(n) {
                            turn += 1;
                            traffic.send(&format!("R{n}"), call, addresses[turn % addresses.len()]);
                        }
                    }
                })
            })
            .collect()
    }

    fn send(&self, reference: &str, call: Call, (public, admin): (SocketAddr, SocketAddr)) {
        if !call.is_order {
            *self.sent.lock().expect("lock").entry(reference.to_owned()).or_default() += 1;
        }
        match send_raw(if call.is_order { admin } else { public }, call.request.as_bytes()) {
            Some(answer) if answer.status == 200 => {
                self.acknowledged.lock().expect("lock").extend(call.states);
            }
            Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
            None => std::thread::park_timeout(Duration::from_millis(20)),
        }
    }

    /// What the payment of this number sends, in this order.
    fn calls(&self, n: u64) -> Vec<Call> {
        let (reference, call) = (format!("R{n}"), 1_000_000 + n);
        let voucher = || up2pay(&Up2pay::voucher(&reference, call, 1500), "voucher", &reference);
        let card = || up2pay(&Up2pay::card(&reference, call, 500), "card", &reference);
        let Kind::Mixed(seed) = self.kind else { return vec![voucher()] };
        let mut dice = Dice::new(seed.wrapping_add(n));
        let mut calls = match dice.below(24) {
            0 => vec![order(&reference, 2000)],
            1 => vec![order(&reference, 2000), voucher()],
            2..4 => vec![voucher(), voucher(), card()],
            4 => {
                let refused = Up2pay::card(&reference, call, 500).refused();
                let refused = Call { states: Vec::new(), ..up2pay(&refused, "card", &reference) };
                vec![order(&reference, 2000), voucher(), refused]
            }
            5 => vec![order(&reference, 1900), split(&reference, n)],
            6..12 => vec![split(&reference, n)],
            _ => vec![order(&reference, 2000), voucher(), card()],
        };
        dice.shuffle(&mut calls);
        calls
    }

    pub fn count(&self) -> usize {
        self.acknowledged.lock().expect("lock").len()
    }

    /// Returns when so many more were acknowledged.
    pub async fn flows(&self, more: usize) {
        let wanted = self.count() + more;
        until(async || {
            let count = self.count();
            if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted}")) }
        })
        .await;
    }

    /// Ends it, until somebody sends again.
    pub fn end(&self, senders: Vec<std::thread::JoinHandle<()>>) {
        self.over.store(true, Ordering::SeqCst);
        for sender in senders {
            sender.join().expect("sender");
        }
        self.over.store(false, Ordering::SeqCst);
    }

    /// What was acknowledged and is not among these, as [`STORED`] gives them.
    pub fn lost(&self, stored: &[String]) -> Vec<String> {
        let stored: std::collections::BTreeSet<&String> = stored.iter().collect();
        let acknowledged = self.acknowledged.lock().expect("lock");
        acknowledged.iter().filter(|stated| !stored.contains(stated)).cloned().collect()
    }

    /// The orders of which the log has more notifications than were sent; `logged` is order and count.
    pub fn doubled(&self, logged: &[String]) -> Vec<String> {
        let sent = self.sent.lock().expect("lock");
        let is_more = |row: &&String| {
            let (reference, count) = row.split_once('|').expect("two columns");
            sent.get(reference).is_none_or(|sent| count.parse::<u64>().expect("a number") > *sent)
        };
        logged.iter().filter(is_more).cloned().collect()
    }
}

/// What a ledger has of the traffic.
pub const STORED: &str = "SELECT instrument || ' ' || order_ref FROM acct_tenders
    UNION ALL SELECT 'order ' || reference FROM acct_orders WHERE total_cents IS NOT NULL";

/// How many notifications of each order are in the log, in PostgreSQL.
pub const LOGGED: &str = "SELECT substring(content FROM '\"order_ref\":\"(R[0-9]+)\"') AS reference, count(*)
    FROM log WHERE kind = 'notification' GROUP BY 1";

fn up2pay(call: &Up2pay, instrument: &str, reference: &str) -> Call {
    Call {
        request: format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target()),
        is_order: false,
        states: vec![format!("{instrument} {reference}")],
    }
}

fn split(reference: &str, n: u64) -> Call {
    let form = Sogecommerce::split(reference, &format!("{n:06}"), 1500, 500).wire().body;
    Call {
        request: post(&Sogecommerce::target(), "application/x-www-form-urlencoded", &form),
        is_order: false,
        states: vec![format!("voucher {reference}"), format!("card {reference}")],
    }
}

fn order(reference: &str, total_cents: i64) -> Call {
    let order = format!(
        r#"{{"shop":"camping","reference":"{reference}","total_cents":{total_cents},"currency":"EUR"}}"#
    );
    Call {
        request: post("/api/v1/orders", "application/json", &order),
        is_order: true,
        states: vec![format!("order {reference}")],
    }
}
