//! The message of `alerts test`: that it arrives is all that it has to say.

use super::RenderedMail;
use super::catalogue::Language;
use super::short::ShortMessage;
use super::typography::{one_line, typeset};
use super::words;

/// What a test says, in the language of its readers.
struct Text {
    title: String,
    lines: Vec<String>,
}

fn text(language: Language, shop: Option<&str>, host: &str) -> Text {
    let about = shop.map(one_line);
    let (title, lines) = match language {
        Language::French => (
            "essai des alertes",
            [
                "Ce message est un essai : si vous le lisez, les alertes vous parviendront.".to_owned(),
                match &about {
                    Some(shop) => format!("Il concerne {shop}. Il n'y a rien à faire."),
                    None => "Il n'y a rien à faire.".to_owned(),
                },
            ],
        ),
        Language::English => (
            "test of the alerts",
            [
                "This message is a test: if you read it, alerts will reach you.".to_owned(),
                match &about {
                    Some(shop) => format!("It is about {shop}. There is nothing to do."),
                    None => "There is nothing to do.".to_owned(),
                },
            ],
        ),
    };
    let of = about.unwrap_or_else(|| one_line(host));
    let title = format!("[TEST] [CVCo] {of}{} {title}", words::colon(language));
    Text { title, lines: lines.iter().map(|line| typeset(language, line)).collect() }
}

/// The e-mail.
#[must_use]
pub fn mail(language: Language, shop: Option<&str>, host: &str) -> RenderedMail {
    let Text { title, lines } = text(language, shop, host);
    let labels = words::labels(language);
    let footer = format!("{} ({})", labels.automatic, one_line(host));
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs = lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("</p>\n<p>");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head>\n\
         <body style=\"font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:22px;color:#1f2933;\">\n\
         <p>{paragraphs}</p>\n<p style=\"font-size:12px;color:#7b8794;\">{}</p>\n</body>\n</html>\n",
        language.as_str(),
        escaped(&footer)
    );
    RenderedMail {
        subject: title,
        text: format!("{}\n\n-- \n{footer}\n", lines.join("\n")),
        html,
        urgent: false,
    }
}

/// The message for a channel.
#[must_use]
pub fn short(language: Language, shop: Option<&str>, host: &str) -> ShortMessage {
    let Text { title, lines } = text(language, shop, host);
    ShortMessage { title, lines, urgent: false, trial: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_says_that_it_is_one_and_forges_nothing() {
        let mail = mail(Language::French, Some("Les Pins <b>\r\nBcc: x"), "srv");
        assert_eq!(
            mail.subject.replace('\u{a0}', " "),
            "[TEST] [CVCo] Les Pins <b>  Bcc: x : essai des alertes"
        );
        assert!(mail.text.contains("Ce message est un essai") && mail.html.contains("&lt;b&gt;"));
        assert!(short(Language::English, None, "srv").title.starts_with("[TEST] [CVCo] srv: "));
    }
}
