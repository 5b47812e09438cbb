//! The English steps that depend on the PSP, for each allows other operations on a voucher. `{back_office}` and
//! `{support}` stand for the names of [`super::names`].

use cvco_domain::Psp::{self, Ancv, Monext, Sogecommerce, Up2pay, Worldline};

use super::super::Steps;

pub(super) const fn amount_short(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Ancv) => &[
            "Compare the vouchers with {back_office}, and the card part with the back office of the provider that took it.",
            "If they are complete, ask the customer for the difference, or correct the order in the shop if its total or its due dates are wrong.",
            "Do not confirm the booking until the balance has been paid.",
        ],
        Some(Up2pay | Sogecommerce | Worldline | Monext) | None => &[
            "Compare the order's payments with {back_office}.",
            "If they are complete, ask the customer for the difference, or correct the order in the shop if its total or its due dates are wrong.",
            "Do not confirm the booking until the balance has been paid.",
        ],
    }
}

pub(super) const fn amount_over(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "First check the order's total in the shop.",
            "{card}{if_right}refund the surplus on the card part, from the day after the payment.",
            "{card}{holiday}The voucher part cannot be refunded at Up2pay: if the surplus exceeds the card part, agree on a credit note with the customer.",
            "{card}{meal}If the surplus exceeds the card part, refund the rest on the meal voucher part, which can also be refunded from the day after the payment.",
            "{no_card}{holiday}{if_right}agree on a credit note with the customer, or ask ANCV: the voucher part cannot be refunded at Up2pay.",
            "{no_card}{meal}{if_right}refund the surplus on the meal voucher part, from the day after the payment.",
        ],
        Some(Sogecommerce) => &[
            "First check the order's total in the shop.",
            "{card}{if_right}refund the surplus on the card part in the Sogecommerce back office.",
            "{card}{voucher}The voucher part can only be cancelled or refunded whole: if the surplus exceeds the card part, agree on a credit note with the customer.",
            "{no_card}{if_right}cancel the voucher part in the Sogecommerce back office before it is remitted (three days at most), or refund it afterwards: only as a whole.",
            "{no_card}If the surplus is less than this part, agree on a credit note with the customer.",
        ],
        Some(Worldline) => &[
            "First check the order's total in the shop.",
            "{card}{if_right}refund the surplus in {back_office}: Worldline refunds the card part first, then the vouchers.",
            "{card}{voucher}Vouchers can be refunded only within 4 hours of the payment: after that, if the surplus exceeds the card part, agree on a credit note with the customer.",
            "{no_card}{if_right}refund the surplus in {back_office}: for vouchers this is possible within 4 hours of the payment.",
            "{no_card}After that, agree on a credit note with the customer.",
        ],
        Some(Monext) => &[
            "First check the order's total in the shop.",
            "{card}{if_right}refund the surplus on the card part in {back_office}.",
            "{card}{voucher}The voucher part cannot be refunded at Monext: if the surplus exceeds the card part, agree on a credit note with the customer.",
            "{no_card}{if_right}agree on a credit note with the customer, or ask {support} or ANCV: the voucher part cannot be refunded at Monext.",
        ],
        Some(Ancv) => &[
            "First check the order's total in the shop.",
            "{card}{if_right}refund the surplus on the card part, at the provider that took it.",
            "{card}{voucher}At ANCV the voucher part can only be cancelled whole: if the surplus exceeds the card part, agree on a credit note with the customer.",
            "{no_card}{if_right}cancel the transaction in {back_office}: this is possible only as a whole.",
            "{no_card}If the surplus is less, agree on a credit note with the customer.",
        ],
        None => &[
            "First check the order's total in the shop.",
            "{card}{if_right}refund the surplus on the card part in {back_office}.",
            "{no_card}{if_right}ask the provider whether the voucher part can be cancelled or refunded; otherwise agree on a credit note with the customer.",
        ],
    }
}

pub(super) const fn left_over_voucher(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Ask the customer for nothing more for this attempt: check in the Up2pay back office that the other payment is complete.",
            "{holiday}This voucher part can be neither cancelled nor refunded by API at Up2pay: turn to Up2pay support or ANCV, with the call number.",
            "{meal}Refund this meal voucher part in the Up2pay back office: it can be refunded from the day after the payment.",
            "{holiday}Tell the customer; if it cannot be cancelled, agree on a credit note.",
            "{meal}Tell the customer.",
        ],
        Some(Sogecommerce) => &[
            "Ask the customer for nothing more for this attempt: check in the Sogecommerce back office that the other payment is complete.",
            "Cancel this voucher part in the back office before its capture (three days at most): whole only.",
            "After the capture, refund it from the back office, whole as well, and tell the customer.",
        ],
        Some(Worldline) => &[
            "Ask the customer for nothing more for this attempt: check in {back_office} that the other payment is complete.",
            "Refund this voucher part without delay from {back_office}: that is possible within 4 hours of the payment.",
            "After that, turn to {support} or ANCV, or agree on a credit note with the customer.",
        ],
        Some(Monext) => &[
            "Ask the customer for nothing more for this attempt: check in {back_office} that the other payment is complete.",
            "Monext refunds the card part only: turn to {support} or ANCV, with the transaction number.",
            "Tell the customer; if it cannot be cancelled, agree on a credit note.",
        ],
        Some(Ancv) => &[
            "Ask the customer for nothing more for this attempt: check that the other payment is complete.",
            "Cancel the transaction in {back_office}: whole only.",
            "Tell the customer.",
        ],
        None => &[
            "Ask the customer for nothing more for this attempt: check that the other payment is complete.",
            "Ask the provider whether this voucher part can be cancelled or refunded; if not, agree on a credit note with the customer.",
        ],
    }
}

pub(super) const fn complement_missing(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Look up the call number in the Up2pay back office: if it shows an accepted card transaction (LIMOCB), only its notification was lost and the order is paid.",
            "Otherwise ask the customer to pay the balance by another means, and do not confirm the booking until it has been paid.",
            "{holiday}The voucher part can be neither cancelled nor refunded at Up2pay: if the sale falls through, contact Up2pay support or ANCV.",
            "{meal}If the sale falls through, refund the meal voucher part in the Up2pay back office: it can be refunded from the day after the payment.",
        ],
        Some(Sogecommerce) => &[
            "Open the order in the Sogecommerce back office: if it shows an accepted card part, have the notification URL called again.",
            "Otherwise ask the customer to pay the balance by another means, and do not confirm the booking until it has been paid.",
            "If the sale falls through, cancel the voucher part in the back office before its capture (three days at most): whole only.",
        ],
        Some(Worldline) => &[
            "Look the payment up in {back_office}: if it shows an accepted card part, only its notification was lost and the order is paid.",
            "Otherwise ask the customer to pay the balance by another means, and do not confirm the booking until it has been paid.",
            "If the sale falls through, refund the vouchers within 4 hours of the payment; after that, contact {support} or ANCV.",
        ],
        Some(Monext) => &[
            "Look the order up in {back_office}: if it shows an accepted card part, the order is paid.",
            "Otherwise ask the customer to pay the balance by another means, and do not confirm the booking until it has been paid.",
            "Monext does not refund the voucher part: if the sale falls through, contact {support} or ANCV.",
        ],
        Some(Ancv) => &[
            "Look up the order's reference at the provider of your card payments: if it shows an accepted payment, only its notification was lost and the order is paid.",
            "Otherwise ask the customer to pay the balance, and do not confirm the booking until it has been paid.",
            "If the sale falls through, cancel the transaction in {back_office}: whole only.",
        ],
        None => &[
            "Check in {back_office} whether a card part was accepted: if so, only its notification was lost.",
            "Otherwise ask the customer to pay the balance, and do not confirm the booking until it has been paid.",
        ],
    }
}

pub(super) const fn complement_orphan(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Look up the call number in the Up2pay back office: if it shows an accepted CVCONNECT transaction, only its notification was lost and the order is paid.",
            "Otherwise ask the customer to pay the balance, or refund the card part: this is possible from the day after the payment.",
        ],
        Some(Sogecommerce) => &[
            "Open the order in the Sogecommerce back office: if it shows an accepted CVCO part, have the notification URL called again.",
            "Otherwise ask the customer to pay the balance, or cancel the card part; refund it if it is already captured.",
        ],
        Some(Worldline) => &[
            "Look the payment up in {back_office}: if it shows an accepted voucher part, only its notification was lost and the order is paid.",
            "Otherwise ask the customer to pay the balance, or refund the card part.",
        ],
        Some(Monext) => &[
            "Look the order up in {back_office}: if it shows an accepted voucher part, the order is paid.",
            "Otherwise ask the customer to pay the balance, or refund the card part.",
        ],
        Some(Ancv) => &[
            "Look up the order's reference in {back_office}: if it shows a validated transaction, the order is paid.",
            "Otherwise ask the customer to pay the balance, or refund the card part at the provider that took it.",
        ],
        None => &[
            "Check in {back_office} whether a voucher part was accepted: if so, only its notification was lost.",
            "Otherwise ask the customer to pay the balance, or refund the card part.",
        ],
    }
}

pub(super) const fn voucher_orphan(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Contact the customer: the simplest way out is to pay the balance by another means.",
            "Do not confirm the booking until the balance has been paid.",
            "{holiday}The voucher part can be neither cancelled nor refunded by API at Up2pay: if the sale falls through, contact Up2pay support or ANCV and quote the call number.",
            "{meal}If the sale falls through, refund the meal voucher part in the Up2pay back office: it can be refunded from the day after the payment.",
        ],
        Some(Sogecommerce) => &[
            "Contact the customer, who can pay the balance by another means.",
            "If the sale falls through, cancel the voucher part in the Sogecommerce back office before its capture (three days at most): whole only.",
            "Once it is captured, refund it in the back office, again whole only.",
        ],
        Some(Worldline) => &[
            "Contact the customer at once, who can pay the balance by another means.",
            "Do not confirm the booking until the balance has been paid.",
            "If the sale falls through, refund the voucher part in {back_office}: this is possible within 4 hours of the payment, also in part.",
            "After that, contact {support} or ANCV.",
        ],
        Some(Monext) => &[
            "Contact the customer: the simplest way out is to pay the balance by another means.",
            "Do not confirm the booking until the balance has been paid.",
            "Monext refunds the card part only: if the sale falls through, contact {support} or ANCV and quote the transaction number.",
        ],
        Some(Ancv) => &[
            "Contact the customer, who can pay the balance by another means.",
            "Do not confirm the booking until the balance has been paid.",
            "If the sale falls through, cancel the transaction in {back_office}: whole only.",
        ],
        None => &[
            "Contact the customer, who can pay the balance by another means.",
            "If the sale falls through, ask the provider whether the voucher part can be cancelled.",
        ],
    }
}

pub(super) const fn duplicate_tender(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Check both transactions in the Up2pay back office.",
            "If the card part is there twice, refund one of the two, from the day after the payment.",
            "{holiday}If the voucher part is there twice, Up2pay cannot refund it: contact Up2pay support or ANCV, and tell the customer.",
            "{meal}If the meal voucher part is there twice, refund one of the two, also from the day after the payment, and tell the customer.",
        ],
        Some(Sogecommerce) => &[
            "Check both transactions in the Sogecommerce back office.",
            "Cancel the surplus part before its capture, or refund it afterwards; a voucher part whole only.",
        ],
        Some(Worldline) => &[
            "Check both transactions in {back_office}.",
            "If the card part is there twice, refund one of the two.",
            "If the voucher part is there twice, be quick: it can be refunded only within 4 hours, and Worldline always refunds the card part first.",
            "After that, contact {support} or ANCV, and tell the customer.",
        ],
        Some(Monext) => &[
            "Check both transactions in {back_office}.",
            "Monext cannot refund a voucher part: contact {support} or ANCV, and tell the customer.",
        ],
        Some(Ancv) => &[
            "Check both transactions in {back_office}.",
            "Cancel the one too many there (whole only), and tell the customer.",
        ],
        None => &[
            "Check both transactions in {back_office}.",
            "Cancel or refund the surplus part if the provider allows it, and tell the customer.",
        ],
    }
}

pub(super) const fn double_payment(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Check in the shop that it really is a single order, then tell the customer.",
            "{card}Refund the card part of the surplus payment in the Up2pay back office, from the day after it was made.",
            "{holiday}The voucher part of this payment cannot be refunded at Up2pay: agree on a credit note with the customer, or contact ANCV.",
            "{meal}Refund the meal voucher part of this payment, also from the day after.",
        ],
        Some(Sogecommerce) => &[
            "Check in the shop that it really is a single order, then tell the customer.",
            "Before capture (three days at most), cancel the surplus payment in the Sogecommerce back office.",
            "{card}After capture, refund its card part.",
            "{voucher}After capture, the voucher part of this payment is refunded by itself, whole only.",
        ],
        Some(Worldline) => &[
            "Check in the shop that it really is a single order, then tell the customer.",
            "Refund the surplus payment in {back_office}: Worldline refunds the card part first, if there is one.",
            "{voucher}Vouchers can be refunded only within 4 hours of the payment: after that, agree on a credit note with the customer, or contact ANCV.",
        ],
        Some(Monext) => &[
            "Check in the shop that it really is a single order, then tell the customer.",
            "{card}Refund the card part of the surplus payment in {back_office}.",
            "{voucher}The voucher part of this payment cannot be refunded at Monext: agree on a credit note with the customer, or contact ANCV.",
        ],
        Some(Ancv) => &[
            "Check in the shop that it really is a single order, then tell the customer.",
            "{voucher}Cancel the voucher part of the surplus payment in {back_office}: whole only.",
            "{card}Refund its card part at the provider that took it.",
        ],
        None => &[
            "Check in the shop that it really is a single order, then tell the customer.",
            "Cancel or refund the surplus payment if the provider allows it; otherwise agree on a credit note.",
        ],
    }
}

pub(super) const fn total_unknown(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Compare the payment with the order in the shop.",
            "Up2pay does not transmit the order's total: to have it checked automatically, the shop must register every order.",
        ],
        Some(Sogecommerce | Worldline | Monext | Ancv) | None => &[
            "Compare the payment with the order in the shop.",
            "To have it checked automatically, ask the developer to let the shop register every order.",
        ],
    }
}

pub(super) const fn test_in_production(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Do not confirm the order on the strength of this payment.",
            "Ask the developer whether the shop sends its customers to Up2pay's test platform (preprod).",
        ],
        Some(Sogecommerce) => &[
            "Do not confirm the order on the strength of this payment.",
            "Ask the developer to check the shop's mode (vads_ctx_mode must be PRODUCTION) and the notification URL of the test mode.",
        ],
        Some(Worldline) => &[
            "Do not confirm the order on the strength of this payment.",
            "Ask the developer whether the shop still uses Worldline's test environment, or its keys.",
        ],
        Some(Monext) => &[
            "Do not confirm the order on the strength of this payment.",
            "Ask the developer whether the shop still uses Monext's homologation platform.",
        ],
        Some(Ancv) | None => &[
            "Do not confirm the order on the strength of this payment.",
            "Ask the developer whether the shop still uses the provider's test platform.",
        ],
    }
}

pub(super) const fn signature_failures(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Have it checked that pbx_retour in the configuration is identical to the shop's PBX_RETOUR.",
            "The command cvco-reconciled diagnose tells why a signature does not verify.",
            "Meanwhile, check today's payments in the Up2pay back office.",
            "If the configuration is right, these calls do not come from Up2pay: nothing of them was booked.",
        ],
        Some(Sogecommerce) => &[
            "Have the key (test or production, no blanks around it) and the algorithm (HMAC-SHA-256 or SHA-1) compared with the shop's settings in the Sogecommerce back office.",
            "The command cvco-reconciled diagnose tells why a signature does not verify.",
            "Once the key is corrected, have the notification URL called again from the back office for each refused payment.",
            "If the configuration is right, these calls do not come from Sogecommerce: nothing of them was booked.",
        ],
        Some(Worldline) => &[
            "Have the webhook keys in the configuration compared with those of the Merchant Portal (menu Developer, page Webhooks): generating a new one revokes the previous one at once.",
            "The command cvco-reconciled diagnose tells why a signature does not verify.",
            "Meanwhile, check today's payments in {back_office}.",
            "If the configuration is right, these calls do not come from Worldline: nothing of them was booked.",
        ],
        Some(Monext | Ancv) | None => &[
            "Have the provider's key in the configuration checked; the command cvco-reconciled diagnose helps.",
            "Meanwhile, check today's payments in {back_office}.",
        ],
    }
}
