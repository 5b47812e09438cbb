//! Asking the REST API (V4): an order by the shop's reference, or a transaction by its `uuid`. Reading calls only.
//!
//! An error of business comes with HTTP 200 and `"status": "ERROR"`; only bad credentials are a 401.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::{
    Asking, Bilingual, CallNumber, Event, Mode, OrderRef, Question, ReportedState, Standing, Subject,
    TenderId, Timestamp, Topic,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::format::{Lenient, Strict, Text};
use super::payment::PaymentFacts;
use super::rest_transaction::{RestTransaction, payment};
use super::settings::{Settings, SiteId, trimmed};
use super::submission::Malformed;
use crate::Method;
use crate::api::{
    Answer, Api, ApiRequest, ApiResponse, BaseUrl, Exchange, Inquiry, NoAnswer, ProbeStep, Step,
};
use crate::wire::json as read_json;

/// The text that the test call sends and that must come back.
const ECHO: &str = "cvco-reconciled";

/// Many times more than any order has.
const MOST_TRANSACTIONS: usize = 1000;

/// The REST API of one shop.
pub(super) struct RestApi {
    base_url: BaseUrl,
    site_id: SiteId,
    mode: Mode,
    /// `Basic …`, made once.
    authorization: SecretString,
}

impl RestApi {
    /// The API, where the settings have what it takes to ask it.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let password = trimmed(settings.rest_passwords.first()?);
        let credentials = STANDARD.encode(format!("{}:{}", settings.site_id.as_str(), password.expose()));
        Some(Self {
            base_url: settings.api.clone()?,
            site_id: settings.site_id.clone(),
            mode: settings.mode,
            authorization: format!("Basic {credentials}").into(),
        })
    }

    /// What to ask about the payments that events tell of: each once.
    pub(super) fn questions_about(&self, events: &[Event]) -> Vec<Question> {
        let questions: BTreeSet<_> = events.iter().filter_map(|event| self.again(event)).collect();
        questions.into_iter().collect()
    }

    fn call(&self, service: &str, body: &serde_json::Value) -> ApiRequest {
        ApiRequest {
            method: Method::Post,
            url: self.base_url.at(service),
            headers: vec![
                ("authorization", self.authorization.expose_secret().to_owned()),
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: body.to_string().into_bytes(),
        }
    }

    fn request(&self, question: &Question) -> Option<ApiRequest> {
        let subject = question.subject.as_str();
        match question.topic {
            Topic::Order => Some(self.call("/Order/Get", &json!({ "orderId": subject }))),
            Topic::Transaction => Some(self.call("/Transaction/Get", &json!({ "uuid": subject }))),
            Topic::Session | Topic::Payment | Topic::Window => None,
        }
    }

    /// The content of a successful answer in our world.
    fn content<T: DeserializeOwned>(&self, exchange: &Exchange) -> Result<T, Unanswered> {
        let response = exchange.outcome.as_ref().map_err(|failure| Unanswered::No(failure.into()))?;
        let head: Envelope<Refusal> = envelope(response)?;
        if head.status.0.0 != "SUCCESS" {
            return Err(refused(head.answer));
        }
        if head.mode.0.is_some_and(|mode| mode != self.mode) {
            let mode = self.mode;
            return Err(Unanswered::setting(
                format!(
                    "l’API répond dans un autre mode que celui du point d’entrée ({mode})\u{a0}: corrigez rest_password ou mode"
                ),
                format!(
                    "the API answers in another mode than the endpoint's ({mode}): correct rest_password or mode"
                ),
            ));
        }
        Ok(envelope::<T>(response)?.answer)
    }

    fn answer(&self, inquiry: &Inquiry<'_>, exchange: &Exchange) -> Result<Answer, Unanswered> {
        let subject = inquiry.question.subject.as_str();
        let mut order = match inquiry.question.topic {
            Topic::Transaction => {
                let transaction: RestTransaction = self.content(exchange)?;
                if transaction.uuid().is_none_or(|uuid| !uuid.as_str().eq_ignore_ascii_case(subject)) {
                    return Err(Unanswered::garbled((
                        "elle concerne une autre transaction",
                        "it is about another transaction",
                    )));
                }
                OrderTransactions { transactions: Some(vec![transaction]), ..OrderTransactions::default() }
            }
            Topic::Session | Topic::Payment | Topic::Order | Topic::Window => self.content(exchange)?,
        };
        let told = order.order_id.0.as_ref();
        if inquiry.question.topic == Topic::Order && told.is_some_and(|told| told.as_str() != subject) {
            return Err(Unanswered::garbled((
                "elle concerne une autre commande",
                "it is about another order",
            )));
        }
        let transactions = order.transactions.take().unwrap_or_default();
        let shops = transactions.iter().filter_map(RestTransaction::shop).chain(order.shop_id.0.as_ref());
        if shops.into_iter().any(|shop| *shop != self.site_id) {
            return Err(Unanswered::garbled((
                "elle concerne une autre boutique",
                "it is about another shop",
            )));
        }
        if transactions.len() > MOST_TRANSACTIONS {
            return Err(Unanswered::garbled((
                "elle contient plus de transactions que n’en a aucune commande",
                "it has more transactions than any order",
            )));
        }
        if transactions.is_empty() {
            return Err(Unanswered::Unknown("the order has no transactions: nothing was tried".to_owned()));
        }
        let undecided = transactions
            .iter()
            .any(|transaction| transaction.status().reported().0 == ReportedState::Pending);
        let standing = if undecided { Standing::Unsettled } else { Standing::Settled };
        let reading = self
            .reading(&order, transactions, inquiry.known)
            .map_err(|Malformed(what)| Unanswered::garbled(what))?;
        Ok(Answer { standing, events: reading.events, questions: Vec::new(), remark: reading.remark })
    }

    /// An order lists the transactions of all its payments: each payment is read like its own notification.
    fn reading(
        &self,
        order: &OrderTransactions,
        transactions: Vec<RestTransaction>,
        known: &[Event],
    ) -> Result<PaymentFacts, Malformed> {
        let legacy = transactions.iter().filter_map(|t| t.legacy_call_number(&self.site_id, self.mode)?.ok());
        let legacy: BTreeSet<_> = legacy.collect();
        let lone = legacy.first().filter(|_| legacy.len() == 1);
        let mut payments: BTreeMap<CallNumber, Vec<RestTransaction>> = BTreeMap::new();
        for transaction in transactions {
            let call_number = self.call_number(&transaction, known, lone)?;
            payments.entry(call_number).or_default().push(transaction);
        }
        let mut whole = PaymentFacts::default();
        for (call_number, mut transactions) in payments {
            transactions.sort_by_key(RestTransaction::sequence_number);
            let details = transactions.iter_mut().find_map(RestTransaction::order_details);
            let mut details = details.unwrap_or_default();
            if details.mode.0.is_some_and(|mode| mode != self.mode) {
                return Err(Malformed::new(
                    "orderDetails.mode n’est pas celui du point d’entrée",
                    "orderDetails.mode is not the endpoint's",
                ));
            }
            details.order_id.0 = details.order_id.0.or_else(|| order.order_id.0.clone());
            let facts = payment(call_number, self.mode, details, transactions)?.facts()?;
            whole.events.extend(facts.events);
            whole.remark = whole.remark.or(facts.remark);
        }
        Ok(whole)
    }

    /// The number under which a payment without legacy names was notified: by its transaction, or because the
    /// order has no other payment.
    fn call_number(
        &self,
        transaction: &RestTransaction,
        known: &[Event],
        lone: Option<&CallNumber>,
    ) -> Result<CallNumber, Malformed> {
        if let Some(call_number) = transaction.legacy_call_number(&self.site_id, self.mode) {
            return call_number;
        }
        let is_it =
            |event: &&Event| event.tender_id.is_some() && event.tender_id.as_ref() == transaction.uuid();
        let notified = known.iter().find(is_it).map(|event| &event.call_number);
        match notified.or(lone) {
            Some(call_number) => Ok(call_number.clone()),
            None => transaction.call_number(&self.site_id, self.mode),
        }
    }
}

impl Api for RestApi {
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], _now: Timestamp) -> Step {
        let Some(exchange) = said.last() else {
            return self.request(inquiry.question).map_or_else(
                || Step::Answered(unknown("Sogecommerce is asked about orders and transactions only")),
                Step::Call,
            );
        };
        match self.answer(inquiry, exchange) {
            Ok(answer) => Step::Answered(answer),
            Err(Unanswered::Unknown(remark)) => Step::Answered(unknown(remark)),
            Err(Unanswered::No(no_answer)) => Step::Failed(no_answer),
        }
    }

    fn probe(&self, said: &[Exchange], _now: Timestamp) -> ProbeStep {
        let Some(exchange) = said.last() else {
            return ProbeStep::Call(self.call("/Charge/SDKTest", &json!({ "value": ECHO })));
        };
        match self.content::<Echo>(exchange) {
            Ok(echo) if echo.value.0.0 == ECHO => {
                let mode = self.mode;
                ProbeStep::Good(Bilingual::new(
                    format!("l’API REST accepte le mot de passe du mode {mode}"),
                    format!("the REST API takes the password of mode {mode}"),
                ))
            }
            Ok(_) => ProbeStep::Bad(NoAnswer::trouble(
                "l’API ne renvoie pas ce qui lui a été envoyé",
                "the API does not send back what it was sent",
            )),
            Err(Unanswered::Unknown(why)) => {
                ProbeStep::Bad(NoAnswer::Trouble(Bilingual::in_english_alone(why)))
            }
            Err(Unanswered::No(no_answer)) => ProbeStep::Bad(no_answer),
        }
    }

    fn order(&self, reference: &OrderRef) -> Option<Question> {
        let subject = Subject::new(reference.as_str()).ok()?;
        Some(Question { topic: Topic::Order, subject, asking: Asking::Again })
    }

    /// By the order; a payment without a reference by its transaction.
    fn again(&self, event: &Event) -> Option<Question> {
        if let Some(reference) = &event.order_ref {
            return self.order(reference);
        }
        let uuid = event.tender_id.as_ref().map(TenderId::as_str)?;
        let is_uuid = uuid.len() == 32 && uuid.bytes().all(|b| b.is_ascii_hexdigit());
        let subject = Subject::new(uuid).ok().filter(|_| is_uuid)?;
        Some(Question { topic: Topic::Transaction, subject, asking: Asking::Again })
    }
}

/// The reason why an exchange states no facts.
enum Unanswered {
    /// The platform knows nothing of the kind.
    Unknown(String),
    No(NoAnswer),
}

impl Unanswered {
    fn trouble(french: impl Into<String>, english: impl Into<String>) -> Self {
        Self::No(NoAnswer::trouble(french, english))
    }

    fn setting(french: impl Into<String>, english: impl Into<String>) -> Self {
        Self::No(NoAnswer::setting(french, english))
    }

    fn garbled(what: impl Into<Bilingual>) -> Self {
        let Bilingual { french, english } = what.into();
        Self::trouble(
            format!("la réponse de l’API est inutilisable\u{a0}: {french}"),
            format!("the API's answer cannot be used: {english}"),
        )
    }
}

fn unknown(remark: impl Into<String>) -> Answer {
    Answer {
        standing: Standing::Unknown,
        events: Vec::new(),
        questions: Vec::new(),
        remark: Some(remark.into()),
    }
}

/// The envelope of every answer.
#[derive(Deserialize)]
struct Envelope<T> {
    status: Strict<Text>,
    #[serde(default)]
    mode: Lenient<Mode>,
    answer: T,
}

/// The answer to a call that failed. An answer to one that did not has none of this.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    #[serde(default)]
    error_code: Lenient<Text>,
}

#[derive(Deserialize)]
struct Echo {
    value: Strict<Text>,
}

/// The answer of `Order/Get`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct OrderTransactions {
    #[serde(default)]
    shop_id: Lenient<SiteId>,
    #[serde(default)]
    order_id: Lenient<OrderRef>,
    #[serde(default)]
    transactions: Option<Vec<RestTransaction>>,
}

fn envelope<T: DeserializeOwned>(response: &ApiResponse) -> Result<Envelope<T>, Unanswered> {
    match response.status {
        200 => read_json(&response.body).map_err(Unanswered::garbled),
        401 | 403 => Err(credentials()),
        404 => Err(address()),
        status => Err(Unanswered::trouble(
            format!("l’API répond par le statut HTTP {status}"),
            format!("the API answers with HTTP status {status}"),
        )),
    }
}

/// The platform's error codes (REST V4, error reference).
fn refused(refusal: Refusal) -> Unanswered {
    let code = refusal.error_code.0.map(|Text(code)| code).unwrap_or_default();
    match code.as_str() {
        "PSP_010" => Unanswered::Unknown("the platform knows no such transaction".to_owned()),
        "PSP_100" => Unanswered::setting(
            "l’offre de la banque ne comprend pas les web services REST\u{a0}: faites-les ajouter au contrat, ou retirez api du \
             point d’entrée",
            "the bank's offer does not include the REST web services: have them added to the contract, or take \
             api out of the endpoint",
        ),
        "INT_905" => credentials(),
        "INT_901" => address(),
        code => {
            let shown: String =
                code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(20).collect();
            Unanswered::trouble(
                format!("l’API refuse avec l’erreur {shown}"),
                format!("the API refuses with error {shown}"),
            )
        }
    }
}

fn credentials() -> Unanswered {
    Unanswered::setting(
        "l’API refuse site_id et rest_password\u{a0}: prenez le mot de passe REST de ce mode dans le back-office (Paramétrage > \
         Boutique > Clés d’API REST)",
        "the API refuses site_id and rest_password: take the REST password of this mode from the back office \
         (Paramétrage > Boutique > Clés d'API REST)",
    )
}

fn address() -> Unanswered {
    Unanswered::setting(
        "il n’y a pas d’API REST (V4) à cette adresse\u{a0}: corrigez api.base_url",
        "there is no REST API (V4) at this address: correct api.base_url",
    )
}
