//! `init`: writes a first configuration that `check` accepts, and says, in French, what to paste where in each back
//! office.

mod ask;
mod files;
mod guide;
mod plan;

use std::path::{Path, PathBuf};

use clap::Args;
use cvco_domain::{EndpointId, Mode, Psp, ShopId};
use cvco_mail::Language;
use cvco_psp::sogecommerce::{Algorithm, SiteId};

use super::{Failure, Outcome, output};
use crate::alert::{self, SmtpUrlError};
use crate::config::{Config, DEFAULT_PATH};
use ask::{Asker, Question};
use files::Files;
use plan::{Address, Answers, Endpoint, Mail, Secret, Terms, WorldlineApi};

/// The PSPs that `init` knows. ANCV itself is experimental: docs/ancv.md says how to add it by hand.
const PSPS: [&str; 4] = ["up2pay", "sogecommerce", "worldline", "monext"];

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shop's id in ledger and URLs: small letters, digits and dashes.
    #[arg(long, value_name = "ID")]
    shop: Option<String>,
    /// The shop's name, as e-mails show it.
    #[arg(long)]
    name: Option<String>,
    /// The web server in front, as PSPs reach it: `https://paiements.camping.example`.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The PSPs that take vouchers for this shop.
    #[arg(long, value_name = "PSP", value_delimiter = ',', value_parser = PSPS)]
    psp: Vec<String>,
    /// Trials first, or real payments at once: `test` or `production`.
    #[arg(long)]
    mode: Option<String>,
    /// Who is mailed.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    to: Vec<String>,
    /// Whom the e-mails come from.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// The mail server, as in `smtp://127.0.0.1:25` or `smtps://user@host`.
    #[arg(long, value_name = "URL")]
    smtp: Option<String>,
    /// The file with the password of the user in --smtp.
    #[arg(long, value_name = "FILE")]
    smtp_password_file: Option<PathBuf>,
    /// The language of the e-mails: `fr` or `en`.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Where the ledger will be; if not said, /var/lib/cvco-reconciled/ledger.sqlite for the usual configuration, and
    /// beside the configuration for any other.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    sogecommerce: SogecommerceOptions,
    #[command(flatten)]
    worldline: WorldlineOptions,
    #[command(flatten)]
    monext: MonextOptions,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Sogecommerce")]
#[expect(
    clippy::struct_field_names,
    reason = "the flags are named by them, and stand beside those of other PSPs"
)]
struct SogecommerceOptions {
    /// The shop's eight digits.
    #[arg(long, value_name = "DIGITS")]
    sogecommerce_site: Option<String>,
    /// The file with the form key of the mode.
    #[arg(long, value_name = "FILE")]
    sogecommerce_key_file: Option<PathBuf>,
    /// As the back office says: `hmac-sha-256` or `sha-1`.
    #[arg(long, value_name = "ALGORITHM")]
    sogecommerce_algorithm: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Worldline")]
#[expect(
    clippy::struct_field_names,
    reason = "the flags are named by them, and stand beside those of other PSPs"
)]
struct WorldlineOptions {
    /// The PSPID.
    #[arg(long, value_name = "PSPID")]
    worldline_merchant: Option<String>,
    /// The webhook ID.
    #[arg(long, value_name = "ID")]
    worldline_webhook: Option<String>,
    /// The file with the secret webhook key.
    #[arg(long, value_name = "FILE")]
    worldline_webhook_file: Option<PathBuf>,
    /// The API key ID; without it the API is not asked.
    #[arg(long, value_name = "ID")]
    worldline_api: Option<String>,
    /// The file with the secret API key.
    #[arg(long, value_name = "FILE")]
    worldline_api_file: Option<PathBuf>,
    /// The account is Crédit Agricole's (CAWL), whose API has addresses of its own.
    #[arg(long)]
    worldline_cawl: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Monext")]
#[expect(
    clippy::struct_field_names,
    reason = "the flags are named by them, and stand beside those of other PSPs"
)]
struct MonextOptions {
    /// The merchant identifier, digits.
    #[arg(long, value_name = "DIGITS")]
    monext_merchant: Option<String>,
    /// The file with the access key.
    #[arg(long, value_name = "FILE")]
    monext_key_file: Option<PathBuf>,
    /// The contracts of `ANCV_CONNECT`.
    #[arg(long, value_name = "CONTRACT", value_delimiter = ',')]
    monext_voucher: Vec<String>,
    /// The contracts of the card complement.
    #[arg(long, value_name = "CONTRACT", value_delimiter = ',')]
    monext_card: Vec<String>,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    // Before any question: nobody shall answer twenty of them for nothing.
    files::refuse_existing(path)?;
    let answers = answers(path, options, &mut Asker::new())?;
    let plan = plan::draw(&answers)?;
    let guide = guide::text(&answers, &plan, path);
    let files = Files::write(path, &plan, &guide)?;
    // What `init` wrote is right or not there.
    Config::load(path)?;
    files.keep();
    output::line(guide)?;
    Ok(Outcome::Fine)
}

fn answers(path: &Path, options: &Options, asker: &mut Asker) -> Result<Answers, Failure> {
    let shop = asker.answer(
        options.shop.as_deref(),
        &Question::new("--shop", "Identifiant de la boutique (minuscules, chiffres, tirets)").like("camping"),
        |text| ShopId::new(text).map_err(|_| not_one(text, "minuscules, chiffres et tirets, sans espace")),
    )?;
    let name = asker.answer(
        options.name.as_deref(),
        &Question::new("--name", "Nom de la boutique, tel que les courriels le montrent").or(shop.as_str()),
        plan::printable,
    )?;
    let url = asker.answer(
        options.url.as_deref(),
        &Question::new("--url", "Adresse du serveur web placé devant, vue de l'internet")
            .like("https://paiements.camping.example"),
        Address::parse,
    )?;
    let psps = asker.answer(
        joined(&options.psp).as_deref(),
        &Question::new(
            "--psp",
            "Prestataires (up2pay, sogecommerce, worldline, monext ; plusieurs : virgules)",
        ),
        psps,
    )?;
    let mode = asker.answer(
        options.mode.as_deref(),
        &Question::new("--mode", "Essais (test) ou paiements réels (production)").or("test"),
        |text| text.parse::<Mode>().map_err(|_| not_one(text, "test ou production")),
    )?;
    let endpoints = psps
        .into_iter()
        .map(|psp| {
            let id = EndpointId::new(format!("{shop}-{psp}"))
                .map_err(|error| Failure::Usage(format!("--shop {shop}: {error}")))?;
            Ok(Endpoint { id, terms: terms(psp, options, asker)? })
        })
        .collect::<Result<_, Failure>>()?;
    let mail = mail(options, asker, &url)?;
    let ledger = match &options.ledger {
        Some(ledger) => plan::printable(&ledger.display().to_string()).map_err(Failure::Usage)?,
        None if path == Path::new(DEFAULT_PATH) => "/var/lib/cvco-reconciled/ledger.sqlite".to_owned(),
        None => "ledger.sqlite".to_owned(),
    };
    Ok(Answers { shop, name, url, mode, endpoints, mail, ledger })
}

fn mail(options: &Options, asker: &mut Asker, url: &Address) -> Result<Mail, Failure> {
    let to = asker.answer(
        joined(&options.to).as_deref(),
        &Question::new("--to", "Qui reçoit les alertes (plusieurs : virgules)")
            .like("compta@camping.example"),
        |text| text.split(',').map(mailbox).collect::<Result<Vec<_>, _>>(),
    )?;
    let from = asker.answer(
        options.from.as_deref(),
        &Question::new("--from", "Expéditeur des alertes").or(&format!("cvco@{}", url.host())),
        mailbox,
    )?;
    let smtp = asker.answer(
        options.smtp.as_deref(),
        &Question::new("--smtp", "Serveur de courriel").or("smtp://127.0.0.1:25"),
        mail_server,
    )?;
    let password = if smtp.contains('@') {
        Some(asker.secret(
            options.smtp_password_file.as_deref(),
            &Question::new("--smtp-password-file", "Mot de passe de ce serveur"),
        )?)
    } else {
        None
    };
    let language = asker.answer(
        options.language.as_deref(),
        &Question::new("--language", "Langue des alertes (fr ou en)").or("fr"),
        |text| text.parse::<Language>().map_err(|_| not_one(text, "fr ou en")),
    )?;
    Ok(Mail { to, from, smtp, password, language })
}

/// What is wrong with an answer that must be one of these.
fn not_one(text: &str, these: &str) -> String {
    format!("« {text} » ne convient pas : {these}")
}

fn mailbox(text: &str) -> Result<String, String> {
    let text = text.trim();
    if alert::is_mailbox(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("« {text} » n'est pas une adresse de courriel"))
    }
}

fn mail_server(text: &str) -> Result<String, String> {
    alert::check_smtp(text).map(|()| text.to_owned()).map_err(|error| {
        let why = match error {
            SmtpUrlError::Scheme => "commencez par smtp:// ou smtps://, par exemple smtp://127.0.0.1:25",
            SmtpUrlError::Password => "n'y mettez pas le mot de passe : il est demandé ensuite",
            SmtpUrlError::User => {
                "le nom d'utilisateur devant @ ne peut être vide ; ses caractères spéciaux s'écrivent %XX (@ : %40)"
            }
            SmtpUrlError::Host => "l'hôte doit être un nom, une adresse IPv4, ou IPv6 entre crochets",
            SmtpUrlError::Port => "le port doit être un nombre de 1 à 65535",
            SmtpUrlError::Option => {
                "après l'hôte et son port, seul ?starttls=required ou ?starttls=opportunistic peut suivre"
            }
            SmtpUrlError::StartTlsInTls => "smtps:// est chiffré d'emblée : ôtez ?starttls, ou écrivez smtp://",
        };
        why.to_owned()
    })
}

fn terms(psp: Psp, options: &Options, asker: &mut Asker) -> Result<Terms, Failure> {
    Ok(match psp {
        Psp::Up2pay => Terms::Up2pay,
        Psp::Sogecommerce => sogecommerce(&options.sogecommerce, asker)?,
        Psp::Worldline => worldline(&options.worldline, asker)?,
        Psp::Monext => monext(&options.monext, asker)?,
        Psp::Ancv => return Err(Failure::Usage("ANCV is added by hand: see docs/ancv.md".to_owned())),
    })
}

fn sogecommerce(options: &SogecommerceOptions, asker: &mut Asker) -> Result<Terms, Failure> {
    Ok(Terms::Sogecommerce {
        site: asker.answer(
            options.sogecommerce_site.as_deref(),
            &Question::new("--sogecommerce-site", "Sogecommerce : identifiant de la boutique, huit chiffres"),
            |text| SiteId::new(text).map(|_| text.to_owned()).map_err(|_| not_one(text, "huit chiffres")),
        )?,
        algorithm: asker.answer(
            options.sogecommerce_algorithm.as_deref(),
            &Question::new(
                "--sogecommerce-algorithm",
                "Sogecommerce : algorithme de signature (hmac-sha-256 ou sha-1)",
            )
            .or("hmac-sha-256"),
            |text| {
                let known = text.parse::<Algorithm>().map(|_| text.to_owned());
                known.map_err(|_| not_one(text, "hmac-sha-256 ou sha-1"))
            },
        )?,
        key: asker.secret(
            options.sogecommerce_key_file.as_deref(),
            &Question::new("--sogecommerce-key-file", "Sogecommerce : clé de ce mode, 16 caractères"),
        )?,
    })
}

fn worldline(options: &WorldlineOptions, asker: &mut Asker) -> Result<Terms, Failure> {
    let merchant = asker.answer(
        options.worldline_merchant.as_deref(),
        &Question::new("--worldline-merchant", "Worldline : PSPID"),
        plan::printable,
    )?;
    let webhook = asker.answer(
        options.worldline_webhook.as_deref(),
        &Question::new("--worldline-webhook", "Worldline : Webhook ID").or(Secret::PLACEHOLDER),
        plan::printable,
    )?;
    let secret = asker.secret(
        options.worldline_webhook_file.as_deref(),
        &Question::new("--worldline-webhook-file", "Worldline : Secret webhook key"),
    )?;
    let api = asker.answer(
        options.worldline_api.as_deref(),
        &Question::new(
            "--worldline-api",
            "Worldline : identifiant de la clé d'API (API key), vivement conseillé",
        )
        .or(""),
        |text| if text.is_empty() { Ok(String::new()) } else { plan::printable(text) },
    )?;
    let api = if api.is_empty() {
        None
    } else {
        let secret = asker.secret(
            options.worldline_api_file.as_deref(),
            &Question::new("--worldline-api-file", "Worldline : clé d'API secrète"),
        )?;
        Some(WorldlineApi { key_id: api, secret, cawl: options.worldline_cawl })
    };
    Ok(Terms::Worldline { merchant, webhook, secret, api })
}

fn monext(options: &MonextOptions, asker: &mut Asker) -> Result<Terms, Failure> {
    let contracts = |text: &str| {
        text.split(',').map(|contract| plan::printable(contract.trim())).collect::<Result<Vec<_>, _>>()
    };
    Ok(Terms::Monext {
        merchant: asker.answer(
            options.monext_merchant.as_deref(),
            &Question::new("--monext-merchant", "Monext : identifiant commerçant"),
            plan::printable,
        )?,
        vouchers: asker.answer(
            joined(&options.monext_voucher).as_deref(),
            &Question::new("--monext-voucher", "Monext : numéro de contrat ANCV_CONNECT"),
            contracts,
        )?,
        cards: asker.answer(
            joined(&options.monext_card).as_deref(),
            &Question::new("--monext-card", "Monext : numéros de contrat des cartes (plusieurs : virgules)"),
            contracts,
        )?,
        key: asker.secret(
            options.monext_key_file.as_deref(),
            &Question::new("--monext-key-file", "Monext : clé d'accès"),
        )?,
    })
}

fn psps(text: &str) -> Result<Vec<Psp>, String> {
    let mut psps = Vec::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        if !PSPS.contains(&word) {
            return Err(not_one(word, &PSPS.join(", ")));
        }
        let psp = word.parse::<Psp>().map_err(|_| not_one(word, &PSPS.join(", ")))?;
        if !psps.contains(&psp) {
            psps.push(psp);
        }
    }
    if psps.is_empty() { Err("nommez au moins un prestataire".to_owned()) } else { Ok(psps) }
}

/// A flag that may be given several times, as one answer.
fn joined(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(","))
}
