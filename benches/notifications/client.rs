//! The load: keep-alive connections, each a closed loop (the next request leaves when the answer is there).

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::report::Sample;
use crate::traffic::Message;

/// One connection. Requests are rendered beforehand and answers barely parsed: the client shares the cores
/// with the server, so what it spends is missing there.
struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::with_capacity(1024) })
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<()> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        while !is_complete(&self.answer)? {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the server closed a connection");
        }
        ensure!(self.answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&self.answer));
        Ok(())
    }
}

/// Whether the whole answer is there, by its `Content-Length`.
fn is_complete(answer: &[u8]) -> Result<bool> {
    let Some(head_end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(false) };
    let (head, body) = answer.split_at(head_end);
    let length = std::str::from_utf8(head)?
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("an answer without a length")?
        .1;
    Ok(body.len() >= length.trim().parse::<usize>()? + 4)
}

/// Sends `range` of the messages (again from the first behind the last) over so many connections, to the servers in turn; the
/// first tenth warms up and is not measured.
pub(crate) async fn drive(
    servers: &[SocketAddr],
    connections: usize,
    messages: &Arc<Vec<Message>>,
    range: Range<usize>,
) -> Result<Sample> {
    let mut open = Vec::new();
    for server in servers.iter().cycle().take(connections) {
        open.push(Connection::open(*server).await?);
    }
    let warm = range.start + range.len() / 10;
    let (_, open) = phase(open, messages, range.start..warm).await?;
    let (sample, _) = phase(open, messages, warm..range.end).await?;
    Ok(sample)
}

async fn phase(
    open: Vec<Connection>,
    messages: &Arc<Vec<Message>>,
    range: Range<usize>,
) -> Result<(Sample, Vec<Connection>)> {
    let next = Arc::new(AtomicUsize::new(range.start));
    let mut loops = JoinSet::new();
    let start = Instant::now();
    for mut connection in open {
        let (messages, next) = (Arc::clone(messages), Arc::clone(&next));
        loops.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= range.end {
                    return anyhow::Ok((latencies, connection));
                }
                let message = messages.get(number % messages.len()).context("no messages")?;
                let sent = Instant::now();
                connection.exchange(&message.http).await?;
                latencies.push(sent.elapsed());
            }
        });
    }
    let (mut latencies, mut open) = (Vec::new(), Vec::new());
    while let Some(ended) = loops.join_next().await {
        let (of_one, connection) = ended??;
        latencies.extend(of_one);
        open.push(connection);
    }
    Ok((Sample::new(start.elapsed(), latencies), open))
}
