//! Orders that are to be paid by dates: what was due when, and what is not due yet.

use cvco_domain::Demand;

use super::*;

/// Three hundred in three parts, of which so much was paid, on a day.
fn in_three_parts(paid: i64, today: &str) -> OrderNow {
    let demand = |day: &str, cents| Demand {
        due: Some(at(&format!("2026-{day}T21:59:59Z"))),
        cents: Cents::new(cents),
    };
    OrderNow {
        total: Some(OrderTotal { cents: Cents::new(30_000), currency: Currency::EUR, changed_at: None }),
        demands: vec![demand("03-15", 10_000), demand("04-15", 20_000), demand("05-15", 30_000)],
        at: at(&format!("2026-{today}T08:00:00Z")),
        ..order_now(paid, 0, paid - 30_000, 0)
    }
}

fn second_part_is_late() -> Item {
    Item {
        order: Some(in_three_parts(10_000, "04-16")),
        expected: Some(Cents::new(20_000)),
        actual: Some(Cents::new(10_000)),
        records: vec![record(10_000, vec![voucher(10_000)])],
        ..item(Kind::AmountShort)
    }
}

#[test]
fn a_late_instalment_is_named_with_its_date_beside_the_total_and_what_is_due_later() {
    let text = text_of(Language::French, second_part_is_late());
    for line in [
        "\nLes paiements acceptés n’atteignent pas ce qui était dû au 15/04/2026.\n",
        "\n  Échéance du 15/03/2026 100,00 €\n  Échéance du 15/04/2026 100,00 €\n",
        "\n  Attendu                200,00 €\n",
        "\n  Reçu                   100,00 €\n",
        "\n  Manque                 100,00 €\n",
        "\n  Total de la commande                     300,00 €\n",
        "\n  Reste à payer, dû le 15/05/2026          100,00 €\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    // Of an order with several payments none is named.
    let of_several = Item { call_number: None, ..second_part_is_late() };
    assert!(text_of(Language::French, of_several).contains("Échéance du 15/04/2026"));
    let text = text_of(Language::English, second_part_is_late());
    for line in [
        "\nThe accepted payments come to less than was due by 2026-04-15.\n",
        "\n  Due 2026-04-15   €100.00\n",
        "\n  Still to pay, due 2026-05-15              €100.00\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
}

#[test]
fn an_order_without_a_plan_is_due_on_its_day() {
    let mut order = in_three_parts(10_000, "05-16");
    order.demands.drain(..2);
    let late = Item { order: Some(order), expected: Some(Cents::new(30_000)), ..second_part_is_late() };
    let text = text_of(Language::French, late);
    assert!(
        text.contains("ce qui était dû au 15/05/2026") && text.contains("Échéance du 15/05/2026 300,00 €")
    );
    assert!(!text.contains("Total de la commande"), "that is what is expected: {text}");
}

#[test]
fn where_no_date_was_set_none_is_spoken_of() {
    let mut order = in_three_parts(10_000, "05-16");
    order.demands = vec![Demand { due: None, cents: Cents::new(30_000) }];
    let short = Item { order: Some(order), expected: Some(Cents::new(30_000)), ..second_part_is_late() };
    let text = text_of(Language::French, short);
    assert!(text.contains("n’atteignent pas le montant attendu") && !text.contains("Échéance"), "{text}");
}

#[test]
fn what_is_due_later_is_not_missing() {
    let item = Item {
        order: Some(in_three_parts(10_000, "03-20")),
        expected: Some(Cents::new(10_000)),
        actual: Some(Cents::ZERO),
        records: vec![record(10_000, vec![voucher(10_000)])],
        ..item(Kind::SettlementMissing)
    };
    let text = text_of(Language::French, item);
    for line in [
        "\n  Total de la commande                     300,00 €\n",
        "\n  Reste à payer, dû le 15/04/2026          100,00 €\n",
        "\n  Reste à payer, dû le 15/05/2026          100,00 €\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    assert!(!text.contains("Manque"), "{text}");
}

#[test]
fn a_long_plan_takes_few_lines() {
    let mut order = in_three_parts(10_000, "03-20");
    for month in 6..=9 {
        let due = Some(at(&format!("2026-0{month}-15T10:00:00Z")));
        order.demands.push(Demand { due, cents: Cents::new(30_000 + 1000 * (month - 5)) });
    }
    order.total = Some(OrderTotal { cents: Cents::new(34_000), currency: Currency::EUR, changed_at: None });
    order.gap = Some(Cents::new(-24_000));
    let text = text_of(Language::French, Item { order: Some(order), ..closed(second_part_is_late()) });
    assert_eq!(text.matches("Reste à payer, dû le").count(), 3, "{text}");
    assert!(text.contains("  Reste à payer ensuite                     30,00 €\n"), "{text}");
    let said = "Il reste à payer sur cette commande 100,00 € pour le 15/04/2026 et 140,00 € ensuite, jusqu’au 15/09/2026 : \
                rien n’est en retard.";
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_closing_says_what_is_due_later_and_that_nothing_is_late() {
    let on =
        |language, order| text_of(language, Item { order: Some(order), ..closed(second_part_is_late()) });
    let paid = on(Language::French, in_three_parts(20_000, "04-17"));
    let said = "Cet écart n’existe plus. Il reste à payer sur cette commande 100,00 € pour le 15/05/2026 : rien n’est en retard.";
    assert!(paid.contains(said) && !paid.contains("Manque"), "{paid}");
    assert!(paid.contains("Reste à payer, dû le 15/05/2026"), "{paid}");
    let late = on(Language::French, in_three_parts(15_000, "04-17"));
    let said = "mais il reste 50,00 € à payer sur cette commande, puis 100,00 € pour le 15/05/2026.";
    assert!(late.contains(said) && late.contains("Manque"), "{late}");
    let english = on(Language::English, in_three_parts(20_000, "04-17"));
    assert!(english.contains("Of this order €100.00 by 2026-05-15 is still to be paid: nothing is overdue."));
}

#[test]
fn both_figures_are_shown_where_one_of_them_is_nothing() {
    let lines = |kind, expected, actual| {
        let item = Item {
            expected: Some(Cents::new(expected)),
            actual: Some(Cents::new(actual)),
            records: Vec::new(),
            order: None,
            ..item(kind)
        };
        text_of(Language::French, item)
    };
    for (kind, expected, actual, said) in [
        (
            Kind::AmountOver,
            0,
            15_000,
            ["Attendu          0,00 €", "Reçu             150,00 €", "En trop          150,00 €"],
        ),
        (
            Kind::SettlementMismatch,
            4000,
            0,
            ["À recevoir       40,00 €", "Versé            0,00 €", "Différence       -40,00 €"],
        ),
        (
            Kind::SettlementMismatch,
            0,
            -6000,
            ["À recevoir       0,00 €", "Versé            -60,00 €", "Différence       -60,00 €"],
        ),
        (
            Kind::CommissionMismatch,
            -32,
            0,
            ["Commission prévue  -0,32 €", "Commission retenue 0,00 €", "Différence         +0,32 €"],
        ),
        (
            Kind::RefundLate,
            0,
            2000,
            ["Remboursable      0,00 €", "Remboursé         20,00 €", "Remboursé en trop"],
        ),
    ] {
        let text = lines(kind, expected, actual);
        for line in said {
            assert!(text.contains(line), "{kind}: {line:?} in {text}");
        }
    }
    let nothing = lines(Kind::AmountShort, 0, 0);
    assert!(!nothing.contains("Attendu") && !nothing.contains("0,00"), "{nothing}");
}

#[test]
fn what_is_to_be_given_back_pays_nothing_of_what_is_due_later() {
    let twice = Item {
        order: Some(in_three_parts(20_000, "03-16")),
        expected: Some(Cents::new(10_000)),
        actual: Some(Cents::new(20_000)),
        call_number: None,
        records: vec![record(10_000, vec![voucher(10_000)]), record(10_000, vec![voucher(10_000)])],
        ..item(Kind::DoublePayment)
    };
    let text = text_of(Language::French, twice);
    for due in [
        "Reste à payer, dû le 15/04/2026          100,00 €",
        "Reste à payer, dû le 15/05/2026          100,00 €",
    ] {
        assert!(text.contains(due), "{due:?} in {text}");
    }
}
