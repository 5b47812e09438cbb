//! `[accounting]` and `[[statement]]`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_books::accounting::{Account, Books, Chart, Journal, JournalRole, Override, Role, plain};
use cvco_books::settlement::{AmountColumns, Columns, Profile};
use cvco_domain::{
    BookAt, Brand, CommissionRate, CommissionRates, Contract, DatePattern, Day, EndpointId, Issuer,
    PayoutTerms, Psp, ShopId,
};
use serde::Deserialize;

use super::file::Check;
use super::{AccountingSettings, Endpoint, StatementSettings};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccounting {
    siren: Option<String>,
    book: Option<String>,
    entries: Option<String>,
    suspense: Option<bool>,
    vat_on_commission: Option<String>,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStatement {
    id: String,
    issuer: String,
    #[serde(default)]
    brands: Vec<String>,
    since: String,
    delay: Option<String>,
    shop: Option<String>,
    encoding: Option<String>,
    delimiter: Option<String>,
    quotes: Option<bool>,
    decimal: Option<String>,
    date: Option<RawPatterns>,
    skip_lines: Option<usize>,
    columns: RawColumns,
}

/// One pattern, or several of which the first that reads a cell counts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawPatterns {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumns {
    amount: Option<String>,
    direction: Option<String>,
    debit: Option<String>,
    credit: Option<String>,
    reference: Option<String>,
    transaction: Option<String>,
    authorisation: Option<String>,
    contract: Option<String>,
    date: Option<String>,
    commission: Option<String>,
    net: Option<String>,
    statement: Option<String>,
    paid_on: Option<String>,
    statement_commission: Option<String>,
}

/// A file with more lines above its headings is none of these.
const MOST_SKIPPED: usize = 1000;

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
        check.wrong(format!("{key}.{name}"), format!("unknown; there are {}", names.join(", ")));
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
            check.wrong(format!("{key}.{name}"), format!("{code:?} is not a code: 1 to 6 of A-Z 0-9"));
            continue;
        }
        journals
            .insert(role, Journal { code: code.to_owned(), label: plain(label.unwrap_or(role.usual().1)) });
    }
    journals
}

/// A percentage in hundredths of a percent: `2.5 %`, `2,5%`.
fn percentage(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is not a percentage; write for instance \"2.5 %\"");
    let figure = text.trim().strip_suffix('%').map(str::trim).ok_or_else(wrong)?;
    let (whole, fraction) = figure.split_once(['.', ',']).unwrap_or((figure, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || fraction.len() > 2 || !is_digits(fraction) {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<2}").parse().ok().filter(|points| *points <= 10_000).ok_or_else(wrong)
}

/// Nine digits, the last of which checks the others (Luhn).
pub(super) fn siren(text: &str) -> Result<String, String> {
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
        Err(format!("{text:?} is not a SIREN: nine digits, as on the company's registration"))
    }
}

impl RawAccounting {
    pub(super) fn resolve(&self, shops: &[ShopId], check: &mut Check<'_>) -> AccountingSettings {
        let one_of = |check: &mut Check<'_>, key: &str, text: Option<&str>, words: [&str; 2]| {
            let text = text.unwrap_or(words[0]);
            if !words.contains(&text) {
                check.wrong(key, format!("{text:?} is not one of {}", words.join(", ")));
            }
            text == words[1]
        };
        let at_acceptance = one_of(check, "accounting.book", self.book.as_deref(), ["capture", "acceptance"]);
        let paired = one_of(check, "accounting.entries", self.entries.as_deref(), ["grouped", "paired"]);
        let vat = self.vat_on_commission.as_deref().map(percentage);
        let vat = vat.and_then(|vat| check.value("accounting.vat_on_commission", vat)).unwrap_or(0);
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
                check.wrong(
                    "accounting.journals",
                    format!(
                        "two journals of shop {shop} have one code ({}): give each its own",
                        codes.join(", ")
                    ),
                );
            }
        }
        AccountingSettings {
            books: Books { chart, paired, suspense: self.suspense.unwrap_or(false), vat_on_commission: vat },
            book_at: if at_acceptance { BookAt::Acceptance } else { BookAt::Capture },
            siren,
            sirens: BTreeMap::new(),
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
fn known_shop(check: &mut Check<'_>, key: &str, name: &str, shops: &[ShopId]) -> Option<ShopId> {
    let shop = check.value(key, ShopId::new(name))?;
    if !shops.contains(&shop) {
        check.wrong(key, format!("there is no [[shop]] with the id {name}"));
    }
    Some(shop)
}

impl RawOverride {
    fn resolve(&self, key: &str, shops: &[ShopId], check: &mut Check<'_>) -> Option<Override> {
        if self.shop.is_none() && self.psp.is_none() && self.contract.is_none() && self.issuer.is_none() {
            check.wrong(
                key,
                "for whom? give shop, psp, issuer or contract; what holds for all goes to [accounting]",
            );
            return None;
        }
        let is_narrow = self.psp.is_some() || self.contract.is_some() || self.issuer.is_some();
        if !self.journals.is_empty() && is_narrow {
            check.wrong(
                format!("{key}.journals"),
                "journals can differ for a shop, not for a psp, an issuer or a contract",
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

impl RawStatement {
    pub(super) fn resolve(
        &self,
        n: usize,
        shops: &[ShopId],
        check: &mut Check<'_>,
    ) -> Option<StatementSettings> {
        let key = |name: &str| format!("statement[{n}].{name}");
        let issuer = check.value(&key("issuer"), self.issuer.parse::<Issuer>());
        let since = check.value(&key("since"), self.since.parse::<Day>());
        let usual = match issuer {
            Some(Issuer::Bank) => Duration::from_hours(10 * 24),
            Some(Issuer::Ancv | Issuer::Other(_)) | None => Duration::from_hours(30 * 24),
        };
        let delay = check.duration(&key("delay"), self.delay.as_deref(), usual);
        let shop = self.shop.as_deref().and_then(|shop| known_shop(check, &key("shop"), shop, shops));
        let name = self.encoding.as_deref().unwrap_or("utf-8");
        let known = encoding_rs::Encoding::for_label_no_replacement(name.as_bytes());
        let encoding = known.ok_or_else(|| {
            format!("{name:?} is not an encoding; write \"utf-8\", \"windows-1252\" or \"iso-8859-15\"")
        });
        let encoding = check.value(&key("encoding"), encoding);
        let delimiter = match self.delimiter.as_deref().unwrap_or(";").as_bytes() {
            [one] if *one == b'\t' || one.is_ascii_punctuation() && *one != b'"' => Some(*one),
            _ => {
                check.wrong(key("delimiter"), "one character, such as \";\", \",\" or \"\\t\"");
                None
            }
        };
        let decimal = match self.decimal.as_deref().unwrap_or(",") {
            "," => Some(','),
            "." => Some('.'),
            other => {
                check.wrong(key("decimal"), format!("{other:?} is not a decimal sign; write \",\" or \".\""));
                None
            }
        };
        let skip_lines = self.skip_lines.unwrap_or(0);
        if skip_lines > MOST_SKIPPED {
            check.wrong(key("skip_lines"), format!("at most {MOST_SKIPPED}"));
        }
        let profile = Profile {
            id: self.id.clone(),
            issuer: issuer?,
            shop,
            encoding: encoding?,
            delimiter: delimiter?,
            quotes: self.quotes.unwrap_or(true),
            decimal: decimal?,
            dates: self.patterns(&key("date"), check)?,
            skip_lines: skip_lines.min(MOST_SKIPPED),
            columns: self.columns.resolve(&key("columns"), check)?,
        };
        if let Some(shop) = shops.first()
            && let Err(error) = profile.exercise(shop)
        {
            let what: Vec<String> = error.0.into_iter().map(|problem| problem.what).collect();
            check.wrong(
                key("columns"),
                format!("a line that is laid out so could not be read: {}", what.join("; ")),
            );
        }
        let brands = self.brands(&key("brands"), issuer?, check)?;
        Some(StatementSettings { profile, terms: PayoutTerms { since: since?, delay }, brands })
    }

    /// The brands of vouchers that the issuer pays out, where they are named.
    fn brands(&self, key: &str, issuer: Issuer, check: &mut Check<'_>) -> Option<Vec<Brand>> {
        if issuer == Issuer::Bank && !self.brands.is_empty() {
            check.wrong(key, "a bank pays out cards, whatever their brand: leave it out");
        }
        self.brands.iter().map(|name| check.value(key, Brand::new(name.as_str()))).collect()
    }

    fn patterns(&self, key: &str, check: &mut Check<'_>) -> Option<Vec<DatePattern>> {
        let usual = || vec!["%d/%m/%Y".to_owned()];
        let texts = match &self.date {
            None => usual(),
            Some(RawPatterns::One(one)) => vec![one.clone()],
            Some(RawPatterns::Several(several)) if several.is_empty() => usual(),
            Some(RawPatterns::Several(several)) => several.clone(),
        };
        texts.into_iter().map(|text| check.value(key, DatePattern::new(text))).collect()
    }
}

impl RawColumns {
    fn resolve(&self, key: &str, check: &mut Check<'_>) -> Option<Columns> {
        if self.reference.is_none() && self.transaction.is_none() && self.authorisation.is_none() {
            check.wrong(key, "which column tells the payment? give reference, transaction or authorisation");
        }
        let amount = match (&self.amount, &self.direction, &self.debit, &self.credit) {
            (Some(amount), None, None, None) => Some(AmountColumns::Signed(amount.clone())),
            (Some(amount), Some(direction), None, None) => {
                Some(AmountColumns::WithDirection { amount: amount.clone(), direction: direction.clone() })
            }
            (None, None, Some(debit), Some(credit)) => {
                Some(AmountColumns::Two { debit: debit.clone(), credit: credit.clone() })
            }
            _ => {
                check.wrong(
                    key,
                    "which column tells the amount? give amount; or amount, and direction for a column that says debit \
                     or credit; or debit and credit, both",
                );
                None
            }
        };
        Some(Columns {
            amount: amount?,
            reference: self.reference.clone(),
            transaction: self.transaction.clone(),
            authorisation: self.authorisation.clone(),
            contract: self.contract.clone(),
            date: self.date.clone(),
            commission: self.commission.clone(),
            net: self.net.clone(),
            statement: self.statement.clone(),
            paid_on: self.paid_on.clone(),
            statement_commission: self.statement_commission.clone(),
        })
    }
}

/// Who owes the vouchers of a brand, where that is not the usual issuer: those that a statement names; those that bear its
/// issuer's name; and where one issuer alone names none, all that nobody else claims.
pub(super) fn issuers(statements: &[StatementSettings]) -> BTreeMap<Brand, Issuer> {
    let others = || {
        statements
            .iter()
            .map(|statement| (statement.profile.issuer, statement))
            .filter(|(issuer, _)| *issuer != Issuer::Bank)
    };
    let mut all: BTreeMap<Brand, Issuer> = BTreeMap::new();
    for (issuer, statement) in others() {
        for brand in &statement.brands {
            all.entry(brand.clone()).or_insert(issuer);
        }
    }
    let unnamed: BTreeSet<Issuer> = others()
        .filter(|(issuer, statement)| *issuer != Issuer::Ancv && statement.brands.is_empty())
        .map(|(issuer, _)| issuer)
        .collect();
    for issuer in &unnamed {
        for brand in issuer.brands() {
            all.entry(brand).or_insert(*issuer);
        }
    }
    if let [only] = unnamed.iter().copied().collect::<Vec<_>>().as_slice() {
        for brand in Issuer::foreign_brands() {
            all.entry(brand).or_insert(*only);
        }
    }
    all
}

/// What each endpoint's payments may be expected on.
pub(super) fn payouts<'e>(
    statements: &[StatementSettings],
    endpoints: impl Iterator<Item = &'e Endpoint>,
) -> BTreeMap<EndpointId, BTreeMap<Issuer, PayoutTerms>> {
    let mut all = BTreeMap::new();
    for endpoint in endpoints {
        let of_shop = statements
            .iter()
            .filter(|statement| statement.profile.shop.as_ref().is_none_or(|shop| *shop == endpoint.shop));
        let terms: BTreeMap<Issuer, PayoutTerms> =
            of_shop.map(|statement| (statement.profile.issuer, statement.terms)).collect();
        if !terms.is_empty() {
            all.insert(endpoint.id.clone(), terms);
        }
    }
    all
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
    fn an_issuer_owes_the_brands_that_it_names_or_that_bear_its_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("config.toml");
        let issuers = |statements: &[(&str, &str)]| {
            let statement = |(issuer, more): &(&str, &str)| {
                format!(
                    "[[statement]]\nid = \"{issuer}\"\nissuer = \"{issuer}\"\nsince = \"2026-01-01\"\n{more}\n\
                     columns = {{ amount = \"M\", reference = \"R\" }}\n"
                )
            };
            let statements: String = statements.iter().map(statement).collect();
            let text = format!("{statements}[[shop]]\nid = \"camping\"\n");
            std::fs::write(&path, text).expect("file");
            let config = crate::config::Config::load(&path).unwrap_or_else(|error| panic!("{error}"));
            move |brand: &str| {
                let brand = Brand::new(brand).expect("a brand");
                config.policy.issuer(cvco_domain::Instrument::Voucher, &brand).to_string()
            }
        };
        let usual = issuers(&[("ancv", ""), ("bank", "")]);
        assert_eq!(["CVCONNECT", "APETIZ", "SODEXO"].map(&usual), ["ancv", "apetiz", "sodexo"]);
        let house = issuers(&[("ancv", ""), ("crt", "")]);
        assert_eq!(["CVCONNECT", "APETIZ", "SODEXO"].map(&house), ["ancv", "crt", "crt"]);
        let two = issuers(&[("pluxee", ""), ("edenred", "brands = [\"APETIZ\"]")]);
        assert_eq!(["APETIZ", "SODEXO", "UPCHEQUDEJ"].map(&two), ["edenred", "pluxee", "pluxee"]);
        let several = issuers(&[("pluxee", ""), ("edenred", "")]);
        assert_eq!(["APETIZ", "SODEXO", "EDENRED"].map(&several), ["apetiz", "pluxee", "edenred"]);
    }

    #[test]
    fn a_siren_checks_itself() {
        assert_eq!(siren("732 829 320"), Ok("732829320".to_owned()));
        for wrong in ["732829321", "73282932", "7328293200", "abcdefghi"] {
            assert!(siren(wrong).is_err(), "{wrong}");
        }
    }
}
