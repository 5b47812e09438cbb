//! The answer of `getWebPaymentDetails`: a session with all its parts.

use cvco_domain::{Asking, CallNumber, Event, Operation, Standing};

use super::super::codes::Class;
use super::super::settings::Settings;
use super::super::subject::Token;
use super::booking::Booking;
use super::details::{Details, Leg, Unreadable};
use super::outcome::{histories, only, settled, step};
use super::xml::Element;
use crate::api::{Answer, Inquiry, Step};

/// The step after the answer.
pub(super) fn answered(
    settings: &Settings,
    inquiry: &Inquiry<'_>,
    token: &Token,
    response: &Element,
) -> Step {
    let read = Details::read(response).and_then(|details| {
        let call = CallNumber::new(token.as_str()).map_err(|error| Unreadable(error.to_string()))?;
        Ok((details, call))
    });
    match read {
        Ok((details, call)) => {
            let booking = Booking::new(&details, inquiry.known, settings, call);
            step(&booking, None, || paid(&booking))
        }
        Err(garbled) => Step::Failed(garbled.into()),
    }
}

fn paid(booking: &Booking<'_>) -> Result<Answer, Unreadable> {
    let details = booking.details;
    if details.legs.is_empty() {
        // 02500 and 02501 also confirm wallets and payment records, where no money moves yet.
        return match details.verdict.code.as_str() {
            "02500" | "02501" => {
                Ok(only(Standing::Settled, "approved, but not a payment: no transaction".to_owned()))
            }
            _ => Err(Unreadable("it approves a payment, but names no transaction".to_owned())),
        };
    }
    let mut answer = settled(booking.paid(true)?);
    if details.order.total.is_none() {
        answer.remark = Some("the answer does not state the order's total".to_owned());
    }
    if details.verdict.class == Class::PaidAtRisk {
        answer.remark = Some("accepted, but Monext's fraud module warns".to_owned());
    }
    // Only the history of a transaction tells of refunds: a payment that is asked about again is asked about in full.
    let is_known = |leg: &&Leg| {
        let paid_before =
            |event: &Event| event.operation == Operation::Debit && event.tender_id.as_ref() == Some(&leg.id);
        booking.known.iter().any(paid_before)
    };
    answer.questions = histories(details.legs.iter().filter(is_known), Asking::Again);
    Ok(answer)
}
