//! Asking ANCV's API about a transaction. One call answers a question.

mod facts;
mod seal;

use cvco_domain::{Asking, Bilingual, Event, Question, Standing, Timestamp, Topic};

use super::message::{self, Envelope, Transaction};
use super::{Ancv, question};
pub use seal::security_header;

use crate::Method;
use crate::api::{Answer, Api, ApiRequest, ApiResponse, Exchange, Inquiry, NoAnswer, ProbeStep, Step};

/// A transaction that does not exist. Identifiers have ten letters and digits, and ten zeros are not expected.
const NO_TRANSACTION: &str = "0000000000";

impl Api for Ancv {
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], _now: Timestamp) -> Step {
        let Question { topic, subject, .. } = inquiry.question;
        if *topic != Topic::Transaction || !message::is_id(subject.as_str()) {
            return Step::Answered(unknown(
                "ANCV's API can be asked about a transaction only, by its identifier",
            ));
        }
        let Some(last) = said.last() else { return Step::Call(self.status_call(subject.as_str())) };
        let answer = match heard(last) {
            Ok(Heard::Transaction(transaction)) => facts::answer(&transaction, &self.settings, inquiry),
            Ok(Heard::NotFound) => Ok(unknown("ANCV's API does not know this transaction")),
            Err(none) => Err(none),
        };
        answer.map_or_else(Step::Failed, Step::Answered)
    }

    fn probe(&self, said: &[Exchange], _now: Timestamp) -> ProbeStep {
        let Some(last) = said.last() else { return ProbeStep::Call(self.status_call(NO_TRANSACTION)) };
        match heard(last) {
            Ok(Heard::Transaction(_) | Heard::NotFound) => ProbeStep::Good(Bilingual::new(
                "l’API de l’ANCV répond, et accepte le sceau",
                "ANCV's API answers, and does not complain about the seal",
            )),
            Err(none) => ProbeStep::Bad(none),
        }
    }

    fn again(&self, event: &Event) -> Option<Question> {
        let id = event.tender_id.as_ref().map_or(event.call_number.as_str(), |id| id.as_str());
        question(id, Asking::Again)
    }
}

impl Ancv {
    /// `GET {base}/payment-transactions/{id}/`, sealed; the slash at the end belongs to it.
    fn status_call(&self, id: &str) -> ApiRequest {
        let settings = &self.settings;
        ApiRequest {
            method: Method::Get,
            url: settings.base_url.at(&format!("/payment-transactions/{id}/")),
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("ancv-security", security_header(&settings.key_version, &settings.key, &[id])),
            ],
            body: Vec::new(),
        }
    }
}

/// What came back, where it is an answer.
enum Heard {
    Transaction(Box<Transaction>),
    NotFound,
}

/// It is not published which HTTP status goes with which error, so the error code decides if there is one.
fn heard(exchange: &Exchange) -> Result<Heard, NoAnswer> {
    let response = exchange.outcome.as_ref().map_err(NoAnswer::from)?;
    let envelope = message::parse::<Envelope<Transaction>>(&response.body);
    if let Ok(Envelope { error_code: Some(code), .. }) = &envelope {
        return error(&code.text());
    }
    by_status(response)?;
    match envelope {
        Ok(Envelope { transaction: Some(transaction), .. }) => Ok(Heard::Transaction(Box::new(transaction))),
        Ok(_) => Err(NoAnswer::trouble(
            "la réponse de l’API de l’ANCV ne contient pas de transaction",
            "the answer of ANCV's API holds no transaction",
        )),
        Err(why) => Err(NoAnswer::trouble(
            format!("la réponse de l’API de l’ANCV est inutilisable (en anglais\u{a0}: {why})"),
            format!("the answer of ANCV's API is {why}"),
        )),
    }
}

fn error(code: &str) -> Result<Heard, NoAnswer> {
    let setting = |french: &str, english: &str| Err(NoAnswer::setting(french, english));
    match code {
        "TRANSACTION_NOT_FOUND" => Ok(Heard::NotFound),
        "INVALID_SEAL" => setting(
            "l’API de l’ANCV refuse le sceau (INVALID_SEAL)\u{a0}: vérifiez la clé et sa version, api.secret et api.key_id",
            "ANCV's API refuses the seal (INVALID_SEAL): check the key and its version, api.secret and api.key_id",
        ),
        "MERCHANT_NOT_ALLOWED" => setting(
            "l’API de l’ANCV ne sert pas ce commerçant (MERCHANT_NOT_ALLOWED)\u{a0}: vérifiez shop_id et service_provider_id, et \
             demandez à l’ANCV si l’accès est ouvert",
            "ANCV's API does not serve this merchant (MERCHANT_NOT_ALLOWED): check shop_id and \
             service_provider_id, and ask ANCV whether the access is open",
        ),
        other => {
            let shown: String =
                other.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
            Err(NoAnswer::trouble(
                format!("l’API de l’ANCV répond par l’erreur {shown}"),
                format!("ANCV's API answers with the error {shown}"),
            ))
        }
    }
}

fn by_status(response: &ApiResponse) -> Result<(), NoAnswer> {
    match response.status {
        200..=299 => Ok(()),
        status @ (401 | 403) => Err(NoAnswer::setting(
            format!(
                "l’API de l’ANCV refuse l’accès (HTTP {status})\u{a0}: vérifiez api.secret et api.key_id, et que l’ANCV admet cette \
                 machine"
            ),
            format!(
                "ANCV's API refuses access (HTTP {status}): check api.secret and api.key_id, and that ANCV admits this machine"
            ),
        )),
        status @ (300..=399 | 404 | 405) => Err(NoAnswer::setting(
            format!(
                "cette API ne se trouve pas à cette adresse (HTTP {status})\u{a0}: vérifiez api.base_url, comme \
                 https://host/acquisition/api/public/v1"
            ),
            format!(
                "no such API there (HTTP {status}): check api.base_url, as in https://host/acquisition/api/public/v1"
            ),
        )),
        status => Err(NoAnswer::trouble(
            format!("l’API de l’ANCV répond HTTP {status}"),
            format!("ANCV's API answers with HTTP {status}"),
        )),
    }
}

fn unknown(why: &str) -> Answer {
    Answer {
        standing: Standing::Unknown,
        events: Vec::new(),
        questions: Vec::new(),
        remark: Some(why.to_owned()),
    }
}
