//! A run against a daemon in miniature: the real adapters behind a socket, and nothing else.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cvco_psp::Method;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method as Verb, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;

/// Answers of the miniature: 200 or 403 by the adapters, 400 for a path that is none.
struct Miniature {
    adapters: Vec<(String, Box<dyn Adapter>)>,
    orders: Mutex<Vec<serde_json::Value>>,
}

impl Miniature {
    async fn start() -> (Arc<Self>, Address) {
        let trials = trials(Mode::Production, TEMPLATE);
        let paths = [(Psp::Up2pay, "u"), (Psp::Sogecommerce, "s"), (Psp::Worldline, "w"), (Psp::Monext, "m")];
        let adapters = paths
            .map(|(psp, token)| (format!("/n/camping-{psp}/{}", token.repeat(32)), adapter(&trials, psp)));
        let miniature = Arc::new(Self { adapters: adapters.into(), orders: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let serving = Arc::clone(&miniature);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = Arc::clone(&serving);
                let service = service_fn(move |request| {
                    let serving = Arc::clone(&serving);
                    async move { Ok::<_, Infallible>(serving.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        (miniature, address.parse().expect("an address"))
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let authorized = head.headers.get("authorization").is_some_and(|value| value == "Bearer trial");
        let status = if head.uri.path() == "/api/v1/orders" && authorized {
            let orders: Vec<_> = serde_json::from_slice(&body).expect("an array");
            self.orders.lock().expect("no panic").extend(orders);
            200
        } else if let Some((_, adapter)) = self.adapters.iter().find(|(path, _)| path == head.uri.path()) {
            let method = if head.method == Verb::POST { Method::Post } else { Method::Get };
            let query = head.uri.query().unwrap_or_default().as_bytes();
            let headers: Vec<_> = adapter
                .headers()
                .iter()
                .flat_map(|name| {
                    head.headers.get_all(*name).iter().map(|value| (*name, value.as_bytes().to_vec()))
                })
                .collect();
            let request = cvco_psp::Request { method, query, body: &body, headers: &headers };
            let reading = prove_and_read(&**adapter, &request);
            match (reading, adapter.psp()) {
                (Ok(_), _) => 200,
                (Err(_), Psp::Worldline) => 401,
                (Err(_), _) => 403,
            }
        } else {
            400
        };
        let answer = Full::new(Bytes::from_static(b"answer"));
        Response::builder().status(status).body(answer).expect("a response")
    }
}

fn unhurried() -> Pace {
    Pace { per_second: None, connections: NonZeroUsize::new(4).expect("more than none") }
}

fn admin(address: &Address, token: &str) -> Admin {
    let shop = cvco_domain::ShopId::new("camping").expect("an id");
    Admin { address: address.clone(), shop, token: Some(token.to_owned().into()) }
}

#[tokio::test]
async fn every_story_is_registered_sent_and_answered_as_expected() {
    let (miniature, address) = Miniature::start().await;
    let mut actor = actor(9);
    let plan: Vec<_> =
        stories().into_iter().filter_map(|(scenario, psp)| actor.play(scenario, psp, noon())).collect();
    let messages =
        |expect| plan.iter().flat_map(|play| &play.messages).filter(|m| m.expect == expect).count();
    let expected: BTreeMap<u16, u64> = [Expect::Stored, Expect::Refused, Expect::Unauthorised]
        .into_iter()
        .map(|expect| (expect.status(), u64::try_from(messages(expect)).expect("few")))
        .collect();
    let registered: Vec<_> = plan
        .iter()
        .filter(|play| play.register)
        .map(|play| {
            serde_json::json!({
                "shop": "camping", "reference": play.reference, "total_cents": play.total.get(), "currency": "EUR",
            })
        })
        .collect();

    let hurried = Pace { per_second: NonZeroU32::new(1_000_000), ..unhurried() };
    let mut last = 0;
    let report = run(&address, Some(&admin(&address, "trial")), plan.clone(), hurried, |sent| last = sent)
        .await
        .expect("registered");
    assert_eq!(report.unexpected, []);
    assert_eq!((report.by_status, report.unanswered), (expected, 0));
    assert_eq!(last, report.sent);
    assert_eq!(*miniature.orders.lock().expect("no panic"), registered);
}

#[tokio::test]
async fn without_registration_nothing_is_sent() {
    let (_miniature, address) = Miniature::start().await;
    let plan = actor(9).play_mix(3, noon());
    let error =
        run(&address, Some(&admin(&address, "wrong")), plan, unhurried(), |_| panic!("a message was sent"))
            .await
            .expect_err("refused");
    assert_eq!(error.to_string(), "the orders were not registered: 400 answer");
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound")).parse().expect("an address");
    drop(listener);
    let plan = vec![actor(9).play(Scenario::VoucherOnly, Psp::Up2pay, noon()).expect("told")];
    let report = run(&address, None, plan, unhurried(), |_| {}).await.expect("nothing to register");
    assert_eq!((report.sent, report.unanswered, report.unexpected_count), (1, 1, 1));
    assert!(report.unexpected[0].to_string().contains("no connection to 127.0.0.1:"));
}
