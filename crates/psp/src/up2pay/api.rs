//! Asking the platform about a transaction: a consultation (`TYPE=00017`) through PPPS, the interface that the back
//! office calls *Gestion automatisée des encaissements*.
//!
//! A consultation confirms that the transaction is the shop's own, which no signature of a call proves, and tells its
//! present state. It tells no amount: that stays as it was notified.

mod answer;
mod tender_key;

use std::cmp::Reverse;

use cvco_domain::{
    AmountFrom, Asking, Authorisation, Bilingual, Cents, Event, Mode, Operation, Question, ReportedState,
    Standing, StatusCode, TenderId, Timestamp, Topic,
};

use super::settings::ApiSettings;
use crate::Method;
use crate::api::{Answer, Api, ApiRequest, BaseUrl, Exchange, Inquiry, NoAnswer, ProbeStep, Step};
use answer::PlatformAnswer;
pub(super) use answer::meaning;
use tender_key::TenderKey;

/// The consultations of one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Consultation {
    settings: ApiSettings,
    mode: Mode,
}

/// The next turn of a conversation.
enum Turn {
    Ask(ApiRequest),
    Read(PlatformAnswer),
}

impl Consultation {
    pub(super) const fn new(settings: ApiSettings, mode: Mode) -> Self {
        Self { settings, mode }
    }

    /// Asks the server, or its backup if it is out of order, and reads the answer.
    fn turn(&self, part: &TenderKey, said: &[Exchange], now: Timestamp) -> Turn {
        let Some(last) = said.last() else {
            return Turn::Ask(self.request(&self.settings.base_url, part, 0, now));
        };
        match (answer::read(last, &self.settings), &self.settings.backup_url) {
            (PlatformAnswer::OutOfOrder(_), Some(backup)) if said.len() == 1 => {
                Turn::Ask(self.request(backup, part, 1, now))
            }
            (answer, _) => Turn::Read(answer),
        }
    }

    /// The fields in the order in which they are signed; values are signed before they are encoded.
    fn request(&self, server: &BaseUrl, part: &TenderKey, earlier: u8, now: Timestamp) -> ApiRequest {
        let ApiSettings { site, rang, key, .. } = &self.settings;
        let (number, date) = (question_number(now, earlier), date(now));
        let mut fields = vec![
            ("VERSION", "00104"),
            ("TYPE", "00017"),
            ("SITE", site),
            ("RANG", rang),
            ("NUMQUESTION", &number),
            ("DATEQ", &date),
            ("NUMAPPEL", part.call()),
            ("NUMTRANS", part.transaction()),
        ];
        // The platform wants it foreverything that goes through the voucher page (Up2pay manual 3.3), and for nothing
        // else.
        fields.extend(part.acquirer().map(|acquirer| ("ACQUEREUR", acquirer)));
        fields.push(("HASH", "SHA512"));
        let signed: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let hmac = hex::encode_upper(key.0.tag(signed.join("&").as_bytes()));
        fields.push(("HMAC", &hmac));
        ApiRequest {
            method: Method::Post,
            url: server.at(""),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            // Serialising pairs of text cannot fail.
            body: serde_urlencoded::to_string(&fields).unwrap_or_default().into_bytes(),
        }
    }

    fn answer(&self, part: &TenderKey, known: &[Event], status: &str) -> Answer {
        // If a part was notified more than once, the furthest state counts. Among several amounts the earliest counts,
        // then the smaller one, as everywhere. The answer itself states no amount.
        let notified = known.iter().filter(|event| part.is(event)).min_by_key(|event| {
            (Reverse(event.state), event.occurred_at.is_none(), event.occurred_at, event.amount)
        });
        let Some(notified) = notified else {
            let remark = format!("the platform knows the transaction ({status}), but no call told of it");
            return Answer { standing: Standing::Settled, ..without_events(remark) };
        };
        let (state, reading) = answer::judge(status);
        // What the trial platform accepted is not money here, whatever happened to it there.
        let trial_money = notified.mode.is_some_and(|mode| mode != self.mode);
        let state = state.filter(|_| !trial_money).unwrap_or(notified.state);
        let event = Event {
            state,
            status: StatusCode { code: status.to_owned(), reading },
            amount_from: AmountFrom::Before,
            authorisation: Authorisation::NotStated,
            occurred_at: None,
            ..notified.clone()
        };
        let standing = if state == ReportedState::Pending { Standing::Unsettled } else { Standing::Settled };
        let refund = (answer::is_refunded(status) && !trial_money).then(|| refund(&event));
        let events = [Some(event), refund.flatten()].into_iter().flatten().collect();
        Answer { standing, events, questions: Vec::new(), remark: None }
    }
}

impl Api for Consultation {
    fn next(&self, inquiry: &Inquiry<'_>, said: &[Exchange], now: Timestamp) -> Step {
        let subject = &inquiry.question.subject;
        let part = match inquiry.question.topic {
            Topic::Transaction => TenderKey::parse(subject),
            Topic::Session | Topic::Payment | Topic::Order | Topic::Window => None,
        };
        let Some(part) = part else {
            return Step::Answered(without_events("Up2pay is asked about the parts of payments only"));
        };
        match self.turn(&part, said, now) {
            Turn::Ask(request) => Step::Call(request),
            Turn::Read(PlatformAnswer::Status(status)) => {
                Step::Answered(self.answer(&part, inquiry.known, &status))
            }
            Turn::Read(PlatformAnswer::NotFound) => {
                Step::Answered(without_events("the platform knows no such transaction of this site and rang"))
            }
            Turn::Read(PlatformAnswer::OutOfOrder(what) | PlatformAnswer::Trouble(what)) => {
                Step::Failed(NoAnswer::Trouble(what))
            }
            Turn::Read(PlatformAnswer::Setting(what)) => Step::Failed(NoAnswer::Setting(what)),
        }
    }

    /// Asks about a transaction that cannot exist. If the platform answers "not found", then site, rang and key are
    /// right.
    fn probe(&self, said: &[Exchange], now: Timestamp) -> ProbeStep {
        match self.turn(&TenderKey::impossible(), said, now) {
            Turn::Ask(request) => ProbeStep::Call(request),
            Turn::Read(PlatformAnswer::Status(_) | PlatformAnswer::NotFound) => {
                ProbeStep::Good(Bilingual::new(
                    "la plateforme accepte le site, le rang et la clé",
                    "the platform takes site, rang and key",
                ))
            }
            Turn::Read(PlatformAnswer::OutOfOrder(what) | PlatformAnswer::Trouble(what)) => {
                ProbeStep::Bad(NoAnswer::Trouble(what))
            }
            Turn::Read(PlatformAnswer::Setting(what)) => ProbeStep::Bad(NoAnswer::Setting(what)),
        }
    }

    fn again(&self, event: &Event) -> Option<Question> {
        let subject = TenderKey::of(event)?.subject()?;
        Some(Question { topic: Topic::Transaction, subject, asking: Asking::Again })
    }
}

/// The refund that a status reports. The status does not say how much, so no amount is claimed, and a person is asked to
/// look it up in the back office.
fn refund(part: &Event) -> Option<Event> {
    let of = part.tender_id.clone()?;
    Some(Event {
        tender_id: TenderId::new(format!("{of}/{}/refund", part.brand)).ok(),
        operation: Operation::Credit { of: Some(of) },
        amount: Cents::ZERO,
        amount_from: AmountFrom::Before,
        complement: false,
        parts_announced: None,
        ..part.clone()
    })
}

fn without_events(remark: impl Into<String>) -> Answer {
    Answer {
        standing: Standing::Unknown,
        events: Vec::new(),
        questions: Vec::new(),
        remark: Some(remark.into()),
    }
}

/// `NUMQUESTION`: ten digits, no two alike on one day. The milliseconds of the day, and no zero.
fn question_number(now: Timestamp, earlier: u8) -> String {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    format!("{:010}", now.millis().rem_euclid(DAY).saturating_add(1).saturating_add(earlier.into()))
}

/// `DATEQ`, `DDMMYYYYHHMMSS` by the clock in Paris. Its seconds are those of any clock.
fn date(now: Timestamp) -> String {
    let to_the_minute: String = now.paris_text().chars().filter(char::is_ascii_digit).collect();
    format!("{to_the_minute}{:02}", now.millis().div_euclid(1000).rem_euclid(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_a_number_and_a_date() {
        let at = |text| Timestamp::parse(text).expect("valid");
        assert_eq!(question_number(at("2021-03-01T00:00:00Z"), 0), "0000000001");
        assert_eq!(question_number(at("2021-03-01T23:59:59.999Z"), 1), "0086400001");
        assert_eq!(date(at("2021-03-01T13:06:07.999Z")), "01032021140607");
        assert_eq!(date(at("2021-07-31T22:00:00Z")), "01082021000000");
    }
}
