//! The numbers that shop and PSPs give: each is used once.

use cvco_domain::{Cents, Mode, Timestamp};

use super::dice::Dice;

/// Where references, call numbers and transactions come from.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    pub(super) dice: Dice,
    /// Tells the references of one run from those of another.
    run: u64,
    orders: u32,
    call: u64,
    transaction: u64,
    trans_id: u64,
    payment: u64,
}

/// What a buyer is about to pay.
#[derive(Debug, Clone)]
pub(super) struct Basket {
    pub(super) reference: String,
    pub(super) total: Cents,
    /// What the voucher covers of it.
    pub(super) voucher: Cents,
    /// When the buyer opens the payment page.
    pub(super) at: Timestamp,
}

impl Basket {
    /// What is left for the card.
    pub(super) const fn card(&self) -> Cents {
        self.total.minus(self.voucher)
    }
}

const BASE_36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The last `width` digits of a number, to base 36.
fn base_36(mut number: u64, width: usize) -> String {
    let mut digits: Vec<char> = (0..width)
        .map(|_| {
            let digit = usize::try_from(number % 36).ok().and_then(|digit| BASE_36.get(digit));
            number /= 36;
            digit.map_or('0', |digit| char::from(*digit))
        })
        .collect();
    digits.reverse();
    digits.into_iter().collect()
}

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            run: dice.next(),
            orders: 0,
            call: 300_000_000 + dice.below(300_000_000),
            transaction: 700_000_000 + dice.below(200_000_000),
            trans_id: dice.next() >> 1,
            payment: 3_000_000_000 + dice.below(3_000_000_000),
            dice,
        }
    }

    /// An order of 20 euros, the least that `CVCo` takes, to 1500; the voucher covers 5 euros of it or more, and
    /// leaves 5 euros or more.
    pub(super) fn basket(&mut self, at: Timestamp) -> Basket {
        let total = self.dice.between(2_000, 150_000);
        let voucher = self.dice.between(500, total - 500);
        Basket { reference: self.reference(), total: Cents::new(total), voucher: Cents::new(voucher), at }
    }

    /// An order reference of 18 characters; ANCV keeps 20.
    pub(super) fn reference(&mut self) -> String {
        self.orders = self.orders.wrapping_add(1);
        format!("CMD-{}-{}", base_36(self.run, 6), base_36(self.orders.into(), 7)).to_uppercase()
    }

    /// Up2pay's `numéro d'appel`.
    pub(super) fn call_number(&mut self) -> String {
        self.call += 1 + self.dice.below(20);
        self.call.to_string()
    }

    /// Up2pay's transaction number.
    pub(super) fn transaction(&mut self) -> String {
        self.transaction += 1 + self.dice.below(20);
        self.transaction.to_string()
    }

    /// `vads_trans_id`: 6 characters, unique within a day.
    pub(super) fn trans_id(&mut self) -> String {
        self.trans_id += 1;
        base_36(self.trans_id, 6)
    }

    /// `vads_trans_uuid`: 32 hexadecimal digits.
    pub(super) fn uuid(&mut self) -> String {
        format!("{:016x}{:016x}", self.dice.next(), self.dice.next())
    }

    /// Worldline's payment id: ten digits.
    pub(super) fn payment(&mut self) -> String {
        self.payment += 1 + self.dice.below(20);
        format!("{:010}", self.payment)
    }

    /// Monext's session token: 20 characters and the time.
    pub(super) fn token(&mut self, at: Timestamp) -> String {
        let letters = format!("{}{}", base_36(self.dice.next(), 10), base_36(self.dice.next(), 10));
        format!("{letters}{:013}", at.millis())
    }

    /// Monext's transaction: 14 digits.
    pub(super) fn monext_transaction(&mut self) -> String {
        self.payment += 1 + self.dice.below(20);
        format!("2434{:010}", self.payment)
    }

    /// The number that a card's bank gives; the trial platform of Up2pay gives none.
    pub(super) fn authorisation(&mut self, mode: Mode) -> String {
        match mode {
            Mode::Production => format!("{:06}", self.dice.below(1_000_000)),
            Mode::Test => "XXXXXX".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_36_keeps_its_width() {
        assert_eq!(base_36(0, 6), "000000");
        assert_eq!(base_36(36 * 36 + 35, 6), "00010z");
        assert_eq!(base_36(u64::MAX, 2).len(), 2);
    }

    #[test]
    fn a_basket_can_be_split_in_two() {
        let mut numbers = Numbers::new(3);
        for _ in 0..1000 {
            let basket = numbers.basket(Timestamp::from_millis(0));
            assert!(basket.total >= Cents::new(2_000) && basket.reference.len() <= 20);
            assert!(basket.voucher >= Cents::new(500) && basket.card() >= Cents::new(500));
        }
    }
}
