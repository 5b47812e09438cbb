//! What to paste where, in French: the words of the back offices are French.

use std::path::Path;

use cvco_domain::Mode;
use cvco_psp::up2pay::Template;

use super::files::GUIDE;
use super::plan::{Answers, Endpoint, Plan, Terms};

/// The guide to a configuration that was just drawn up.
pub(super) fn text(answers: &Answers, plan: &Plan, config: &Path) -> String {
    let config_file = config.display();
    let mut parts = vec![format!(
        "La configuration est écrite : {config_file}\n\
         Il reste à coller ce qui suit dans le back-office de chaque prestataire.\n\
         Chaque adresse contient un secret : ni ticket, ni capture d'écran, ni courriel."
    )];
    for (endpoint, url) in answers.endpoints.iter().zip(&plan.urls) {
        parts.push(format!("{}\n\n{}", title(endpoint, answers.mode), steps(endpoint, answers, url)));
    }
    let missing: Vec<_> = plan.secrets.iter().filter(|secret| secret.is_missing).collect();
    if !missing.is_empty() {
        let folder = config.with_file_name("secrets");
        let files: Vec<_> =
            missing.iter().map(|secret| format!("  {}", folder.join(&secret.name).display())).collect();
        parts.push(format!(
            "SECRETS À COMPLÉTER\n\n\
             Ces fichiers ne contiennent encore que « {} ». Remplacez ce texte par le\n\
             vrai secret, seul sur sa ligne :\n{}",
            crate::config::PLACEHOLDER,
            files.join("\n")
        ));
    }
    let guide = config.with_file_name(GUIDE);
    parts.push(format!(
        "ET ENSUITE\n\n  \
         1. sudo -u cvco-reconciled cvco-reconciled --config {config_file} check\n  \
         2. sudo systemctl enable --now cvco-reconciled\n  \
         3. Le serveur web transmet https://{}/n/ sans rien changer : docs/reverse-proxy.md\n  \
         4. Un paiement d'essai, puis : sudo -u cvco-reconciled cvco-reconciled --config {config_file} records\n\n\
         Ce texte se trouve aussi dans {} ; effacez ce fichier une fois tout collé.",
        answers.url.host(),
        guide.display()
    ));
    parts.join("\n\n")
}

fn title(endpoint: &Endpoint, mode: Mode) -> String {
    let psp = match endpoint.terms {
        Terms::Up2pay => "UP2PAY E-TRANSACTIONS",
        Terms::Sogecommerce { .. } => "SOGECOMMERCE",
        Terms::Worldline { .. } => "WORLDLINE DIRECT",
        Terms::Monext { .. } => "MONEXT ONLINE",
    };
    let world = match mode {
        Mode::Test => "essais",
        Mode::Production => "production",
    };
    format!("{psp} – {} ({world})", endpoint.id)
}

fn steps(endpoint: &Endpoint, answers: &Answers, url: &str) -> String {
    let steps = match &endpoint.terms {
        Terms::Up2pay => up2pay(answers.shop.as_str(), url),
        Terms::Sogecommerce { .. } => sogecommerce(answers.mode, url),
        Terms::Worldline { api, .. } => worldline(api.is_some(), url),
        Terms::Monext { .. } => monext(answers.shop.as_str(), endpoint.id.as_str(), url),
    };
    let numbered = steps.iter().enumerate().map(|(n, step)| {
        let step = step.replace('\n', "\n     ");
        format!("  {}. {step}", n.saturating_add(1))
    });
    numbered.collect::<Vec<_>>().join("\n")
}

fn up2pay(shop: &str, url: &str) -> Vec<String> {
    vec![
        format!(
            "Dans la demande de paiement de la boutique, PBX_REPONDRE_A :\n{url}\n\
             (à défaut, dans Vision, onglet « Informations », champ « URL IPN » : la même adresse)"
        ),
        format!("Dans la même demande, PBX_RETOUR, exactement :\n{}", Template::default()),
        "Dans Vision, adresse des courriels « Warning » : une boîte que quelqu'un lit.\n\
         Up2pay ne répète pas un appel perdu ; ce courriel en est la seule trace."
            .to_owned(),
        format!(
            "Up2pay ne dit pas le total de la commande : la boutique l'enregistre.\n\
             curl http://127.0.0.1:8081/api/v1/orders -H 'Content-Type: application/json' \\\n\
             -d '{{\"shop\": \"{shop}\", \"reference\": \"CMD1\", \"total_cents\": 10000, \"currency\": \"EUR\"}}'"
        ),
    ]
}

fn sogecommerce(mode: Mode, url: &str) -> Vec<String> {
    let field = match mode {
        Mode::Test => "URL à appeler en mode TEST",
        Mode::Production => "URL à appeler en mode PRODUCTION",
    };
    vec![
        format!(
            "Paramétrage > Règles de notifications, section « URL de notification de l'API\n\
             formulaire V1, V2 », champ « {field} » de chacune de ces trois règles :\n{url}\n\
             - URL de notification à la fin du paiement\n\
             - URL de notification sur annulation\n\
             - URL de notification sur une opération provenant du Back Office"
        ),
        "Dans chacune : cochez « Rejeu automatique en cas d'échec », et indiquez une boîte\n\
         que quelqu'un lit dans « Adresse(s) e-mail(s) à avertir en cas d'échec »."
            .to_owned(),
        "Activez les deux dernières règles (clic droit, « Activer la règle ») : au départ, seule\n\
         la première est active."
            .to_owned(),
        "Si le module de la boutique envoie vads_url_check, c'est cette valeur qui compte :\n\
         mettez-y la même adresse."
            .to_owned(),
    ]
}

fn worldline(asks_the_api: bool, url: &str) -> Vec<String> {
    let mut steps = vec![
        format!(
            "Merchant Portal, Developer > Webhooks, « Add webhook endpoint » :\n{url}\n\
             Cochez tous les événements de paiement (payment.*) et de remboursement (refund.*)."
        ),
        "Sur la même page, « Generate webhooks keys » montre le Webhook ID et la clé secrète\n\
         pendant une minute seulement, et révoque aussitôt l'ancienne clé."
            .to_owned(),
        "Si le module de la boutique envoie feedbacks.webhooksUrls (ou webhookUrl), le portail\n\
         n'est pas appelé : ajoutez-y la même adresse."
            .to_owned(),
    ];
    if !asks_the_api {
        steps.push(
            "Ajoutez plus tard la clé d'API (Developer > Payment API) : sans elle, la part en\n\
             chèques-vacances n'est pas toujours connue. Voir docs/worldline.md."
                .to_owned(),
        );
    }
    steps
}

fn monext(shop: &str, endpoint: &str, url: &str) -> Vec<String> {
    vec![
        format!(
            "Centre d'administration, point de vente, champ « URL de notification » :\n{url}\n\
             Cochez toutes les cases situées en dessous."
        ),
        "Si le module de la boutique envoie notificationURL (doWebPayment), c'est cette valeur qui\n\
         compte : mettez-y la même adresse."
            .to_owned(),
        format!(
            "Au retour de l'acheteur, la boutique remet le jeton de session (paylinetoken) :\n\
             curl http://127.0.0.1:8081/api/v1/sessions -H 'Content-Type: application/json' \\\n\
             -d '{{\"shop\": \"{shop}\", \"endpoint\": \"{endpoint}\", \"token\": \"JETON\"}}'"
        ),
    ]
}
