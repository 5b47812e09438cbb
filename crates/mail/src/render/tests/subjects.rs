//! The subject says what matters.

use super::*;

#[test]
fn the_subject_of_one_discrepancy_says_all_that_matters() {
    let items = || vec![item(Kind::ComplementMissing)];
    assert_eq!(
        mail(Language::French, items()).subject,
        "[CVCo urgent] Camping des Pins\u{a0}: complément carte manquant, 10,00\u{a0}€ – commande CMD9542124-01A5G"
    );
    assert_eq!(
        mail(Language::English, items()).subject,
        "[CVCo urgent] Camping des Pins: card part missing, €10.00 – order CMD9542124-01A5G"
    );
}

#[test]
fn the_subject_of_a_resolved_discrepancy_is_the_old_one_with_a_prefix() {
    for (language, prefix) in [(Language::French, "Résolu\u{a0}: "), (Language::English, "Resolved: ")] {
        let before = mail(language, vec![item(Kind::VoucherOrphan)]).subject;
        let after = mail(language, vec![closed(item(Kind::VoucherOrphan))]).subject;
        assert_eq!(after, format!("{prefix}{}", before.replace("[CVCo urgent]", "[CVCo]")));
    }
}

#[test]
fn the_subject_of_a_reminder_is_the_old_one_with_a_prefix() {
    for (language, prefix) in [(Language::French, "Rappel\u{a0}: "), (Language::English, "Reminder: ")] {
        let before = mail(language, vec![item(Kind::VoucherOrphan)]).subject;
        let after = mail(language, vec![reminded(item(Kind::VoucherOrphan))]).subject;
        assert_eq!(after, format!("{prefix}{before}"));
    }
    let two = vec![reminded(item(Kind::AmountShort)), reminded(item(Kind::AmountOver))];
    assert!(
        subject_of(Language::French, two).starts_with("Rappel : [CVCo] Camping des Pins : 2 écarts, dont")
    );
}

#[test]
fn the_subject_of_several_counts_them_and_names_the_gravest() {
    let two = || vec![item(Kind::AmountShort), item(Kind::DoublePayment)];
    assert_eq!(
        subject_of(Language::French, two()),
        "[CVCo urgent] Camping des Pins : 2 écarts, dont paiement en trop, 10,00 € – commande CMD9542124-01A5G"
    );
    let mixed = || vec![closed(item(Kind::DoublePayment)), item(Kind::AmountShort)];
    assert_eq!(
        subject_of(Language::English, mixed()),
        "[CVCo] Camping des Pins: 1 discrepancy (and 1 resolved), among them amount too low, €10.00 – order \
         CMD9542124-01A5G"
    );
    let all_closed = two().into_iter().map(closed).collect();
    assert_eq!(subject_of(Language::French, all_closed), "Résolu : [CVCo] Camping des Pins : 2 écarts");
}

#[test]
fn a_subject_leaves_out_what_is_not_known() {
    let mut bare = item(Kind::SignatureFailures);
    (bare.expected, bare.actual, bare.order_ref) = (None, None, None);
    assert_eq!(
        subject_of(Language::French, vec![bare]),
        "[CVCo urgent] Camping des Pins : signatures refusées"
    );
}

#[test]
fn a_long_reference_is_cut_in_the_subject_only() {
    let reference = "R".repeat(250);
    let mut long = item(Kind::AmountShort);
    long.order_ref = OrderRef::new(reference.as_str()).ok();
    let mail = mail(Language::English, vec![long]);
    assert!(mail.subject.ends_with("R…") && mail.subject.chars().count() < 130, "{}", mail.subject);
    assert!(mail.text.contains(&reference) && mail.html.contains(&reference));
}

#[test]
fn the_subject_of_a_closing_has_the_amount_of_the_opening() {
    let mut short = closed(item(Kind::AmountShort));
    (short.opened_expected, short.opened_actual) = (Some(Cents::new(50_000)), Some(Cents::new(15_000)));
    (short.expected, short.actual) = (Some(Cents::new(50_000)), Some(Cents::new(35_000)));
    assert!(subject_of(Language::French, vec![short]).contains("montant insuffisant, 350,00 €"));
}
