//! The English table.

mod after_sale;
mod settlements;
mod steps;

use cvco_domain::{Kind, Psp};

use super::{Case, Entry, Names, says};

/// What the merchant knows the PSP's places as.
pub(super) const fn names(psp: Option<Psp>) -> Names {
    let (back_office, support) = match psp {
        None => ("the provider's back office", "the provider's support"),
        Some(Psp::Up2pay) => ("the Up2pay back office", "Up2pay support"),
        Some(Psp::Sogecommerce) => ("the Sogecommerce back office", "Sogecommerce support"),
        Some(Psp::Worldline) => ("Worldline's Merchant Portal", "Worldline support"),
        Some(Psp::Monext) => ("Monext's Administration Center", "Monext support"),
        Some(Psp::Ancv) => ("ANCV's Espace PTL", "ANCV support"),
    };
    Names { back_office, support, if_right: "If it is right," }
}

/// What should be, and what is.
pub(super) const fn figures(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::SequenceDisagrees => ["Total stated", "Sum of the parts"],
        Kind::TotalChanged => ["Total when paid", "Total now"],
        Kind::ConflictingNotification => ["Notified, taken", "Notified as well"],
        Kind::ConfirmationDiffers => ["Notified", "Confirmed, taken"],
        Kind::CaptureOverdue => ["To be captured", "Captured"],
        Kind::RefundNotAllowed | Kind::RefundLate => ["Refundable", "Refunded"],
        Kind::Chargeback => ["–", "Taken back by the bank"],
        Kind::RefundOrder => ["Card part, to be refunded first", "Card part refunded"],
        Kind::RefundPartial => ["To be refunded", "Refunded"],
        Kind::SettlementMissing | Kind::SettlementMismatch => ["To be received", "Paid out"],
        Kind::CommissionMismatch => ["Commission by the rate", "Commission kept"],
        Kind::StatementLineUnknown => ["To be received", "On the statement"],
        Kind::AmountShort
        | Kind::AmountOver
        | Kind::ComplementMissing
        | Kind::ComplementOrphan
        | Kind::VoucherOrphan
        | Kind::DuplicateTender
        | Kind::DoublePayment
        | Kind::OrderUnknown
        | Kind::TotalUnknown
        | Kind::CurrencyUnexpected
        | Kind::AuthorisationUnexpected
        | Kind::TestInProduction
        | Kind::ProductionInTest
        | Kind::ReferenceCollision
        | Kind::Unconfirmed
        | Kind::SignatureFailures
        | Kind::CallsRefused
        | Kind::RelayFailing
        | Kind::RelayRefused
        | Kind::EndpointSilent
        | Kind::UnknownStatus
        | Kind::SetAside
        | Kind::ClockStepped
        | Kind::ContractUnknown => ["Expected", "Received"],
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one entry a case")]
pub(super) const fn case(case: Case, psp: Option<Psp>) -> Entry {
    match case {
        Case::Of(kind) => entry(kind, psp),
        Case::LeftOverVoucher => says(
            "vouchers left over",
            "What was asked is paid without this voucher part, which was accepted in an attempt that the customer gave up: it is to be given back, unless the customer keeps it for what is still to be paid.",
            steps::left_over_voucher(psp),
        ),
        Case::PartCaptured => says(
            "captured in part",
            "Only a part of the authorised amount was captured: the payments come to less than the amount expected.",
            &[
                "If the whole order is due, capture what is still authorised in {back_office}, before the authorisation expires: the customer has nothing more to pay.",
                "Otherwise cancel that rest in {back_office}, and correct the order's total in the shop.",
                "Ask the customer for the difference only if the authorisation has expired: the customer would pay twice.",
            ],
        ),
        Case::Lapsed => says(
            "authorisation lapsed before the capture",
            "An accepted payment was not captured before its authorisation lapsed: it will not be paid out to you.",
            &[
                "Open the transaction in {back_office} and check that it is no longer valid there.",
                "Ask the customer to pay again before you confirm the booking, or cancel the order.",
                "If the shop waits for somebody to validate payments, validate them earlier, or ask the developer to have them captured automatically.",
            ],
        ),
        Case::SharesUnknown => says(
            "shares of the payment unknown",
            "The provider did not say what was paid in vouchers and what by card, and no answer is awaited from it.",
            &[
                "Open the payment in {back_office} and read its parts there, before you confirm the booking.",
                "Ask the administrator to configure the access to this provider's API: it will then be asked for the parts, and this discrepancy will close.",
                "If the API is configured already, report the payment to {support}.",
            ],
        ),
        Case::OneMessageTwoOrders => says(
            "one payment notified under two orders",
            "One and the same payment was notified under two order references. It counts once, here.",
            &[
                "Open the transaction in {back_office} and read which order it is about.",
                "Confirm that one only: the other order is not paid by this payment.",
                "Ask the developer where the second reference comes from: a notification that was sent again, or a payment number that the shop used twice.",
            ],
        ),
        Case::AcceptedAndRefused => says(
            "payment said to be accepted and failed",
            "One genuine notification says that the transaction is accepted, another that it is refused or cancelled.",
            &[
                "Open the transaction in {back_office} and read its state there, which is authoritative.",
                "If it is refused or cancelled there, do not confirm the booking, and ask the customer to pay again.",
                "Report the contradiction to {support}, quoting the transaction number.",
            ],
        ),
        Case::RefundOfTwoAmounts => says(
            "refund told with two amounts",
            "One and the same refund was told with two amounts. Only one is taken; there may have been two refunds.",
            &[
                "Open the payment in {back_office}, which is authoritative, and read how much the customer received in all.",
                "If that is not the amount taken, correct the refund's entry in your accounts.",
                "Report the contradiction to {support}, quoting the transaction number.",
            ],
        ),
        Case::ChargebackOfTwoAmounts => says(
            "chargeback told with two amounts",
            "One and the same chargeback was told with two amounts. Only one is taken; there may have been two chargebacks.",
            &[
                "Open the payment in {back_office}, which is authoritative, and read how much the bank took back in all.",
                "If that is not the amount taken, correct the chargeback's entry in your accounts.",
                "Report the contradiction to {support}, quoting the transaction number.",
            ],
        ),
        Case::AcceptedWithStatus => says(
            "payment accepted, what follows to be checked",
            "This payment is accepted, but the provider then gave it a status that calls for your attention.",
            &[
                "Open the transaction in {back_office} and read what happened: a refund, a dispute, a suspicion of fraud, a capture or a cancellation that was refused.",
                "If it was refunded, check by how much; if the capture was refused, repeat it before the authorisation lapses.",
                "If the status stays unclear, ask {support} what it means.",
            ],
        ),
        Case::RefundRefused => says(
            "refund refused",
            "A refund that you asked for was not made: the customer has not received the money.",
            &[
                "Open the payment in {back_office} and read why the refund was refused.",
                "Repeat it if that is still possible; otherwise give the money back another way.",
                "Tell the customer if the refund was promised.",
            ],
        ),
        Case::RefundWithStatus => says(
            "refund to be checked",
            "For a refund, the provider sent a status that is unknown or calls for your attention.",
            &[
                "Open the payment in {back_office} and check whether the refund was made.",
                "If it still waits or must be repeated, follow it to its end before you tell the customer that the money has left.",
                "If the status stays unclear, ask {support} what it means.",
            ],
        ),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one row per kind")]
const fn entry(kind: Kind, psp: Option<Psp>) -> Entry {
    match kind {
        Kind::AmountShort => says(
            "amount too low",
            "The accepted payments come to less than the amount expected.",
            steps::amount_short(psp),
        ),
        Kind::AmountOver => says(
            "overpayment",
            "The accepted payments come to more than the amount expected.",
            steps::amount_over(psp),
        ),
        Kind::ComplementMissing => says(
            "card part missing",
            "The voucher part was accepted, but its card part did not arrive in the time allowed.",
            steps::complement_missing(psp),
        ),
        Kind::ComplementOrphan => says(
            "voucher part missing",
            "A card part was accepted, but the voucher part that it completes did not arrive, or was refused.",
            steps::complement_orphan(psp),
        ),
        Kind::VoucherOrphan => says(
            "vouchers accepted, card part failed",
            "The card part came to nothing, or has lapsed, but the voucher part is still accepted.",
            steps::voucher_orphan(psp),
        ),
        Kind::DuplicateTender => says(
            "part paid twice",
            "Two parts of the same nature were accepted where only one is possible.",
            steps::duplicate_tender(psp),
        ),
        Kind::DoublePayment => says(
            "one payment too many",
            "The order received one payment too many: together its payments exceed the amount expected.",
            steps::double_payment(psp),
        ),
        Kind::OrderUnknown => says(
            "unknown order",
            "A payment arrived for an order that the shop has not registered.",
            &[
                "Look for the reference in the shop.",
                "If the order exists, ask the developer to check that the shop registers every order before its payment.",
                "If it does not, find the customer by looking up the payment in {back_office}, and agree on what to do.",
            ],
        ),
        Kind::TotalUnknown => says(
            "expected amount unknown",
            "A payment was accepted, but neither the shop nor the provider says what amount to expect.",
            steps::total_unknown(psp),
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
                "Check the transaction's currency in {back_office}; vouchers exist in euros only.",
                "Ask the developer to check which currency the shop sends with the payment.",
                "Do not count this payment towards the total until that is settled.",
            ],
        ),
        Kind::ConflictingNotification => says(
            "contradictory notifications",
            "Two genuine notifications of the same transaction do not state the same amount.",
            &[
                "Open the transaction in {back_office}, which is authoritative.",
                "Confirm the booking only once the amount is certain.",
                "Report the contradiction to {support}, quoting the transaction number.",
            ],
        ),
        Kind::SequenceDisagrees => says(
            "provider's total inconsistent",
            "The total that the provider states is not the sum of the parts that it lists.",
            &[
                "Compare each part with {back_office}.",
                "If a part is missing there, wait for it before you confirm the booking.",
                "If the inconsistency remains, report it to {support}.",
            ],
        ),
        Kind::AuthorisationUnexpected => says(
            "unexpected authorisation number",
            "A voucher part carries an authorisation number, or a card part carries none, against the provider's rule.",
            &[
                "Check in {back_office} whether this part was paid by card or in vouchers.",
                "Before you book it, make sure who will pay it out: the bank or ANCV.",
            ],
        ),
        Kind::TestInProduction => says(
            "test payment in production",
            "A trial payment reached the production notification address: no money was received.",
            steps::test_in_production(psp),
        ),
        Kind::ProductionInTest => says(
            "real payment at a test address",
            "A real payment reached a test notification address. It counts like any other: totals, exports and entries contain it.",
            &[
                "Check the payment in {back_office}: if it is there, the customer has really paid. Do not book it by hand: it would be booked twice.",
                "Ask the developer to set this address to production mode in the configuration, or to have real payments notified to a production address.",
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
        Kind::CaptureOverdue => says(
            "capture overdue",
            "A part was authorised, or is still undecided, and was not captured in time: the promise of payment may lapse.",
            after_sale::capture_overdue(psp),
        ),
        Kind::RefundNotAllowed => says(
            "refund against the rules",
            "A refund is not possible at this provider as it was notified, or is of more than was paid.",
            after_sale::refund_not_allowed(psp),
        ),
        Kind::RefundLate => says(
            "refund too late",
            "Vouchers were refunded after the time in which the provider refunds them.",
            after_sale::refund_late(psp),
        ),
        Kind::RefundOrder => says(
            "vouchers refunded before the card",
            "Vouchers were refunded although the card part had not been refunded whole, which the provider does first.",
            after_sale::refund_order(psp),
        ),
        Kind::RefundPartial => says(
            "refund incomplete",
            "A refund was begun or asked for, but one of its parts has not been made in the time allowed.",
            after_sale::refund_partial(psp),
        ),
        Kind::ConfirmationDiffers => says(
            "confirmation unlike the notification",
            "Asked afterwards, the provider contradicts its own notification, genuine as that was, or does not know the payment.",
            &[
                "Open the payment in {back_office}, which is authoritative.",
                "Do not confirm the booking, and do not book this payment, until the difference is explained.",
                "Report it to {support}, quoting the transaction number.",
            ],
        ),
        Kind::Unconfirmed => says(
            "provider's confirmation awaited",
            "The provider's API has not confirmed one or several payments in time: their state, their amount or the split between vouchers and card remains to be established.",
            &[
                "Check the state and the parts of the payments concerned in {back_office} before you confirm the booking.",
                "Have the access to the API checked: the command cvco-reconciled check tries it and says what to correct.",
                "Nothing is lost: this discrepancy closes as soon as the answer has come.",
            ],
        ),
        Kind::SignatureFailures => says(
            "signatures refused",
            "Many calls to a notification address carry a wrong signature: genuine payments may be being refused.",
            steps::signature_failures(psp),
        ),
        Kind::CallsRefused => says(
            "calls refused",
            "Calls to the secret notification address were refused for their form, their size or where they came from: genuine payments may be going unheard.",
            &[
                "Check the payments of those hours in {back_office}: one of them may be missing from your lists.",
                "Give the particulars to whoever runs the program: depending on the reason, they complete allow_from or trusted_proxies, or correct the URL that the provider has, which must not be redirected.",
                "When the reason is gone, have the refused notifications sent again from {back_office}, where it allows that.",
            ],
        ),
        Kind::RelayFailing => says(
            "shop does not take notifications",
            "The shop's own module does not take the notifications that are handed on to it: the shop may not know of payments that were received and are recorded here.",
            &[
                "Open the latest orders in the shop: one that the customer has paid may still stand as unpaid there. Cancel none, and ask nobody to pay again, before you have looked it up in {back_office}.",
                "Give the particulars to whoever runs the shop: its last answer tells whether the site is down, a firewall stands in the way, or the address has changed.",
                "Nothing is lost: once the module answers, it gets every call in order, and this discrepancy closes. The command cvco-reconciled relay list shows what waits.",
                "A call that was not taken for 72 hours is no longer tried: send it with cvco-reconciled relay retry and its number, or give it up with relay drop.",
            ],
        ),
        Kind::RelayRefused => says(
            "notification refused by the shop",
            "The shop's own module received genuine notifications and refused them: orders may stand as unpaid in the shop although their payments are recorded here.",
            &[
                "Open the orders concerned in the shop and in {back_office}. Where the payment was accepted, confirm the order by hand.",
                "Ask whoever runs the shop for the reason: most often a key or a mode (test, production) that differs between the module and {back_office}, or an address that is wrong.",
                "Then have the calls sent again: cvco-reconciled relay list --state refused shows their numbers, relay retry sends one.",
                "For an order that you confirmed by hand, take its call off the list with cvco-reconciled relay drop. The discrepancy closes when none is left.",
            ],
        ),
        Kind::EndpointSilent => says(
            "no more notifications",
            "A notification address has received nothing for far longer than is usual at these hours: payments may be going unheard.",
            after_sale::endpoint_silent(psp),
        ),
        Kind::ContractUnknown => says(
            "unknown contract",
            "A payment was made on a contract, or for a shop of the provider, that the configuration does not know.",
            after_sale::contract_unknown(psp),
        ),
        Kind::SetAside => says(
            "message set aside",
            "A message is genuine, but the program did not understand it or could not enter it into the accounts. It is kept as a whole, and nothing else waits for it.",
            &[
                "Open {back_office} and check the payments of that hour: one of them may be missing from your lists.",
                "Give the number of the log entry to whoever runs the program: cvco-reconciled check names it.",
                "After an update the program enters by itself what it could not enter before. A message that it did not understand is read again by cvco-reconciled reread; the discrepancy closes once nothing is set aside.",
            ],
        ),
        Kind::ClockStepped => says(
            "server clock corrected",
            "The server's clock ran ahead and was then put right. What was received in between is now dated by the correction.",
            &[
                "Have the synchronisation of the server's clock checked (NTP).",
                "Check the payments received in between: their graces began again at the correction.",
            ],
        ),
        Kind::SettlementMissing => says(
            "payment missing from statements",
            "A payment that was taken is on no statement in the time allowed.",
            settlements::MISSING,
        ),
        Kind::SettlementMismatch => says(
            "another amount paid out",
            "A statement pays out another amount for this payment than what is kept of it.",
            settlements::MISMATCH,
        ),
        Kind::CommissionMismatch => says(
            "unexpected commission",
            "The commission kept on a statement is not what the rate says.",
            settlements::COMMISSION,
        ),
        Kind::StatementLineUnknown => says(
            "unknown statement line",
            "A line of a statement belongs to no payment that is known, or to several.",
            settlements::LINE,
        ),
        Kind::Chargeback => says(
            "card chargeback",
            "The customer's bank takes a card payment back, or announces that it will: the customer disputes it, or the bank refuses it afterwards. It is a chargeback, not a refund of yours.",
            &[
                "Open the payment in {back_office}: it shows the reason and the time in which you may dispute it.",
                "If the service was rendered, or you had refunded the customer already, collect the evidence (booking, invoice, presence, refund) and dispute the chargeback in that time.",
                "Otherwise, claim the amount from the customer by other means. Refund nothing more by card: the customer would be paid twice.",
                "Check the chargeback fee on the bank's next statement.",
            ],
        ),
        Kind::UnknownStatus => says(
            "status to look into",
            "The provider sent a status that is unknown, or that calls for a decision of yours.",
            &[
                "Open the transaction in {back_office} and read its state.",
                "Do not confirm the booking before the payment is accepted there.",
                "If the status remains obscure, ask {support} what it means.",
            ],
        ),
    }
}
