//! Where orders are paid: two shops and their endpoints, each with the real adapter.

use std::sync::LazyLock;

use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::{Contract, EndpointId, Instrument, Mode, Policy, Psp, ShopId};
use cvco_psp::api::BaseUrl;
use cvco_psp::sogecommerce::{Algorithm, SiteId, Sogecommerce};
use cvco_psp::up2pay::{Template, TrialKey, Up2pay};
use cvco_psp::worldline::{WebhookKey, Worldline};
use cvco_psp::{Adapter, monext, sogecommerce, up2pay, worldline};

use crate::history::{Fate, Part};

/// An endpoint of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Up2pay,
    Up2payTrials,
    Sogecommerce,
    SogecommerceTrials,
    Worldline,
    /// Worldline again, at an endpoint that asks its API too.
    WorldlineAsked,
    Monext,
}

/// A place with its adapter.
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    pub(crate) shop: ShopId,
    pub(crate) adapter: Box<dyn Adapter>,
}

pub(crate) const SITE: &str = "12345678";
pub(crate) const MERCHANT: &str = "PSPIDTEST";
const VOUCHERS: &str = "CVCO1";
const CARDS: &str = "CB1";
/// Where the APIs are. Nobody listens there: the world answers itself.
pub(crate) const API: &str = "http://127.0.0.1:1";

/// One key for all: to make one takes longer than a world.
pub(crate) static KEY: LazyLock<TrialKey> = LazyLock::new(TrialKey::published);

pub(crate) static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let variables = "Mt:M;Ref:R;Auto:A;Appel:T;ChoixPaiement:P;ChoixCarte:C;Erreur:E;Transaction:S;Date:W;Heure:Q;\
                     Index:Z;Signature:K";
    Template::parse(variables).expect("a template")
});

static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| Place::ALL.map(Endpoint::of).into());

impl Place {
    pub(crate) const ALL: [Self; 7] = [
        Self::Up2pay,
        Self::Up2payTrials,
        Self::Sogecommerce,
        Self::SogecommerceTrials,
        Self::Worldline,
        Self::WorldlineAsked,
        Self::Monext,
    ];

    pub(crate) const fn psp(self) -> Psp {
        match self {
            Self::Up2pay | Self::Up2payTrials => Psp::Up2pay,
            Self::Sogecommerce | Self::SogecommerceTrials => Psp::Sogecommerce,
            Self::Worldline | Self::WorldlineAsked => Psp::Worldline,
            Self::Monext => Psp::Monext,
        }
    }

    pub(crate) const fn mode(self) -> Mode {
        match self {
            Self::Up2payTrials | Self::SogecommerceTrials => Mode::Test,
            Self::Up2pay | Self::Sogecommerce | Self::Worldline | Self::WorldlineAsked | Self::Monext => {
                Mode::Production
            }
        }
    }

    /// What is accepted at Worldline and Monext is usually captured at once.
    pub(crate) const fn usual(self, fate: Fate) -> Fate {
        match (fate, self.psp()) {
            (Fate::Accepted, Psp::Worldline | Psp::Monext) => Fate::Captured,
            (Fate::Accepted, _) => Fate::Authorised,
            (fate, _) => fate,
        }
    }

    pub(crate) fn endpoint(self) -> &'static Endpoint {
        ENDPOINTS.get(self as usize).expect("every place has an endpoint")
    }
}

/// The contract that settles a part.
pub(crate) const fn contract(part: &Part) -> &'static str {
    match part.instrument {
        _ if part.on_another_contract => "CB9",
        Instrument::Voucher => VOUCHERS,
        Instrument::Card => CARDS,
    }
}

/// The contracts that every endpoint knows.
pub(crate) fn policy(require_orders: bool) -> Policy {
    let contracts = || [VOUCHERS, CARDS].map(|text| Contract::new(text).expect("a contract")).into();
    let endpoints = Place::ALL.map(|place| (place.endpoint().id.clone(), contracts())).into();
    Policy { require_orders, endpoints, ..Policy::default() }
}

pub(crate) fn webhook_key() -> WebhookKey {
    WebhookKey { id: "key".to_owned(), secret: "hello+world".to_owned().into() }
}

pub(crate) fn form_key() -> secrecy::SecretString {
    "an example key".to_owned().into()
}

pub(crate) fn api(path: &str) -> BaseUrl {
    BaseUrl::parse(&format!("{API}{path}")).expect("an address")
}

impl Endpoint {
    fn of(place: Place) -> Self {
        let (id, shop) = match place {
            Place::Up2pay => ("pins-up2pay", "pins"),
            Place::Up2payTrials => ("gites-up2pay", "gites"),
            Place::Sogecommerce => ("pins-sogecommerce", "pins"),
            Place::SogecommerceTrials => ("gites-sogecommerce", "gites"),
            Place::Worldline => ("pins-worldline", "pins"),
            Place::WorldlineAsked => ("gites-worldline", "gites"),
            Place::Monext => ("pins-monext", "pins"),
        };
        Self {
            id: EndpointId::new(id).expect("an endpoint"),
            shop: ShopId::new(shop).expect("a shop"),
            adapter: adapter(place),
        }
    }
}

fn adapter(place: Place) -> Box<dyn Adapter> {
    let mode = place.mode();
    match place.psp() {
        Psp::Up2pay => Box::new(Up2pay::new(up2pay::Settings {
            mode,
            template: TEMPLATE.clone(),
            keys: vec![RsaPublicKey::from_pem(KEY.public_pem().as_bytes()).expect("a key")],
            api: None,
        })),
        Psp::Sogecommerce => Box::new(Sogecommerce::new(sogecommerce::Settings {
            mode,
            site_id: SiteId::new(SITE).expect("a site"),
            keys: vec![form_key()],
            algorithm: Algorithm::HmacSha256,
            rest_passwords: Vec::new(),
            api: None,
        })),
        Psp::Worldline => Box::new(Worldline::new(worldline::Settings {
            mode,
            merchant_id: MERCHANT.to_owned(),
            webhook_keys: vec![webhook_key()],
            api: (place == Place::WorldlineAsked).then(|| worldline::ApiSettings {
                base_url: api(""),
                key_id: "api".to_owned(),
                secret: "secret".to_owned().into(),
            }),
        })),
        Psp::Monext => Box::new(monext::Monext::new(monext::Settings {
            mode,
            merchant_id: "12345678901234".to_owned(),
            access_key: "key".to_owned().into(),
            base_url: api("/V4/services"),
            directory_url: None,
            voucher_contracts: vec![Contract::new(VOUCHERS).expect("a contract")],
            card_contracts: vec![Contract::new(CARDS).expect("a contract")],
        })),
        Psp::Ancv => unreachable!("no place of this world"),
    }
}
