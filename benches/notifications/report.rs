//! Figures, and how they are printed. Integers throughout: nothing here needs more digits.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

/// One measurement.
pub(crate) struct Sample {
    count: usize,
    elapsed: Duration,
    /// Ascending.
    latencies: Vec<Duration>,
}

impl Sample {
    /// `latencies`: one for each thing done.
    pub(crate) fn new(elapsed: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { count: latencies.len(), elapsed, latencies }
    }

    /// For what is only measured as a whole.
    pub(crate) const fn of_all(count: usize, elapsed: Duration) -> Self {
        Self { count, elapsed, latencies: Vec::new() }
    }

    /// For what is done several at a time: `latencies` are those of the groups.
    pub(crate) fn grouped(self, group: usize) -> Self {
        Self { count: self.count * group, ..self }
    }

    /// Runs `act` so many times and measures each.
    pub(crate) fn repeat(times: usize, mut act: impl FnMut(usize) -> Result<()>) -> Result<Self> {
        let mut latencies = Vec::with_capacity(times);
        let start = Instant::now();
        for number in 0..times {
            let began = Instant::now();
            act(number)?;
            latencies.push(began.elapsed());
        }
        Ok(Self::new(start.elapsed(), latencies))
    }

    pub(crate) fn per_second(&self) -> u128 {
        per_second(self.count, self.elapsed)
    }

    fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(last * percent / 100).copied().unwrap_or_default()
    }
}

pub(crate) const fn per_second(count: usize, elapsed: Duration) -> u128 {
    count as u128 * 1_000_000_000 / if elapsed.is_zero() { 1 } else { elapsed.as_nanos() }
}

/// The table, printed line by line as the figures come in.
pub(crate) struct Report<W>(pub(crate) W);

impl<W: Write> Report<W> {
    pub(crate) fn text(&mut self, line: &str) -> Result<()> {
        writeln!(self.0, "{line}")?;
        Ok(self.0.flush()?)
    }

    pub(crate) fn head(&mut self) -> Result<()> {
        self.text(&format!("{:<34}{:>8}{:>12}{:>13}{:>13}", "", "at once", "per second", "p50", "p99"))
    }

    /// `at_once`: connections, callers, or rows in one commit.
    pub(crate) fn row(&mut self, name: &str, at_once: usize, sample: &Sample) -> Result<()> {
        let (p50, p99) = (millis(sample.percentile(50)), millis(sample.percentile(99)));
        self.text(&format!("{name:<34}{at_once:>8}{:>12}{p50:>13}{p99:>13}", sample.per_second()))
    }

    /// A figure without latencies.
    pub(crate) fn figure(&mut self, name: &str, value: u128) -> Result<()> {
        self.text(&format!("{name:<34}{value:>20}"))
    }

    /// How one rate stands to another.
    pub(crate) fn ratio(&mut self, name: &str, this: &Sample, other: &Sample) -> Result<()> {
        let hundredths = this.per_second() * 100 / other.per_second().max(1);
        self.text(&format!("{name:<34}{:>17}.{:02}", hundredths / 100, hundredths % 100))
    }
}

fn millis(duration: Duration) -> String {
    let micros = duration.as_micros();
    format!("{}.{:03} ms", micros / 1000, micros % 1000)
}
