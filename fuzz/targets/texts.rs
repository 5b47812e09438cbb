//! Any text where the configuration or a person writes one: what is taken is written as it was read.
#![no_main]

use cvco_domain::{DatePattern, Timestamp};
use cvco_psp::ReferencePattern;
use cvco_psp::api::BaseUrl;
use cvco_psp::up2pay::Template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(template) = Template::parse(text) {
        assert_eq!(Template::parse(&template.to_string()), Ok(template));
    }
    let _ = Template::parse_lenient(text);
    if let Ok(at) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&at.to_string()).ok(), Some(at));
        let _ = at.paris_text();
    }
    let _ = BaseUrl::parse(text);
    let (pattern, subject) = text.split_once('\n').unwrap_or((text, "woo_123_4_5"));
    if let Ok(pattern) = ReferencePattern::parse(pattern) {
        let _ = pattern.order(subject);
    }
    let _ = DatePattern::new(pattern);
});
