//! What is wrong with a file, in words that show no secret.

use cvco_domain::Bilingual;

/// Line, key and reason. Not the library's own rendering, which quotes the line and so might print a secret.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> Bilingual {
    let Some(start) = error.span().map(|span| span.start) else {
        return Bilingual::in_english_alone(error.message());
    };
    let before = text.get(..start).unwrap_or_default();
    let number = before.matches('\n').count().saturating_add(1);
    let line = text.lines().nth(number.saturating_sub(1)).unwrap_or_default();
    let key = line.split_once('=').map_or(line, |(key, _)| key).trim();
    let reason = reason(line, error.message());
    let (of_french, of_english) = endpoint_of(before)
        .map(|id| (format!(" (point d’entrée {id})"), format!(" (endpoint {id})")))
        .unwrap_or_default();
    Bilingual::new(
        format!("ligne {number}{of_french}, {key}\u{a0}: {}", reason.french),
        format!("line {number}{of_english}, {key}: {}", reason.english),
    )
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
fn reason(line: &str, message: &str) -> Bilingual {
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
        return right_type(line, wanted);
    }
    if let Some((unknown, known)) =
        message.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected "))
    {
        let known = known.strip_prefix("one of ").unwrap_or(known).replace(" or ", " ou ");
        return Bilingual::new(format!("clé inconnue {unknown}\u{a0}; il y a {known}"), message.to_owned());
    }
    if let Some(missing) = message.strip_prefix("missing field ") {
        return Bilingual::new(format!("il manque {missing}"), message.to_owned());
    }
    let is_secret =
        line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| SECRETS.contains(&word));
    if is_secret {
        return Bilingual::new(
            "ce n’est pas du TOML\u{a0}; écrivez la valeur comme un texte, entre guillemets, et vérifiez virgules et crochets",
            "not TOML; write the value as text, in quotes, and look at commas and brackets",
        );
    }
    if message == "duplicate key" {
        return Bilingual::new("clé donnée deux fois", message);
    }
    Bilingual::new(format!("ce n’est pas du TOML (en anglais\u{a0}: {message})"), message)
}

/// What to write where a value of another type stands.
fn right_type(line: &str, wanted: &str) -> Bilingual {
    let name = line.trim().trim_matches(['[', ']']);
    match wanted {
        _ if line.starts_with("[[") => Bilingual::new(
            format!("il y en a une au plus\u{a0}; écrivez [{name}]"),
            format!("there is one at most; write [{name}]"),
        ),
        "a sequence" if line.starts_with('[') => Bilingual::new(
            format!("il peut y en avoir plusieurs\u{a0}; écrivez [[{name}]]"),
            format!("there may be several; write [[{name}]]"),
        ),
        "a sequence" => Bilingual::new("écrivez une liste, entre crochets", "write a list, in brackets"),
        "a string" => Bilingual::new(
            "écrivez la valeur comme un texte, entre guillemets",
            "write the value as text, in quotes",
        ),
        "a boolean" => Bilingual::new("écrivez true ou false", "write true or false"),
        "u32" => Bilingual::new(
            "écrivez un nombre entier, sans guillemets",
            "write a whole number, without quotes",
        ),
        // As the types of this configuration say what they expect: an example follows a colon.
        other => {
            let example = other.split_once(": ").map_or(other, |(_, example)| example);
            Bilingual::new(format!("écrivez par exemple {example}"), format!("write {other}"))
        }
    }
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
            assert_eq!(reason(line, message).english, said);
        }
    }

    #[test]
    fn a_misspelt_key_is_named_even_beside_a_secret_and_broken_syntax_is_not_shown() {
        let line = r#"webhook_keys = [{ secret = "hunter2" }]"#;
        assert_eq!(
            reason(line, "missing field `id`"),
            Bilingual::new("il manque `id`", "missing field `id`")
        );
        let broken = reason("access_key = hunter2", "invalid literal `hunter2`");
        assert!(broken.english.starts_with("not TOML") && !broken.french.contains("hunter2"), "{broken:?}");
    }

    #[test]
    fn a_key_that_does_not_exist_is_named_in_french_with_those_that_do() {
        let message = "unknown field `publik`, expected one of `public`, `admin`";
        assert_eq!(
            reason("publik = 1", message).french,
            "clé inconnue `publik`\u{a0}; il y a `public`, `admin`"
        );
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
