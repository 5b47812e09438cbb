//! Lists for the accountant: which there are, and what their columns are.

use std::fmt;
use std::str::FromStr;

use cvco_domain::{Cents, Day, Timestamp, UnknownWord};

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// One row for each payment.
    Register,
    /// What does not match.
    Gaps,
    /// What was received and not paid out, by age (justification de solde).
    Ageing,
    /// What came in, went back and was paid out, by day and month.
    Totals,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holds {
    /// Text.
    Text,
    /// An amount in euros.
    Money,
    /// A whole number.
    Count,
    /// A date.
    Day,
    /// An instant.
    Instant,
}

/// A column: its name for programs, its heading for people, and what it holds.
pub type Column = (&'static str, &'static str, Holds);

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text.
    Text(String),
    /// An amount.
    Money(Cents),
    /// A whole number.
    Count(i64),
    /// A date.
    Day(Day),
    /// An instant.
    Instant(Timestamp),
}

const REGISTER: &[Column] = &[
    ("shop", "Boutique", Holds::Text),
    ("psp", "Prestataire", Holds::Text),
    ("contracts", "Contrats", Holds::Text),
    ("order_ref", "Commande", Holds::Text),
    ("call_number", "Numéro d’appel", Holds::Text),
    ("received_on", "Encaissé le", Holds::Day),
    ("expected", "Attendu", Holds::Money),
    ("voucher", "Chèques-vacances", Holds::Money),
    ("card", "Cartes", Holds::Money),
    ("paid", "Payé", Holds::Money),
    ("gap", "Écart", Holds::Money),
    ("refunded", "Remboursé", Holds::Money),
    ("state", "État", Holds::Text),
    ("authorised_at", "Accepté", Holds::Instant),
    ("captured_at", "Remis", Holds::Instant),
    ("settled_at", "Versé", Holds::Instant),
    ("entry", "Écriture", Holds::Text),
    ("open_discrepancies", "Anomalies ouvertes", Holds::Count),
    ("mode", "Mode", Holds::Text),
    ("currency", "Devise", Holds::Text),
    ("other_vouchers", "Titres-restaurant et autres titres", Holds::Money),
    ("carried", "Rappel d’un autre mois", Holds::Count),
    ("taken_back", "Dont repris par la banque (impayé)", Holds::Money),
];

const GAPS: &[Column] = &[
    ("class", "Classe", Holds::Text),
    ("kind", "Anomalie", Holds::Text),
    ("severity", "Gravité", Holds::Text),
    ("shop", "Boutique", Holds::Text),
    ("psp", "Prestataire", Holds::Text),
    ("order_ref", "Commande", Holds::Text),
    ("call_number", "Numéro d’appel", Holds::Text),
    ("expected", "Attendu", Holds::Money),
    ("actual", "Constaté", Holds::Money),
    ("gap", "Écart", Holds::Money),
    ("opened_at", "Ouvert", Holds::Instant),
    ("closed_at", "Fermé", Holds::Instant),
    ("acked_by", "Vu par", Holds::Text),
    ("note", "Note", Holds::Text),
    ("detail", "Précisions", Holds::Text),
    ("id", "Numéro", Holds::Count),
];

const AGEING: &[Column] = &[
    ("age", "Ancienneté (jours)", Holds::Text),
    ("days", "Jours", Holds::Count),
    ("shop", "Boutique", Holds::Text),
    ("instrument", "Part", Holds::Text),
    ("psp", "Prestataire", Holds::Text),
    ("contract", "Contrat", Holds::Text),
    ("order_ref", "Commande", Holds::Text),
    ("call_number", "Numéro d’appel", Holds::Text),
    ("transaction", "Transaction", Holds::Text),
    ("received_on", "Encaissé le", Holds::Day),
    ("received", "Encaissé", Holds::Money),
    ("returned", "Rendu", Holds::Money),
    ("settled", "Versé", Holds::Money),
    ("open", "Reste à recevoir", Holds::Money),
    ("settled_later_on", "Versé ensuite le", Holds::Day),
    ("issuer", "Émetteur", Holds::Text),
];

const TOTALS: &[Column] = &[
    ("level", "Niveau", Holds::Text),
    ("period", "Période", Holds::Text),
    ("shop", "Boutique", Holds::Text),
    ("psp", "Prestataire", Holds::Text),
    ("contract", "Contrat", Holds::Text),
    ("voucher_count", "Chèques-vacances (nombre)", Holds::Count),
    ("voucher", "Chèques-vacances", Holds::Money),
    ("card_count", "Cartes (nombre)", Holds::Count),
    ("card", "Cartes", Holds::Money),
    ("voucher_returned", "Chèques-vacances rendus", Holds::Money),
    ("card_returned", "Cartes rendues", Holds::Money),
    ("paid_out", "Versé (brut)", Holds::Money),
    ("commission", "Commission", Holds::Money),
    ("net", "Versé (net)", Holds::Money),
    ("other_voucher_count", "Titres-restaurant et autres titres (nombre)", Holds::Count),
    ("other_vouchers", "Titres-restaurant et autres titres", Holds::Money),
    ("other_vouchers_returned", "Titres-restaurant et autres titres rendus", Holds::Money),
    ("card_taken_back", "Dont repris par la banque (impayé)", Holds::Money),
];

impl Report {
    /// Every list.
    pub const ALL: [Self; 4] = [Self::Register, Self::Gaps, Self::Ageing, Self::Totals];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Gaps => "gaps",
            Self::Ageing => "ageing",
            Self::Totals => "totals",
        }
    }

    /// The name for people, in French.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Register => "Registre",
            Self::Gaps => "Écarts",
            Self::Ageing => "Balance âgée",
            Self::Totals => "Totaux",
        }
    }

    /// Its columns.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Register => REGISTER,
            Self::Gaps => GAPS,
            Self::Ageing => AGEING,
            Self::Totals => TOTALS,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Report {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|report| report.as_str() == text)
            .ok_or_else(|| UnknownWord::new(text, "register, gaps, ageing, totals"))
    }
}
