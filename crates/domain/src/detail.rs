//! The particulars of a discrepancy, as data. Mails and lists put them into words of their language; [`Detail`]'s own
//! `Display` is the short line of the views, with names and figures alone.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AuthorisationNumber, Brand, CallNumber, Cents, Contract, Currency, Day, EndpointId, HandlerAddress,
    Instrument, Issuer, LineId, Noted, OrderRef, Psp, Refusal, ReportedState, Seq, Source, StatementNumber,
    Subject, TenderId, Timestamp, Topic,
};

/// What a discrepancy is about, beyond its order, its payment and its figures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    /// Nothing more.
    #[default]
    Nothing,
    /// The parts that its figures are made of.
    Parts(Vec<PartName>),
    /// The parts of an attempt that was given up, while the order was paid otherwise.
    LeftOver(Vec<PartName>),
    /// The parts of which the authorisation lapsed before they were captured, and those that wait beside them.
    Lapsed(Vec<PartName>),
    /// The parts, of which less was captured than was authorised.
    PartCaptured {
        /// All of them.
        parts: Vec<PartName>,
        /// What is authorised and not captured.
        left: Cents,
    },
    /// Several payments of one order.
    Payments(Vec<PaymentName>),
    /// An endpoint, where the discrepancy is about a payment.
    Endpoint(EndpointId),
    /// Currencies that should be another one.
    Currencies {
        /// Those of the parts.
        found: Vec<Currency>,
        /// The order's.
        expected: Currency,
    },
    /// A part and its authorisation number, one of which should not be without the other, or with it.
    Authorisation {
        /// The part.
        part: PartName,
        /// The number, if there is one.
        number: Option<AuthorisationNumber>,
    },
    /// A contract of the PSP.
    Contract(Contract),
    /// A status that calls for a person, or that the tables do not have.
    Status {
        /// The part that has it, or whose refund has it.
        part: PartName,
        /// Whose status it is.
        of: StatusOf,
        /// The statuses.
        statuses: Vec<OddStatus>,
    },
    /// Two stories about one part.
    Dispute {
        /// The part.
        part: PartName,
        /// Whether they are about the part itself, or about what went back of it.
        of: StoryOf,
        /// What differs beside the amount.
        differences: Vec<Difference>,
    },
    /// What the PSP's API was asked about, and does not know.
    Unknown(Vec<Subject>),
    /// When the order's total was changed.
    ChangedAt(Timestamp),
    /// Another order.
    Order(OrderRef),
    /// A refund that came late.
    Late {
        /// The part that was given back.
        part: PartName,
        /// When it was paid.
        paid_at: Timestamp,
        /// When it was given back.
        refunded_at: Timestamp,
    },
    /// Lines of statements.
    Lines(Vec<LineId>),
    /// A statement as a whole.
    Statement {
        /// Who issued it.
        issuer: Issuer,
        /// Its number.
        number: StatementNumber,
    },
    /// A line of a statement that no payment explains.
    Line {
        /// Which.
        line: LineId,
        /// What it says to be found by.
        says: LineSays,
        /// Orders whose payment could be meant, by reference or call number.
        perhaps: Vec<String>,
    },
    /// Answers of a PSP's API that are missing.
    Awaited {
        /// How many.
        count: u32,
        /// What the first question is about.
        topic: Topic,
        /// Which one.
        subject: Subject,
    },
    /// How a clock was corrected.
    Clock {
        /// From the time that it showed …
        from: Timestamp,
        /// … to the right one.
        to: Timestamp,
    },
    /// When something was last received.
    LastCall(Timestamp),
    /// Calls that were refused.
    Refused {
        /// How many.
        calls: u32,
        /// What the adapter found out about them.
        diagnosis: Noted,
    },
    /// Calls that were refused for another reason than their signature.
    RefusedFor {
        /// The reason.
        refusal: Refusal,
        /// How many, within a day.
        calls: u32,
        /// The PSP had signed the last of them.
        #[serde(default)]
        signed: bool,
        /// The address that the last of them came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<String>,
        /// What is wrong.
        why: Noted,
    },
    /// Calls that a handler of the shop does not take.
    NotTaken(ShopCalls),
    /// Calls that a handler of the shop refused.
    RefusedByShop(ShopCalls),
    /// Why something failed, in the technical words of whoever noticed.
    Technical(Noted),
    /// An entry of the log that could not be taken in.
    Entry {
        /// Its number.
        seq: Seq,
        /// How many others stand aside like it.
        others: u32,
        /// Its kind, of one that could not be folded; nothing of a message that was not understood.
        kind: Option<String>,
        /// Why, in technical words.
        reason: Noted,
    },
}

impl Detail {
    /// How many calls it is about, if it is about calls.
    #[must_use]
    pub const fn calls(&self) -> Option<u32> {
        if let Self::RefusedByShop(calls) | Self::NotTaken(calls) = self {
            Some(calls.calls)
        } else if let Self::Refused { calls, .. } | Self::RefusedFor { calls, .. } = self {
            Some(*calls)
        } else {
            None
        }
    }

    /// The parts of one payment or order that it is about, where it names such.
    #[must_use]
    pub fn parts(&self) -> &[PartName] {
        if let Self::Parts(parts)
        | Self::LeftOver(parts)
        | Self::Lapsed(parts)
        | Self::PartCaptured { parts, .. } = self
        {
            parts
        } else {
            &[]
        }
    }

    /// Takes in the particulars of a second discrepancy that is told together with this one.
    pub fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Parts(parts), Self::Parts(others)) => {
                for part in others {
                    if !parts.contains(&part) {
                        parts.push(part);
                    }
                }
            }
            (Self::Late { refunded_at, .. }, Self::Late { refunded_at: other, .. }) => {
                *refunded_at = other.max(*refunded_at);
            }
            (Self::Status { statuses, .. }, Self::Status { statuses: others, .. }) => {
                statuses.extend(others);
                statuses.sort_unstable();
                statuses.dedup();
            }
            _ => {}
        }
    }
}

/// Calls that were relayed to a handler of the shop in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopCalls {
    /// Where the handler is; `None` if it is no longer configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<HandlerAddress>,
    /// How many calls.
    pub calls: u32,
    /// How many of them are no longer tried.
    #[serde(default)]
    pub parked: u32,
    /// Since when the first of them waits, or stands refused.
    pub since: Timestamp,
    /// The first orders that they are about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<OrderRef>,
    /// What the handler last answered.
    pub why: Noted,
}

/// A part of a payment, as people find it in a back office.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartName {
    /// The PSP's transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TenderId>,
    /// Voucher or card.
    pub instrument: Instrument,
    /// The instrument as the PSP names it.
    pub brand: Brand,
    /// Where it was paid, if that is not where its record stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<PaymentName>,
}

/// A payment attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentName {
    /// At which PSP.
    pub psp: Psp,
    /// Which.
    pub call_number: CallNumber,
}

/// What two stories are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryOf {
    /// A part itself.
    Payment,
    /// A refund of a part.
    Refund,
    /// What the card's bank took back of a part.
    Chargeback,
}

/// What a status is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusOf {
    /// A part itself.
    Payment,
    /// A refund of a part.
    Refund,
}

/// A status that calls for a person, or that the tables do not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OddStatus {
    /// The PSP's code.
    pub code: String,
    /// What it was taken for.
    pub state: ReportedState,
}

/// What two stories about one part disagree about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// The currency: that of the notifications, and that of the API.
    Currency(Currency, Currency),
    /// Whether it was accepted.
    Outcome {
        /// Who says so.
        accepted_by: Vec<Verdict>,
        /// Who says otherwise.
        failed_by: Vec<Verdict>,
    },
}

/// Who judged a part, with which status.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Verdict {
    /// By whose word.
    pub source: Source,
    /// The PSP's code.
    pub code: String,
}

/// What a line of a statement says to be found by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineSays {
    /// The merchant's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<OrderRef>,
    /// The transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TenderId>,
    /// The authorisation number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation: Option<AuthorisationNumber>,
    /// When the customer paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Day>,
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(transaction) = &self.transaction {
            write!(f, "{transaction}/")?;
        }
        write!(f, "{}", self.brand)?;
        match &self.elsewhere {
            Some(payment) => write!(f, " ({payment})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PaymentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.psp, self.call_number)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Currency(notified, answered) => write!(f, "{notified} ≠ {answered}"),
            Self::Outcome { accepted_by, failed_by } => {
                let mut sides = [accepted_by, failed_by];
                // What was notified stands first.
                if accepted_by.iter().all(|verdict| verdict.source == Source::Confirmation) {
                    sides.reverse();
                }
                let codes: Vec<&str> =
                    sides.into_iter().flatten().map(|verdict| verdict.code.as_str()).collect();
                f.write_str(&codes.join(" ≠ "))
            }
        }
    }
}

impl fmt::Display for ShopCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Some(address) => write!(f, "{address}")?,
            None => f.write_str("–")?,
        }
        let calls = if self.calls == 1 { "call" } else { "calls" };
        write!(f, ": {} {calls} since {}", self.calls, self.since)?;
        if self.parked > 0 {
            write!(f, ", {} parked", self.parked)?;
        }
        write!(f, "; {}", self.why)
    }
}

impl fmt::Display for LineSays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [
            self.reference.as_ref().map(ToString::to_string),
            self.transaction.as_ref().map(ToString::to_string),
            self.authorisation.as_ref().map(ToString::to_string),
            self.dated.map(|day| day.to_string()),
        ];
        f.write_str(&said.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Puts a list into one line.
fn list<T: fmt::Display>(items: &[T], between: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Parts(parts) | Self::LeftOver(parts) | Self::Lapsed(parts) => {
                f.write_str(&list(parts, "; "))
            }
            Self::PartCaptured { parts, left } => write!(f, "{}: {left} authorised", list(parts, "; ")),
            Self::Payments(payments) => f.write_str(&list(payments, ", ")),
            Self::Endpoint(endpoint) => write!(f, "{endpoint}"),
            Self::Currencies { found, expected } if found.iter().all(|found| found == expected) => {
                f.write_str(&list(found, ", "))
            }
            Self::Currencies { found, expected } => write!(f, "{} ≠ {expected}", list(found, ", ")),
            Self::Authorisation { part, number } => match number {
                Some(number) => write!(f, "{part}: {number}"),
                None => write!(f, "{part}: –"),
            },
            Self::Contract(contract) => write!(f, "{contract}"),
            Self::Status { part, statuses, .. } => {
                let codes: Vec<&str> = statuses.iter().map(|status| status.code.as_str()).collect();
                write!(f, "{part}: {}", codes.join(", "))
            }
            Self::Dispute { part, differences, .. } if differences.is_empty() => write!(f, "{part}"),
            Self::Dispute { part, differences, .. } => write!(f, "{part}: {}", list(differences, ", ")),
            Self::Unknown(subjects) => f.write_str(&list(subjects, "; ")),
            Self::ChangedAt(at) | Self::LastCall(at) => write!(f, "{at}"),
            Self::Order(reference) => write!(f, "{reference}"),
            Self::Late { part, paid_at, refunded_at } => write!(f, "{part}: {paid_at} → {refunded_at}"),
            Self::Lines(lines) => f.write_str(&list(lines, "; ")),
            Self::Statement { issuer, number } => write!(f, "{issuer} {number}"),
            Self::Line { line, says, perhaps } => {
                write!(f, "{line}: {says}")?;
                if perhaps.is_empty() { Ok(()) } else { write!(f, " ≟ {}", perhaps.join(", ")) }
            }
            Self::Awaited { count, topic, subject } => write!(f, "{count}: {topic} {subject}"),
            Self::Clock { from, to } => write!(f, "{from} {to}"),
            Self::Refused { calls, diagnosis } => write!(f, "{calls} calls refused; {diagnosis}"),
            Self::RefusedFor { refusal, calls, caller, why, .. } => {
                write!(f, "{calls} calls refused ({})", refusal.as_str())?;
                caller.iter().try_for_each(|caller| write!(f, ", the last from {caller}"))?;
                write!(f, "; {why}")
            }
            Self::NotTaken(calls) | Self::RefusedByShop(calls) => write!(f, "{calls}"),
            Self::Technical(what) => what.fmt(f),
            Self::Entry { seq, others, kind, reason } => {
                write!(f, "entry {seq}")?;
                if *others > 0 {
                    write!(f, " and {others} more")?;
                }
                kind.iter().try_for_each(|kind| write!(f, " ({kind})"))?;
                write!(f, ": {reason}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> PartName {
        PartName {
            transaction: TenderId::new("24345585831757").ok(),
            instrument: Instrument::Voucher,
            brand: Brand::new("ANCV_CONNECT").expect("a brand"),
            elsewhere: None,
        }
    }

    #[test]
    fn the_short_line_names_and_counts_and_no_more() {
        let elsewhere = PaymentName { psp: Psp::Ancv, call_number: CallNumber::new("7").expect("a call") };
        assert_eq!(
            PartName { elsewhere: Some(elsewhere), ..part() }.to_string(),
            "24345585831757/ANCV_CONNECT (ancv 7)"
        );
        let of = StatusOf::Payment;
        let status = OddStatus { code: "83".to_owned(), state: ReportedState::Refused };
        let status = Detail::Status { part: part(), of, statuses: vec![status] };
        assert_eq!(status.to_string(), "24345585831757/ANCV_CONNECT: 83");
        assert_eq!(Detail::Nothing.to_string(), "");
    }

    #[test]
    fn what_was_notified_stands_before_what_was_answered() {
        let by = |source, code: &str| vec![Verdict { source, code: code.to_owned() }];
        for (accepted_by, failed_by, line) in [
            (by(Source::Notification, "A"), by(Source::Notification, "F"), "A ≠ F"),
            (by(Source::Notification, "A"), by(Source::Confirmation, "F"), "A ≠ F"),
            (by(Source::Confirmation, "A"), by(Source::Notification, "F"), "F ≠ A"),
        ] {
            assert_eq!(Difference::Outcome { accepted_by, failed_by }.to_string(), line);
        }
    }
}
