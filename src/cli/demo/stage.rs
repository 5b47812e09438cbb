//! Where the demonstration plays: its stories, and a configuration with made-up secrets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cvco_domain::{EndpointId, Mode, Psp};
use cvco_psp::sogecommerce::{Algorithm, SiteId};
use cvco_psp::up2pay::Template;
use cvco_psp::worldline::WebhookKey;
use cvco_trial::fixtures;
use cvco_trial::mail_sink::MailSink;
use cvco_trial::sandbox::Sandbox;
use cvco_trial::simulate::{
    Actor, MonextTrial, Play, Scenario, SogecommerceTrial, TrialKey, Trials, Up2payTrial, WorldlineTrial,
};

use super::super::Failure;
use super::{LEDGER, SEED};
use crate::clock::Clock;

/// The stories that are told unless all are asked for; the one that this program is for comes first.
const FIVE: [(Scenario, Psp); 5] = [
    (Scenario::AbandonedComplement, Psp::Up2pay),
    (Scenario::Split, Psp::Sogecommerce),
    (Scenario::Duplicate, Psp::Worldline),
    (Scenario::TwoCards, Psp::Monext),
    (Scenario::RefundAgainstRules, Psp::Sogecommerce),
];

/// No secret: it guards a daemon that lives for seconds.
pub(super) const TOKEN: &str = "demonstration-only-0123456789";

const SITE: &str = "12345678";

const KEY: &str = "1122334455667788";

const PSPID: &str = "PSPIDTEST";

const WEBHOOK_ID: &str = "webhook-id";

const CONTRACTS: (&str, &str) = ("CVCO1", "CB1");

/// `PBX_SITE` and `PBX_RANG` of Up2pay's trial platform.
const UP2PAY_SITE: (&str, &str) = ("1999888", "32");

/// One order for each story that a PSP can tell.
pub(super) fn stories(key: TrialKey, all: bool) -> Result<Vec<Play>, Failure> {
    let trials = Trials {
        up2pay: Some(Up2payTrial {
            endpoint: EndpointId::new("up2pay").map_err(anyhow::Error::from)?,
            token: TOKEN.to_owned(),
            mode: Mode::Production,
            template: Template::default(),
            key,
            api: Some((UP2PAY_SITE.0.to_owned(), UP2PAY_SITE.1.to_owned())),
        }),
        sogecommerce: Some(SogecommerceTrial {
            endpoint: EndpointId::new("sogecommerce").map_err(anyhow::Error::from)?,
            token: TOKEN.to_owned(),
            site_id: SiteId::new(SITE).map_err(anyhow::Error::from)?,
            mode: Mode::Production,
            key: KEY.to_owned().into(),
            algorithm: Algorithm::HmacSha256,
            api: true,
        }),
        worldline: Some(WorldlineTrial {
            endpoint: EndpointId::new("worldline").map_err(anyhow::Error::from)?,
            token: TOKEN.to_owned(),
            merchant_id: PSPID.to_owned(),
            key: WebhookKey { id: WEBHOOK_ID.to_owned(), secret: KEY.to_owned().into() },
            api: true,
        }),
        monext: Some(MonextTrial {
            endpoint: EndpointId::new("monext").map_err(anyhow::Error::from)?,
            token: TOKEN.to_owned(),
            voucher_contract: CONTRACTS.0.to_owned(),
            card_contract: CONTRACTS.1.to_owned(),
        }),
    };
    let mut actor = Actor::new(trials, SEED);
    // A little ago, so that second thoughts are not in the future.
    let at = Clock::system().now().before(Duration::from_mins(10));
    let told: Vec<(Scenario, Psp)> = if all {
        Psp::ALL
            .into_iter()
            .flat_map(|psp| Scenario::ALL.iter().map(move |scenario| (*scenario, psp)))
            .collect()
    } else {
        FIVE.to_vec()
    };
    Ok(told.into_iter().filter_map(|(scenario, psp)| actor.play(scenario, psp, at)).collect())
}

#[expect(clippy::too_many_lines, reason = "the text of a file")]
pub(super) fn write_configuration(
    folder: &Path,
    language: &str,
    key: &TrialKey,
    mailbox: &MailSink,
    sandbox: &Sandbox,
) -> Result<PathBuf, Failure> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(Failure::io(path.display().to_string()))?;
        Ok::<_, Failure>(path)
    };
    write("up2pay-public.pem", &key.public_pem())?;
    write("up2pay-private.pem", TrialKey::PUBLISHED_PEM)?;
    write("fixtures-public.pem", fixtures::UP2PAY_KEY)?;
    let smtp = mailbox.address();
    let hmac = "0123456789ABCDEF".repeat(8);
    let api = |path: &str| sandbox.url(path);
    let (up2pay, sogecommerce, worldline, monext) =
        (api("/PPPS.php"), api("/api-payment/V4"), api(""), api("/V4/services"));
    let ((site, rang), (voucher_contract, card_contract)) = (UP2PAY_SITE, CONTRACTS);
    let pbx_retour = fixtures::PBX_RETOUR;
    write(
        "config.toml",
        &format!(
            r#"# The demonstration's configuration: short graces, each alert at once, a mailbox of its own.
[listener]
public = "127.0.0.1:0"
admin = "127.0.0.1:0"

[ledger]
path = "{LEDGER}"

[reconcile]
complement_grace = "2s"

[alerts]
language = "{language}"
from = "cvco@camping.example"
to = ["compta@camping.example"]
smtp = "smtp://{smtp}"
digest = "0s"

[confirm]
calls_per_second = 1000

[[shop]]
id = "camping"
name = "Camping des Pins"

[[shop.endpoint]]
id = "up2pay"
psp = "up2pay"
mode = "production"
token = "{TOKEN}"
public_key_files = ["up2pay-public.pem"]
api = {{ base_url = "{up2pay}", site = "{site}", rang = "{rang}", secret = "{hmac}" }}

[[shop.endpoint]]
id = "sogecommerce"
psp = "sogecommerce"
mode = "production"
token = "{TOKEN}"
site_id = "{SITE}"
key = "{KEY}"
rest_password = "{KEY}"
api = {{ base_url = "{sogecommerce}" }}

[[shop.endpoint]]
id = "worldline"
psp = "worldline"
mode = "production"
token = "{TOKEN}"
merchant_id = "{PSPID}"
webhook_keys = [{{ id = "{WEBHOOK_ID}", secret = "{KEY}" }}]
api = {{ base_url = "{worldline}", key_id = "api-key", secret = "{KEY}" }}

[[shop.endpoint]]
id = "monext"
psp = "monext"
mode = "production"
token = "{TOKEN}"
merchant_id = "12345678901234"
access_key = "{KEY}"
voucher_contracts = ["{voucher_contract}"]
card_contracts = ["{card_contract}"]
api = {{ base_url = "{monext}" }}

[[shop.endpoint]]
id = "up2pay-fixtures"
psp = "up2pay"
mode = "production"
token = "{TOKEN}"
pbx_retour = "{pbx_retour}"
public_key_files = ["fixtures-public.pem"]

[[shop.endpoint]]
id = "sogecommerce-fixtures"
psp = "sogecommerce"
mode = "test"
token = "{TOKEN}"
site_id = "{SITE}"
key = "{KEY}"
"#
        ),
    )
}
