//! Signed traffic as the tests make it.

use crate::support::{Sogecommerce, Up2pay};

/// A notification as it goes over the wire.
pub(crate) struct Message {
    pub(crate) http: Vec<u8>,
}

/// So many, each of a payment of its own.
pub(crate) fn messages(count: usize) -> Vec<Message> {
    (0..count).map(message).collect()
}

fn message(n: usize) -> Message {
    let reference = format!("R{n}");
    let http = if n.is_multiple_of(2) {
        let call = 1_000_000 + u64::try_from(n).unwrap_or_default();
        format!("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", Up2pay::voucher(&reference, call, 6_000).target())
    } else {
        let body = Sogecommerce::split(&reference, &format!("{n:06}"), 6_000, 3_990).wire().body;
        format!(
            "POST {} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n\
             {body}",
            Sogecommerce::target(),
            body.len()
        )
    };
    Message { http: http.into_bytes() }
}
