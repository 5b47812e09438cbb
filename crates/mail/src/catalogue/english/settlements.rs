//! The English steps about statements.

use super::super::Steps;

pub(super) const MISSING: Steps = &[
    "Look for the payment on the statements of ANCV or of the bank: the one that has it may not have been imported yet.",
    "If it is on a statement, import that (statement import): the discrepancy then closes by itself.",
    "If it is not, claim it from ANCV for a voucher, from the bank for a card, with reference and transaction.",
];

pub(super) const MISMATCH: Steps = &[
    "Compare the line of the statement with the order: a refund, or two payments settled together, often explain the difference.",
    "If too little was paid out, claim the difference from ANCV for a voucher, from the bank for a card.",
    "If too much was paid out, as after a refund, the difference will be taken back: import the statement on which it is (statement import), and the discrepancy closes by itself. If that does not come, tell them.",
    "If a refund is missing here, have the notifications fetched again (catch-up); the discrepancy then closes by itself.",
];

pub(super) const COMMISSION: Steps = &[
    "Check the rate of your agreement with ANCV, or of your contract with the bank, on the day of the statement.",
    "If the rate has changed, add it to the configuration (accounting.commission): the discrepancy then closes by itself.",
    "Otherwise, if too much was kept, claim the difference, with the number of the statement; if too little was kept, expect to be asked for it.",
];

pub(super) const LINE: Steps = &[
    "Look for the line's reference in the shop: the order may have been paid before the installation, or its notifications were lost.",
    "If the particulars propose orders, see which is the right one; nothing is matched without you.",
    "Have missing notifications fetched (catch-up): as soon as the payment is known, the discrepancy closes by itself.",
    "If the line is not yours, tell ANCV or the bank, with the number of the statement.",
];
