//! `simulate`: signed traffic for a running daemon.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use clap::Args;
use cvco_domain::{Mode, Psp, ShopId};
use cvco_trial::simulate::{
    self, Actor, Address, Admin, Pace, Play, Scenario, SogecommerceTrial, TrialKey, Trials, Up2payTrial,
    WorldlineTrial,
};
use secrecy::ExposeSecret;

use super::{Failure, Outcome, output, runtime};
use crate::clock::Clock;
use crate::config::{RawConfig, Signing, TrialEndpoint};

#[derive(Debug, Args)]
pub(super) struct Options {
    #[arg(
        long,
        value_name = "URL",
        help = "The daemon's public listener, for instance http://127.0.0.1:8080",
        required_unless_present = "list"
    )]
    url: Option<Address>,
    /// The daemon's admin listener: registers the orders there first.
    #[arg(long, value_name = "URL")]
    admin: Option<Address>,
    /// How many orders.
    #[arg(long, default_value_t = 100)]
    orders: usize,
    /// Messages a second; as fast as possible if not said.
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<NonZeroU32>,
    /// Connections kept open.
    #[arg(long, default_value = "16")]
    connections: NonZeroUsize,
    /// The same seed makes the same orders; use another one for each run on one ledger.
    #[arg(long)]
    seed: Option<u64>,
    /// Only this story; may be given several times. See --list.
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<Scenario>,
    /// Only this PSP.
    #[arg(long)]
    psp: Option<Psp>,
    /// The private key that signs Up2pay's calls.
    #[arg(long, value_name = "PEM")]
    up2pay_key: Option<PathBuf>,
    /// Also send to endpoints in production mode: trial orders will stand in a real ledger.
    #[arg(long)]
    into_production: bool,
    /// List the stories, and end.
    #[arg(long)]
    list: bool,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    if options.list {
        for scenario in Scenario::ALL {
            output::line(format!("{:24}{}", scenario.as_str(), scenario.description()))?;
        }
        return Ok(Outcome::Fine);
    }
    let Some(url) = &options.url else { return Err(Failure::Usage("--url is missing".to_owned())) };
    let (endpoints, admin_token) = RawConfig::read(path)?.trial(path)?;
    let (trials, shop) = trials(endpoints, options)?;
    let plan = plan(trials, options);
    if plan.is_empty() {
        return Err(Failure::Usage(no_story(options.psp)));
    }
    let messages = plan.iter().map(|play| play.messages.len()).sum::<usize>();
    let admin = options.admin.clone().map(|address| Admin { address, shop, token: admin_token });
    let pace = Pace { per_second: options.rate, connections: options.connections };
    let bar = output::progress_bar("sending");
    bar.set_length(u64::try_from(messages).unwrap_or(u64::MAX));
    let report = runtime()?
        .block_on(simulate::run(url, admin.as_ref(), plan, pace, |sent| bar.set_position(sent)))
        .map_err(anyhow::Error::from)?;
    bar.finish_and_clear();
    output::line(&report)?;
    Ok(if report.unexpected_count == 0 { Outcome::Fine } else { Outcome::FoundSomething })
}

/// Why nothing can be sent, although an endpoint takes part.
fn no_story(psp: Option<Psp>) -> String {
    match psp {
        Some(psp @ (Psp::Monext | Psp::Ancv)) => {
            format!(
                "{psp} takes no part: its notifications prove nothing, and its API cannot be played from here; see `demo`"
            )
        }
        Some(psp) => format!(
            "{psp} tells no such story, or has no endpoint that takes part: that needs mode = \"test\" (or \
             --into-production), and the same shop as the first that does"
        ),
        None => {
            "no endpoint that takes part can tell such a story; without --scenario they tell what they can"
                .to_owned()
        }
    }
}

/// The first endpoint of each PSP that may take part, and the shop in which the orders are registered.
fn trials(endpoints: Vec<TrialEndpoint>, options: &Options) -> Result<(Trials, ShopId), Failure> {
    let mut trials = Trials::default();
    let mut shop: Option<ShopId> = None;
    for endpoint in endpoints {
        let TrialEndpoint { id, shop: owner, mode, token, signing } = endpoint;
        if mode == Mode::Production && !options.into_production {
            continue;
        }
        if shop.as_ref().is_some_and(|shop| *shop != owner) {
            continue;
        }
        let token = token.expose_secret().to_owned();
        match (signing, &options.up2pay_key) {
            (Signing::Up2pay(template), Some(key)) if trials.up2pay.is_none() => {
                let pem = std::fs::read(key).map_err(Failure::io(key.display().to_string()))?;
                let key = TrialKey::from_private_pem(&pem)
                    .map_err(|error| Failure::Usage(format!("--up2pay-key: {error}")))?;
                trials.up2pay = Some(Up2payTrial { endpoint: id, token, mode, template, key, api: None });
            }
            (Signing::Sogecommerce(site_id, key, algorithm), _) if trials.sogecommerce.is_none() => {
                trials.sogecommerce = Some(SogecommerceTrial {
                    endpoint: id,
                    token,
                    site_id,
                    mode,
                    key,
                    algorithm,
                    api: false,
                });
            }
            (Signing::Worldline(merchant_id, key), _) if trials.worldline.is_none() => {
                trials.worldline = Some(WorldlineTrial { endpoint: id, token, merchant_id, key, api: false });
            }
            (Signing::Up2pay(_), None) if options.psp.is_none_or(|psp| psp == Psp::Up2pay) => {
                output::line(format!("{id} takes no part: --up2pay-key is missing"))?;
                continue;
            }
            (Signing::Up2pay(_) | Signing::Sogecommerce(..) | Signing::Worldline(..), _) => continue,
        }
        shop = Some(owner);
    }
    shop.map(|shop| (trials, shop)).ok_or_else(|| {
        Failure::Usage(
            "no endpoint takes part: it needs mode = \"test\" (or --into-production), and Up2pay needs --up2pay-key"
                .to_owned(),
        )
    })
}

fn plan(trials: Trials, options: &Options) -> Vec<Play> {
    let now = Clock::system().now();
    let seed = options.seed.unwrap_or(now.millis().unsigned_abs());
    let mut actor = Actor::new(trials, seed);
    if options.scenarios.is_empty() && options.psp.is_none() {
        return actor.play_mix(options.orders, now);
    }
    let scenarios = if options.scenarios.is_empty() { Scenario::ALL } else { &options.scenarios };
    let psps: Vec<Psp> =
        Psp::ALL.into_iter().filter(|psp| options.psp.is_none_or(|only| only == *psp)).collect();
    let mut plan = Vec::new();
    let stories = scenarios.iter().flat_map(|scenario| psps.iter().map(move |psp| (*scenario, *psp)));
    for (scenario, psp) in stories.cycle().take(options.orders.saturating_mul(scenarios.len() * psps.len())) {
        if plan.len() >= options.orders {
            break;
        }
        plan.extend(actor.play(scenario, psp, now));
    }
    plan
}
