//! Several machines with one log in PostgreSQL: real daemons, and a PostgreSQL of Debian's for each test.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that meets what it does not expect shall stop there; nothing outside uses these modules"
)]

mod machines;
mod postgres;
#[expect(dead_code, reason = "the tests of one machine use the rest")]
mod support;
mod traffic;

mod clock;
mod commands;
mod demo;
mod leading;
mod loss;
mod outage;
mod random;
mod restored;
mod secured;
mod together;
mod versions;
