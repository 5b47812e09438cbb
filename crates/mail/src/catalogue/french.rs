//! The French table.

mod after_sale;
mod settlements;
mod steps;

use cvco_domain::{Kind, Psp};

use super::{Case, Entry, Names, says};

/// What the merchant knows the PSP's places as; each stands behind "dans", "avec" and "à".
pub(super) const fn names(psp: Option<Psp>) -> Names {
    let (back_office, support) = match psp {
        None => ("le back-office du prestataire", "l'assistance du prestataire"),
        Some(Psp::Up2pay) => ("le back-office Up2pay", "l'assistance Up2pay"),
        Some(Psp::Sogecommerce) => ("le back-office Sogecommerce", "l'assistance Sogecommerce"),
        Some(Psp::Worldline) => ("le Merchant Portal de Worldline", "l'assistance Worldline"),
        Some(Psp::Monext) => ("le Centre d'administration Monext", "l'assistance Monext"),
        Some(Psp::Ancv) => ("l'Espace PTL de l'ANCV", "l'assistance de l'ANCV"),
    };
    Names { back_office, support, if_right: "S'il est juste," }
}

/// What should be, and what is.
pub(super) const fn figures(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::SequenceDisagrees => ["Total annoncé", "Somme des parts"],
        Kind::TotalChanged => ["Total lors du paiement", "Total actuel"],
        Kind::ConflictingNotification => ["Notifié, retenu", "Notifié aussi"],
        Kind::ConfirmationDiffers => ["Notifié", "Confirmé, retenu"],
        Kind::CaptureOverdue => ["À remettre", "Remis"],
        Kind::RefundNotAllowed | Kind::RefundLate => ["Remboursable", "Remboursé"],
        Kind::Chargeback => ["–", "Repris par la banque"],
        Kind::RefundOrder => ["Part carte, à rembourser d’abord", "Part carte remboursée"],
        Kind::RefundPartial => ["À rembourser", "Remboursé"],
        Kind::SettlementMissing | Kind::SettlementMismatch => ["À recevoir", "Versé"],
        Kind::CommissionMismatch => ["Commission prévue", "Commission retenue"],
        Kind::StatementLineUnknown => ["À recevoir", "Sur le relevé"],
        Kind::AmountShort
        | Kind::AmountOver
        | Kind::ComplementMissing
        | Kind::ComplementOrphan
        | Kind::VoucherOrphan
        | Kind::DuplicateTender
        | Kind::DoublePayment
        | Kind::OrderUnknown
        | Kind::TotalUnknown
        | Kind::CurrencyUnexpected
        | Kind::AuthorisationUnexpected
        | Kind::TestInProduction
        | Kind::ProductionInTest
        | Kind::ReferenceCollision
        | Kind::Unconfirmed
        | Kind::SignatureFailures
        | Kind::CallsRefused
        | Kind::RelayFailing
        | Kind::RelayRefused
        | Kind::EndpointSilent
        | Kind::UnknownStatus
        | Kind::SetAside
        | Kind::ClockStepped
        | Kind::ContractUnknown => ["Attendu", "Reçu"],
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one entry a case")]
pub(super) const fn case(case: Case, psp: Option<Psp>) -> Entry {
    match case {
        Case::Of(kind) => entry(kind, psp),
        Case::LeftOverVoucher => says(
            "chèques-vacances en trop",
            "Ce qui était demandé est payé sans cette part chèque-vacances, acceptée lors d'une tentative que le client n'a pas menée à son terme : elle est à rendre au client, à moins qu'il ne la garde pour ce qui reste à payer.",
            steps::left_over_voucher(psp),
        ),
        Case::PartCaptured => says(
            "remise en banque partielle",
            "Une partie seulement du montant autorisé a été remise en banque : les paiements n'atteignent pas le montant attendu.",
            &[
                "Si la commande est due en entier, remettez en banque le reste autorisé depuis {back_office}, avant que l'autorisation n'expire : le client n'a rien à payer de plus.",
                "Sinon, annulez ce reste depuis {back_office}, et corrigez le total de la commande dans la boutique.",
                "Ne demandez la différence au client que si l'autorisation a expiré : il paierait deux fois.",
            ],
        ),
        Case::Lapsed => says(
            "autorisation expirée sans remise en banque",
            "Un paiement accepté n'a pas été remis en banque avant que son autorisation n'expire : il ne vous sera pas versé.",
            &[
                "Ouvrez la transaction dans {back_office} et vérifiez qu'elle n'y est plus valable.",
                "Demandez au client de payer à nouveau avant de confirmer la prestation, ou annulez la commande.",
                "Si la boutique attend une validation à la main, validez les paiements plus tôt, ou demandez au développeur de les remettre en banque automatiquement.",
            ],
        ),
        Case::SharesUnknown => says(
            "parts du paiement inconnues",
            "Le prestataire n'a pas dit ce qui a été payé en chèques-vacances et ce qui l'a été par carte, et aucune réponse n'est attendue de lui.",
            &[
                "Ouvrez le paiement dans {back_office} et lisez-y ses parts, avant de confirmer la prestation.",
                "Demandez à l'administrateur de renseigner l'accès à l'API de ce prestataire : les parts seront alors demandées, et cet écart se fermera.",
                "Si l'API est déjà configurée, signalez le paiement à {support}.",
            ],
        ),
        Case::OneMessageTwoOrders => says(
            "paiement notifié sous deux commandes",
            "Un même paiement a été notifié sous deux références de commande. Il n'est compté qu'une fois, ici.",
            &[
                "Ouvrez la transaction dans {back_office} et lisez à quelle commande elle se rapporte.",
                "Ne confirmez que celle-là : l'autre commande n'est pas payée par ce paiement.",
                "Demandez au développeur d'où vient la seconde référence : d'une notification renvoyée, ou d'un numéro de paiement réutilisé par la boutique.",
            ],
        ),
        Case::AcceptedAndRefused => says(
            "paiement dit accepté et en échec",
            "Selon une notification authentique, la transaction est acceptée ; selon une autre, elle est refusée ou annulée.",
            &[
                "Ouvrez la transaction dans {back_office} et lisez-y son état : c'est lui qui fait foi.",
                "Si elle y est refusée ou annulée, ne confirmez pas la prestation et demandez au client de payer à nouveau.",
                "Signalez la contradiction à {support}, avec le numéro de la transaction.",
            ],
        ),
        Case::RefundOfTwoAmounts => says(
            "remboursement annoncé avec deux montants",
            "Un même remboursement a été annoncé avec deux montants. Un seul est retenu ; peut-être y a-t-il eu deux remboursements.",
            &[
                "Ouvrez le paiement dans {back_office} et lisez combien le client a reçu en tout : c'est lui qui fait foi.",
                "Si ce n'est pas le montant retenu, corrigez l'écriture du remboursement dans votre comptabilité.",
                "Signalez la contradiction à {support}, avec le numéro de la transaction.",
            ],
        ),
        Case::ChargebackOfTwoAmounts => says(
            "impayé annoncé avec deux montants",
            "Une même reprise par la banque a été annoncée avec deux montants. Un seul est retenu ; peut-être y a-t-il eu deux impayés.",
            &[
                "Ouvrez le paiement dans {back_office} et lisez combien la banque a repris en tout : c'est lui qui fait foi.",
                "Si ce n'est pas le montant retenu, corrigez l'écriture de l'impayé dans votre comptabilité.",
                "Signalez la contradiction à {support}, avec le numéro de la transaction.",
            ],
        ),
        Case::AcceptedWithStatus => says(
            "paiement accepté, suite à examiner",
            "Ce paiement est accepté, mais le prestataire lui a donné ensuite un statut qui demande votre attention.",
            &[
                "Ouvrez la transaction dans {back_office} et lisez ce qui s'est passé : un remboursement, une contestation, un soupçon de fraude, une remise en banque ou une annulation refusée.",
                "Si elle a été remboursée, vérifiez de quel montant ; si la remise en banque a été refusée, refaites-la avant que l'autorisation n'expire.",
                "Si le statut reste obscur, demandez-en le sens à {support}.",
            ],
        ),
        Case::RefundRefused => says(
            "remboursement refusé",
            "Un remboursement que vous avez demandé n'a pas été effectué : le client n'a pas reçu son argent.",
            &[
                "Ouvrez le paiement dans {back_office} et lisez pourquoi le remboursement a été refusé.",
                "Refaites-le si c'est encore possible ; sinon, rendez la somme au client par un autre moyen.",
                "Prévenez le client si le remboursement lui a été promis.",
            ],
        ),
        Case::RefundWithStatus => says(
            "remboursement à examiner",
            "Le prestataire a transmis, pour un remboursement, un statut inconnu ou qui demande votre attention.",
            &[
                "Ouvrez le paiement dans {back_office} et vérifiez si le remboursement a abouti.",
                "S'il attend encore ou doit être refait, suivez-le jusqu'au bout avant d'annoncer au client que l'argent est parti.",
                "Si le statut reste obscur, demandez-en le sens à {support}.",
            ],
        ),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: one row per kind")]
const fn entry(kind: Kind, psp: Option<Psp>) -> Entry {
    match kind {
        Kind::AmountShort => says(
            "montant insuffisant",
            "Les paiements acceptés n'atteignent pas le montant attendu.",
            steps::amount_short(psp),
        ),
        Kind::AmountOver => says(
            "trop-perçu",
            "Les paiements acceptés dépassent le montant attendu.",
            steps::amount_over(psp),
        ),
        Kind::ComplementMissing => says(
            "complément carte manquant",
            "La part chèque-vacances a été acceptée, mais le complément carte n'est pas arrivé dans le délai prévu.",
            steps::complement_missing(psp),
        ),
        Kind::ComplementOrphan => says(
            "part chèque-vacances manquante",
            "Un complément carte a été accepté, mais la part chèque-vacances qu'il complète n'est pas arrivée, ou a été refusée.",
            steps::complement_orphan(psp),
        ),
        Kind::VoucherOrphan => says(
            "chèques-vacances acceptés, complément échoué",
            "Le complément carte n'a pas abouti, ou a expiré, mais la part chèque-vacances reste acceptée.",
            steps::voucher_orphan(psp),
        ),
        Kind::DuplicateTender => says(
            "part payée en double",
            "Deux parts de même nature ont été acceptées là où une seule est possible.",
            steps::duplicate_tender(psp),
        ),
        Kind::DoublePayment => says(
            "paiement en trop",
            "La commande a reçu un paiement de trop : ensemble, ses paiements dépassent le montant attendu.",
            steps::double_payment(psp),
        ),
        Kind::OrderUnknown => says(
            "commande inconnue",
            "Un paiement est arrivé pour une commande que la boutique n'a pas enregistrée.",
            &[
                "Cherchez la référence dans la boutique.",
                "Si la commande existe, demandez au développeur de vérifier que la boutique enregistre chaque commande avant le paiement.",
                "Si elle n'existe pas, retrouvez le client en cherchant le paiement dans {back_office}, et convenez avec lui de la suite.",
            ],
        ),
        Kind::TotalUnknown => says(
            "montant attendu inconnu",
            "Un paiement a été accepté, mais ni la boutique ni le prestataire n'indiquent le montant attendu.",
            steps::total_unknown(psp),
        ),
        Kind::TotalChanged => says(
            "total modifié après le paiement",
            "La boutique a modifié le total de la commande alors qu'elle était déjà payée.",
            &[
                "Demandez qui a modifié la commande, et pourquoi.",
                "Encaissez la différence ou remboursez-la, puis conservez la pièce qui justifie le nouveau total.",
            ],
        ),
        Kind::CurrencyUnexpected => says(
            "devise inattendue",
            "Un paiement est libellé dans une autre devise que la commande.",
            &[
                "Vérifiez la devise de la transaction dans {back_office} ; les chèques-vacances n'existent qu'en euros.",
                "Demandez au développeur de vérifier la devise que la boutique envoie au paiement.",
                "Ne comptez pas ce paiement dans le total avant d'avoir éclairci ce point.",
            ],
        ),
        Kind::ConflictingNotification => says(
            "notifications contradictoires",
            "Deux notifications authentiques de la même transaction n'annoncent pas le même montant.",
            &[
                "Ouvrez la transaction dans {back_office} : c'est lui qui fait foi.",
                "Ne confirmez la prestation qu'une fois le montant établi.",
                "Signalez la contradiction à {support}, avec le numéro de la transaction.",
            ],
        ),
        Kind::SequenceDisagrees => says(
            "total du prestataire incohérent",
            "Le total annoncé par le prestataire n'est pas la somme des parts qu'il détaille.",
            &[
                "Comparez chaque part avec {back_office}.",
                "S'il y manque une part, attendez-en la confirmation avant de confirmer la prestation.",
                "Si l'incohérence demeure, signalez-la à {support}.",
            ],
        ),
        Kind::AuthorisationUnexpected => says(
            "numéro d'autorisation inattendu",
            "Une part chèque-vacances porte un numéro d'autorisation, ou une part carte n'en porte pas, contrairement à la règle du prestataire.",
            &[
                "Vérifiez dans {back_office} si cette part a été réglée par carte ou en chèques-vacances.",
                "Avant de la comptabiliser, assurez-vous de qui la remboursera : la banque ou l'ANCV.",
            ],
        ),
        Kind::TestInProduction => says(
            "paiement de test en production",
            "Un paiement fictif est arrivé à l'adresse de notification de production : aucun argent n'a été reçu.",
            steps::test_in_production(psp),
        ),
        Kind::ProductionInTest => says(
            "paiement réel sur une adresse de test",
            "Un paiement réel est arrivé à une adresse de notification de test. Il compte comme les autres : les totaux, les exports et les écritures le contiennent.",
            &[
                "Vérifiez le paiement dans {back_office} : s'il y figure, le client a bien payé. Ne le comptabilisez pas à la main : il le serait deux fois.",
                "Demandez au développeur de passer cette adresse en mode production dans la configuration, ou de faire notifier les paiements réels à une adresse de production.",
            ],
        ),
        Kind::ReferenceCollision => says(
            "références de commande confondues",
            "Deux commandes en cours commencent par les mêmes 20 caractères, les seuls que conserve l'ANCV : son relevé ne permettra pas de les distinguer.",
            &[
                "Notez dès maintenant le montant et la date de chaque paiement : ils serviront au rapprochement du relevé.",
                "Demandez au développeur de limiter les références à 20 caractères, ou de placer ce qui les distingue au début.",
            ],
        ),
        Kind::CaptureOverdue => says(
            "remise en retard",
            "Une part a été autorisée, ou reste en attente, et n'a pas été remise en banque à temps : la promesse de paiement peut expirer.",
            after_sale::capture_overdue(psp),
        ),
        Kind::RefundNotAllowed => says(
            "remboursement contraire aux règles",
            "Un remboursement n'est pas possible chez ce prestataire tel qu'il est notifié, ou dépasse ce qui a été payé.",
            after_sale::refund_not_allowed(psp),
        ),
        Kind::RefundLate => says(
            "remboursement tardif",
            "Des chèques-vacances ont été remboursés après le délai dans lequel le prestataire les rembourse.",
            after_sale::refund_late(psp),
        ),
        Kind::RefundOrder => says(
            "chèques-vacances remboursés avant la carte",
            "Des chèques-vacances ont été remboursés alors que la part carte, que le prestataire rembourse d'abord, ne l'était pas en entier.",
            after_sale::refund_order(psp),
        ),
        Kind::RefundPartial => says(
            "remboursement incomplet",
            "Un remboursement a été commencé ou demandé, mais l'une de ses parts n'a pas été remboursée dans le délai prévu.",
            after_sale::refund_partial(psp),
        ),
        Kind::ConfirmationDiffers => says(
            "confirmation différente de la notification",
            "Interrogé après coup, le prestataire contredit sa propre notification, pourtant authentique, ou ne connaît pas le paiement.",
            &[
                "Ouvrez le paiement dans {back_office} : c'est lui qui fait foi.",
                "Ne confirmez pas la prestation, et ne comptabilisez pas ce paiement, avant d'avoir éclairci la différence.",
                "Signalez-la à {support}, avec le numéro de la transaction.",
            ],
        ),
        Kind::Unconfirmed => says(
            "confirmation du prestataire attendue",
            "L'API du prestataire n'a pas confirmé à temps un ou plusieurs paiements : leur état, leur montant ou le partage entre chèques-vacances et carte reste à établir.",
            &[
                "Contrôlez l'état et les parts des paiements concernés dans {back_office}, avant de confirmer la prestation.",
                "Faites vérifier l'accès à l'API : la commande cvco-reconciled check l'essaie et indique quoi corriger.",
                "Rien n'est perdu : cet écart se fermera dès que la réponse sera arrivée.",
            ],
        ),
        Kind::SignatureFailures => says(
            "signatures refusées",
            "De nombreux appels à une adresse de notification portent une signature fausse : de vrais paiements sont peut-être refusés.",
            steps::signature_failures(psp),
        ),
        Kind::CallsRefused => says(
            "appels refusés",
            "Des appels à l'adresse secrète des notifications ont été refusés à cause de leur forme, de leur taille ou de leur provenance : de vrais paiements passent peut-être inaperçus.",
            &[
                "Contrôlez les paiements de ces heures-là dans {back_office} : l'un d'eux peut manquer dans vos listes.",
                "Transmettez les précisions à la personne qui administre le programme : selon le motif, elle complète allow_from ou trusted_proxies, ou corrige l'URL déclarée chez le prestataire, qui ne doit passer par aucune redirection.",
                "Le motif écarté, faites renvoyer les notifications refusées depuis {back_office}, là où il le permet.",
            ],
        ),
        Kind::RelayFailing => says(
            "boutique injoignable",
            "Le module de la boutique ne prend plus les notifications qui lui sont transmises : la boutique peut ignorer des paiements pourtant reçus et enregistrés ici.",
            &[
                "Ouvrez les dernières commandes de la boutique : une commande payée peut y figurer encore comme impayée. N'annulez rien et ne faites payer personne à nouveau sans avoir vérifié dans {back_office}.",
                "Transmettez les précisions à la personne qui s'occupe de la boutique : la dernière réponse indique si le site est en panne, si un pare-feu bloque l'appel ou si l'adresse a changé.",
                "Rien n'est perdu : dès que le module répond, il reçoit tous les appels dans l'ordre et cet écart se ferme. La commande cvco-reconciled relay list montre ce qui attend.",
                "Un appel resté 72 heures sans réponse n'est plus tenté : renvoyez-le avec cvco-reconciled relay retry et son numéro, ou renoncez-y avec relay drop.",
            ],
        ),
        Kind::RelayRefused => says(
            "notification refusée par la boutique",
            "Le module de la boutique a reçu des notifications authentiques et les a refusées : des commandes peuvent rester impayées dans la boutique alors que leur paiement est enregistré ici.",
            &[
                "Ouvrez les commandes concernées dans la boutique et dans {back_office}. Si le paiement est accepté, validez la commande à la main.",
                "Demandez-en la raison à la personne qui s'occupe de la boutique : le plus souvent, une clé ou un mode (test, production) qui n'est pas le même dans le module et dans {back_office}, ou une adresse erronée.",
                "Faites ensuite renvoyer les appels : cvco-reconciled relay list --state refused donne leurs numéros, relay retry renvoie un appel.",
                "Pour une commande validée à la main, retirez l'appel de la liste avec cvco-reconciled relay drop. L'écart se ferme quand il n'en reste aucun.",
            ],
        ),
        Kind::EndpointSilent => says(
            "plus aucune notification",
            "Une adresse de notification n'a rien reçu depuis bien plus longtemps que d'habitude à ces heures : des paiements passent peut-être inaperçus.",
            after_sale::endpoint_silent(psp),
        ),
        Kind::ContractUnknown => says(
            "contrat inconnu",
            "Un paiement a été fait sur un contrat, ou pour une boutique du prestataire, que la configuration ne connaît pas.",
            after_sale::contract_unknown(psp),
        ),
        Kind::SetAside => says(
            "message mis de côté",
            "Un message reçu est authentique, mais le programme n'a pas su le comprendre ou l'enregistrer dans les comptes. Il est conservé en entier, et rien d'autre n'est retardé.",
            &[
                "Ouvrez {back_office} et contrôlez les paiements de cette heure-là : l'un d'eux peut manquer dans vos listes.",
                "Transmettez le numéro de l'entrée du journal à la personne qui administre le programme : cvco-reconciled check la nomme.",
                "Après une mise à jour, le programme enregistre de lui-même ce qu'il n'avait pas pu enregistrer. Un message qu'il n'avait pas compris, cvco-reconciled reread le relit ; l'écart se ferme quand plus rien n'est de côté.",
            ],
        ),
        Kind::ClockStepped => says(
            "horloge du serveur corrigée",
            "L'horloge du serveur avançait, puis elle a été remise à l'heure. Ce qui a été reçu entre-temps est désormais daté de la correction.",
            &[
                "Faites vérifier la synchronisation de l'horloge du serveur (NTP).",
                "Contrôlez les paiements reçus entre-temps : leurs délais ont recommencé à courir à partir de la correction.",
            ],
        ),
        Kind::SettlementMissing => says(
            "paiement absent des relevés",
            "Un paiement encaissé ne figure sur aucun relevé dans le délai prévu.",
            settlements::MISSING,
        ),
        Kind::SettlementMismatch => says(
            "montant versé différent",
            "Un relevé verse pour ce paiement un autre montant que celui qui a été gardé.",
            settlements::MISMATCH,
        ),
        Kind::CommissionMismatch => says(
            "commission inattendue",
            "La commission retenue sur un relevé n'est pas celle que donne le taux prévu.",
            settlements::COMMISSION,
        ),
        Kind::StatementLineUnknown => says(
            "ligne de relevé inconnue",
            "Une ligne d'un relevé ne correspond à aucun paiement connu, ou à plusieurs.",
            settlements::LINE,
        ),
        Kind::Chargeback => says(
            "impayé carte",
            "La banque du client reprend un paiement par carte, ou annonce qu'elle le reprendra : le client l'a contesté, ou sa banque le refuse après coup. C'est un impayé, pas un remboursement de votre part.",
            &[
                "Ouvrez le paiement dans {back_office} : lisez-y le motif de l'impayé et le délai de contestation.",
                "Si la prestation a été rendue, ou si vous aviez déjà remboursé le client, réunissez les preuves (réservation, facture, présence, remboursement) et contestez-le dans ce délai.",
                "Sinon, réclamez la somme au client par un autre moyen. Ne remboursez rien de plus par carte : il serait payé deux fois.",
                "Vérifiez les frais d'impayé sur le prochain relevé de la banque.",
            ],
        ),
        Kind::UnknownStatus => says(
            "statut à examiner",
            "Le prestataire a transmis un statut inconnu, ou qui demande une décision de votre part.",
            &[
                "Ouvrez la transaction dans {back_office} et lisez-y son état.",
                "Ne confirmez pas la prestation avant que le paiement y soit accepté.",
                "Si le statut reste obscur, demandez-en le sens à {support}.",
            ],
        ),
    }
}
