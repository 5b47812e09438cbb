//! How wide the pieces of a bar are drawn. What is there is seen, however small it is: what it takes beyond its share is taken
//! from the widest pieces, so that all of them together end where their sum does.

use cvco_domain::Cents;

/// What amounts are drawn on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The amount that fills it.
    pub(crate) whole: Cents,
    /// Its width.
    pub(crate) full: i64,
    /// No piece is narrower than this.
    pub(crate) least: i64,
}

impl Scale {
    /// Where an amount ends.
    pub(crate) fn at(self, cents: Cents) -> i64 {
        cents.get().max(0).saturating_mul(self.full) / self.whole.get().max(1)
    }

    /// The widths of pieces that lie side by side.
    pub(crate) fn widths(self, pieces: &[Cents]) -> Vec<i64> {
        let seen = pieces.iter().filter(|cents| cents.is_positive()).count();
        let room = self.full / i64::try_from(seen).unwrap_or(i64::MAX).max(1);
        let least = self.least.min(room);
        let width = |cents: &Cents| if cents.is_positive() { self.at(*cents).max(least) } else { 0 };
        let mut widths: Vec<i64> = pieces.iter().map(width).collect();
        let end = self.at(pieces.iter().filter(|cents| cents.is_positive()).copied().sum());
        let mut over = widths.iter().sum::<i64>().saturating_sub(end);
        // Below zero where widths were rounded down.
        while over != 0 {
            let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > least) else { break };
            let taken = over.min(widest.saturating_sub(least));
            *widest = widest.saturating_sub(taken);
            over = over.saturating_sub(taken);
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widths(whole: i64, pieces: &[i64]) -> Vec<i64> {
        let pieces: Vec<_> = pieces.iter().copied().map(Cents::new).collect();
        Scale { whole: Cents::new(whole), full: 1000, least: 35 }.widths(&pieces)
    }

    #[test]
    fn pieces_have_their_share() {
        assert_eq!(widths(10_000, &[6000, 4000, 0]), [600, 400, 0]);
        assert_eq!(widths(10_000, &[0, 0, 0]), [0, 0, 0]);
        assert_eq!(widths(3, &[1, 1, 1]), [333, 333, 334], "nothing is lost by rounding");
    }

    #[test]
    fn a_small_piece_is_seen_and_the_sum_ends_where_it_does() {
        assert_eq!(widths(10_000, &[100, 9900]), [35, 965], "one per cent");
        assert_eq!(widths(1_000_000, &[1, 999_998, 1]), [35, 930, 35], "a cent, and a cent that lacks");
        assert_eq!(widths(10_000, &[100, 4900]), [35, 465], "half of it was paid");
        assert_eq!(widths(10_000, &[10]), [35], "alone it is wider than it should be");
    }

    #[test]
    fn many_small_pieces_stay_within_the_bar() {
        let many = widths(100_000, &[10; 500]);
        assert!(many.iter().all(|width| *width == 2) && many.iter().sum::<i64>() <= 1000);
        let huge = widths(i64::MAX, &[i64::MAX, i64::MAX]);
        assert!(huge.iter().all(|width| *width <= 1000), "{huge:?}");
    }
}
