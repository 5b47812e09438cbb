//! Months, statements and their lines, as rows of a file.

use cvco_ledger::{ClosedMonth, ImportedRow, LineRow};

use super::{Listed, amount, cell, day, maybe, moment};
use crate::{Say, words};

impl Listed<5> for ClosedMonth {
    const HEADS: [(&'static str, &'static str); 5] = [
        ("mois", "month"),
        ("clos le", "closed"),
        ("par", "by"),
        ("écritures", "entries"),
        ("lignes", "lines"),
    ];

    fn cells(&self, t: Say) -> [String; 5] {
        [
            self.period.to_string(),
            moment(t, Some(self.at)),
            cell(&self.by),
            self.entries.to_string(),
            self.lines.to_string(),
        ]
    }
}

impl Listed<9> for ImportedRow {
    const HEADS: [(&'static str, &'static str); 9] = [
        ("émetteur", "issuer"),
        ("relevé", "statement"),
        ("boutique", "shop"),
        ("versé le", "paid on"),
        ("importé par", "imported by"),
        ("lignes", "lines"),
        ("non rapprochées", "unmatched"),
        ("montant (€)", "amount (€)"),
        ("commission (€)", "commission (€)"),
    ];

    fn cells(&self, t: Say) -> [String; 9] {
        [
            cell(&words::issuer(t, self.issuer)),
            cell(self.number.as_str()),
            cell(self.shop.as_str()),
            day(t, Some(self.paid_on)),
            cell(&self.by),
            self.lines.to_string(),
            self.unknown.to_string(),
            amount(Some(self.amount)),
            amount(Some(self.commission)),
        ]
    }
}

impl Listed<7> for LineRow {
    const HEADS: [(&'static str, &'static str); 7] = [
        ("ligne", "line"),
        ("commande", "order"),
        ("rapprochée par", "matched by"),
        ("référence du relevé", "reference of the statement"),
        ("transaction du relevé", "transaction of the statement"),
        ("montant (€)", "amount (€)"),
        ("commission (€)", "commission (€)"),
    ];

    fn cells(&self, t: Say) -> [String; 7] {
        [
            self.position.to_string(),
            maybe(self.order_ref.as_ref()),
            maybe(self.matched_by.as_ref().map(|by| words::matched_by(t, by))),
            maybe(self.reference.as_ref()),
            maybe(self.transaction.as_ref()),
            amount(Some(self.amount)),
            amount(Some(self.commission)),
        ]
    }
}
