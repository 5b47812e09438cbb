//! The worker that mails what the ledger owes. Before an e-mail leaves, the log says so under its message id; after it left,
//! again. So a crash at any point costs at most one repetition of one e-mail, under the same message id.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cvco_domain::{DiscrepancyId, ShopId, Timestamp, Way};
use cvco_ledger::{Class, DueAnchor, DueMail, DueWeek, Flow, LedgerError, Takings, WeekCounts};
use cvco_log::entry::{MailAbout, Week};
use cvco_mail::anchor::{self, AnchorLetter, Link, ShopTakings};
use cvco_mail::render;
use cvco_mail::week::{self, DayTakings, InOtherCurrency, ShopWeek, WeekLetter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Delivery;
use super::desk::{Desk, Trouble};
use super::settings::{Addressees, AlertSettings};
use crate::back_off;

/// What is owed is looked up this often at least: a digest's time may come, or another process may have appended.
pub(super) const AT_LEAST_EVERY: Duration = Duration::from_secs(30);

/// Between two looks at the ledger: a burst of entries is one piece of news.
pub(super) const SETTLES_IN: Duration = Duration::from_millis(50);

/// From midnight it ends in the next day, whether that one has 23 hours or 25.
const LONGER_THAN_A_DAY: Duration = Duration::from_hours(36);

/// Mails what is owed.
pub struct AlertWorker {
    /// Whom to tell, as last loaded.
    pub addressees: watch::Receiver<Arc<Addressees>>,
    /// What it works with.
    pub desk: Desk,
    /// Who never gets e-mails, and the server's words; a person is told.
    pub refused: watch::Sender<BTreeMap<String, String>>,
}

/// What the worker knows and may forget.
#[derive(Default)]
struct Memory {
    /// Who has got an e-mail that others have still to get. A restart forgets it: better twice than never.
    deliveries: BTreeMap<String, Delivery>,
    /// The mail server is left alone until then: it would fail with any other mail too.
    resting_until: Option<Timestamp>,
}

impl AlertWorker {
    /// Works until `stop`; an e-mail under way is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => return,
            folded = self.desk.followed.caught_up(&self.desk.log) => if folded.is_err() { return },
        }
        let mut position = self.desk.followed.position();
        let mut memory = Memory::default();
        loop {
            position.borrow_and_update();
            let addressees = Arc::clone(&self.addressees.borrow_and_update());
            let mut pause = AT_LEAST_EVERY;
            if let Some(alerts) = &addressees.alerts {
                pause = self.send_all(&addressees, alerts, &mut memory, &stop).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                changed = position.changed() => if changed.is_err() { return },
                changed = self.addressees.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // Perhaps another server, or other readers.
                    memory.resting_until = None;
                    self.refused.send_replace(BTreeMap::new());
                }
            }
            tokio::time::sleep(SETTLES_IN).await;
        }
    }

    /// Sends everything that may leave now; how long to wait for the rest.
    async fn send_all(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        memory: &mut Memory,
        stop: &CancellationToken,
    ) -> Duration {
        loop {
            if stop.is_cancelled() {
                return AT_LEAST_EVERY;
            }
            let now = self.desk.clock.now();
            if let Some(until) = memory.resting_until.filter(|until| *until > now) {
                return until.since(now).clamp(SETTLES_IN, AT_LEAST_EVERY);
            }
            match self.send_one(addressees, alerts, memory).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "owed e-mails could not be looked up");
                    return back_off::MAIL.after(0);
                }
            }
        }
        let (now, pace) = (self.desk.clock.now(), alerts.pace.clone());
        let next =
            self.desk.readers.read(move |reader| reader.next_departure(now, &Way::mail(), &pace)).await;
        let until_next = next.ok().flatten().map_or(AT_LEAST_EVERY, |at| at.since(now));
        until_next.clamp(SETTLES_IN, AT_LEAST_EVERY)
    }

    /// Sends one e-mail, if one is due: about discrepancies, else an anchor, else a week.
    async fn send_one(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        memory: &mut Memory,
    ) -> Result<bool, Trouble> {
        self.desk.say_what_left(&Way::mail()).await?;
        let (now, pace) = (self.desk.clock.now(), alerts.pace.clone());
        let due = self.desk.readers.read(move |reader| reader.next_mail(now, &Way::mail(), &pace)).await?;
        if let Some(due) = due {
            let about = MailAbout::Discrepancies(due.items.clone());
            let message_id = self.id_of(due.message_id.clone(), about).await?;
            let delivery = memory.deliveries.entry(message_id.clone()).or_default();
            let sent = self.send(addressees, alerts, &due, &message_id, delivery).await;
            self.ended(message_id, sent, memory).await?;
            return Ok(true);
        }
        if let Some(mailer) = &alerts.anchors
            && let Some(due) = self.desk.readers.read(move |reader| reader.next_anchor(now)).await?
        {
            let message_id = self.id_of(due.message_id.clone(), MailAbout::Anchor(due.seq)).await?;
            let delivery = memory.deliveries.entry(message_id.clone()).or_default();
            let sent = async {
                let mail = anchor::render(&self.anchor_letter(addressees, alerts, due).await?)?;
                Ok(mailer.send(&mail, &message_id, None, self.desk.clock.now(), delivery).await?)
            };
            let sent = sent.await;
            self.ended(message_id, sent, memory).await?;
            return Ok(true);
        }
        let Some(due) = self.desk.readers.read(move |reader| reader.next_week(now)).await? else {
            return Ok(false);
        };
        self.send_week(addressees, alerts, due, memory).await?;
        Ok(true)
    }

    async fn id_of(&self, intended: Option<String>, about: MailAbout) -> Result<String, Trouble> {
        match intended {
            Some(message_id) => Ok(message_id),
            None => self.desk.intend(&Way::mail(), about).await,
        }
    }

    /// Writes down what became of an e-mail.
    async fn ended(
        &self,
        message_id: String,
        sent: Result<(), Trouble>,
        memory: &mut Memory,
    ) -> Result<(), Trouble> {
        memory.resting_until = None;
        if let Some(delivery) = memory.deliveries.get(&message_id) {
            self.note_refused(delivery);
        }
        match sent {
            Ok(()) => {
                memory.deliveries.remove(&message_id);
                tracing::info!(mail.id = message_id, "mail sent");
                self.desk.departed(&Way::mail(), message_id).await
            }
            Err(error) => {
                if memory.deliveries.get(&message_id).is_some_and(|delivery| delivery.taken.is_empty()) {
                    memory.deliveries.remove(&message_id);
                }
                let rest = self.desk.failed(&Way::mail(), &message_id, &error, None).await?;
                memory.resting_until = rest.map(|rest| self.desk.clock.now().after(rest));
                Ok(())
            }
        }
    }

    /// Who takes an e-mail again is refused no longer. The first words stand: later ones differ by the number of the mail.
    fn note_refused(&self, delivery: &Delivery) {
        self.refused.send_modify(|known| {
            known.retain(|to, _| !delivery.taken.contains(to));
            for (to, why) in &delivery.refused {
                known.entry(to.clone()).or_insert_with(|| why.clone());
            }
        });
    }

    async fn send(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        due: &DueMail,
        message_id: &str,
        delivery: &mut Delivery,
    ) -> Result<(), Trouble> {
        let mail = render(&self.desk.letter(addressees, alerts, due).await?)?;
        let now = self.desk.clock.now();
        let mailer = alerts.mailer_for(due);
        Ok(mailer.send(&mail, message_id, due.in_reply_to.as_deref(), now, delivery).await?)
    }

    /// Sums up a week for those shops that have the readers and the language of the first.
    async fn send_week(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        due: DueWeek,
        memory: &mut Memory,
    ) -> Result<(), Trouble> {
        let Some(first) = due.shops.first() else { return Ok(()) };
        let mailer = alerts.mailer_of(Some(first), Class::Digest);
        let language = alerts.language_of(Some(first));
        let goes_with = |shop: &&ShopId| {
            alerts.language_of(Some(shop)) == language
                && alerts.mailer_of(Some(shop), Class::Digest).has_same_readers(mailer)
        };
        let shops: Vec<ShopId> = match due.message_id {
            Some(_) => due.shops.clone(),
            None => due.shops.iter().filter(goes_with).cloned().collect(),
        };
        let about = MailAbout::Week(Week { until: due.until, shops: shops.clone() });
        let message_id = self.id_of(due.message_id, about).await?;
        let delivery = memory.deliveries.entry(message_id.clone()).or_default();
        let sent = async {
            let mail = week::render(&WeekLetter {
                language,
                host: self.desk.host.clone(),
                first: due.until.paris_day().plus(-7),
                last: due.until.paris_day().plus(-1),
                shops: self.weeks_of(addressees, due.until, shops).await?,
            })?;
            Ok(mailer.send(&mail, &message_id, None, self.desk.clock.now(), delivery).await?)
        };
        let sent = sent.await;
        self.ended(message_id, sent, memory).await
    }

    /// The seven days before a Monday.
    async fn weeks_of(
        &self,
        addressees: &Addressees,
        until: Timestamp,
        shops: Vec<ShopId>,
    ) -> Result<Vec<ShopWeek>, LedgerError> {
        struct Found {
            days: Vec<(cvco_domain::Day, Vec<Takings>)>,
            counts: Vec<WeekCounts>,
        }
        let monday = until.paris_day();
        let asked = shops.clone();
        let found = self.desk.readers.read(move |reader| {
            let day = |ahead: i64| {
                let day = monday.plus(ahead);
                Ok((day, reader.takings(day.start(), day.next().start())?))
            };
            let days = (-7..0).map(day).collect::<Result<_, LedgerError>>()?;
            let (from, to) = (monday.plus(-7).start(), monday.start());
            let counts =
                asked.iter().map(|shop| reader.week_counts(shop, from, to)).collect::<Result<_, _>>()?;
            Ok(Found { days, counts })
        });
        let Found { days, counts } = found.await?;
        let week = |(shop, counts): (ShopId, WeekCounts)| {
            let of_shop = |takings: &&Takings| takings.shop == shop;
            let own = |(day, all): &(cvco_domain::Day, Vec<Takings>)| {
                let takings = all.iter().find(of_shop);
                DayTakings {
                    day: *day,
                    voucher: takings.map(Takings::voucher).unwrap_or_default(),
                    card: takings.map(|takings| takings.card.accepted).unwrap_or_default(),
                }
            };
            let all = || days.iter().flat_map(|(_, all)| all.iter().filter(of_shop));
            ShopWeek {
                name: addressees.shop_name(&shop),
                days: days.iter().map(own).collect(),
                payments: counts.payments,
                others: counts.others.iter().map(in_other_currency).collect(),
                refunded: all().map(Takings::refunded).sum(),
                taken_back: all().map(Takings::taken_back).sum(),
                opened: counts.opened,
                closed: counts.closed,
                open: counts.open,
                open_amount: counts.open_amount,
                oldest: counts.oldest.into_iter().map(DiscrepancyId::get).collect(),
            }
        };
        Ok(shops.into_iter().zip(counts).map(week).collect())
    }

    async fn anchor_letter(
        &self,
        addressees: &Addressees,
        alerts: &AlertSettings,
        due: DueAnchor,
    ) -> Result<AnchorLetter, LedgerError> {
        let damaged = || LedgerError::CorruptRow { table: "anchors", id: due.seq.get() };
        let from = Timestamp::parse_since(&due.first_day).map_err(|_| damaged())?;
        let last = Timestamp::parse_since(&due.day).map_err(|_| damaged())?;
        let until = last.after(LONGER_THAN_A_DAY).paris_midnight();
        let takings = self.desk.readers.read(move |reader| reader.takings(from, until)).await?;
        let as_told = |flow: Flow| anchor::Flow { accepted: flow.accepted, refunded: flow.refunded };
        let shop = |takings: Takings| ShopTakings {
            name: addressees.shop_name(&takings.shop),
            taken_back: takings.taken_back(),
            vouchers: takings.vouchers.into_iter().map(|(issuer, flow)| (issuer, as_told(flow))).collect(),
            card: as_told(takings.card),
        };
        let shops = takings.into_iter().map(shop).collect();
        let DueAnchor { seq, hash, first_seq, first_day, day, .. } = due;
        let anchor = Link { seq: seq.get(), hash, first_seq: first_seq.get(), first_day, day };
        Ok(AnchorLetter { language: alerts.language, host: self.desk.host.clone(), anchor, shops })
    }
}

fn in_other_currency(counted: &cvco_ledger::InOtherCurrency) -> InOtherCurrency {
    let cvco_ledger::InOtherCurrency { currency, payments, accepted } = *counted;
    InOtherCurrency { currency, payments, accepted }
}
