//! Values out of the documents that somebody forgot to replace. In production they are errors: everybody knows them.

use cvco_domain::{Bilingual, Mode};
use secrecy::{ExposeSecret, SecretString};

use super::check::Check;

/// What such values have in common, in lower case.
const WORDS: [&str; 9] = [
    "replace-this",
    "replace-me",
    "changeme",
    "change-me",
    "yourpspid",
    "for trials",
    "trialkey",
    "placeholder",
    "demonstration-only",
];

/// Such values as a whole, in lower case.
const VALUES: [&str; 2] = ["pspidtest", "webhook-id"];

fn is_placeholder(text: &str) -> bool {
    let shouted = text.trim();
    let text = shouted.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
        || VALUES.contains(&text.as_str())
        || text.starts_with("your-")
        || text.starts_with("your_")
        || shouted.starts_with("YOUR")
}

/// No PSP gives out a shorter secret (the form keys of Sogecommerce, its shortest, have 16 characters).
const SHORTEST_SECRET: usize = 8;

impl Check<'_> {
    /// Notes a PSP's secret that nobody can have been given: an example, or the rest of one that was cut off.
    pub(super) fn secret_of_psp(&mut self, key: &str, mode: Option<Mode>, secret: &SecretString) {
        self.placeholder_secret(key, mode, secret);
        if secret.expose_secret().trim().chars().count() < SHORTEST_SECRET {
            let what = Bilingual::new(
                format!("compte moins de {SHORTEST_SECRET} caractères\u{a0}: recopiez-le en entier"),
                format!("has fewer than {SHORTEST_SECRET} characters: copy the whole of it again"),
            );
            if mode == Some(Mode::Production) {
                self.wrong(key, what);
            } else {
                self.unwise(key, what);
            }
        }
    }

    /// Notes a value that stands in the documents: as wrong in production, as unwise elsewhere.
    pub(super) fn placeholder(&mut self, key: &str, mode: Option<Mode>, text: &str) {
        if !is_placeholder(text) {
            return;
        }
        if mode == Some(Mode::Production) {
            self.known_to_all(
                key,
                (
                    "c’est un exemple de la documentation\u{a0}; en mode = \"production\", mettez votre propre valeur",
                    "is an example of the documents; in mode = \"production\" it must be your own",
                ),
            );
        } else {
            self.unwise(
                key,
                (
                    "c’est un exemple de la documentation\u{a0}: suffisant pour des essais, une erreur en production",
                    "is an example of the documents: enough for trials, an error in production",
                ),
            );
        }
    }

    /// The same for a secret, which is never quoted.
    pub(super) fn placeholder_secret(&mut self, key: &str, mode: Option<Mode>, secret: &SecretString) {
        self.placeholder(key, mode, secret.expose_secret());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_known_and_nothing_else() {
        for example in [
            "replace-this-token-by-openssl-rand-hex-16-a",
            "YOURPSPID",
            "PSPIDTEST",
            "your-webhook-key-id",
            "YOURADMINTOKENYOURADMINTOKEN1234",
            "your_smtp_password",
            "TRIALKEYNOTAREAL",
            "secret webhook key, for trials",
        ] {
            assert!(is_placeholder(example), "{example}");
        }
        for own in ["6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b", "1122334455667788", "CampingPins", "12345678"] {
            assert!(!is_placeholder(own), "{own}");
        }
    }
}
