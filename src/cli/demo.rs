//! `demo`: the main job, without any configuration. A real daemon in this process, with a ledger and a mailbox in
//! a temporary folder, is told real-shaped stories by four PSPs, whose APIs a sandbox plays; what became of each is
//! compared with what the story promises.

mod stage;
mod tell;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use cvco_domain::crypto::{HashedPassword, random_id};
use cvco_domain::{Kind, Severity, ShopId};
use cvco_ledger::{DiscrepancyFilter, Reader};
use cvco_mail::Language;
use cvco_trial::fixtures;
use cvco_trial::mail_sink::MailSink;
use cvco_trial::sandbox::Sandbox;
use cvco_trial::simulate::{self, Admin, Pace, Play, TrialKey};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Failure, Outcome, errands, output, runtime};
use crate::app::{self, Listeners, Setup};
use crate::clock::Clock;
use crate::config::Config;
use stage::{TOKEN, stories, write_configuration};
use tell::{is_kept, tell, tell_briefly, where_to_look};

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
