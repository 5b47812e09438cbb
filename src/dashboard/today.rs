//! What the first page shows. Its sums run over a month of payments, and what is still to be paid out over all of them.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::{Day, News, Severity, ShopId, Timestamp};
use cvco_ledger::{Aged, Backlog, Balance, DayTakings, LedgerError, OpenNow, Reader, Unsettled, WorkFilter};
use cvco_mail::Item;
use cvco_pages::today::{DAYS, EndpointPulse, Today};
use cvco_pages::{Section, csv};

use super::files::{CSV, as_file, named};
use super::known::Known;
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};
use crate::alert::desk::item;
use crate::config::Endpoint;

/// So many discrepancies are named.
const NAMED: u32 = 8;

/// The sums of a shop, or of all.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    from: Day,
    to: Day,
    days: Vec<DayTakings>,
    balance: Balance,
    unsettled: Unsettled,
    /// What is not paid out, by age, of all shops.
    pub(super) aged: Vec<Aged>,
    /// When they were added up.
    at: Timestamp,
}

/// The sums of what is still to be paid out go back so many days; what is older was told as missing long ago.
const LOOKED_BACK: i64 = 400;

impl Sums {
    fn add_up(reader: &Reader, shop: Option<&ShopId>, now: Timestamp) -> Result<Self, LedgerError> {
        let to = now.paris_day();
        let (from, unpaid_since) = (to.plus(1 - DAYS), to.plus(-LOOKED_BACK));
        Ok(Self {
            days: reader.takings_by_day(from, to, shop)?,
            balance: reader.balance(from.start(), to.next().start(), shop)?,
            unsettled: reader.unsettled(unpaid_since, shop)?,
            aged: if shop.is_none() { reader.aged(unpaid_since, to)? } else { Vec::new() },
            from,
            to,
            at: now,
        })
    }
}

/// The sums that are known, by shop.
pub(super) type Figures = Known<Option<ShopId>, Sums>;

/// What people have to do about.
#[derive(Debug, Clone)]
pub(super) struct Outstanding {
    open: Vec<OpenNow>,
    waiting: Vec<Backlog>,
}

impl Outstanding {
    /// The gravest severity of which any is open.
    pub(super) fn worst(&self) -> Option<Severity> {
        self.open.iter().filter(|open| open.count > 0).map(|open| open.severity).max()
    }

    /// How many are open.
    pub(super) fn count(&self) -> i64 {
        self.open.iter().map(|open| open.count).sum()
    }
}

impl Dashboard {
    /// The sums: those that are known, while newer ones are added up.
    pub(super) async fn sums(
        self: &Arc<Self>,
        shop: Option<ShopId>,
        now: Timestamp,
    ) -> Result<Sums, Refusal> {
        let of = shop.clone();
        let is_of_today = move |sums: &Sums| sums.to == now.paris_day();
        let add_up = move |reader: &Reader| Sums::add_up(reader, of.as_ref(), now);
        let found = self.known(|dashboard| &dashboard.figures, shop, is_of_today, add_up).await?;
        let folded = self.admin.followed.position().borrow().seq;
        let at = if found.is_current(folded) { now } else { found.value.at };
        Ok(Sums { at, ..found.value })
    }

    /// What is open of a shop, or of all, and what waits.
    pub(super) async fn outstanding(self: &Arc<Self>, shop: Option<ShopId>) -> Result<Outstanding, Refusal> {
        let of = shop.clone();
        let look = move |reader: &Reader| {
            Ok(Outstanding { open: reader.open_now(of.as_ref())?, waiting: reader.backlogs()? })
        };
        Ok(self.known(|dashboard| &dashboard.outstanding, shop, |_| true, look).await?.value)
    }

    /// How each endpoint is heard.
    async fn pulses(&self, shop: Option<ShopId>, now: Timestamp) -> Result<Vec<EndpointPulse>, Refusal> {
        let settings = Arc::clone(&self.admin.settings.borrow());
        let base = settings.public_url.clone().unwrap_or_default();
        let is_sought = |endpoint: &&Arc<Endpoint>| shop.as_ref().is_none_or(|shop| endpoint.shop == *shop);
        let endpoints: Vec<_> = settings.endpoints.iter().filter(is_sought).cloned().collect();
        self.read(move |reader| {
            let pulse = |endpoint: Arc<Endpoint>| {
                Ok(EndpointPulse {
                    shop: endpoint.shop.clone(),
                    psp: endpoint.psp,
                    mode: endpoint.mode,
                    url: format!("{base}/n/{}/…", endpoint.id),
                    id: endpoint.id.clone(),
                    pulse: reader.pulse(&endpoint.id, now)?,
                })
            };
            endpoints.into_iter().map(pulse).collect()
        })
        .await
    }

    /// A shop of ours that the address names.
    pub(super) fn shop_of(&self, visit: &Visit) -> Result<Option<ShopId>, Refusal> {
        let shop: Option<ShopId> = match visit.query.get("shop") {
            "" => None,
            text => Some(ShopId::new(text).map_err(|_| Refusal::NotFound)?),
        };
        Ok(shop.filter(|shop| self.shop_ids().contains(shop)))
    }
}

/// The first page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let (shop, now) = (dashboard.shop_of(&visit)?, visit.now);
    let sums = dashboard.sums(shop.clone(), now).await?;
    let settings = Arc::clone(&dashboard.admin.settings.borrow());
    let trials = settings.desk.trial_endpoints.clone();
    let endpoints = dashboard.pulses(shop.clone(), now).await?;
    let of = shop.clone();
    let Outstanding { open, waiting } = dashboard.outstanding(shop.clone()).await?;
    let (gravest, set_aside) = dashboard
        .read(move |reader| {
            let open = WorkFilter { shop: of, ..WorkFilter::default() };
            let places = reader.work(&open, None, NAMED)?.into_iter();
            let gravest = places.filter_map(|place| reader.discrepancy(place.id()).transpose());
            let gravest = gravest.collect::<Result<Vec<_>, LedgerError>>()?;
            Ok((gravest, reader.set_aside()?))
        })
        .await?;
    let gravest: Vec<Item> = gravest.into_iter().map(|row| item(&trials, News::Opened, row)).collect();
    let folded = dashboard.admin.followed.position().borrow().seq.get();
    let logged = dashboard.admin.log.changed().borrow().seq.get();
    let today = Today {
        frame: dashboard.frame(&visit, Section::Today).await?,
        shop,
        from: sums.from,
        to: sums.to,
        days: sums.days,
        balance: sums.balance,
        unsettled: sums.unsettled,
        figures_at: sums.at,
        open,
        gravest,
        endpoints,
        waiting,
        to_fold: logged.saturating_sub(folded),
        set_aside,
    };
    page(today.render())
}

/// What each day brought, as a file.
pub(super) async fn days(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let sums = dashboard.sums(dashboard.shop_of(&visit)?, visit.now).await?;
    let name = visit.say.say("jours", "days");
    Ok(as_file(&named(&visit, &name), CSV, Body::from(csv::whole(visit.say, &sums.days))))
}

/// How each endpoint is heard, as a file.
pub(super) async fn endpoints(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let pulses = dashboard.pulses(dashboard.shop_of(&visit)?, visit.now).await?;
    let name = visit.say.say("points-d-entree", "endpoints");
    Ok(as_file(&named(&visit, &name), CSV, Body::from(csv::whole(visit.say, &pulses))))
}
