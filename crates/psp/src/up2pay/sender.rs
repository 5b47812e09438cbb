//! Calls as Up2pay makes them, signed with a key of our own: for `simulate`, `demo` and tests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::Cents;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::RFC_3986;
use super::notification::{CARD_PAGE, VOUCHER_PAGE, is_of_voucher_page};
use super::template::{
    AMOUNT, AUTHORISATION, CALL, CARD_TYPE, DATE, ERROR, INDEX, PAYMENT_TYPE, REFERENCE, TIME, TRANSACTION,
    Template,
};
use super::trial_key::TrialKey;
use crate::{Method, WireMessage};

/// One call: one part of one voucher payment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "`call number` is the manual's own word")]
pub struct Call {
    /// This part's share.
    pub amount: Cents,
    /// The shop's reference (`PBX_CMD`).
    pub reference: String,
    /// The authorisation number; a CV-Connect part has none.
    pub authorisation: Option<String>,
    /// What ties the parts together.
    pub call_number: String,
    /// `CVCONNECT`, `LIMOCB` and their like; anything else is an ordinary card payment.
    pub brand: String,
    /// The response code; `00000` is accepted.
    pub error: String,
    /// This part's transaction.
    pub transaction: String,
    /// `DDMMYYYY` and `HH:MM:SS`, sent where the template asks for them.
    pub date_time: Option<(String, String)>,
    /// `i-n`, part `i` of `n`, sent where the template asks for it.
    pub index: Option<String>,
}

/// Up2pay encodes the spaces of a reference and leaves `@ , / : +` as they are. Characters that would break the query
/// are encoded here as well.
const IN_REFERENCE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'%').add(b'&').add(b'#').add(b'"').add(b'<').add(b'>');

impl Call {
    /// The call as a `GET`.
    #[must_use]
    pub fn signed(&self, template: &Template, key: &TrialKey) -> WireMessage {
        let query = self.signed_string(template, key);
        WireMessage { method: Method::Get, query, body: String::new(), headers: Vec::new() }
    }

    /// The call as a `GET` to an address that already has parameters (`shop=12&status=ipn`); those are not signed.
    #[must_use]
    pub fn signed_behind(&self, parameters: &str, template: &Template, key: &TrialKey) -> WireMessage {
        let query = format!("{parameters}&{}", self.signed_string(template, key));
        WireMessage { method: Method::Get, query, body: String::new(), headers: Vec::new() }
    }

    /// The call as a `POST` (`PBX_RUF1=POST`).
    #[must_use]
    pub fn signed_post(&self, template: &Template, key: &TrialKey) -> WireMessage {
        let body = self.signed_string(template, key);
        WireMessage { method: Method::Post, query: String::new(), body, headers: Vec::new() }
    }

    fn signed_string(&self, template: &Template, key: &TrialKey) -> String {
        let pair = |(name, letter)| self.value(letter).map(|value| format!("{name}={value}"));
        let variables: Vec<_> = template.variables().filter_map(pair).collect();
        let signed = variables.join("&");
        let signature = STANDARD.encode(key.sign_sha1(signed.as_bytes()));
        format!("{signed}&{}={}", template.signature_name(), utf8_percent_encode(&signature, RFC_3986))
    }

    fn payment_type(&self) -> &'static str {
        if is_of_voucher_page(&self.brand.to_ascii_uppercase()) { VOUCHER_PAGE } else { CARD_PAGE }
    }

    /// A variable's value on the wire; a variable without a value is left out.
    fn value(&self, letter: char) -> Option<String> {
        let plain = |text: &str| utf8_percent_encode(text, RFC_3986).to_string();
        let date_time = self.date_time.as_ref();
        match letter {
            AMOUNT => Some(self.amount.get().to_string()),
            REFERENCE => Some(utf8_percent_encode(&self.reference, IN_REFERENCE).to_string()),
            AUTHORISATION => self.authorisation.as_deref().map(plain),
            CALL => Some(plain(&self.call_number)),
            PAYMENT_TYPE => Some(self.payment_type().to_owned()),
            CARD_TYPE => Some(plain(&self.brand)),
            ERROR => Some(plain(&self.error)),
            TRANSACTION => Some(plain(&self.transaction)),
            DATE => date_time.map(|(date, _)| plain(date)),
            TIME => date_time.map(|(_, time)| plain(time)),
            INDEX => self.index.as_deref().map(plain),
            _ => None,
        }
    }
}
