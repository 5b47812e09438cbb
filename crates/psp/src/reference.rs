//! References that a shop's module composes: the official Up2pay module for `WooCommerce` sends
//! `woo_{order}_{first name}_{last name}_{time}`, which changes with each attempt and names the customer. A pattern of
//! the endpoint says where the order's number stands; nothing else of the reference goes any further.

use cvco_domain::{Event, Mode, OrderRef, Psp, Question, Timestamp, Topic, Worded};
use regex::{Regex, RegexBuilder};

use crate::api::{Answer, Api, Exchange, Inquiry, NoAnswer, ProbeStep, Step};
use crate::{Adapter, Diagnosis, Message, NotUnderstood, Reading, Rejection, Request};

/// The group of the pattern that is the order's number.
const ORDER: &str = "order";

/// The compiled pattern's bound, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Where the order's number stands in a composed reference.
#[derive(Debug, Clone)]
pub struct ReferencePattern(Regex);

/// Two are the same if their texts are.
impl PartialEq for ReferencePattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for ReferencePattern {}

/// The references of a shop's payments, as all its endpoints together have them. Statements repeat them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopReferences {
    /// The patterns of those that are composed.
    pub patterns: Vec<ReferencePattern>,
    /// Whether some endpoint's are the order's number itself.
    pub some_are_plain: bool,
}

impl ShopReferences {
    /// The order's number in a reference that a statement tells. `None` where it may hold a name.
    #[must_use]
    pub fn order(&self, reference: OrderRef) -> Option<OrderRef> {
        let found = self.patterns.iter().find_map(|pattern| pattern.order(reference.as_str()));
        found.or(Some(reference).filter(|_| self.patterns.is_empty() || self.some_are_plain))
    }
}

/// Why a text is no such pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferencePatternError {
    /// It is no regular expression.
    #[error("not a regular expression: {0}")]
    Syntax(String),
    /// Nothing in it says which part is the order's number.
    #[error("it has no group (?<order>…) around the order's number, as in ^woo_(?<order>[^_]+)_")]
    NoOrder,
}

fn no_settings() -> NoAnswer {
    NoAnswer::setting("le point d’entrée n’a pas de réglages d’API", "the endpoint has no API settings")
}

impl Worded for ReferencePatternError {
    fn in_french(&self) -> String {
        match self {
            Self::Syntax(what) => format!("ce n’est pas une expression régulière (en anglais\u{a0}: {what})"),
            Self::NoOrder => {
                "il manque un groupe (?<order>…) autour du numéro de commande, comme dans ^woo_(?<order>[^_]+)_".to_owned()
            }
        }
    }
}

impl ReferencePattern {
    /// Reads a regular expression with a group named `order`.
    ///
    /// # Errors
    /// It is none, or has no such group.
    pub fn parse(text: &str) -> Result<Self, ReferencePatternError> {
        let regex = RegexBuilder::new(text).size_limit(SIZE_LIMIT).build();
        let regex = regex.map_err(|error| ReferencePatternError::Syntax(error.to_string()))?;
        let has_order = regex.capture_names().flatten().any(|name| name == ORDER);
        if has_order { Ok(Self(regex)) } else { Err(ReferencePatternError::NoOrder) }
    }

    /// The order's number in a reference. A reference that the pattern does not fit says none: it may hold a name.
    #[must_use]
    pub fn order(&self, reference: &str) -> Option<OrderRef> {
        OrderRef::new(self.0.captures(reference)?.name(ORDER)?.as_str()).ok()
    }

    /// Leaves the order's number of each event; and says so where there is none.
    fn shorten(&self, events: &mut [Event], remark: &mut Option<String>) {
        for event in events {
            let Some(reference) = event.order_ref.take() else { continue };
            event.order_ref = self.order(reference.as_str());
            if event.order_ref.is_none() {
                let told = "its reference does not fit reference_pattern and was left out";
                *remark =
                    Some(remark.take().map_or_else(|| told.to_owned(), |other| format!("{other}; {told}")));
            }
        }
    }
}

/// An adapter whose references are composed.
pub struct WithReferences {
    adapter: Box<dyn Adapter>,
    pattern: ReferencePattern,
}

impl WithReferences {
    /// The same adapter; of its references only the order's number is left.
    #[must_use]
    pub fn new(adapter: Box<dyn Adapter>, pattern: ReferencePattern) -> Self {
        Self { adapter, pattern }
    }

    /// The PSP knows the order by its whole reference, which is not kept.
    fn without_reference(event: &Event) -> Event {
        Event { order_ref: None, ..event.clone() }
    }

    fn answer(&self, mut answer: Answer) -> Answer {
        self.pattern.shorten(&mut answer.events, &mut answer.remark);
        answer.questions.retain(|question| question.topic != Topic::Order);
        answer
    }
}

impl Adapter for WithReferences {
    fn psp(&self) -> Psp {
        self.adapter.psp()
    }

    fn mode(&self) -> Mode {
        self.adapter.mode()
    }

    fn prove(&self, request: &Request<'_>) -> Result<Message, Rejection> {
        self.adapter.prove(request)
    }

    fn read(&self, message: &Message) -> Result<Reading, NotUnderstood> {
        let mut reading = self.adapter.read(message)?;
        if let Reading::Facts { events, questions, remark, .. } = &mut reading {
            self.pattern.shorten(events, remark);
            if questions.iter().any(|question| question.topic == Topic::Order) {
                questions.retain(|question| question.topic != Topic::Order);
                questions.extend(events.iter().filter_map(|event| self.again(event)));
                questions.sort();
                questions.dedup();
            }
        }
        Ok(reading)
    }

    fn headers(&self) -> &'static [&'static str] {
        self.adapter.headers()
    }

    fn handshake(&self, request: &Request<'_>) -> Option<String> {
        self.adapter.handshake(request)
    }

    fn api(&self) -> Option<&dyn Api> {
        self.adapter.api().map(|_| self as &dyn Api)
    }

    fn session(&self, token: &str) -> Result<Question, Rejection> {
        self.adapter.session(token)
    }

    fn diagnose(&self, request: &Request<'_>) -> Diagnosis {
        self.adapter.diagnose(request)
    }
}

impl Api for WithReferences {
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], now: Timestamp) -> Step {
        match self.adapter.api().map(|api| api.next(inquiry, said, now)) {
            Some(Step::Answered(answer)) => Step::Answered(self.answer(answer)),
            Some(other @ (Step::Call(_) | Step::Failed(_))) => other,
            None => Step::Failed(no_settings()),
        }
    }

    fn probe(&self, said: &[Exchange], now: Timestamp) -> ProbeStep {
        self.adapter.api().map_or_else(|| ProbeStep::Bad(no_settings()), |api| api.probe(said, now))
    }

    fn window(&self, from: Timestamp, until: Timestamp) -> Vec<Question> {
        self.adapter.api().map(|api| api.window(from, until)).unwrap_or_default()
    }

    fn again(&self, event: &Event) -> Option<Question> {
        self.adapter.api()?.again(&Self::without_reference(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pattern: &str, reference: &str) -> Option<String> {
        let pattern = ReferencePattern::parse(pattern).expect("a pattern");
        pattern.order(reference).map(|order| order.as_str().to_owned())
    }

    #[test]
    fn the_order_is_found_and_no_name_is_left() {
        let official = "^woo_(?<order>[^_]+)_";
        assert_eq!(order(official, "woo_1234_Jean_Dupont_11282005").as_deref(), Some("1234"));
        assert_eq!(
            order(official, "woo_1234_Jean_Dupont_11282015").as_deref(),
            Some("1234"),
            "another attempt"
        );
        assert_eq!(order(official, "1234 Jean Dupont"), None, "it may hold a name");
        let older = r"^(?:woo_)?(?<order>\d+)(?:[ _-]|$)";
        for reference in ["woo_1234_Jean_Dupont_11282005", "1234 - Jean Dupont", "1234_Dupont", "1234"] {
            assert_eq!(order(older, reference).as_deref(), Some("1234"), "{reference}");
        }
    }

    #[test]
    fn a_statement_tells_the_order_and_no_name_either() {
        let told = |some_are_plain, reference: &str| {
            let pattern = ReferencePattern::parse("^woo_(?<order>[^_]+)_").expect("a pattern");
            let shop = ShopReferences { patterns: vec![pattern], some_are_plain };
            shop.order(OrderRef::new(reference).expect("a reference")).map(String::from)
        };
        // ANCV keeps 20 characters.
        assert_eq!(told(false, "woo_1234_Jean_Dupont").as_deref(), Some("1234"));
        assert_eq!(told(false, "Jean Dupont 1234"), None);
        assert_eq!(told(true, "R-1234").as_deref(), Some("R-1234"), "of an endpoint without a pattern");
        let plain = ShopReferences::default();
        assert!(plain.order(OrderRef::new("Jean Dupont 1234").expect("a reference")).is_some());
    }

    #[test]
    fn a_pattern_must_say_where_the_order_stands() {
        assert!(matches!(ReferencePattern::parse("^woo_("), Err(ReferencePatternError::Syntax(_))));
        assert!(matches!(ReferencePattern::parse("^woo_(.+)_"), Err(ReferencePatternError::NoOrder)));
        let huge = "(?<order>(?:a{1000}){1000})";
        assert!(matches!(ReferencePattern::parse(huge), Err(ReferencePatternError::Syntax(_))));
    }
}
