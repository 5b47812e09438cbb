//! What does not match: the list that people work through, and what is asked before many are acknowledged at once.

use askama::Template;
use cvco_domain::{Currency, Kind, Severity, ShopId};
use cvco_ledger::{Acted, DiscrepancyRow, WORKED, Whether, WorkCount, WorkFilter};
use cvco_mail::{Item, lists};

use crate::frame::Frame;
use crate::mark::Mark;
use crate::say::Lent;
use crate::{Say, address, cut, order_address, outside};

/// A discrepancy, as the ledger has it and as the mails tell it.
#[derive(Debug, Clone)]
pub struct Case {
    /// As the ledger has it.
    pub row: DiscrepancyRow,
    /// As the mails tell it.
    pub item: Item,
}

impl Case {
    /// Whether nobody has seen it.
    fn is_unseen(&self) -> bool {
        self.row.acked.is_none() && self.row.closed_at.is_none() && self.row.snoozed_until.is_none()
    }

    fn mark(&self) -> Mark {
        if self.row.closed_at.is_some() { Mark::Good } else { Mark::of_severity(self.row.severity) }
    }

    /// What it is about, for a list.
    fn subject(&self, t: impl Lent<Say>) -> String {
        let row = &self.row;
        let order = row.order_ref.as_ref().map(ToString::to_string);
        let name = order.or_else(|| row.call_number.as_ref().map(ToString::to_string));
        let name = name.or_else(|| row.endpoint.as_ref().map(ToString::to_string));
        // A statement, or a line of one.
        let name = name.or_else(|| lists::detail(t.lent().0, &row.detail));
        cut(&outside(name.unwrap_or_default()), 60)
    }

    /// The page of its order.
    fn order_link(&self) -> Option<String> {
        use cvco_domain::OrderKey;
        let row = &self.row;
        let shop = row.shop.clone()?;
        let key = match (&row.order_ref, row.psp, &row.call_number) {
            (Some(reference), _, _) => OrderKey::Reference(shop, reference.clone()),
            (None, Some(psp), Some(call)) => OrderKey::Call(shop, psp, call.clone()),
            _ => return None,
        };
        Some(order_address("/order", &key))
    }

    fn stake(&self, t: impl Lent<Say>) -> String {
        let t = t.lent();
        self.item.at_stake().map(|cents| t.money(cents, self.item.currency)).unwrap_or_default()
    }
}

/// The address of a list of these, with more of it.
#[must_use]
pub fn work_address(filter: &WorkFilter, path: &str, more: &[(&str, &str)]) -> String {
    let WorkFilter { whether, severity, kind, shop, unacked, through } = filter;
    let through = through.map(|id| id.to_string());
    let mut query = vec![
        ("whether", if *whether == Whether::Open { "" } else { whether.as_str() }),
        ("severity", severity.map_or("", Severity::as_str)),
        ("kind", kind.map_or("", Kind::as_str)),
        ("shop", shop.as_ref().map_or("", ShopId::as_str)),
        ("unacked", if *unacked { "1" } else { "" }),
        ("through", through.as_deref().unwrap_or_default()),
    ];
    query.extend_from_slice(more);
    address(path, &query)
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "discrepancies.html")]
pub struct Discrepancies {
    /// What is around it.
    pub frame: Frame,
    /// What was chosen.
    pub filter: WorkFilter,
    /// A piece of it.
    pub cases: Vec<Case>,
    /// How many there are.
    pub count: WorkCount,
    /// What leads to the next piece.
    pub next: Option<String>,
    /// Whether this is the first piece.
    pub is_first: bool,
}

impl Discrepancies {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn tab_link(&self, whether: impl Lent<Whether>) -> String {
        work_address(&WorkFilter { whether: whether.lent(), ..self.filter.clone() }, "/discrepancies", &[])
    }

    fn tab_name(&self, whether: impl Lent<Whether>) -> String {
        let t = self.t();
        match whether.lent() {
            Whether::Open => t.say("Ouverts", "Open"),
            Whether::Snoozed => t.say("En veille", "Snoozed"),
            Whether::Closed => t.say("Résolus", "Resolved"),
        }
    }

    fn is_tab(&self, whether: impl Lent<Whether>) -> bool {
        self.filter.whether == whether.lent()
    }

    fn is_closed_tab(&self) -> bool {
        self.filter.whether == Whether::Closed
    }

    fn is_severity(&self, severity: impl Lent<Severity>) -> bool {
        self.filter.severity == Some(severity.lent())
    }

    fn severity(&self, severity: impl Lent<Severity>) -> &'static str {
        lists::severity(self.t().0, severity.lent())
    }

    fn kinds(&self) -> Vec<(Kind, String, bool)> {
        let language = self.t().0;
        let kind = |kind: &Kind| (*kind, lists::kind_name(language, *kind), self.filter.kind == Some(*kind));
        let mut kinds: Vec<_> = Kind::ALL.iter().map(kind).collect();
        kinds.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
        kinds
    }

    fn is_shop(&self, shop: &ShopId) -> bool {
        self.filter.shop.as_ref() == Some(shop)
    }

    fn is_narrowed(&self) -> bool {
        let plain = WorkFilter { whether: self.filter.whether, ..WorkFilter::default() };
        self.filter != plain
    }

    fn title(&self, case: &Case) -> String {
        lists::title(self.t().0, &case.item)
    }

    fn first_step(&self, case: &Case) -> String {
        lists::said(self.t().0, &case.item).what_to_do.into_iter().next().unwrap_or_default()
    }

    fn age(&self, case: &Case) -> String {
        let until = case.row.closed_at.unwrap_or(self.frame.now);
        self.t().span(until.since(case.row.opened_at))
    }

    fn how_many(&self) -> String {
        let t = self.t();
        let all = t.count(i64::from(self.count.counted), "écart", "écarts", "discrepancy", "discrepancies");
        if self.count.more { t.say(&format!("plus de {all}"), &format!("more than {all}")) } else { all }
    }

    fn sum(&self) -> String {
        self.t().money(self.count.at_stake, Currency::EUR)
    }

    fn next_link(&self) -> Option<String> {
        self.next.as_ref().map(|next| work_address(&self.filter, "/discrepancies", &[("after", next)]))
    }

    fn first_link(&self) -> String {
        work_address(&self.filter, "/discrepancies", &[])
    }

    fn csv_link(&self) -> String {
        work_address(&self.filter, "/discrepancies.csv", &[])
    }

    /// Those that are open and unacknowledged of what is shown, up to the last that is known now.
    fn bulk_link(&self) -> Option<String> {
        let through = self.count.last?;
        let filter = WorkFilter { unacked: true, through: Some(through), ..self.filter.clone() };
        (!self.is_closed_tab()).then(|| work_address(&filter, "/discrepancies/acknowledge", &[]))
    }
}

/// What is asked before many are acknowledged.
#[derive(Debug, Template)]
#[template(path = "acknowledge.html")]
pub struct AcknowledgeMany {
    /// What is around it.
    pub frame: Frame,
    /// Which.
    pub filter: WorkFilter,
    /// The first of them.
    pub cases: Vec<Case>,
    /// How many there are.
    pub count: WorkCount,
}

impl AcknowledgeMany {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn how_many(&self) -> String {
        self.t().count(i64::from(self.count.counted), "écart", "écarts", "discrepancy", "discrepancies")
    }

    fn at_most(&self) -> String {
        self.t().number(i64::from(WORKED))
    }

    fn title(&self, case: &Case) -> String {
        lists::title(self.t().0, &case.item)
    }

    fn back_link(&self) -> String {
        let filter = WorkFilter { through: None, unacked: false, ..self.filter.clone() };
        work_address(&filter, "/discrepancies", &[])
    }

    fn action(&self) -> String {
        work_address(&self.filter, "/discrepancies/acknowledge", &[])
    }

    fn others(&self) -> i64 {
        i64::from(self.count.counted).saturating_sub(i64::try_from(self.cases.len()).unwrap_or(0))
    }
}

/// One discrepancy.
#[derive(Debug, Template)]
#[template(path = "discrepancy.html")]
pub struct DiscrepancyPage {
    /// What is around it.
    pub frame: Frame,
    /// Which one.
    pub case: Case,
    /// What people did about it.
    pub acts: Vec<Acted>,
}

impl DiscrepancyPage {
    fn t(&self) -> Say {
        self.frame.say
    }

    fn words(&self) -> cvco_mail::Wording {
        lists::said(self.t().0, &self.case.item)
    }

    fn is_open(&self) -> bool {
        self.case.row.closed_at.is_none()
    }

    fn is_put_away(&self) -> bool {
        self.case.row.acked.is_some() || self.case.row.snoozed_until.is_some()
    }

    fn severity(&self) -> &'static str {
        lists::severity(self.t().0, self.case.row.severity)
    }

    /// Its figures by their names.
    fn figures(&self) -> Vec<(String, String, bool)> {
        let (t, item) = (self.t(), &self.case.item);
        let [expected, actual] = cvco_mail::figures(item.kind, t.0);
        let money = |cents| t.money(cents, item.currency);
        let mut figures = Vec::new();
        figures.extend(item.expected.map(|cents| (expected.to_owned(), money(cents), false)));
        figures.extend(item.actual.map(|cents| (actual.to_owned(), money(cents), false)));
        figures.extend(
            item.own_gap().map(|(name, gap)| (lists::gap(t.0, name).to_owned(), money(gap.abs()), true)),
        );
        figures
    }

    fn detail(&self) -> Option<String> {
        lists::detail(self.t().0, &self.case.row.detail).map(outside)
    }

    fn call_caption(&self) -> &'static str {
        lists::call_number(self.t().0, self.case.row.psp)
    }

    fn act(&self, act: &str) -> String {
        let t = self.t();
        match act {
            "acknowledged" => t.say("pris en charge", "acknowledged"),
            "noted" => t.say("annoté", "noted"),
            "snoozed" => t.say("mis en veille", "snoozed"),
            _ => t.say("remis à traiter", "put back"),
        }
    }

    /// The last act that is known: whoever acts next must have seen it.
    fn seen(&self) -> String {
        self.acts.last().map_or_else(|| "0".to_owned(), |act| act.seq.to_string())
    }

    fn tomorrow(&self) -> String {
        self.frame.now.paris_day().next().to_string()
    }

    fn in_two_years(&self) -> String {
        self.frame.now.paris_day().plus(2 * 365).to_string()
    }

    fn in_a_week(&self) -> String {
        self.frame.now.paris_day().plus(7).to_string()
    }

    fn age(&self) -> String {
        let until = self.case.row.closed_at.unwrap_or(self.frame.now);
        self.t().span(until.since(self.case.row.opened_at))
    }
}
