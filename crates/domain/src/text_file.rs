//! Files that a person hands over. Programs of Windows put a byte-order mark before a text, or write it in UTF-16
//! (Notepad's "Unicode", PowerShell's `>`): nobody sees that, and nothing that is signed or secret survives it.

use std::borrow::Cow;

/// The text of a file in UTF-8, without a byte-order mark. What is neither UTF-16 nor begins with a mark stays as it
/// is, byte for byte, whatever its encoding.
#[must_use]
pub fn utf8(file: &[u8]) -> Cow<'_, [u8]> {
    if let Some(text) = file.strip_prefix(b"\xef\xbb\xbf") {
        return Cow::Borrowed(text);
    }
    let order = match file {
        [0xff, 0xfe, ..] => Some(ByteOrder::Little),
        [0xfe, 0xff, ..] => Some(ByteOrder::Big),
        _ => ByteOrder::without_a_mark(file),
    };
    match order {
        None => Cow::Borrowed(file),
        Some(order) => Cow::Owned(order.read(file).into_bytes()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// Text holds no zero bytes: every second one of the first few is the half of a Latin letter in UTF-16.
    fn without_a_mark(file: &[u8]) -> Option<Self> {
        const ENOUGH: usize = 4;
        let pairs: Vec<[u8; 2]> = file.as_chunks().0.iter().take(ENOUGH).copied().collect();
        let all = |is: fn(&[u8; 2]) -> bool| pairs.len() >= 2 && pairs.iter().all(is);
        if all(|[low, high]| *low != 0 && *high == 0) {
            Some(Self::Little)
        } else if all(|[high, low]| *high == 0 && *low != 0) {
            Some(Self::Big)
        } else {
            None
        }
    }

    fn read(self, file: &[u8]) -> String {
        let unit = |pair: &[u8; 2]| match self {
            Self::Little => u16::from_le_bytes(*pair),
            Self::Big => u16::from_be_bytes(*pair),
        };
        let text = char::decode_utf16(file.as_chunks().0.iter().map(unit));
        let text: String = text.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        match text.strip_prefix('\u{feff}') {
            Some(text) => text.to_owned(),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn little(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn big(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn what_windows_programs_write_is_the_text_that_they_show() {
        for text in ["Mt=1500&Ref=É-1\r\nK=x\r\n", "clé de 16 signes", "ab"] {
            assert_eq!(utf8(format!("\u{feff}{text}").as_bytes()), text.as_bytes());
            for bytes in [
                little(text),
                big(text),
                [&b"\xff\xfe"[..], &little(text)].concat(),
                [&b"\xfe\xff"[..], &big(text)].concat(),
            ] {
                assert_eq!(utf8(&bytes), text.as_bytes(), "{bytes:?}");
            }
        }
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for bytes in
            [&b""[..], b"a", b"Mt=1500", b"\xe9t\xe9", b"\x00\x00\x00\x00", b"\x30\x82\x00\x01", b"a\0"]
        {
            assert_eq!(utf8(bytes), bytes);
        }
    }

    #[test]
    fn a_cut_file_is_read_as_far_as_it_goes() {
        assert_eq!(utf8(b"\xff\xfea\0b\0c"), &b"ab"[..]);
        assert_eq!(utf8(b"\xff\xfe\x00\xd8"), "\u{fffd}".as_bytes());
    }
}
