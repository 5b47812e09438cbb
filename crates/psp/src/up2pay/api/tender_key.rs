//! The part of a payment that a question is about: `NUMTRANS/NUMAPPEL/card type`.

use cvco_domain::{Event, Subject};

use super::super::notification::is_of_voucher_page;

/// One part, as a consultation names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TenderKey {
    transaction: String,
    call: String,
    brand: String,
}

impl TenderKey {
    /// The part that an event is about, if it became a transaction.
    pub(super) fn of(event: &Event) -> Option<Self> {
        Self::new(event.tender_id.as_ref()?.as_str(), event.call_number.as_str(), event.brand.as_str())
    }

    /// Reads what [`TenderKey::subject`] wrote, and nothing else.
    pub(super) fn parse(subject: &Subject) -> Option<Self> {
        let mut pieces = subject.as_str().split('/');
        let part = Self::new(pieces.next()?, pieces.next()?, pieces.next()?)?;
        pieces.next().is_none().then_some(part)
    }

    fn new(transaction: &str, call: &str, brand: &str) -> Option<Self> {
        let number = |text: &str| {
            (1..=20).contains(&text.len())
                && !text.starts_with('0')
                && text.bytes().all(|b| b.is_ascii_digit())
        };
        let is_brand = (1..=40).contains(&brand.len())
            && brand.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_- ".contains(&b));
        (number(transaction) && number(call) && is_brand).then(|| Self {
            transaction: transaction.to_owned(),
            call: call.to_owned(),
            brand: brand.to_owned(),
        })
    }

    /// A part that no platform ever had.
    pub(super) fn impossible() -> Self {
        Self { transaction: "1".to_owned(), call: "1".to_owned(), brand: "CVCONNECT".to_owned() }
    }

    /// The subject of the question about it.
    pub(super) fn subject(&self) -> Option<Subject> {
        Subject::new(format!("{}/{}/{}", self.transaction, self.call, self.brand)).ok()
    }

    /// Whether an event is about it.
    pub(super) fn is(&self, event: &Event) -> bool {
        Self::of(event).as_ref() == Some(self)
    }

    /// `NUMTRANS`.
    pub(super) fn transaction(&self) -> &str {
        &self.transaction
    }

    /// `NUMAPPEL`.
    pub(super) fn call(&self) -> &str {
        &self.call
    }

    /// `ACQUEREUR`: the card type of a part that went through the voucher page.
    pub(super) fn acquirer(&self) -> Option<&str> {
        Some(self.brand.as_str()).filter(|brand| is_of_voucher_page(brand))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<TenderKey> {
        TenderKey::parse(&Subject::new(text).expect("printable"))
    }

    #[test]
    fn a_subject_reads_back_and_no_other_text_does() {
        let part = parse("722487980/2310165/CVCONNECT").expect("a part");
        assert_eq!(part.subject().as_ref().and_then(TenderKey::parse), Some(part));
        for wrong in [
            "722487980",
            "722487980/2310165",
            "722487980/2310165/",
            "722487980/2310165/CVCONNECT/1",
            "0722487980/2310165/CVCONNECT",
            "722487980/231O165/CVCONNECT",
            "722487980/2310165/cvconnect",
            "722487980/2310165/CV&CONNECT",
            "/2310165/CVCONNECT",
            "722487980/123456789012345678901/CVCONNECT",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_acquirer_is_named_on_the_voucher_page_alone() {
        assert_eq!(parse("1/2/LIMOCB").expect("a part").acquirer(), Some("LIMOCB"));
        assert_eq!(parse("1/2/VISA").expect("a part").acquirer(), None);
    }
}
