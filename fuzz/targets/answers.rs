//! Any answer of a PSP's API, to each kind of question: about a call, a reference, a span of time.
#![no_main]

use cvco_domain::{OrderRef, Timestamp};
use cvco_fuzz::{ADAPTERS, Wire, signed};
use cvco_psp::Request;
use cvco_psp::api::{Api, ApiResponse, Exchange, Inquiry, ProbeStep, Step};
use libfuzzer_sys::fuzz_target;

/// The most calls that one question may take.
const CALLS: usize = 8;

fn converse(api: &dyn Api, inquiry: &Inquiry<'_>, answer: &ApiResponse, now: Timestamp) {
    let mut said = Vec::new();
    while said.len() < CALLS {
        match api.next(inquiry, &said, now) {
            Step::Call(request) => said.push(Exchange { request, outcome: Ok(answer.clone()) }),
            Step::Answered(_) | Step::Failed(_) => return,
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let wire = Wire::of(data);
    let answer = ApiResponse { status: wire.status(), body: wire.body.to_vec() };
    let now = Timestamp::from_millis(1_772_000_000_000);
    let from = Timestamp::from_millis(1_771_000_000_000);
    for adapter in ADAPTERS.iter().map(AsRef::as_ref) {
        let Some(api) = adapter.api() else { continue };
        let mut questions = api.window(from, now);
        questions.extend(OrderRef::new("CMD9542125").ok().and_then(|order| api.order(&order)));
        questions.extend(adapter.session("f1c0a5be9d24c7f8a3b2").ok());
        let mut events = Vec::new();
        let mut learn = |request: &Request<'_>| {
            let Ok(message) = adapter.prove(request) else { return };
            let Ok(reading) = adapter.read(&message) else { return };
            questions.extend(reading.questions().iter().cloned());
            events.extend(reading.events().iter().cloned());
        };
        let headers = wire.headers_for(adapter);
        learn(&Request { method: wire.method, query: wire.query, body: wire.body, headers: &headers });
        signed(adapter, &wire, &mut learn);
        questions.extend(events.iter().filter_map(|event| api.again(event)));
        for question in questions.iter().take(32) {
            converse(api, &Inquiry { question, known: &[] }, &answer, now);
            converse(api, &Inquiry { question, known: &events }, &answer, now);
        }
        let mut said = Vec::new();
        while let ProbeStep::Call(request) = api.probe(&said, now)
            && said.len() < CALLS
        {
            said.push(Exchange { request, outcome: Ok(answer.clone()) });
        }
    }
});
