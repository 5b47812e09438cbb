//! Addresses of pages, with what was chosen in them.

use cvco_domain::OrderKey;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A path with its query; what is empty is left out.
#[must_use]
pub fn address(path: &str, query: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (place, (name, value)) in query.iter().filter(|(_, value)| !value.is_empty()).enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, KEPT));
    }
    text
}

/// The page of an order: by its reference, or by the payment that has none.
#[must_use]
pub fn order_address(path: &str, key: &OrderKey) -> String {
    match key {
        OrderKey::Reference(shop, reference) => {
            address(path, &[("shop", shop.as_str()), ("reference", reference.as_str())])
        }
        OrderKey::Call(shop, psp, call) => {
            address(path, &[("shop", shop.as_str()), ("psp", psp.as_str()), ("payment", call.as_str())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_was_chosen_and_nothing_of_it_escapes() {
        assert_eq!(address("/orders", &[("q", ""), ("state", "balanced")]), "/orders?state=balanced");
        assert_eq!(
            address("/orders", &[("q", "a&b=\"<é"), ("x", "1")]),
            "/orders?q=a%26b%3D%22%3C%C3%A9&x=1"
        );
    }
}
