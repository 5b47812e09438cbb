//! Short, over, and one half without the other.

use super::*;

#[test]
fn the_figures_of_a_gap_are_expected_and_paid() {
    let short = order(10_000).with(voucher(6000)).with(card(3999)).finding(Kind::AmountShort);
    assert_eq!(figures(&short), (Some(10_000), Some(9999)));
    assert_eq!(short.detail.to_string(), "V1/CVCONNECT; C1/LIMOCB");
}

#[test]
fn the_order_outranks_what_the_psp_says() {
    let told = |cents: i64| {
        order(cents)
            .with(voucher(6000).sogecommerce().listed_in(10_000))
            .with(card(4000).sogecommerce().listed_in(10_000))
    };
    told(10_000).raises(&[]);
    told(10_001).raises(&[Kind::AmountShort]);
    told(9999).raises(&[Kind::AmountOver]);
}

#[test]
fn a_sequence_that_disagrees_with_itself_is_not_also_a_gap() {
    let cascade = unregistered()
        .with(voucher(6000).sogecommerce().listed_in(10_000))
        .with(card(4100).sogecommerce().listed_in(10_000));
    let finding = cascade.finding(Kind::SequenceDisagrees);
    assert_eq!(figures(&finding), (Some(10_000), Some(10_100)));
    cascade.is(RecordState::Unbalanced);
}

#[test]
fn a_part_cancelled_later_was_part_of_the_sequence() {
    let cascade = unregistered()
        .with(voucher(6000).sogecommerce().listed_in(10_000))
        .with(card(4000).sogecommerce().listed_in(10_000))
        .with(card(4000).sogecommerce().state(ReportedState::Cancelled).at(5));
    cascade.raises(&[Kind::VoucherOrphan]);
}

#[test]
fn refused_attempts_of_a_sequence_are_not_added_up() {
    unregistered()
        .with(voucher(6000).sogecommerce().listed_in(10_000))
        .with(card(4000).id("C0").state(ReportedState::Refused).sogecommerce().listed_in(10_000))
        .with(card(4000).sogecommerce().listed_in(10_000))
        .raises(&[]);
}

/// Its platform may yet cancel the vouchers, or the customer try again at once.
#[test]
fn a_complete_list_without_a_card_part_is_given_the_grace_too() {
    let listed = || voucher(6000).sogecommerce().listed_in(10_000);
    let refused = card(4000).sogecommerce().listed_in(10_000).state(ReportedState::Refused);
    for (case, kind) in [
        (unregistered().with(listed()), Kind::ComplementMissing),
        (unregistered().with(listed()).with(refused), Kind::VoucherOrphan),
    ] {
        case.clone().seen_just_before(20).raises(&[]);
        case.clone().seen(20).raises(&[kind]);
        let cancelled = listed().state(ReportedState::Cancelled).at(2);
        case.with(cancelled).seen(60).is(RecordState::Failed);
    }
}

#[test]
fn a_complement_that_came_to_nothing_in_any_way_leaves_the_voucher_an_orphan() {
    for state in
        [ReportedState::Refused, ReportedState::Abandoned, ReportedState::Cancelled, ReportedState::Expired]
    {
        order(10_000).with(voucher(6000)).with(card(4000).state(state)).raises(&[Kind::VoucherOrphan]);
    }
}

#[test]
fn a_second_card_mends_what_the_first_one_broke() {
    let refused = card(4000).id("C0").state(ReportedState::Refused);
    let case = order(10_000).with(voucher(6000)).with(refused).with(card(4000));
    case.raises(&[]);
    case.is(RecordState::Balanced);
}

#[test]
fn without_any_total_an_orphan_is_still_found() {
    unregistered()
        .with(voucher(6000))
        .with(card(4000).state(ReportedState::Abandoned))
        .raises(&[Kind::VoucherOrphan]);
}

#[test]
fn announced_parts_that_do_not_come_are_missed() {
    unregistered().with(voucher(6000).parts(2)).raises(&[Kind::ComplementMissing]);
    unregistered().with(voucher(6000).parts(2)).with(card(4000).parts(2)).raises(&[Kind::TotalUnknown]);
}

#[test]
fn a_voucher_alone_of_an_unknown_total_is_no_half_payment() {
    let case = unregistered().with(voucher(6000));
    case.raises(&[Kind::TotalUnknown]);
    case.is(RecordState::Unverified);
}

#[test]
fn a_complement_that_pays_the_order_lacks_no_voucher() {
    let case = order(4000).with(card(4000));
    case.raises(&[]);
    case.is(RecordState::Balanced);
    order(4001).with(card(4000)).raises(&[Kind::ComplementOrphan]);
    unregistered().with(card(4000)).raises(&[Kind::ComplementOrphan]);
}

#[test]
fn an_undecided_part_speaks_neither_of_too_little_nor_of_an_orphan() {
    let case = order(10_000).with(voucher(6000)).with(card(4000).state(ReportedState::Pending));
    case.raises(&[]);
    case.is(RecordState::Pending);
}
