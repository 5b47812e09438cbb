//! Whether a handler's answer means that it took the call.

use std::time::Duration;

use cvco_domain::{Bilingual, Psp};

use super::schedule::LONGEST_REST;
use crate::outbound::Reply;

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The handler took the call.
    Delivered,
    /// It has the call, and does not want it: the very same call will not fare better.
    Refused(Bilingual),
    /// It may take the call later.
    Failed {
        /// What was wrong.
        why: String,
        /// How long it asks to be left alone.
        rest: Option<Duration>,
    },
}

/// Judges an answer. Statuses in which firewalls and rate limits speak are no word of the handler itself.
pub(super) fn judge(psp: Psp, reply: &Reply) -> Verdict {
    let rest = reply.retry_after.map(|rest| rest.min(LONGEST_REST));
    let failed = |why: String| Verdict::Failed { why, rest };
    match reply.status {
        // Lyra's modules answer 200 in any case, and say in the text what became of the call:
        // `<span style="display:none">KO-Error signature=…</span>`.
        200..=299 if psp == Psp::Sogecommerce && text_of(&reply.start).starts_with("KO-") => {
            Verdict::Refused(Bilingual::new(
                "le module de la boutique a répondu KO-",
                "the shop's module answered KO-",
            ))
        }
        200..=299 => Verdict::Delivered,
        300..=399 => {
            let to = reply.location.as_deref().and_then(host_and_path).unwrap_or("another address");
            failed(format!(
                "it answered {}: it redirects to {to}; the relay's url must be the last one",
                reply.status
            ))
        }
        403 | 408 | 409 | 425 | 429 => failed(format!("it answered {}", reply.status)),
        400..=499 => {
            Verdict::Refused(Bilingual::new("le module de la boutique l’a refusée", "the handler refused it"))
        }
        508 => failed("it answered 508: the relay's url leads back to this daemon".to_owned()),
        status => failed(format!("it answered {status}")),
    }
}

/// Where a redirection leads, without its query: there may be a token in it.
fn host_and_path(location: &str) -> Option<&str> {
    let bare = location.split(['?', '#']).next()?;
    (!bare.is_empty() && bare.len() <= 200 && bare.bytes().all(|byte| byte.is_ascii_graphic()))
        .then_some(bare)
}

/// The text of an answer without what stands in angle brackets, and without white space in front.
fn text_of(start: &[u8]) -> String {
    let mut in_tag = false;
    let mut text = String::new();
    for c in String::from_utf8_lossy(start).chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if !in_tag => text.push(c),
            _ => {}
        }
    }
    text.trim_start_matches('\u{feff}').trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, text: &str) -> Reply {
        Reply { status, location: None, retry_after: None, start: text.as_bytes().to_vec() }
    }

    fn is_failure(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Failed { .. })
    }

    #[test]
    fn two_hundred_means_taken_but_for_a_ko_of_lyra() {
        let ko = r#"<span style="display:none">KO-Error signature=abc"#;
        assert_eq!(judge(Psp::Up2pay, &reply(200, "")), Verdict::Delivered, "WooCommerce answers nothing");
        assert_eq!(judge(Psp::Up2pay, &reply(200, ko)), Verdict::Delivered);
        assert_eq!(judge(Psp::Sogecommerce, &reply(200, "<span>OK-done</span>")), Verdict::Delivered);
        assert!(matches!(judge(Psp::Sogecommerce, &reply(200, ko)), Verdict::Refused(_)));
        assert!(matches!(judge(Psp::Sogecommerce, &reply(200, " \n KO-x")), Verdict::Refused(_)));
    }

    #[test]
    fn what_firewalls_and_rate_limits_say_is_tried_again() {
        for status in [403, 408, 409, 425, 429, 500, 502, 503, 508] {
            assert!(is_failure(&judge(Psp::Up2pay, &reply(status, ""))), "{status}");
        }
        for status in [400, 401, 404, 405, 410, 422] {
            assert!(matches!(judge(Psp::Up2pay, &reply(status, "")), Verdict::Refused(_)), "{status}");
        }
    }

    #[test]
    fn a_redirection_is_a_failure_that_says_where_to() {
        let moved =
            Reply { location: Some("https://www.shop.example/ipn?key=secret".to_owned()), ..reply(301, "") };
        let Verdict::Failed { why, .. } = judge(Psp::Worldline, &moved) else { panic!("a failure") };
        assert!(
            why.contains("redirects to https://www.shop.example/ipn;") && !why.contains("secret"),
            "{why}"
        );
    }

    #[test]
    fn a_handler_is_left_alone_as_long_as_it_asks_but_not_for_ever() {
        let busy = |seconds| Reply { retry_after: Some(Duration::from_secs(seconds)), ..reply(503, "") };
        let rest = |seconds| match judge(Psp::Up2pay, &busy(seconds)) {
            Verdict::Failed { rest, .. } => rest,
            Verdict::Delivered | Verdict::Refused(_) => None,
        };
        assert_eq!(rest(600), Some(Duration::from_mins(10)));
        assert_eq!(rest(1_000_000), Some(LONGEST_REST));
    }
}
