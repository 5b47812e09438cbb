//! The French steps about statements.

use super::super::Steps;

pub(super) const MISSING: Steps = &[
    "Cherchez le paiement sur les relevés de l'ANCV ou de la banque : le relevé qui le porte n'a peut-être pas été importé.",
    "S'il est sur un relevé, importez-le (statement import) : l'écart se fermera de lui-même.",
    "S'il n'y est pas, réclamez-le à l'ANCV pour un chèque-vacances, à la banque pour une carte, avec la référence et la transaction.",
];

pub(super) const MISMATCH: Steps = &[
    "Comparez la ligne du relevé avec la commande : un remboursement, ou deux paiements réglés ensemble, expliquent souvent l'écart.",
    "S'il a été versé trop peu, réclamez la différence à l'ANCV pour un chèque-vacances, à la banque pour une carte.",
    "S'il a été versé trop, comme après un remboursement, la différence sera reprise : importez le relevé de la reprise (statement import), et l'écart se fermera de lui-même. Si elle ne vient pas, signalez-la.",
    "Si un remboursement manque ici, faites rejouer les notifications (catch-up) ; l'écart se fermera de lui-même.",
];

pub(super) const COMMISSION: Steps = &[
    "Vérifiez le taux de votre convention avec l'ANCV, ou de votre contrat avec la banque, à la date du relevé.",
    "Si le taux a changé, ajoutez-le à la configuration (accounting.commission) : l'écart se fermera de lui-même.",
    "Sinon, si la commission retenue est trop élevée, réclamez la différence, avec le numéro du relevé ; si elle est trop faible, attendez-vous à ce qu'elle vous soit redemandée.",
];

pub(super) const LINE: Steps = &[
    "Cherchez la référence de la ligne dans la boutique : la commande a peut-être été payée avant l'installation, ou ses notifications perdues.",
    "Si des commandes sont proposées dans les précisions, voyez laquelle est la bonne ; rien n'est rapproché sans votre avis.",
    "Faites rejouer les notifications manquantes (catch-up) : dès que le paiement est connu, l'écart se ferme de lui-même.",
    "Si la ligne n'est pas à vous, signalez-la à l'ANCV ou à la banque, avec le numéro du relevé.",
];
