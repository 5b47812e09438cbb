//! What is said once a discrepancy no longer exists.

use super::*;

fn closed_with(order: impl Into<Option<OrderNow>>) -> String {
    text_of(Language::French, Item { order: order.into(), ..closed(item(Kind::AmountShort)) })
}

#[test]
fn a_closing_says_whether_the_order_is_in_order() {
    let done = closed_with(order_now(5000, 0, 0, 0));
    assert!(done.contains("Tout est rentré dans l’ordre pour cette commande : il n’y a plus rien à faire"));
    let of_none = closed_with(None);
    assert!(of_none.contains("Tout est rentré dans l’ordre : il n’y a plus rien à faire"), "{of_none}");
    for (text, said) in [
        (
            closed_with(order_now(5000, 0, 0, 1)),
            "n’existe plus. La commande a un autre écart, qui reste ouvert.",
        ),
        (closed_with(order_now(5000, 0, 0, 3)), "La commande a 3 autres écarts, qui restent ouverts."),
        (closed_with(order_now(6000, 0, 1000, 0)), "mais il reste 10,00 € en trop sur cette commande."),
        (closed_with(order_now(4000, 0, -1000, 0)), "mais il reste 10,00 € à payer sur cette commande."),
        (closed_with(order_now(0, 0, -5000, 0)), "aucun paiement n’est plus accepté pour cette commande"),
        (closed_with(order_now(1500, 1500, -3500, 0)), "tout ce que le client avait payé lui a été rendu"),
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
        assert!(!text.contains("Tout est rentré dans l’ordre"), "{text}");
    }
}

#[test]
fn a_closing_shows_the_figures_of_the_order_as_they_are_now_and_what_settled_it() {
    let later = Some(at("2026-03-01T13:40:00Z"));
    let mut second = record(1000, vec![voucher(1000)]);
    second.call_number = CallNumber::new("9782014").expect("a call number");
    second.tenders[0].authorised_at = later;
    let mut given_back = voucher(5000);
    (given_back.refunded, given_back.refunded_at) = (Cents::new(1000), later);
    given_back.state = TenderState::PartRefunded;
    let text = text_of(
        Language::French,
        Item {
            order: Some(order_now(6000, 1000, 0, 0)),
            records: vec![record(5000, vec![given_back]), second],
            ..closed(item(Kind::AmountOver))
        },
    );
    for line in [
        "  Depuis           chèque-vacances 10,00 € accepté le 01/03/2026 14:40 (Up2pay e-Transactions) ; \
         chèque-vacances : 10,00 € remboursés le 01/03/2026 14:40 (Up2pay e-Transactions)\n",
        "  Total accepté                             60,00 €\n",
        "  dont remboursé                            10,00 €\n",
        "  Total de la commande                      50,00 €\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    for word in ["En trop", "Manque", "Attendu"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn what_was_accepted_before_and_heard_of_late_has_both_dates() {
    let mut late = voucher(1000);
    late.authorised_at = Some(at("2026-03-01T08:30:00Z"));
    late.first_seen_at = at("2026-03-01T13:40:00Z");
    let text = text_of(
        Language::French,
        Item { records: vec![record(1000, vec![late])], ..closed(item(Kind::AmountShort)) },
    );
    let line = "accepté le 01/03/2026 09:30, notifié le 01/03/2026 14:40 (Up2pay e-Transactions)";
    assert!(text.contains(line), "{line:?} in {text}");
}

#[test]
fn calls_that_were_refused_may_be_lost_when_it_is_over() {
    for kind in [Kind::SignatureFailures, Kind::CallsRefused] {
        let mut refused = closed(item(kind));
        (refused.order, refused.order_ref, refused.records) = (None, None, Vec::new());
        let text = text_of(Language::French, refused);
        assert!(text.contains("de vrais paiements peuvent manquer") && text.contains("catch-up"), "{text}");
        assert!(!text.contains("plus rien à faire"), "{text}");
    }
}
