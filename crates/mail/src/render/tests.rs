use cvco_domain::{
    Brand, CallNumber, Cents, Day, Detail, Difference, Instrument, Issuer, Kind, LineId, LineSays, Mode,
    Noted, OddStatus, OrderNow, OrderRef, OrderTotal, PartName, PaymentName, Psp, Record, RecordState,
    Reminder, ReportedState, StatementNumber, StatusOf, StoryOf, Tender, TenderId, TenderState,
};

mod closings;
mod dues;
mod figures;
mod subjects;
mod surplus;

use super::super::samples::{at, item, letter, record, refused_card, voucher};
use super::*;

fn mail(language: Language, items: Vec<Item>) -> RenderedMail {
    render(&letter(language, items)).expect("renders")
}

fn subject_of(language: Language, items: Vec<Item>) -> String {
    mail(language, items).subject.replace('\u{a0}', " ")
}

fn closed(mut item: Item) -> Item {
    item.news = News::Closed;
    item.closed_at = Some(at("2026-03-01T14:00:00Z"));
    item
}

fn reminded(item: Item) -> Item {
    Item {
        news: News::Reminded,
        reminded_for: Some(Reminder::SnoozeOver),
        last_note: Some("cliente\nrappelée".to_owned()),
        ..item
    }
}

#[test]
fn a_reminder_says_since_when_and_what_was_last_noted() {
    let text =
        |language| mail(language, vec![reminded(item(Kind::VoucherOrphan))]).text.replace('\u{a0}', " ");
    for (language, parts) in [
        (
            Language::French,
            [
                "Chèques-vacances acceptés, complément échoué (rappel, urgent)\n",
                "\nCet écart est toujours ouvert, et sa mise en veille est terminée. Le ",
                "\n  Attendu          1 234,00 €\n",
                "\n  Ouvert depuis    01/03/2026 14:25\n  Dernière note    cliente rappelée\n",
                "\nQue faire maintenant\n  1. ",
                "\n  cvco-reconciled alerts ack 17 --note \"ce qui a été fait\"\n",
                "\n  cvco-reconciled alerts snooze 17 --until AAAA-MM-JJ\n",
            ],
        ),
        (
            Language::English,
            [
                "Vouchers accepted, card part failed (reminder, urgent)\n",
                "\nThis discrepancy is still open, and its snooze is over. The ",
                "\n  Expected         €1,234.00\n",
                "\n  Open since       2026-03-01 14:25\n  Last note        cliente rappelée\n",
                "\nWhat to do now\n  1. ",
                "\n  cvco-reconciled alerts ack 17 --note \"what was done\"\n",
                "\nTo be reminded of it later, snooze it:\n  cvco-reconciled alerts snooze 17 --until YYYY-MM-DD\n",
            ],
        ),
    ] {
        let text = text(language);
        for part in parts {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}

#[test]
fn only_a_reminder_repeats_a_note() {
    for news in [News::Opened, News::Closed] {
        let item = Item { news, ..reminded(item(Kind::VoucherOrphan)) };
        assert!(!mail(Language::French, vec![item]).text.contains("cliente rappelée"));
    }
}

#[test]
fn the_french_text() {
    let text = mail(Language::French, vec![item(Kind::VoucherOrphan)]).text.replace('\u{a0}', " ");
    assert_eq!(
        text,
        "Camping des Pins

------------------------------------------------------------------------
Chèques-vacances acceptés, complément échoué (urgent)

Le complément carte n’a pas abouti, ou a expiré, mais la part chèque-vacances reste acceptée.

  Commande         CMD9542124-01A5G
  Numéro d’appel   9782013
  Prestataire      Up2pay e-Transactions (camping-up2pay)
  Attendu          1 234,00 €
  Reçu             1 224,00 €
  Manque           10,00 €

Paiements (en écart)
  Chèque-vacances (CVCONNECT)            1 224,00 €   accepté
    transaction 722487980, 01/03/2026 14:05
  Complément carte (LIMOCB)                 10,00 €   refusé
    transaction 722487981, 01/03/2026 14:05
  Total accepté                          1 224,00 €

Que faire maintenant
  1. Contactez le client : le plus simple est qu’il règle le solde par un autre moyen.
  2. Ne confirmez pas la prestation avant d’avoir reçu le solde.
  3. La part chèque-vacances ne peut être ni annulée ni remboursée par API chez Up2pay : si la vente ne se \
fait pas, adressez-vous à l’assistance Up2pay ou à l’ANCV, avec le numéro d’appel.

Écart n° 17, constaté le 01/03/2026 14:25.
L’écart se fermera de lui-même dès que sa cause aura disparu. Si vous l’avez réglé autrement, \
marquez-le comme traité :
  cvco-reconciled alerts ack 17 --note \"ce qui a été fait\"
Pour qu’il vous soit rappelé plus tard, mettez-le en veille :
  cvco-reconciled alerts snooze 17 --until AAAA-MM-JJ

-- 
Message automatique de cvco-reconciled (pins.example), heures de Paris"
    );
}

#[test]
fn the_english_text_of_a_resolved_discrepancy() {
    let mut paid = refused_card(1000);
    (paid.state, paid.refunded) = (TenderState::PartRefunded, Cents::new(300));
    let mut item = closed(item(Kind::ComplementMissing));
    item.records = vec![Record {
        state: RecordState::PartRefunded,
        mode: Mode::Test,
        ..record(2500, vec![voucher(1500), paid])
    }];
    assert_eq!(
        mail(Language::English, vec![item]).text,
        "Camping des Pins

------------------------------------------------------------------------
Card part missing (resolved)

All is well again with this order: there is nothing left to do.

  Order            CMD9542124-01A5G
  Call number      9782013
  Provider         Up2pay e-Transactions (camping-up2pay)
  Mode             test (no real money)

Payments (partly refunded)
  Voucher (CVCONNECT)                        €15.00   accepted
    transaction 722487980, 2026-03-01 14:05
  Card complement (LIMOCB)                   €10.00   partly refunded (€3.00)
    transaction 722487981, 2026-03-01 14:05
  Total accepted                             €25.00
  of which refunded                           €3.00
  Expected                                   €25.00

Discrepancy 17, found 2026-03-01 14:25, resolved 2026-03-01 15:00.

-- 
Automatic message from cvco-reconciled (pins.example), Paris time"
    );
}

#[test]
fn the_gravest_comes_first_and_the_resolved_last() {
    let text = mail(
        Language::English,
        vec![closed(item(Kind::VoucherOrphan)), item(Kind::AmountOver), item(Kind::DuplicateTender)],
    )
    .text;
    let place = |title: &str| text.find(title).expect("present");
    assert!(place("Part paid twice") < place("Overpayment"));
    assert!(place("Overpayment") < place("Vouchers accepted, card part failed (resolved)"));
}

#[test]
fn a_long_digest_says_what_it_leaves_out() {
    let many =
        |count| mail(Language::French, vec![item(Kind::AmountShort); count]).text.replace('\u{a0}', " ");
    assert!(!many(8).contains("détaillés"));
    let text = many(18);
    let in_full = text.matches("\nMontant insuffisant (à vérifier)\n").count();
    assert!((10..=15).contains(&in_full), "{in_full}");
    let left_out = format!("{} écarts ne sont pas détaillés ici", 18 - in_full);
    assert!(text.contains(&left_out) && text.contains("cvco-reconciled alerts list"), "{left_out}");
}

#[test]
fn a_reminder_says_why() {
    let reminded_for = |why| {
        text_of(Language::French, Item { reminded_for: Some(why), ..reminded(item(Kind::AmountShort)) })
    };
    assert!(reminded_for(Reminder::SnoozeOver).contains("sa mise en veille est terminée."));
    assert!(reminded_for(Reminder::FiguresChanged).contains("et ses chiffres ont changé."));
    assert!(reminded_for(Reminder::Graver).contains("il s’est aggravé."));
}

#[test]
fn a_conflict_is_told_by_what_differs() {
    let text = |detail| text_of(Language::French, Item { detail, ..item(Kind::ConflictingNotification) });
    let other = OrderRef::new("J03-bis").expect("a reference");
    let two_orders = text(Detail::Order(other));
    assert!(two_orders.contains("lisez à quelle commande elle se rapporte"), "{two_orders}");
    assert!(!two_orders.contains("montant établi"), "{two_orders}");
    let part = PartName {
        transaction: TenderId::new("10_1").ok(),
        instrument: Instrument::Card,
        brand: Brand::new("VISA").expect("valid"),
        elsewhere: None,
    };
    let differences = vec![Difference::Outcome { accepted_by: Vec::new(), failed_by: Vec::new() }];
    let two_states = text(Detail::Dispute { part: part.clone(), of: StoryOf::Payment, differences });
    assert!(two_states.contains("lisez-y son état"), "{two_states}");
    let two_amounts = text(Detail::Dispute { part, of: StoryOf::Payment, differences: Vec::new() });
    assert!(two_amounts.contains("montant établi"), "{two_amounts}");
}

#[test]
fn a_chargeback_is_never_said_to_be_a_refund() {
    let mut card = refused_card(4000);
    (card.state, card.refunded) = (TenderState::Refunded, Cents::new(4000));
    card.taken_back = Cents::new(4000);
    let taken = |tender: Tender| Item {
        expected: None,
        actual: Some(Cents::new(4000)),
        records: vec![record(4000, vec![tender])],
        ..item(Kind::Chargeback)
    };
    let known = text_of(Language::French, taken(card.clone()));
    assert!(known.contains("impayé, repris par la banque") && !known.contains("dont remboursé"), "{known}");
    let refunded = Cents::new(5000);
    let both = text_of(Language::French, taken(Tender { refunded, ..card.clone() })).replace('\u{a0}', " ");
    assert!(both.contains("remboursé 10,00 €, repris par la banque 40,00 €"), "{both}");
    let unknown = text_of(Language::French, taken(Tender { amount: Cents::ZERO, ..card }));
    assert!(unknown.contains("le paiement lui-même n’est pas enregistré ici"), "{unknown}");
    assert!(!unknown.contains(" 0,00 €   "), "{unknown}");
}

#[test]
fn what_nobody_has_seen_says_so_and_since_when() {
    let unseen = || vec![Item { news: News::Escalated, ..item(Kind::VoucherOrphan) }];
    let mail = mail(Language::French, unseen());
    assert!(mail.subject.starts_with("Sans réponse\u{a0}: [CVCo urgent] "), "{}", mail.subject);
    assert!(mail.text.contains("Personne n’a encore pris cet écart en charge. ") && mail.urgent);
    assert!(mail.text.contains("Ouvert depuis"), "{}", mail.text);
}

#[test]
fn hostile_values_are_harmless() {
    let mut hostile = item(Kind::ConflictingNotification);
    hostile.order_ref = OrderRef::new("<script>alert('x')</script>").ok();
    hostile.detail = Detail::Technical(Noted::new("a\r\nBcc: x@example\u{2028}<img src=//x>", None));
    if let Some(tender) = hostile.records.first_mut().and_then(|record| record.tenders.first_mut()) {
        tender.brand = Brand::new("<b>\"&").expect("valid");
    }
    let mut letter = letter(Language::French, vec![hostile]);
    letter.shop_name = "Pins\r\nBcc: y@example".to_owned();
    let mail = render(&letter).expect("renders");

    assert!(!mail.subject.contains(|c: char| c.is_control()), "{:?}", mail.subject);
    assert!(mail.text.lines().all(|line| !line.starts_with("Bcc:")), "{}", mail.text);
    for raw in ["<script", "<img", "<b>"] {
        assert!(!mail.html.contains(raw), "{raw}");
    }
    assert!(mail.html.contains("&#60;script&#62;"));
}

#[test]
fn html_loads_nothing_from_outside() {
    for language in Language::ALL {
        for kind in Kind::ALL {
            let html = mail(language, vec![item(*kind)]).html;
            for loader in ["http:", "https:", "src=", "url(", "<link", "@import", "<style"] {
                assert!(!html.contains(loader), "{loader} in {kind}");
            }
        }
    }
}

#[test]
fn a_line_of_a_statement_is_told_without_a_payment() {
    let mut item = item(Kind::StatementLineUnknown);
    (item.psp, item.endpoint, item.order_ref, item.call_number) = (None, None, None, None);
    item.records.clear();
    (item.expected, item.actual) = (None, Some(Cents::new(2000)));
    item.detail = Detail::Line {
        line: LineId {
            issuer: Issuer::Ancv,
            statement: StatementNumber::new("R1").expect("valid"),
            position: 4,
        },
        says: LineSays {
            reference: OrderRef::new("LATE").ok(),
            dated: Day::new(2026, 3, 10),
            ..LineSays::default()
        },
        perhaps: vec!["CMD7".to_owned()],
    };
    let mail = mail(Language::French, vec![item]);
    assert_eq!(mail.subject, "[CVCo] Camping des Pins\u{a0}: ligne de relevé inconnue, 20,00\u{a0}€");
    for words in [
        "Une ligne d’un relevé ne correspond à aucun paiement connu",
        "Sur le relevé",
        "20,00\u{a0}€",
        "4e ligne du relevé R1 (ANCV)\u{a0}: référence LATE, du 10/03/2026\u{a0}; commandes possibles\u{a0}: CMD7",
        "Faites rejouer les notifications manquantes (catch-up)",
    ] {
        assert!(mail.text.contains(words), "{words:?} in {}", mail.text);
    }
}

#[test]
fn a_trial_says_so_and_alarms_nobody() {
    let trial = || Item { mode: Mode::Test, ..item(Kind::VoucherOrphan) };
    let mail_of = |items| mail(Language::French, items);
    assert!(mail_of(vec![trial()]).subject.starts_with("[TEST] [CVCo] Camping"));
    assert!(!mail_of(vec![trial()]).urgent);
    // Among real payments the tag would be wrong of the others.
    let mixed = mail_of(vec![trial(), item(Kind::VoucherOrphan)]);
    assert!(mixed.subject.starts_with("[CVCo urgent] ") && mixed.urgent);
    for kind in [Kind::TestInProduction, Kind::ProductionInTest] {
        let misplaced = mail_of(vec![Item { mode: Mode::Test, ..item(kind) }]);
        assert!(misplaced.subject.starts_with("[CVCo urgent] ") && misplaced.urgent, "{}", misplaced.subject);
    }
    assert!(!mail_of(vec![closed(item(Kind::VoucherOrphan))]).urgent);
}

#[test]
fn only_at_up2pay_has_a_payment_a_call_number() {
    for psp in [None].into_iter().chain(Psp::ALL.map(Some)) {
        let text = mail(Language::French, vec![Item { psp, ..item(Kind::AmountShort) }]).text;
        assert_eq!(text.contains("Numéro d’appel"), psp == Some(Psp::Up2pay), "{text}");
    }
}

#[test]
fn a_promised_refund_that_was_refused_is_not_told_as_a_payment() {
    let mut refund = item(Kind::UnknownStatus);
    (refund.expected, refund.actual) = (None, Some(Cents::new(4000)));
    refund.detail = Detail::Status {
        part: PartName {
            transaction: TenderId::new("10_1").ok(),
            instrument: Instrument::Card,
            brand: Brand::new("VISA").expect("valid"),
            elsewhere: None,
        },
        of: StatusOf::Refund,
        statuses: vec![OddStatus { code: "83".to_owned(), state: ReportedState::Refused }],
    };
    let mail = mail(Language::French, vec![refund]);
    assert!(mail.subject.contains("remboursement refusé, 40,00\u{a0}€"), "{}", mail.subject);
    assert!(mail.text.contains("Remboursement refusé 40,00\u{a0}€"), "{}", mail.text);
    assert!(!mail.text.contains("Ne confirmez pas la prestation"), "{}", mail.text);
    let said = "remboursement de\u{a0}: carte (VISA), transaction 10_1\u{a0}: refusé (statut «\u{a0}83\u{a0}» chez le prestataire)";
    assert!(mail.text.contains(said), "{}", mail.text);
}

fn text_of(language: Language, item: Item) -> String {
    mail(language, vec![item]).text.replace('\u{a0}', " ")
}

#[test]
fn a_meal_voucher_has_a_word_of_its_own() {
    let mut item = item(Kind::ComplementMissing);
    for tender in item.records.iter_mut().flat_map(|record| &mut record.tenders) {
        if tender.instrument == Instrument::Voucher {
            tender.brand = Brand::new("APETIZ").expect("a brand");
        }
    }
    let french = mail(Language::French, vec![item.clone()]);
    assert!(french.text.contains("La part titre-restaurant a été acceptée"), "{}", french.text);
    assert!(french.text.contains("Titre-restaurant (APETIZ)"), "{}", french.text);
    assert!(!french.text.to_lowercase().contains("chèque-vacances"), "{}", french.text);
    assert!(!french.text.contains("ni annulée ni remboursée"), "{}", french.text);
    assert!(french.text.contains("remboursez la part titre-restaurant"), "{}", french.text);
    assert!(mail(Language::English, vec![item.clone()]).text.contains("Meal voucher (APETIZ)"));
    // Nobody is sent to ANCV about it.
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::ReferenceCollision) {
        for language in Language::ALL {
            let text = mail(language, vec![Item { kind: *kind, ..item.clone() }]).text;
            let steps = text.split("\n  1. ").nth(1).unwrap_or_default();
            assert!(!steps.contains("ANCV"), "{kind}: {steps}");
        }
    }
}

#[test]
fn where_the_dashboard_is_known_each_discrepancy_links_to_it() {
    for language in Language::ALL {
        let letter = letter(language, vec![item(Kind::VoucherOrphan)]);
        let without = render(&letter).expect("renders");
        assert!(!without.text.contains("/discrepancies/") && !without.html.contains("<a "));
        let letter = Letter { dashboard: Some("https://cvco.pins.example".to_owned()), ..letter };
        let with = render(&letter).expect("renders");
        let link = format!("https://cvco.pins.example/discrepancies/{}", letter.items[0].id);
        assert!(with.text.contains(&link) && with.html.contains(&format!("<a href=\"{link}\"")));
        assert_eq!(crate::short(&letter).lines.last(), Some(&link));
    }
}

/// A registered order that was to come to fifty euros.
#[test]
fn a_mail_that_waited_until_it_was_over_asks_for_nothing() {
    let open = item(Kind::AmountShort);
    let late = Item { closed_at: Some(open.opened_at), ..open.clone() };
    let text = text_of(Language::French, late);
    assert!(text.contains("Cet écart n’existe plus"), "{text}");
    assert!(!text.contains("Que faire maintenant"), "{text}");
    assert!(text_of(Language::French, open).contains("Que faire maintenant"));
}

#[test]
fn a_part_that_is_missing_names_the_order_that_has_the_same_call_number() {
    let beside = |kind| {
        let order =
            OrderNow { same_call: OrderRef::new("CMD9542124-BIS").ok(), ..order_now(5000, 0, -5000, 0) };
        text_of(Language::French, Item { order: Some(order), ..item(kind) })
    };
    let told = "Numéro d’appel aussi notifié sous";
    let line = |text: &str| text.lines().any(|line| line.contains(told) && line.ends_with("CMD9542124-BIS"));
    assert!(line(&beside(Kind::ComplementMissing)));
    assert!(!line(&beside(Kind::AmountShort)), "nothing says that a part of it went elsewhere");
}

fn order_now(paid: i64, refunded: i64, gap: i64, others_open: u32) -> OrderNow {
    OrderNow {
        total: Some(OrderTotal { cents: Cents::new(5000), currency: Currency::EUR, changed_at: None }),
        paid: Cents::new(paid),
        refunded: Cents::new(refunded),
        gap: Some(Cents::new(gap)),
        demands: Vec::new(),
        at: at("2026-03-01T14:00:00Z"),
        others_open,
        same_call: None,
    }
}

/// A payment of its own, of voucher and card.
fn paid_at(psp: Psp, call: &str, (vouchers, cards): (i64, i64), day: &str) -> Record {
    let accepted_at = Some(at(&format!("2026-{day}T13:05:00Z")));
    let part = |tender: Tender| Tender { state: TenderState::Captured, authorised_at: accepted_at, ..tender };
    let tenders = vec![part(voucher(vouchers)), part(refused_card(cards))];
    let call_number = CallNumber::new(call).expect("a call number");
    Record { psp, call_number, state: RecordState::Balanced, ..record(vouchers + cards, tenders) }
}
