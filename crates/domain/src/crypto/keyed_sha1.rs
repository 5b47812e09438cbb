//! SHA-1 over a text that ends with the shared key: the old signature of Lyra's payment form, which shops
//! that never switched still use. Not an HMAC, so it is offered for that one form only.

use subtle::ConstantTimeEq;

use super::{BadSignature, Signed, Verified, sha1_hex};

/// Checks `expected_hex` (40 lower-case digits) in constant time against the SHA-1 of `value`'s signed bytes,
/// which already hold the key.
///
/// # Errors
/// The digest is of another length or another text, or the text was made with another key.
pub fn verify_sha1_form<T: Signed>(value: T, expected_hex: &[u8]) -> Result<Verified<T>, BadSignature<T>> {
    let matches: bool = sha1_hex(&value.signed_bytes()).as_bytes().ct_eq(expected_hex).into();
    if matches { Ok(Verified::proven(value)) } else { Err(BadSignature(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_lower_case_digest_fits() {
        let message = || b"2990+TEST+1+2+1122334455667788".to_vec();
        let digest = "636fd57b9af53cc83e7654485c546ec195d7732d";
        assert!(verify_sha1_form(message(), digest.as_bytes()).is_ok_and(|proven| *proven == message()));
        assert!(verify_sha1_form(message(), digest.to_uppercase().as_bytes()).is_err());
        assert!(verify_sha1_form(message(), &digest.as_bytes()[..39]).is_err());
        assert!(verify_sha1_form(message(), b"").is_err());
    }
}
