//! Text from outside, as it may be shown: what one cannot see is made visible, so that no reference can pass for another one or
//! turn the line around. What HTML would read as its own the templates escape.

/// Characters that change the direction of what follows, or show nothing at all.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every unseen character written out as its number.
#[must_use]
pub fn outside(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    if !text.chars().any(|c| c.is_control() || is_unseen(c)) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if c.is_control() || is_unseen(c) { format!("⟨{:04X}⟩", u32::from(c)) } else { c.to_string() }
        })
        .collect()
}

/// Text cut to so many characters, with an ellipsis where something is missing.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(outside("CMD-1"), "CMD-1");
        assert_eq!(outside("a\u{202e}b\u{7}\u{200b}é\n"), "a⟨202E⟩b⟨0007⟩⟨200B⟩é⟨000A⟩");
    }

    #[test]
    fn a_long_text_says_that_it_goes_on() {
        assert_eq!((cut("été", 3), cut("étés", 3)), ("été".to_owned(), "ét…".to_owned()));
    }
}
