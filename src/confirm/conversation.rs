//! One question, from its first call to its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cvco_domain::Bilingual;
use cvco_psp::api::{Answer, Api, ApiRequest, Exchange, Inquiry, NoAnswer, ProbeStep, Step};

use crate::clock::Clock;
use crate::outbound::Client;

/// No conversation needs more calls.
const MOST_CALLS: usize = 16;

/// So much of what a PSP answered is kept: several times what any honest answer has.
const MOST_EVIDENCE: usize = 1024 * 1024;

/// How a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The answer, or why there is none.
    pub answer: Result<Answer, NoAnswer>,
    /// What the PSP said, as evidence: the bodies of its answers, one after the other, cut where they grow too long.
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
        let step = guarded(|| api.next(inquiry, &said, clock.now()));
        match step.unwrap_or_else(Step::Failed) {
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
pub async fn probe(api: &dyn Api, client: &Client, clock: &Clock) -> Result<Bilingual, NoAnswer> {
    let mut said = Vec::new();
    loop {
        let step = guarded(|| api.probe(&said, clock.now()));
        match step.unwrap_or_else(ProbeStep::Bad) {
            ProbeStep::Good(words) => return Ok(words),
            ProbeStep::Bad(why) => return Err(why),
            ProbeStep::Call(_) if said.len() >= MOST_CALLS => return Err(endless()),
            ProbeStep::Call(request) => said.push(exchange(client, request).await),
        }
    }
}

fn endless() -> NoAnswer {
    NoAnswer::trouble(
        format!("pas de réponse après {MOST_CALLS} appels"),
        format!("no answer after {MOST_CALLS} calls"),
    )
}

/// What an adapter says. A panic in one would be a bug of ours: it costs an attempt at that one question, and nothing
/// else.
fn guarded<T>(say: impl FnOnce() -> T) -> Result<T, NoAnswer> {
    let failed = |_| {
        NoAnswer::trouble(
            "l’adaptateur a échoué sur ce qui lui a été répondu\u{a0}; signalez-le",
            "the adapter failed on what it was told; please report it",
        )
    };
    catch_unwind(AssertUnwindSafe(say)).map_err(failed)
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
    let mut evidence = bodies.join(&b"\n"[..]);
    evidence.truncate(MOST_EVIDENCE);
    evidence
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use cvco_domain::{Asking, Event, Question, Subject, Timestamp, Topic};

    /// An adapter with a bug.
    struct Broken;

    impl Api for Broken {
        fn next(&self, _inquiry: &Inquiry<'_>, _said: &[Exchange], _now: Timestamp) -> Step {
            panic!("a bug")
        }
        fn probe(&self, _said: &[Exchange], _now: Timestamp) -> ProbeStep {
            panic!("a bug")
        }
        fn again(&self, _event: &Event) -> Option<Question> {
            None
        }
    }

    #[tokio::test]
    async fn an_adapter_that_fails_costs_one_attempt_and_not_the_worker() {
        let (client, clock) = (Client::new(None, Duration::from_secs(1)), Clock::system());
        let question = Question {
            topic: Topic::Payment,
            subject: Subject::new("1").expect("a subject"),
            asking: Asking::Again,
        };
        let inquiry = Inquiry { question: &question, known: &[] };
        let outcome = ask(&Broken, &inquiry, (&client, &clock), || async {}).await;
        assert!(matches!(outcome.answer, Err(NoAnswer::Trouble(_))));
        assert!(matches!(probe(&Broken, &client, &clock).await, Err(NoAnswer::Trouble(_))));
    }
}
