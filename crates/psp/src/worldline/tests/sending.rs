//! What the sender sends is read as it was meant.

use super::sender::{Happening, IdForm, Part, Webhook};
use super::*;

pub(super) fn voucher() -> Webhook {
    Webhook {
        merchant_id: MERCHANT.to_owned(),
        payment: "10083980800".to_owned(),
        operation: 0,
        ids: IdForm::Underscore,
        order_ref: "CMD-2026-0043".to_owned(),
        order_total: Cents::new(14000),
        acquired: Cents::new(5000),
        part: Part::Voucher(5412),
        amount: Cents::new(5000),
        states_amount: false,
        happening: Happening::Captured,
        at: Timestamp::parse("2026-05-04T08:20:00.123Z").expect("a date"),
    }
}

pub(super) fn card() -> Webhook {
    Webhook {
        operation: 1,
        acquired: Cents::new(14000),
        part: Part::Card(130, "test123".to_owned()),
        amount: Cents::new(9000),
        states_amount: true,
        at: Timestamp::parse("2026-05-04T08:21:10Z").expect("a date"),
        ..voucher()
    }
}

pub(super) fn refund() -> Webhook {
    Webhook {
        operation: 2,
        acquired: Cents::new(9000),
        happening: Happening::Refunded,
        at: Timestamp::parse("2026-05-04T09:05:00.5Z").expect("a date"),
        ..card()
    }
}

fn told(webhook: &Webhook) -> Event {
    only(events(&webhook.message(&key(KEY_ID, SECRET))))
}

#[test]
fn both_forms_of_ids_tell_of_the_same_parts() {
    for ids in [IdForm::Underscore, IdForm::Wrapped] {
        assert_eq!(told(&Webhook { ids, ..voucher() }), voucher_part());
        assert_eq!(told(&Webhook { ids, ..card() }), card_part());
        assert_eq!(told(&Webhook { ids, ..refund() }), card_refund());
    }
}

#[test]
fn whatever_happens_is_told() {
    use Happening as H;
    use ReportedState as S;
    for (happening, state) in [
        (H::Redirected, S::Pending),
        (H::Authorised, S::Authorised),
        (H::CaptureRequested, S::Pending),
        (H::Captured, S::Captured),
        (H::Refused, S::Refused),
        (H::Abandoned, S::Abandoned),
        (H::Cancelled, S::Cancelled),
        (H::RefundRequested, S::Pending),
        (H::Refunded, S::Captured),
        (H::RefundRefused, S::Refused),
    ] {
        let event = told(&Webhook { happening, ..card() });
        assert_eq!(event.state, state, "{happening:?}");
        assert_eq!(event.operation == Operation::Debit, !happening.is_refund(), "{happening:?}");
        assert_eq!(event.amount, Cents::new(9000), "{happening:?}");
    }
}
