//! Amounts: each has one name, and a zero is not shown.

use super::*;

#[test]
fn a_gap_is_red_in_html_and_none_is_not() {
    let red_cells = |record| {
        let mut item = item(Kind::OrderUnknown);
        (item.expected, item.actual, item.records) = (None, None, vec![record]);
        mail(Language::French, vec![item]).html.matches("color:#b3261e;font-weight:bold").count()
    };
    assert_eq!(red_cells(record(2000, vec![voucher(1500)])), 2, "caption and figure");
    assert_eq!(red_cells(record(1500, vec![voucher(1500)])), 0);
}

#[test]
fn on_top_of_several_stands_what_they_come_to() {
    let numbered = |id: i64, kind| Item { id, ..item(kind) };
    let items = vec![
        numbered(20, Kind::AmountShort),
        numbered(7, Kind::VoucherOrphan),
        numbered(8, Kind::VoucherOrphan),
        numbered(9, Kind::VoucherOrphan),
        numbered(12, Kind::VoucherOrphan),
        closed(numbered(3, Kind::AmountOver)),
    ];
    let mail = mail(Language::French, items);
    let text = mail.text.replace('\u{a0}', " ");
    let summary = text.split("\n\n----").next().expect("a beginning");
    assert_eq!(
        summary,
        "Camping des Pins

En résumé
     4  Chèques-vacances acceptés, complément échoué (urgent), 40,00 €
        nᵒˢ 7–9, 12
     1  Montant insuffisant (à vérifier), 10,00 €
        n° 20
     1  Trop-perçu (résolu), 10,00 €
        n° 3"
    );
    assert!(mail.html.contains("En résumé"));
    assert!(!text_of(Language::French, item(Kind::AmountShort)).contains("En résumé"), "not of one");
}

#[test]
fn a_mail_has_one_expected_amount() {
    // The deposit alone is held against itself; the order lacks the balance.
    let text = text_of(
        Language::French,
        Item {
            order: Some(order_now(1500, 0, -3500, 0)),
            expected: Some(Cents::new(5000)),
            actual: Some(Cents::new(1500)),
            records: vec![record(1500, vec![voucher(1500)])],
            ..item(Kind::AmountShort)
        },
    );
    assert_eq!(text.matches("Attendu").count(), 1, "{text}");
    // Money in another currency pays nothing of it.
    let usd = Currency::parse("USD").expect("a currency");
    let mut order = order_now(5000, 0, 0, 0);
    if let Some(total) = &mut order.total {
        total.currency = usd;
    }
    let other = Item {
        order: Some(order),
        expected: None,
        actual: None,
        records: vec![record(5000, vec![voucher(5000)])],
        ..item(Kind::CurrencyUnexpected)
    };
    let text = text_of(Language::French, other);
    assert!(
        text.contains("Total de la commande                    50,00 USD") && !text.contains("Attendu"),
        "{text}"
    );
}

#[test]
fn two_gaps_in_one_mail_have_two_names_and_none_is_nothing() {
    let text = |item| mail(Language::French, vec![item]).text.replace('\u{a0}', " ");
    // Forty of fifty are back; of the sixty that were to be paid ten never came.
    let mut refund = item(Kind::RefundPartial);
    (refund.expected, refund.actual) = (Some(Cents::new(5000)), Some(Cents::new(4000)));
    refund.records = vec![record(6000, vec![Tender { refunded: Cents::new(4000), ..voucher(5000) }])];
    let both = text(refund.clone());
    assert!(both.contains("Reste à rembourser 10,00 €") && both.contains("Manque"), "{both}");
    refund.records = vec![record(5000, vec![Tender { refunded: Cents::new(4000), ..voucher(5000) }])];
    let one = text(refund);
    assert!(!one.contains("Manque") && !one.contains(" 0,00 €"), "{one}");
    let mut late = item(Kind::CaptureOverdue);
    (late.expected, late.actual) = (Some(Cents::new(5000)), Some(Cents::ZERO));
    let late = text(late);
    for line in ["À remettre       50,00 €\n", "Remis            0,00 €\n", "Reste à remettre 50,00 €\n"]
    {
        assert!(late.contains(line), "{line:?} in {late}");
    }
}

#[test]
fn a_changed_total_says_what_is_still_to_do() {
    let changed = |now: i64, refunded: i64| {
        let mut paid = paid_at(Psp::Up2pay, "7001", (6000, 4000), "03-01");
        paid.tenders[1].refunded = Cents::new(refunded);
        Item {
            expected: Some(Cents::new(10_000)),
            actual: Some(Cents::new(now)),
            detail: Detail::ChangedAt(at("2026-03-03T10:00:00Z")),
            records: vec![paid],
            ..item(Kind::TotalChanged)
        }
    };
    for (item, line) in [
        (changed(12_000, 0), "\n  Reste à encaisser      20,00 €\n"),
        (changed(8000, 0), "\n  Reste à rembourser     20,00 €\n"),
        (changed(8000, 500), "\n  Reste à rembourser     15,00 €\n"),
    ] {
        let subject = subject_of(Language::French, vec![item.clone()]);
        let text = text_of(Language::French, item);
        assert!(text.contains(line), "{line:?} in {text}");
        let figure = line.trim().rsplit(' ').nth(1).expect("a figure");
        assert!(subject.contains(figure), "{subject}");
        assert!(!text.contains("0,00 €\n  Écart") && text.matches("Reste à").count() == 1, "one gap: {text}");
    }
}

#[test]
fn a_part_that_was_given_back_by_share_alone_has_no_gap() {
    let mut share = item(Kind::RefundNotAllowed);
    (share.expected, share.actual) = (Some(Cents::new(5000)), Some(Cents::new(2000)));
    let RenderedMail { subject, text, .. } = mail(Language::French, vec![share]);
    assert!(text.contains("Remboursable") && !text.contains("Différence"), "{text}");
    assert!(subject.contains("20,00"), "what was given back: {subject}");
}

#[test]
fn the_figures_stand_below_each_other_however_long_a_caption_is() {
    let mut refund = item(Kind::RefundPartial);
    (refund.expected, refund.actual) = (Some(Cents::new(5000)), Some(Cents::new(4000)));
    let text = mail(Language::French, vec![refund]).text.replace('\u{a0}', " ");
    for line in
        ["  À rembourser       50,00 €\n", "  Remboursé          40,00 €\n", "  Reste à rembourser 10,00 €\n"]
    {
        assert!(text.contains(line), "{line:?} in {text}");
    }
}
