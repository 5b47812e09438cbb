//! Up2pay: one call for each part and each thing that is decided about it. What a merchant does later is not told.

use cvco_domain::{Cents, Instrument, Mode, Timestamp};
use cvco_psp::WireMessage;
use cvco_psp::up2pay::Call;
use cvco_trial::simulate::Dice;

use super::{Account, Name, digits};
use crate::history::{Fate, History, Part};
use crate::places::{KEY, TEMPLATE};

pub(crate) fn tell(history: &History, dice: &mut Dice) -> Account {
    let calls = history.visits.iter().map(|_| digits(dice, 9)).collect();
    let vouchers: Vec<&str> = history.visits.iter().map(|_| voucher(dice)).collect();
    let mut account = Account { calls, ..Account::default() };
    for part in &history.parts {
        let brand = match part.instrument {
            Instrument::Card => "LIMOCB",
            // Only of a holiday voucher an authorisation would be odd.
            Instrument::Voucher if part.misauthorised => "CVCONNECT",
            Instrument::Voucher => vouchers[part.visit],
        };
        let call = first_call(history, part, &account.calls[part.visit], brand, dice);
        // An attempt that was given up never became a transaction.
        let id = (call.transaction != "0").then(|| call.transaction.clone());
        account.names.push(Name { id, brand: call.brand.clone() });
        for happened in part.fates.iter().filter(|happened| !happened.lost) {
            let call = Call { error: code(happened.what).to_owned(), ..call.clone() };
            let words = format!("{:?} {}, {}", part.instrument, part.amount, call.error);
            account.say(history.place, happened.at, wire(&call, dice), words);
        }
        if let Some(at) = part.contradicted {
            let call = Call { amount: part.amount.plus(Cents::new(10_00)), ..call };
            account.say(
                history.place,
                at,
                wire(&call, dice),
                format!("{:?} {}", part.instrument, call.amount),
            );
        }
    }
    account
}

/// Meal vouchers are told as holiday vouchers are, and paid with a card in the same way (manual on CONECS, 4.2).
fn voucher(dice: &mut Dice) -> &'static str {
    match dice.below(6) {
        0 => "APETIZ",
        1 => "SODEXO",
        2 => "UPCHEQUDEJ",
        _ => "CVCONNECT",
    }
}

fn first_call(history: &History, part: &Part, call_number: &str, brand: &str, dice: &mut Dice) -> Call {
    let (first, _) = part.first_and_later();
    let accepted = matches!(first.what, Fate::Authorised | Fate::Pending);
    let is_card = part.instrument == Instrument::Card;
    let number = match history.platform {
        Mode::Production => digits(dice, 6),
        Mode::Test => "XXXXXX".to_owned(),
    };
    let index = match (is_card, part.amount < history.total) {
        (true, _) => "2-2",
        (false, true) => "1-2",
        (false, false) => "1-1",
    };
    Call {
        amount: part.amount,
        reference: history.reference.clone(),
        authorisation: (accepted && is_card != part.misauthorised).then_some(number),
        call_number: call_number.to_owned(),
        brand: brand.to_owned(),
        error: code(first.what).to_owned(),
        transaction: if first.what == Fate::Abandoned { "0".to_owned() } else { digits(dice, 9) },
        date_time: Some(date_and_time(first.at)),
        index: Some(index.to_owned()),
    }
}

fn code(fate: Fate) -> &'static str {
    match fate {
        Fate::Authorised => "00000",
        Fate::Pending => "99999",
        Fate::Refused => "00151",
        Fate::Abandoned => "00030",
        Fate::Odd => "54321",
        Fate::Accepted
        | Fate::Captured
        | Fate::Cancelled
        | Fate::Lapsed
        | Fate::KeepsAll
        | Fate::AsksBack => {
            unreachable!("{fate:?} is not told")
        }
    }
}

/// `PBX_RUF1=POST`, an address with parameters of its own, or the plain call.
fn wire(call: &Call, dice: &mut Dice) -> WireMessage {
    match dice.below(3) {
        0 => call.signed_post(&TEMPLATE, &KEY),
        1 => call.signed_behind("module=cvco&action=notify", &TEMPLATE, &KEY),
        _ => call.signed(&TEMPLATE, &KEY),
    }
}

/// `DDMMYYYY` and `HH:MM:SS` of a clock in Paris.
fn date_and_time(at: Timestamp) -> (String, String) {
    let text = at.paris_text();
    let (day, minute) = text.split_once(' ').expect("day and minute");
    (day.replace('/', ""), format!("{minute}:00"))
}
