//! A world to test against: two shops, their customers and four PSPs, of which the truth is known.
//!
//! A seed makes a small world of a few orders. Each order lives through an episode; its PSP tells of it in signed
//! messages; the network and the machine do to these what networks and machines do; and in the end the ledger must
//! say what is true, cent for cent, with every discrepancy that the episode must raise and no other.
//!
//! ```text
//!  episodes ──deeds──▶ history ──┬── telling/<psp> ──messages──▶ network ──in any order──▶ daemon ──▶ log ──┬─▶ ledger
//!  (the table)    (what happened) │        └───── what the API answers ─────────────────────▶ │             │   acct_*
//!                                 │                                                                         └─▶ twin
//!                                 └── truth: records, tenders, discrepancies ◀── must be ── views, and both ledgers equal
//! ```
//!
//! Two processes append to the log, each with a handle of its own. The ledger folds it at random moments in random groups;
//! deadlines are announced when they come, too late, or not at all; a death loses the ledger, or the last groups of it; and
//! a second machine folds the same log at another pace. In the end
//!
//! - the views say what is true of every order;
//! - both ledgers are equal, row for row, and people read the same where no deadline was ever announced;
//! - plain counting of the log comes to the ledger's cents;
//! - every mail that was owed has left, none twice, and no entry was set aside;
//! - entries that say nothing have changed nothing.
//!
//! | file | holds |
//! |---|---|
//! | `episodes.rs` | what can happen, and which discrepancies must come of it: one row each |
//! | `history.rs`, `registration.rs` | what happened to one order at its PSP, and what the shop said of it |
//! | `telling/` | how each PSP tells it, over the adapters' own `sender` and `answers` |
//! | `truth.rs` | the figures and states that must come of it; it knows nothing of `reconcile` |
//! | `tally.rs`, `cents.rs` | a second counting of all cents, from the log alone |
//! | `order.rs`, `world.rs` | an order drawn by dice; a world lived through and compared |
//! | `network.rs` | messages repeated, overtaken, held up |
//! | `daemon.rs`, `machine.rs` | a daemon that appends, asks, mails and dies; ledgers that follow the log at their own pace |
//! | `clutter.rs` | entries that say nothing |
//! | `places.rs`, `views.rs` | the endpoints with their real adapters; what an accountant reads in the ledger |
//! | `year.rs` | a year of orders in the books: closes, statements, and programs of others that read the exports |
//! | `seeds.rs` | many worlds on all processors, and the story of one that fails |
//!
//! `WORLD_SEED=7 cargo test --locked -p cvco-ledger --test world` plays one seed, `WORLD_SEEDS=100000` so many, `WORLD_FIRST`
//! from another one than 0 on, `WORLD_MINUTES` until so many minutes are over.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a world that meets what it does not expect shall stop there"
)]

mod cents;
mod clutter;
mod daemon;
mod episodes;
mod history;
mod machine;
mod network;
mod order;
#[path = "../others.rs"]
mod others;
mod places;
mod registration;
mod seeds;
mod tally;
mod telling;
mod truth;
mod views;
mod world;
mod year;

use std::collections::BTreeSet;
use std::time::Duration;

use cvco_domain::Kind;

use cents::Counted;
use episodes::EPISODES;

/// Played where nothing else is said.
const SEEDS: u64 = 2_000;

#[expect(clippy::disallowed_methods, reason = "a test program has no configuration file")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn the_ledger_tells_the_truth() {
    let (first, count) = match setting("WORLD_SEED") {
        Some(seed) => (seed, 1),
        None => (setting("WORLD_FIRST").unwrap_or(0), setting("WORLD_SEEDS").unwrap_or(SEEDS)),
    };
    let patience = setting("WORLD_MINUTES").map(Duration::from_mins);
    match seeds::live(first, count, patience) {
        Ok((lived, Counted { orders, decided })) => {
            println!(
                "{lived} worlds, from seed {first} on; {orders} orders, {decided} of them counted to the cent"
            );
            assert!(decided * 2 >= orders, "plain counting decides about too few orders");
        }
        Err(story) => panic!("{story}"),
    }
}

/// Kinds that no order of this world can raise, each with the reason.
const ELSEWHERE: [(Kind, &str); 13] = [
    (Kind::ConfirmationDiffers, "no PSP of this world contradicts itself"),
    (Kind::ReferenceCollision, "all references differ in their first 20 characters"),
    (Kind::SignatureFailures, "nobody forges"),
    (Kind::CallsRefused, "all calls have their form"),
    (Kind::RelayFailing, "no shop of this world has a handler"),
    (Kind::RelayRefused, "likewise"),
    (Kind::EndpointSilent, "a few orders make no habit"),
    (Kind::SettlementMissing, "a year has statements (year.rs)"),
    (Kind::SettlementMismatch, "likewise"),
    (Kind::CommissionMismatch, "likewise"),
    (Kind::StatementLineUnknown, "likewise"),
    (Kind::SetAside, "every entry can be folded"),
    (Kind::ClockStepped, "it concerns no order; it comes and goes with clocks that jump"),
];

#[test]
fn every_kind_is_raised_by_some_episode_or_cannot_be() {
    let of_registrations = ["order_unknown", "total_unknown", "total_changed", "currency_unexpected"];
    let raised: BTreeSet<&str> = EPISODES
        .iter()
        .flat_map(|episode| episode.open.iter().chain(episode.closed))
        .copied()
        .chain(of_registrations)
        .collect();
    let all: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(all.difference(&raised).copied().collect::<BTreeSet<_>>(), elsewhere);
    assert_eq!(raised.difference(&all).count(), 0, "no kind of the catalogue: {raised:?}");
}
