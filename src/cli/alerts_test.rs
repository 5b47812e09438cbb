//! `alerts test`: a message to those whom alerts go to, so that nobody finds out too late that they do not arrive.

use std::path::Path;

use clap::Args;
use cvco_domain::{ShopId, Way};
use cvco_ledger::Class;
use cvco_mail::{Language, trial_mail};

use super::output::pair;
use super::site::{Here, Site};
use super::{Failure, Outcome, output, runtime};
use crate::alert::channel::{Message, TIME_LIMIT};
use crate::alert::{AlertSettings, Delivery, Mailer};
use crate::app::host_name;
use crate::clock::Clock;
use crate::config::{Config, Shop};
use crate::outbound::Client;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// To those who are told of this shop; without it, to everybody whom an alert may go to, on every way.
    #[arg(long, value_name = "ID")]
    shop: Option<String>,
    /// Only on this channel; `mail` for e-mail alone.
    #[arg(long, value_name = "ID")]
    channel: Option<Way>,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let config = Config::load(path)?;
    let language = Here::new(path).language()?;
    let Some(alerts) = &config.alerts else {
        return Err(Failure::Explained(pair(
            language,
            "il n’y a pas de [alerts]\u{a0}: personne n’est averti",
            "there is no [alerts]: nobody is told",
        )));
    };
    let shop = options.shop.as_deref().map(|id| known_shop(&config, id)).transpose()?;
    let is_wanted = |way: &Way| options.channel.as_ref().is_none_or(|wanted| wanted == way);
    let is_known =
        |wanted: &Way| wanted.is_mail() || alerts.channels.iter().any(|channel| channel.id == *wanted);
    if let Some(unknown) = options.channel.as_ref().filter(|wanted| !is_known(wanted)) {
        let known: Vec<&str> = alerts.channels.iter().map(|channel| channel.id.as_str()).collect();
        let known = known.join(" ");
        let what = pair(
            language,
            &format!("aucun [[alerts.channel]] ne s’appelle {unknown}\u{a0}; il y a\u{a0}: mail {known}"),
            &format!("no [[alerts.channel]] is called {unknown}; there are: mail {known}"),
        );
        return Err(Failure::Explained(what.trim_end().to_owned()));
    }
    let trial = Trial {
        alerts,
        shops: &config.shops,
        shop: shop.as_ref(),
        shop_name: shop.as_ref().map(|shop| config.shop_name(shop)),
        host: host_name(),
        clock: Clock::system(),
    };
    let mut all_arrived = true;
    let runtime = runtime()?;
    if is_wanted(&Way::mail()) {
        for mailer in trial.mailers() {
            let mut delivery = Delivery::default();
            let sent = runtime.block_on(trial.mail(&mailer, &mut delivery));
            let (taken, left): (Vec<_>, Vec<_>) =
                mailer.readers().into_iter().partition(|reader| delivery.taken.contains(reader));
            if !taken.is_empty() {
                tell(language, &taken.join(", "), Ok(()))?;
            }
            if !left.is_empty() {
                let why = sent.err().unwrap_or_else(|| {
                    pair(language, "le serveur refuse ce destinataire", "the server refuses this recipient")
                });
                all_arrived &= tell(language, &left.join(", "), Err(why))?;
            }
        }
    }
    let client = Client::new(config.confirm.proxy.clone(), TIME_LIMIT);
    for channel in alerts.channels.iter().filter(|channel| is_wanted(&channel.id)) {
        let theirs = alerts.language_of(trial.shop);
        let message = Message::test(trial_mail::short(theirs, trial.shop_name, &trial.host));
        let (id, now) = (trial.message_id(), trial.clock.now());
        let sent = runtime.block_on(channel.send(&client, &message, &id, now));
        let (id, kind) = (&channel.id, &channel.kind);
        let name = pair(language, &format!("canal {id} ({kind})"), &format!("channel {id} ({kind})"));
        all_arrived &= tell(language, &name, sent.map_err(|(error, _)| error.to_string()))?;
    }
    Ok(if all_arrived { Outcome::Fine } else { Outcome::FoundSomething })
}

fn known_shop(config: &Config, id: &str) -> Result<ShopId, Failure> {
    let known = config.shops.iter().find(|shop| shop.id.as_str() == id);
    known.map(|shop| shop.id.clone()).ok_or_else(|| Failure::Usage(format!("no [[shop]] has the id {id}")))
}

/// What is tried.
struct Trial<'c> {
    alerts: &'c AlertSettings,
    shops: &'c [Shop],
    shop: Option<&'c ShopId>,
    shop_name: Option<&'c str>,
    host: String,
    clock: Clock,
}

impl Trial<'_> {
    /// Everybody whom an alert may go to, each once.
    fn mailers(&self) -> Vec<Mailer> {
        let mut mailers: Vec<Mailer> = Vec::new();
        let shops = match self.shop {
            Some(shop) => vec![Some(shop)],
            None => [None].into_iter().chain(self.shops.iter().map(|shop| Some(&shop.id))).collect(),
        };
        let classes = [Class::Urgent, Class::Digest, Class::Escalation];
        for (shop, class) in shops.into_iter().flat_map(|shop| classes.map(|class| (shop, class))) {
            let mailer = self.alerts.mailer_of(shop, class);
            if !mailers.iter().any(|known| known.has_same_readers(mailer)) {
                mailers.push(mailer.clone());
            }
        }
        mailers
    }

    fn message_id(&self) -> String {
        format!("cvco-test-{}@{}", self.clock.now().millis(), self.host)
    }

    async fn mail(&self, mailer: &Mailer, delivery: &mut Delivery) -> Result<(), String> {
        let mail = trial_mail::mail(self.alerts.language_of(self.shop), self.shop_name, &self.host);
        let (id, now) = (self.message_id(), self.clock.now());
        mailer.send(&mail, &id, None, now, delivery).await.map_err(|error| error.to_string())
    }
}

/// Says what became of one message; whether it was taken.
fn tell(language: Language, to: &str, sent: Result<(), String>) -> Result<bool, Failure> {
    let (has_arrived, line) = match sent {
        Ok(()) => (true, pair(language, &format!("pris\u{a0}: {to}"), &format!("taken: {to}"))),
        Err(why) => {
            let refused = pair(
                language,
                &format!("PAS pris\u{a0}: {to}\u{a0}: {why}"),
                &format!("NOT taken: {to}: {why}"),
            );
            (false, refused)
        }
    };
    output::line(line).map(|()| has_arrived)
}
