//! Six weeks at a camping site: payments at three PSPs, a few that do not add up, and three people who may sign in. They are
//! told to a daemon in this process, on a clock of its own; each test then serves a copy.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use cvco_domain::{Mode, Psp, ShopId, Timestamp};
use cvco_psp::sogecommerce::{Algorithm, SiteId};
use cvco_psp::up2pay::{Template, TrialKey};
use cvco_psp::worldline::WebhookKey;
use cvco_reconciled::app::{self, Listeners, Setup};
use cvco_reconciled::clock::Clock;
use cvco_reconciled::config::Config;
use cvco_trial::simulate::{
    self, Actor, Admin, Dice, Pace, Play, Scenario, SogecommerceTrial, Trials, Up2payTrial, WorldlineTrial,
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Who may sign in.
pub struct Users;

impl Users {
    pub const VIEWER: &'static str = "vera";
    pub const ACCOUNTANT: &'static str = "marie";
    pub const ADMIN: &'static str = "adam";
    const ALL: [(&'static str, &'static str); 3] =
        [(Self::VIEWER, "viewer"), (Self::ACCOUNTANT, "accountant"), (Self::ADMIN, "admin")];
}

/// The password of everybody.
pub const PASSWORD: &str = "une phrase de passe";

const TOKEN: &str = "6f1c0a5be9d24c7f8a3b2c1d0e9f8a7b";
const SITE: &str = "12345678";
const KEY: &str = "1122334455667788";
const PSPID: &str = "PSPIDPINS";
const PRIVATE_PEM: &str = include_str!("../../../it/support/up2pay-private-key.pem");

/// So many days.
const DAYS: u32 = 42;

/// What does not add up: so many days ago, at this PSP.
const WRONG: [(u32, Scenario, Psp); 11] = [
    (33, Scenario::RefundAgainstRules, Psp::Sogecommerce),
    (24, Scenario::WrongAmount, Psp::Up2pay),
    (17, Scenario::DoublePayment, Psp::Sogecommerce),
    (12, Scenario::Refund, Psp::Sogecommerce),
    (9, Scenario::OrphanComplement, Psp::Up2pay),
    (6, Scenario::RefundAgainstRules, Psp::Worldline),
    (5, Scenario::Unregistered, Psp::Up2pay),
    (4, Scenario::Forged, Psp::Up2pay),
    (3, Scenario::MissingComplement, Psp::Up2pay),
    (1, Scenario::RefusedComplement, Psp::Worldline),
    (1, Scenario::AbandonedComplement, Psp::Up2pay),
];

/// What goes well, as often as it stands here.
const GOOD: [(Scenario, Psp); 10] = [
    (Scenario::Split, Psp::Up2pay),
    (Scenario::Split, Psp::Sogecommerce),
    (Scenario::Split, Psp::Worldline),
    (Scenario::Split, Psp::Up2pay),
    (Scenario::VoucherOnly, Psp::Up2pay),
    (Scenario::VoucherOnly, Psp::Sogecommerce),
    (Scenario::CardOnly, Psp::Sogecommerce),
    (Scenario::RefusedThenAccepted, Psp::Up2pay),
    (Scenario::TwoCards, Psp::Sogecommerce),
    (Scenario::WholeRefund, Psp::Sogecommerce),
];

/// A copy of its own for a test, whose e-mails go to this mailbox.
pub fn copy(mailbox: SocketAddr) -> TempDir {
    static LAID: OnceLock<PathBuf> = OnceLock::new();
    let laid = LAID.get_or_init(|| {
        // Each test has a runtime of its own, and this one is to end before they look.
        let laying =
            std::thread::spawn(|| tokio::runtime::Runtime::new().expect("a runtime").block_on(lay()));
        laying.join().expect("laid")
    });
    let folder = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(laid).expect("a folder") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("copied");
    }
    configure(folder.path(), mailbox);
    folder
}

fn configure(folder: &Path, mailbox: SocketAddr) -> PathBuf {
    let hash = cvco_domain::crypto::HashedPassword::of(&PASSWORD.to_owned().into()).expect("a hash");
    let users = Users::ALL.map(|(name, role)| {
        format!(
            "[[admin.user]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_hash = \"{}\"\n",
            hash.as_str()
        )
    });
    // What was paid in the first weeks has been paid out, and is nobody's concern.
    let since = Clock::system().now().before(Duration::from_hours(24 * 21)).to_string();
    let since = since.split('T').next().expect("a day");
    let text = format!(
        r#"[listener]
public = "127.0.0.1:0"
admin = "127.0.0.1:0"
[ledger]
path = "ledger.sqlite"
[reconcile]
complement_grace = "1h"
[alerts]
language = "fr"
from = "cvco@camping.example"
to = ["compta@camping.example"]
smtp = "smtp://{mailbox}"
digest = "0s"
[accounting]
siren = "732829320"
[[statement]]
id = "ancv"
issuer = "ancv"
since = "{since}"
encoding = "utf-8"
columns = {{ reference = "Référence", amount = "Montant", commission = "Commission", date = "Date", statement = "Relevé", paid_on = "Versé le" }}
[[shop]]
id = "camping"
name = "Camping des Pins"
[[shop.endpoint]]
id = "up2pay"
psp = "up2pay"
mode = "production"
token = "{TOKEN}"
public_key_files = ["up2pay.pem"]
[[shop.endpoint]]
id = "sogecommerce"
psp = "sogecommerce"
mode = "production"
token = "{TOKEN}"
site_id = "{SITE}"
key = "{KEY}"
[[shop.endpoint]]
id = "worldline"
psp = "worldline"
mode = "production"
token = "{TOKEN}"
merchant_id = "{PSPID}"
webhook_keys = [{{ id = "webhook-id", secret = "{KEY}" }}]
{}"#,
        users.concat()
    );
    let path = folder.join("config.toml");
    std::fs::write(&path, text).expect("configuration");
    path
}

/// Lays the ledger; where it is.
async fn lay() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demonstration");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder");
    let key = TrialKey::from_private_pem(PRIVATE_PEM.as_bytes()).expect("a key");
    std::fs::write(folder.join("up2pay.pem"), key.public_pem()).expect("written");
    let mailbox = cvco_trial::mail_sink::MailSink::start("127.0.0.1:0".parse().expect("address"))
        .await
        .expect("a mailbox");
    let config_path = configure(&folder, mailbox.address());
    let config = Config::load(&config_path).unwrap_or_else(|error| panic!("{error}"));
    let listeners = Listeners::open(&config).await.expect("listeners");
    let address = |listener: &tokio::net::TcpListener| {
        let address = listener.local_addr().expect("bound");
        format!("http://{address}").parse::<simulate::Address>().expect("an address")
    };
    let (public, admin) = (address(&listeners.public), address(&listeners.admin));
    let now = Clock::system().now();
    let clock = Clock::manual(now.before(Duration::from_hours(24 * u64::from(DAYS))));
    let stop = CancellationToken::new();
    let (_reload, reloads) = mpsc::channel(1);
    let errands = cvco_reconciled::cli::errands();
    let setup = Setup { config, config_path: None, listeners, clock: clock.clone(), errands };
    let daemon = tokio::spawn(app::run(setup, reloads, stop.clone()));

    let admin = Admin { address: admin, shop: ShopId::new("camping").expect("a shop"), token: None };
    let pace = Pace { per_second: None, connections: NonZeroUsize::MIN };
    let mut actor = Actor::new(trials(key), 2026);
    let mut dice = Dice::new(7);
    for ago in (0..DAYS).rev() {
        for plays in days_plays(&mut actor, &mut dice, now, ago) {
            clock.set(plays.0);
            let report =
                simulate::run(&public, Some(&admin), vec![plays.1], pace, |_| {}).await.expect("sent");
            assert_eq!(report.unexpected_count, 0, "{report}");
        }
    }
    stop.cancel();
    daemon.await.expect("ended").expect("in good order");
    folder
}

/// What is paid on a day, and when: more at the weekend, and nothing later than an hour ago.
fn days_plays(actor: &mut Actor, dice: &mut Dice, now: Timestamp, ago: u32) -> Vec<(Timestamp, Play)> {
    let start = now.before(Duration::from_hours(24 * u64::from(ago) + 8));
    let mut stories: Vec<(Scenario, Psp)> =
        WRONG.iter().filter(|(day, ..)| *day == ago).map(|(_, scenario, psp)| (*scenario, *psp)).collect();
    let count = 2 + dice.below(5) + if ago % 7 < 2 { 3 } else { 0 };
    stories.extend((0..count).map(|_| GOOD[usize::try_from(dice.below(10)).expect("few")]));
    dice.shuffle(&mut stories);
    let gap = Duration::from_mins(7 * 60 / u64::try_from(stories.len()).expect("few"));
    let times = std::iter::successors(Some(start), |at| Some(at.after(gap)));
    let plays = stories.into_iter().zip(times).map(|((scenario, psp), at)| {
        let play = actor.play(scenario, psp, at);
        (at, play.unwrap_or_else(|| panic!("{scenario} at {psp}")))
    });
    plays.collect()
}

fn trials(key: TrialKey) -> Trials {
    let endpoint = |name: &str| name.parse().expect("an endpoint");
    Trials {
        up2pay: Some(Up2payTrial {
            endpoint: endpoint("up2pay"),
            token: TOKEN.to_owned(),
            mode: Mode::Production,
            template: Template::default(),
            key,
            api: None,
        }),
        sogecommerce: Some(SogecommerceTrial {
            endpoint: endpoint("sogecommerce"),
            token: TOKEN.to_owned(),
            site_id: SiteId::new(SITE).expect("a site"),
            mode: Mode::Production,
            key: KEY.to_owned().into(),
            algorithm: Algorithm::HmacSha256,
            api: false,
        }),
        worldline: Some(WorldlineTrial {
            endpoint: endpoint("worldline"),
            token: TOKEN.to_owned(),
            merchant_id: PSPID.to_owned(),
            key: WebhookKey { id: "webhook-id".to_owned(), secret: KEY.to_owned().into() },
            api: false,
        }),
        monext: None,
    }
}
