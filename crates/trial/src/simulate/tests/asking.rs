//! An API in miniature: it answers what a play has laid out, without any socket.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cvco_domain::{Event, Question, Standing};
use cvco_psp::Method;
use cvco_psp::api::{ApiRequest, ApiResponse, Exchange, Inquiry, Step};

use super::*;
use crate::sandbox::Seen;

/// What the API of a play's PSP states about its questions, asked until nothing is undecided.
pub(super) fn confirmed(
    play: &Play,
    adapter: &dyn Adapter,
    questions: &[Question],
    known: &[Event],
) -> Vec<Event> {
    let Some(api) = adapter.api() else { return Vec::new() };
    let mut given: BTreeMap<usize, usize> = BTreeMap::new();
    let mut asked: BTreeSet<Question> = BTreeSet::new();
    let mut queue: VecDeque<Question> = questions.iter().cloned().collect();
    let mut events = Vec::new();
    while let Some(question) = queue.pop_front() {
        if !asked.insert(question.clone()) {
            continue;
        }
        for _again in 0..5 {
            let answer = ask(play, &mut given, api, &Inquiry { question: &question, known });
            events.extend(answer.events);
            queue.extend(answer.questions);
            if answer.standing != Standing::Unsettled {
                break;
            }
        }
    }
    events
}

fn ask(
    play: &Play,
    given: &mut BTreeMap<usize, usize>,
    api: &dyn cvco_psp::api::Api,
    inquiry: &Inquiry<'_>,
) -> cvco_psp::api::Answer {
    let mut said = Vec::new();
    loop {
        match api.next(inquiry, &said, noon()) {
            Step::Answered(answer) => return answer,
            Step::Failed(why) => panic!("{} at {}: {why}", play.scenario, play.psp),
            Step::Call(request) => {
                let response = respond(play, given, &request);
                said.push(Exchange { request, outcome: Ok(response) });
            }
        }
        assert!(said.len() < 20, "it never ends");
    }
}

/// The latest answer that was laid out for the call, in its turn.
fn respond(play: &Play, given: &mut BTreeMap<usize, usize>, request: &ApiRequest) -> ApiResponse {
    let seen = seen(request);
    let laid = play.answers.iter().enumerate().rfind(|(_, laid)| laid.calls.fits(&seen));
    let Some((place, laid)) = laid else { return ApiResponse { status: 404, body: Vec::new() } };
    let turn = given.entry(place).or_default();
    let answer = laid.answers.get(*turn).or(laid.answers.last()).expect("an answer is laid out");
    *turn += 1;
    ApiResponse { status: answer.status(), body: answer.body().to_vec() }
}

fn seen(request: &ApiRequest) -> Seen {
    let (_, rest) = request.url.split_once("://").expect("an address");
    let target = rest.split_once('/').map_or_else(String::new, |(_, target)| target.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Seen {
        method: if request.method == Method::Get { "GET" } else { "POST" }.to_owned(),
        path: format!("/{path}"),
        query: query.to_owned(),
        headers: Vec::new(),
        body: request.body.clone(),
    }
}
