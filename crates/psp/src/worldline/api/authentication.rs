//! How a call to the API is signed: "v1HMAC" of Worldline's server libraries. The signed text is the verb,
//! the type of the body, the date and the path, each on a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::Timestamp;
use cvco_domain::crypto::HmacSha256Key;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::settings::ApiSettings;
use crate::Method;
use crate::api::ApiRequest;

/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A signed `GET` of a page below the API's address.
pub(super) fn get(api: &ApiSettings, path: &str, now: Timestamp) -> ApiRequest {
    let date = http_date(now);
    let authorization = authorization(api, &date, &api.base_url.path_at(path));
    ApiRequest {
        method: Method::Get,
        url: api.base_url.at(&utf8_percent_encode(path, PATH).to_string()),
        headers: vec![("date", date), ("authorization", authorization)],
        body: Vec::new(),
    }
}

/// A `GET` has no body, hence the empty line for its type.
fn authorization(api: &ApiSettings, date: &str, path: &str) -> String {
    let text = format!("GET\n\n{date}\n{path}\n");
    let tag = HmacSha256Key::new(api.secret.clone()).tag(text.as_bytes());
    format!("GCS v1HMAC:{}:{}", api.key_id, STANDARD.encode(tag))
}

/// `Fri, 06 Jun 2014 13:39:43 GMT` (RFC 1123). A date more than five minutes off is refused.
fn http_date(now: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
    // 1 January 1970 was a Thursday; the text always is `2014-06-06T13:39:43.000Z`.
    let weekday = usize::try_from(now.millis() / DAY_MILLIS % 7).unwrap_or(0);
    let text = now.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let month = part(5..7).parse::<usize>().unwrap_or(1);
    format!(
        "{}, {} {} {} {} GMT",
        DAYS.get(weekday).unwrap_or(&"Thu"),
        part(8..10),
        MONTHS.get(month.saturating_sub(1)).unwrap_or(&"Jan"),
        part(0..4),
        part(11..19),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::BaseUrl;

    fn api(base_url: &str) -> ApiSettings {
        ApiSettings {
            base_url: BaseUrl::parse(base_url).expect("an address"),
            key_id: "EC36A74A98D21".to_owned(),
            secret: "6Kj5HT0MQKC6D8eb7W3lTg71kVKVDSt1".to_owned().into(),
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a date")
    }

    /// From the tests of the vendor's own libraries (sdk-python3, `test_v1hmac_authenticator.py`; sdk-java,
    /// `V1HmacAuthenticatorTest.java`).
    #[test]
    fn the_vendors_own_vector_is_met() {
        let request = get(&api("https://payment.example"), "/v2/1/tokens/2", at("2014-06-06T13:39:43Z"));
        assert_eq!(request.url, "https://payment.example/v2/1/tokens/2");
        assert_eq!(
            request.headers,
            [
                ("date", "Fri, 06 Jun 2014 13:39:43 GMT".to_owned()),
                (
                    "authorization",
                    "GCS v1HMAC:EC36A74A98D21:vCos01y77soPNJOW6kDCm4Bu5b2darAZ09PP7Wa+jRA=".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn the_signed_path_is_the_whole_path() {
        let now = at("2014-06-06T13:39:43Z");
        let (after, before) =
            (get(&api("https://host/proxy"), "/v2/1", now), get(&api("https://host"), "/proxy/v2/1", now));
        assert_eq!(after, before);
    }

    #[test]
    fn dates_are_those_of_http() {
        for (at_text, date) in [
            ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("2024-02-29T23:59:59.999Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            ("2026-12-31T12:00:00+02:00", "Thu, 31 Dec 2026 10:00:00 GMT"),
            ("2026-11-21T04:31:37Z", "Sat, 21 Nov 2026 04:31:37 GMT"),
        ] {
            assert_eq!(http_date(at(at_text)), date);
        }
    }
}
