//! `records`: what was paid.

use clap::Args;
use cvco_domain::{Cents, Psp, RecordState, ShopId};
use cvco_ledger::{Reader, RecordFilter, RecordRow};
use cvco_mail::{Language, lists};

use super::output::{Heading, Listing};
use super::site::Site;
use super::{Failure, Format, Outcome, known_shop};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only records in this state: pending, balanced, `part_paid`, unbalanced, unverified, failed, refunded,
    /// `part_refunded`.
    #[arg(long)]
    state: Option<RecordState>,
    /// Only this shop's.
    #[arg(long)]
    shop: Option<ShopId>,
    /// No more than so many, the latest first.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// The form of the listing.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) fn list(site: &mut dyn Site, options: &Options) -> Result<Outcome, Failure> {
    let filter = RecordFilter {
        state: options.state,
        shop: options.shop.as_ref().map(ToString::to_string),
        order_ref: None,
        limit: options.limit,
    };
    let records = Reader::open(&site.ledger()?.path)?.records(&filter)?;
    // One that is no longer configured has its payments still.
    if records.is_empty() {
        known_shop(&site.desk()?.books, options.shop.as_ref(), site.language()?)?;
    }
    let language = site.language()?;
    let none = Heading { fr: "aucun paiement", en: "no records" };
    listing(language, &records).print(site, options.format, &records, none.in_language(language))?;
    Ok(Outcome::Fine)
}

const RECORD: [Heading; 13] = [
    Heading { fr: "boutique", en: "shop" },
    Heading { fr: "prestataire", en: "provider" },
    Heading { fr: "commande", en: "order" },
    Heading { fr: "paiement", en: "payment" },
    Heading { fr: "titres", en: "vouchers" },
    Heading { fr: "cartes", en: "cards" },
    Heading { fr: "payé", en: "paid" },
    Heading { fr: "attendu", en: "expected" },
    Heading { fr: "écart", en: "gap" },
    Heading { fr: "remboursé", en: "refunded" },
    Heading { fr: "devise", en: "currency" },
    Heading { fr: "état", en: "state" },
    Heading { fr: "écarts ouverts", en: "open discrepancies" },
];

/// Records as a table; shared with `demo`.
pub(super) fn listing(language: Language, records: &[RecordRow]) -> Listing {
    let mut listing = Listing::of(language, &RECORD, &[4, 5, 6, 7, 8, 9, 12]);
    listing.rename(3, payments_are_called(language, records.iter().map(|record| record.psp.as_str())));
    let money = |cents: i64| lists::figure(language, Cents::new(cents));
    for record in records {
        listing.push(vec![
            record.shop.clone(),
            provider(&record.psp),
            record.order_ref.clone().unwrap_or_default(),
            record.call_number.clone(),
            money(record.voucher_cents),
            money(record.card_cents),
            money(record.paid_cents),
            record.expected_cents.map(money).unwrap_or_default(),
            record.gap_cents.map(money).unwrap_or_default(),
            money(record.refunded_cents),
            record.currency.clone(),
            record.state.parse().map_or_else(
                |_| record.state.clone(),
                |state| lists::payment_state(language, state, record.is_charged_back()).to_owned(),
            ),
            record.open_discrepancies.to_string(),
        ]);
    }
    listing
}

/// What the numbers of payments are called: as their PSP does, if they are all of one.
pub(super) fn payments_are_called<'a>(language: Language, mut psps: impl Iterator<Item = &'a str>) -> String {
    let first = psps.next();
    let of_one = first.filter(|first| psps.all(|psp| psp == *first)).and_then(|psp| psp.parse().ok());
    lists::call_number(language, of_one).to_lowercase()
}

/// A PSP by its own name.
fn provider(psp: &str) -> String {
    psp.parse::<Psp>().map_or_else(|_| psp.to_owned(), |psp| psp.title().to_owned())
}
