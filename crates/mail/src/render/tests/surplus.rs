//! Payments that are too much together: which one is given back, and how.

use super::*;

fn paid_twice(first: Psp, second: Psp) -> Item {
    Item {
        psp: (first == second).then_some(first),
        endpoint: None,
        call_number: None,
        expected: Some(Cents::new(5000)),
        actual: Some(Cents::new(10_000)),
        detail: Detail::Payments(vec![
            PaymentName { psp: first, call_number: CallNumber::new("7001").expect("a call number") },
            PaymentName { psp: second, call_number: CallNumber::new("7002").expect("a call number") },
        ]),
        records: vec![
            paid_at(first, "7001", (2000, 3000), "03-01"),
            paid_at(second, "7002", (2000, 3000), "03-02"),
        ],
        ..item(Kind::DoublePayment)
    }
}

#[test]
fn a_double_payment_lists_its_payments_and_says_what_to_do_at_their_provider() {
    let text = text_of(Language::French, paid_twice(Psp::Up2pay, Psp::Up2pay));
    let told = text.split("\nÉcart n°").next().expect("the beginning");
    assert_eq!(
        told,
        "Camping des Pins

------------------------------------------------------------------------
Paiement en trop (urgent)

La commande a reçu 2 paiements, qui dépassent ensemble de 50,00 € le montant attendu.

  Commande         CMD9542124-01A5G
  Prestataire      Up2pay e-Transactions
  Attendu          50,00 €
  Reçu             100,00 €
  En trop          50,00 €

Paiements
  1. 01/03/2026 14:05, Up2pay e-Transactions, numéro d’appel 7001 : 50,00 €
  Chèque-vacances (CVCONNECT)               20,00 €   remis en banque
    transaction 722487980, 01/03/2026 14:05
  Complément carte (LIMOCB)                 30,00 €   remis en banque
    transaction 722487981, 01/03/2026 14:05
  2. 02/03/2026 14:05, Up2pay e-Transactions, numéro d’appel 7002 : 50,00 €
  Chèque-vacances (CVCONNECT)               20,00 €   remis en banque
    transaction 722487980, 02/03/2026 14:05
  Complément carte (LIMOCB)                 30,00 €   remis en banque
    transaction 722487981, 02/03/2026 14:05
  Total accepté                            100,00 €

Que faire maintenant
  1. Vérifiez dans la boutique qu’il s’agit bien d’une seule commande, puis prévenez le client.
  2. Rendez 50,00 €, et rien de plus, sur le dernier paiement : Up2pay e-Transactions, numéro d’appel 7002, \
02/03/2026 14:05, 50,00 €. Gardez les autres.
  3. Remboursez la part carte du paiement en trop depuis le back-office Up2pay, à partir du lendemain du paiement.
  4. La part chèque-vacances de ce paiement n’est pas remboursable chez Up2pay : convenez d’un avoir avec le \
client, ou adressez-vous à l’ANCV.
"
    );
}

#[test]
fn of_payments_at_two_providers_the_one_that_goes_back_whole_is_given_back_and_no_other() {
    // Up2pay takes no vouchers back, whichever payment was the last.
    for (psps, which) in [
        ([Psp::Sogecommerce, Psp::Up2pay], "le paiement suivant"),
        ([Psp::Up2pay, Psp::Sogecommerce], "le dernier paiement"),
    ] {
        let [first, second] = psps;
        let text = text_of(Language::French, paid_twice(first, second));
        let step = format!("\n  2. Rendez 50,00 €, et rien de plus, sur {which} : Sogecommerce,");
        for words in [
            "\n  Prestataire      Up2pay e-Transactions, Sogecommerce\n",
            "\n  1. Vérifiez dans la boutique",
            &step,
            "back-office Sogecommerce",
        ] {
            assert!(text.contains(words), "{words:?} in {text}");
        }
        assert!(!text.contains("back-office Up2pay"), "{text}");
    }
}

#[test]
fn of_two_payments_at_one_provider_the_last_one_is_given_back_and_no_other() {
    let text = text_of(Language::French, paid_twice(Psp::Up2pay, Psp::Up2pay));
    assert!(
        text.contains("\n  2. Rendez 50,00 €, et rien de plus, sur le dernier paiement : Up2pay"),
        "{text}"
    );
}

#[test]
fn of_a_payment_by_card_alone_no_voucher_is_given_back() {
    let mut twice = paid_twice(Psp::Up2pay, Psp::Up2pay);
    twice.records[1].tenders.remove(0);
    twice.actual = Some(Cents::new(8000));
    let text = text_of(Language::French, twice);
    assert!(
        text.contains("Rendez 30,00 €, et rien de plus") && !text.contains("part chèque-vacances"),
        "{text}"
    );
}

#[test]
fn of_three_payments_too_many_each_is_named() {
    let mut thrice = paid_twice(Psp::Up2pay, Psp::Up2pay);
    thrice.records.push(paid_at(Psp::Worldline, "7003", (2000, 3000), "03-03"));
    thrice.actual = Some(Cents::new(15_000));
    let text = text_of(Language::French, thrice);
    assert!(text.contains("La commande a reçu 3 paiements, qui dépassent ensemble de 100,00 €"), "{text}");
    let latest_first = "Rendez 100,00 € en tout, et rien de plus, paiement après paiement : \
                        Worldline Direct, paiement 7003, 03/03/2026 14:05, 50,00 € ; puis Up2pay e-Transactions, numéro d’appel 7002";
    assert!(text.contains(latest_first), "{text}");
    assert!(text.contains("Worldline Direct : remboursez le paiement"), "no capital after the colon: {text}");
}

/// An order of 50 to which 70 were paid: a voucher of 20 is left over.
fn left_over(brand: &str) -> Item {
    Item {
        expected: Some(Cents::new(5000)),
        actual: Some(Cents::new(7000)),
        detail: Detail::LeftOver(vec![PartName {
            transaction: None,
            instrument: Instrument::Voucher,
            brand: Brand::new(brand).expect("a brand"),
            elsewhere: None,
        }]),
        ..item(Kind::AmountOver)
    }
}

#[test]
fn a_voucher_left_over_asks_for_no_balance() {
    let left_over = left_over("CVCONNECT");
    assert_eq!(
        subject_of(Language::French, vec![left_over.clone()]),
        "[CVCo] Camping des Pins : chèques-vacances en trop, 20,00 € – commande CMD9542124-01A5G"
    );
    let text = text_of(Language::French, left_over);
    assert!(text.contains("Ne redemandez rien au client") && text.contains("En trop          20,00 €"));
    assert!(!text.contains("réglé le solde") && !text.contains("demandez la différence"), "{text}");
}

/// The payments of the order were made with Chèques-Vacances too.
#[test]
fn a_meal_voucher_left_over_is_called_one_whatever_else_the_order_was_paid_with() {
    let left_over = left_over("APETIZ");
    let brands: Vec<_> =
        left_over.records.iter().flat_map(|record| &record.tenders).map(|t| t.brand.as_str()).collect();
    assert!(brands.contains(&"CVCONNECT"), "{brands:?}");
    let subject = subject_of(Language::French, vec![left_over.clone()]);
    assert!(subject.contains("titres-restaurant en trop, 20,00"), "{subject}");
    let text = text_of(Language::French, left_over);
    assert!(!text.contains("ANCV") && !text.contains("ni annulée ni remboursée"), "{text}");
}

/// A voucher alone, then a payment of the whole order by card.
fn voucher_then_card(psp: Psp) -> Item {
    let mut first = paid_at(psp, "a1", (6000, 0), "03-01");
    first.tenders.truncate(1);
    let mut second = paid_at(psp, "b1", (0, 10_000), "03-02");
    second.tenders.remove(0);
    Item {
        psp: Some(psp),
        call_number: CallNumber::new("a1").ok(),
        expected: Some(Cents::new(10_000)),
        actual: Some(Cents::new(16_000)),
        records: vec![first, second],
        ..item(Kind::AmountOver)
    }
}

#[test]
fn a_surplus_is_given_back_of_the_payment_that_the_discrepancy_names() {
    let text = text_of(Language::French, voucher_then_card(Psp::Sogecommerce));
    let steps = text.split("Que faire maintenant\n").nth(1).expect("steps");
    let steps: Vec<&str> = steps.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(
        steps,
        [
            "  1. Vérifiez d’abord le total de la commande dans la boutique.",
            "  2. S’il est juste, rendez 60,00 €, et rien de plus, sur le paiement suivant : Sogecommerce, paiement \
             a1, 01/03/2026 14:05, 60,00 €. Gardez les autres.",
            "  3. Annulez la part chèque-vacances dans le back-office Sogecommerce avant sa remise (trois jours au \
             plus), ou remboursez-la après : en totalité seulement.",
            "  4. Si le trop-perçu est moindre que cette part, convenez d’un avoir avec le client.",
        ]
    );
    assert!(text.contains("\n  Paiement         a1\n"), "{text}");
}

#[test]
fn the_condition_stands_in_front_of_what_depends_on_it() {
    let alone = |language, psp| {
        text_of(
            language,
            Item { psp: Some(psp), call_number: CallNumber::new("9782013").ok(), ..item(Kind::AmountOver) },
        )
    };
    for psp in Psp::ALL {
        let (french, english) = (alone(Language::French, psp), alone(Language::English, psp));
        assert!(french.contains("  2. S’il est juste, "), "{french}");
        assert!(english.contains("  2. If it is right, "), "{english}");
        let several = text_of(Language::English, voucher_then_card(psp));
        assert!(
            several.contains("  2. If it is right, give back €60.00, and no more, of the following payment")
        );
        assert_eq!(several.matches("If it is right").count(), 1, "{several}");
    }
}

#[test]
fn of_payments_made_twice_the_one_that_comes_to_the_surplus_is_given_back() {
    let mut twice = paid_twice(Psp::Up2pay, Psp::Up2pay);
    twice.records.push(paid_at(Psp::Up2pay, "7003", (2000, 500), "03-03"));
    twice.expected = Some(Cents::new(7500));
    twice.actual = Some(Cents::new(12_500));
    let text = text_of(Language::French, twice);
    let named = "Rendez 50,00 €, et rien de plus, sur le paiement suivant : Up2pay e-Transactions, numéro d’appel 7002";
    assert!(text.contains(named), "{text}");
}

#[test]
fn of_a_card_alone_that_is_too_much_no_voucher_is_spoken_of() {
    let mut card = paid_at(Psp::Sogecommerce, "b1", (0, 10_000), "03-02");
    card.tenders.remove(0);
    let over = Item {
        psp: Some(Psp::Sogecommerce),
        expected: Some(Cents::new(9000)),
        actual: Some(Cents::new(10_000)),
        records: vec![card],
        ..item(Kind::AmountOver)
    };
    let text = text_of(Language::French, over);
    let steps = text.split("Que faire maintenant").nth(1).expect("steps");
    assert!(steps.contains("sur la part carte") && !steps.contains("chèque-vacances"), "{steps}");
}
