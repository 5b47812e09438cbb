//! Asks Worldline's API what became of a payment: first its details, which list all operations, then each operation
//! whose product the list does not state.

mod authentication;
mod details;

use std::collections::BTreeSet;

use cvco_domain::{Asking, Bilingual, CallNumber, Event, Question, Standing, Subject, Timestamp, Topic};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::format::{Loose, Word, or_empty};
use super::objects::Payment;
use super::payment_id::{PaymentId, first_operation, wrap};
use super::settings::ApiSettings;
use crate::api::{Answer, Api, ApiRequest, Exchange, Inquiry, NoAnswer, ProbeStep, Step};
use crate::wire::json;
use authentication::get;
use details::Look;

/// Many times more than any payment has.
const MOST_OPERATIONS: usize = 1000;

/// The API of one endpoint's account.
#[derive(Debug)]
pub(super) struct Confirmation {
    merchant_id: String,
    api: ApiSettings,
}

/// What to ask about these events: each payment once.
pub(super) fn questions(events: &[Event]) -> Vec<Question> {
    let payments: BTreeSet<_> = events.iter().map(|event| event.call_number.as_str()).collect();
    payments.into_iter().filter_map(question).collect()
}

fn question(payment: &str) -> Option<Question> {
    Some(Question { topic: Topic::Payment, subject: Subject::new(payment).ok()?, asking: Asking::Again })
}

impl Confirmation {
    pub(super) const fn new(merchant_id: String, api: ApiSettings) -> Self {
        Self { merchant_id, api }
    }

    fn call(&self, page: &str, now: Timestamp) -> ApiRequest {
        get(&self.api, &format!("/v2/{}/{page}", self.merchant_id), now)
    }

    /// The whole conversation, replayed with every new outcome. `Err` holds the next step.
    fn play(&self, inquiry: &Inquiry<'_>, said: &[Exchange], now: Timestamp) -> Result<Answer, Step> {
        let subject = inquiry.question.subject.as_str();
        let id = PaymentId::parse(subject)
            .filter(|_| inquiry.question.topic == Topic::Payment && is_plain(subject))
            .ok_or_else(|| unknown("not the id of a payment: nothing was asked"))?;
        let payment = id.payment().as_str();
        let mut said = said.iter();

        let forms = [Some(first_operation(payment)), wrap(payment, 0)];
        let mut found: Option<Payment> = None;
        for form in forms.into_iter().flatten() {
            let exchange =
                said.next().ok_or_else(|| Step::Call(self.call(&format!("payments/{form}/details"), now)))?;
            if let Some(body) = page(exchange)? {
                found = Some(parse_payment(body, id.payment())?);
                break;
            }
        }
        let found = found.ok_or_else(|| unknown("no payment of this id, in either form"))?;

        let mut looks = Vec::new();
        for id in details::to_look_at(&found).into_iter().filter(|id| is_plain(id)) {
            let exchange =
                said.next().ok_or_else(|| Step::Call(self.call(&format!("payments/{id}"), now)))?;
            if let Some(body) = page(exchange)? {
                let looked = PaymentId::parse(id).ok_or_else(|| {
                    garbled("une opération n’a pas d’identifiant", "an operation has no id")
                })?;
                looks.push(Look { id: id.to_owned(), payment: about(looked.payment(), parse(body)?)? });
            }
        }
        Ok(details::answer(id.payment(), &found, &looks))
    }
}

impl Api for Confirmation {
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], now: Timestamp) -> Step {
        self.play(inquiry, said, now).map_or_else(|step| step, Step::Answered)
    }

    fn probe(&self, said: &[Exchange], now: Timestamp) -> ProbeStep {
        let Some(exchange) = said.first() else {
            return ProbeStep::Call(self.call("services/testconnection", now));
        };
        let tested = page(exchange).and_then(|body| {
            let body = body.ok_or_else(|| {
                NoAnswer::setting(
                    "l’API ne connaît pas ce compte\u{a0}: api.base_url ou merchant_id est faux",
                    "the API has no such account: api.base_url or merchant_id is wrong",
                )
            })?;
            parse::<ConnectionTest>(body)
        });
        match tested {
            Ok(test) if test.result.0.as_ref().is_some_and(|result| result.0 == "OK") => {
                let (api, merchant) = (&self.api.base_url, &self.merchant_id);
                ProbeStep::Good(Bilingual::new(
                    format!("{api} accepte la clé de {merchant}"),
                    format!("{api} takes the key of {merchant}"),
                ))
            }
            Ok(_) => ProbeStep::Bad(NoAnswer::trouble(
                "la réponse au test de connexion n’est pas OK",
                "the test of the connection is not answered OK",
            )),
            Err(no_answer) => ProbeStep::Bad(no_answer),
        }
    }

    fn again(&self, event: &Event) -> Option<Question> {
        question(event.call_number.as_str())
    }
}

/// Whether an id can stand in a path: those of Worldline are digits.
fn is_plain(id: &str) -> bool {
    id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn unknown(remark: &str) -> Step {
    Step::Answered(Answer {
        standing: Standing::Unknown,
        events: Vec::new(),
        questions: Vec::new(),
        remark: Some(remark.to_owned()),
    })
}

impl From<NoAnswer> for Step {
    fn from(no_answer: NoAnswer) -> Self {
        Self::Failed(no_answer)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConnectionTest {
    result: Loose<Word>,
}

/// `ErrorResponse`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    #[serde(deserialize_with = "or_empty")]
    errors: Vec<ApiError>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApiError {
    id: Loose<Word>,
    error_code: Loose<Word>,
}

/// What is on a page; `None` if there is no such page. An id in the wrong form is a bad request to some
/// versions.
fn page(exchange: &Exchange) -> Result<Option<&[u8]>, NoAnswer> {
    let response = exchange.outcome.as_ref().map_err(NoAnswer::from)?;
    let answer = || format!("{}{}", response.status, code_of_error(&response.body));
    match response.status {
        200..=299 => Ok(Some(&response.body)),
        400 | 404 => Ok(None),
        300..=399 => Err(NoAnswer::setting(
            format!("l’API répond {}\u{a0}: api.base_url n’est pas l’adresse de l’API", answer()),
            format!("the API answers {}: api.base_url is not the API's address", answer()),
        )),
        401 | 403 => Err(NoAnswer::setting(
            format!(
                "l’API répond {}\u{a0}: api.key_id et son secret doivent former une paire du compte merchant_id, non expirée, du \
                 même monde (test ou production) que api.base_url\u{a0}; et l’horloge de cette machine doit être juste à 5 minutes \
                 près",
                answer()
            ),
            format!(
                "the API answers {}: api.key_id and its secret must be a pair of the account merchant_id, not expired, and \
                 of the same world, test or production, as api.base_url; and this machine's clock must be \
                 right to within 5 minutes",
                answer()
            ),
        )),
        _ => Err(NoAnswer::trouble(
            format!("l’API répond {}", answer()),
            format!("the API answers {}", answer()),
        )),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, NoAnswer> {
    json(body).map_err(|what| garbled(&what.french, &what.english))
}

fn parse_payment(body: &[u8], asked: &CallNumber) -> Result<Payment, NoAnswer> {
    let payment: Payment = parse(body)?;
    if !payment.is_there() {
        return Err(garbled("elle ne contient pas de paiement", "no payment in it"));
    }
    if payment.operations.len() > MOST_OPERATIONS {
        return Err(garbled(
            "elle contient plus d’opérations que n’en a aucun paiement",
            "more operations than any payment has",
        ));
    }
    about(asked, payment)
}

/// The payment, unless it is another than was asked for.
fn about(asked: &CallNumber, payment: Payment) -> Result<Payment, NoAnswer> {
    let another = payment.id.0.as_ref().is_some_and(|id| id.payment() != asked);
    if another {
        Err(garbled("elle concerne un autre paiement", "it is about another payment"))
    } else {
        Ok(payment)
    }
}

fn garbled(french: &str, english: &str) -> NoAnswer {
    NoAnswer::trouble(
        format!("la réponse de l’API est inutilisable\u{a0}: {french}"),
        format!("the API's answer is garbled: {english}"),
    )
}

fn code_of_error(body: &[u8]) -> String {
    let refusal: Refusal = json(body).unwrap_or_default();
    let error = refusal.errors.into_iter().next().unwrap_or_default();
    let word = error.error_code.0.or(error.id.0);
    word.map(|word| format!(" (error {})", word.0)).unwrap_or_default()
}
