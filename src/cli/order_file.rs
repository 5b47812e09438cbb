//! `record REF --format html`: the page of one order as a file, the one that the dashboard hands out.

use cvco_domain::{OrderKey, ShopId};
use cvco_ledger::{Dossier, Reader};
use cvco_mail::Language;
use cvco_pages::order::OrderPage;
use cvco_pages::{Frame, Say, ShopName};

use super::record::unknown;
use super::site::{Place, Site};
use super::{Failure, Outcome};
use crate::clock::Clock;
use crate::dashboard;

pub(super) fn write(
    site: &mut dyn Site,
    reference: &str,
    shop: Option<&ShopId>,
    place: Place<'_>,
) -> Result<Outcome, Failure> {
    let desk = site.desk()?;
    let reader = Reader::open(&desk.books.ledger.path)?;
    let dossier = dossier(&reader, reference, shop, desk.language)?;
    let shops = desk.shops.iter().map(|shop| ShopName { id: shop.id.clone(), name: shop.name.clone() });
    let frame = Frame::of_file(Say(desk.language), Clock::system().now(), shops.collect());
    let name = dashboard::file_name(frame.say, &dossier.key);
    let items = dashboard::items(&dossier, &desk.trial_endpoints);
    let told = format!("{} messages of providers, {} discrepancies", dossier.reports.len(), items.len());
    let page = OrderPage::as_file(dossier, items, frame).map_err(anyhow::Error::from)?;
    site.file(place, &name, &mut |out| {
        out.write_all(page.as_bytes()).map_err(Failure::io("the page"))?;
        Ok(told.clone())
    })?;
    Ok(Outcome::Fine)
}

/// All that is known of the one order that is meant.
fn dossier(
    reader: &Reader,
    reference: &str,
    shop: Option<&ShopId>,
    language: Language,
) -> Result<Dossier, Failure> {
    let mut keys = reader.orders_called(reference)?;
    keys.retain(|key| shop.is_none_or(|shop| key.shop() == shop));
    match keys.as_slice() {
        [] => Err(unknown(language, reference)),
        [key] => reader.dossier(key)?.ok_or_else(|| unknown(language, reference)),
        several => {
            let names: Vec<_> = several.iter().map(named).collect();
            let names = names.join(", ");
            Err(Failure::Explained(match language {
                Language::French => format!(
                    "{reference} désigne plusieurs commandes\u{a0}: {names}\u{a0}; nommez-en une, ou sa boutique (--shop)"
                ),
                Language::English => {
                    format!("{reference} means several orders: {names}; name one, or its --shop")
                }
            }))
        }
    }
}

fn named(key: &OrderKey) -> String {
    match key {
        OrderKey::Reference(shop, reference) => format!("{reference} of {shop}"),
        OrderKey::Call(shop, psp, call) => format!("payment {call} at {psp} of {shop}"),
    }
}
