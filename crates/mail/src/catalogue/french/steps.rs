//! The French steps that depend on the PSP, for each allows other operations on a voucher. `{back_office}` and
//! `{support}` stand for the names of [`super::names`].

use cvco_domain::Psp::{self, Ancv, Monext, Sogecommerce, Up2pay, Worldline};

use super::super::Steps;

pub(super) const fn amount_short(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Ancv) => &[
            "Comparez les chèques-vacances avec {back_office}, et la part carte avec le back-office du prestataire qui l'a encaissée.",
            "Si tout y figure, demandez la différence au client, ou corrigez la commande dans la boutique si son total ou ses échéances sont faux.",
            "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
        ],
        Some(Up2pay | Sogecommerce | Worldline | Monext) | None => &[
            "Comparez les paiements de la commande avec {back_office}.",
            "Si tout y figure, demandez la différence au client, ou corrigez la commande dans la boutique si son total ou ses échéances sont faux.",
            "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
        ],
    }
}

pub(super) const fn amount_over(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Vérifiez d'abord le total de la commande dans la boutique.",
            "{card}{if_right}remboursez le trop-perçu sur la part carte, à partir du lendemain du paiement.",
            "{card}{holiday}La part chèque-vacances n'est pas remboursable chez Up2pay : si le trop-perçu dépasse la part carte, convenez d'un avoir avec le client.",
            "{card}{meal}Si le trop-perçu dépasse la part carte, remboursez le reste sur la part titre-restaurant, elle aussi à partir du lendemain du paiement.",
            "{no_card}{holiday}{if_right}convenez d'un avoir avec le client, ou adressez-vous à l'ANCV : la part chèque-vacances n'est pas remboursable chez Up2pay.",
            "{no_card}{meal}{if_right}remboursez le trop-perçu sur la part titre-restaurant, à partir du lendemain du paiement.",
        ],
        Some(Sogecommerce) => &[
            "Vérifiez d'abord le total de la commande dans la boutique.",
            "{card}{if_right}remboursez le trop-perçu sur la part carte depuis le back-office Sogecommerce.",
            "{card}{voucher}La part chèque-vacances ne s'annule ou ne se rembourse qu'en totalité : si le trop-perçu dépasse la part carte, convenez d'un avoir avec le client.",
            "{no_card}{if_right}annulez la part chèque-vacances dans le back-office Sogecommerce avant sa remise (trois jours au plus), ou remboursez-la après : en totalité seulement.",
            "{no_card}Si le trop-perçu est moindre que cette part, convenez d'un avoir avec le client.",
        ],
        Some(Worldline) => &[
            "Vérifiez d'abord le total de la commande dans la boutique.",
            "{card}{if_right}remboursez le trop-perçu depuis {back_office} : Worldline rembourse d'abord la part carte, puis les chèques-vacances.",
            "{card}{voucher}Les chèques-vacances ne sont remboursables que dans les 4 heures qui suivent le paiement : passé ce délai, si le trop-perçu dépasse la part carte, convenez d'un avoir avec le client.",
            "{no_card}{if_right}remboursez le trop-perçu depuis {back_office} : pour des chèques-vacances, c'est possible dans les 4 heures qui suivent le paiement.",
            "{no_card}Passé ce délai, convenez d'un avoir avec le client.",
        ],
        Some(Monext) => &[
            "Vérifiez d'abord le total de la commande dans la boutique.",
            "{card}{if_right}remboursez le trop-perçu sur le complément carte, depuis {back_office}.",
            "{card}{voucher}La part chèque-vacances n'est pas remboursable chez Monext : si le trop-perçu dépasse le complément, convenez d'un avoir avec le client.",
            "{no_card}{if_right}convenez d'un avoir avec le client, ou adressez-vous à {support} ou à l'ANCV : la part chèque-vacances n'est pas remboursable chez Monext.",
        ],
        Some(Ancv) => &[
            "Vérifiez d'abord le total de la commande dans la boutique.",
            "{card}{if_right}remboursez le trop-perçu sur la part carte, chez le prestataire qui l'a encaissée.",
            "{card}{voucher}À l'ANCV, la part chèque-vacances ne s'annule qu'en totalité : si le trop-perçu dépasse la part carte, convenez d'un avoir avec le client.",
            "{no_card}{if_right}annulez la transaction dans {back_office} : c'est possible en totalité seulement.",
            "{no_card}Si le trop-perçu est moindre, convenez d'un avoir avec le client.",
        ],
        None => &[
            "Vérifiez d'abord le total de la commande dans la boutique.",
            "{card}{if_right}remboursez le trop-perçu sur la part carte, depuis {back_office}.",
            "{no_card}{if_right}demandez au prestataire si la part chèque-vacances peut être annulée ou remboursée ; sinon, convenez d'un avoir avec le client.",
        ],
    }
}

pub(super) const fn left_over_voucher(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Ne redemandez rien au client pour cette tentative : vérifiez dans le back-office Up2pay que l'autre paiement est bien complet.",
            "{holiday}Cette part chèque-vacances ne peut être ni annulée ni remboursée par API chez Up2pay : adressez-vous à l'assistance Up2pay ou à l'ANCV, avec le numéro d'appel.",
            "{meal}Remboursez cette part titre-restaurant depuis le back-office Up2pay : c'est possible à partir du lendemain du paiement.",
            "{holiday}Prévenez le client ; à défaut d'annulation, convenez d'un avoir avec lui.",
            "{meal}Prévenez le client.",
        ],
        Some(Sogecommerce) => &[
            "Ne redemandez rien au client pour cette tentative : vérifiez dans le back-office Sogecommerce que l'autre paiement est bien complet.",
            "Annulez cette part chèque-vacances dans le back-office avant sa remise (trois jours au plus) : en totalité seulement.",
            "Après la remise, remboursez-la depuis le back-office, en totalité également, et prévenez le client.",
        ],
        Some(Worldline) => &[
            "Ne redemandez rien au client pour cette tentative : vérifiez dans {back_office} que l'autre paiement est bien complet.",
            "Remboursez cette part chèque-vacances sans attendre, depuis {back_office} : c'est possible dans les 4 heures qui suivent le paiement.",
            "Passé ce délai, adressez-vous à {support} ou à l'ANCV, ou convenez d'un avoir avec le client.",
        ],
        Some(Monext) => &[
            "Ne redemandez rien au client pour cette tentative : vérifiez dans {back_office} que l'autre paiement est bien complet.",
            "Monext ne rembourse que le complément carte : adressez-vous à {support} ou à l'ANCV, avec le numéro de la transaction.",
            "Prévenez le client ; à défaut d'annulation, convenez d'un avoir avec lui.",
        ],
        Some(Ancv) => &[
            "Ne redemandez rien au client pour cette tentative : vérifiez que l'autre paiement est bien complet.",
            "Annulez la transaction dans {back_office} : c'est possible en totalité seulement.",
            "Prévenez le client.",
        ],
        None => &[
            "Ne redemandez rien au client pour cette tentative : vérifiez que l'autre paiement est bien complet.",
            "Demandez au prestataire si cette part chèque-vacances peut être annulée ou remboursée ; sinon, convenez d'un avoir avec le client.",
        ],
    }
}

pub(super) const fn complement_missing(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Cherchez le numéro d'appel dans le back-office Up2pay : si une transaction carte (LIMOCB) acceptée y figure, seule sa notification s'est perdue et la commande est payée.",
            "Sinon, demandez au client de régler le solde par un autre moyen, et ne confirmez pas la prestation avant de l'avoir reçu.",
            "{holiday}La part chèque-vacances ne peut être ni annulée ni remboursée chez Up2pay : si la vente ne se fait pas, adressez-vous à l'assistance Up2pay ou à l'ANCV.",
            "{meal}Si la vente ne se fait pas, remboursez la part titre-restaurant depuis le back-office Up2pay : c'est possible à partir du lendemain du paiement.",
        ],
        Some(Sogecommerce) => &[
            "Ouvrez la commande dans le back-office Sogecommerce : si un complément carte accepté y figure, relancez l'appel de l'URL de notification.",
            "Sinon, demandez au client de régler le solde par un autre moyen, et ne confirmez pas la prestation avant de l'avoir reçu.",
            "Si la vente ne se fait pas, annulez la part chèque-vacances dans le back-office avant sa remise (trois jours au plus) : en totalité seulement.",
        ],
        Some(Worldline) => &[
            "Cherchez le paiement dans {back_office} : si une part carte acceptée y figure, seule sa notification s'est perdue et la commande est payée.",
            "Sinon, demandez au client de régler le solde par un autre moyen, et ne confirmez pas la prestation avant de l'avoir reçu.",
            "Si la vente ne se fait pas, remboursez les chèques-vacances dans les 4 heures qui suivent le paiement ; passé ce délai, adressez-vous à {support} ou à l'ANCV.",
        ],
        Some(Monext) => &[
            "Cherchez la commande dans {back_office} : si un complément carte accepté y figure, elle est payée.",
            "Sinon, demandez au client de régler le solde par un autre moyen, et ne confirmez pas la prestation avant de l'avoir reçu.",
            "Monext ne rembourse pas la part chèque-vacances : si la vente ne se fait pas, adressez-vous à {support} ou à l'ANCV.",
        ],
        Some(Ancv) => &[
            "Cherchez la référence de la commande chez le prestataire de vos paiements par carte : si un paiement accepté y figure, seule sa notification s'est perdue et la commande est payée.",
            "Sinon, demandez au client de régler le solde, et ne confirmez pas la prestation avant de l'avoir reçu.",
            "Si la vente ne se fait pas, annulez la transaction dans {back_office} : c'est possible en totalité seulement.",
        ],
        None => &[
            "Cherchez dans {back_office} si un complément carte a été accepté : seule sa notification s'est alors perdue.",
            "Sinon, demandez au client de régler le solde, et ne confirmez pas la prestation avant de l'avoir reçu.",
        ],
    }
}

pub(super) const fn complement_orphan(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Cherchez le numéro d'appel dans le back-office Up2pay : si une transaction CVCONNECT acceptée y figure, seule sa notification s'est perdue et la commande est payée.",
            "Sinon, demandez au client de régler le solde, ou remboursez-lui le complément carte : c'est possible à partir du lendemain du paiement.",
        ],
        Some(Sogecommerce) => &[
            "Ouvrez la commande dans le back-office Sogecommerce : si une part CVCO acceptée y figure, relancez l'appel de l'URL de notification.",
            "Sinon, demandez au client de régler le solde, ou annulez le complément carte ; s'il est déjà remis en banque, remboursez-le.",
        ],
        Some(Worldline) => &[
            "Cherchez le paiement dans {back_office} : si une part chèque-vacances acceptée y figure, seule sa notification s'est perdue et la commande est payée.",
            "Sinon, demandez au client de régler le solde, ou remboursez-lui le complément carte.",
        ],
        Some(Monext) => &[
            "Cherchez la commande dans {back_office} : si une part chèque-vacances acceptée y figure, elle est payée.",
            "Sinon, demandez au client de régler le solde, ou remboursez-lui le complément carte.",
        ],
        Some(Ancv) => &[
            "Cherchez la référence de la commande dans {back_office} : si une transaction validée y figure, la commande est payée.",
            "Sinon, demandez au client de régler le solde, ou remboursez-lui la part carte, chez le prestataire qui l'a encaissée.",
        ],
        None => &[
            "Cherchez dans {back_office} si une part chèque-vacances a été acceptée : seule sa notification s'est alors perdue.",
            "Sinon, demandez au client de régler le solde, ou remboursez-lui le complément carte.",
        ],
    }
}

pub(super) const fn voucher_orphan(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Contactez le client : le plus simple est qu'il règle le solde par un autre moyen.",
            "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
            "{holiday}La part chèque-vacances ne peut être ni annulée ni remboursée par API chez Up2pay : si la vente ne se fait pas, adressez-vous à l'assistance Up2pay ou à l'ANCV, avec le numéro d'appel.",
            "{meal}Si la vente ne se fait pas, remboursez la part titre-restaurant depuis le back-office Up2pay : c'est possible à partir du lendemain du paiement.",
        ],
        Some(Sogecommerce) => &[
            "Contactez le client : il peut régler le solde par un autre moyen.",
            "Si la vente ne se fait pas, annulez la part chèque-vacances dans le back-office Sogecommerce avant sa remise (trois jours au plus) : en totalité seulement.",
            "Après la remise, remboursez-la depuis le back-office, en totalité également.",
        ],
        Some(Worldline) => &[
            "Contactez le client sans attendre : il peut régler le solde par un autre moyen.",
            "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
            "Si la vente ne se fait pas, remboursez la part chèque-vacances depuis {back_office} : c'est possible dans les 4 heures qui suivent le paiement, en partie aussi.",
            "Passé ce délai, adressez-vous à {support} ou à l'ANCV.",
        ],
        Some(Monext) => &[
            "Contactez le client : le plus simple est qu'il règle le solde par un autre moyen.",
            "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
            "Monext ne rembourse que le complément carte : si la vente ne se fait pas, adressez-vous à {support} ou à l'ANCV, avec le numéro de la transaction.",
        ],
        Some(Ancv) => &[
            "Contactez le client : il peut régler le solde par un autre moyen.",
            "Ne confirmez pas la prestation avant d'avoir reçu le solde.",
            "Si la vente ne se fait pas, annulez la transaction dans {back_office} : c'est possible en totalité seulement.",
        ],
        None => &[
            "Contactez le client : il peut régler le solde par un autre moyen.",
            "Si la vente ne se fait pas, demandez au prestataire si la part chèque-vacances peut être annulée.",
        ],
    }
}

pub(super) const fn duplicate_tender(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Vérifiez les deux transactions dans le back-office Up2pay.",
            "Si la part carte est en double, remboursez l'une des deux, à partir du lendemain du paiement.",
            "{holiday}Si la part chèque-vacances est en double, Up2pay ne peut pas la rembourser : adressez-vous à l'assistance Up2pay ou à l'ANCV, et prévenez le client.",
            "{meal}Si la part titre-restaurant est en double, remboursez l'une des deux, elle aussi à partir du lendemain du paiement, et prévenez le client.",
        ],
        Some(Sogecommerce) => &[
            "Vérifiez les deux transactions dans le back-office Sogecommerce.",
            "Annulez la part en trop avant sa remise, ou remboursez-la ensuite ; pour une part chèque-vacances, en totalité seulement.",
        ],
        Some(Worldline) => &[
            "Vérifiez les deux transactions dans {back_office}.",
            "Si la part carte est en double, remboursez l'une des deux.",
            "Si la part chèque-vacances est en double, agissez vite : elle n'est remboursable que dans les 4 heures, et Worldline rembourse toujours la part carte d'abord.",
            "Passé ce délai, adressez-vous à {support} ou à l'ANCV, et prévenez le client.",
        ],
        Some(Monext) => &[
            "Vérifiez les deux transactions dans {back_office}.",
            "Monext ne peut pas rembourser une part chèque-vacances : adressez-vous à {support} ou à l'ANCV, et prévenez le client.",
        ],
        Some(Ancv) => &[
            "Vérifiez les deux transactions dans {back_office}.",
            "Annulez-y celle qui est en trop (en totalité seulement), et prévenez le client.",
        ],
        None => &[
            "Vérifiez les deux transactions dans {back_office}.",
            "Annulez ou remboursez la part en trop si le prestataire le permet, et prévenez le client.",
        ],
    }
}

pub(super) const fn double_payment(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
            "{card}Remboursez la part carte du paiement en trop depuis le back-office Up2pay, à partir du lendemain du paiement.",
            "{holiday}La part chèque-vacances de ce paiement n'est pas remboursable chez Up2pay : convenez d'un avoir avec le client, ou adressez-vous à l'ANCV.",
            "{meal}Remboursez la part titre-restaurant de ce paiement, elle aussi à partir du lendemain.",
        ],
        Some(Sogecommerce) => &[
            "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
            "Avant la remise (trois jours au plus), annulez le paiement en trop dans le back-office Sogecommerce.",
            "{card}Après la remise, remboursez-en la part carte.",
            "{voucher}Après la remise, la part chèque-vacances de ce paiement se rembourse séparément, en totalité seulement.",
        ],
        Some(Worldline) => &[
            "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
            "Remboursez le paiement en trop depuis {back_office} : Worldline rembourse d'abord la part carte, s'il y en a une.",
            "{voucher}Les chèques-vacances ne sont remboursables que dans les 4 heures qui suivent le paiement : passé ce délai, convenez d'un avoir, ou adressez-vous à l'ANCV.",
        ],
        Some(Monext) => &[
            "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
            "{card}Remboursez la part carte du paiement en trop depuis {back_office}.",
            "{voucher}La part chèque-vacances de ce paiement n'est pas remboursable chez Monext : convenez d'un avoir avec le client, ou adressez-vous à l'ANCV.",
        ],
        Some(Ancv) => &[
            "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
            "{voucher}Annulez la part chèque-vacances du paiement en trop dans {back_office} : c'est possible en totalité seulement.",
            "{card}Remboursez sa part carte chez le prestataire qui l'a encaissée.",
        ],
        None => &[
            "Vérifiez dans la boutique qu'il s'agit bien d'une seule commande, puis prévenez le client.",
            "Annulez ou remboursez le paiement en trop si le prestataire le permet ; sinon, convenez d'un avoir.",
        ],
    }
}

pub(super) const fn total_unknown(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Comparez le paiement avec la commande dans la boutique.",
            "Up2pay ne transmet pas le total de la commande : pour un contrôle automatique, la boutique doit enregistrer chaque commande.",
        ],
        Some(Sogecommerce | Worldline | Monext | Ancv) | None => &[
            "Comparez le paiement avec la commande dans la boutique.",
            "Pour un contrôle automatique, demandez au développeur que la boutique enregistre chaque commande.",
        ],
    }
}

pub(super) const fn test_in_production(psp: Option<Psp>) -> Steps {
    match psp {
        Some(Up2pay) => &[
            "Ne confirmez pas la commande sur la foi de ce paiement.",
            "Demandez au développeur si la boutique envoie ses clients vers la plateforme de test (préproduction) d'Up2pay.",
        ],
        Some(Sogecommerce) => &[
            "Ne confirmez pas la commande sur la foi de ce paiement.",
            "Demandez au développeur de vérifier le mode de la boutique (vads_ctx_mode doit valoir PRODUCTION) et l'URL de notification du mode test.",
        ],
        Some(Worldline) => &[
            "Ne confirmez pas la commande sur la foi de ce paiement.",
            "Demandez au développeur si la boutique utilise encore l'environnement de test de Worldline, ou ses clés.",
        ],
        Some(Monext) => &[
            "Ne confirmez pas la commande sur la foi de ce paiement.",
            "Demandez au développeur si la boutique utilise encore la plateforme d'homologation de Monext.",
        ],
        Some(Ancv) | None => &[
            "Ne confirmez pas la commande sur la foi de ce paiement.",
            "Demandez au développeur si la boutique utilise encore la plateforme de test du prestataire.",
        ],
    }
}

pub(super) const fn signature_failures(psp: Option<Psp>) -> Steps {
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
        Some(Worldline) => &[
            "Faites comparer les clés webhook de la configuration avec celles du Merchant Portal (menu Developer, page Webhooks) : en générer une nouvelle révoque aussitôt la précédente.",
            "La commande cvco-reconciled diagnose indique pourquoi une signature ne convient pas.",
            "En attendant, contrôlez les paiements du jour dans {back_office}.",
            "Si la configuration est juste, ces appels ne viennent pas de Worldline : rien n'en a été comptabilisé.",
        ],
        Some(Monext | Ancv) | None => &[
            "Faites vérifier la clé du prestataire dans la configuration ; la commande cvco-reconciled diagnose y aide.",
            "En attendant, contrôlez les paiements du jour dans {back_office}.",
        ],
    }
}
