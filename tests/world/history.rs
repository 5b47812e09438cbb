//! What happened to one order, as its PSP knows it: visits of the payment page, their parts, and what became of each.

use cvco_domain::{Cents, Instrument, Mode, Timestamp};
use cvco_trial::simulate::Dice;

use crate::places::Place;

/// One thing that happens. The deeds of an episode happen one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// The customer opens the payment page once more; the first visit needs no word.
    Visit,
    /// So many minutes pass.
    After(u32),
    /// The customer pays a share, or tries to.
    Pays(Instrument, Share, Fate),
    /// The customer allows a share of the first kind to be taken, of which the merchant will take the second first.
    Allows(Instrument, Share, Share),
    /// Of what was allowed for a part before, another share goes on to this state.
    Further(usize, Share, Fate),
    /// A part paid before, counted from 0 over all visits, goes on to this state.
    Becomes(usize, Fate),
    /// Money of a part goes back.
    GivesBack(usize, Back),
    /// The card's bank takes a part back.
    IsChargedBack(usize),
    /// The PSP tells of a part once more, with ten euros more.
    Contradicts(usize),
    /// The message about the next deed is lost for good.
    Lost,
    /// The next part is paid with an authorisation number where there is none, or without one where there should be.
    Misauthorised,
    /// The next part is settled by a contract that the endpoint does not know.
    OnAnotherContract,
}

/// How much of the order a part is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// All of it.
    All,
    /// What the customer has in vouchers.
    Voucher,
    /// What the vouchers leave.
    Rest,
    /// About half of the rest.
    Half,
    /// The other half of it.
    OtherHalf,
    /// The rest but for one euro.
    Less,
    /// The rest and one euro more.
    More,
}

/// How much of a part goes back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Back {
    /// All of it.
    Whole,
    /// Some of it, once.
    Some,
    /// What `Some` left.
    Others,
    /// One euro.
    OneEuro,
}

/// Where a part stands at its PSP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not decided yet.
    Pending,
    /// Accepted, in the way that is usual at this PSP.
    Accepted,
    /// Accepted, to be captured.
    Authorised,
    /// Captured.
    Captured,
    /// Refused.
    Refused,
    /// The customer gave up.
    Abandoned,
    /// Taken back by the merchant.
    Cancelled,
    /// A status that no table has.
    Odd,
    /// Accepted, and never captured: the authorisation is over. Only Sogecommerce says so.
    Lapsed,
    /// A refund of it was refused; money of it stays where it was.
    KeepsAll,
    /// A refund of it was asked for, and was not made.
    AsksBack,
}

/// What happened, with when, and whether the PSP's message about it ever arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happened<T> {
    pub(crate) what: T,
    pub(crate) at: Timestamp,
    pub(crate) lost: bool,
}

/// One part of a visit.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is true of it by itself")]
pub(crate) struct Part {
    pub(crate) visit: usize,
    pub(crate) instrument: Instrument,
    pub(crate) amount: Cents,
    /// What was authorised with it, where that is more.
    pub(crate) allowed: Option<Cents>,
    /// It was authorised with an earlier part.
    pub(crate) further: bool,
    pub(crate) misauthorised: bool,
    pub(crate) on_another_contract: bool,
    pub(crate) fates: Vec<Happened<Fate>>,
    pub(crate) backs: Vec<Happened<Cents>>,
    /// The bank took it back, and not the merchant gave it.
    pub(crate) charged_back: bool,
    pub(crate) contradicted: Option<Timestamp>,
}

/// All that happened to one order.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) place: Place,
    /// Where the money comes from: the real world, or the PSP's trial platform.
    pub(crate) platform: Mode,
    pub(crate) reference: String,
    pub(crate) total: Cents,
    /// When each visit began.
    pub(crate) visits: Vec<Timestamp>,
    pub(crate) parts: Vec<Part>,
}

impl Fate {
    /// Something happened to a refund of the part, and the part is as it was.
    pub(crate) const fn is_of_refund(self) -> bool {
        matches!(self, Self::KeepsAll | Self::AsksBack)
    }
}

impl Part {
    fn begun(visit: usize, instrument: Instrument, cents: i64, begun: Happened<Fate>) -> Self {
        Self {
            visit,
            instrument,
            amount: Cents::new(cents),
            allowed: None,
            further: false,
            misauthorised: false,
            on_another_contract: false,
            fates: vec![begun],
            backs: Vec::new(),
            charged_back: false,
            contradicted: None,
        }
    }

    /// The first state, and those that followed.
    pub(crate) fn first_and_later(&self) -> (Happened<Fate>, &[Happened<Fate>]) {
        let (first, later) = self.fates.split_first().expect("a part has a state");
        (*first, later)
    }
}

impl History {
    /// Lets the deeds happen, from `at` on, to an order with these amounts.
    pub(crate) fn of(
        place: Place,
        reference: String,
        deeds: &[Deed],
        at: Timestamp,
        dice: &mut Dice,
    ) -> Self {
        // 20 euros is the least that CVCo takes.
        let total = dice.between(2_000, 150_000);
        let voucher = dice.between(600, total - 600);
        let half = dice.between(200, total - voucher - 300);
        let mut history = Self {
            place,
            platform: place.mode(),
            reference,
            total: Cents::new(total),
            visits: vec![at],
            parts: Vec::new(),
        };
        let cents = |share: Share| match share {
            Share::All => total,
            Share::Voucher => voucher,
            Share::Rest => total - voucher,
            Share::Half => half,
            Share::OtherHalf => total - voucher - half,
            Share::Less => total - voucher - 100,
            Share::More => total - voucher + 100,
        };
        let (mut now, mut lost) = (at, false);
        let (mut misauthorised, mut on_another_contract) = (false, false);
        for deed in deeds {
            match *deed {
                Deed::After(minutes) => now = later(now, minutes),
                Deed::Visit => history.visits.push(now),
                Deed::Lost => lost = true,
                Deed::Misauthorised => misauthorised = true,
                Deed::OnAnotherContract => on_another_contract = true,
                Deed::Pays(instrument, share, fate) => {
                    let begun =
                        Happened { what: place.usual(fate), at: now, lost: std::mem::take(&mut lost) };
                    history.parts.push(Part {
                        misauthorised: std::mem::take(&mut misauthorised),
                        on_another_contract: std::mem::take(&mut on_another_contract),
                        ..Part::begun(history.visits.len() - 1, instrument, cents(share), begun)
                    });
                }
                Deed::Allows(instrument, allowed, share) => {
                    let begun = Happened { what: Fate::Authorised, at: now, lost: false };
                    history.parts.push(Part {
                        allowed: Some(Cents::new(cents(allowed))),
                        ..Part::begun(history.visits.len() - 1, instrument, cents(share), begun)
                    });
                }
                Deed::Further(of, share, fate) => {
                    let begun = Happened { what: fate, at: now, lost: std::mem::take(&mut lost) };
                    let Part { visit, instrument, .. } = history.parts[of];
                    history
                        .parts
                        .push(Part { further: true, ..Part::begun(visit, instrument, cents(share), begun) });
                }
                Deed::Becomes(part, fate) => {
                    let what = place.usual(fate);
                    let happened = Happened { what, at: now, lost: std::mem::take(&mut lost) };
                    history.parts[part].fates.push(happened);
                }
                Deed::GivesBack(part, back) => {
                    let part = &mut history.parts[part];
                    let whole = part.amount.get();
                    let cents = match back {
                        Back::Whole => whole,
                        Back::Some => whole * 2 / 5,
                        Back::Others => whole - whole * 2 / 5,
                        Back::OneEuro => 100,
                    };
                    let lost = std::mem::take(&mut lost);
                    part.backs.push(Happened { what: Cents::new(cents), at: now, lost });
                }
                Deed::IsChargedBack(part) => {
                    let part = &mut history.parts[part];
                    let lost = std::mem::take(&mut lost);
                    part.backs.push(Happened { what: part.amount, at: now, lost });
                    part.charged_back = true;
                }
                Deed::Contradicts(part) => history.parts[part].contradicted = Some(later(now, 1)),
            }
        }
        history
    }

    /// The parts of one visit.
    pub(crate) fn parts_of(&self, visit: usize) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.visit == visit)
    }
}

/// So many minutes later.
pub(crate) fn later(at: Timestamp, minutes: u32) -> Timestamp {
    at.after(std::time::Duration::from_mins(u64::from(minutes)))
}
