//! The little of DER (ITU-T X.690) that RSA keys need.

/// The tag of an `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// The tag of a `BIT STRING`.
pub const BIT_STRING: u8 = 0x03;
/// The tag of a `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;

/// `OBJECT IDENTIFIER 1.2.840.113549.1.1.1 (rsaEncryption), NULL`: the content of the algorithm identifier.
pub const RSA_ENCRYPTION: [u8; 13] =
    [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Splits one element off: its content, and what follows.
#[must_use]
pub fn split(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?
        }
        _ => return None,
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

/// Writes one element around its content.
#[must_use]
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let leading = length.iter().take_while(|byte| **byte == 0).count();
    let significant = length.get(leading..).unwrap_or_default();
    let mut bytes = vec![tag];
    match significant {
        [] => bytes.push(0),
        [short @ 0..=0x7f] => bytes.push(*short),
        long => {
            bytes.push(0x80 | u8::try_from(long.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(long);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_any_length_comes_back() {
        for length in [0, 1, 127, 128, 255, 256, 65_535] {
            let content = vec![7; length];
            let mut bytes = element(SEQUENCE, &content);
            bytes.push(9);
            assert_eq!(split(&bytes, SEQUENCE), Some((content.as_slice(), &[9][..])), "{length}");
        }
    }

    #[test]
    fn what_is_cut_short_or_of_another_kind_is_nothing() {
        assert_eq!(split(&[SEQUENCE, 2, 1], SEQUENCE), None);
        assert_eq!(split(&[SEQUENCE, 0x82, 1], SEQUENCE), None);
        assert_eq!(split(&[SEQUENCE, 0x83, 0, 0, 1, 7], SEQUENCE), None);
        assert_eq!(split(&[INTEGER, 1, 7], SEQUENCE), None);
        assert_eq!(split(&[], SEQUENCE), None);
    }
}
