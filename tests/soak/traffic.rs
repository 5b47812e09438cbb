//! Payments that come at a steady pace, and in bursts. What is not acknowledged is sent again, as PSPs do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::support::{Up2pay, send_raw};

/// Connections at a time.
const LANES: u64 = 8;

/// Payments a second, of two calls each: 50 calls.
const PACE: u64 = 25;

/// Payments of a burst, sent as fast as they are taken.
const BURST: u64 = 2_000;

/// Of so many payments one stays without its card part.
const ABANDONED: u64 = 97;

/// Of so many payments one is told twice.
const REPEATED: u64 = 11;

/// One order's payment. The number says everything about it.
#[derive(Clone, Copy)]
pub struct Payment(u64);

impl Payment {
    fn calls(self) -> Vec<Up2pay> {
        let reference = format!("R{}", self.0);
        let voucher = Up2pay::voucher(&reference, 1_000_000 + self.0, self.voucher());
        if self.is_abandoned() {
            return vec![voucher];
        }
        let card = Up2pay::card(&reference, 1_000_000 + self.0, self.card());
        let again = self.0.is_multiple_of(REPEATED).then(|| card.clone());
        [voucher, card].into_iter().chain(again).collect()
    }

    const fn is_abandoned(self) -> bool {
        self.0.is_multiple_of(ABANDONED)
    }

    const fn voucher(self) -> i64 {
        1_000 + (self.0 % 900).cast_signed()
    }

    const fn card(self) -> i64 {
        if self.is_abandoned() { 0 } else { 2_000 + (self.0 % 700).cast_signed() }
    }

    /// As the register has it: reference, vouchers, card.
    pub fn row(self) -> String {
        format!("R{}|{}|{}", self.0, self.voucher(), self.card())
    }
}

struct Shared {
    address: Mutex<SocketAddr>,
    /// The payment that comes next.
    next: AtomicU64,
    /// So many may have been sent by now.
    allowed: AtomicU64,
    acknowledged: AtomicU64,
    is_over: AtomicBool,
}

pub struct Traffic {
    shared: Arc<Shared>,
    lanes: Vec<JoinHandle<()>>,
    pacemaker: JoinHandle<()>,
}

impl Traffic {
    pub fn start(address: SocketAddr) -> Self {
        let shared = Arc::new(Shared {
            address: Mutex::new(address),
            next: AtomicU64::new(1),
            allowed: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let lane = |_| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.send())
        };
        let lanes = (0..LANES).map(lane).collect();
        let pacing = Arc::clone(&shared);
        Self { shared, lanes, pacemaker: std::thread::spawn(move || pacing.pace()) }
    }

    pub fn goes_to(&self, address: SocketAddr) {
        *self.shared.address.lock().expect("lock") = address;
    }

    pub fn burst(&self) {
        self.shared.allowed.fetch_add(BURST, Ordering::SeqCst);
    }

    /// Calls that were answered with 200.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::SeqCst)
    }

    /// Ends when everything is acknowledged that was begun; what was sent.
    pub fn end(self) -> Vec<Payment> {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for thread in self.lanes.into_iter().chain([self.pacemaker]) {
            thread.join().expect("a sender");
        }
        (1..self.shared.next.load(Ordering::SeqCst)).map(Payment).collect()
    }
}

impl Shared {
    fn pace(&self) {
        let (began, mut paced) = (Instant::now(), 0);
        while !self.is_over.load(Ordering::SeqCst) {
            let due = PACE * u64::try_from(began.elapsed().as_millis()).expect("a time") / 1_000;
            self.allowed.fetch_add(due - paced, Ordering::SeqCst);
            paced = due;
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn send(&self) {
        while !self.is_over.load(Ordering::SeqCst) {
            let allowed = self.allowed.load(Ordering::SeqCst);
            let taken = self.next.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |next| {
                (next <= allowed).then_some(next + 1)
            });
            match taken {
                Ok(number) => Payment(number).calls().iter().for_each(|call| self.deliver(call)),
                Err(_) => std::thread::park_timeout(Duration::from_millis(5)),
            }
        }
    }

    /// Until it is acknowledged: while the daemon is away nobody answers.
    fn deliver(&self, call: &Up2pay) {
        let request = format!("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", call.target());
        loop {
            let address = *self.address.lock().expect("lock");
            match send_raw(address, request.as_bytes()) {
                Some(answer) if answer.status == 200 => break,
                Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                None => {}
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }
}
