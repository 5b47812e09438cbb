//! `[accounting]`: accounts, journals, and commission rates.

use std::collections::BTreeMap;
use std::time::Duration;

use cvco_books::accounting::{Account, Books, Chart, Journal, JournalRole, Override, Role, plain};
use cvco_domain::{
    Bilingual, BookAt, CommissionRate, CommissionRates, Contract, Day, Issuer, Psp, ShopId, UnknownWord,
    Worded,
};
use serde::Deserialize;

use super::AccountingSettings;
use super::check::{Check, not};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccounting {
    siren: Option<String>,
    book: Option<String>,
    entries: Option<String>,
    suspense: Option<bool>,
    vat_on_commission: Option<String>,
    close_after: Option<String>,
    #[serde(default)]
    accounts: BTreeMap<String, RawNamed>,
    #[serde(default)]
    journals: BTreeMap<String, RawNamed>,
    #[serde(default, rename = "override")]
    overrides: Vec<RawOverride>,
    #[serde(default)]
    commission: Vec<RawCommission>,
}

/// An account or a journal: its number or code alone, or with a name.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawNamed {
    Bare(String),
    Full(RawFull),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFull {
    #[serde(alias = "code")]
    number: String,
    label: Option<String>,
}

impl RawNamed {
    fn parts(&self) -> (&str, Option<&str>) {
        match self {
            Self::Bare(number) => (number, None),
            Self::Full(full) => (&full.number, full.label.as_deref()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverride {
    shop: Option<String>,
    psp: Option<String>,
    contract: Option<String>,
    issuer: Option<String>,
    #[serde(default)]
    accounts: BTreeMap<String, RawNamed>,
    #[serde(default)]
    journals: BTreeMap<String, RawNamed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCommission {
    issuer: String,
    from: String,
    rate: String,
}

/// What an account is for, as the configuration names it.
const ROLES: [(&str, Role); 10] = [
    ("voucher", Role::Voucher),
    ("other_voucher", Role::OtherVoucher),
    ("card", Role::Card),
    ("customer", Role::Customer),
    ("bank", Role::Bank),
    ("commission_ancv", Role::CommissionAncv),
    ("commission_other", Role::CommissionOther),
    ("commission_card", Role::CommissionCard),
    ("vat", Role::Vat),
    ("suspense", Role::Suspense),
];

const JOURNALS: [(&str, JournalRole); 3] = [
    ("receipts", JournalRole::Receipts),
    ("bank", JournalRole::Bank),
    ("corrections", JournalRole::Corrections),
];

fn named<T: Copy>(check: &mut Check<'_>, key: &str, name: &str, all: &[(&str, T)]) -> Option<T> {
    let found = all.iter().find(|(known, _)| *known == name).map(|(_, role)| *role);
    if found.is_none() {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let what = (format!("inconnu\u{a0}; il y a {names}"), format!("unknown; there are {names}"));
        check.wrong(format!("{key}.{name}"), what);
    }
    found
}

fn accounts(check: &mut Check<'_>, key: &str, raw: &BTreeMap<String, RawNamed>) -> BTreeMap<Role, Account> {
    let mut accounts = BTreeMap::new();
    for (name, raw) in raw {
        let Some(role) = named(check, key, name, &ROLES) else { continue };
        let (number, label) = raw.parts();
        let account = Account::new(number, label.unwrap_or(role.usual().1));
        if let Some(account) = check.value(&format!("{key}.{name}"), account) {
            accounts.insert(role, account);
        }
    }
    accounts
}

fn journals(
    check: &mut Check<'_>,
    key: &str,
    raw: &BTreeMap<String, RawNamed>,
) -> BTreeMap<JournalRole, Journal> {
    let mut journals = BTreeMap::new();
    for (name, raw) in raw {
        let Some(role) = named(check, key, name, &JOURNALS) else { continue };
        let (code, label) = raw.parts();
        let is_code = (1..=6).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !is_code {
            let what = (
                format!("«\u{a0}{code}\u{a0}» n’est pas un code\u{a0}: 1 à 6 caractères parmi A-Z 0-9"),
                format!("{code:?} is not a code: 1 to 6 of A-Z 0-9"),
            );
            check.wrong(format!("{key}.{name}"), what);
            continue;
        }
        journals
            .insert(role, Journal { code: code.to_owned(), label: plain(label.unwrap_or(role.usual().1)) });
    }
    journals
}

/// A percentage in hundredths of a percent: `2.5 %`, `2,5%`.
fn percentage(text: &str) -> Result<u32, Bilingual> {
    let wrong = || not(text, ("un pourcentage", "a percentage"), "\"2.5 %\"");
    let figure = text.trim().strip_suffix('%').map(str::trim).ok_or_else(wrong)?;
    let (whole, fraction) = figure.split_once(['.', ',']).unwrap_or((figure, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || fraction.len() > 2 || !is_digits(fraction) {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<2}").parse().ok().filter(|points| *points <= 10_000).ok_or_else(wrong)
}

/// Nine digits, the last of which checks the others (Luhn).
pub(super) fn siren(text: &str) -> Result<String, Bilingual> {
    let digits: String = text.chars().filter(|c| *c != ' ').collect();
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .zip([1, 2].into_iter().cycle())
        .map(|(digit, weight)| {
            let product = digit.saturating_mul(weight);
            product / 10 + product % 10
        })
        .sum();
    if digits.len() == 9 && digits.bytes().all(|b| b.is_ascii_digit()) && sum.is_multiple_of(10) {
        Ok(digits)
    } else {
        Err(Bilingual::new(
            format!("«\u{a0}{text}\u{a0}» n’est pas un SIREN\u{a0}: neuf chiffres, comme sur l’extrait Kbis"),
            format!("{text:?} is not a SIREN: nine digits, as on the company's registration"),
        ))
    }
}

impl RawAccounting {
    pub(super) fn resolve(&self, shops: &[ShopId], check: &mut Check<'_>) -> AccountingSettings {
        let one_of = |check: &mut Check<'_>, key: &str, text: Option<&str>, words: [&str; 2]| {
            let text = text.unwrap_or(words[0]);
            if !words.contains(&text) {
                check.wrong(key, UnknownWord::new(text, words.join(", ")).words());
            }
            text == words[1]
        };
        let at_acceptance = one_of(check, "accounting.book", self.book.as_deref(), ["capture", "acceptance"]);
        let paired = one_of(check, "accounting.entries", self.entries.as_deref(), ["grouped", "paired"]);
        let vat = self.vat_on_commission.as_deref().map(percentage);
        let vat = vat.and_then(|vat| check.value("accounting.vat_on_commission", vat)).unwrap_or(0);
        let close_after = self
            .close_after
            .as_deref()
            .map(|text| check.duration("accounting.close_after", Some(text), Duration::ZERO));
        let siren = self.siren.as_deref().map(siren);
        let siren = siren.and_then(|siren| check.value("accounting.siren", siren));
        let chart = Chart {
            accounts: accounts(check, "accounting.accounts", &self.accounts),
            journals: journals(check, "accounting.journals", &self.journals),
            overrides: self
                .overrides
                .iter()
                .enumerate()
                .filter_map(|(n, raw)| raw.resolve(&format!("accounting.override[{n}]"), shops, check))
                .collect(),
        };
        for shop in shops {
            let codes = JournalRole::ALL.map(|role| chart.journal(role, shop).code);
            if codes.iter().enumerate().any(|(n, code)| codes.iter().skip(n + 1).any(|other| other == code)) {
                let codes = codes.join(", ");
                check.wrong(
                    "accounting.journals",
                    (
                        format!("deux journaux de la boutique {shop} ont le même code ({codes})\u{a0}: donnez à chacun le sien"),
                        format!("two journals of shop {shop} have one code ({codes}): give each its own"),
                    ),
                );
            }
        }
        AccountingSettings {
            books: Books { chart, paired, suspense: self.suspense.unwrap_or(false), vat_on_commission: vat },
            book_at: if at_acceptance { BookAt::Acceptance } else { BookAt::Capture },
            siren,
            sirens: BTreeMap::new(),
            close_after,
            rates: self.rates(check),
        }
    }

    fn rates(&self, check: &mut Check<'_>) -> CommissionRates {
        let mut rates = Vec::new();
        for (n, raw) in self.commission.iter().enumerate() {
            let key = |name: &str| format!("accounting.commission[{n}].{name}");
            let issuer = check.value(&key("issuer"), raw.issuer.parse::<Issuer>());
            let from = check.value(&key("from"), raw.from.parse::<Day>());
            let basis_points = check.value(&key("rate"), percentage(&raw.rate));
            if let (Some(issuer), Some(from), Some(basis_points)) = (issuer, from, basis_points) {
                rates.push(CommissionRate { issuer, from, basis_points });
            }
        }
        CommissionRates::with(rates)
    }
}

/// A shop that the configuration has.
pub(super) fn known_shop(check: &mut Check<'_>, key: &str, name: &str, shops: &[ShopId]) -> Option<ShopId> {
    let shop = check.value(key, ShopId::new(name))?;
    if !shops.contains(&shop) {
        check.wrong(
            key,
            (
                format!("il n’y a pas de [[shop]] dont l’id est {name}"),
                format!("there is no [[shop]] with the id {name}"),
            ),
        );
    }
    Some(shop)
}

impl RawOverride {
    fn resolve(&self, key: &str, shops: &[ShopId], check: &mut Check<'_>) -> Option<Override> {
        if self.shop.is_none() && self.psp.is_none() && self.contract.is_none() && self.issuer.is_none() {
            check.wrong(
                key,
                (
                    "pour qui\u{a0}? donnez shop, psp, issuer ou contract\u{a0}; ce qui vaut pour tous va dans [accounting]",
                    "for whom? give shop, psp, issuer or contract; what holds for all goes to [accounting]",
                ),
            );
            return None;
        }
        let is_narrow = self.psp.is_some() || self.contract.is_some() || self.issuer.is_some();
        if !self.journals.is_empty() && is_narrow {
            check.wrong(
                format!("{key}.journals"),
                (
                    "les journaux peuvent différer d’une boutique à l’autre, mais pas selon le prestataire, l’émetteur ou le contrat",
                    "journals can differ for a shop, not for a psp, an issuer or a contract",
                ),
            );
        }
        let shop =
            self.shop.as_deref().and_then(|shop| known_shop(check, &format!("{key}.shop"), shop, shops));
        let psp = self.psp.as_deref().map(str::parse::<Psp>);
        let psp = psp.and_then(|psp| check.value(&format!("{key}.psp"), psp));
        let contract = self.contract.as_deref().map(Contract::new);
        let contract = contract.and_then(|contract| check.value(&format!("{key}.contract"), contract));
        let issuer = self.issuer.as_deref().map(str::parse::<Issuer>);
        let issuer = issuer.and_then(|issuer| check.value(&format!("{key}.issuer"), issuer));
        Some(Override {
            shop,
            psp,
            contract,
            issuer,
            accounts: accounts(check, &format!("{key}.accounts"), &self.accounts),
            journals: journals(check, &format!("{key}.journals"), &self.journals),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_to_the_hundredth() {
        assert_eq!(percentage("2.5 %"), Ok(250));
        assert_eq!(percentage("20%"), Ok(2000));
        assert_eq!(percentage("0,25 %"), Ok(25));
        for wrong in ["2.5", "%", "2.555 %", "-1 %", "101 %"] {
            assert!(percentage(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_siren_checks_itself() {
        assert_eq!(siren("732 829 320"), Ok("732829320".to_owned()));
        for wrong in ["732829321", "73282932", "7328293200", "abcdefghi"] {
            assert!(siren(wrong).is_err(), "{wrong}");
        }
    }
}
