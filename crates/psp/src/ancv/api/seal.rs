//! The seal on every call to ANCV's API.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cvco_domain::crypto::HmacSha256Key;
use secrecy::SecretString;

/// The value of the header `ANCV-Security` for a call with these sealed fields: `HmacSHA256.{version}.{seal}`.
///
/// A status call seals the transaction's identifier alone; other calls seal several fields, joined by `&`. The key is
/// its text: one that looks like hexadecimal digits is not decoded.
#[must_use]
pub fn security_header(key_version: &str, key: &SecretString, fields: &[&str]) -> String {
    let tag = HmacSha256Key::new(key.clone()).tag(fields.join("&").as_bytes());
    format!("HmacSHA256.{key_version}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields and their order are those of Monext's connector; key and seals were made for this test, with
    /// another implementation.
    #[test]
    fn every_kind_of_call_is_sealed_over_its_fields() {
        for (fields, seal) in [
            (
                &["10000651", "100016", "ref-20191105153749", "123456789012345678901", "2000"][..],
                "vh9z10YPd8hTw_fEAZrnxxrPV2ss0VVSbjlJvaO8OCM",
            ),
            (&["fiawa31zot"], "5vGKr4grBI9FAGepR9otI0uxS7V0s62GZIuzzqzewHg"),
            (&["fiawa31zot", "OTHER"], "mmBwk38cSot_2qZeWHfcvQ1j_wFrIGEZlAaofLP98TM"),
            (&["fiawa31zot", "11111111111", "2000"], "G7_n8hsDIvEM5nBWBlCT52pGoCU1xoRbewcuRcTtyT8"),
        ] {
            let key = "0123456789abcdef0123456789abcdef".to_owned().into();
            assert_eq!(security_header("ver001", &key, fields), format!("HmacSHA256.ver001.{seal}"));
        }
    }
}
