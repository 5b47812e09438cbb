//! The French table.

use super::{Entry, says};
use crate::domain::Kind;
use crate::domain::Psp;
use crate::domain::Psp::{Ancv, Monext, Sogecommerce, Up2pay, Worldline};

#[expect(clippy::too_many_lines, reason = "a table: one row per kind")]
pub(super) const fn entry(kind: Kind, psp: Option<Psp>) -> Entry {
    match kind {
        Kind::AmountShort => says(
            "montant insuffisant",
            "Les paiements acceptés n'atteignent pas le montant attendu.",
            &[
                "Comparez les paiements ci-dessus avec le back-office du prestataire.",
                "Si tout y figure, demandez la différence au client, ou corrigez le total de la commande dans la boutique s'il est faux.",
                "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
            ],
        ),
        Kind::AmountOver => says(
            "trop-perçu",
            "Les paiements acceptés dépassent le montant attendu.",
            match psp {
                Some(Up2pay) => &[
                    "Vérifiez d'abord le total de la commande dans la boutique.",
                    "S'il est juste, remboursez le trop-perçu sur la part carte, à partir du lendemain du paiement.",
                    "La part chèque-vacances n'est pas remboursable chez Up2pay : si le trop-perçu dépasse la part carte, convenez d'un avoir avec le client.",
                ],
                Some(Sogecommerce) => &[
                    "Vérifiez d'abord le total de la commande dans la boutique.",
                    "S'il est juste, remboursez le trop-perçu sur la part carte depuis le back-office Sogecommerce.",
                    "La part chèque-vacances ne s'annule ou ne se rembourse qu'en totalité : si le trop-perçu dépasse la part carte, convenez d'un avoir avec le client.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Vérifiez d'abord le total de la commande dans la boutique.",
                    "S'il est juste, remboursez le trop-perçu sur la part carte, depuis le back-office du prestataire.",
                ],
            },
        ),
        Kind::ComplementMissing => says(
            "complément carte manquant",
            "La part chèque-vacances a été acceptée, mais le complément carte n'est pas arrivé dans le délai prévu.",
            match psp {
                Some(Up2pay) => &[
                    "Cherchez le numéro d'appel dans le back-office Up2pay : si une transaction carte (LIMOCB) acceptée y figure, seule sa notification s'est perdue et la commande est payée.",
                    "Sinon, demandez au client de régler le solde par un autre moyen, et ne confirmez pas la prestation avant de l'avoir reçu.",
                    "La part chèque-vacances ne peut être ni annulée ni remboursée chez Up2pay : si la vente ne se fait pas, adressez-vous à l'assistance Up2pay ou à l'ANCV.",
                ],
                Some(Sogecommerce) => &[
                    "Ouvrez la commande dans le back-office Sogecommerce : si un complément carte accepté y figure, relancez l'appel de l'URL de notification.",
                    "Sinon, demandez au client de régler le solde par un autre moyen, et ne confirmez pas la prestation avant de l'avoir reçu.",
                    "Si la vente ne se fait pas, annulez la part chèque-vacances dans le back-office avant sa remise (trois jours au plus) : en totalité seulement.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Cherchez dans le back-office du prestataire si un complément carte a été accepté : seule sa notification s'est alors perdue.",
                    "Sinon, demandez au client de régler le solde, et ne confirmez pas la prestation avant de l'avoir reçu.",
                ],
            },
        ),
        Kind::ComplementOrphan => says(
            "part chèque-vacances manquante",
            "Un complément carte a été accepté, mais la part chèque-vacances qu'il complète n'est pas arrivée.",
            match psp {
                Some(Up2pay) => &[
                    "Cherchez le numéro d'appel dans le back-office Up2pay : si une transaction CVCONNECT acceptée y figure, seule sa notification s'est perdue et la commande est payée.",
                    "Sinon, demandez au client de régler le solde, ou remboursez-lui le complément carte : c'est possible à partir du lendemain du paiement.",
                ],
                Some(Sogecommerce) => &[
                    "Ouvrez la commande dans le back-office Sogecommerce : si une part CVCO acceptée y figure, relancez l'appel de l'URL de notification.",
                    "Sinon, demandez au client de régler le solde, ou annulez le complément carte ; s'il est déjà remis en banque, remboursez-le.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Cherchez dans le back-office du prestataire si une part chèque-vacances a été acceptée : seule sa notification s'est alors perdue.",
                    "Sinon, demandez au client de régler le solde, ou remboursez-lui le complément carte.",
                ],
            },
        ),
        Kind::VoucherOrphan => says(
            "chèques-vacances acceptés, complément refusé",
            "Le complément carte a été refusé ou abandonné, mais la part chèque-vacances reste acceptée.",
            match psp {
                Some(Up2pay) => &[
                    "Contactez le client : le plus simple est qu'il règle le solde par un autre moyen.",
                    "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
                    "La part chèque-vacances ne peut être ni annulée ni remboursée par API chez Up2pay : si la vente ne se fait pas, adressez-vous à l'assistance Up2pay ou à l'ANCV, avec le numéro d'appel.",
                ],
                Some(Sogecommerce) => &[
                    "Contactez le client : il peut régler le solde par un autre moyen.",
                    "Si la vente ne se fait pas, annulez la part chèque-vacances dans le back-office Sogecommerce avant sa remise (trois jours au plus) : en totalité seulement.",
                    "Après la remise, remboursez-la depuis le back-office, en totalité également.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Contactez le client : il peut régler le solde par un autre moyen.",
                    "Si la vente ne se fait pas, demandez au prestataire si la part chèque-vacances peut être annulée.",
                ],
            },
        ),
        Kind::DuplicateTender => says(
            "part payée en double",
            "Deux parts de même nature ont été acceptées là où une seule est possible.",
            match psp {
                Some(Up2pay) => &[
                    "Vérifiez les deux transactions dans le back-office Up2pay.",
                    "Si la part carte est en double, remboursez l'une des deux, à partir du lendemain du paiement.",
                    "Si la part chèque-vacances est en double, Up2pay ne peut pas la rembourser : adressez-vous à l'assistance Up2pay ou à l'ANCV, et prévenez le client.",
                ],
                Some(Sogecommerce) => &[
                    "Vérifiez les deux transactions dans le back-office Sogecommerce.",
                    "Annulez la part en trop avant sa remise, ou remboursez-la ensuite ; pour une part chèque-vacances, en totalité seulement.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Vérifiez les deux transactions dans le back-office du prestataire.",
                    "Annulez ou remboursez la part en trop si le prestataire le permet, et prévenez le client.",
                ],
            },
        ),
        Kind::DoublePayment => says(
            "commande payée deux fois",
            "La commande a été payée deux fois en entier.",
            match psp {
                Some(Up2pay) => &[
                    "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
                    "Remboursez la part carte du second paiement, à partir du lendemain du paiement.",
                    "Sa part chèque-vacances n'est pas remboursable chez Up2pay : convenez d'un avoir avec le client, ou adressez-vous à l'ANCV.",
                ],
                Some(Sogecommerce) => &[
                    "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
                    "Avant la remise (trois jours au plus), annulez le second paiement dans le back-office Sogecommerce.",
                    "Après la remise, remboursez-en chaque part séparément ; la part chèque-vacances en totalité seulement.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
                    "Annulez ou remboursez l'un des deux paiements si le prestataire le permet ; sinon, convenez d'un avoir.",
                ],
            },
        ),
        Kind::OrderUnknown => says(
            "commande inconnue",
            "Un paiement est arrivé pour une commande que la boutique n'a pas enregistrée.",
            &[
                "Cherchez la référence dans la boutique.",
                "Si la commande existe, demandez au développeur de vérifier que la boutique enregistre chaque commande avant le paiement.",
                "Si elle n'existe pas, retrouvez le client grâce au back-office du prestataire, et convenez avec lui de la suite.",
            ],
        ),
        Kind::TotalUnknown => says(
            "montant attendu inconnu",
            "Un paiement a été accepté, mais ni la boutique ni le prestataire n'indiquent le montant attendu.",
            match psp {
                Some(Up2pay) => &[
                    "Comparez le paiement avec la commande dans la boutique.",
                    "Up2pay ne transmet pas le total de la commande : pour un contrôle automatique, la boutique doit enregistrer chaque commande.",
                ],
                Some(Sogecommerce | Worldline | Monext | Ancv) | None => &[
                    "Comparez le paiement avec la commande dans la boutique.",
                    "Pour un contrôle automatique, demandez au développeur que la boutique enregistre chaque commande.",
                ],
            },
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
                "Vérifiez la devise de la transaction dans le back-office du prestataire ; les chèques-vacances n'existent qu'en euros.",
                "Demandez au développeur de vérifier la devise que la boutique envoie au paiement.",
                "Ne comptez pas ce paiement dans le total avant d'avoir éclairci ce point.",
            ],
        ),
        Kind::ConflictingNotification => says(
            "notifications contradictoires",
            "Deux notifications authentiques de la même transaction se contredisent.",
            &[
                "Ouvrez la transaction dans le back-office du prestataire : c'est lui qui fait foi.",
                "Ne confirmez la prestation qu'une fois le montant établi.",
                "Signalez la contradiction à l'assistance du prestataire, avec le numéro de la transaction.",
            ],
        ),
        Kind::SequenceDisagrees => says(
            "total du prestataire incohérent",
            "Le total annoncé par le prestataire n'est pas la somme des parts qu'il détaille.",
            &[
                "Comparez chaque part avec le back-office du prestataire.",
                "S'il y manque une part, attendez-en la confirmation avant de confirmer la prestation.",
                "Si l'incohérence demeure, signalez-la à l'assistance du prestataire.",
            ],
        ),
        Kind::AuthorisationUnexpected => says(
            "numéro d'autorisation inattendu",
            "Une part chèque-vacances porte un numéro d'autorisation, ou une part carte n'en porte pas, contrairement à la règle du prestataire.",
            &[
                "Vérifiez dans le back-office du prestataire si cette part a été réglée par carte ou en chèques-vacances.",
                "Avant de la comptabiliser, assurez-vous de qui la remboursera : la banque ou l'ANCV.",
            ],
        ),
        Kind::TestInProduction => says(
            "paiement de test en production",
            "Un paiement fictif est arrivé à l'adresse de notification de production : aucun argent n'a été reçu.",
            match psp {
                Some(Up2pay) => &[
                    "Ne confirmez pas la commande sur la foi de ce paiement.",
                    "Demandez au développeur si la boutique envoie ses clients vers la plateforme de test (préproduction) d'Up2pay.",
                ],
                Some(Sogecommerce) => &[
                    "Ne confirmez pas la commande sur la foi de ce paiement.",
                    "Demandez au développeur de vérifier le mode de la boutique (vads_ctx_mode doit valoir PRODUCTION) et l'URL de notification du mode test.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Ne confirmez pas la commande sur la foi de ce paiement.",
                    "Demandez au développeur si la boutique utilise encore la plateforme de test du prestataire.",
                ],
            },
        ),
        Kind::ProductionInTest => says(
            "paiement réel sur une adresse de test",
            "Un paiement réel est arrivé à l'adresse de notification de test : il est absent des exports comptables.",
            &[
                "Vérifiez le paiement dans le back-office du prestataire : s'il y figure, le client a bien payé.",
                "Demandez au développeur de corriger l'adresse de notification de la boutique.",
                "Comptabilisez ce paiement à la main, et dites-le en acquittant l'écart.",
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
        Kind::ConfirmationDiffers => says(
            "réponse du prestataire différente",
            "Interrogé à son tour, le prestataire indique autre chose que sa notification.",
            &[
                "Ouvrez le paiement dans le back-office du prestataire : c'est lui qui fait foi.",
                "Ne confirmez pas la prestation avant que les deux concordent.",
                "Si le back-office donne raison à la notification, signalez la différence à l'assistance du prestataire.",
            ],
        ),
        Kind::Unconfirmed => says(
            "réponse du prestataire attendue",
            "Le prestataire a été interrogé sur un paiement et sa réponse se fait trop attendre.",
            &[
                "Contrôlez les paiements concernés dans le back-office du prestataire.",
                "Faites vérifier l'accès : la commande cvco-reconciled check essaie chaque API et indique quoi corriger.",
                "Rien n'est perdu : les questions sont reposées jusqu'à obtenir une réponse.",
            ],
        ),
        Kind::SignatureFailures => says(
            "signatures refusées",
            "De nombreux appels à une adresse de notification portent une signature fausse : de vrais paiements sont peut-être refusés.",
            match psp {
                Some(Up2pay) => &[
                    "Faites vérifier que pbx_retour, dans la configuration, est identique au PBX_RETOUR de la boutique.",
                    "La commande cvco-reconciled diagnose indique pourquoi une signature ne convient pas.",
                    "En attendant, contrôlez les paiements du jour dans le back-office Up2pay.",
                    "Si la configuration est juste, ces appels ne viennent pas d'Up2pay : rien n'en a été comptabilisé.",
                ],
                Some(Sogecommerce) => &[
                    "Faites vérifier la clé (test ou production, sans espace autour) et l'algorithme (HMAC-SHA-256 ou SHA-1) dans les paramètres de la boutique du back-office Sogecommerce.",
                    "La commande cvco-reconciled diagnose indique pourquoi une signature ne convient pas.",
                    "La clé corrigée, relancez depuis le back-office l'appel de l'URL de notification de chaque paiement refusé.",
                    "Si la configuration est juste, ces appels ne viennent pas de Sogecommerce : rien n'en a été comptabilisé.",
                ],
                Some(Worldline | Monext | Ancv) | None => &[
                    "Faites vérifier la clé du prestataire dans la configuration ; la commande cvco-reconciled diagnose y aide.",
                    "En attendant, contrôlez les paiements du jour dans le back-office du prestataire.",
                ],
            },
        ),
        Kind::UnknownStatus => says(
            "statut à examiner",
            "Le prestataire a transmis un statut inconnu, ou qui demande une décision de votre part.",
            &[
                "Ouvrez la transaction dans le back-office du prestataire et lisez-y son état.",
                "Ne confirmez pas la prestation avant que le paiement y soit accepté.",
                "Si le statut reste obscur, demandez-en le sens à l'assistance du prestataire.",
            ],
        ),
    }
}
