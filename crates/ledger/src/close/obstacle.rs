//! Why a period cannot be closed: as data; in English and in French.

use std::fmt;

use cvco_domain::Period;

/// Why a period cannot be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not over yet.
    NotOver(Period),
    /// It is closed.
    Closed(Period),
    /// It lies before all that are closed, and nothing was known of it when the first of them was.
    BeforeFirst {
        /// The period.
        period: Period,
        /// The first that was closed.
        first: Period,
    },
    /// Another one comes before it.
    NotNext {
        /// The period.
        period: Period,
        /// The one to close first.
        next: Period,
    },
    /// None is closed, and the ledger has payments of an earlier one.
    PaymentsSince {
        /// The period.
        period: Period,
        /// That of the first payments.
        first: Period,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOver(period) => write!(f, "{period} is not over yet"),
            Self::Closed(period) => write!(f, "{period} is closed already"),
            Self::BeforeFirst { period, first } => write!(
                f,
                "{period} lies before {first}, the first month that was closed: what is still learned of it is booked with \
                 the next month that is closed"
            ),
            Self::NotNext { period, next } => write!(
                f,
                "close {next} first: periods are closed one after the other (`--through {period}` closes all of them)"
            ),
            Self::PaymentsSince { period, first } => write!(
                f,
                "close {first} first: the ledger has payments since then (`--through {period}` closes all of them)"
            ),
        }
    }
}

impl Obstacle {
    /// The same in French.
    #[must_use]
    pub fn in_french(&self) -> String {
        match self {
            Self::NotOver(period) => format!("{period} n’est pas encore terminé"),
            Self::Closed(period) => format!("{period} est déjà clôturé"),
            Self::BeforeFirst { period, first } => format!(
                "{period} précède {first}, le premier mois clôturé\u{a0}: ce qu’on en apprend encore est comptabilisé avec le \
                 prochain mois à clôturer"
            ),
            Self::NotNext { period, next } => format!(
                "clôturez d’abord {next}\u{a0}: les mois se clôturent l’un après l’autre (`--through {period}` les clôture \
                 tous)"
            ),
            Self::PaymentsSince { period, first } => format!(
                "clôturez d’abord {first}\u{a0}: le registre contient des paiements depuis ce mois (`--through {period}` les \
                 clôture tous)"
            ),
        }
    }
}
