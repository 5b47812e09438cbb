//! What came back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::Psp;

use super::actor::Expect;
use super::scenario::Scenario;

/// An answer that is not the one expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unexpected {
    /// The story.
    pub scenario: Scenario,
    /// Who called.
    pub psp: Psp,
    /// The order.
    pub reference: Arc<str>,
    /// What should have been answered.
    pub expected: Expect,
    /// The status, or why there is none.
    pub got: Result<u16, String>,
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, psp, reference, expected, got } = self;
        write!(f, "{reference} ({scenario}, {psp}): expected {}, got ", expected.status())?;
        match got {
            Ok(status) => write!(f, "{status}"),
            Err(why) => f.write_str(why),
        }
    }
}

/// The outcome of a run. Where a rate was asked for, an answer's time counts from the moment at which its message
/// was due, not from when it could be sent: a daemon that stalls cannot hide it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Messages sent, or tried.
    pub sent: u64,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Messages without any answer.
    pub unanswered: u64,
    /// How many answers, or missing ones, were not as expected.
    pub unexpected_count: u64,
    /// The first of them.
    pub unexpected: Vec<Unexpected>,
    /// How long the whole run took.
    pub elapsed: Duration,
    /// Half of the answers came within this time.
    pub p50: Duration,
    /// 99 of 100 answers came within this time.
    pub p99: Duration,
    /// The slowest answer.
    pub max: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, unanswered, unexpected_count, elapsed, p50, p99, max, .. } = self;
        let millis = u128::from(*sent) * 1000;
        let rate = millis.checked_div(elapsed.as_millis()).unwrap_or(millis);
        write!(
            f,
            "{sent} messages in {elapsed:.1?}: {rate} a second; p50 {p50:.1?}, p99 {p99:.1?}, max {max:.1?}"
        )?;
        for (status, count) in &self.by_status {
            write!(f, "\n  {status}: {count}")?;
        }
        if *unanswered > 0 {
            write!(f, "\n  no answer: {unanswered}")?;
        }
        if *unexpected_count > 0 {
            write!(f, "\n{unexpected_count} answers are not as they should be:")?;
        }
        for unexpected in &self.unexpected {
            write!(f, "\n  {unexpected}")?;
        }
        Ok(())
    }
}

/// What became of one message.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) scenario: Scenario,
    pub(super) psp: Psp,
    pub(super) reference: Arc<str>,
    pub(super) expected: Expect,
    pub(super) got: Result<u16, String>,
    pub(super) latency: Duration,
}

/// Counts outcomes as they come.
#[derive(Debug, Default)]
pub(super) struct Tally {
    report: Report,
    latencies: Vec<Duration>,
}

/// How many unexpected answers are kept.
const KEPT: usize = 20;

impl Tally {
    /// Counts one outcome and says how many there are.
    pub(super) fn count(&mut self, outcome: Outcome) -> u64 {
        let Outcome { scenario, psp, reference, expected, got, latency } = outcome;
        let report = &mut self.report;
        report.sent += 1;
        match &got {
            Ok(status) => {
                *report.by_status.entry(*status).or_default() += 1;
                self.latencies.push(latency);
            }
            Err(_) => report.unanswered += 1,
        }
        if got != Ok(expected.status()) {
            report.unexpected_count += 1;
            if report.unexpected.len() < KEPT {
                report.unexpected.push(Unexpected { scenario, psp, reference, expected, got });
            }
        }
        report.sent
    }

    pub(super) fn finish(mut self, elapsed: Duration) -> Report {
        self.latencies.sort_unstable();
        let within = |percent| percentile(&self.latencies, percent);
        Report { elapsed, p50: within(50), p99: within(99), max: within(100), ..self.report }
    }
}

/// The smallest value that so many percent do not exceed; zero if there are none.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let millis = |n| Duration::from_millis(n);
        let hundred: Vec<_> = (1..=100).map(millis).collect();
        assert_eq!([1, 50, 99, 100].map(|p| percentile(&hundred, p)), [1, 50, 99, 100].map(millis));
        assert_eq!([50, 99, 100].map(|p| percentile(&[millis(4), millis(9)], p)), [4, 9, 9].map(millis));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn what_is_unexpected_is_counted_and_the_first_of_it_kept() {
        let mut tally = Tally::default();
        let outcome = |n: u64, got| Outcome {
            scenario: Scenario::Split,
            psp: Psp::Up2pay,
            reference: format!("CMD-{n}").into(),
            expected: Expect::Stored,
            got,
            latency: Duration::from_millis(n),
        };
        tally.count(outcome(1, Ok(200)));
        tally.count(outcome(2, Err("the connection broke".to_owned())));
        for n in 3..=30 {
            assert_eq!(tally.count(outcome(n, Ok(503))), n);
        }
        let report = tally.finish(Duration::from_secs(1));
        assert_eq!((report.sent, report.unanswered, report.unexpected_count), (30, 1, 29));
        assert_eq!(report.by_status, BTreeMap::from([(200, 1), (503, 28)]));
        assert_eq!(report.unexpected.len(), KEPT);
        assert_eq!(
            report.unexpected[0].to_string(),
            "CMD-2 (split, up2pay): expected 200, got the connection broke"
        );
        assert_eq!(report.max, Duration::from_millis(30));
    }
}
