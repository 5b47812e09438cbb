//! Payment ids. Each names a payment and one of its operations: 0 is the authorisation or the direct sale,
//! every capture, cancellation or refund after it counts on. Worldline writes them in two forms:
//!
//! - `10083980755_0`: the payment and the operation;
//! - `9000010083980755000`, general since May 2026: 19 digits, a wrapper (`900000` before a payment of 10 digits,
//!   `90000` before one of 11), the payment, and the operation in 3 digits.
//!
//! The hosted-checkout API also names the payment alone, `10083980755`. Any other text counts as a payment's name as it
//! is.

use cvco_domain::{CallNumber, TenderId};

/// Which operation of which payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PaymentId {
    text: String,
    payment: CallNumber,
    operation: Option<u32>,
}

/// The longest name of a payment; with operation and refund suffix it still makes a [`TenderId`].
const LONGEST_PAYMENT: usize = 40;

impl PaymentId {
    /// Reads an id in any form; `None` if it is too long or not printable.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (payment, operation) = underscored(text).or_else(|| wrapped(text)).unwrap_or((text, None));
        let payment = CallNumber::new(payment).ok().filter(|_| payment.chars().count() <= LONGEST_PAYMENT)?;
        Some(Self { text: text.to_owned(), payment, operation })
    }

    /// As Worldline wrote it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// What all operations of the payment share.
    pub(super) const fn payment(&self) -> &CallNumber {
        &self.payment
    }

    /// The operation; an id without one means the payment itself, as it began.
    pub(super) fn operation(&self) -> u32 {
        self.operation.unwrap_or(0)
    }

    /// The same name for the operation in whichever form the id came.
    pub(super) fn tender_id(&self) -> Option<TenderId> {
        TenderId::new(format!("{}_{}", self.payment, self.operation())).ok()
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn underscored(text: &str) -> Option<(&str, Option<u32>)> {
    let (payment, operation) = text.rsplit_once('_')?;
    let operation = operation.parse().ok().filter(|_| all_digits(operation) && !payment.is_empty())?;
    Some((payment, Some(operation)))
}

fn wrapped(text: &str) -> Option<(&str, Option<u32>)> {
    if !matches!(text.len(), 19 | 20) || !all_digits(text) {
        return None;
    }
    let inner = text.strip_prefix("900000").or_else(|| text.strip_prefix("90000"))?;
    let (payment, operation) = inner.split_at_checked(inner.len().checked_sub(3)?)?;
    Some((payment, operation.parse().ok()))
}

/// The first operation of a payment in the form with an underscore.
pub(super) fn first_operation(payment: &str) -> String {
    format!("{payment}_0")
}

/// An operation in the wrapped form, where the payment's name has a length for which that is known.
pub(super) fn wrap(payment: &str, operation: u32) -> Option<String> {
    let wrapper = match payment.len() {
        10 => "900000",
        11 => "90000",
        _ => return None,
    };
    (all_digits(payment) && operation < 1000).then(|| format!("{wrapper}{payment}{operation:03}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Option<u32>) {
        let id = PaymentId::parse(text).expect("an id");
        assert_eq!(id.as_str(), text);
        (id.payment().to_string(), id.operation)
    }

    /// From the tests of Worldline's own plugins: plugin-core-base (`PaymentId.php`) and plugin-magento-core
    /// (`PaymentIdFormatterTest.php`).
    #[test]
    fn both_forms_name_the_same_payment() {
        for (text, payment, operation) in [
            ("4365991440_0", "4365991440", Some(0)),
            ("9000004375008553000", "4375008553", Some(0)),
            ("9000099999999999000", "99999999999", Some(0)),
            ("9000003261218192000", "3261218192", Some(0)),
            ("3261218192", "3261218192", None),
            ("10083980800_11", "10083980800", Some(11)),
            ("9000010083980800002", "10083980800", Some(2)),
        ] {
            assert_eq!(parsed(text), (payment.to_owned(), operation), "{text}");
        }
    }

    #[test]
    fn an_id_of_another_shape_is_taken_as_it_is() {
        for text in [
            "00000001230000000001",
            "19000004375008553000",
            "900000437500855300",
            "abc",
            "abc_d",
            "_1",
            "1_+1",
        ] {
            assert_eq!(parsed(text), (text.to_owned(), None), "{text}");
        }
        assert_eq!(parsed("a_b_1"), ("a_b".to_owned(), Some(1)));
        for wrong in ["", " ", "a\nb", &"9".repeat(41)] {
            assert_eq!(PaymentId::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_operation_has_one_name_in_all_forms() {
        let named = |text| PaymentId::parse(text).and_then(|id| id.tender_id()).map(String::from);
        for text in ["10083980755", "10083980755_0", "9000010083980755000"] {
            assert_eq!(named(text).as_deref(), Some("10083980755_0"), "{text}");
        }
    }

    #[test]
    fn the_wrapped_form_is_made_as_it_is_read() {
        assert_eq!(wrap("4375008553", 0).as_deref(), Some("9000004375008553000"));
        assert_eq!(wrap("10083980755", 12).as_deref(), Some("9000010083980755012"));
        for (payment, operation) in [("123", 0), ("1008398075a", 0), ("10083980755", 1000)] {
            assert_eq!(wrap(payment, operation), None, "{payment} {operation}");
        }
    }
}
