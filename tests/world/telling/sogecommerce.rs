//! Sogecommerce: one message lists all that happened at the payment page. What happens later to a part, or a refund,
//! is a message of its own; a refund does not say what it gives back.

use cvco_domain::{Cents, Instrument, Mode, Timestamp};
use cvco_psp::sogecommerce::codes::{Source, TransStatus};
use cvco_psp::sogecommerce::sender::{Call, Part as Listed};
use cvco_psp::sogecommerce::{Algorithm, SiteId};
use cvco_trial::simulate::Dice;

use super::{Account, Name, Notice, digits, letters};
use crate::history::{Fate, History, Part};
use crate::places::{SITE, contract, form_key};

pub(crate) fn tell(history: &History, dice: &mut Dice) -> Account {
    let mut account = Account { states_total: true, ..Account::default() };
    for (visit, at) in history.visits.iter().enumerate() {
        let trans_id = letters(dice, 6);
        account.calls.push(call_number(&trans_id, *at, history.platform));
        let parts: Vec<&Part> = history.parts_of(visit).collect();
        let listed: Vec<Listed> = parts.iter().map(|part| first(part, dice)).collect();
        account.names.extend(listed.iter().map(name));
        let first = Call {
            site_id: SiteId::new(SITE).expect("a site"),
            mode: history.platform,
            trans_id,
            trans_date: *at,
            order_ref: Some(history.reference.clone()),
            total: history.total,
            source: Source::Payment,
            attempt: 1,
            parts: listed.clone(),
        };
        let firsts = || parts.iter().map(|part| part.first_and_later().0);
        if firsts().all(|first| !first.lost) {
            let told_at = firsts().map(|first| first.at).max().expect("a visit has a part");
            say(&mut account, history, told_at, &first, Source::Retry);
        }
        for (part, listed) in parts.iter().zip(&listed) {
            later(&mut account, history, &first, (part, listed), dice);
        }
    }
    account
}

/// What is told of a part after the visit.
fn later(
    account: &mut Account,
    history: &History,
    first: &Call,
    (part, listed): (&Part, &Listed),
    dice: &mut Dice,
) {
    for happened in part.first_and_later().1.iter().filter(|happened| !happened.lost) {
        let changed = Listed { status: status(happened.what), ..listed.clone() };
        // About one part alone, but for what the payment page had left undecided.
        let (source, total) = if matches!(happened.what, Fate::Captured | Fate::Lapsed) {
            (Source::Batch, part.amount)
        } else if happened.what == Fate::Cancelled {
            (Source::MerchantOperation, part.amount)
        } else {
            (Source::BackOfficeReplay, first.total)
        };
        let call = Call { source: source.clone(), total, parts: vec![changed], ..first.clone() };
        say(account, history, happened.at, &call, source);
    }
    if let Some(at) = part.contradicted {
        let more = part.amount.plus(Cents::new(10_00));
        let parts = vec![Listed { amount: more, ..listed.clone() }];
        let source = Source::BackOfficeReplay;
        say(
            account,
            history,
            at,
            &Call { source: source.clone(), total: more, parts, ..first.clone() },
            source,
        );
    }
    for back in part.backs.iter().filter(|back| !back.lost) {
        let refund = Listed {
            amount: back.what,
            uuid: Some(uuid(dice)),
            refund: true,
            auth_number: None,
            ..listed.clone()
        };
        let source = Source::MerchantOperation;
        let call = Call {
            trans_id: letters(dice, 6),
            trans_date: back.at,
            total: back.what,
            source: source.clone(),
            parts: vec![refund],
            ..first.clone()
        };
        say(account, history, back.at, &call, source);
    }
}

/// A repetition has another signature and other fields.
fn say(account: &mut Account, history: &History, at: Timestamp, call: &Call, again: Source) {
    let form = |call: &Call| call.form(&form_key(), Algorithm::HmacSha256);
    let again = Call { source: again, attempt: 2, ..call.clone() };
    let part = |part: &Listed| {
        format!(
            "{}{} {} {}",
            if part.refund { "refund of " } else { "" },
            part.brand,
            part.amount,
            part.status.as_str()
        )
    };
    let words = call.parts.iter().map(part).collect::<Vec<_>>().join(", ");
    account.notices.push(Notice { place: history.place, at, wire: form(call), again: form(&again), words });
}

fn first(part: &Part, dice: &mut Dice) -> Listed {
    let (first, _) = part.first_and_later();
    let is_card = part.instrument == Instrument::Card;
    let accepted = matches!(first.what, Fate::Authorised | Fate::Captured);
    // A card that was given up is told under the voucher's brand, about no transaction.
    let abandoned = first.what == Fate::Abandoned;
    let brand = match (is_card && !abandoned, dice.below(2)) {
        (false, _) => "CVCO",
        (true, 0) => "VISA",
        (true, _) => "CB",
    };
    let result = match (first.what, is_card) {
        (Fate::Refused, true) => "51",
        (Fate::Refused, false) => "1010",
        (Fate::Abandoned, _) => "1013",
        (_, true) => "00",
        (_, false) => "0",
    };
    let numbered = if is_card { accepted } else { part.misauthorised };
    Listed {
        brand: brand.to_owned(),
        amount: part.amount,
        status: status(first.what),
        auth_result: result.to_owned(),
        uuid: (!abandoned).then(|| uuid(dice)),
        auth_number: numbered.then(|| digits(dice, 6)),
        contract: contract(part).to_owned(),
        refund: false,
    }
}

fn name(listed: &Listed) -> Name {
    Name { id: listed.uuid.clone(), brand: listed.brand.clone() }
}

fn status(fate: Fate) -> TransStatus {
    match fate {
        Fate::Authorised | Fate::Accepted => TransStatus::Authorised,
        Fate::Pending => TransStatus::Initial,
        Fate::Captured => TransStatus::Captured,
        Fate::Refused => TransStatus::Refused,
        Fate::Abandoned => TransStatus::Abandoned,
        Fate::Cancelled => TransStatus::Cancelled,
        Fate::Lapsed => TransStatus::Expired,
        Fate::Odd => TransStatus::Unknown("TELEPORTED".to_owned()),
        Fate::KeepsAll | Fate::AsksBack => unreachable!("a refund that was not made is not told"),
    }
}

/// The payment's number, its day in UTC, and the site; trials have a sequence of their own.
fn call_number(trans_id: &str, at: Timestamp, platform: Mode) -> String {
    let day: String = at.to_string().chars().filter(char::is_ascii_digit).take(8).collect();
    let world = if platform == Mode::Test { "-test" } else { "" };
    format!("{trans_id}-{day}-{SITE}{world}")
}

fn uuid(dice: &mut Dice) -> String {
    format!("{:016x}{:016x}", dice.next(), dice.next())
}
