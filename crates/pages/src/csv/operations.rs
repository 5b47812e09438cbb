//! What goes on behind, as rows of a file.

use cvco_ledger::{QueuedMail, RefusedCall, RelayRow, SetAside};

use super::{Listed, cell, maybe, moment};
use crate::{Say, words};

impl Listed<7> for RefusedCall {
    const HEADS: [(&'static str, &'static str); 7] = [
        ("reçu le", "received"),
        ("point d'entrée", "endpoint"),
        ("prestataire", "provider"),
        ("raison", "reason"),
        ("précision (en anglais)", "particulars"),
        ("venu de", "from"),
        ("SHA-256", "SHA-256"),
    ];

    fn cells(&self, t: Say) -> [String; 7] {
        [
            moment(t, Some(self.at)),
            cell(self.endpoint.as_str()),
            cell(self.psp.title()),
            cell(&words::grounds(t, &self.grounds)),
            maybe(words::particulars(&self.grounds)),
            cell(&self.caller),
            cell(&self.sha256),
        ]
    }
}

impl Listed<8> for QueuedMail {
    const HEADS: [(&'static str, &'static str); 8] = [
        ("nature", "kind"),
        ("par", "by"),
        ("boutique", "shop"),
        ("écarts", "discrepancies"),
        ("attend depuis le", "waits since"),
        ("tentatives", "attempts"),
        ("prochaine tentative", "next attempt"),
        ("dernière erreur (en anglais)", "last error"),
    ];

    fn cells(&self, t: Say) -> [String; 8] {
        let numbers: Vec<_> = self.discrepancies.iter().map(ToString::to_string).collect();
        [
            cell(&words::mail_class(t, &self.class)),
            cell(&words::way(t, &self.way)),
            maybe(self.shop.as_ref()),
            cell(&numbers.join(" ")),
            moment(t, Some(self.since)),
            self.attempts.to_string(),
            moment(t, self.again_at),
            maybe(self.last_error.as_ref()),
        ]
    }
}

impl Listed<12> for RelayRow {
    const HEADS: [(&'static str, &'static str); 12] = [
        ("appel n°", "call"),
        ("boutique", "shop"),
        ("point d'entrée", "endpoint"),
        ("destinataire", "handler"),
        ("commande", "order"),
        ("paiement", "payment"),
        ("reçu le", "received"),
        ("à transmettre depuis le", "owed since"),
        ("état", "state"),
        ("terminé le", "ended"),
        ("tentatives", "attempts"),
        ("dernière réponse (en anglais)", "last answer"),
    ];

    fn cells(&self, t: Say) -> [String; 12] {
        [
            self.number.to_string(),
            cell(self.shop.as_str()),
            cell(self.endpoint.as_str()),
            cell(self.target.as_str()),
            maybe(self.order_ref.as_ref()),
            maybe(self.call_number.as_ref()),
            moment(t, Some(self.received_at)),
            moment(t, Some(self.owed_at)),
            cell(&words::relay_state(t, self.state)),
            moment(t, self.done_at),
            self.attempts.to_string(),
            cell(&self.answer()),
        ]
    }
}

impl Listed<4> for SetAside {
    const HEADS: [(&'static str, &'static str); 4] =
        [("entrée", "entry"), ("du", "of"), ("nature", "kind"), ("raison (en anglais)", "reason")];

    fn cells(&self, t: Say) -> [String; 4] {
        [self.seq.to_string(), moment(t, Some(self.at)), cell(&self.kind), cell(&self.reason)]
    }
}
