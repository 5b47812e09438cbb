//! The English table.

use super::{Entry, says};
use crate::domain::Kind;
use crate::domain::Psp;
use crate::domain::Psp::{Ancv, Monext, Sogecommerce, Up2pay, Worldline};

#[expect(clippy::too_many_lines, reason = "a table: one row per kind")]
pub(super) const fn entry(kind: Kind, psp: Option<Psp>) -> Entry {
    match kind {
        Kind::AmountShort => says(
            "amount too low",
            "The accepted payments come to less than the amount expected.",
            &[
                "Compare the payments above with the provider's back office.",
                "If they are complete, ask the customer for the difference, or correct the order's total in the shop if it is wrong.",
                "Do not confirm the booking until the balance has been paid.",
            ],
        ),
        Kind::AmountOver => says(
            "overpayment",
            "The accepted payments come to more than the amount expected.",
            match psp {
                Some(Up2pay) => &[
                    "First check the order's total in the shop.",
                    "If it is right, refund the surplus on the card part, from the day after the payment.",
                    "The voucher part cannot be refunded at Up2pay: if the surplus exceeds the card part, agree on a credit note with the customer.",
                ],
                Some(Sogecommerce) => &[
                    "First check the order's total in the shop.",
                    "If it is right, refund the surplus on the card part in the Sogecommerce back office.",
                    "The voucher part can only be cancelled or refunded whole: if the surplus exceeds the card part, agree on a credit note with the customer.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "First check the order's total in the shop.",
                    "If it is right, refund the surplus on the card part in the provider's back office.",
                ],
            },
        ),
        Kind::ComplementMissing => says(
            "card part missing",
            "The voucher part was accepted, but its card part did not arrive in the time allowed.",
            match psp {
                Some(Up2pay) => &[
                    "Look up the call number in the Up2pay back office: if it shows an accepted card transaction (LIMOCB), only its notification was lost and the order is paid.",
                    "Otherwise ask the customer to pay the balance by another means, and do not confirm the booking until it has been paid.",
                    "The voucher part can be neither cancelled nor refunded at Up2pay: if the sale falls through, contact Up2pay support or ANCV.",
                ],
                Some(Sogecommerce) => &[
                    "Open the order in the Sogecommerce back office: if it shows an accepted card part, have the notification URL called again.",
                    "Otherwise ask the customer to pay the balance by another means, and do not confirm the booking until it has been paid.",
                    "If the sale falls through, cancel the voucher part in the back office before its capture (three days at most): whole only.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Check in the provider's back office whether a card part was accepted: if so, only its notification was lost.",
                    "Otherwise ask the customer to pay the balance, and do not confirm the booking until it has been paid.",
                ],
            },
        ),
        Kind::ComplementOrphan => says(
            "voucher part missing",
            "A card part was accepted, but the voucher part that it completes did not arrive.",
            match psp {
                Some(Up2pay) => &[
                    "Look up the call number in the Up2pay back office: if it shows an accepted CVCONNECT transaction, only its notification was lost and the order is paid.",
                    "Otherwise ask the customer to pay the balance, or refund the card part: this is possible from the day after the payment.",
                ],
                Some(Sogecommerce) => &[
                    "Open the order in the Sogecommerce back office: if it shows an accepted CVCO part, have the notification URL called again.",
                    "Otherwise ask the customer to pay the balance, or cancel the card part; refund it if it is already captured.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Check in the provider's back office whether a voucher part was accepted: if so, only its notification was lost.",
                    "Otherwise ask the customer to pay the balance, or refund the card part.",
                ],
            },
        ),
        Kind::VoucherOrphan => says(
            "vouchers accepted, card part refused",
            "The card part was refused or abandoned, but the voucher part is still accepted.",
            match psp {
                Some(Up2pay) => &[
                    "Contact the customer: the simplest way out is to pay the balance by another means.",
                    "Do not confirm the booking until the balance has been paid.",
                    "The voucher part can be neither cancelled nor refunded by API at Up2pay: if the sale falls through, contact Up2pay support or ANCV and quote the call number.",
                ],
                Some(Sogecommerce) => &[
                    "Contact the customer, who can pay the balance by another means.",
                    "If the sale falls through, cancel the voucher part in the Sogecommerce back office before its capture (three days at most): whole only.",
                    "Once it is captured, refund it in the back office, again whole only.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Contact the customer, who can pay the balance by another means.",
                    "If the sale falls through, ask the provider whether the voucher part can be cancelled.",
                ],
            },
        ),
        Kind::DuplicateTender => says(
            "part paid twice",
            "Two parts of the same nature were accepted where only one is possible.",
            match psp {
                Some(Up2pay) => &[
                    "Check both transactions in the Up2pay back office.",
                    "If the card part is there twice, refund one of the two, from the day after the payment.",
                    "If the voucher part is there twice, Up2pay cannot refund it: contact Up2pay support or ANCV, and tell the customer.",
                ],
                Some(Sogecommerce) => &[
                    "Check both transactions in the Sogecommerce back office.",
                    "Cancel the surplus part before its capture, or refund it afterwards; a voucher part whole only.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Check both transactions in the provider's back office.",
                    "Cancel or refund the surplus part if the provider allows it, and tell the customer.",
                ],
            },
        ),
        Kind::DoublePayment => says(
            "order paid twice",
            "The order was paid twice in full.",
            match psp {
                Some(Up2pay) => &[
                    "Check in the shop that it really is a single order, then tell the customer.",
                    "Refund the card part of the second payment, from the day after it was made.",
                    "Its voucher part cannot be refunded at Up2pay: agree on a credit note with the customer, or contact ANCV.",
                ],
                Some(Sogecommerce) => &[
                    "Check in the shop that it really is a single order, then tell the customer.",
                    "Before capture (three days at most), cancel the second payment in the Sogecommerce back office.",
                    "After capture, refund each of its parts separately; the voucher part whole only.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Check in the shop that it really is a single order, then tell the customer.",
                    "Cancel or refund one of the two payments if the provider allows it; otherwise agree on a credit note.",
                ],
            },
        ),
        Kind::OrderUnknown => says(
            "unknown order",
            "A payment arrived for an order that the shop has not registered.",
            &[
                "Look for the reference in the shop.",
                "If the order exists, ask the developer to check that the shop registers every order before its payment.",
                "If it does not, find the customer through the provider's back office and agree on what to do.",
            ],
        ),
        Kind::TotalUnknown => says(
            "expected amount unknown",
            "A payment was accepted, but neither the shop nor the provider says what amount to expect.",
            match psp {
                Some(Up2pay) => &[
                    "Compare the payment with the order in the shop.",
                    "Up2pay does not transmit the order's total: to have it checked automatically, the shop must register every order.",
                ],
                Some(Sogecommerce | Worldline | Monext | Ancv) | None => &[
                    "Compare the payment with the order in the shop.",
                    "To have it checked automatically, ask the developer to let the shop register every order.",
                ],
            },
        ),
        Kind::TotalChanged => says(
            "total changed after payment",
            "The shop changed the order's total when it had already been paid.",
            &[
                "Find out who changed the order, and why.",
                "Collect or refund the difference, and keep the document that justifies the new total.",
            ],
        ),
        Kind::CurrencyUnexpected => says(
            "unexpected currency",
            "A payment is in another currency than the order.",
            &[
                "Check the transaction's currency in the provider's back office; vouchers exist in euros only.",
                "Ask the developer to check which currency the shop sends with the payment.",
                "Do not count this payment towards the total until that is settled.",
            ],
        ),
        Kind::ConflictingNotification => says(
            "contradictory notifications",
            "Two genuine notifications of the same transaction contradict each other.",
            &[
                "Open the transaction in the provider's back office, which is authoritative.",
                "Confirm the booking only once the amount is certain.",
                "Report the contradiction to the provider's support, quoting the transaction number.",
            ],
        ),
        Kind::SequenceDisagrees => says(
            "provider's total inconsistent",
            "The total that the provider states is not the sum of the parts that it lists.",
            &[
                "Compare each part with the provider's back office.",
                "If a part is missing there, wait for it before you confirm the booking.",
                "If the inconsistency remains, report it to the provider's support.",
            ],
        ),
        Kind::AuthorisationUnexpected => says(
            "unexpected authorisation number",
            "A voucher part carries an authorisation number, or a card part carries none, against the provider's rule.",
            &[
                "Check in the provider's back office whether this part was paid by card or in vouchers.",
                "Before you book it, make sure who will pay it out: the bank or ANCV.",
            ],
        ),
        Kind::TestInProduction => says(
            "test payment in production",
            "A trial payment reached the production notification address: no money was received.",
            match psp {
                Some(Up2pay) => &[
                    "Do not confirm the order on the strength of this payment.",
                    "Ask the developer whether the shop sends its customers to Up2pay's test platform (preprod).",
                ],
                Some(Sogecommerce) => &[
                    "Do not confirm the order on the strength of this payment.",
                    "Ask the developer to check the shop's mode (vads_ctx_mode must be PRODUCTION) and the notification URL of the test mode.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Do not confirm the order on the strength of this payment.",
                    "Ask the developer whether the shop still uses the provider's test platform.",
                ],
            },
        ),
        Kind::ProductionInTest => says(
            "real payment at a test address",
            "A real payment reached the test notification address: it is absent from the accounting exports.",
            &[
                "Check the payment in the provider's back office: if it is there, the customer has really paid.",
                "Ask the developer to correct the shop's notification address.",
                "Book this payment by hand, and say so when you acknowledge the discrepancy.",
            ],
        ),
        Kind::ReferenceCollision => says(
            "order references too alike",
            "Two live orders begin with the same 20 characters, which are all that ANCV keeps: its statement cannot tell them apart.",
            &[
                "Note the amount and the date of each payment now: you will need them to reconcile the statement.",
                "Ask the developer to limit references to 20 characters, or to put what distinguishes them first.",
            ],
        ),
        Kind::ConfirmationDiffers => says(
            "the provider's own answer differs",
            "Asked again, the provider states something other than its notification did.",
            &[
                "Open the payment in the provider's back office: what stands there counts.",
                "Do not confirm the booking before both agree.",
                "If the back office agrees with the notification, tell the provider's support about the difference.",
            ],
        ),
        Kind::Unconfirmed => says(
            "no answer from the provider",
            "The provider was asked about a payment, and its answer is awaited too long.",
            &[
                "Look the payments of that time up in the provider's back office.",
                "Have the access checked: cvco-reconciled check tries each API and says what to change.",
                "Nothing is lost: the questions are asked again until they are answered.",
            ],
        ),
        Kind::SignatureFailures => says(
            "signatures refused",
            "Many calls to a notification address carry a wrong signature: genuine payments may be being refused.",
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
                Some(Worldline | Monext | Ancv) | None => &[
                    "Have the provider's key in the configuration checked; the command cvco-reconciled diagnose helps.",
                    "Meanwhile, check today's payments in the provider's back office.",
                ],
            },
        ),
        Kind::UnknownStatus => says(
            "status to look into",
            "The provider sent a status that is unknown, or that calls for a decision of yours.",
            &[
                "Open the transaction in the provider's back office and read its state.",
                "Do not confirm the booking before the payment is accepted there.",
                "If the status remains obscure, ask the provider's support what it means.",
            ],
        ),
    }
}
