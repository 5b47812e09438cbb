//! One question, from its first call to its answer.

use crate::clock::Clock;
use crate::outbound::Client;
use crate::psp::api::{Answer, Api, ApiRequest, Exchange, Inquiry, NoAnswer, ProbeStep, Step};

/// No conversation needs more calls.
const MOST_CALLS: usize = 16;

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The answer, or why there is none.
    pub answer: Result<Answer, NoAnswer>,
    /// What the PSP said, as evidence: the bodies of its answers, one after the other.
    pub evidence: Vec<u8>,
}

/// Lets the API answer a question. `turn` is awaited before each call, so that calls keep their distance.
pub async fn ask<T>(
    api: &dyn Api,
    inquiry: &Inquiry<'_>,
    (client, clock): (&Client, &Clock),
    turn: impl Fn() -> T,
) -> Outcome
where
    T: Future<Output = ()>,
{
    let mut said = Vec::new();
    let answer = loop {
        match api.next(inquiry, &said, clock.now()) {
            Step::Answered(answer) => break Ok(answer),
            Step::Failed(why) => break Err(why),
            Step::Call(_) if said.len() >= MOST_CALLS => break Err(endless()),
            Step::Call(request) => {
                turn().await;
                said.push(exchange(client, request).await);
            }
        }
    };
    Outcome { answer, evidence: evidence(&said) }
}

/// Tries address and credentials with a call that asks nothing. What it found, in words.
///
/// # Errors
/// Why the API cannot be asked.
pub async fn probe(api: &dyn Api, client: &Client, clock: &Clock) -> Result<String, NoAnswer> {
    let mut said = Vec::new();
    loop {
        match api.probe(&said, clock.now()) {
            ProbeStep::Good(words) => return Ok(words),
            ProbeStep::Bad(why) => return Err(why),
            ProbeStep::Call(_) if said.len() >= MOST_CALLS => return Err(endless()),
            ProbeStep::Call(request) => said.push(exchange(client, request).await),
        }
    }
}

fn endless() -> NoAnswer {
    NoAnswer::Trouble(format!("no answer after {MOST_CALLS} calls"))
}

async fn exchange(client: &Client, request: ApiRequest) -> Exchange {
    let outcome = client.carry(&request).await;
    Exchange { request, outcome }
}

fn evidence(said: &[Exchange]) -> Vec<u8> {
    let bodies: Vec<&[u8]> = said
        .iter()
        .filter_map(|exchange| exchange.outcome.as_ref().ok())
        .map(|r| r.body.as_slice())
        .collect();
    bodies.join(&b"\n"[..])
}
