//! How each PSP tells what happened: the messages that it sends, signed, and what its API answers.

mod monext;
mod sogecommerce;
mod up2pay;
mod worldline;

use cvco_domain::{Psp, Timestamp};
use cvco_psp::WireMessage;
use cvco_psp::api::{ApiRequest, ApiResponse};
use cvco_trial::simulate::Dice;

use crate::history::History;
use crate::places::{API, Place};

/// A message that a PSP sends.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) place: Place,
    /// When it is sent first.
    pub(crate) at: Timestamp,
    pub(crate) wire: WireMessage,
    /// The same, as it is when it is sent again.
    pub(crate) again: WireMessage,
    /// In short, for people.
    pub(crate) words: String,
}

/// What a PSP's API answers from some time on.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) from: Timestamp,
    pub(crate) path: String,
    /// What the question's body names.
    pub(crate) about: String,
    pub(crate) body: String,
}

/// What a PSP calls a payment, and what it says of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// The call number of each visit.
    pub(crate) calls: Vec<String>,
    /// What each part is called.
    pub(crate) names: Vec<Name>,
    /// The total that the PSP states, of each visit.
    pub(crate) states_total: bool,
    pub(crate) notices: Vec<Notice>,
    pub(crate) pages: Vec<Page>,
}

/// What a PSP calls a part.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    pub(crate) id: Option<String>,
    pub(crate) brand: String,
}

/// Lets the PSP tell the history of an order.
pub(crate) fn tell(history: &History, dice: &mut Dice) -> Account {
    match history.place.psp() {
        Psp::Up2pay => up2pay::tell(history, dice),
        Psp::Sogecommerce => sogecommerce::tell(history, dice),
        Psp::Worldline => worldline::tell(history, dice),
        Psp::Monext => monext::tell(history, dice),
        Psp::Ancv => unreachable!("no place of this world"),
    }
}

impl Account {
    fn say(&mut self, place: Place, at: Timestamp, wire: WireMessage, words: String) {
        self.notices.push(Notice { place, at, again: wire.clone(), wire, words });
    }
}

/// What the APIs answer to a call made at an instant: the latest page that is about it.
pub(crate) fn answer<'a>(
    pages: impl Iterator<Item = &'a Page>,
    request: &ApiRequest,
    now: Timestamp,
) -> ApiResponse {
    let body = String::from_utf8_lossy(&request.body);
    let path = request.url.strip_prefix(API).unwrap_or_default();
    let fits = |page: &&Page| page.from <= now && path == page.path && body.contains(&page.about);
    match pages.filter(fits).max_by_key(|page| page.from) {
        Some(page) => ApiResponse { status: 200, body: page.body.clone().into_bytes() },
        None => ApiResponse { status: 404, body: Vec::new() },
    }
}

fn digits(dice: &mut Dice, width: u32) -> String {
    // Without a leading zero, which no PSP's number has.
    let least = 10_u64.pow(width - 1);
    (least + dice.below(9 * least)).to_string()
}

fn letters(dice: &mut Dice, width: usize) -> String {
    let alphabet = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut letter = || char::from(alphabet[usize::try_from(dice.below(36)).expect("small")]);
    (0..width).map(|_| letter()).collect()
}
