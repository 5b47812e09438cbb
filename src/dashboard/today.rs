//! What the first page shows. Its sums run over a month of payments, and what is still to be paid out over all of them: they are
//! added up beside the calls of people, and no call waits for more than the first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::{Day, News, Seq, ShopId, Timestamp};
use cvco_ledger::{Aged, Balance, DayTakings, DiscrepancyFilter, LedgerError, Reader, Unsettled};
use cvco_mail::Item;
use cvco_pages::today::{DAYS, EndpointPulse, Today};
use cvco_pages::{Section, csv};

use super::files::{CSV, as_file, named};
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};
use crate::alert::desk::item;
use crate::config::Endpoint;

/// So many discrepancies are named.
const NAMED: u32 = 8;

/// Sums are added up again after so many times what it takes: so they cost a thread no more than a tenth of its time.
const REST: u32 = 10;

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
    /// Of what.
    folded: Seq,
    /// When they were done, and how long it took.
    done: Instant,
    took: Duration,
}

/// The sums of what is still to be paid out go back so many days; what is older was told as missing long ago.
const LOOKED_BACK: i64 = 400;

impl Sums {
    fn add_up(reader: &Reader, shop: Option<&ShopId>, now: Timestamp) -> Result<Self, LedgerError> {
        let began = Instant::now();
        let to = now.paris_day();
        let (from, unpaid_since) = (to.plus(1 - DAYS), to.plus(-LOOKED_BACK));
        let (folded, _) = reader.folded()?;
        Ok(Self {
            days: reader.takings_by_day(from, to, shop)?,
            balance: reader.balance(from.start(), to.next().start(), shop)?,
            unsettled: reader.unsettled(unpaid_since, shop)?,
            aged: if shop.is_none() { reader.aged(unpaid_since, to)? } else { Vec::new() },
            from,
            to,
            at: now,
            folded,
            done: Instant::now(),
            took: began.elapsed(),
        })
    }

    fn is_current(&self, folded: Seq, now: Timestamp) -> bool {
        self.to == now.paris_day() && (self.folded == folded || self.done.elapsed() < self.took * REST)
    }
}

/// The sums that are known.
#[derive(Debug, Default)]
pub(super) struct Figures {
    known: Mutex<BTreeMap<Option<ShopId>, Sums>>,
    /// Whose are being added up.
    under_way: Mutex<std::collections::BTreeSet<Option<ShopId>>>,
}

impl Dashboard {
    /// The sums: those that are known, while newer ones are added up.
    pub(super) async fn sums(
        self: &Arc<Self>,
        shop: Option<ShopId>,
        now: Timestamp,
    ) -> Result<Sums, Refusal> {
        let folded = self.admin.followed.position().borrow().seq;
        let known = self.figures.known.lock().unwrap_or_else(PoisonError::into_inner).get(&shop).cloned();
        match known {
            Some(known) if known.is_current(folded, now) => Ok(Sums { at: now, ..known }),
            Some(known) if known.to == now.paris_day() && known.took > Duration::from_millis(20) => {
                let is_first = {
                    let mut under_way = self.figures.under_way.lock().unwrap_or_else(PoisonError::into_inner);
                    under_way.insert(shop.clone())
                };
                if is_first {
                    let dashboard = Arc::clone(self);
                    tokio::spawn(async move {
                        // Whoever asks next is told of trouble.
                        drop(dashboard.add_up(shop.clone(), now).await);
                        let mut under_way =
                            dashboard.figures.under_way.lock().unwrap_or_else(PoisonError::into_inner);
                        under_way.remove(&shop);
                    });
                }
                Ok(known)
            }
            Some(_) | None => self.add_up(shop, now).await,
        }
    }

    async fn add_up(&self, shop: Option<ShopId>, now: Timestamp) -> Result<Sums, Refusal> {
        let of = shop.clone();
        let sums = self.read(move |reader| Sums::add_up(reader, of.as_ref(), now)).await?;
        let mut known = self.figures.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(shop, sums.clone());
        Ok(sums)
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
    let (open, gravest, waiting, set_aside) = dashboard
        .read(move |reader| {
            let open = reader.open_now(of.as_ref())?;
            let mut gravest = Vec::new();
            for severity in open.iter().filter(|open| open.count > 0).map(|open| open.severity) {
                let left = NAMED.saturating_sub(u32::try_from(gravest.len()).unwrap_or(NAMED));
                if left == 0 {
                    break;
                }
                let filter = DiscrepancyFilter {
                    open: true,
                    severity: Some(severity),
                    snoozed: Some(false),
                    shop: of.as_ref().map(ToString::to_string),
                    limit: left,
                    ..DiscrepancyFilter::default()
                };
                gravest.extend(reader.discrepancies(&filter)?);
            }
            Ok((open, gravest, reader.backlogs()?, reader.set_aside()?))
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
