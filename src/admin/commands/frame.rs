//! What goes over the admin socket: an order, with the file that it names behind it, and an answer line by line.

use serde::{Deserialize, Serialize};

/// What is to be done: the first line of a call; the bytes behind it are the file that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The command line, without the program's name.
    pub arguments: Vec<String>,
}

impl Order {
    /// So long is it at most.
    pub(super) const BYTES: usize = 128 * 1024;

    /// Lays out a call.
    pub(super) fn lay_out(&self, input: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
        let mut call = serde_json::to_vec(self)?;
        call.push(b'\n');
        call.extend_from_slice(input);
        Ok(call)
    }

    /// Reads a call.
    pub(super) fn read(call: &[u8]) -> Result<(Self, Vec<u8>), String> {
        let end = call.iter().take(Self::BYTES).position(|byte| *byte == b'\n');
        let (order, input) =
            end.and_then(|end| call.split_at_checked(end)).ok_or("no order in the first line")?;
        let order = serde_json::from_slice(order).map_err(|error| format!("not an order: {error}"))?;
        Ok((order, input.get(1..).unwrap_or_default().to_vec()))
    }
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// A line for standard output.
    Line(String),
    /// Something to be warned of.
    Warning(String),
    /// What a person is asked before anything is done; whoever agrees gives the command again with `--yes`.
    Question(String),
    /// A file begins, under this name.
    File(String),
    /// More of the file, in base64.
    Data(String),
    /// The file is whole; what it holds, in words.
    Whole(String),
    /// The end.
    End(End),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct End {
    /// Its exit code.
    pub exit: u8,
    /// Why it could not be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint: Option<String>,
    /// Whether that is in the language of whoever gave the command; else it is in English.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_explained: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_comes_with_the_file_that_it_names_to_the_byte() {
        let order = Order { arguments: vec!["a\nb".to_owned()] };
        for input in [&b""[..], b"\n\n", b"\xff\x00\n{}", &vec![7; 300_000]] {
            let call = order.lay_out(input).expect("laid out");
            assert_eq!(Order::read(&call), Ok((order.clone(), input.to_vec())));
        }
        for call in [&b""[..], b"{}", b"{}\n", b"\n", b"[]\nx", &vec![b'{'; 400_000]] {
            Order::read(call).expect_err("no order");
        }
    }
}
