//! `demo`: the main job, without any configuration. A real daemon in this process, with a ledger and a mailbox in
//! a temporary folder, is told real-shaped stories by four PSPs, whose APIs a sandbox plays; what became of each is
//! compared with what the story promises.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use cvco_domain::crypto::{HashedPassword, random_id};
use cvco_domain::{Cents, EndpointId, Kind, Mode, Psp, Severity, ShopId};
use cvco_ledger::{DiscrepancyFilter, OrderStory, Reader, RecordFilter, RecordRow};
use cvco_mail::Language;
use cvco_psp::sogecommerce::{Algorithm, SiteId};
use cvco_psp::up2pay::Template;
use cvco_psp::worldline::WebhookKey;
use cvco_trial::fixtures;
use cvco_trial::mail_sink::{MailSink, ReceivedMail};
use cvco_trial::sandbox::Sandbox;
use cvco_trial::simulate::{
    self, Actor, Admin, MonextTrial, Pace, Play, Scenario, SogecommerceTrial, TrialKey, Trials, Up2payTrial,
    WorldlineTrial,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::output::Listing;
use super::{Failure, Outcome, alerts, errands, output, records, runtime};
use crate::app::{self, Listeners, Setup};
use crate::clock::Clock;
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The language of the alert e-mails.
    #[arg(long, default_value = "fr", value_parser = ["fr", "en"])]
    language: String,
    /// Where to leave ledger, configuration and e-mails; a new temporary folder if not said.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Tell every story of every PSP, with all records and discrepancies.
    #[arg(long)]
    all: bool,
    /// Leave the daemon running until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// The stories that are told unless all are asked for; the one that this program is for comes first.
const FIVE: [(Scenario, Psp); 5] = [
    (Scenario::AbandonedComplement, Psp::Up2pay),
    (Scenario::Split, Psp::Sogecommerce),
    (Scenario::Duplicate, Psp::Worldline),
    (Scenario::TwoCards, Psp::Monext),
    (Scenario::RefundAgainstRules, Psp::Sogecommerce),
];

/// So wide is an old terminal.
const WIDTH: usize = 80;

/// So many lines of the headline's mail are shown.
const MAIL_LINES: usize = 9;

/// No secret: it guards a daemon that lives for seconds.
const TOKEN: &str = "demonstration-only-0123456789";
const SITE: &str = "12345678";
const KEY: &str = "1122334455667788";
const PSPID: &str = "PSPIDTEST";
const WEBHOOK_ID: &str = "webhook-id";
const CONTRACTS: (&str, &str) = ("CVCO1", "CB1");
/// `PBX_SITE` and `PBX_RANG` of Up2pay's trial platform.
const UP2PAY_SITE: (&str, &str) = ("1999888", "32");

/// The ledger's name in the demo's folder.
const LEDGER: &str = "ledger.sqlite";

/// How long to wait for the e-mails at most.
const PATIENCE: Duration = Duration::from_mins(1);

/// The seed of the stories: the demo is the same each time.
const SEED: u64 = 2026;

pub(super) fn run(options: &Options) -> Result<Outcome, Failure> {
    let folder = match &options.folder {
        Some(folder) => folder.clone(),
        None => tempfile::Builder::new()
            .prefix("cvco-demo-")
            .tempdir()
            .map_err(Failure::io("a temporary folder"))?
            .keep(),
    };
    if folder.join(LEDGER).exists() {
        return Err(Failure::Usage(format!(
            "{} holds a ledger already; name another folder",
            folder.display()
        )));
    }
    std::fs::create_dir_all(&folder).map_err(Failure::io(folder.display().to_string()))?;
    runtime()?.block_on(play(&folder, options))
}

async fn play(folder: &Path, options: &Options) -> Result<Outcome, Failure> {
    let any_port = "127.0.0.1:0".parse().map_err(anyhow::Error::from)?;
    let language: Language = options.language.parse().map_err(anyhow::Error::from)?;
    let mailbox = MailSink::start(any_port).await.map_err(Failure::io("the mailbox"))?;
    let sandbox = Sandbox::start(any_port).await.map_err(Failure::io("the sandbox"))?;
    let key = TrialKey::published();
    let config_path = write_configuration(folder, &options.language, &key, &mailbox, &sandbox)?;
    let visitor = if options.keep { Some(Visitor::entered(&config_path)?) } else { None };
    let mut plays = if options.all { fixtures::plays(TOKEN) } else { Vec::new() };
    plays.extend(stories(key, options.all)?);
    for laid in simulate::empty_books().iter().chain(plays.iter().flat_map(|play| &play.answers)) {
        sandbox.answer_in_turn(laid.calls.clone(), laid.answers.clone());
    }
    let config = Config::load_demonstration(&config_path)?;
    let ledger = config.ledger.path.clone();

    let listeners = Listeners::open(&config).await?;
    let public_address = listeners.public.local_addr().map_err(Failure::io("the listener"))?;
    let address = |listener: &tokio::net::TcpListener| {
        let address = listener.local_addr().map_err(Failure::io("the listener"))?;
        format!("http://{address}").parse::<simulate::Address>().map_err(|e| Failure::Other(e.into()))
    };
    let (public, admin) = (address(&listeners.public)?, address(&listeners.admin)?);
    let dashboard = listeners.admin.local_addr().map_err(Failure::io("the listener"))?;
    let stop = CancellationToken::new();
    let (_reload, reloads) = mpsc::channel(1);
    let setup = Setup { config, config_path: None, listeners, clock: Clock::system(), errands: errands() };
    let mut daemon = Some(tokio::spawn(app::run(setup, reloads, stop.clone())));

    output::line(format!(
        "A daemon listens at {public_address}; {} orders are paid\nthrough Up2pay, Sogecommerce, Worldline and Monext …",
        plays.len()
    ))?;
    let admin =
        Admin { address: admin, shop: ShopId::new("camping").map_err(anyhow::Error::from)?, token: None };
    let pace = Pace { per_second: None, connections: NonZeroUsize::MIN };
    let report = simulate::run(&public, Some(&admin), plays.clone(), pace, |_| {})
        .await
        .map_err(anyhow::Error::from)?;
    let wanted = plays.iter().flat_map(promised).filter(|kind| kind.severity() > Severity::Info).count();
    let came = tokio::time::timeout(PATIENCE, mailbox.wait_for(wanted)).await;
    let answered = matches!(tokio::time::timeout(PATIENCE, played_out(&ledger, &plays)).await, Ok(Ok(())));
    if !options.keep {
        stop.cancel();
        if let Some(daemon) = daemon.take() {
            daemon.await.map_err(anyhow::Error::from)??;
        }
    }

    let mails = came.unwrap_or_else(|_| mailbox.mails());
    let kept = if options.all {
        tell(language, folder, &ledger, &plays, &mails)?
    } else {
        tell_briefly(folder, &ledger, &plays, &mails)?
    };
    let good = kept && answered && report.unexpected_count == 0 && mails.len() == wanted;
    where_to_look(folder, &config_path, &ledger)?;
    if let Some(visitor) = visitor {
        visitor.tell(dashboard)?;
    }
    output::line(if good {
        format!("Every story ended as it should; each thing that does not match is one e-mail: {wanted}.")
    } else {
        format!("NOT AS IT SHOULD BE: {} of {wanted} e-mails came. {report}", mails.len())
    })?;
    if let Some(daemon) = daemon {
        output::line("The daemon goes on; Ctrl-C ends it.")?;
        tokio::signal::ctrl_c().await.map_err(Failure::io("signals"))?;
        stop.cancel();
        daemon.await.map_err(anyhow::Error::from)??;
    }
    Ok(if good { Outcome::Fine } else { Outcome::FoundSomething })
}

/// The same in few lines, with the mail about the first story; whether all ended as promised.
fn tell_briefly(
    folder: &Path,
    ledger: &Path,
    plays: &[Play],
    mails: &[ReceivedMail],
) -> Result<bool, Failure> {
    let reader = Reader::open(ledger)?;
    let mut kinds = raised(&reader)?;
    let mut all_kept = true;
    output::line("")?;
    for play in plays {
        let raised = kinds.remove(&play.reference).unwrap_or_default();
        let stories = reader.stories(&play.reference)?;
        let kept = is_kept(play, stories.first(), &raised);
        all_kept &= kept;
        let mark = if kept { "✓" } else { "✗" };
        let found = match raised.as_slice() {
            [] => stories.first().map(|story| story.state.clone()).unwrap_or_default(),
            raised => raised.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let told = format!("{mark} {}: {} → {found}", play.psp, play.scenario.description());
        for line in wrapped(&told, WIDTH) {
            output::line(line)?;
        }
    }
    save_mails(folder, mails)?;
    let about =
        |mail: &&ReceivedMail| plays.first().is_some_and(|play| mail.subject().contains(&play.reference));
    if let Some(mail) = mails.iter().find(about) {
        output::line("")?;
        let text = mail.text.as_deref().unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let shown = std::iter::once(mail.subject()).chain(lines);
        for line in shown.flat_map(|line| wrapped(line, WIDTH.saturating_sub(4))).take(MAIL_LINES) {
            output::line(format!("  │ {line}"))?;
        }
    }
    Ok(all_kept)
}

/// A text in lines of so many characters at most, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let length = line.chars().count();
        if length > 0 && length.saturating_add(word.chars().count()) >= width {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Waits until every question to an API has an answer, and every story has come to its end.
async fn played_out(ledger: &Path, plays: &[Play]) -> Result<(), Failure> {
    let reader = Reader::open(ledger)?;
    loop {
        let raised = raised(&reader)?;
        let mut ended = true;
        for play in plays {
            let kinds = raised.get(&play.reference).map_or(&[][..], Vec::as_slice);
            ended &= is_kept(play, reader.stories(&play.reference)?.first(), kinds);
        }
        if ended && reader.questions_pending()?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

fn everything() -> DiscrepancyFilter {
    DiscrepancyFilter { limit: u32::MAX, ..DiscrepancyFilter::default() }
}

/// The kinds of discrepancy that were ever raised, by order, in the order of the catalogue.
fn raised(reader: &Reader) -> Result<BTreeMap<String, Vec<Kind>>, Failure> {
    let mut kinds: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for row in reader.discrepancies(&everything())? {
        kinds.entry(row.order_ref.map(String::from).unwrap_or_default()).or_default().push(row.kind);
    }
    for kinds in kinds.values_mut() {
        kinds.sort_unstable();
    }
    Ok(kinds)
}

/// What the story promises, in any order.
fn promised(play: &Play) -> Vec<Kind> {
    play.scenario.promises(play.psp).to_vec()
}

/// One order for each story that a PSP can tell.
fn stories(key: TrialKey, all: bool) -> Result<Vec<Play>, Failure> {
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
fn write_configuration(
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

/// Shows what became of each story; whether all ended as promised.
fn tell(
    language: Language,
    folder: &Path,
    ledger: &Path,
    plays: &[Play],
    mails: &[ReceivedMail],
) -> Result<bool, Failure> {
    let reader = Reader::open(ledger)?;
    let found = reader.discrepancies(&everything())?;
    let mut kinds = raised(&reader)?;
    let headers = ["", "PSP", "story", "order", "expected", "state", "discrepancies"];
    let mut listing = Listing::new(&headers, &[4]);
    let mut all_kept = true;
    for play in plays {
        let raised = kinds.remove(&play.reference).unwrap_or_default();
        let stories = reader.stories(&play.reference)?;
        let state =
            stories.first().filter(|story| !story.records.is_empty()).map(|story| story.state.clone());
        let kept = is_kept(play, stories.first(), &raised);
        all_kept &= kept;
        listing.push(vec![
            if kept { "✓" } else { "✗" }.to_owned(),
            play.psp.to_string(),
            play.scenario.description().to_owned(),
            play.reference.clone(),
            if play.register { play.total.to_string() } else { "not told".to_owned() },
            state.unwrap_or_else(|| "–".to_owned()),
            raised.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        ]);
    }
    output::line("\nThe stories, and what became of them\n")?;
    output::line(listing.table())?;
    output::line("\nThe records\n")?;
    let filter = RecordFilter { limit: 1000, ..RecordFilter::default() };
    output::line(records::listing(language, &reader.records(&filter)?).table())?;
    output::line("\nThe discrepancies\n")?;
    output::line(alerts::listing(language, &found).table())?;
    show_mails(folder, mails)?;
    Ok(all_kept)
}

fn is_kept(play: &Play, story: Option<&OrderStory>, raised: &[Kind]) -> bool {
    let Some(ending) = play.scenario.ending(play.psp) else { return false };
    let mut promised = promised(play);
    promised.sort_unstable();
    let state = story.filter(|story| !story.records.is_empty()).map(|story| story.state.as_str());
    state == ending.state.map(cvco_domain::RecordState::as_str)
        && raised == promised
        && story.is_none_or(|story| story.records.iter().all(|record| adds_up(record.paid_cents, record)))
}

/// Cents are conserved: voucher and card come to what was paid.
fn adds_up(paid: i64, record: &RecordRow) -> bool {
    Cents::new(record.voucher_cents).plus(Cents::new(record.card_cents)) == Cents::new(paid)
}

fn save_mails(folder: &Path, mails: &[ReceivedMail]) -> Result<(), Failure> {
    let mailbox = folder.join("mails");
    std::fs::create_dir_all(&mailbox).map_err(Failure::io(mailbox.display().to_string()))?;
    for (n, mail) in mails.iter().enumerate() {
        let path = mailbox.join(format!("{:02}.eml", n + 1));
        std::fs::write(&path, &mail.raw).map_err(Failure::io(path.display().to_string()))?;
        if let Some(html) = &mail.html {
            let path = path.with_extension("html");
            std::fs::write(&path, html).map_err(Failure::io(path.display().to_string()))?;
        }
    }
    Ok(())
}

fn show_mails(folder: &Path, mails: &[ReceivedMail]) -> Result<(), Failure> {
    save_mails(folder, mails)?;
    output::line("\nThe e-mails\n")?;
    for mail in mails {
        output::line(format!("  {}", mail.subject()))?;
    }
    let longest = mails.iter().filter_map(|mail| mail.text.as_deref()).max_by_key(|text| text.len());
    if let Some(text) = longest {
        output::line("\nOne of them in full\n")?;
        for line in text.lines() {
            output::line(format!("  │ {line}"))?;
        }
    }
    Ok(())
}

/// Who may sign in to the dashboard of a demonstration that goes on.
struct Visitor {
    password: String,
}

impl Visitor {
    const NAME: &'static str = "demo";

    /// Enters one into the configuration, with a password of its own.
    fn entered(config: &Path) -> Result<Self, Failure> {
        let password: String = random_id().map_err(anyhow::Error::from)?.chars().take(16).collect();
        let hash = HashedPassword::of(&password.clone().into()).map_err(anyhow::Error::from)?;
        let user = format!(
            "\n[[admin.user]]\nname = \"{}\"\nrole = \"admin\"\npassword_hash = \"{}\"\n",
            Self::NAME,
            hash.as_str()
        );
        std::fs::OpenOptions::new()
            .append(true)
            .open(config)
            .and_then(|mut file| file.write_all(user.as_bytes()))
            .map_err(Failure::io(config.display().to_string()))?;
        Ok(Self { password })
    }

    fn tell(&self, dashboard: SocketAddr) -> Result<(), Failure> {
        output::line(format!(
            "  the dashboard  http://{dashboard}/  (name {}, password {})\n",
            Self::NAME,
            self.password
        ))
    }
}

fn where_to_look(folder: &Path, config: &Path, ledger: &Path) -> Result<(), Failure> {
    output::line(format!(
        "\nWhere to look\n\n  \
         the ledger     sqlite3 -readonly {ledger} 'SELECT * FROM acct_register'\n  \
         an order       cvco-reconciled --config {config} record REFERENCE\n  \
         the e-mails    {mails}\n",
        ledger = ledger.display(),
        config = config.display(),
        mails = folder.join("mails").display(),
    ))
}
