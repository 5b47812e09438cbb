//! The changes that a call usually suffers between Up2pay and the program that checks it.

use percent_encoding::percent_encode;

use super::RFC_3986;
use super::template::Template;
use super::verify::{SplitCall, join};
use crate::phrase::{Phrase, phrase};
use crate::wire::{FormPair, decode_plus, decode_raw};

/// The bytes that would have been signed if one thing had not happened.
pub(super) struct NearMiss {
    pub(super) bytes: Vec<u8>,
    /// Completes "it verifies …".
    pub(super) how: Phrase,
}

/// The whole text as it was before someone copied it out of a page or a mail.
pub(super) fn repairs(payload: &[u8]) -> [NearMiss; 2] {
    let html = replace(payload, b"&amp;", b"&");
    let lines: Vec<u8> = payload.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
    [
        NearMiss {
            bytes: html,
            how: phrase(
                "avec `&amp;` lu comme `&`\u{a0}: l’appel a été échappé pour HTML en chemin",
                "with `&amp;` as `&`: it was escaped for HTML on its way",
            ),
        },
        NearMiss {
            bytes: lines,
            how: phrase(
                "sans ses retours à la ligne\u{a0}: le texte a été coupé en lignes en chemin",
                "without its line breaks: the text was wrapped on its way",
            ),
        },
    ]
}

/// The ways to rewrite a value so that the signature may fit again.
type Rewrite = fn(&[u8]) -> Vec<u8>;

const REWRITES: [(Phrase, Rewrite); 6] = [
    (
        phrase(
            "avec ses valeurs décodées puis réencodées (RFC 3986)\u{a0}: elles ont été décodées en chemin",
            "with its values decoded and encoded again (RFC 3986): they were decoded on their way",
        ),
        |value| encode(&decode_raw(value)),
    ),
    (
        phrase(
            "avec ses valeurs lues comme un formulaire puis réencodées (RFC 3986)\u{a0}: les espaces sont devenus des `+` en chemin",
            "with its values read as a form and encoded again (RFC 3986): spaces became `+` on their way",
        ),
        |value| encode(&decode_plus(value)),
    ),
    (
        phrase(
            "avec ses valeurs encodées comme un formulaire, les espaces en `+`",
            "with its values form-encoded, spaces as `+`",
        ),
        |value| form_encode(&decode_raw(value)),
    ),
    (
        phrase(
            "avec ses valeurs décodées comme un formulaire\u{a0}: elles ont été encodées ainsi en chemin",
            "with its values form-decoded: they were form-encoded on their way",
        ),
        decode_plus,
    ),
    (
        phrase(
            "avec les seuls espaces encodés\u{a0}: les valeurs ont été décodées en chemin",
            "with spaces alone encoded: the values were decoded on their way",
        ),
        |value| replace(&decode_raw(value), b" ", b"%20"),
    ),
    (
        phrase(
            "avec les seuls espaces encodés\u{a0}: les valeurs ont été encodées comme un formulaire en chemin",
            "with spaces alone encoded: the values were form-encoded on their way",
        ),
        |value| replace(&decode_plus(value), b" ", b"%20"),
    ),
];

/// The distortions, likeliest first; some may be equal to others.
pub(super) fn near_misses(template: &Template, call: &SplitCall<'_>) -> Vec<NearMiss> {
    let before = call.before();
    let known = |pair: &&FormPair<'_>| template.knows(pair.name);
    let templated: Vec<_> = before.iter().filter(known).copied().collect();
    let first = before.iter().position(|pair| known(&pair)).unwrap_or(0);
    let shapes = [templated.as_slice(), before.get(first..).unwrap_or_default(), before];

    let mut misses = Vec::new();
    let mut add = |bytes, how| misses.push(NearMiss { bytes, how });
    for pairs in shapes {
        for (how, rewrite) in REWRITES {
            add(rewritten(pairs, rewrite), how);
        }
        let raw = join(pairs);
        add(raw.trim_ascii().to_vec(), phrase("sans les blancs autour", "without the white space around it"));
        add(
            [raw.as_slice(), b"\n"].concat(),
            phrase("avec une fin de ligne à la suite", "with a line end after it"),
        );
        add([raw.as_slice(), b" "].concat(), phrase("avec une espace à la suite", "with a space after it"));
    }
    let all: Vec<_> = before.iter().chain(call.after()).copied().collect();
    let all_templated: Vec<_> = all.iter().filter(known).copied().collect();
    for pairs in [&all, &all_templated] {
        add(
            join(pairs),
            phrase(
                "avec les variables placées après la signature aussi\u{a0}: la signature n’était pas à la fin",
                "with the variables after the signature as well: the signature was not at the end",
            ),
        );
    }
    add(
        join(in_order(template, &all).iter()),
        phrase(
            "avec les variables dans l’ordre de PBX_RETOUR\u{a0}: elles ont été mises dans un autre ordre en chemin",
            "with the variables in the order of PBX_RETOUR: they were put in another order on their way",
        ),
    );
    misses
}

fn rewritten(pairs: &[FormPair<'_>], rewrite: Rewrite) -> Vec<u8> {
    let pair = |pair: &FormPair<'_>| [pair.name, b"=", &rewrite(pair.value)].concat();
    pairs.iter().map(pair).collect::<Vec<_>>().join(&b'&')
}

fn in_order<'a>(template: &Template, pairs: &[FormPair<'a>]) -> Vec<FormPair<'a>> {
    let named = |name: &str| pairs.iter().find(|pair| pair.name == name.as_bytes()).copied();
    template.variables().filter_map(|(name, _)| named(name)).collect()
}

fn encode(value: &[u8]) -> Vec<u8> {
    percent_encode(value, RFC_3986).to_string().into_bytes()
}

fn form_encode(value: &[u8]) -> Vec<u8> {
    replace(&encode(value), b"%20", b"+")
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            replaced.extend_from_slice(to);
            rest = after;
        } else {
            replaced.push(*first);
            rest = tail;
        }
    }
    replaced
}
