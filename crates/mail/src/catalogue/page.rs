//! The catalogue as a page of documentation, from the words that the mails use.

use cvco_domain::{Kind, Psp};

use super::{Case, Language, figures_of, wording};

const HEAD: &str = "\
# Discrepancies

Every kind of discrepancy (*écart*), with the words of the e-mails in both languages. `make docs` writes this page from
the table that the program itself uses; a test compares the two.

`urgent` is mailed at once, `warning` with the next digest; `info` is listed, and never mailed. A discrepancy closes by
itself as soon as the facts no longer break the rule, and the mail thread says so. What `expected_cents` and
`actual_cents` of `acct_discrepancies` stand for is said under *figures*; a kind may leave them empty.
";

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n| kind | severity | in English | in French |\n|---|---|---|---|\n");
    for kind in Kind::ALL {
        let title = |language| wording(Case::Of(*kind), language, None).title;
        let (english, french) = (title(Language::English), title(Language::French));
        line(&mut page, &format!("| [`{kind}`](#{kind}) | {} | {english} | {french} |", kind.severity()));
    }
    for kind in Kind::ALL {
        line(&mut page, &format!("\n## `{kind}`"));
        for case in Case::all_of(*kind) {
            for language in Language::ALL.into_iter().rev() {
                section(&mut page, *kind, case, language);
            }
        }
    }
    page
}

fn section(page: &mut String, kind: Kind, case: Case, language: Language) {
    let words = wording(case, language, None);
    let [expected, actual] = figures_of(case, kind, language);
    let (figures, what_to_do) = match language {
        Language::French => ("chiffres", "Que faire maintenant\u{a0}:"),
        Language::English => ("figures", "What to do now:"),
    };
    line(page, &format!("\n**{}** ({}; {figures}: {expected} / {actual})", words.title, kind.severity()));
    line(page, &format!("\n{}\n\n{what_to_do}", words.explanation));
    for (psps, steps) in steps_by_psp(case, language) {
        if psps.len() < Psp::ALL.len() {
            let names: Vec<_> = psps.iter().map(|psp| psp.title()).collect();
            line(page, &format!("\n*{}*", names.join(", ")));
        }
        page.push('\n');
        for (number, step) in (1_u32..).zip(steps) {
            line(page, &format!("{number}. {step}"));
        }
    }
}

/// The steps, with the PSPs that they hold for. Where only the names of places differ, they are said in general.
fn steps_by_psp(case: Case, language: Language) -> Vec<(Vec<Psp>, Vec<String>)> {
    let neutral = wording(case, language, None).what_to_do;
    let mut groups: Vec<(Vec<Psp>, Vec<String>)> = Vec::new();
    for psp in Psp::ALL {
        let own = wording(case, language, Some(psp)).what_to_do;
        let steps = if super::differs_by_place_only(case, language, psp) { neutral.clone() } else { own };
        match groups.iter_mut().find(|(_, known)| *known == steps) {
            Some((psps, _)) => psps.push(psp),
            None => groups.push((vec![psp], steps)),
        }
    }
    groups
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_documentation_is_the_programs_own() {
        let kept = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/discrepancies.md"));
        assert!(super::page() == kept, "docs/discrepancies.md is not what the program says: run `make docs`");
    }
}
