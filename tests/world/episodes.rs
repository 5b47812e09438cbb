//! What can happen to an order, and what must come of it: one row for each episode, with the places where it can
//! happen, the deeds in their order, the discrepancies that stay open for good, and those that are raised and closed
//! again on the way. The kinds are named as the ledger names them. Figures and states are the truth's ([`crate::truth`]).

use cvco_domain::Instrument::{Card, Voucher};

use crate::history::Back::{OneEuro, Others, Some as Part, Whole};
use crate::history::Deed::{
    self, After, Allows, Becomes, Contradicts, Further, GivesBack, IsChargedBack, Lost, Misauthorised,
    OnAnotherContract, Pays, Visit,
};
use crate::history::Fate::{
    Abandoned, Accepted, AsksBack, Authorised, Cancelled, Captured, KeepsAll, Lapsed, Odd, Pending, Refused,
};
use crate::history::Share::{All, Half, Less, More, OtherHalf, Rest, Voucher as Vouchers};
use crate::places::Place::{
    self, Monext, Sogecommerce, SogecommerceTrials, Up2pay, Up2payTrials, Worldline, WorldlineAsked,
};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Episode {
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    pub(crate) deeds: &'static [Deed],
    /// Open at the end.
    pub(crate) open: &'static [&'static str],
    /// Raised on the way, and closed again.
    pub(crate) closed: &'static [&'static str],
    /// Of which visit's record the discrepancies speak.
    pub(crate) visit: usize,
    /// The payment was made in the other world than the endpoint's: trial or real money.
    pub(crate) other_world: bool,
    /// The second visit's payment completes the first one's record.
    pub(crate) joined: bool,
    /// The order costs twice what a visit pays: the second half is due a month after the first.
    pub(crate) in_halves: bool,
}

const fn episode(name: &'static str, places: &'static [Place], deeds: &'static [Deed]) -> Episode {
    let (open, closed): (&[&str], &[&str]) = (&[], &[]);
    Episode {
        name,
        places,
        deeds,
        open,
        closed,
        visit: 0,
        other_world: false,
        joined: false,
        in_halves: false,
    }
}

impl Episode {
    const fn raises(self, open: &'static [&'static str]) -> Self {
        Self { open, ..self }
    }
    const fn mends(self, closed: &'static [&'static str]) -> Self {
        Self { closed, ..self }
    }
    const fn of_visit(self, visit: usize) -> Self {
        Self { visit, ..self }
    }
    const fn in_the_other_world(self) -> Self {
        Self { other_world: true, ..self }
    }
    const fn joined(self) -> Self {
        Self { joined: true, ..self }
    }
    const fn in_halves(self) -> Self {
        Self { in_halves: true, ..self }
    }
}

// Where an episode can happen. Up2pay tells nothing of what a merchant does later.
const EVERYWHERE: &[Place] =
    &[Up2pay, Up2payTrials, Sogecommerce, SogecommerceTrials, Worldline, WorldlineAsked, Monext];
const ONE_CALL_A_PART: &[Place] = &[Up2pay, Up2payTrials, Worldline];
const AT_UP2PAY: &[Place] = &[Up2pay, Up2payTrials];
const AT_SOGECOMMERCE: &[Place] = &[Sogecommerce, SogecommerceTrials];
const AT_WORLDLINE: &[Place] = &[Worldline, WorldlineAsked];
const SIGNED: &[Place] = &[Up2pay, Up2payTrials, Sogecommerce, SogecommerceTrials, Worldline, WorldlineAsked];
const LATER_DEEDS: &[Place] = &[Sogecommerce, SogecommerceTrials, Worldline, WorldlineAsked, Monext];
const CARD_FIRST: &[Place] = &[Worldline, WorldlineAsked, Monext];
const BOTH_GO_BACK: &[Place] = &[Sogecommerce, SogecommerceTrials, Worldline, WorldlineAsked];
const EVERYWHERE_BUT_ASKED: &[Place] = &[Up2pay, Up2payTrials, Sogecommerce, SogecommerceTrials, Worldline];
const TOLD_ALONE: &[Place] = &[Sogecommerce, SogecommerceTrials, Worldline];
const SEVERAL_CARDS: &[Place] = &[Sogecommerce, SogecommerceTrials, Monext];
const LISTED: &[Place] = SEVERAL_CARDS;

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;

// The usual parts.
const V: Deed = Pays(Voucher, Vouchers, Accepted);
const C: Deed = Pays(Card, Rest, Accepted);
const V_ALL: Deed = Pays(Voucher, All, Accepted);

/// The table.
pub(crate) const EPISODES: &[Episode] = &[
    // ─── paid as it should be ───
    episode("split", EVERYWHERE, &[V, C]),
    episode("voucher only", EVERYWHERE, &[V_ALL]),
    episode("card only", LATER_DEEDS, &[Pays(Card, All, Accepted)]),
    episode(
        "two complements",
        SEVERAL_CARDS,
        &[V, Pays(Card, Half, Accepted), Pays(Card, OtherHalf, Accepted)],
    ),
    episode("card refused, another accepted", SIGNED, &[V, Pays(Card, Rest, Refused), C]),
    episode(
        "voucher refused, paid at the second visit",
        EVERYWHERE,
        &[Pays(Voucher, All, Refused), After(9), Visit, V, C],
    ),
    episode(
        "undecided, then accepted",
        EVERYWHERE,
        &[Pays(Voucher, All, Pending), After(7), Becomes(0, Accepted)],
    ),
    episode("refused altogether", EVERYWHERE, &[Pays(Voucher, All, Refused)]),
    episode("abandoned altogether", AT_SOGECOMMERCE, &[Pays(Card, All, Abandoned)]),
    episode("in two payments", &[Worldline], &[V, After(5), Visit, C]).joined(),
    // Its API goes on saying of the voucher's payment that something is still to come; the order adds up all the same.
    episode("in two payments, asked about", &[WorldlineAsked], &[V, After(15), Visit, C]).joined(),
    episode("in two sessions", &[Monext], &[V, After(15), Visit, C]).joined(),
    episode("in two sessions, the second one late", &[Monext], &[V, After(50), Visit, C])
        .joined()
        .mends(&["complement_missing"]),
    // ─── the network loses a message for good ───
    episode("all lost", EVERYWHERE, &[Lost, V_ALL]),
    episode("card lost", ONE_CALL_A_PART, &[V, Lost, C]).raises(&["complement_missing"]),
    episode("card lost, the API tells it", &[WorldlineAsked], &[V, Lost, C]),
    episode("voucher lost", ONE_CALL_A_PART, &[Lost, V, C]).raises(&["complement_orphan"]),
    episode(
        "capture lost",
        AT_SOGECOMMERCE,
        &[Pays(Voucher, All, Authorised), After(DAY), Lost, Becomes(0, Captured)],
    ),
    episode(
        "capture lost where it is told",
        &[Worldline],
        &[Pays(Voucher, All, Authorised), After(DAY), Lost, Becomes(0, Captured)],
    )
    .raises(&["capture_overdue"]),
    episode("refund lost", TOLD_ALONE, &[V, C, After(2 * HOUR), Lost, GivesBack(1, Whole)]),
    // ─── one part of two ───
    episode("complement missing", &[Up2pay, Up2payTrials, Worldline, Monext], &[V])
        .raises(&["complement_missing"]),
    episode("complement missing, and no answer is final", &[WorldlineAsked], &[V])
        .raises(&["complement_missing", "unconfirmed"]),
    episode(
        "voucher refused, complement missing at the second visit",
        &[Up2pay, Up2payTrials, Worldline, Monext],
        &[Pays(Voucher, All, Refused), After(9), Visit, V],
    )
    .raises(&["complement_missing"])
    .of_visit(1),
    episode("complement late", &[Up2pay, Worldline], &[V, After(50), C]).mends(&["complement_missing"]),
    episode("complement refused", SIGNED, &[V, Pays(Card, Rest, Refused)]).raises(&["voucher_orphan"]),
    episode("complement abandoned", &[Up2pay, Worldline, WorldlineAsked], &[V, Pays(Card, Rest, Abandoned)])
        .raises(&["voucher_orphan"]),
    episode("complement without its voucher", AT_UP2PAY, &[C]).raises(&["complement_orphan"]),
    episode("voucher refused, complement accepted", SIGNED, &[Pays(Voucher, Vouchers, Refused), C])
        .raises(&["complement_orphan"]),
    episode("voucher late", &[Up2pay, Worldline], &[C, After(50), V]).mends(&["complement_orphan"]),
    episode(
        "orphan cancelled",
        LISTED,
        &[
            V,
            Pays(Card, Rest, Accepted),
            After(DAY),
            Becomes(1, Cancelled),
            After(DAY),
            Becomes(0, Cancelled),
        ],
    )
    .mends(&["voucher_orphan"]),
    episode(
        "orphan given back",
        AT_SOGECOMMERCE,
        &[V, Pays(Card, Rest, Refused), After(DAY), GivesBack(0, Whole)],
    )
    .mends(&["voucher_orphan"]),
    episode(
        "orphan given back in time",
        AT_WORLDLINE,
        &[V, Pays(Card, Rest, Refused), After(HOUR), GivesBack(0, Whole)],
    )
    .mends(&["voucher_orphan"]),
    // ─── the wrong amount ───
    episode("too little", AT_UP2PAY, &[V, Pays(Card, Less, Accepted)]).raises(&["amount_short"]),
    episode("too little in webhooks", AT_WORLDLINE, &[V, Pays(Card, Less, Accepted)])
        .raises(&["amount_short"]),
    episode("the list is short", LISTED, &[V, Pays(Card, Less, Accepted)]).raises(&["sequence_disagrees"]),
    episode("too much", AT_UP2PAY, &[V, Pays(Card, More, Accepted)]).raises(&["amount_over"]),
    episode("the list is long", LISTED, &[V, Pays(Card, More, Accepted)]).raises(&["sequence_disagrees"]),
    episode(
        "too much, given back",
        LISTED,
        &[V, Pays(Card, More, Accepted), After(DAY), GivesBack(1, OneEuro)],
    )
    .mends(&["sequence_disagrees"]),
    episode(
        "told with two amounts",
        &[Up2pay, Up2payTrials, Sogecommerce, SogecommerceTrials, Worldline],
        &[V_ALL, After(30), Contradicts(0)],
    )
    .raises(&["conflicting_notification"]),
    // ─── a deposit, and its balance ───
    episode("deposit and balance", EVERYWHERE, &[V, C, After(20 * DAY), Visit, V, C]).in_halves(),
    episode(
        "deposit by card, balance in both",
        CARD_FIRST,
        &[Pays(Card, All, Accepted), After(20 * DAY), Visit, V, C],
    )
    .in_halves(),
    episode("deposit and balance in vouchers alone", LISTED, &[V_ALL, After(20 * DAY), Visit, V_ALL])
        .in_halves(),
    // That is no debt.
    episode(
        "deposit and balance, and the balance given back",
        CARD_FIRST,
        &[
            Pays(Card, All, Accepted),
            After(20 * DAY),
            Visit,
            Pays(Card, All, Accepted),
            After(2 * DAY),
            GivesBack(1, Whole),
        ],
    )
    .in_halves(),
    episode("balance late", EVERYWHERE, &[V, C, After(35 * DAY), Visit, V, C])
        .mends(&["amount_short"])
        .in_halves(),
    episode("balance never paid", EVERYWHERE, &[V, C]).raises(&["amount_short"]).in_halves(),
    episode("balance paid twice", EVERYWHERE, &[V, C, After(20 * DAY), Visit, V, C, After(5), Visit, V, C])
        .raises(&["double_payment"])
        .in_halves(),
    episode("voucher left over", AT_UP2PAY, &[V, Pays(Card, Rest, Refused), After(40), Visit, V, C])
        .raises(&["amount_over"])
        .mends(&["voucher_orphan"]),
    // ─── paid twice ───
    episode("order paid twice", EVERYWHERE, &[V, C, After(5), Visit, V, C]).raises(&["double_payment"]),
    episode(
        "paid twice, once given back",
        AT_WORLDLINE,
        &[V, C, After(5), Visit, V, C, After(HOUR), GivesBack(3, Whole), After(5), GivesBack(2, Whole)],
    )
    .mends(&["double_payment"]),
    episode(
        "paid twice, once cancelled",
        LISTED,
        &[V_ALL, After(5), Visit, V_ALL, After(DAY), Becomes(1, Cancelled)],
    )
    .mends(&["double_payment"]),
    episode(
        "paid twice, one captured, one not",
        AT_WORLDLINE,
        &[
            Pays(Voucher, All, Authorised),
            After(5),
            Visit,
            Pays(Voucher, All, Authorised),
            After(DAY),
            Becomes(1, Cancelled),
            Becomes(0, Captured),
        ],
    )
    .mends(&["double_payment"]),
    episode("two vouchers", SIGNED, &[V, V, C]).raises(&["duplicate_tender"]),
    episode("two cards", ONE_CALL_A_PART, &[V, C, C]).raises(&["duplicate_tender"]),
    // ─── what only a person can judge ───
    episode(
        "voucher with an authorisation",
        &[Up2pay, Sogecommerce, SogecommerceTrials],
        &[Misauthorised, V, C],
    )
    .raises(&["authorisation_unexpected"]),
    episode("card without an authorisation", &[Up2pay], &[V, Misauthorised, C])
        .raises(&["authorisation_unexpected"]),
    episode("a refusal of no table", AT_UP2PAY, &[Pays(Voucher, All, Odd)]).raises(&["unknown_status"]),
    episode("a state of no table", AT_SOGECOMMERCE, &[Pays(Voucher, All, Odd)])
        .raises(&["unknown_status", "capture_overdue"]),
    episode(
        "a state of no table, then a known one",
        AT_SOGECOMMERCE,
        &[Pays(Voucher, All, Odd), After(DAY), Becomes(0, Accepted)],
    )
    .mends(&["unknown_status"]),
    episode("a trial at a real endpoint", &[Up2pay, Sogecommerce], &[V, C])
        .raises(&["test_in_production"])
        .in_the_other_world(),
    episode("real money at a trial endpoint", &[Up2payTrials, SogecommerceTrials], &[V, C])
        .raises(&["production_in_test"])
        .in_the_other_world(),
    // ─── afterwards ───
    episode(
        "captured later",
        LATER_DEEDS,
        &[Pays(Voucher, All, Authorised), After(2 * DAY), Becomes(0, Captured)],
    ),
    episode(
        "both captured later",
        LATER_DEEDS,
        &[
            Pays(Voucher, Vouchers, Authorised),
            Pays(Card, Rest, Authorised),
            After(2 * DAY),
            Becomes(0, Captured),
            After(3),
            Becomes(1, Captured),
        ],
    ),
    episode(
        "captured in two parts",
        AT_WORLDLINE,
        &[
            Allows(Card, All, Vouchers),
            After(DAY),
            Becomes(0, Captured),
            After(5),
            Further(0, Rest, Captured),
        ],
    ),
    episode(
        "captured in two parts, a day apart",
        AT_WORLDLINE,
        &[
            Allows(Card, All, Vouchers),
            After(DAY),
            Becomes(0, Captured),
            After(DAY),
            Further(0, Rest, Captured),
        ],
    )
    .mends(&["amount_short"]),
    episode(
        "captured in two parts beside a voucher",
        AT_WORLDLINE,
        &[
            V,
            Allows(Card, Rest, Half),
            After(DAY),
            Becomes(1, Captured),
            After(DAY),
            Further(1, OtherHalf, Captured),
        ],
    )
    .mends(&["amount_short"]),
    episode(
        "only a part captured",
        AT_WORLDLINE,
        &[V, Allows(Card, Rest, Half), After(DAY), Becomes(1, Captured)],
    )
    .raises(&["amount_short"]),
    episode(
        "a part captured, and the rest cancelled",
        AT_WORLDLINE,
        &[
            V,
            Allows(Card, Rest, Half),
            After(DAY),
            Becomes(1, Captured),
            After(DAY),
            Further(1, OtherHalf, Cancelled),
        ],
    )
    .raises(&["amount_short"]),
    episode(
        "voucher cancelled",
        LATER_DEEDS,
        &[Pays(Voucher, All, Authorised), After(DAY), Becomes(0, Cancelled)],
    ),
    episode("complement cancelled", LISTED, &[V, C, After(DAY), Becomes(1, Cancelled)])
        .raises(&["voucher_orphan"]),
    episode(
        "complement cancelled before its capture",
        AT_WORLDLINE,
        &[V, Pays(Card, Rest, Authorised), After(DAY), Becomes(1, Cancelled)],
    )
    .raises(&["voucher_orphan"]),
    episode(
        "authorisation lapses",
        AT_SOGECOMMERCE,
        &[Pays(Voucher, All, Authorised), After(4 * DAY), Becomes(0, Lapsed)],
    )
    .raises(&["capture_overdue"]),
    episode(
        "authorisation lapses, and is paid again",
        AT_SOGECOMMERCE,
        &[Pays(Voucher, All, Authorised), After(4 * DAY), Becomes(0, Lapsed), After(DAY), Visit, V, C],
    )
    .mends(&["capture_overdue"]),
    episode("never captured", AT_WORLDLINE, &[Pays(Voucher, All, Authorised)]).raises(&["capture_overdue"]),
    episode("never decided", EVERYWHERE_BUT_ASKED, &[Pays(Voucher, All, Pending)])
        .raises(&["capture_overdue"]),
    episode("card given back", CARD_FIRST, &[V, C, After(2 * HOUR), GivesBack(1, Whole)]),
    episode(
        "card given back, the voucher not",
        AT_SOGECOMMERCE,
        &[V, C, After(2 * HOUR), GivesBack(1, Whole)],
    )
    .raises(&["refund_partial"]),
    episode(
        "card given back in turns",
        CARD_FIRST,
        &[V, C, After(HOUR), GivesBack(1, Part), After(DAY), GivesBack(1, Others)],
    ),
    episode("some of a card given back", LATER_DEEDS, &[V, C, After(DAY), GivesBack(1, Part)]),
    episode(
        "one of two complements given back",
        &[Monext],
        &[V, Pays(Card, Half, Accepted), Pays(Card, OtherHalf, Accepted), After(DAY), GivesBack(2, Whole)],
    ),
    episode(
        "one of three parts given back",
        AT_SOGECOMMERCE,
        &[V, Pays(Card, Half, Accepted), Pays(Card, OtherHalf, Accepted), After(DAY), GivesBack(2, Whole)],
    )
    .raises(&["refund_partial"]),
    episode(
        "all given back, the card first",
        BOTH_GO_BACK,
        &[V, C, After(HOUR), GivesBack(1, Whole), After(8), GivesBack(0, Whole)],
    ),
    episode(
        "all given back, the voucher a day later",
        AT_SOGECOMMERCE,
        &[V, C, After(HOUR), GivesBack(1, Whole), After(DAY), GivesBack(0, Whole)],
    )
    .mends(&["refund_partial"]),
    episode("voucher given back", BOTH_GO_BACK, &[V_ALL, After(HOUR), GivesBack(0, Whole)]),
    episode("charged back", &[Worldline], &[V, C, After(20 * DAY), IsChargedBack(1)]).raises(&["chargeback"]),
    // ─── given back against the PSP's terms ───
    episode("some of a voucher given back", AT_SOGECOMMERCE, &[V_ALL, After(HOUR), GivesBack(0, Part)])
        .raises(&["refund_not_allowed"]),
    episode("voucher given back where none can be", &[Monext], &[V_ALL, After(HOUR), GivesBack(0, Whole)])
        .raises(&["refund_not_allowed"]),
    episode(
        "more given back than was paid",
        &[Monext],
        &[V, C, After(DAY), GivesBack(1, Whole), After(DAY), GivesBack(1, OneEuro)],
    )
    .raises(&["refund_not_allowed"]),
    episode("voucher given back too late", AT_WORLDLINE, &[V_ALL, After(5 * HOUR), GivesBack(0, Whole)])
        .raises(&["refund_late"]),
    episode("voucher given back, the card not", AT_WORLDLINE, &[V, C, After(HOUR), GivesBack(0, Whole)])
        .raises(&["refund_order"]),
    episode(
        "voucher given back before the card",
        AT_WORLDLINE,
        &[V, C, After(HOUR), GivesBack(0, Whole), After(HOUR), GivesBack(1, Whole)],
    )
    .mends(&["refund_order"]),
    episode("refund asked for and not made", AT_WORLDLINE, &[V, C, After(HOUR), Becomes(1, AsksBack)])
        .raises(&["refund_partial"]),
    episode("refund refused", AT_WORLDLINE, &[V, C, After(HOUR), Becomes(1, KeepsAll)])
        .raises(&["unknown_status"]),
    // ─── a contract that nobody configured ───
    episode("card on another contract", SEVERAL_CARDS, &[V, OnAnotherContract, C])
        .raises(&["contract_unknown"]),
];
