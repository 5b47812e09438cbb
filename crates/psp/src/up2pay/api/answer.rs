//! What the platform answers: `A=b&C=d` in ISO 8859-1, the values not percent-encoded. It is not signed, so it must at
//! least answer the question that was asked.

use crate::api::{ApiResponse, Exchange};
use crate::wire::{PairList, latin1_or_utf8};

use super::ApiSettings;

use ReportedState::{Authorised, Cancelled, Captured, Refused};
use StatusReading::{Attention, Known};
use cvco_domain::{Bilingual, ReportedState, StatusReading, Worded};

/// Several times more than any answer has.
const MAX_PAIRS: usize = 64;

/// What an answer of the platform says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlatformAnswer {
    /// The transaction's `STATUS`.
    Status(String),
    /// There is no such transaction of this site and rang.
    NotFound,
    /// This server cannot answer; its backup may.
    OutOfOrder(Bilingual),
    /// The backup would not do better, but asking again later may help.
    Trouble(Bilingual),
    /// Site, rang, key or option are wrong.
    Setting(Bilingual),
}

/// `STATUS`, without accents, case or a feminine `e`; what it means for the money (`None`: it does not say); and for
/// people.
const STATUSES: [(&str, Option<ReportedState>, StatusReading, &str); 9] = [
    ("autoris", Some(Authorised), Known, "accepted, not remitted yet"),
    ("captur", Some(Captured), Known, "remitted"),
    ("annul", Some(Cancelled), Known, "cancelled"),
    ("refus", Some(Refused), Known, "refused"),
    ("rejet support", Some(Refused), Known, "rejected by the platform's support"),
    // It was captured before.
    (REFUNDED, Some(Captured), Attention, "refunded: the status does not tell how much"),
    ("credit", None, Attention, "a credit"),
    ("demande de solde (carte cadeaux)", None, Attention, "a request for a balance"),
    ("transaction non trouv", None, Attention, "not found"),
];

const REFUNDED: &str = "rembours";

/// Whether a status says that money went back.
pub(super) fn is_refunded(status: &str) -> bool {
    plain(status) == REFUNDED
}

/// What a status means for the money, and whether a person should look at it.
pub(super) fn judge(status: &str) -> (Option<ReportedState>, StatusReading) {
    entry(status).map_or((None, Attention), |(_, state, reading, _)| (*state, *reading))
}

/// What a status means, in English; `None` outside the table.
pub(in crate::up2pay) fn meaning(status: &str) -> Option<&'static str> {
    entry(status).map(|(_, _, _, meaning)| *meaning)
}

fn entry(
    status: &str,
) -> Option<&'static (&'static str, Option<ReportedState>, StatusReading, &'static str)> {
    let plain = plain(status);
    STATUSES.iter().find(|(known, ..)| *known == plain)
}

/// A status as the table has it. An `é` is dropped, whether it was damaged in transit or not.
fn plain(status: &str) -> String {
    let lower = status.trim().to_lowercase().replace(['é', 'è', 'ê'], "e");
    let ascii: String = lower.chars().filter(|c| c.is_ascii() && *c != '?').collect();
    let plain = ascii.trim_end_matches('e');
    if plain == "crdit" { "credit".to_owned() } else { plain.to_owned() }
}

/// Reads an exchange.
pub(super) fn read(exchange: &Exchange, settings: &ApiSettings) -> PlatformAnswer {
    match &exchange.outcome {
        Err(failure) => PlatformAnswer::OutOfOrder(failure.words()),
        Ok(ApiResponse { status: 200, body }) => match Fields::parse(body) {
            Some(fields) => fields.read(&exchange.request.body, settings),
            None => PlatformAnswer::OutOfOrder(Bilingual::new(
                "la réponse de la plateforme n’est pas une liste de champs",
                "the platform's answer is no list of fields",
            )),
        },
        Ok(ApiResponse { status: 401 | 403 | 404, .. }) => PlatformAnswer::Setting(Bilingual::new(
            "il n’y a pas de PPPS.php à cette adresse\u{a0}: corrigez api.base_url",
            "there is no PPPS.php at this address: correct api.base_url",
        )),
        Ok(ApiResponse { status, .. }) => PlatformAnswer::OutOfOrder(Bilingual::new(
            format!("la plateforme répond par le statut HTTP {status}"),
            format!("the platform answers with HTTP status {status}"),
        )),
    }
}

/// The fields of an answer, or of a question.
struct Fields(Vec<(Vec<u8>, String)>);

impl Fields {
    /// `None` if the body is not an answer of the platform, because each answer has a `CODEREPONSE`.
    fn parse(body: &[u8]) -> Option<Self> {
        let fields = Self::split(body)?;
        fields.get("CODEREPONSE").is_some().then_some(fields)
    }

    fn split(body: &[u8]) -> Option<Self> {
        let list = PairList::split(body.trim_ascii(), MAX_PAIRS).ok()?;
        let pair = |pair: &crate::wire::FormPair<'_>| {
            (pair.name.to_owned(), latin1_or_utf8(pair.value).trim().to_owned())
        };
        Some(Self(list.pairs().iter().map(pair).collect()))
    }

    /// A field's value; `None` if it is missing, empty or `???`, the platform's word for "not known".
    fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name.as_bytes())?;
        Some(value.as_str()).filter(|value| !value.is_empty() && *value != "???")
    }

    fn read(&self, question: &[u8], settings: &ApiSettings) -> PlatformAnswer {
        let asked = Self::split(question);
        let number = asked.as_ref().and_then(|asked| asked.get("NUMQUESTION")).unwrap_or_default();
        for (name, sent) in
            [("SITE", settings.site.as_str()), ("RANG", settings.rang.as_str()), ("NUMQUESTION", number)]
        {
            if self.get(name).is_some_and(|told| !same_number(told, sent)) {
                return PlatformAnswer::Trouble(Bilingual::new(
                    format!("la plateforme répond à une autre question\u{a0}: son champ {name} diffère"),
                    format!("the platform answers another question: its {name} differs"),
                ));
            }
        }
        match self.get("CODEREPONSE").unwrap_or_default() {
            "00000" => match self.get("STATUS") {
                None => PlatformAnswer::Trouble(Bilingual::new(
                    "la réponse de la plateforme ne donne pas de STATUS",
                    "the platform's answer states no STATUS",
                )),
                Some(status) if plain(status) == "transaction non trouv" => PlatformAnswer::NotFound,
                Some(status) => PlatformAnswer::Status(shown(status, 40)),
            },
            "00015" | "00018" => PlatformAnswer::NotFound,
            code @ ("00001" | "00003" | "00097" | "00098") => PlatformAnswer::OutOfOrder(Bilingual::new(
                format!("la plateforme est en panne (CODEREPONSE {code})"),
                format!("the platform is out of order (CODEREPONSE {code})"),
            )),
            code @ ("00002" | "00006" | "00014") => {
                let comment = self.comment();
                PlatformAnswer::Setting(Bilingual::new(
                    format!(
                        "la plateforme refuse la question (CODEREPONSE {code}{comment})\u{a0}: corrigez api.site, api.rang ou api.secret \
                         (la clé HMAC de ce mode), ou faites ajouter au contrat l’option Gestion automatisée des encaissements (GAE)"
                    ),
                    format!(
                        "the platform refuses the question (CODEREPONSE {code}{comment}): correct api.site, api.rang or api.secret \
                         (the HMAC key of this mode), or have the option Gestion automatisée des encaissements (GAE) added \
                         to the contract"
                    ),
                ))
            }
            code => {
                let (code, comment) = (shown(code, 8), self.comment());
                PlatformAnswer::Trouble(Bilingual::new(
                    format!("la plateforme ne répond pas à la question (CODEREPONSE {code}{comment})"),
                    format!("the platform does not answer the question (CODEREPONSE {code}{comment})"),
                ))
            }
        }
    }

    /// `COMMENTAIRE`, the platform's own words.
    fn comment(&self) -> String {
        self.get("COMMENTAIRE").map(|comment| format!(", {}", shown(comment, 60))).unwrap_or_default()
    }
}

/// The platform pads its numbers to ten digits.
fn same_number(one: &str, other: &str) -> bool {
    one.trim_start_matches('0') == other.trim_start_matches('0')
}

/// The beginning of a text from outside, without what could disguise it.
fn shown(text: &str, max: usize) -> String {
    let harmless = |c: &char| c.is_alphanumeric() || " .,:;'()_-?".contains(*c);
    text.chars().filter(harmless).take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_with_and_without_its_accents() {
        for (spellings, state) in [
            (["Autorisé", "AUTORISE", "Autorisée", "Autoris?", "Autoris\u{fffd}"], Some(Authorised)),
            (["Capturé", "capture", "Capturée", "Captur?", "CapturÃ©"], Some(Captured)),
            (["Annulé", "ANNULÉ", "Annule", "Annulée", " annulé "], Some(Cancelled)),
            (["Refusé", "REFUSE", "Refusée", "Rejet support", "REJET SUPPORT"], Some(Refused)),
            (["Remboursé", "Rembourse", "remboursé", "Rembours?", "REMBOURSÉ"], Some(Captured)),
            (["Crédit", "Credit", "CREDIT", "Cr?dit", "crédit"], None),
        ] {
            for spelling in spellings {
                assert_eq!(judge(spelling).0, state, "{spelling}");
            }
        }
        assert_eq!(judge("Remboursé").1, Attention);
        assert_eq!(judge("Capturé").1, Known);
        for unknown in ["", "Autorisation en attente", "Captures", "00000"] {
            assert_eq!(judge(unknown), (None, Attention), "{unknown}");
            assert_eq!(meaning(unknown), None, "{unknown}");
        }
    }
}
