//! The dashboard in a real browser: Debian's Chromium, driven by chromedriver, on the program itself with a ledger of six weeks.
//!
//! | file | promises |
//! |---|---|
//! | `journeys.rs` | what a person does from beginning to end, with a keyboard, a telephone, or without JavaScript |
//! | `accountant.rs` | what an accountant does in a month: a discrepancy, a statement, a close, the entries |
//! | `accessibility.rs` | axe-core finds nothing against WCAG 2.2 AA, on any page, in both languages, light and dark, narrow and wide |
//! | `manners.rs` | nothing is loaded from elsewhere, nothing scrolls sideways, every control is reached by Tab |
//! | `screenshots.rs` | the pictures of the documentation: `make screenshots` |
//!
//! Where Chromium, chromedriver or axe-core is missing they say so loudly and check nothing; in continuous integration they fail.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that meets what it does not expect shall stop there; nothing outside uses these modules"
)]

#[expect(dead_code, reason = "other tests need more of it")]
#[path = "../../others.rs"]
mod others;
mod support;

mod accessibility;
mod accountant;
mod journeys;
mod manners;
mod screenshots;
