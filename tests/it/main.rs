//! Promises, kept by the real binary, a real SQLite file and a real SMTP server. One file per promise.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    unreachable_pub,
    reason = "a test that meets what it does not expect shall stop there; nothing outside uses these modules"
)]

#[path = "../others.rs"]
mod others;
mod support;

mod alerts;
mod architecture;
mod backup;
mod books;
mod command_line;
mod configuration;
mod confirmations;
mod crash;
mod dashboard;
mod exchange;
mod files;
mod floods;
mod french;
mod hostile_calls;
mod house;
mod init;
mod life_cycle;
mod metrics;
mod noise;
mod openapi;
mod orders;
mod outage;
mod postfix;
mod power_cut;
mod proof;
mod reference;
mod relay;
mod reread;
mod sandbox;
mod secrets;
mod shops;
mod socket;
mod split_payments;
mod statements;
mod tls;
mod units;
mod warning_mails;
