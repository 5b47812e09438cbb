//! The other platforms. If one is down, or does not know a token, Monext's directory names others. Monext's PHP library
//! does the same for sessions, but not for calls about transactions.

use cvco_domain::{Bilingual, Standing};
use serde::Deserialize;

use super::super::excerpt;
use super::super::settings::Settings;
use super::calls::SoapCall;
use crate::Method;
use crate::api::{ApiRequest, BaseUrl, Exchange, NoAnswer, Step};

/// The most other platforms that are tried.
const MAX_PLATFORMS: usize = 3;

/// Whether one platform's answer decides.
pub(super) enum Judgement {
    /// It decides.
    Final(Step),
    /// Another platform may know more; `for_want_of_better` is the answer if none does.
    AskElsewhere { cause: String, for_want_of_better: Step },
}

/// The next step: ask the usual platform first, then the directory, then the platforms that it names.
pub(super) fn next(
    call: &SoapCall,
    settings: &Settings,
    said: &[Exchange],
    judge: impl Fn(&Exchange) -> Judgement,
) -> Step {
    let Some((home, rest)) = said.split_first() else { return Step::Call(call.at_home(settings)) };
    let (mut cause, mut so_far) = match judge(home) {
        Judgement::Final(step) => return step,
        Judgement::AskElsewhere { cause, for_want_of_better } => (cause, for_want_of_better),
    };
    let Some(directory) = &settings.directory_url else { return so_far };
    let Some((listing, tried)) = rest.split_first() else {
        return Step::Call(listing_at(directory, settings));
    };
    let platforms = match platforms(listing, &settings.base_url) {
        Ok(platforms) => platforms,
        Err(why) => return doubted(so_far, &Bilingual::in_english_alone(why)),
    };
    for exchange in tried {
        match judge(exchange) {
            Judgement::Final(step) => return step,
            Judgement::AskElsewhere { cause: next_cause, for_want_of_better } => {
                cause = next_cause;
                so_far = worse(so_far, for_want_of_better);
            }
        }
    }
    let (Some(platform), Some(before)) = (platforms.get(tried.len()), said.last()) else { return so_far };
    let origin = if tried.is_empty() { &home.request.url } else { &before.request.url };
    let mut request = call.elsewhere(platform, settings);
    request.headers.extend([
        ("x-failover-cause", cause),
        ("x-failover-origin", origin.clone()),
        ("x-failover-index", tried.len().to_string()),
    ]);
    Step::Call(request)
}

/// The directory is public, so no credentials are sent to it.
fn listing_at(directory: &BaseUrl, settings: &Settings) -> ApiRequest {
    let merchant: String = settings.merchant_id.chars().filter(char::is_ascii_alphanumeric).collect();
    ApiRequest {
        method: Method::Get,
        url: directory.at(&format!("/{merchant}")),
        headers: vec![("accept", "application/json".to_owned())],
        body: Vec::new(),
    }
}

#[derive(Deserialize)]
struct Directory {
    urls: Vec<String>,
}

/// The other platforms that the directory names. Credentials are sent there, so a platform outside Monext's own domain
/// is skipped.
fn platforms(listing: &Exchange, home: &BaseUrl) -> Result<Vec<String>, String> {
    let reply = listing
        .outcome
        .as_ref()
        .map_err(|failure| format!("its directory: {}", excerpt(&failure.to_string(), 200)))?;
    if reply.status != 200 {
        return Err(format!("its directory answers with HTTP status {}", reply.status));
    }
    let directory: Directory = serde_json::from_slice(&reply.body)
        .map_err(|_| "its directory answers with something else than a list of addresses".to_owned())?;
    let mut found: Vec<String> = Vec::new();
    for platform in directory.urls.iter().filter_map(|url| BaseUrl::parse(url).ok()) {
        let url = platform.to_string();
        let home_itself =
            Origin::of(&url).is_some_and(|origin| Some(origin) == Origin::of(&home.to_string()));
        if is_trusted(&url, &home.to_string()) && !home_itself && !found.contains(&url) {
            found.push(url);
        }
    }
    found.truncate(MAX_PLATFORMS);
    Ok(found)
}

/// Scheme, host and port of an address.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: String,
}

impl Origin {
    fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split('/').next()?;
        // The colons of an IPv6 address stand within brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (authority, ""),
        };
        let host = host.to_ascii_lowercase();
        Some(Self { scheme: scheme.to_owned(), host, port: port.to_owned() })
    }

    fn is_here(&self) -> bool {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Whether credentials may go to a platform: a host of the same domain as the usual one; on this machine, for trials,
/// only if the usual one is here too.
fn is_trusted(url: &str, home: &str) -> bool {
    let (Some(origin), Some(home)) = (Origin::of(url), Origin::of(home)) else { return false };
    if origin.scheme != home.scheme || origin.is_here() != home.is_here() {
        return false;
    }
    home.is_here()
        || match domain(&home.host) {
            Some(domain) => {
                origin.host == domain
                    || origin.host.strip_suffix(domain).is_some_and(|host| host.ends_with('.'))
            }
            None => origin.host == home.host,
        }
}

/// The domain that a host is registered under, its last two labels: none where these may be a registry, such as
/// `co.uk`, or an address.
fn domain(host: &str) -> Option<&str> {
    let (rest, top) = host.rsplit_once('.')?;
    let second = rest.rsplit_once('.').map_or(rest, |(_, second)| second);
    let sound = second.len() > 3 && !top.is_empty() && top.bytes().all(|b| b.is_ascii_alphabetic());
    let length = second.len() + 1 + top.len();
    sound.then(|| host.split_at_checked(host.len().checked_sub(length)?)).flatten().map(|(_, domain)| domain)
}

/// "Not known" counts only where every platform could be asked.
fn worse(one: Step, other: Step) -> Step {
    if matches!(one, Step::Failed(_)) { one } else { other }
}

/// The same, where the directory could not be asked.
fn doubted(step: Step, why: &Bilingual) -> Step {
    let unknown = matches!(&step, Step::Answered(answer) if answer.standing == Standing::Unknown);
    if unknown {
        Step::Failed(NoAnswer::trouble(
            format!("inconnu ici, et {}", why.french),
            format!("not known here, and {}", why.english),
        ))
    } else {
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_monext_alone() {
        let home = "https://services.payline.com/V4/services";
        for good in ["https://services2.payline.com", "https://a.b.payline.com:8443/x", "https://PAYLINE.com"]
        {
            assert!(is_trusted(good, home), "{good}");
        }
        for bad in [
            "http://services2.payline.com",
            "https://payline.com.example",
            "https://evilpayline.com",
            "https://127.0.0.1",
            "https://localhost",
            "https://[::1]",
            "https://198.51.100.7",
            "https://services-payline.com",
        ] {
            assert!(!is_trusted(bad, home), "{bad}");
        }
    }

    #[test]
    fn a_registry_is_no_domain() {
        assert!(!is_trusted("https://thief.co.uk", "https://shop.co.uk"));
        assert!(is_trusted("https://shop.co.uk:444", "https://shop.co.uk"));
        assert!(!is_trusted("https://198.51.100.8", "https://198.51.100.7"));
        assert_eq!(domain("services.payline.com"), Some("payline.com"));
        assert_eq!(domain("payline.com"), Some("payline.com"));
        assert_eq!(domain("localhost"), None);
    }

    #[test]
    fn trials_stay_on_this_machine() {
        let home = "http://127.0.0.1:4000/services";
        assert!(is_trusted("http://127.0.0.1:4001", home));
        assert!(is_trusted("http://[::1]:4001", home));
        assert!(!is_trusted("https://services.payline.com", home));
        assert!(!is_trusted("http://example.com", home));
    }
}
