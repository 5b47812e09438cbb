//! What every page has around it.

use cvco_domain::{Severity, ShopId, Timestamp};

use crate::Say;
use crate::assets;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Acts on discrepancies, imports statements, closes months.
    Accountant,
    /// Sees raw messages and secret addresses as well, has PSPs asked and calls relayed again.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Accountant, Self::Admin];

    /// Its word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Accountant => "accountant",
            Self::Admin => "admin",
        }
    }
}

/// Who looks at a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Under what name; `None` where nobody need sign in.
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// What their forms carry.
    pub form_token: String,
}

/// A part of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The first page.
    Today,
    /// Orders and payments.
    Orders,
    /// What does not match.
    Discrepancies,
    /// Months, exports, statements.
    Accounting,
    /// What goes on behind.
    Operations,
    /// None of them.
    Elsewhere,
}

/// The tone of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It was done.
    Done,
    /// It was not.
    Failed,
}

/// What came of what a person just did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Well or not.
    pub tone: Tone,
    /// In words.
    pub text: String,
}

/// A shop by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopName {
    /// Its id.
    pub id: ShopId,
    /// What its merchant calls it.
    pub name: String,
}

/// What every page has around it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The language.
    pub say: Say,
    /// Who looks.
    pub visitor: Visitor,
    /// Where they are.
    pub section: Section,
    /// The page's own address, to come back to.
    pub here: String,
    /// What time it is.
    pub now: Timestamp,
    /// How many discrepancies are open.
    pub open: i64,
    /// The gravest of them.
    pub worst: Option<Severity>,
    /// What came of what was just done.
    pub notice: Option<Notice>,
    /// Whether keys do something.
    pub keys: bool,
    /// The shops.
    pub shops: Vec<ShopName>,
    /// Whether it is to be a file of its own: without scripts, forms and links to other pages.
    pub is_file: bool,
}

/// An entry of the navigation.
pub(crate) struct Tab {
    pub(crate) href: &'static str,
    pub(crate) name: String,
    pub(crate) key: char,
    pub(crate) is_here: bool,
    pub(crate) count: Option<String>,
}

impl Frame {
    /// What is around a page that is a file of its own.
    #[must_use]
    pub fn of_file(say: Say, now: Timestamp, shops: Vec<ShopName>) -> Self {
        Self {
            say,
            visitor: Visitor { name: None, role: Role::Viewer, form_token: String::new() },
            section: Section::Elsewhere,
            here: String::new(),
            now,
            open: 0,
            worst: None,
            notice: None,
            keys: false,
            shops,
            is_file: true,
        }
    }

    /// The visitor's role, in words.
    pub(crate) fn role(&self) -> String {
        match self.visitor.role {
            Role::Viewer => self.say.say("consultation", "viewer"),
            Role::Accountant => self.say.say("comptabilité", "accountant"),
            Role::Admin => self.say.say("administration", "administrator"),
        }
    }

    /// Whether the visitor may do what this role may.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        !self.is_file && self.visitor.name.is_some() && self.visitor.role >= role
    }

    pub(crate) fn can_act(&self) -> bool {
        self.may(Role::Accountant)
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.may(Role::Admin)
    }

    pub(crate) fn tabs(&self) -> Vec<Tab> {
        let t = self.say;
        let tab = |section, href, key, name| Tab {
            href,
            name,
            key,
            is_here: self.section == section,
            count: (section == Section::Discrepancies && self.open > 0).then(|| t.number(self.open)),
        };
        vec![
            tab(Section::Today, "/", 't', t.say("Aujourd'hui", "Today")),
            tab(Section::Orders, "/orders", 'o', t.say("Commandes", "Orders")),
            tab(Section::Discrepancies, "/discrepancies", 'd', t.say("Écarts", "Discrepancies")),
            tab(Section::Accounting, "/accounting", 'a', t.say("Comptabilité", "Accounting")),
            tab(Section::Operations, "/operations", 'x', t.say("Exploitation", "Operations")),
        ]
    }

    pub(crate) fn icon(&self) -> String {
        assets::icon_path(self.worst)
    }

    pub(crate) fn style() -> String {
        assets::style_path()
    }

    pub(crate) const fn style_text() -> &'static str {
        assets::STYLE
    }

    pub(crate) fn script() -> String {
        assets::script_path()
    }

    pub(crate) const fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// What a shop is called.
    #[must_use]
    pub fn shop<'a>(&'a self, id: &'a ShopId) -> &'a str {
        self.shops.iter().find(|shop| shop.id == *id).map_or(id.as_str(), |shop| &shop.name)
    }

    /// Whether there is more than one.
    pub(crate) fn has_shops(&self) -> bool {
        self.shops.len() > 1
    }

    pub(crate) fn is_done(notice: &Notice) -> bool {
        notice.tone == Tone::Done
    }
}
