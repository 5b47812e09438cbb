//! What Monext's SOAP services would answer, for a sandbox and for tests.

use cvco_domain::{Cents, Timestamp};
use quick_xml::escape::escape;

use super::api::calls::{GET_TRANSACTION_DETAILS, GET_WEB_PAYMENT_DETAILS, TRANSACTIONS_SEARCH};
use super::api::soap;
use super::api::xml::{Element, Space};

/// How names are written. Monext's own samples do it in each of these ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefixes {
    /// `impl:` and `obj:`.
    #[default]
    Both,
    /// Messages without a prefix, objects with `obj:`.
    ObjectsOnly,
    /// Messages with `ns2:`, objects without a prefix.
    MessagesOnly,
}

/// A result: its code, and the word that goes with it.
pub type ResultCode = (&'static str, &'static str);

/// The result of a payment that was accepted.
pub const ACCEPTED: ResultCode = ("00000", "ACCEPTED");

/// A payment, as both `getWebPaymentDetails` and `getTransactionDetails` state it.
#[derive(Debug, Clone)]
pub struct Payment {
    /// The result of the whole.
    pub result: ResultCode,
    /// The shop's reference and the order's total; `None`: nothing is said of the order.
    pub order: Option<(String, Cents)>,
    /// The main part, then the additional ones.
    pub legs: Vec<Leg>,
    /// What was done to the main part.
    pub history: Vec<Deed>,
}

/// One part.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Its transaction.
    pub id: String,
    /// Its share.
    pub amount: Cents,
    /// `101`: authorised and captured at once.
    pub action: &'static str,
    /// The contract that settles it.
    pub contract: String,
    /// `ANCV_CONNECT`, `CB` …
    pub method: String,
    /// When it happened.
    pub at: Timestamp,
    /// The authorisation number.
    pub authorisation: Option<String>,
}

/// An entry of the history: a refund, a reset.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Its own transaction.
    pub id: String,
    /// `REFUND`, `RESET` …
    pub kind: &'static str,
    /// Its amount.
    pub amount: Cents,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// The transaction that it was done to.
    pub of: String,
    /// When.
    pub at: Timestamp,
}

/// What a call asks for, as the sandbox reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A session, by its token.
    Session(String),
    /// A transaction, by its identifier.
    Transaction(String),
    /// A search, with the order's reference and the contract if it names them.
    Search {
        /// The shop's reference.
        order: Option<String>,
        /// The contract.
        contract: Option<String>,
    },
}

/// What a call asks for; none if it is no call that the adapter makes.
#[must_use]
pub fn asked(body: &[u8]) -> Option<Asked> {
    let envelope = soap::request(body)?;
    let message = |operation: &str| envelope.child(Space::Impl, &format!("{operation}Request"));
    let text = |message: &Element, name: &str| message.text(Space::Impl, name).map(str::to_owned);
    if let Some(message) = message(GET_WEB_PAYMENT_DETAILS) {
        return text(message, "token").map(Asked::Session);
    }
    if let Some(message) = message(GET_TRANSACTION_DETAILS) {
        return text(message, "transactionId").map(Asked::Transaction);
    }
    let message = message(TRANSACTIONS_SEARCH)?;
    Some(Asked::Search { order: text(message, "orderRef"), contract: text(message, "contractNumber") })
}

impl Payment {
    /// The answer of `getWebPaymentDetails`.
    #[must_use]
    pub fn as_session(&self, prefixes: Prefixes) -> String {
        self.answer(prefixes, GET_WEB_PAYMENT_DETAILS)
    }

    /// The answer of `getTransactionDetails`.
    #[must_use]
    pub fn as_transaction(&self, prefixes: Prefixes) -> String {
        self.answer(prefixes, GET_TRANSACTION_DETAILS)
    }

    fn answer(&self, prefixes: Prefixes, operation: &str) -> String {
        let (main, additional) = match self.legs.split_first() {
            Some((main, additional)) => (Some(main), additional),
            None => (None, &[][..]),
        };
        let order = self.order.as_ref().map_or_else(String::new, |(reference, total)| {
            let fields = [("ref", &**reference), ("amount", &total.get().to_string()), ("currency", "978")];
            prefixes.message("order", &prefixes.objects(&fields))
        });
        let list = |name: &str, content: String| {
            if content.is_empty() { content } else { prefixes.message(name, &content) }
        };
        let additional: String = additional
            .iter()
            .map(|leg| prefixes.object("paymentAdditional", &leg.parts(prefixes, Prefixes::object)))
            .collect();
        let history: String = self.history.iter().map(|deed| deed.element(prefixes)).collect();
        let content = [
            result(self.result, prefixes),
            main.map_or_else(String::new, |leg| leg.parts(prefixes, Prefixes::message)),
            order,
            list("paymentAdditionalList", additional),
            list("associatedTransactionsList", history),
        ];
        envelope(prefixes, operation, &content.concat())
    }
}

impl Leg {
    /// `transaction`, `payment`, `authorization` and `card`, each named by `part`.
    fn parts(&self, prefixes: Prefixes, part: fn(Prefixes, &str, &str) -> String) -> String {
        let at = self.at.paris_text();
        let amount = self.amount.get().to_string();
        let number = self.authorisation.as_deref().unwrap_or_default();
        [
            part(prefixes, "transaction", &prefixes.objects(&[("id", &self.id), ("date", &at)])),
            part(
                prefixes,
                "payment",
                &prefixes.objects(&[
                    ("amount", &amount),
                    ("currency", "978"),
                    ("action", self.action),
                    ("mode", "CPT"),
                    ("contractNumber", &self.contract),
                    ("method", &self.method),
                ]),
            ),
            part(prefixes, "authorization", &prefixes.objects(&[("number", number), ("date", &at)])),
            part(prefixes, "card", &prefixes.objects(&[("type", &self.method)])),
        ]
        .concat()
    }
}

impl Deed {
    fn element(&self, prefixes: Prefixes) -> String {
        let fields = prefixes.objects(&[
            ("transactionId", &self.id),
            ("type", self.kind),
            ("date", &self.at.paris_text()),
            ("amount", &self.amount.get().to_string()),
            ("status", if self.succeeded { "OK" } else { "KO" }),
            ("originTransactionId", &self.of),
        ]);
        prefixes.object("associatedTransactions", &fields)
    }
}

/// An answer about a session that says no more than its result.
#[must_use]
pub fn session_result(code: ResultCode, prefixes: Prefixes) -> String {
    envelope(prefixes, GET_WEB_PAYMENT_DETAILS, &result(code, prefixes))
}

/// An answer about a transaction that says no more than its result.
#[must_use]
pub fn transaction_result(code: ResultCode, prefixes: Prefixes) -> String {
    envelope(prefixes, GET_TRANSACTION_DETAILS, &result(code, prefixes))
}

/// The answer of `transactionsSearch`: these transactions, if the result says that there are any.
#[must_use]
pub fn found(code: ResultCode, ids: &[&str], at: Timestamp, prefixes: Prefixes) -> String {
    let transaction = |id: &&str| {
        let fields = [("id", *id), ("date", &*at.paris_text()), ("isDuplicated", "0")];
        prefixes.object("transaction", &prefixes.objects(&fields))
    };
    let list: String = ids.iter().map(transaction).collect();
    let content = result(code, prefixes) + &prefixes.message("transactionList", &list);
    envelope(prefixes, TRANSACTIONS_SEARCH, &content)
}

/// A fault of the service; it comes with HTTP status 500.
#[must_use]
pub fn fault(text: &str) -> String {
    let text = escape(text);
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>{text}</faultstring></soapenv:Fault>\
         </soapenv:Body></soapenv:Envelope>"
    )
}

fn result((code, word): ResultCode, prefixes: Prefixes) -> String {
    prefixes.message("result", &prefixes.objects(&[("code", code), ("shortMessage", word)]))
}

fn envelope(prefixes: Prefixes, operation: &str, content: &str) -> String {
    let (spaces, answer) = match prefixes {
        Prefixes::Both => ("xmlns:impl", "xmlns:obj"),
        Prefixes::ObjectsOnly => ("xmlns", "xmlns:obj"),
        Prefixes::MessagesOnly => ("xmlns:ns2", "xmlns"),
    };
    let name = prefixes.of_messages(&format!("{operation}Response"));
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <{name} {spaces}=\"http://impl.ws.payline.experian.com\" {answer}=\"http://obj.ws.payline.experian.com\">\
         {content}</{name}></soapenv:Body></soapenv:Envelope>"
    )
}

impl Prefixes {
    fn of_messages(self, name: &str) -> String {
        match self {
            Self::Both => format!("impl:{name}"),
            Self::ObjectsOnly => name.to_owned(),
            Self::MessagesOnly => format!("ns2:{name}"),
        }
    }

    fn message(self, name: &str, content: &str) -> String {
        let name = self.of_messages(name);
        format!("<{name}>{content}</{name}>")
    }

    fn object(self, name: &str, content: &str) -> String {
        match self {
            Self::Both | Self::ObjectsOnly => format!("<obj:{name}>{content}</obj:{name}>"),
            Self::MessagesOnly => format!("<{name}>{content}</{name}>"),
        }
    }

    fn objects(self, fields: &[(&str, &str)]) -> String {
        fields.iter().map(|(name, text)| self.object(name, &escape(*text))).collect()
    }
}
