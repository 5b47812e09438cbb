//! What is wrong with a file, in words that show no secret.

/// Line, key and reason. Not the library's own rendering, which quotes the line and so might print a secret.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> String {
    let Some(start) = error.span().map(|span| span.start) else { return error.message().to_owned() };
    let before = text.get(..start).unwrap_or_default();
    let line_number = before.matches('\n').count().saturating_add(1);
    let line = text.lines().nth(line_number.saturating_sub(1)).unwrap_or_default();
    let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
    let of = endpoint_of(before).map(|id| format!(" (endpoint {id})")).unwrap_or_default();
    format!("line {line_number}{of}, {key}: {}", reason(line, error.message()))
}

/// The id of the endpoint in whose table a text ends.
fn endpoint_of(before: &str) -> Option<&str> {
    let mut lines = before.lines().rev().map(str::trim).take_while(|line| !line.starts_with("[[shop]]"));
    let mut id = None;
    lines.find_map(|line| {
        if let Some(value) =
            line.strip_prefix("id").map(str::trim_start).and_then(|rest| rest.strip_prefix('='))
        {
            id = value.trim().trim_matches('"').split('"').next();
        }
        line.starts_with("[[shop.endpoint]]").then_some(id)
    })?
}

/// What is wrong with a line, never with its value: that may be a secret.
fn reason(line: &str, message: &str) -> String {
    const SECRETS: [&str; 9] = [
        "token",
        "url",
        "key",
        "password",
        "rest_password",
        "admin_token",
        "secret",
        "access_key",
        "proxy_password",
    ];
    if let Some((_, wanted)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        let name = line.trim().trim_matches(['[', ']']);
        return match wanted {
            _ if line.starts_with("[[") => format!("there is one at most; write [{name}]"),
            "a sequence" if line.starts_with('[') => format!("there may be several; write [[{name}]]"),
            "a sequence" => "write a list, in brackets".to_owned(),
            "a string" => "write the value as text, in quotes".to_owned(),
            "a boolean" => "write true or false".to_owned(),
            "u32" => "write a whole number, without quotes".to_owned(),
            other => format!("write {other}"),
        };
    }
    let names = |name: &str| message.starts_with(name);
    let is_secret =
        line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| SECRETS.contains(&word));
    if is_secret && !names("unknown field") && !names("missing field") {
        return "not TOML; write the value as text, in quotes, and look at commas and brackets".to_owned();
    }
    message.to_owned()
}

/// Whether an address holds a password, which would stand in every message about it.
pub(super) fn holds_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_is_not_repeated() {
        for (line, message, said) in [
            (
                r#"webhook_keys = "hunter2""#,
                r#"invalid type: string "hunter2", expected a sequence"#,
                "write a list, in brackets",
            ),
            (
                "sweep_every = 3600",
                "invalid type: integer `3600`, expected a string",
                "write the value as text, in quotes",
            ),
            (
                r#"calls_per_second = "5""#,
                r#"invalid type: string "5", expected u32"#,
                "write a whole number, without quotes",
            ),
            ("[[confirm]]", "invalid type: map, expected a string", "there is one at most; write [confirm]"),
            ("[shop]", "invalid type: map, expected a sequence", "there may be several; write [[shop]]"),
        ] {
            assert_eq!(reason(line, message), said);
        }
    }

    #[test]
    fn a_misspelt_key_is_named_even_beside_a_secret_and_broken_syntax_is_not_shown() {
        let line = r#"webhook_keys = [{ secret = "hunter2" }]"#;
        assert_eq!(reason(line, "missing field `id`"), "missing field `id`");
        assert!(reason("access_key = hunter2", "invalid literal `hunter2`").starts_with("not TOML"));
    }

    #[test]
    fn a_password_in_an_address_is_noticed() {
        for url in ["http://me:hunter2@proxy:3128", "me:hunter2@proxy", "https://a:b@host/path"] {
            assert!(holds_password(url), "{url}");
        }
        for url in ["http://me@proxy:3128", "http://proxy:3128", "https://host/a:b@c"] {
            assert!(!holds_password(url), "{url}");
        }
    }

    #[test]
    fn a_wrong_line_of_an_endpoint_is_named_by_its_id() {
        let text =
            "[[shop]]\nid = \"camping\"\n[[shop.endpoint]]\nid = \"camping-up2pay\"\npsp = \"up2pay\"\n";
        assert_eq!(endpoint_of(text), Some("camping-up2pay"));
        assert_eq!(endpoint_of("[[shop]]\nid = \"camping\"\n"), None);
        assert_eq!(endpoint_of(&format!("{text}[[shop]]\nid = \"b\"\n")), None);
    }
}
