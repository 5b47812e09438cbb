//! Who is told, in which language, how often, and on which ways: `[alerts]`, and what shops have of their own.

use std::collections::{BTreeMap, BTreeSet};

use cvco_domain::{EndpointId, ShopId};
use cvco_ledger::{Class, DueMail, Pace};
use cvco_mail::Language;

use super::channel::Channel;
use super::mail::Mailer;
use crate::outbound::Proxy;

/// `[alerts]`
#[derive(Debug, Clone)]
pub struct AlertSettings {
    /// The language of those who are told.
    pub language: Language,
    /// E-mail to `to`.
    pub mailer: Mailer,
    /// E-mail to `urgent_to`, where that is set.
    pub urgent: Option<Mailer>,
    /// E-mail to `escalate_to`, where that is set.
    pub escalation: Option<Mailer>,
    /// How often.
    pub pace: Pace,
    /// The way out for anchors, if `[ledger] anchor_to` names anybody.
    pub anchors: Option<Mailer>,
    /// What shops have of their own.
    pub shops: BTreeMap<ShopId, ShopAlerts>,
    /// `[[alerts.channel]]`
    pub channels: Vec<Channel>,
    /// Where people open the dashboard; without it messages hold no links.
    pub dashboard: Option<String>,
}

/// What a shop has of its own.
#[derive(Debug, Clone, Default)]
pub struct ShopAlerts {
    /// Its language.
    pub language: Option<Language>,
    /// E-mail to its `to`.
    pub mailer: Option<Mailer>,
    /// E-mail to its `urgent_to`.
    pub urgent: Option<Mailer>,
}

impl AlertSettings {
    /// The language in which a shop is told.
    #[must_use]
    pub fn language_of(&self, shop: Option<&ShopId>) -> Language {
        self.of_shop(shop).and_then(|own| own.language).unwrap_or(self.language)
    }

    /// Who is mailed. Those who were told because nobody had seen it hear the rest as well.
    #[must_use]
    pub fn mailer_for(&self, due: &DueMail) -> Mailer {
        let mailer = self.mailer_of(due.shop.as_ref(), due.class);
        match &self.escalation {
            Some(others) if due.was_escalated && due.class != Class::Escalation => mailer.and(others),
            Some(_) | None => mailer.clone(),
        }
    }

    /// Who is mailed about a shop.
    #[must_use]
    pub fn mailer_of(&self, shop: Option<&ShopId>, class: Class) -> &Mailer {
        let own = self.of_shop(shop);
        let everyday = own.and_then(|own| own.mailer.as_ref());
        let chosen = match class {
            Class::Escalation => self.escalation.as_ref(),
            Class::Urgent => own.and_then(|own| own.urgent.as_ref()).or(everyday).or(self.urgent.as_ref()),
            Class::Digest => everyday,
        };
        chosen.unwrap_or(&self.mailer)
    }

    fn of_shop(&self, shop: Option<&ShopId>) -> Option<&ShopAlerts> {
        self.shops.get(shop?)
    }
}

/// What the workers go by, as last loaded.
pub struct Addressees {
    /// `[alerts]`; without it nobody is told.
    pub alerts: Option<AlertSettings>,
    /// The way out for channels, if there is only one.
    pub proxy: Option<Proxy>,
    /// The name of each shop for people.
    pub shop_names: Vec<(ShopId, String)>,
    /// The endpoints of trials.
    pub trial_endpoints: BTreeSet<EndpointId>,
}

impl Addressees {
    pub(super) fn shop_name(&self, id: &ShopId) -> String {
        let known = self.shop_names.iter().find(|(known, _)| known == id);
        known.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    }
}
