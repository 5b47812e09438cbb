//! `[[statement]]`: how the statements of ANCV, of banks and of other issuers are laid out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cvco_books::settlement::{AmountColumns, Columns, Problem, Profile};
use cvco_domain::{Brand, DatePattern, Day, EndpointId, Issuer, PayoutTerms, ShopId};
use serde::Deserialize;

use super::accounting::known_shop;
use super::check::{Check, not};
use super::{Endpoint, StatementSettings};

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
            not(name, ("un codage", "an encoding"), "\"utf-8\", \"windows-1252\", \"iso-8859-15\"")
        });
        let encoding = check.value(&key("encoding"), encoding);
        let delimiter = match self.delimiter.as_deref().unwrap_or(";").as_bytes() {
            [one] if *one == b'\t' || one.is_ascii_punctuation() && *one != b'"' => Some(*one),
            _ => {
                check.wrong(
                    key("delimiter"),
                    (
                        "un seul caractère, comme \";\", \",\" ou \"\\t\"",
                        "one character, such as \";\", \",\" or \"\\t\"",
                    ),
                );
                None
            }
        };
        let decimal = match self.decimal.as_deref().unwrap_or(",") {
            "," => Some(','),
            "." => Some('.'),
            other => {
                check.wrong(
                    key("decimal"),
                    not(other, ("un signe décimal", "a decimal sign"), "\",\", \".\""),
                );
                None
            }
        };
        let skip_lines = self.skip_lines.unwrap_or(0);
        if skip_lines > MOST_SKIPPED {
            check.wrong(
                key("skip_lines"),
                (format!("au plus {MOST_SKIPPED}"), format!("at most {MOST_SKIPPED}")),
            );
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
            let listed = |word: fn(&Problem) -> String, between: &str| {
                error.0.iter().map(|problem| word(&problem.what)).collect::<Vec<_>>().join(between)
            };
            check.wrong(
                key("columns"),
                (
                    format!(
                        "une ligne ainsi présentée ne pourrait pas être lue\u{a0}: {}",
                        listed(Problem::in_french, "\u{a0}; ")
                    ),
                    format!(
                        "a line that is laid out so could not be read: {}",
                        listed(Problem::to_string, "; ")
                    ),
                ),
            );
        }
        let brands = self.brands(&key("brands"), issuer?, check)?;
        Some(StatementSettings { profile, terms: PayoutTerms { since: since?, delay }, brands })
    }

    /// The brands of vouchers that the issuer pays out, where they are named.
    fn brands(&self, key: &str, issuer: Issuer, check: &mut Check<'_>) -> Option<Vec<Brand>> {
        if issuer == Issuer::Bank && !self.brands.is_empty() {
            check.wrong(
                key,
                (
                    "une banque verse les cartes, quelle que soit leur marque\u{a0}: retirez cette clé",
                    "a bank pays out cards, whatever their brand: leave it out",
                ),
            );
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
            check.wrong(
                key,
                (
                    "quelle colonne désigne le paiement\u{a0}? donnez reference, transaction ou authorisation",
                    "which column tells the payment? give reference, transaction or authorisation",
                ),
            );
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
                    (
                        "quelle colonne donne le montant\u{a0}? donnez amount\u{a0}; ou amount, avec direction pour une colonne qui dit \
                         débit ou crédit\u{a0}; ou debit et credit, tous les deux",
                        "which column tells the amount? give amount; or amount, and direction for a column that says debit \
                         or credit; or debit and credit, both",
                    ),
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
}
