//! Plays stories: shop, buyer and PSP in one.

use std::sync::Arc;

use cvco_domain::{Cents, EndpointId, Psp, Timestamp};
use cvco_psp::WireMessage;

use super::monext::MonextTrial;
use super::numbers::{Basket, Numbers};
use super::scenario::Scenario;
use super::sogecommerce::SogecommerceTrial;
use super::up2pay::Up2payTrial;
use super::worldline::WorldlineTrial;
use crate::sandbox::{Canned, Match};

/// What the daemon must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expect {
    /// It is genuine: 200.
    Stored,
    /// Its signature does not fit: 403.
    Refused,
    /// Its signature does not fit, at a PSP that expects 401 for it.
    Unauthorised,
}

impl Expect {
    /// The status that says so.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Stored => 200,
            Self::Refused => 403,
            Self::Unauthorised => 401,
        }
    }
}

/// One call of a notification URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who calls.
    pub psp: Psp,
    /// The path of the notification URL, with the endpoint's token.
    pub path: Arc<str>,
    /// The message itself.
    pub wire: WireMessage,
    /// What the daemon must answer.
    pub expect: Expect,
}

/// One story of one order, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// The story.
    pub scenario: Scenario,
    /// The PSP that tells it.
    pub psp: Psp,
    /// The order's reference, of at most 20 characters.
    pub reference: String,
    /// What the shop expects for the order.
    pub total: Cents,
    /// Whether the shop registers the order.
    pub register: bool,
    /// The messages, in the order in which they are sent.
    pub messages: Vec<Message>,
    /// What the PSP's API says when it is asked.
    pub answers: Vec<CannedAnswers>,
}

/// What a sandbox answers to some calls, one answer after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannedAnswers {
    /// The calls.
    pub calls: Match,
    /// The answers.
    pub answers: Vec<Canned>,
}

impl CannedAnswers {
    /// Always the same answer.
    #[must_use]
    pub(super) fn one(calls: Match, answer: Canned) -> Self {
        Self { calls, answers: vec![answer] }
    }
}

/// The messages and API answers that tell a story.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) wires: Vec<WireMessage>,
    pub(super) answers: Vec<CannedAnswers>,
}

impl Script {
    /// This script followed by `other`.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.wires.extend(other.wires);
        self.answers.extend(other.answers);
        self
    }
}

/// The endpoints that take part.
#[derive(Debug, Clone, Default)]
pub struct Trials {
    /// Up2pay's.
    pub up2pay: Option<Up2payTrial>,
    /// Sogecommerce's.
    pub sogecommerce: Option<SogecommerceTrial>,
    /// Worldline's.
    pub worldline: Option<WorldlineTrial>,
    /// Monext's.
    pub monext: Option<MonextTrial>,
}

impl Trials {
    const fn has(&self, psp: Psp) -> bool {
        match psp {
            Psp::Up2pay => self.up2pay.is_some(),
            Psp::Sogecommerce => self.sogecommerce.is_some(),
            Psp::Worldline => self.worldline.is_some(),
            Psp::Monext => self.monext.is_some(),
            Psp::Ancv => false,
        }
    }

    /// Whether its API is asked, and answered for by a sandbox.
    fn has_api(&self, psp: Psp) -> bool {
        match psp {
            Psp::Up2pay => self.up2pay.as_ref().is_some_and(|trial| trial.api.is_some()),
            Psp::Sogecommerce => self.sogecommerce.as_ref().is_some_and(|trial| trial.api),
            Psp::Worldline => self.worldline.as_ref().is_some_and(|trial| trial.api),
            Psp::Monext => self.monext.is_some(),
            Psp::Ancv => false,
        }
    }
}

/// Plays stories one after the other: the same seed, keys and dates give the same bytes. No two plays of one
/// actor share a reference, a call number or a transaction.
#[derive(Debug, Clone)]
pub struct Actor {
    trials: Trials,
    numbers: Numbers,
}

impl Actor {
    /// An actor who has played nothing yet.
    #[must_use]
    pub fn new(trials: Trials, seed: u64) -> Self {
        Self { trials, numbers: Numbers::new(seed) }
    }

    /// Plays one story of a buyer who opens the payment page at this instant; `None` if the PSP takes no part or
    /// cannot tell it.
    pub fn play(&mut self, scenario: Scenario, psp: Psp, at: Timestamp) -> Option<Play> {
        let basket = self.numbers.basket(at);
        let (path, Script { wires, answers }) = self.tell(scenario, psp, &basket)?;
        let mut reference = basket.reference.clone();
        let mut messages: Vec<_> = wires
            .into_iter()
            .map(|wire| Message { psp, path: Arc::clone(&path), wire, expect: Expect::Stored })
            .collect();
        if let (Scenario::Forged, Some(refusal)) = (scenario, refusal(psp)) {
            reference = self.numbers.reference();
            for message in &mut messages {
                message.wire = forge(&message.wire, &basket.reference, &reference);
                message.expect = refusal;
            }
        }
        let register = scenario.is_registered();
        Some(Play { scenario, psp, reference, total: basket.total, register, messages, answers })
    }

    /// Plays so many stories, drawn by their weights from all that the endpoints can tell; none if no endpoint
    /// takes part.
    pub fn play_mix(&mut self, count: usize, at: Timestamp) -> Vec<Play> {
        let repertoire: Vec<_> = Psp::ALL
            .into_iter()
            .filter(|psp| self.trials.has(*psp))
            .flat_map(|psp| Scenario::ALL.iter().map(move |scenario| (*scenario, psp)))
            .filter(|(scenario, psp)| scenario.ending(*psp).is_some())
            .filter(|(scenario, psp)| self.trials.has_api(*psp) || !scenario.needs_api(*psp))
            .collect();
        let all: u64 = repertoire.iter().map(|(scenario, _)| u64::from(scenario.weight())).sum();
        (0..count)
            .filter_map(|_| {
                let mut drawn = self.numbers.dice.below(all);
                let (scenario, psp) = repertoire.iter().find(|(scenario, _)| {
                    let weight = u64::from(scenario.weight());
                    let hit = drawn < weight;
                    drawn = drawn.saturating_sub(weight);
                    hit
                })?;
                self.play(*scenario, *psp, at)
            })
            .collect()
    }

    fn tell(&mut self, scenario: Scenario, psp: Psp, basket: &Basket) -> Option<(Arc<str>, Script)> {
        let numbers = &mut self.numbers;
        match psp {
            Psp::Up2pay => {
                let trial = self.trials.up2pay.as_ref()?;
                Some((path(&trial.endpoint, &trial.token), trial.tell(scenario, basket, numbers)?))
            }
            Psp::Sogecommerce => {
                let trial = self.trials.sogecommerce.as_ref()?;
                Some((path(&trial.endpoint, &trial.token), trial.tell(scenario, basket, numbers)?))
            }
            Psp::Worldline => {
                let trial = self.trials.worldline.as_ref()?;
                Some((path(&trial.endpoint, &trial.token), trial.tell(scenario, basket, numbers)?))
            }
            Psp::Monext => {
                let trial = self.trials.monext.as_ref()?;
                Some((path(&trial.endpoint, &trial.token), trial.tell(scenario, basket, numbers)?))
            }
            Psp::Ancv => None,
        }
    }
}

fn path(endpoint: &EndpointId, token: &str) -> Arc<str> {
    format!("/n/{endpoint}/{token}").into()
}

/// What a message that was changed on its way is answered with; `None` where nothing is signed.
const fn refusal(psp: Psp) -> Option<Expect> {
    match psp {
        Psp::Up2pay | Psp::Sogecommerce => Some(Expect::Refused),
        Psp::Worldline => Some(Expect::Unauthorised),
        Psp::Monext | Psp::Ancv => None,
    }
}

/// Passes a genuine message off as one about another order.
fn forge(genuine: &WireMessage, reference: &str, other: &str) -> WireMessage {
    WireMessage {
        method: genuine.method,
        query: genuine.query.replace(reference, other),
        body: genuine.body.replace(reference, other),
        headers: genuine.headers.clone(),
    }
}
