//! What was answered, and the files that follow from it. Pure, but for the random tokens.

use std::path::{Path, PathBuf};

use cvco_domain::crypto::random_id;
use cvco_domain::{EndpointId, Mode, Psp, ShopId};
use cvco_mail::Language;
use cvco_psp::up2pay::Template;
use secrecy::{ExposeSecret, SecretString};

use super::Failure;
use crate::config::PLACEHOLDER;

/// All that `init` must know.
pub(super) struct Answers {
    pub(super) shop: ShopId,
    pub(super) name: String,
    pub(super) url: Address,
    pub(super) mode: Mode,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) mail: Mail,
    pub(super) ledger: String,
}

pub(super) struct Mail {
    pub(super) to: Vec<String>,
    pub(super) from: String,
    pub(super) smtp: String,
    /// Where the mail server wants one.
    pub(super) password: Option<Secret>,
    pub(super) language: Language,
}

pub(super) struct Endpoint {
    pub(super) id: EndpointId,
    pub(super) terms: Terms,
}

/// What differs from PSP to PSP.
pub(super) enum Terms {
    Up2pay,
    Sogecommerce { site: String, algorithm: String, key: Secret },
    Worldline { merchant: String, webhook: String, secret: Secret, api: Option<WorldlineApi> },
    Monext { merchant: String, vouchers: Vec<String>, cards: Vec<String>, key: Secret },
}

impl Terms {
    pub(super) const fn psp(&self) -> Psp {
        match self {
            Self::Up2pay => Psp::Up2pay,
            Self::Sogecommerce { .. } => Psp::Sogecommerce,
            Self::Worldline { .. } => Psp::Worldline,
            Self::Monext { .. } => Psp::Monext,
        }
    }
}

pub(super) struct WorldlineApi {
    pub(super) key_id: String,
    pub(super) secret: Secret,
    pub(super) cawl: bool,
}

pub(super) enum Secret {
    Known(SecretString),
    /// To be put into its file by hand.
    Later,
}

impl Secret {
    pub(super) const PLACEHOLDER: &'static str = PLACEHOLDER;

    fn text(&self) -> SecretString {
        match self {
            Self::Known(secret) => secret.clone(),
            Self::Later => Self::PLACEHOLDER.to_owned().into(),
        }
    }
}

/// Where PSPs reach the web server in front: scheme and host, without a path.
pub(super) struct Address {
    text: String,
    host: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "« {text} » n'est pas de la forme https://paiements.camping.example, sans chemin derrière"
            )
        };
        let text = text.trim_end_matches('/');
        let host = text.strip_prefix("https://").ok_or_else(wrong)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(wrong());
        }
        let name = host.split(':').next().unwrap_or(host);
        Ok(Self { text: text.to_owned(), host: name.to_owned() })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

/// Text of one line that is not empty.
pub(super) fn printable(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("écrivez une ligne de texte".to_owned());
    }
    Ok(text.to_owned())
}

/// What is to be written.
pub(super) struct Plan {
    pub(super) config: String,
    pub(super) secrets: Vec<SecretFile>,
    /// The URL of each endpoint, in the order of the answers.
    pub(super) urls: Vec<String>,
    ledger: PathBuf,
}

pub(super) struct SecretFile {
    /// Below the folder of secrets.
    pub(super) name: String,
    pub(super) text: SecretString,
    /// It holds the placeholder.
    pub(super) is_missing: bool,
}

/// Draws the files up, with fresh tokens.
pub(super) fn draw(answers: &Answers) -> Result<Plan, Failure> {
    let mut plan = Plan {
        config: String::new(),
        secrets: Vec::new(),
        urls: Vec::new(),
        ledger: PathBuf::from(&answers.ledger),
    };
    plan.head(answers);
    for endpoint in &answers.endpoints {
        let token = random_id().map_err(anyhow::Error::from)?;
        plan.endpoint(endpoint, answers.mode);
        plan.urls.push(format!("{}/n/{}/{token}", answers.url.text, endpoint.id));
        plan.file(format!("{}.token", endpoint.id), token.into());
    }
    Ok(plan)
}

impl Plan {
    /// Where the ledger will be; `folder` is the configuration's.
    pub(super) fn ledger_folder(&self, folder: &Path) -> PathBuf {
        let ledger = folder.join(&self.ledger);
        ledger.parent().map(Path::to_owned).unwrap_or(ledger)
    }

    fn head(&mut self, answers: &Answers) {
        let mail = &answers.mail;
        let to: Vec<_> = mail.to.iter().map(|address| quoted(address)).collect();
        self.push(&format!(
            "# Écrit par `cvco-reconciled init`. Toutes les clés possibles : config.example.toml.\n\
             # Après un changement : systemctl reload cvco-reconciled\n\n\
             [listener]\n\
             public = \"127.0.0.1:8080\"\n\
             admin = \"127.0.0.1:8081\"\n\
             public_url = {url}\n\
             trusted_proxies = [\"127.0.0.1/32\", \"::1/128\"]\n\n\
             [ledger]\n\
             path = {ledger}\n\n\
             [alerts]\n\
             language = {language}\n\
             from = {from}\n\
             to = [{to}]\n\
             smtp = {smtp}\n",
            url = quoted(&answers.url.text),
            ledger = quoted(&answers.ledger),
            language = quoted(mail.language.as_str()),
            from = quoted(&mail.from),
            to = to.join(", "),
            smtp = quoted(&mail.smtp),
        ));
        if let Some(password) = &mail.password {
            self.secret("password_file", "smtp.password".to_owned(), password);
        }
        self.push(&format!(
            "\n[[shop]]\nid = {}\nname = {}\n",
            quoted(answers.shop.as_str()),
            quoted(&answers.name)
        ));
    }

    fn endpoint(&mut self, endpoint: &Endpoint, mode: Mode) {
        let id = &endpoint.id;
        let psp = endpoint.terms.psp();
        self.push(&format!(
            "\n[[shop.endpoint]]\nid = {}\npsp = \"{psp}\"\nmode = \"{mode}\"\ntoken_file = \"secrets/{id}.token\"\n",
            quoted(id.as_str())
        ));
        match &endpoint.terms {
            Terms::Up2pay => {
                self.push(&format!(
                    "pbx_retour = {}
",
                    quoted(&Template::default().to_string())
                ));
            }
            Terms::Sogecommerce { site, algorithm, key } => {
                self.push(&format!("site_id = {}\nalgorithm = {}\n", quoted(site), quoted(algorithm)));
                self.secret("key_file", format!("{id}.key"), key);
            }
            Terms::Worldline { merchant, webhook, secret, api } => {
                let file = format!("{id}.webhook");
                self.push(&format!(
                    "merchant_id = {}\nwebhook_keys = [{{ id = {}, secret_file = \"secrets/{file}\" }}]\n",
                    quoted(merchant),
                    quoted(webhook)
                ));
                self.keep(file, secret);
                if let Some(api) = api {
                    self.worldline_api(api, id, mode);
                }
            }
            Terms::Monext { merchant, vouchers, cards, key } => {
                let list = |contracts: &[String]| {
                    contracts.iter().map(|contract| quoted(contract)).collect::<Vec<_>>().join(", ")
                };
                self.push(&format!(
                    "merchant_id = {}\nvoucher_contracts = [{}]\ncard_contracts = [{}]\n",
                    quoted(merchant),
                    list(vouchers),
                    list(cards)
                ));
                self.secret("access_key_file", format!("{id}.key"), key);
            }
        }
    }

    fn worldline_api(&mut self, api: &WorldlineApi, id: &EndpointId, mode: Mode) {
        let file = format!("{id}.api");
        let address = match (api.cawl, mode) {
            (false, _) => String::new(),
            (true, Mode::Production) => "base_url = \"https://payment.cawl-solutions.fr\", ".to_owned(),
            (true, Mode::Test) => "base_url = \"https://payment.preprod.cawl-solutions.fr\", ".to_owned(),
        };
        self.push(&format!(
            "api = {{ {address}key_id = {}, secret_file = \"secrets/{file}\" }}\n",
            quoted(&api.key_id)
        ));
        self.keep(file, &api.secret);
    }

    /// A key of the configuration that names a secret's file, and that file.
    fn secret(&mut self, key: &str, file: String, secret: &Secret) {
        self.push(&format!("{key} = \"secrets/{file}\"\n"));
        self.keep(file, secret);
    }

    fn keep(&mut self, name: String, secret: &Secret) {
        let is_missing = matches!(secret, Secret::Later);
        self.secrets.push(SecretFile { name, text: secret.text(), is_missing });
    }

    fn file(&mut self, name: String, text: SecretString) {
        self.secrets.push(SecretFile { name, text, is_missing: false });
    }

    fn push(&mut self, text: &str) {
        self.config.push_str(text);
    }
}

impl SecretFile {
    /// The file's content: the secret and a line end.
    pub(super) fn content(&self) -> String {
        let mut content = self.text.expose_secret().to_owned();
        content.push('\n');
        content
    }
}

/// A string of TOML. Control characters never come here.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_read_back_as_it_was() {
        for text in ["Camping \"des Pins\"", "C:\\clés", "l'Étang"] {
            let read: toml::Table = toml::from_str(&format!("key = {}", quoted(text))).expect("TOML");
            assert_eq!(read["key"].as_str(), Some(text));
        }
    }

    #[test]
    fn the_address_is_a_host_behind_tls() {
        let address = Address::parse("https://pay.example:8443/").expect("an address");
        assert_eq!((address.text.as_str(), address.host()), ("https://pay.example:8443", "pay.example"));
        for wrong in
            ["http://pay.example", "pay.example", "https://", "https://a/b", "https://a b", "https://u@h"]
        {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
