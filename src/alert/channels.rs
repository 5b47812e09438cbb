//! The worker that tells channels what the ledger owes them: the same words as the e-mails, in the same order, at the same
//! pace. It is not the one that mails, so that a channel that hangs delays no mail; and each channel goes its own way, so that
//! it delays no other.

use std::sync::Arc;
use std::time::Duration;

use cvco_domain::ShopId;
use cvco_log::entry::MailAbout;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Message, TIME_LIMIT};
use super::desk::{Desk, Trouble};
use super::settings::Addressees;
use super::worker::{AT_LEAST_EVERY, SETTLES_IN};
use crate::back_off;
use crate::outbound::Client;

/// Tells channels what they are owed.
pub struct ChannelWorker {
    /// Whom to tell, as last loaded.
    pub addressees: watch::Receiver<Arc<Addressees>>,
    /// What it works with.
    pub desk: Desk,
}

impl ChannelWorker {
    /// Works until `stop`; a message under way is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => return,
            folded = self.desk.followed.caught_up(&self.desk.log) => if folded.is_err() { return },
        }
        let mut is_over = false;
        while !is_over {
            let addressees = Arc::clone(&self.addressees.borrow_and_update());
            let until_changed = stop.child_token();
            let mut channels = JoinSet::new();
            for channel in addressees.alerts.iter().flat_map(|alerts| &alerts.channels) {
                let (desk, addressees) = (self.desk.clone(), Arc::clone(&addressees));
                channels.spawn(tell(desk, addressees, channel.clone(), until_changed.clone()));
            }
            tokio::select! {
                () = stop.cancelled() => is_over = true,
                changed = self.addressees.changed() => is_over = changed.is_err(),
            }
            until_changed.cancel();
            while let Some(ended) = channels.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "telling a channel failed; please report it");
                }
            }
        }
    }
}

/// Tells one channel what it is owed, until `stop`.
async fn tell(desk: Desk, addressees: Arc<Addressees>, channel: Channel, stop: CancellationToken) {
    let client = Client::new(addressees.proxy.clone(), TIME_LIMIT);
    let mut position = desk.followed.position();
    while !stop.is_cancelled() {
        position.borrow_and_update();
        let pause = match send_one(&desk, &addressees, &channel, &client).await {
            Ok(Sent::One) => continue,
            Ok(Sent::Nothing(pause)) => pause,
            Ok(Sent::Rest(rest)) => {
                // It would not take anything else either.
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(rest) => continue,
                }
            }
            Err(error) => {
                tracing::error!(channel = %channel.id, %error, "owed messages could not be looked up");
                back_off::MAIL.after(0)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            changed = position.changed() => if changed.is_err() { return },
        }
        tokio::time::sleep(SETTLES_IN).await;
    }
}

enum Sent {
    /// There may be more.
    One,
    /// Nothing is due for so long.
    Nothing(Duration),
    /// The channel wants to be left alone for so long.
    Rest(Duration),
}

async fn send_one(
    desk: &Desk,
    addressees: &Addressees,
    channel: &Channel,
    client: &Client,
) -> Result<Sent, Trouble> {
    let Some(alerts) = &addressees.alerts else { return Ok(Sent::Nothing(AT_LEAST_EVERY)) };
    desk.say_what_left(&channel.id).await?;
    let (now, way, pace) = (desk.clock.now(), channel.id.clone(), alerts.pace.clone());
    let due = desk.readers.read(move |reader| match reader.next_mail(now, &way, &pace)? {
        Some(due) => Ok(Ok(due)),
        None => Ok(Err(reader.next_departure(now, &way, &pace)?)),
    });
    let due = match due.await? {
        Ok(due) => due,
        Err(next) => {
            let pause = next.map_or(AT_LEAST_EVERY, |at| at.since(now));
            return Ok(Sent::Nothing(pause.clamp(SETTLES_IN, AT_LEAST_EVERY)));
        }
    };
    let message_id = match &due.message_id {
        Some(message_id) => message_id.clone(),
        None => desk.intend(&channel.id, MailAbout::Discrepancies(due.items.clone())).await?,
    };
    let sent = async {
        let letter = desk.letter(addressees, alerts, &due).await.map_err(|error| (error.into(), None))?;
        let message = Message::of(&letter, due.shop.as_ref().map(ShopId::as_str));
        let sent = channel.send(client, &message, &message_id, desk.clock.now()).await;
        sent.map_err(|(error, rest)| (Trouble::from(error), rest))
    };
    match sent.await {
        Ok(()) => {
            tracing::info!(mail.id = message_id, channel = %channel.id, "channel told");
            desk.departed(&channel.id, message_id).await?;
            Ok(Sent::One)
        }
        Err((error, rest)) => {
            let own = desk.failed(&channel.id, &message_id, &error, rest).await?;
            Ok(own.or(rest).map_or(Sent::One, Sent::Rest))
        }
    }
}
