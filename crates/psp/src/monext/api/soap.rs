//! The SOAP 1.1 envelope around an answer.

use super::super::excerpt;
use super::xml::{self, Element, Space, XmlError};

/// Why bytes are not the answer to an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::monext) enum SoapError {
    /// Not XML that can be read.
    #[error("{0}")]
    Xml(#[from] XmlError),
    /// XML, but not the answer.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// The service reports a fault of its own.
    #[error("the service reports a fault: {0}")]
    Fault(String),
}

/// The answer to an operation: `{operation}Response`.
pub(in crate::monext) fn response(bytes: &[u8], operation: &str) -> Result<Element, SoapError> {
    let envelope = xml::parse(bytes)?;
    if !envelope.is(Space::Soap, "Envelope") {
        return Err(SoapError::Missing("SOAP envelope"));
    }
    let body = envelope.into_child(Space::Soap, "Body").ok_or(SoapError::Missing("SOAP body"))?;
    if let Some(fault) = body.child(Space::Soap, "Fault") {
        let part = |name| fault.text(Space::None, name).unwrap_or("?");
        let text = format!("{} ({})", part("faultstring"), part("faultcode"));
        return Err(SoapError::Fault(excerpt(&text, 100)));
    }
    body.into_child(Space::Impl, &format!("{operation}Response"))
        .ok_or(SoapError::Missing("answer to what was asked"))
}

/// The one message in an envelope, as a server reads it: its operation, and the texts of its parts.
#[cfg(any(test, feature = "sender"))]
pub(in crate::monext) fn request(bytes: &[u8]) -> Option<Element> {
    xml::parse(bytes).ok()?.into_child(Space::Soap, "Body")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">{body}</e:Envelope>"#)
    }

    #[test]
    fn an_answer_stands_in_the_body() {
        let xml = envelope(
            r#"<e:Header/><e:Body><xResponse xmlns="http://impl.ws.payline.experian.com"/></e:Body>"#,
        );
        assert!(response(xml.as_bytes(), "x").is_ok_and(|answer| answer.is(Space::Impl, "xResponse")));
        assert_eq!(response(xml.as_bytes(), "y"), Err(SoapError::Missing("answer to what was asked")));
        assert_eq!(response(envelope("").as_bytes(), "x"), Err(SoapError::Missing("SOAP body")));
        assert_eq!(response(b"<html/>", "x"), Err(SoapError::Missing("SOAP envelope")));
        let foreign = envelope(r#"<e:Body><xResponse xmlns="urn:other"/></e:Body>"#);
        assert_eq!(response(foreign.as_bytes(), "x"), Err(SoapError::Missing("answer to what was asked")));
    }

    #[test]
    fn a_fault_is_told_in_few_words() {
        let text = "e".repeat(500);
        let xml = envelope(&format!(
            "<e:Body><e:Fault><faultcode>e:Server</faultcode><faultstring>{text}</faultstring></e:Fault></e:Body>"
        ));
        let Err(SoapError::Fault(told)) = response(xml.as_bytes(), "x") else { panic!("a fault") };
        assert_eq!(told.chars().count(), 101, "100 and an ellipsis: {told}");
    }
}
