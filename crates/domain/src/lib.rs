//! The words of the trade, as types, and the cryptography under them ([`crypto`]). Nothing here does I/O, asks a
//! clock, or knows a field name of a PSP. It depends on nothing of ours; every other room may use it.
//!
//! | word | type |
//! |---|---|
//! | amount | [`Cents`], [`Currency`] |
//! | shop, endpoint, order reference, call number … | [`ids`] |
//! | instant (UTC), Paris day | [`Timestamp`] |
//! | event: one fact about one tender | [`Event`] |
//! | tender, its state | [`Tender`], [`TenderState`] |
//! | record: the tenders of one payment attempt | [`Record`], [`RecordState`] |
//! | order: what the shop expects | [`Order`] |
//! | what a PSP lets a merchant give back | [`RefundTerms`] |
//! | question to a PSP's API, how its answer stands | [`Question`], [`Standing`] |
//! | discrepancy | [`Finding`], [`Kind`], [`Severity`], [`Detail`], [`Identity`] |
//! | the merchant's settings that decide | [`Policy`], [`Books`] |
//! | number of an entry in the log | [`Seq`] |
//! | what people read, in both languages | [`Bilingual`], [`Worded`] |

mod bilingual;
mod chart;
#[cfg(feature = "rusqlite")]
mod columns;
mod commission;
pub mod crypto;
mod date_pattern;
mod day;
mod detail;
mod discrepancy;
mod endpoint;
mod event;
pub mod ids;
mod issuer;
mod money;
mod order;
mod order_now;
mod plain;
mod policy;
mod psp;
mod question;
mod record;
mod refund_terms;
mod refusal;
mod statement;
mod tender;
pub mod text_file;
mod time;

pub use bilingual::{Bilingual, Noted, Worded};
pub use chart::{Account, AccountNumber, Booking, Books, Chart, Journal, JournalRole, Override, Role};
pub use commission::{CommissionRate, CommissionRates, spread};
pub use date_pattern::{DatePattern, PatternError};
pub use day::{DateError, Day, Period};
pub use detail::{
    Detail, Difference, LineSays, OddStatus, PartName, PaymentName, ShopCalls, StatusOf, StoryOf, Verdict,
};
pub use discrepancy::{About, Finding, Identity, Kind, News, Reminder, Severity, UnknownKind};
pub use endpoint::EndpointRef;
pub use event::{
    AmountFrom, Authorisation, Event, Operation, ReportedState, Source, StatusCode, StatusReading,
};
pub use ids::{
    AuthorisationNumber, Brand, CallNumber, Contract, DiscrepancyId, EndpointId, HandlerAddress, IdError,
    IdRule, OrderRef, RelayTarget, Seq, ShopId, StatementNumber, Subject, TenderId, Way,
};
pub use issuer::{Issuer, IssuerName, VoucherKind};
pub use money::{AmountError, Cents, Currency};
pub use order::{Demand, Instalment, Order, OrderKey, OrderVersion, OtherClaim};
pub use order_now::{Due, OrderNow, OrderTotal, StillToPay};
pub use plain::plain;
pub use policy::{Audience, Policy};
pub use psp::{Mode, Psp, UnknownWord};
pub use question::{Asking, Question, Standing, Topic};
pub use record::{ExpectedFrom, Record, RecordState};
pub use refund_terms::{REFUND_TERMS, RefundTerms, Refundable};
pub use refusal::{Grounds, Refusal};
pub use statement::{LineId, Payout, PayoutTerms, Statement, StatementLine};
pub use tender::{BookAt, Booked, Instrument, PaidShare, ReturnCause, Returned, Tender, TenderState};
pub use time::{TimeError, Timestamp};
