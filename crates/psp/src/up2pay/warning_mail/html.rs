//! The text of an HTML mail, as far as a quotation needs it: without tags, with the entities that stand for ASCII
//! and for quotation marks.

/// Tags that end a line.
const BREAKS: [&[u8]; 5] = [b"br", b"tr", b"td", b"li", b"th"];

/// Tags that end a paragraph.
const PARAGRAPHS: [&[u8]; 4] = [b"p", b"div", b"table", b"blockquote"];

/// Tags whose content nobody sees.
const HIDDEN: [&[u8]; 3] = [b"style", b"script", b"title"];

/// Longer than the name of any entity that matters.
const LONGEST_ENTITY: usize = 8;

/// The text.
pub(super) fn to_text(html: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(html.len());
    let mut rest = html;
    while let Some((first, tail)) = rest.split_first() {
        rest = match first {
            b'<' => match Tag::at(rest) {
                Some(tag) => {
                    text.extend_from_slice(tag.stands_for());
                    tag.tail
                }
                None => push(&mut text, *first, tail),
            },
            b'&' => match entity(tail) {
                Some((character, tail)) => {
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    tail
                }
                None => push(&mut text, *first, tail),
            },
            _ => push(&mut text, *first, tail),
        };
    }
    text
}

fn push<'a>(text: &mut Vec<u8>, byte: u8, tail: &'a [u8]) -> &'a [u8] {
    text.push(byte);
    tail
}

struct Tag<'a> {
    name: Vec<u8>,
    tail: &'a [u8],
}

impl<'a> Tag<'a> {
    /// The tag that begins here. A bracket that stands before a call itself (`<Mt=1000&…>`) begins none.
    fn at(html: &'a [u8]) -> Option<Self> {
        let inside = html.strip_prefix(b"<")?;
        if let Some(comment) = inside.strip_prefix(b"!--") {
            return Some(Self { name: Vec::new(), tail: after(comment, b"-->") });
        }
        let bare = inside.strip_prefix(b"/").unwrap_or(inside);
        let length = bare.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'!').count();
        let (name, rest) = bare.split_at_checked(length)?;
        let ends_well = matches!(rest.first(), Some(b'>' | b'/')) || rest.first()?.is_ascii_whitespace();
        if name.is_empty() || !ends_well {
            return None;
        }
        let mut tag = Self { name: name.to_ascii_lowercase(), tail: after(rest, b">") };
        if bare.len() == inside.len() && HIDDEN.contains(&tag.name.as_slice()) {
            let closing = [b"</", tag.name.as_slice()].concat();
            tag.tail = after(after_any_case(tag.tail, &closing), b">");
        }
        Some(tag)
    }

    fn stands_for(&self) -> &'static [u8] {
        match self.name.as_slice() {
            name if BREAKS.contains(&name) => b"\n",
            name if PARAGRAPHS.contains(&name) => b"\n\n",
            _ => b"",
        }
    }
}

/// What comes after a text; nothing if it does not occur.
fn after<'a>(bytes: &'a [u8], text: &[u8]) -> &'a [u8] {
    let found = bytes.windows(text.len()).position(|window| window == text);
    found.and_then(|at| bytes.get(at.saturating_add(text.len())..)).unwrap_or_default()
}

/// The same without regard to case.
fn after_any_case<'a>(bytes: &'a [u8], text: &[u8]) -> &'a [u8] {
    let found = bytes.windows(text.len()).position(|window| window.eq_ignore_ascii_case(text));
    found.and_then(|at| bytes.get(at.saturating_add(text.len())..)).unwrap_or_default()
}

/// The character of an entity that ends with `;`, and what comes after it. Others stay: `&Ref=…` in a call is none.
fn entity(tail: &[u8]) -> Option<(char, &[u8])> {
    let end = tail.iter().take(LONGEST_ENTITY).position(|b| *b == b';')?;
    let (name, rest) = tail.split_at_checked(end)?;
    let name = std::str::from_utf8(name).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ldquo" => '“',
        "rdquo" => '”',
        "bdquo" => '„',
        "laquo" => '«',
        "raquo" => '»',
        numeric => {
            let number = numeric.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((character, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        String::from_utf8(to_text(html.as_bytes())).expect("UTF-8")
    }

    #[test]
    fn tags_go_and_entities_become_what_they_stand_for() {
        assert_eq!(text("<p class=\"x\">a<wbr>b<br/>c</p>"), "\n\nab\nc\n\n");
        assert_eq!(text("Mt=1&amp;Ref=2&#38;K=3&#x26;L"), "Mt=1&Ref=2&K=3&L");
        assert_eq!(text("&ldquo;a&rdquo;&nbsp;&lt;b&gt;"), "“a” <b>");
        assert_eq!(text("<STYLE>p { x }</style>a<!-- b -->c"), "ac");
    }

    #[test]
    fn a_call_is_neither_tag_nor_entity() {
        let call = "<Mt=1000&Ref=A&Copy=1;&quot=2>";
        assert_eq!(text(call), call);
        for odd in ["<", "a < b", "&", "&#xffffffff;", "&#x110000;", "&amp"] {
            assert_eq!(text(odd), odd);
        }
        assert_eq!(text("<style>never closed"), "");
        assert_eq!(text("<p never closed"), "\n\n");
    }
}
