//! The receipt beside a statement, in the language of the mails.

use std::io;

use cvco_domain::Timestamp;
use cvco_mail::Language;

use crate::admin::commands::{End, Frame, INPUT_BYTES, Say};

/// How the names of receipts end.
const FRENCH: &str = ".recu.txt";
const ENGLISH: &str = ".receipt.txt";

/// What became of a file.
pub(super) struct Receipt {
    language: Language,
    file: String,
    at: Timestamp,
    lines: Vec<String>,
    /// Why it was not imported.
    refused: Option<String>,
    /// Something in it wants a look.
    wants_a_look: bool,
}

impl Receipt {
    pub(super) const fn suffix(language: Language) -> &'static str {
        match language {
            Language::French => FRENCH,
            Language::English => ENGLISH,
        }
    }

    /// The receipt's name.
    pub(super) fn name(language: Language, file: &str) -> String {
        format!("{file}{}", Self::suffix(language))
    }

    /// Whether a file is a receipt, in whatever language.
    pub(super) fn is_name(name: &str) -> bool {
        [FRENCH, ENGLISH].iter().any(|suffix| name.ends_with(suffix))
    }

    pub(super) fn new(language: Language, file: &str, at: Timestamp) -> Self {
        Self { language, file: file.to_owned(), at, lines: Vec::new(), refused: None, wants_a_look: false }
    }

    pub(super) fn refuse(&mut self, why: &str) {
        self.refused = Some(why.to_owned());
    }

    pub(super) fn text(&self) -> String {
        let (file, at) = (&self.file, self.at.paris_text());
        let verdict = match (self.language, &self.refused, self.wants_a_look) {
            (Language::French, None, false) => format!("IMPORTÉ : {file}, le {at}"),
            (Language::French, None, true) => {
                format!(
                    "IMPORTÉ, À REGARDER : {file}, le {at}\nDes lignes ne correspondent à aucun paiement connu."
                )
            }
            (Language::French, Some(_), _) => format!(
                "REFUSÉ : {file}, le {at}\nRien n'a été importé. Corrigez le fichier et déposez-le de nouveau. La raison :"
            ),
            (Language::English, None, false) => format!("IMPORTED: {file}, {at}"),
            (Language::English, None, true) => {
                format!(
                    "IMPORTED, WANTS A LOOK: {file}, {at}\nSome lines belong to no payment that is known."
                )
            }
            (Language::English, Some(_), _) => {
                format!(
                    "REFUSED: {file}, {at}\nNothing was imported. Correct the file and put it here again. Why:"
                )
            }
        };
        let details = self.lines.iter().chain(&self.refused).map(|line| format!("{line}\n"));
        format!("{verdict}\n\n{}", details.collect::<String>())
    }
}

impl Say for Receipt {
    fn say(&mut self, frame: &Frame) -> io::Result<()> {
        match frame {
            Frame::Line(text) | Frame::Warning(text) => self.lines.push(text.clone()),
            Frame::End(End { complaint: Some(what), .. }) => self.refused = Some(what.clone()),
            Frame::End(End { exit, .. }) => self.wants_a_look = *exit != 0,
            Frame::Question(_) | Frame::File(_) | Frame::Data(_) | Frame::Whole(_) => {}
        }
        Ok(())
    }
}

/// The file is larger than a statement may be.
pub(super) fn too_large(language: Language, bytes: u64) -> String {
    let (has, most) = (bytes >> 20, INPUT_BYTES >> 20);
    match language {
        Language::French => {
            format!("le fichier fait {has} Mio, et un relevé n'en a pas plus de {most} : découpez-le")
        }
        Language::English => format!("the file has {has} MiB, and a statement no more than {most}: split it"),
    }
}

/// No layout is configured.
pub(super) fn no_layout(language: Language) -> String {
    match language {
        Language::French => {
            "la configuration n'a aucun [[statement]] qui dise comment lire un tel fichier".to_owned()
        }
        Language::English => {
            "the configuration has no [[statement]] that says how to read such a file".to_owned()
        }
    }
}

/// The name does not say by which layout a file is to be read.
pub(super) fn which_layout(language: Language, ids: &[&str]) -> String {
    let names: Vec<String> = ids.iter().map(|id| format!("{id}-….csv")).collect();
    match language {
        Language::French => {
            format!("de quel relevé s'agit-il ? Faites commencer son nom par l'un de : {}", names.join(", "))
        }
        Language::English => {
            format!("which statement is it? Let its name begin with one of: {}", names.join(", "))
        }
    }
}
