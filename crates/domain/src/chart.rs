//! The merchant's choices: accounts, journals, when to book.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Contract, IdError, IdRule, Issuer, Psp, ShopId, plain};

/// An account's number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountNumber(String);

impl AccountNumber {
    /// Checks the text and takes it: a FEC's account begins with three digits of the French chart.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        let begins_well = text.len() >= 3 && text.bytes().take(3).all(|b| b.is_ascii_digit());
        if begins_well && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text))
        } else {
            Err(IdError::new("account number", IdRule::Account))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountNumber {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<AccountNumber> for String {
    fn from(number: AccountNumber) -> Self {
        number.0
    }
}

/// An account of the chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub number: AccountNumber,
    /// Its name, in plain ASCII.
    pub label: String,
}

/// A journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Journal {
    /// Its code, `CV`.
    pub code: String,
    /// Its name, in plain ASCII.
    pub label: String,
}

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Vouchers that ANCV owes.
    Voucher,
    /// Vouchers that other issuers owe: meal vouchers, gift cards.
    OtherVoucher,
    /// Card parts that the bank owes.
    Card,
    /// The customer.
    Customer,
    /// The bank's account.
    Bank,
    /// What ANCV keeps.
    CommissionAncv,
    /// What other issuers of vouchers keep.
    CommissionOther,
    /// What the card's acquirer keeps.
    CommissionCard,
    /// The tax on a commission.
    Vat,
    /// Gaps that are booked.
    Suspense,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 10] = [
        Self::Voucher,
        Self::OtherVoucher,
        Self::Card,
        Self::Customer,
        Self::Bank,
        Self::CommissionAncv,
        Self::CommissionOther,
        Self::CommissionCard,
        Self::Vat,
        Self::Suspense,
    ];

    /// The usual account: class 5 for what is on its way, as French accountants book vouchers.
    #[must_use]
    pub const fn usual(self) -> (&'static str, &'static str) {
        match self {
            Self::Voucher => ("511600", "Cheques-Vacances Connect a l encaissement (ANCV)"),
            Self::OtherVoucher => ("511700", "Titres-restaurant et autres titres a l encaissement"),
            Self::Card => ("511500", "Cartes bancaires a l encaissement - complement CVCo"),
            Self::Customer => ("411000", "Clients"),
            Self::Bank => ("512000", "Banque"),
            Self::CommissionAncv => ("627800", "Commissions ANCV"),
            Self::CommissionOther => ("627820", "Commissions titres-restaurant et autres titres"),
            Self::CommissionCard => ("627810", "Commissions cartes"),
            Self::Vat => ("445660", "TVA deductible"),
            Self::Suspense => ("471000", "Compte d attente - ecarts CVCo"),
        }
    }
}

/// What a journal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalRole {
    /// What customers pay and get back.
    Receipts,
    /// What ANCV and the bank pay out.
    Bank,
    /// Late facts about a closed period.
    Corrections,
}

impl JournalRole {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Receipts, Self::Bank, Self::Corrections];

    /// The usual code and name.
    #[must_use]
    pub const fn usual(self) -> (&'static str, &'static str) {
        match self {
            Self::Receipts => ("CV", "Encaissements CV Connect"),
            Self::Bank => ("BQ", "Banque"),
            Self::Corrections => ("OD", "Operations diverses"),
        }
    }
}

/// What of a payment decides on which account it is booked.
#[derive(Debug, Clone, Copy)]
pub struct Booking<'b> {
    /// Whose it is.
    pub shop: &'b ShopId,
    /// Who took it, where one did.
    pub psp: Option<Psp>,
    /// The contract that settles it.
    pub contract: Option<&'b Contract>,
    /// Who owes it.
    pub issuer: Option<Issuer>,
}

/// Accounts and journals that differ for a shop, a PSP, an issuer or a contract.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Override {
    /// Only for this shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopId>,
    /// Only for this PSP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psp: Option<Psp>,
    /// Only for this contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// Only for what this issuer owes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Issuer>,
    /// The accounts that differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Role, Account>,
    /// The journals that differ; they can differ for a shop alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub journals: BTreeMap<JournalRole, Journal>,
}

/// Which account serves what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chart {
    /// The accounts that differ from the usual ones, everywhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Role, Account>,
    /// The journals that differ from the usual ones, everywhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub journals: BTreeMap<JournalRole, Journal>,
    /// What differs somewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// All that decides how entries look. It is kept in the log with each close.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Books {
    /// Which account serves what.
    #[serde(default)]
    pub chart: Chart,
    /// An entry of two lines for each part, instead of one entry for an order: for tools that letter pairs of lines.
    #[serde(default)]
    pub paired: bool,
    /// Whether gaps are booked to the suspense account, so that the customer's account shows the order's total.
    #[serde(default)]
    pub suspense: bool,
    /// The tax on commissions, in hundredths of a percent of the commission without it.
    #[serde(default)]
    pub vat_on_commission: u32,
}

impl Override {
    /// How closely it is about such a payment; `None` if it is about others.
    fn fit(&self, of: Booking<'_>) -> Option<[bool; 4]> {
        let fits = self.shop.as_ref().is_none_or(|only| only == of.shop)
            && self.psp.is_none_or(|only| Some(only) == of.psp)
            && self.issuer.is_none_or(|only| Some(only) == of.issuer)
            && self.contract.as_ref().is_none_or(|only| Some(only) == of.contract);
        fits.then_some([
            self.contract.is_some(),
            self.issuer.is_some(),
            self.psp.is_some(),
            self.shop.is_some(),
        ])
    }
}

impl Chart {
    /// The account that serves a payment: what is said of its contract goes before what is said of its issuer, then of
    /// its PSP and of its shop; of two that say the same the last.
    #[must_use]
    pub fn account(&self, role: Role, of: Booking<'_>) -> Account {
        self.of_override(|special| special.accounts.get(&role), of)
            .or_else(|| self.accounts.get(&role))
            .cloned()
            .unwrap_or_else(|| {
                let (number, label) = role.usual();
                Account { number: AccountNumber(number.to_owned()), label: label.to_owned() }
            })
    }

    /// The journal of a shop.
    #[must_use]
    pub fn journal(&self, role: JournalRole, shop: &ShopId) -> Journal {
        let of = Booking { shop, psp: None, contract: None, issuer: None };
        self.of_override(|special| special.journals.get(&role), of)
            .or_else(|| self.journals.get(&role))
            .cloned()
            .unwrap_or_else(|| {
                let (code, label) = role.usual();
                Journal { code: code.to_owned(), label: label.to_owned() }
            })
    }

    fn of_override<T>(&self, what: impl Fn(&Override) -> Option<&T>, of: Booking<'_>) -> Option<&T> {
        let fitting = self.overrides.iter().filter_map(|special| Some((special.fit(of)?, what(special)?)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, found)| found)
    }
}

impl Account {
    /// An account by its number and name; the name loses what accounting files cannot carry.
    ///
    /// # Errors
    /// The number is none.
    pub fn new(number: &str, label: &str) -> Result<Self, IdError> {
        Ok(Self { number: AccountNumber::new(number)?, label: plain(label) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: &str) -> Account {
        Account::new(number, "x").expect("an account")
    }

    #[test]
    fn the_closest_override_counts() {
        let shop = |id: &str| ShopId::new(id).expect("a shop");
        let contract = Contract::new("1234567-02").expect("a contract");
        let special = |number: &str| Override {
            accounts: [(Role::Card, account(number))].into(),
            ..Override::default()
        };
        let chart = Chart {
            overrides: vec![
                Override { contract: Some(contract.clone()), ..special("511503") },
                Override { psp: Some(Psp::Up2pay), ..special("511502") },
                Override { shop: Some(shop("a")), ..special("511501") },
            ],
            ..Chart::default()
        };
        let number = |id: &str, psp, contract| {
            let of = Booking { shop: &shop(id), psp: Some(psp), contract, issuer: Some(Issuer::Bank) };
            String::from(chart.account(Role::Card, of).number)
        };
        assert_eq!(number("b", Psp::Monext, None), "511500");
        assert_eq!(number("a", Psp::Monext, None), "511501");
        assert_eq!(number("a", Psp::Up2pay, None), "511502");
        assert_eq!(number("a", Psp::Up2pay, Some(&contract)), "511503");
    }

    #[test]
    fn an_account_begins_with_three_digits() {
        assert!(AccountNumber::new("411CAMPING").is_ok());
        for wrong in ["41", "A11000", "411 000", "411000é", "123456789012345678901"] {
            assert!(AccountNumber::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_usual_chart_is_made_of_accounts_in_plain_text() {
        for (number, label) in Role::ALL.map(Role::usual) {
            assert_eq!(Account::new(number, label).expect("an account").label, label);
        }
    }
}
