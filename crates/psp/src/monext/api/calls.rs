//! The calls that Monext's SOAP services are asked with: SOAP 1.1, document/literal, Basic credentials. The WSDL's
//! `soapAction` is the operation's bare name.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::{Contract, OrderRef, Timestamp};
use secrecy::ExposeSecret;

use super::super::settings::Settings;
use super::super::subject::{Token, TransactionId, Window};
use crate::Method;
use crate::api::ApiRequest;

/// What a session came to.
pub(in crate::monext) const GET_WEB_PAYMENT_DETAILS: &str = "getWebPaymentDetails";
/// One transaction with its history.
pub(in crate::monext) const GET_TRANSACTION_DETAILS: &str = "getTransactionDetails";
/// Which transactions there are.
pub(in crate::monext) const TRANSACTIONS_SEARCH: &str = "transactionsSearch";

/// One operation, with all that it is told. In version 34 of the messages, the newest that the documentation names;
/// without a version Payline answers in version 4, which lacks the order.
pub(in crate::monext) struct SoapCall {
    pub(in crate::monext) operation: &'static str,
    service: &'static str,
    body: String,
}

#[derive(Template)]
#[template(path = "monext/get_web_payment_details.xml")]
struct GetWebPaymentDetails<'a> {
    token: &'a str,
}

/// All seven elements are sent, as Monext's own libraries do.
#[derive(Template)]
#[template(path = "monext/get_transaction_details.xml")]
struct GetTransactionDetails<'a> {
    transaction: &'a str,
}

/// All 24 elements, in the order of the WSDL.
#[derive(Template)]
#[template(path = "monext/transactions_search.xml")]
struct TransactionsSearch<'a> {
    order: Option<&'a str>,
    contract: Option<&'a str>,
    start_date: String,
    end_date: String,
}

impl SoapCall {
    /// Asks for a session.
    pub(in crate::monext) fn session(token: &Token) -> Self {
        let template = GetWebPaymentDetails { token: token.as_str() };
        Self::new(GET_WEB_PAYMENT_DETAILS, "WebPaymentAPI", &template)
    }

    /// Asks for a transaction and its history.
    pub(in crate::monext) fn transaction(id: &TransactionId) -> Self {
        let template = GetTransactionDetails { transaction: id.as_str() };
        Self::new(GET_TRANSACTION_DETAILS, "ExtendedAPI", &template)
    }

    /// Asks which transactions a span of time holds.
    pub(in crate::monext) fn window(window: &Window) -> Self {
        let template = TransactionsSearch {
            order: None,
            contract: window.contract.as_ref().map(Contract::as_str),
            start_date: window.start_date(),
            end_date: window.end_date(),
        };
        Self::new(TRANSACTIONS_SEARCH, "ExtendedAPI", &template)
    }

    /// Asks which transactions an order has, of those between two instants.
    pub(in crate::monext) fn order(reference: &OrderRef, from: Timestamp, until: Timestamp) -> Self {
        let template = TransactionsSearch {
            order: Some(reference.as_str()),
            contract: None,
            start_date: from.paris_text(),
            end_date: until.paris_text(),
        };
        Self::new(TRANSACTIONS_SEARCH, "ExtendedAPI", &template)
    }

    fn new(operation: &'static str, service: &'static str, template: &impl Template) -> Self {
        // Writing to a text does not fail.
        Self { operation, service, body: template.render().unwrap_or_default() }
    }

    /// The call at the usual place.
    pub(in crate::monext) fn at_home(&self, settings: &Settings) -> ApiRequest {
        self.at(settings.base_url.at(&format!("/{}", self.service)), settings)
    }

    /// The call at another of Monext's platforms, as its directory names it.
    pub(in crate::monext) fn elsewhere(&self, platform: &str, settings: &Settings) -> ApiRequest {
        self.at(format!("{platform}/services/{}", self.service), settings)
    }

    fn at(&self, url: String, settings: &Settings) -> ApiRequest {
        ApiRequest {
            method: Method::Post,
            url,
            headers: vec![
                ("content-type", "text/xml; charset=utf-8".to_owned()),
                ("soapaction", format!("\"{}\"", self.operation)),
                ("authorization", authorization(settings)),
            ],
            body: self.body.clone().into_bytes(),
        }
    }
}

/// Blanks around the key are ignored: they come with copy and paste.
fn authorization(settings: &Settings) -> String {
    let key = settings.access_key.expose_secret().trim();
    format!("Basic {}", STANDARD.encode(format!("{}:{key}", settings.merchant_id.trim())))
}
