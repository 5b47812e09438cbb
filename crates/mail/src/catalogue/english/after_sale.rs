//! The English steps about what comes after the sale: captures, refunds, and endpoints that fall silent.

use cvco_domain::Psp::{self, Ancv, Monext, Sogecommerce, Up2pay, Worldline};

use super::super::Steps;

pub(super) const fn capture_overdue(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Sogecommerce) => &[
            "Open the transaction in the Sogecommerce back office: if it waits to be validated, validate it today; an authorisation holds three days.",
            "If it has expired or was cancelled, ask the customer to pay again before you confirm anything.",
        ],
        Some(Worldline) => &[
            "Open the payment in {back_office}: if it is only authorised, capture it there, or cancel it if the sale fell through.",
            "If this happens with every payment, ask the developer to let the shop charge at once (requiresApproval=false), or capture by itself.",
            "If it has expired, ask the customer to pay again before you confirm anything.",
        ],
        Some(Up2pay | Monext | Ancv) | None => &[
            "Open the transaction in {back_office}: if it is only authorised, capture it there, or cancel it if the sale fell through.",
            "If it is still undecided there, ask {support}; do not confirm the booking before it is accepted.",
            "If it has expired, ask the customer to pay again before you confirm anything.",
        ],
    }
}

pub(super) const fn refund_not_allowed(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Open both parts in the Up2pay back office, and see what was really given back.",
            "{holiday}At Up2pay the voucher part cannot be refunded at all; the card part can, from the day after the payment, up to its amount.",
            "{meal}At Up2pay the meal voucher part and the card part can be refunded from the day after the payment, each up to its amount.",
            "If money went back that should not have, contact {support} and quote the call number; book the refund only as {back_office} shows it.",
        ],
        Some(Sogecommerce) => &[
            "Open the transaction in the Sogecommerce back office, and see what was really given back.",
            "If the payment itself is not recorded here, look for it in {back_office}: it is older than the installation, or its notification was lost.",
            "The voucher part can only be refunded whole: if a part of it was, contact {support} or ANCV.",
            "If more was refunded than was paid, ask {support} to take the surplus back.",
        ],
        Some(Monext) => &[
            "Open the transaction in {back_office}, and see what was really given back.",
            "If the payment itself is not recorded here, look for it in {back_office}: it is older than the installation, or its notification was lost.",
            "At Monext only the card part can be refunded, up to its amount: for vouchers contact {support} or ANCV.",
            "Book the refund only as {back_office} shows it.",
        ],
        Some(Worldline | Ancv) | None => &[
            "Open the payment in {back_office}, and see what was really given back.",
            "If the payment itself is not recorded here, look for it in {back_office}: it is older than the installation, or its notification was lost.",
            "If more was refunded than was paid, or a part that cannot be, contact {support} and quote the transaction number.",
            "Book the refund only as {back_office} shows it.",
        ],
    }
}

pub(super) const fn refund_late(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Worldline) => &[
            "Vouchers can be refunded only within 4 hours of the payment: check in {back_office} whether this refund was really made.",
            "If it was refused afterwards, agree with the customer on another way to pay the amount back.",
            "If it stands, make sure that ANCV's next statement takes it into account.",
        ],
        Some(Up2pay | Sogecommerce | Monext | Ancv) | None => &[
            "Check in {back_office} whether this refund was really made.",
            "If it stands, make sure that ANCV's next statement takes it into account.",
        ],
    }
}

pub(super) const fn refund_order(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Worldline) => &[
            "Open the payment in {back_office}: Worldline refunds the card part first, and vouchers only with what exceeds it.",
            "If the card part is refunded there, only its notification was lost.",
            "Otherwise ask {support} why vouchers went back first, and whether the card part is still to be refunded to the customer.",
        ],
        Some(Up2pay | Sogecommerce | Monext | Ancv) | None => &[
            "Open the payment in {back_office}, and see whether the card part was refunded.",
            "If it was not, ask {support} why vouchers went back first.",
        ],
    }
}

pub(super) const fn refund_partial(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Sogecommerce) => &[
            "In the Sogecommerce back office each part is refunded by itself: look whether the other one was refunded too.",
            "If the whole order was to be refunded, refund the part that is missing; a voucher part whole only.",
            "If only this part was meant, mark the discrepancy as handled and note why.",
        ],
        Some(Up2pay | Worldline | Monext | Ancv) | None => &[
            "Open the refund in {back_office}: if it was made there, only its notification is missing.",
            "If it was refused or still waits, ask {support}, and tell the customer when the money will come.",
        ],
    }
}

pub(super) const fn endpoint_silent(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Look at today's payments in the Up2pay back office: if there are any, their notifications do not arrive.",
            "Then have the web server, its certificate and the notification address checked, and look for Up2pay's warning e-mails: they can be imported.",
            "If the shop is closed or sells less now, there is nothing to do: snooze this discrepancy until it opens again.",
        ],
        Some(Sogecommerce) => &[
            "Look at today's payments in the Sogecommerce back office: if there are any, their notifications do not arrive.",
            "Then have the web server, its certificate and the notification rules checked, and have the notification URL called again for each payment.",
            "If the shop is closed or sells less now, there is nothing to do: snooze this discrepancy until it opens again.",
        ],
        Some(Worldline | Monext | Ancv) | None => &[
            "Look at today's payments in {back_office}: if there are any, their notifications do not arrive.",
            "Then have the web server, its certificate and the notification address checked; the command cvco-reconciled catch-up asks for what was missed.",
            "If the shop is closed or sells less now, there is nothing to do: snooze this discrepancy until it opens again.",
        ],
    }
}

pub(super) const fn contract_unknown(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Sogecommerce | Monext) => &[
            "Check in {back_office} to whom this contract belongs, and on which account it is settled.",
            "If it is yours, have it added to the configuration (contracts of this endpoint): the discrepancy then closes by itself.",
            "If it is not, find out with {support} how the payment came to it.",
        ],
        Some(Up2pay | Worldline | Ancv) | None => &[
            "Check in {back_office} to whom this account belongs.",
            "If it is yours, have the configuration of this endpoint corrected; then have the payments concerned notified again.",
            "If it is not, find out with {support} how the notification came to you.",
        ],
    }
}
