use super::*;

/// Every PSP, and none.
fn psps() -> impl Iterator<Item = Option<Psp>> {
    [None].into_iter().chain(Psp::ALL.map(Some))
}

/// Every case of every kind.
fn cases() -> impl Iterator<Item = Case> {
    Kind::ALL.iter().flat_map(|kind| Case::all_of(*kind))
}

/// Every text that readers about this PSP may see, with where it stands.
fn texts_about(language: Language, psp: Option<Psp>) -> impl Iterator<Item = (String, String)> {
    cases().flat_map(move |case| {
        let words = wording(case, language, psp);
        let all = [words.title, words.explanation].into_iter().chain(words.what_to_do);
        all.map(move |text| (format!("{case:?} {psp:?}: {text}"), text)).collect::<Vec<_>>()
    })
}

/// Every text of the catalogue, with where it stands.
fn texts(language: Language) -> impl Iterator<Item = (String, String)> {
    psps().flat_map(move |psp| texts_about(language, psp))
}

#[test]
fn a_language_is_found_by_its_name() {
    for language in Language::ALL {
        assert_eq!(language.as_str().parse(), Ok(language));
    }
    let wrong = "de".parse::<Language>().expect_err("not offered");
    assert_eq!(wrong.to_string(), "\"de\" is not one of fr, en");
}

#[test]
fn a_title_fits_a_subject_line() {
    for (language, case) in Language::ALL.into_iter().flat_map(|l| cases().map(move |case| (l, case))) {
        let title = wording(case, language, None).title;
        assert!((5..=45).contains(&title.chars().count()), "{title}");
        assert!(title.starts_with(char::is_lowercase) && !title.ends_with('.'), "{title}");
    }
}

#[test]
fn titles_tell_kinds_apart() {
    for language in Language::ALL {
        let mut titles: Vec<_> = cases().map(|case| wording(case, language, None).title).collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), cases().count());
    }
}

#[test]
fn explanations_and_steps_are_whole_sentences() {
    for (language, case) in Language::ALL.into_iter().flat_map(|l| cases().map(move |case| (l, case))) {
        for psp in psps() {
            let words = wording(case, language, psp);
            assert!((1..=4).contains(&words.what_to_do.len()), "{case:?} {psp:?}");
            for sentence in words.what_to_do.iter().chain([&words.explanation]) {
                assert!(sentence.ends_with('.') && sentence.starts_with(char::is_uppercase), "{sentence}");
                assert!(sentence.chars().count() <= 230, "too long: {sentence}");
            }
        }
    }
}

#[test]
fn no_text_carries_a_placeholder_or_a_typing_slip() {
    for (place, text) in Language::ALL.into_iter().flat_map(texts) {
        for slip in ["{", "}", "TODO", "XXX", "  ", " ,", " .", "'", "..", "\n", "\\"] {
            assert!(!text.contains(slip), "{slip:?} in {place}");
        }
        assert_eq!(text.trim(), text);
    }
}

#[test]
fn french_sets_a_no_break_space_before_its_double_punctuation() {
    for (place, text) in texts(Language::French) {
        let chars: Vec<char> = text.chars().collect();
        for pair in chars.windows(2).filter(|pair| matches!(pair[1], ':' | ';' | '?' | '!' | '»')) {
            assert_eq!(pair[0], '\u{a0}', "before {:?} in {place}", pair[1]);
        }
    }
}

#[test]
fn english_sets_no_space_before_its_punctuation() {
    for (place, text) in texts(Language::English) {
        for slip in [" :", " ;", " ?", " !", "\u{a0}", "«"] {
            assert!(!text.contains(slip), "{slip:?} in {place}");
        }
    }
}

#[test]
fn the_fate_of_an_orphaned_voucher_depends_on_the_psp() {
    let steps =
        |psp| wording(Case::Of(Kind::VoucherOrphan), Language::English, Some(psp)).what_to_do.join(" ");
    assert!(steps(Psp::Up2pay).contains("neither cancelled nor refunded"));
    assert!(steps(Psp::Sogecommerce).contains("cancel the voucher part"));
    assert!(steps(Psp::Worldline).contains("within 4 hours of the payment, also in part"));
    assert!(steps(Psp::Monext).contains("Monext refunds the card part only"));
    assert!(steps(Psp::Ancv).contains("cancel the transaction in ANCV’s Espace PTL: whole only"));
}

#[test]
fn no_psp_is_named_to_the_merchant_of_another() {
    let own_names = [
        (Psp::Up2pay, &["Up2pay", "PBX_", "LIMOCB", "CVCONNECT"][..]),
        (Psp::Sogecommerce, &["Sogecommerce", "vads_"]),
        (Psp::Worldline, &["Worldline", "Merchant Portal", "4 h"]),
        (Psp::Monext, &["Monext", "Centre d’administration", "Administration Center"]),
        (Psp::Ancv, &["Espace PTL"]),
    ];
    for (language, psp) in
        Language::ALL.into_iter().flat_map(|language| psps().map(move |psp| (language, psp)))
    {
        for (place, text) in texts_about(language, psp) {
            for (_, names) in own_names.iter().filter(|(owner, _)| Some(*owner) != psp) {
                assert!(!names.iter().any(|name| text.contains(name)), "{place}");
            }
        }
    }
}

#[test]
fn a_step_names_the_place_where_its_reader_looks() {
    let first = |language, psp| wording(Case::Of(Kind::UnknownStatus), language, psp).what_to_do.remove(0);
    assert_eq!(
        first(Language::French, Some(Psp::Ancv)),
        "Ouvrez la transaction dans l’Espace PTL de l’ANCV et lisez-y son état."
    );
    assert_eq!(
        first(Language::English, None),
        "Open the transaction in the provider’s back office and read its state."
    );
}
