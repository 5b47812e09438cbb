//! What issuers keep of what they pay out: a dated table, in whole hundredths of a percent.

use serde::{Deserialize, Serialize};

use super::{Cents, Day, Issuer};

/// A rate from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionRate {
    /// Who keeps it.
    pub issuer: Issuer,
    /// From this day on, until the next rate.
    pub from: Day,
    /// In hundredths of a percent: 250 is 2.5 %.
    pub basis_points: u32,
}

/// The rates of all issuers. Without one nobody knows what to expect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommissionRates(Vec<CommissionRate>);

impl Default for CommissionRates {
    /// ANCV keeps 2.5 % since 1 January 2019 (arrêté of 24 July 2018), and kept 1 % before. What a bank keeps is a matter
    /// of its contract.
    fn default() -> Self {
        let rate = |(year, basis_points)| {
            Day::new(year, 1, 1).map(|from| CommissionRate { issuer: Issuer::Ancv, from, basis_points })
        };
        Self([(1982, 100), (2019, 250)].into_iter().filter_map(rate).collect())
    }
}

impl CommissionRates {
    /// These rates beside the usual ones, or in their place.
    #[must_use]
    pub fn with(rates: impl IntoIterator<Item = CommissionRate>) -> Self {
        let mut all = Self::default().0;
        for rate in rates {
            all.retain(|known| (known.issuer, known.from) != (rate.issuer, rate.from));
            all.push(rate);
        }
        all.sort_by_key(|rate| (rate.issuer, rate.from));
        Self(all)
    }

    /// Whether they are the usual ones: those are not written down.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What an issuer keeps of an amount that it pays out on a day, rounded half away from zero; `None` if there is no
    /// rate.
    #[must_use]
    pub fn commission(&self, issuer: Issuer, day: Day, amount: Cents) -> Option<Cents> {
        let rates = self.0.iter().filter(|rate| rate.issuer == issuer && rate.from <= day);
        let rate = rates.max_by_key(|rate| rate.from)?;
        let exact = i128::from(amount.get()).saturating_mul(i128::from(rate.basis_points));
        let half = if exact < 0 { -5_000 } else { 5_000 };
        i64::try_from(exact.saturating_add(half) / 10_000).ok().map(Cents::new)
    }
}

/// Shares a sum out in proportion, so that the cents come to exactly the sum: each share is rounded down, and the cents
/// that are left go to the largest remainders, of equal ones to the first. Where all weights come to nothing, the first
/// takes it all.
#[must_use]
pub fn spread(sum: Cents, weights: &[Cents]) -> Vec<Cents> {
    let whole: i128 = weights.iter().map(|weight| i128::from(weight.get())).sum();
    let sum = i128::from(sum.get());
    if whole == 0 {
        let first = |place: usize| if place == 0 { sum } else { 0 };
        return (0..weights.len()).map(|place| cents(first(place))).collect();
    }
    let exact = |weight: &Cents| sum.saturating_mul(i128::from(weight.get()));
    let mut shares: Vec<i128> = weights.iter().map(|weight| exact(weight).div_euclid(whole)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let remainder = |place: &usize| weights.get(*place).map_or(0, |weight| exact(weight).rem_euclid(whole));
    order.sort_by_key(|place| (std::cmp::Reverse(remainder(place)), *place));
    let mut left = sum.saturating_sub(shares.iter().sum());
    let step = left.signum();
    for place in order.iter().cycle() {
        if left == 0 {
            break;
        }
        if let Some(share) = shares.get_mut(*place) {
            *share = share.saturating_add(step);
        }
        left = left.saturating_sub(step);
    }
    shares.into_iter().map(cents).collect()
}

fn cents(value: i128) -> Cents {
    Cents::new(i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn ancv_keeps_what_its_decrees_say() {
        let kept = |on, cents| {
            CommissionRates::default().commission(Issuer::Ancv, day(on), Cents::new(cents)).map(Cents::get)
        };
        assert_eq!(kept("2026-03-20", 22_525), Some(563), "5.63125");
        assert_eq!(kept("2018-12-31", 10_000), Some(100));
        assert_eq!(kept("2019-01-01", 10_000), Some(250));
        assert_eq!(kept("2026-03-20", -22_525), Some(-563));
        assert_eq!(
            CommissionRates::default().commission(Issuer::Bank, day("2026-03-20"), Cents::new(100)),
            None
        );
    }

    #[test]
    fn a_new_rate_holds_from_its_day_on() {
        let rate = CommissionRate { issuer: Issuer::Ancv, from: day("2027-01-01"), basis_points: 300 };
        let rates = CommissionRates::with([rate]);
        let kept = |on| rates.commission(Issuer::Ancv, day(on), Cents::new(10_000)).map(Cents::get);
        assert_eq!((kept("2026-12-31"), kept("2027-01-01")), (Some(250), Some(300)));
        assert!(!rates.are_usual() && CommissionRates::with([]).are_usual());
    }

    #[test]
    fn the_cent_that_is_left_goes_to_the_largest_remainder() {
        let shares = |sum, weights: &[i64]| -> Vec<i64> {
            let weights: Vec<Cents> = weights.iter().copied().map(Cents::new).collect();
            spread(Cents::new(sum), &weights).into_iter().map(Cents::get).collect()
        };
        assert_eq!(shares(563, &[4525, 18_000]), [113, 450]);
        assert_eq!(shares(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(shares(5, &[0, 0]), [5, 0]);
        assert_eq!(shares(5, &[]), [0_i64; 0]);
        assert_eq!(shares(10, &[300, -100]), [15, -5]);
    }

    proptest! {
        #[test]
        fn no_cent_is_lost_or_made(sum in -1_000_000_i64..1_000_000, weights in prop::collection::vec(-100_000_i64..1_000_000, 1..40)) {
            let weights: Vec<Cents> = weights.into_iter().map(Cents::new).collect();
            let shares = spread(Cents::new(sum), &weights);
            prop_assert_eq!(shares.len(), weights.len());
            prop_assert_eq!(shares.into_iter().sum::<Cents>(), Cents::new(sum));
        }
    }
}
