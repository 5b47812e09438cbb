//! The French steps about what comes after the sale: captures, refunds, and endpoints that fall silent.

use cvco_domain::Psp::{self, Ancv, Monext, Sogecommerce, Up2pay, Worldline};

use super::super::Steps;

pub(super) const fn capture_overdue(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Sogecommerce) => &[
            "Ouvrez la transaction dans le back-office Sogecommerce : si elle est à valider, validez-la aujourd'hui ; une autorisation est valable trois jours.",
            "Si elle a expiré ou a été annulée, demandez au client de payer à nouveau avant toute confirmation.",
        ],
        Some(Worldline) => &[
            "Ouvrez le paiement dans {back_office} : s'il est seulement autorisé, remettez-le en banque depuis cette page, ou annulez-le si la vente ne se fait pas.",
            "Si cela arrive à chaque paiement, demandez au développeur que la boutique débite aussitôt (requiresApproval=false) ou effectue elle-même la remise.",
            "S'il a expiré, demandez au client de payer à nouveau avant toute confirmation.",
        ],
        Some(Up2pay | Monext | Ancv) | None => &[
            "Ouvrez la transaction dans {back_office} : si elle est seulement autorisée, remettez-la en banque depuis cette page, ou annulez-la si la vente ne se fait pas.",
            "Si elle y est toujours en attente, interrogez {support} ; ne confirmez pas la prestation avant qu'elle soit acceptée.",
            "Si elle a expiré, demandez au client de payer à nouveau avant toute confirmation.",
        ],
    }
}

pub(super) const fn refund_not_allowed(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Ouvrez les deux parts dans le back-office Up2pay, et voyez ce qui a réellement été rendu.",
            "{holiday}Chez Up2pay, la part chèque-vacances ne se rembourse pas du tout ; la part carte se rembourse à partir du lendemain du paiement, jusqu'à son montant.",
            "{meal}Chez Up2pay, la part titre-restaurant et la part carte se remboursent à partir du lendemain du paiement, chacune jusqu'à son montant.",
            "Si de l'argent a été rendu à tort, adressez-vous à {support} avec le numéro d'appel ; ne comptabilisez que ce que montre {back_office}.",
        ],
        Some(Sogecommerce) => &[
            "Ouvrez la transaction dans le back-office Sogecommerce, et voyez ce qui a réellement été rendu.",
            "Si le paiement lui-même n'est pas enregistré ici, cherchez-le dans {back_office} : il est antérieur à l'installation, ou sa notification s'est perdue.",
            "La part chèque-vacances ne se rembourse qu'en totalité : si elle l'a été en partie, adressez-vous à {support} ou à l'ANCV.",
            "Si le montant remboursé dépasse le montant payé, demandez à {support} de reprendre l'excédent.",
        ],
        Some(Monext) => &[
            "Ouvrez la transaction dans {back_office}, et voyez ce qui a réellement été rendu.",
            "Si le paiement lui-même n'est pas enregistré ici, cherchez-le dans {back_office} : il est antérieur à l'installation, ou sa notification s'est perdue.",
            "Chez Monext, seul le complément carte se rembourse, jusqu'à son montant : pour les chèques-vacances, adressez-vous à {support} ou à l'ANCV.",
            "Ne comptabilisez que ce que montre {back_office}.",
        ],
        Some(Worldline | Ancv) | None => &[
            "Ouvrez le paiement dans {back_office}, et voyez ce qui a réellement été rendu.",
            "Si le paiement lui-même n'est pas enregistré ici, cherchez-le dans {back_office} : il est antérieur à l'installation, ou sa notification s'est perdue.",
            "Si le montant remboursé dépasse le montant payé, ou si une part non remboursable l'a été, adressez-vous à {support} avec le numéro de la transaction.",
            "Ne comptabilisez que ce que montre {back_office}.",
        ],
    }
}

pub(super) const fn refund_late(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Worldline) => &[
            "Les chèques-vacances ne sont remboursables que dans les 4 heures qui suivent le paiement : vérifiez dans {back_office} si ce remboursement a vraiment eu lieu.",
            "S'il a été refusé ensuite, convenez avec le client d'une autre façon de lui rendre la somme.",
            "S'il est confirmé, assurez-vous que le prochain relevé de l'ANCV en tient compte.",
        ],
        Some(Up2pay | Sogecommerce | Monext | Ancv) | None => &[
            "Vérifiez dans {back_office} si ce remboursement a vraiment eu lieu.",
            "S'il est confirmé, assurez-vous que le prochain relevé de l'ANCV en tient compte.",
        ],
    }
}

pub(super) const fn refund_order(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Worldline) => &[
            "Ouvrez le paiement dans {back_office} : Worldline rembourse d'abord la part carte, et les chèques-vacances seulement pour ce qui la dépasse.",
            "Si la part carte y est remboursée, seule sa notification s'est perdue.",
            "Sinon, demandez à {support} pourquoi les chèques-vacances ont été rendus d'abord, et si la part carte doit encore l'être.",
        ],
        Some(Up2pay | Sogecommerce | Monext | Ancv) | None => &[
            "Ouvrez le paiement dans {back_office}, et voyez si la part carte a été remboursée.",
            "Si elle ne l'a pas été, demandez à {support} pourquoi les chèques-vacances ont été rendus d'abord.",
        ],
    }
}

pub(super) const fn refund_partial(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Sogecommerce) => &[
            "Dans le back-office Sogecommerce, chaque part se rembourse séparément : voyez si l'autre a été remboursée aussi.",
            "Si toute la commande devait l'être, remboursez la part qui manque ; une part chèque-vacances en totalité seulement.",
            "Si seule cette part était visée, marquez l'écart comme traité en notant pourquoi.",
        ],
        Some(Up2pay | Worldline | Monext | Ancv) | None => &[
            "Ouvrez le remboursement dans {back_office} : s'il y apparaît comme effectué, seule sa notification manque.",
            "S'il est refusé ou attend encore, interrogez {support}, et dites au client quand l'argent lui parviendra.",
        ],
    }
}

pub(super) const fn endpoint_silent(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Regardez les paiements du jour dans le back-office Up2pay : s'il y en a, leurs notifications n'arrivent pas.",
            "Faites alors vérifier le serveur web, son certificat et l'adresse de notification, et cherchez les e-mails Warning d'Up2pay : ils peuvent être importés.",
            "Si la boutique est fermée ou vend moins en ce moment, il n'y a rien à faire : mettez cet écart en veille jusqu'à la réouverture.",
        ],
        Some(Sogecommerce) => &[
            "Regardez les paiements du jour dans le back-office Sogecommerce : s'il y en a, leurs notifications n'arrivent pas.",
            "Faites alors vérifier le serveur web, son certificat et les règles de notification, et relancez l'appel de l'URL de notification pour chaque paiement.",
            "Si la boutique est fermée ou vend moins en ce moment, il n'y a rien à faire : mettez cet écart en veille jusqu'à la réouverture.",
        ],
        Some(Worldline | Monext | Ancv) | None => &[
            "Regardez les paiements du jour dans {back_office} : s'il y en a, leurs notifications n'arrivent pas.",
            "Faites alors vérifier le serveur web, son certificat et l'adresse de notification ; la commande cvco-reconciled catch-up demande ce qui a été manqué.",
            "Si la boutique est fermée ou vend moins en ce moment, il n'y a rien à faire : mettez cet écart en veille jusqu'à la réouverture.",
        ],
    }
}

pub(super) const fn contract_unknown(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Sogecommerce | Monext) => &[
            "Vérifiez dans {back_office} à qui appartient ce contrat, et sur quel compte il est réglé.",
            "S'il est à vous, faites-le ajouter à la configuration (contrats de cette adresse) : l'écart se fermera alors de lui-même.",
            "Sinon, cherchez avec {support} comment le paiement y est arrivé.",
        ],
        Some(Up2pay | Worldline | Ancv) | None => &[
            "Vérifiez dans {back_office} à qui appartient ce compte.",
            "S'il est à vous, faites corriger la configuration de cette adresse, puis relancez la notification des paiements concernés.",
            "Sinon, cherchez avec {support} comment la notification vous est parvenue.",
        ],
    }
}
