//! The list of orders and payments, as a page and as a file.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::{Day, ShopId};
use cvco_ledger::{COUNTED, PaymentFilter, PaymentSort, Piece, Place, Sought};
use cvco_pages::orders::{Chosen, Orders};
use cvco_pages::{Section, typed};

use super::files::Part;
use super::form::Fields;
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};

/// So many payments are on a page.
const ON_A_PAGE: u32 = 50;

/// So many are read at a time for a file.
const AT_A_TIME: u32 = 1000;

/// The longest text that is searched for.
const LONGEST: usize = 250;

/// What the address chooses.
fn chosen(query: &Fields) -> Result<Chosen, Refusal> {
    let sort = query.get("sort");
    Ok(Chosen {
        q: query.get("q").chars().take(LONGEST).collect(),
        shop: match query.get("shop") {
            "" => None,
            text => Some(ShopId::new(text).map_err(|_| Refusal::NotFound)?),
        },
        psp: query.parse("psp")?,
        state: query.parse("state")?,
        mode: query.parse("mode")?,
        open: query.get("open") == "1",
        from: query.parse("from")?,
        to: query.parse("to")?,
        sort: PaymentSort::ALL.into_iter().find(|known| known.as_str() == sort).unwrap_or_default(),
        ascending: query.get("dir") == "asc",
    })
}

impl Dashboard {
    /// The filter of what was chosen; whether the search found more than is looked at.
    async fn filter(&self, chosen: &Chosen) -> Result<(PaymentFilter, bool), Refusal> {
        let (mut from, mut to) = (chosen.from, chosen.to);
        let mut found = None;
        if !chosen.q.is_empty() {
            let is = typed(&chosen.q);
            if let Some(day) = is.day {
                (from, to) = (Some(day), Some(day));
            } else {
                let sought = Sought { text: chosen.q.clone(), amount: is.amount };
                let shops = chosen.shop.clone().map_or_else(|| self.shop_ids(), |shop| vec![shop]);
                found = Some(self.read(move |reader| reader.search(&sought, &shops)).await?);
            }
        }
        let is_cut = found.as_ref().is_some_and(cvco_ledger::Found::is_cut);
        let filter = PaymentFilter {
            found,
            shop: chosen.shop.clone(),
            psp: chosen.psp,
            standing: chosen.state,
            mode: chosen.mode,
            open: chosen.open,
            from: from.map(Day::start),
            until: to.map(|day| day.next().start()),
        };
        Ok((filter, is_cut))
    }
}

/// A page of the list.
pub(super) async fn list(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let chosen = chosen(&visit.query)?;
    let (filter, is_cut) = dashboard.filter(&chosen).await?;
    let after: Option<Place> = visit.query.parse("after")?;
    let skip: u32 = visit.query.parse("skip")?.unwrap_or_default();
    let by_time =
        if chosen.ascending { Piece::Earliest(after.clone()) } else { Piece::Latest(after.clone()) };
    let wanted = match chosen.sort {
        PaymentSort::Time => by_time,
        by @ (PaymentSort::Paid | PaymentSort::Gap | PaymentSort::Reference) => {
            Piece::Sorted { by, descending: !chosen.ascending, skip: skip.min(COUNTED) }
        }
    };
    let is_sorted = chosen.sort != PaymentSort::Time;
    let (mut rows, count, is_unsorted) = dashboard
        .read(move |reader| {
            let count = reader.count_payments(&filter)?;
            let is_unsorted = is_sorted && count.more;
            let piece = if is_unsorted { Piece::Latest(after) } else { wanted };
            Ok((reader.payments(&filter, &piece, ON_A_PAGE + 1)?, count, is_unsorted))
        })
        .await?;
    let has_more = rows.len() > ON_A_PAGE as usize;
    rows.truncate(ON_A_PAGE as usize);
    let next = match rows.last().filter(|_| has_more) {
        None => None,
        Some(_) if is_sorted && !is_unsorted => {
            Some(("skip".to_owned(), skip.saturating_add(ON_A_PAGE).to_string()))
        }
        Some(last) => Some(("after".to_owned(), last.place().to_string())),
    };
    let is_first = visit.query.get("after").is_empty() && skip == 0;
    let frame = dashboard.frame(&visit, Section::Orders).await?;
    page(Orders { frame, chosen, rows, count, next, is_first, is_unsorted, is_cut }.render())
}

/// All that is filtered, as a file.
pub(super) async fn file(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let chosen = chosen(&visit.query)?;
    let (filter, _) = dashboard.filter(&chosen).await?;
    let name = visit.say.say("commandes", "orders");
    Ok(dashboard.list_as_file(&visit, &name, move |reader, after| {
        let piece = if chosen.ascending { Piece::Earliest(after) } else { Piece::Latest(after) };
        let rows = reader.payments(&filter, &piece, AT_A_TIME)?;
        Ok(Part::of(rows, AT_A_TIME, |row| row.place().clone()))
    }))
}
