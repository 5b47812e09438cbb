//! The stories hold: the adapters read what the scenario says, and reconciliation ends where it promises.

mod asking;
mod sending;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::{
    EndpointId, Instrument, Kind, Mode, Operation, Order, OrderVersion, Policy, Psp, ReportedState, Source,
    Timestamp,
};
use cvco_psp::api::BaseUrl;
use cvco_psp::sogecommerce::{Algorithm, Sogecommerce};
use cvco_psp::up2pay::{Template, TrialKey, Up2pay};
use cvco_psp::{
    Adapter, NotUnderstood, Reading, Rejection, Request, monext, sogecommerce, up2pay, worldline,
};
use cvco_reconcile::{Assessment, Fact, assess};
use proptest::prelude::*;
use proptest::sample::select;

use super::dice::Dice;
use super::*;

static KEY: LazyLock<TrialKey> = LazyLock::new(TrialKey::published);

const TEMPLATE: &str = "Mt:M;Ref:R;Auto:A;Appel:T;ChoixPaiement:P;ChoixCarte:C;Erreur:E;Transaction:S;\
                        Date:W;Heure:Q;Index:Z;Signature:K";

fn endpoint(psp: Psp) -> EndpointId {
    EndpointId::new(format!("camping-{psp}")).expect("an id")
}

fn trials(mode: Mode, template: &str) -> Trials {
    Trials {
        up2pay: Some(Up2payTrial {
            endpoint: endpoint(Psp::Up2pay),
            token: "u".repeat(32),
            mode,
            template: Template::parse(template).expect("a template"),
            key: KEY.clone(),
            api: Some(("1999888".to_owned(), "32".to_owned())),
        }),
        sogecommerce: Some(SogecommerceTrial {
            endpoint: endpoint(Psp::Sogecommerce),
            token: "s".repeat(32),
            site_id: sogecommerce::SiteId::new("12345678").expect("a site"),
            mode,
            key: "an example key".to_owned().into(),
            algorithm: Algorithm::HmacSha256,
            api: true,
        }),
        worldline: Some(WorldlineTrial {
            endpoint: endpoint(Psp::Worldline),
            token: "w".repeat(32),
            merchant_id: "PSPIDTEST".to_owned(),
            key: webhook_key(),
            api: true,
        }),
        monext: Some(MonextTrial {
            endpoint: endpoint(Psp::Monext),
            token: "m".repeat(32),
            voucher_contract: "CVCO1".to_owned(),
            card_contract: "CB1".to_owned(),
        }),
    }
}

fn webhook_key() -> worldline::WebhookKey {
    worldline::WebhookKey { id: "key".to_owned(), secret: "hello+world".to_owned().into() }
}

/// The APIs are asked at addresses like those of the sandbox.
fn api(path: &str) -> BaseUrl {
    BaseUrl::parse(&format!("http://127.0.0.1:1{path}")).expect("an address")
}

pub(super) fn actor(seed: u64) -> Actor {
    Actor::new(trials(Mode::Production, TEMPLATE), seed)
}

/// The adapters of the endpoints to which `trials` sends.
fn adapter(trials: &Trials, psp: Psp) -> Box<dyn Adapter> {
    match psp {
        Psp::Up2pay => {
            let trial = trials.up2pay.as_ref().expect("takes part");
            let key = RsaPublicKey::from_pem(trial.key.public_pem().as_bytes()).expect("a key");
            Box::new(Up2pay::new(up2pay::Settings {
                mode: trial.mode,
                template: trial.template.clone(),
                keys: vec![key],
                api: trial.api.clone().map(|(site, rang)| up2pay::ApiSettings {
                    base_url: api("/PPPS.php"),
                    backup_url: None,
                    site,
                    rang,
                    key: up2pay::ApiKey::from_hex(&"0123456789ABCDEF".repeat(8).into()).expect("a key"),
                }),
            }))
        }
        Psp::Worldline => {
            let trial = trials.worldline.as_ref().expect("takes part");
            Box::new(worldline::Worldline::new(worldline::Settings {
                mode: Mode::Production,
                merchant_id: trial.merchant_id.clone(),
                webhook_keys: vec![trial.key.clone()],
                api: Some(worldline::ApiSettings {
                    base_url: api(""),
                    key_id: "api".to_owned(),
                    secret: "secret".to_owned().into(),
                }),
            }))
        }
        Psp::Monext => {
            let trial = trials.monext.as_ref().expect("takes part");
            let contract = |text: &str| vec![cvco_domain::Contract::new(text).expect("a contract")];
            Box::new(monext::Monext::new(monext::Settings {
                mode: Mode::Production,
                merchant_id: "12345678901234".to_owned(),
                access_key: "key".to_owned().into(),
                base_url: api("/V4/services"),
                directory_url: None,
                voucher_contracts: contract(&trial.voucher_contract),
                card_contracts: contract(&trial.card_contract),
            }))
        }
        Psp::Ancv => unreachable!("it has no stories"),
        Psp::Sogecommerce => {
            let trial = trials.sogecommerce.as_ref().expect("takes part");
            Box::new(Sogecommerce::new(sogecommerce::Settings {
                mode: trial.mode,
                site_id: trial.site_id.clone(),
                keys: vec![trial.key.clone()],
                algorithm: trial.algorithm,
                api: trial.api.then(|| api("/api-payment/V4")),
                rest_passwords: vec!["password".to_owned().into()],
            }))
        }
    }
}

fn noon() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:09Z").expect("valid")
}

/// What an adapter says of a request, as the listener asks it.
fn prove_and_read(adapter: &dyn Adapter, request: &Request<'_>) -> Result<Reading, Rejection> {
    let message = adapter.prove(request)?;
    let understood = adapter.read(&message);
    Ok(understood.unwrap_or_else(|NotUnderstood { what }| panic!("a genuine message is not read: {what}")))
}

fn read(message: &Message) -> Result<Reading, Rejection> {
    let trials = trials(Mode::Production, TEMPLATE);
    prove_and_read(&*adapter(&trials, message.psp), &message.wire.as_request())
}

/// Instrument, direction and state of each event that the messages of a story state, message by message.
fn told(scenario: Scenario, psp: Psp) -> Vec<Vec<String>> {
    let play = actor(1).play(scenario, psp, noon()).expect("the PSP tells it");
    let line = |message: &Message| {
        let reading = read(message).expect("genuine");
        let word = |event: &cvco_domain::Event| {
            let refund = if event.operation == Operation::Debit { "" } else { "refund of " };
            format!("{refund}{} {:?}", event.instrument, event.state).to_lowercase()
        };
        reading.events().iter().map(word).collect()
    };
    play.messages.iter().map(line).collect()
}

#[test]
fn up2pay_calls_for_each_part_on_its_own() {
    let sorted = |scenario| {
        let mut calls = told(scenario, Psp::Up2pay).concat();
        calls.sort();
        calls
    };
    assert_eq!(sorted(Scenario::Split), ["card authorised", "voucher authorised"]);
    assert_eq!(sorted(Scenario::Duplicate).len(), 6);
    assert_eq!(told(Scenario::VoucherOnly, Psp::Up2pay), [["voucher authorised"]]);
    assert_eq!(told(Scenario::Refused, Psp::Up2pay), [["voucher refused"]]);
    assert_eq!(told(Scenario::MissingComplement, Psp::Up2pay), [["voucher authorised"]]);
    assert_eq!(told(Scenario::OrphanComplement, Psp::Up2pay), [["card authorised"]]);
    assert_eq!(
        told(Scenario::AbandonedComplement, Psp::Up2pay),
        [["voucher authorised"], ["card abandoned"]]
    );
    assert_eq!(
        told(Scenario::PendingThenAccepted, Psp::Up2pay),
        [["voucher pending"], ["voucher authorised"]]
    );
    assert_eq!(told(Scenario::RefusedThenAccepted, Psp::Up2pay)[0], ["card refused"]);
}

#[test]
fn sogecommerce_tells_the_whole_payment_at_once() {
    let told = |scenario| told(scenario, Psp::Sogecommerce);
    assert_eq!(told(Scenario::Split), [["voucher authorised", "card authorised"]]);
    assert_eq!(told(Scenario::Duplicate), [["voucher authorised", "card authorised"]; 3]);
    assert_eq!(told(Scenario::CardOnly), [["card authorised"]]);
    assert_eq!(
        told(Scenario::RefusedThenAccepted),
        [["voucher authorised", "card refused", "card authorised"]]
    );
    assert_eq!(told(Scenario::AbandonedComplement), [["card abandoned"]]);
    assert_eq!(told(Scenario::Cancelled), [["voucher authorised"], ["voucher cancelled"]]);
    assert_eq!(
        told(Scenario::Refund),
        [vec!["voucher authorised", "card authorised"], vec!["refund of voucher authorised"]]
    );
}

#[test]
fn a_split_comes_in_both_orders() {
    let first = |seed| {
        let play = actor(seed).play(Scenario::Split, Psp::Up2pay, noon()).expect("told");
        read(&play.messages[0]).expect("genuine").events()[0].instrument
    };
    let seen: BTreeSet<_> = (0..20).map(first).collect();
    assert_eq!(seen, BTreeSet::from([Instrument::Voucher, Instrument::Card]));
}

#[test]
fn a_forged_message_has_a_signature_that_does_not_fit() {
    for psp in [Psp::Up2pay, Psp::Sogecommerce, Psp::Worldline] {
        let play = actor(1).play(Scenario::Forged, psp, noon()).expect("told");
        for message in &play.messages {
            assert_eq!(read(message), Err(Rejection::Signature));
            let payload = String::from_utf8_lossy(message.wire.as_request().payload()).into_owned();
            assert!(payload.contains(&play.reference), "it names the order that it seems to pay");
        }
    }
}

#[test]
fn on_the_trial_platform_a_card_of_up2pay_has_no_real_authorisation() {
    let trials = trials(Mode::Test, TEMPLATE);
    let mut actor = Actor::new(trials.clone(), 1);
    let card = actor.play(Scenario::OrphanComplement, Psp::Up2pay, noon()).expect("told");
    let adapter = adapter(&trials, Psp::Up2pay);
    let reading = prove_and_read(&*adapter, &card.messages[0].wire.as_request()).expect("genuine");
    assert_eq!(
        (reading.events()[0].mode, reading.events()[0].state),
        (Some(Mode::Test), ReportedState::Authorised)
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let mix = |seed| actor(seed).play_mix(100, noon());
    assert_eq!(mix(1), mix(1));
    assert_ne!(mix(1), mix(2));
    assert_eq!(mix(1).len(), 100);
    assert_eq!(Actor::new(Trials::default(), 1).play_mix(100, noon()), []);
}

#[test]
fn no_two_plays_share_an_order_or_a_payment() {
    let plays = actor(1).play_mix(300, noon());
    let references: BTreeSet<_> = plays.iter().map(|play| play.reference.as_str()).collect();
    assert_eq!(references.len(), plays.len());
    assert!(references.iter().all(|reference| reference.len() <= 20));

    let mut seen = BTreeSet::new();
    for play in &plays {
        let readings = play.messages.iter().filter_map(|message| read(message).ok());
        let own: BTreeSet<_> = readings
            .flat_map(|reading| reading.events().to_vec())
            .flat_map(|event| {
                let call = event.call_number.to_string();
                [Some(call), event.tender_id.map(|id| format!("transaction {id}"))]
            })
            .flatten()
            .collect();
        for number in own {
            assert!(seen.insert(number.clone()), "{number} stands in two plays");
        }
    }
}

fn assessed(play: &Play, trials: &Trials, order_of_arrival: u64) -> Assessment {
    let adapter = adapter(trials, play.psp);
    let mut messages = play.messages.clone();
    Dice::new(order_of_arrival).shuffle(&mut messages);
    let fact = |source: Source| {
        let (endpoint_mode, endpoint) = (adapter.mode(), endpoint(play.psp));
        move |event| Fact {
            event,
            psp: play.psp,
            source,
            endpoint: endpoint.clone(),
            endpoint_mode,
            received_at: noon(),
        }
    };
    let (mut facts, mut questions) = (Vec::new(), Vec::new());
    for message in &messages {
        let reading = prove_and_read(&*adapter, &message.wire.as_request());
        assert_eq!(reading.is_ok(), message.expect == Expect::Stored, "{reading:?}");
        let Ok(reading) = reading else { continue };
        questions.extend(reading.questions().to_vec());
        facts.extend(reading.events().iter().cloned().map(fact(Source::Notification)));
    }
    let known: Vec<_> = facts.iter().map(|fact| fact.event.clone()).collect();
    let answers = asking::confirmed(play, &*adapter, &questions, &known);
    facts.extend(answers.into_iter().map(fact(Source::Confirmation)));
    let version = OrderVersion {
        total: play.total,
        currency: cvco_domain::Currency::EUR,
        due: None,
        instalments: Vec::new(),
        registered_at: noon(),
    };
    let order =
        Order { versions: play.register.then_some(version).into_iter().collect(), ..Order::default() };
    let policy = Policy::default();
    assess(&order, &facts, &policy, noon().after(policy.complement_grace).after(policy.capture_grace))
}

/// Every story that some PSP tells.
fn stories() -> Vec<(Scenario, Psp)> {
    let all = Scenario::ALL.iter().flat_map(|scenario| Psp::ALL.map(|psp| (*scenario, psp)));
    all.filter(|(scenario, psp)| scenario.ending(*psp).is_some()).collect()
}

#[test]
fn what_cannot_be_told_is_not_played() {
    for scenario in Scenario::ALL {
        for psp in Psp::ALL {
            let played = actor(1).play(*scenario, psp, noon());
            assert_eq!(played.is_some(), scenario.ending(psp).is_some(), "{scenario} at {psp}");
        }
    }
}

proptest! {
    #[test]
    fn a_story_ends_as_promised_whatever_the_numbers_and_the_order_of_arrival(
        (scenario, psp) in select(stories()),
        seed: u64,
        order_of_arrival: u64,
        mode in select(vec![Mode::Production, Mode::Test]),
        template in select(vec![TEMPLATE.to_owned(), Template::default().to_string()]),
    ) {
        let trials = trials(mode, &template);
        let play = Actor::new(trials.clone(), seed).play(scenario, psp, noon()).expect("told");
        let assessment = assessed(&play, &trials, order_of_arrival);
        let mut found: Vec<Kind> = assessment.findings.iter().map(|finding| finding.kind).collect();
        found.sort();
        let ending = Ending { state: assessment.order_state, findings: scenario.promises(psp) };
        prop_assert_eq!(&found, scenario.promises(psp));
        prop_assert_eq!(Some(ending), scenario.ending(psp));
        prop_assert_eq!(assessment.look_again_at, None, "nothing is left to wait for");
    }
}
