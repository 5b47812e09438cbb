//! Payments, discrepancies, days and endpoints as rows of a file.

use cvco_domain::Cents;
use cvco_ledger::{DayTakings, DiscrepancyRow, OrderRow};
use cvco_mail::lists;

use super::{Listed, amount, cell, day, maybe, moment};
use crate::today::EndpointPulse;
use crate::{Say, words};

impl Listed<15> for OrderRow {
    const HEADS: [(&'static str, &'static str); 15] = [
        ("boutique", "shop"),
        ("prestataire", "provider"),
        ("commande", "order"),
        ("paiement", "payment"),
        ("reçu le", "received"),
        ("attendu", "expected"),
        ("titres", "vouchers"),
        ("cartes", "cards"),
        ("payé", "paid"),
        ("écart", "gap"),
        ("remboursé", "given back"),
        ("devise", "currency"),
        ("état", "state"),
        ("écarts ouverts", "open discrepancies"),
        ("mode", "mode"),
    ];

    fn cells(&self, t: Say) -> [String; 15] {
        let payment = match self {
            Self::Payment(payment) => Some(payment),
            Self::Awaited(_) => None,
        };
        [
            cell(self.shop().as_str()),
            maybe(payment.map(|payment| payment.psp.title())),
            maybe(self.reference()),
            maybe(payment.map(|payment| &payment.call_number)),
            moment(t, Some(self.at())),
            amount(self.expected()),
            amount(Some(self.voucher())),
            amount(Some(self.card())),
            amount(Some(self.paid())),
            amount(self.gap()),
            amount(Some(payment.map_or(Cents::ZERO, |payment| payment.refunded))),
            cell(self.currency().as_str()),
            cell(words::stands(t, self)),
            self.open().to_string(),
            maybe(payment.map(|payment| payment.mode.as_str())),
        ]
    }
}

impl Listed<16> for DiscrepancyRow {
    const HEADS: [(&'static str, &'static str); 16] = [
        ("n°", "id"),
        ("gravité", "severity"),
        ("écart", "discrepancy"),
        ("boutique", "shop"),
        ("point d'entrée", "endpoint"),
        ("commande", "order"),
        ("paiement", "payment"),
        ("attendu", "expected"),
        ("constaté", "found"),
        ("devise", "currency"),
        ("ouvert le", "opened"),
        ("résolu le", "resolved"),
        ("pris en charge le", "acknowledged"),
        ("par", "by"),
        ("dernière note", "last note"),
        ("en veille jusqu'au", "snoozed until"),
    ];

    fn cells(&self, t: Say) -> [String; 16] {
        [
            self.id.to_string(),
            cell(lists::severity(t.0, self.severity)),
            cell(&lists::kind(t.0, self.kind, &self.detail)),
            maybe(self.shop.as_ref()),
            maybe(self.endpoint.as_ref()),
            maybe(self.order_ref.as_ref()),
            maybe(self.call_number.as_ref()),
            amount(self.expected),
            amount(self.actual),
            maybe(self.records.first().map(|record| record.currency.as_str())),
            moment(t, Some(self.opened_at)),
            moment(t, self.closed_at),
            moment(t, self.acked.as_ref().map(|(at, ..)| *at)),
            maybe(self.acked.as_ref().map(|(_, by, _)| by)),
            maybe(self.last_note.as_ref()),
            moment(t, self.snoozed_until),
        ]
    }
}

impl Listed<5> for DayTakings {
    const HEADS: [(&'static str, &'static str); 5] = [
        ("jour", "day"),
        ("titres (€)", "vouchers (€)"),
        ("cartes (€)", "cards (€)"),
        ("rendu ou repris (€)", "given or taken back (€)"),
        ("parts", "parts"),
    ];

    fn cells(&self, t: Say) -> [String; 5] {
        [
            day(t, Some(self.day)),
            amount(Some(self.voucher)),
            amount(Some(self.card)),
            amount(Some(self.returned)),
            self.parts.to_string(),
        ]
    }
}

impl Listed<9> for EndpointPulse {
    const HEADS: [(&'static str, &'static str); 9] = [
        ("point d'entrée", "endpoint"),
        ("boutique", "shop"),
        ("prestataire", "provider"),
        ("mode", "mode"),
        ("dernier appel", "last call"),
        ("appels en 28 jours", "calls in 28 days"),
        ("dernier refus", "last refusal"),
        ("raison", "reason"),
        ("précision (en anglais)", "particulars"),
    ];

    fn cells(&self, t: Say) -> [String; 9] {
        let refused = self.pulse.refused.as_ref();
        [
            cell(self.id.as_str()),
            cell(self.shop.as_str()),
            cell(self.psp.title()),
            cell(self.mode.as_str()),
            moment(t, self.pulse.heard_at),
            self.pulse.calls.to_string(),
            moment(t, refused.map(|(at, _)| *at)),
            maybe(refused.map(|(_, grounds)| words::grounds(t, grounds))),
            maybe(refused.and_then(|(_, grounds)| words::particulars(grounds))),
        ]
    }
}
