//! Reads facts from a genuine call.

use cvco_domain::crypto::Verified;
use cvco_domain::{
    AmountFrom, Authorisation, AuthorisationNumber, Brand, CallNumber, Cents, Currency, Event, Instrument,
    Mode, Operation, OrderRef, ReportedState, StatusCode, StatusReading, TenderId, Worded,
};

use super::Settings;
use super::codes;
use super::template::{
    AMOUNT, AUTHORISATION, CALL, CARD_TYPE, DATE, ERROR, INDEX, PAYMENT_TYPE, REFERENCE, TIME, TRANSACTION,
    Template,
};
use super::verify::MAX_PAIRS;
use super::when::instant;
use crate::NotUnderstood;
use crate::wire::{PairList, decode_raw, latin1_or_utf8};

/// The payment type of everything that goes through the voucher page (Up2pay manual 3.1.5, 3.2.4).
pub(super) const VOUCHER_PAGE: &str = "LIMONETIK";

/// The payment type of ordinary cards. `PAYPAL` and other means of payment have types of their own.
pub(super) const CARD_PAGE: &str = "CARTE";

/// The card types that are vouchers: CV-Connect, the Conecs meal vouchers, and CV-Connect under its older name.
const VOUCHERS: [&str; 5] = ["CVCONNECT", "APETIZ", "SODEXO", "UPCHEQUDEJ", "ANCV"];

/// The card type of the card complement (Up2pay manual 3.3.4).
const COMPLEMENT: &str = "LIMOCB";

/// The authorisation number of everything that the trial platform accepts.
const TEST_AUTHORISATION: &str = "XXXXXX";

/// Whether a card type is one of the voucher page's.
pub(super) fn is_of_voucher_page(brand: &str) -> bool {
    brand == COMPLEMENT || VOUCHERS.contains(&brand)
}

/// The variables of the template, taken from bytes that verified.
#[derive(Debug, Clone)]
pub(super) struct Fields<'t> {
    template: &'t Template,
    values: Vec<(char, String)>,
}

impl<'t> Fields<'t> {
    /// Reads the variables. A name that occurs twice is refused, whether the template has it or not: a reference goes
    /// out nearly raw, so it could carry an `&Mt=` of its own.
    ///
    /// The values are those of the signed bytes, however these travelled: a call that was encoded once more on
    /// its way says the same, so that nobody can make a second order out of it.
    pub(super) fn parse(genuine: &Verified<Vec<u8>>, template: &'t Template) -> Result<Self, NotUnderstood> {
        let list = PairList::split(genuine, MAX_PAIRS).map_err(|error| NotUnderstood::new(error.words()))?;
        let pairs = list.pairs();
        let repeated = pairs.iter().enumerate().any(|(at, pair)| {
            pairs.get(..at).unwrap_or_default().iter().any(|earlier| earlier.name == pair.name)
        });
        if repeated {
            return Err(NotUnderstood::new(("une variable figure deux fois", "a variable stands twice")));
        }
        let found = |(name, letter): (&str, char)| {
            let pair = pairs.iter().find(|pair| pair.name == name.as_bytes() && !pair.value.is_empty())?;
            Some((letter, latin1_or_utf8(&decode_raw(pair.value)).into_owned()))
        };
        Ok(Self { template, values: template.variables().filter_map(found).collect() })
    }

    /// A variable's value; `None` if it is missing or empty, which Up2pay does not tell apart.
    fn get(&self, letter: char) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == letter).map(|(_, value)| value.as_str())
    }

    fn digits(&self, letter: char, max: usize) -> Result<Option<&str>, NotUnderstood> {
        match self.get(letter) {
            Some(text) if text.len() > max || !text.bytes().all(|b| b.is_ascii_digit()) => {
                Err(NotUnderstood::new((
                    format!("la variable de lettre {letter} doit compter de 1 à {max} chiffres"),
                    format!("the variable of letter {letter} is not 1 to {max} digits"),
                )))
            }
            value => Ok(value),
        }
    }

    /// A number without its leading zeros; `None` for zero, which stands for a transaction that never was.
    fn number(&self, letter: char) -> Result<Option<&str>, NotUnderstood> {
        let digits = self.digits(letter, 20)?;
        Ok(digits.map(|text| text.trim_start_matches('0')).filter(|text| !text.is_empty()))
    }

    fn error_code(&self) -> Result<&str, NotUnderstood> {
        match self.get(ERROR) {
            Some(code) if code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit()) => Ok(code),
            Some(_) | None => Err(NotUnderstood::new((
                "le code réponse (lettre E) doit compter cinq chiffres",
                "the response code (letter E) is not five digits",
            ))),
        }
    }

    fn amount(&self) -> Result<Option<Cents>, NotUnderstood> {
        let digits = self.digits(AMOUNT, 10)?;
        digits.map(Cents::parse).transpose().map_err(|error| NotUnderstood::new(error.words()))
    }

    fn reference(&self) -> Option<OrderRef> {
        self.get(REFERENCE).and_then(OrderRef::escaped)
    }

    fn call_number(&self) -> Result<Option<CallNumber>, NotUnderstood> {
        self.number(CALL)?.map(CallNumber::new).transpose().map_err(|error| NotUnderstood::new(error.words()))
    }

    fn transaction(&self) -> Result<Option<TenderId>, NotUnderstood> {
        self.number(TRANSACTION)?
            .map(TenderId::new)
            .transpose()
            .map_err(|error| NotUnderstood::new(error.words()))
    }

    fn authorisation_number(&self) -> Result<Option<AuthorisationNumber>, NotUnderstood> {
        let number = self.get(AUTHORISATION).filter(|text| !text.trim().is_empty());
        number.map(AuthorisationNumber::new).transpose().map_err(|error| NotUnderstood::new(error.words()))
    }

    /// The `n` of `i-n`, which means part `i` of `n` of a mixed payment.
    fn parts_announced(&self) -> Option<u8> {
        let (part, count) = self.get(INDEX)?.split_once('-')?;
        let (part, count): (u8, u8) = (part.parse().ok()?, count.parse().ok()?);
        ((1..=9).contains(&count) && (1..=count).contains(&part)).then_some(count)
    }
}

/// The instrument that was used, if it concerns us.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PaidWith {
    instrument: Instrument,
    brand: Brand,
    complement: bool,
    /// Outside the voucher page.
    ordinary: bool,
}

impl PaidWith {
    /// An ordinary card, paid outside the voucher page, is a part like any other, and only its order reference can show
    /// that it completes a voucher.
    fn of(fields: &Fields<'_>) -> Option<Self> {
        let page = fields.get(PAYMENT_TYPE)?.to_ascii_uppercase();
        let brand = fields.get(CARD_TYPE)?.to_ascii_uppercase();
        let (instrument, complement) = match (page.as_str(), brand.as_str()) {
            (VOUCHER_PAGE, COMPLEMENT) => (Instrument::Card, true),
            (VOUCHER_PAGE, voucher) if VOUCHERS.contains(&voucher) => (Instrument::Voucher, false),
            (CARD_PAGE, card) if !is_of_voucher_page(card) => (Instrument::Card, false),
            _ => return None,
        };
        Some(Self { instrument, brand: Brand::new(brand).ok()?, complement, ordinary: page == CARD_PAGE })
    }
}

/// What every part must state: the order, call and transaction that it belongs to, and its amount.
struct Essentials {
    order_ref: OrderRef,
    call_number: CallNumber,
    tender_id: Option<TenderId>,
    amount: Cents,
}

enum Incomplete {
    /// The variable of this letter is missing.
    Lacks(char),
    NotUnderstood(NotUnderstood),
}

impl From<NotUnderstood> for Incomplete {
    fn from(error: NotUnderstood) -> Self {
        Self::NotUnderstood(error)
    }
}

impl Essentials {
    /// An attempt may end before it becomes a transaction, but an accepted part must have one.
    fn of(fields: &Fields<'_>, accepted: bool) -> Result<Self, Incomplete> {
        let amount = fields.amount()?.ok_or(Incomplete::Lacks(AMOUNT))?;
        let order_ref = fields.reference().ok_or(Incomplete::Lacks(REFERENCE))?;
        let call_number = fields.call_number()?.ok_or(Incomplete::Lacks(CALL))?;
        let tender_id = fields.transaction()?;
        if accepted && tender_id.is_none() {
            return Err(Incomplete::Lacks(TRANSACTION));
        }
        Ok(Self { order_ref, call_number, tender_id, amount })
    }
}

/// What a genuine call says.
pub(super) enum Content {
    /// One part of a payment.
    Tender { event: Box<Event>, remark: Option<String> },
    /// Nothing about a payment that concerns us, and why.
    Nothing(String),
}

/// Reads a genuine call to an endpoint with these settings.
pub(super) fn read(fields: &Fields<'_>, settings: &Settings) -> Result<Content, NotUnderstood> {
    let Some(paid_with) = PaidWith::of(fields) else {
        let shown = |letter| fields.get(letter).unwrap_or_default().chars().take(40).collect::<String>();
        let (page, card) = (shown(PAYMENT_TYPE), shown(CARD_TYPE));
        return Ok(Content::Nothing(format!(
            "neither a voucher nor a card: payment type {page:?}, card type {card:?}"
        )));
    };
    let code = fields.error_code()?;
    let (state, reading) = codes::judge(code);
    let accepted = state == ReportedState::Authorised;

    let essentials = match Essentials::of(fields, accepted) {
        Ok(essentials) => essentials,
        Err(Incomplete::NotUnderstood(error)) => return Err(error),
        // An ordinary card sale that cannot be tied to an order is another product's.
        Err(Incomplete::Lacks(letter)) if accepted && !paid_with.ordinary => {
            return Err(NotUnderstood::new((
                format!("une part acceptée sans la variable de lettre {letter}"),
                format!("an accepted part without the variable of letter {letter}"),
            )));
        }
        Err(Incomplete::Lacks(letter)) => {
            return Ok(Content::Nothing(format!(
                "no part of a payment ({code}): without the variable of letter {letter}"
            )));
        }
    };

    if essentials.amount == Cents::ZERO {
        return Ok(Content::Nothing(format!("an amount of nothing ({code}): no money moves")));
    }

    let authorisation = authorisation(fields, accepted)?;
    let mode = proven_mode(&authorisation, accepted, paid_with.instrument);
    let trial_money = (settings.mode, mode) == (Mode::Production, Some(Mode::Test))
        && matches!(state, ReportedState::Authorised | ReportedState::Pending);
    let (state, reading) =
        if trial_money { (ReportedState::Refused, StatusReading::Known) } else { (state, reading) };
    let remark = trial_money.then(|| {
        format!("the authorisation {TEST_AUTHORISATION} is that of the trial platform: not counted as money")
    });
    let event = Event {
        order_ref: Some(essentials.order_ref),
        call_number: essentials.call_number,
        tender_id: essentials.tender_id,
        instrument: paid_with.instrument,
        brand: paid_with.brand,
        operation: Operation::Debit,
        amount: essentials.amount,
        amount_from: AmountFrom::Part,
        running_total: None,
        currency: Currency::EUR,
        state,
        status: StatusCode { code: code.to_owned(), reading },
        authorisation,
        contract: None,
        mode,
        complement: paid_with.complement,
        order_total: None,
        itemised: false,
        parts_announced: fields.parts_announced(),
        occurred_at: fields.get(DATE).zip(fields.get(TIME)).and_then(|(date, time)| instant(date, time)),
        accepted_at: None,
        revised: false,
    };
    Ok(Content::Tender { event: Box::new(event), remark })
}

/// A variable without a value is left out, so an accepted part without `A` has no authorisation, as is the case for
/// CV-Connect parts. If the template does not ask for `A`, nothing follows.
fn authorisation(fields: &Fields<'_>, accepted: bool) -> Result<Authorisation, NotUnderstood> {
    Ok(match fields.authorisation_number()? {
        Some(number) => Authorisation::Number(number),
        None if accepted && fields.template.name(AUTHORISATION).is_some() => Authorisation::Absent,
        None => Authorisation::NotStated,
    })
}

/// The platform signs trials and real payments with one key; only the authorisation number tells them apart.
fn proven_mode(authorisation: &Authorisation, accepted: bool, instrument: Instrument) -> Option<Mode> {
    let number = authorisation.number()?;
    match instrument {
        _ if number.as_str().eq_ignore_ascii_case(TEST_AUTHORISATION) => Some(Mode::Test),
        Instrument::Card if accepted => Some(Mode::Production),
        Instrument::Card | Instrument::Voucher => None,
    }
}
