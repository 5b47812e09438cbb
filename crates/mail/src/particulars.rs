//! The particulars of a discrepancy in words of the mail's language, and the technical words that come with some of them.

use cvco_domain::{
    Currency, Detail, Difference, Instrument, LineId, LineSays, OddStatus, PartName, PaymentName, Record,
    Refusal, ReportedState, ShopCalls, Source, StatusOf, Timestamp, Topic, Verdict, VoucherKind,
};

use super::catalogue::Language::{self, English, French};
use super::lists;
use super::typography::{amount, day, one_line, paris};
use super::words;

/// The subject of a question.
pub(super) fn asked_about(language: Language, topic: Topic, subject: &str) -> String {
    Words { language }.subject(topic, subject)
}

/// What people read; `None` where the mail says it all elsewhere.
#[expect(clippy::too_many_lines, reason = "a table: one row per kind of particulars")]
pub(super) fn in_words(language: Language, detail: &Detail, records: &[Record]) -> Option<String> {
    let words = Words { language };
    let text = match detail {
        Detail::Nothing | Detail::Technical(_) => return None,
        // They stand one by one under the payments.
        Detail::Parts(parts) | Detail::Lapsed(parts) if lists_all(records, parts) => return None,
        Detail::Payments(_) if records.len() > 1 => return None,
        Detail::Parts(parts) | Detail::LeftOver(parts) | Detail::Lapsed(parts) => {
            words.list(parts, |part| words.part(part))
        }
        Detail::PartCaptured { parts, left } => {
            let left = amount(language, *left, Currency::EUR);
            let left =
                words.pair(&format!("encore autorisé\u{a0}: {left}"), &format!("still authorised: {left}"));
            if lists_all(records, parts) {
                left
            } else {
                words.about(&words.list(parts, |part| words.part(part)), &left)
            }
        }
        Detail::Payments(payments) => words.list(payments, |payment| words.payment(payment)),
        Detail::Endpoint(endpoint) => words.pair(
            &format!("adresse de notification {endpoint}"),
            &format!("notification address {endpoint}"),
        ),
        Detail::Currencies { found, expected } => {
            let is_all = found.iter().all(|currency| currency == expected);
            let found = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            if is_all {
                // Nobody registered the order in another one.
                words.pair(
                    &format!("payé en {found}, et non en euros"),
                    &format!("paid in {found}, not in euros"),
                )
            } else {
                words.pair(
                    &format!("payé en {found}, commande en {expected}"),
                    &format!("paid in {found}, order in {expected}"),
                )
            }
        }
        Detail::Authorisation { part, number } => {
            let number = match number {
                Some(number) => words.pair(
                    &format!("numéro d’autorisation {number}"),
                    &format!("authorisation number {number}"),
                ),
                None => words.pair("sans numéro d’autorisation", "without an authorisation number"),
            };
            words.about(&words.part(part), &number)
        }
        Detail::Contract(contract) => {
            words.pair(&format!("contrat {contract}"), &format!("contract {contract}"))
        }
        Detail::Status { part, of, statuses } => {
            let part = match of {
                StatusOf::Payment => words.part(part),
                StatusOf::Refund => words.pair(
                    &format!("remboursement de\u{a0}: {}", words.part(part)),
                    &format!("refund of: {}", words.part(part)),
                ),
            };
            words.about(&part, &words.list(statuses, |status| words.status(status, *of)))
        }
        Detail::Dispute { part, differences, .. } if differences.is_empty() => words.part(part),
        Detail::Dispute { part, differences, .. } => words
            .about(&words.part(part), &words.list(differences, |difference| words.difference(difference))),
        Detail::Unknown(subjects) => {
            let subjects = subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            words.pair(
                &format!("inconnu du prestataire\u{a0}: {subjects}"),
                &format!("unknown to the provider: {subjects}"),
            )
        }
        Detail::ChangedAt(at) => {
            let at = words.at(*at);
            words.pair(&format!("total modifié le {at}"), &format!("total changed {at}"))
        }
        Detail::Order(order) => {
            words.pair(&format!("l’autre commande\u{a0}: {order}"), &format!("the other order: {order}"))
        }
        Detail::Late { part, paid_at, refunded_at } => {
            let (paid, refunded) = (words.at(*paid_at), words.at(*refunded_at));
            let when = words.pair(
                &format!("payé le {paid}, remboursé le {refunded}"),
                &format!("paid {paid}, refunded {refunded}"),
            );
            words.about(&words.part(part), &when)
        }
        Detail::Lines(lines) => words.list(lines, |line| words.line(line)),
        Detail::Statement { issuer, number } => {
            let issuer = lists::issuer(language, *issuer);
            words.pair(&format!("relevé {number} ({issuer})"), &format!("statement {number} ({issuer})"))
        }
        Detail::Line { line, says, perhaps } => {
            let line = words.about(&words.line(line), &words.said(says));
            if perhaps.is_empty() { line } else { words.with_proposals(&line, &perhaps.join(", ")) }
        }
        Detail::Awaited { count, topic, subject } => words.awaited(*count, *topic, subject.as_str()),
        Detail::Clock { from, to } => {
            let (from, to) = (words.at(*from), words.at(*to));
            words.pair(
                &format!("l’horloge indiquait {from}\u{a0}; il était {to}"),
                &format!("the clock showed {from}; it was {to}"),
            )
        }
        Detail::LastCall(at) => {
            let at = words.at(*at);
            words.pair(&format!("dernière notification le {at}"), &format!("last notification {at}"))
        }
        Detail::Refused { calls: 1, .. } => words.pair("1 appel refusé", "1 call refused"),
        Detail::Refused { calls, .. } => words
            .pair(&format!("au moins {calls} appels refusés"), &format!("at least {calls} calls refused")),
        Detail::RefusedFor { refusal, calls, signed, caller, .. } => {
            words.refused(*refusal, *calls, *signed, caller.as_deref())
        }
        Detail::NotTaken(calls) => words.not_taken(calls),
        Detail::RefusedByShop(calls) => words.refused_by_shop(calls),
        Detail::Entry { seq, others, .. } => {
            let entry = words.pair(&format!("entrée n°\u{a0}{seq} du journal"), &format!("log entry {seq}"));
            match others {
                0 => entry,
                1 => words.pair(&format!("{entry}, et une autre"), &format!("{entry} and another")),
                more => {
                    words.pair(&format!("{entry}, et {more} autres"), &format!("{entry} and {more} others"))
                }
            }
        }
    };
    Some(one_line(&text))
}

/// What helps whoever administers the program, in the words of whoever noticed it; `None` where the particulars say it all.
pub(super) fn technical(language: Language, detail: &Detail, last_error: Option<&str>) -> Option<String> {
    let noted = if let Detail::Refused { diagnosis: what, .. }
    | Detail::RefusedFor {
        refusal: Refusal::Form | Refusal::Method | Refusal::Http,
        why: what,
        ..
    }
    | Detail::NotTaken(ShopCalls { why: what, .. })
    | Detail::RefusedByShop(ShopCalls { why: what, .. })
    | Detail::Technical(what)
    | Detail::Entry { reason: what, .. } = detail
    {
        Some(language.of_noted(what))
    } else {
        None
    };
    let text = last_error.or(noted)?;
    Some(one_line(text.trim())).filter(|text| !text.is_empty())
}

fn lists_all(records: &[Record], parts: &[PartName]) -> bool {
    let tenders = || records.iter().flat_map(|record| &record.tenders);
    let named = |part: &&PartName| tenders().any(|tender| tender.id == part.transaction);
    parts.iter().filter(named).count() == parts.len() && parts.len() == tenders().count()
}

struct Words {
    language: Language,
}

impl Words {
    fn pair(&self, french: &str, english: &str) -> String {
        match self.language {
            French => french.to_owned(),
            English => english.to_owned(),
        }
    }

    fn list<T>(&self, items: &[T], words: impl Fn(&T) -> String) -> String {
        items.iter().map(words).collect::<Vec<_>>().join(&self.pair("\u{a0}; ", "; "))
    }

    /// What is said of something.
    fn about(&self, subject: &str, said: &str) -> String {
        self.pair(&format!("{subject}\u{a0}: {said}"), &format!("{subject}: {said}"))
    }

    fn at(&self, at: Timestamp) -> String {
        paris(self.language, at)
    }

    fn part(&self, part: &PartName) -> String {
        let instrument = match part.instrument {
            Instrument::Voucher => words::voucher(self.language, VoucherKind::of(&part.brand)).to_lowercase(),
            Instrument::Card => self.pair("carte", "card"),
        };
        let text = match &part.transaction {
            Some(transaction) => format!("{instrument} ({}), transaction {transaction}", part.brand),
            None => format!("{instrument} ({})", part.brand),
        };
        match &part.elsewhere {
            Some(payment) => format!("{text}, {}", self.payment(payment)),
            None => text,
        }
    }

    fn payment(&self, payment: &PaymentName) -> String {
        let PaymentName { psp, call_number } = payment;
        let name = words::call_number(self.language, Some(*psp)).to_lowercase();
        format!("{}, {name} {call_number}", psp.title())
    }

    fn status(&self, status: &OddStatus, of: StatusOf) -> String {
        let OddStatus { code, state } = status;
        let code = self.pair(
            &format!("statut «\u{a0}{code}\u{a0}» chez le prestataire"),
            &format!("the provider’s status “{code}”"),
        );
        let state = match (of, state) {
            // What was accepted stays so: the status tells what came later.
            (StatusOf::Payment, ReportedState::Authorised | ReportedState::Captured) => return code,
            (StatusOf::Refund, ReportedState::Authorised | ReportedState::Captured) => {
                self.pair("effectué", "made")
            }
            (StatusOf::Payment | StatusOf::Refund, state) => {
                words::reported_state(self.language, *state).to_owned()
            }
        };
        format!("{state} ({code})")
    }

    fn difference(&self, difference: &Difference) -> String {
        match difference {
            Difference::Currency(notified, answered) => self.pair(
                &format!("en {notified} selon la notification, en {answered} selon le prestataire interrogé"),
                &format!("in {notified} by the notification, in {answered} by the provider when asked"),
            ),
            Difference::Outcome { accepted_by, failed_by } => {
                let mut sides = [
                    (accepted_by, self.pair("accepté", "accepted")),
                    (failed_by, self.pair("refusé ou annulé", "refused or cancelled")),
                ];
                let is_answer = |verdict: &Verdict| verdict.source == Source::Confirmation;
                if accepted_by.iter().all(is_answer) {
                    sides.reverse();
                }
                let side = |(verdicts, outcome): &(&Vec<Verdict>, String)| {
                    let by = if verdicts.iter().all(is_answer) {
                        self.pair("le prestataire interrogé", "the provider when asked")
                    } else {
                        self.pair("une notification", "a notification")
                    };
                    let codes: Vec<&str> = verdicts.iter().map(|verdict| verdict.code.as_str()).collect();
                    let codes = codes.join(", ");
                    self.pair(
                        &format!("{outcome} selon {by} (statut «\u{a0}{codes}\u{a0}»)"),
                        &format!("{outcome} by {by} (status “{codes}”)"),
                    )
                };
                sides.iter().map(side).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn line(&self, line: &LineId) -> String {
        let LineId { issuer, statement, position } = line;
        let issuer = lists::issuer(self.language, *issuer);
        self.pair(
            &format!(
                "{position}{} ligne du relevé {statement} ({issuer})",
                if *position == 1 { "re" } else { "e" }
            ),
            &format!("{} line of statement {statement} ({issuer})", ordinal(*position)),
        )
    }

    fn said(&self, says: &LineSays) -> String {
        let LineSays { reference, transaction, authorisation, dated } = says;
        let said = [
            reference.as_ref().map(|it| self.pair(&format!("référence {it}"), &format!("reference {it}"))),
            transaction.as_ref().map(|it| format!("transaction {it}")),
            authorisation
                .as_ref()
                .map(|it| self.pair(&format!("autorisation {it}"), &format!("authorisation {it}"))),
            dated.map(|dated| {
                let dated = day(self.language, dated);
                self.pair(&format!("du {dated}"), &format!("of {dated}"))
            }),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn with_proposals(&self, line: &str, perhaps: &str) -> String {
        self.pair(
            &format!("{line}\u{a0}; commandes possibles\u{a0}: {perhaps}"),
            &format!("{line}; orders that could be meant: {perhaps}"),
        )
    }

    /// The subject of a question: of a time span `from/to`, in Paris, and the contract after it.
    fn subject(&self, topic: Topic, subject: &str) -> String {
        let mut parts = subject.splitn(3, '/');
        // A minute stands for its first second.
        let mut instant = || Timestamp::parse(&format!("{}:00Z", parts.next()?)).ok();
        let (Topic::Window, Some(from), Some(to)) = (topic, instant(), instant()) else {
            return format!("{} {subject}", self.topic(topic));
        };
        let (from, to) = (self.at(from), self.at(to));
        let span =
            self.pair(&format!("paiements du {from} au {to}"), &format!("payments from {from} to {to}"));
        match parts.next().filter(|contract| !contract.is_empty()) {
            Some(contract) => {
                self.pair(&format!("{span}, contrat {contract}"), &format!("{span}, contract {contract}"))
            }
            None => span,
        }
    }

    fn awaited(&self, count: u32, topic: Topic, subject: &str) -> String {
        let subject = self.subject(topic, subject);
        match count {
            1 => self.pair(
                &format!("1 question en attente\u{a0}: {subject}"),
                &format!("1 question waiting: {subject}"),
            ),
            _ => self.pair(
                &format!("{count} questions en attente, dont la première\u{a0}: {subject}"),
                &format!("{count} questions waiting, the first: {subject}"),
            ),
        }
    }

    /// Calls that were refused for another reason than their signature. `signed`: the PSP had signed the last of them.
    fn refused(&self, refusal: Refusal, calls: u32, signed: bool, caller: Option<&str>) -> String {
        let (their, its) = if calls == 1 { (["son", "sa"], "its") } else { (["leur", "leur"], "their") };
        let [son, sa] = their;
        let why = match refusal {
            Refusal::Signature => self.pair(&format!("{sa} signature"), &format!("{its} signature")),
            Refusal::Account => self.pair(&format!("{son} compte"), &format!("{its} account")),
            Refusal::Form => self.pair(&format!("{sa} forme"), &format!("{its} form")),
            Refusal::Method => self.pair(&format!("{sa} méthode HTTP"), &format!("{its} HTTP method")),
            Refusal::Size => self
                .pair(&format!("{sa} taille (plus de 512\u{a0}Kio)"), &format!("{its} size (over 512 KiB)")),
            Refusal::Incomplete => self.pair(
                &format!("{son} contenu, coupé ou arrivé trop tard"),
                &format!("{its} content, which was cut or came too late"),
            ),
            Refusal::Address => self.pair(
                &format!("{son} adresse d’origine, qui n’est pas dans allow_from"),
                &format!("{its} address of origin, which is not in allow_from"),
            ),
            Refusal::Http => {
                self.pair(&format!("{sa} requête HTTP, illisible"), &format!("{its} unreadable HTTP"))
            }
            Refusal::Flood => self.pair("leur trop grand nombre", "their great number"),
            Refusal::Loop => self.pair(
                &format!("{sa} provenance\u{a0}: notre propre relais, dont l’url mène ici"),
                &format!("{its} sender: our own relay, whose url leads here"),
            ),
        };
        let (genuine, genuine_calls) = if signed {
            (self.pair(" authentique", "genuine "), self.pair(" authentiques", "genuine "))
        } else {
            (String::new(), String::new())
        };
        let counted = match calls {
            1 => self.pair(
                &format!("1 appel{genuine} refusé pour {why}"),
                &format!("1 {genuine}call refused for {why}"),
            ),
            _ => self.pair(
                &format!("au moins {calls} appels{genuine_calls} refusés en un jour pour {why}"),
                &format!("at least {calls} {genuine_calls}calls refused in a day for {why}"),
            ),
        };
        match (caller, calls) {
            (Some(caller), 1) => {
                self.pair(&format!("{counted}, venu de {caller}"), &format!("{counted}, from {caller}"))
            }
            (Some(caller), _) => self.pair(
                &format!("{counted}, le dernier venu de {caller}"),
                &format!("{counted}, the last one from {caller}"),
            ),
            (None, _) => counted,
        }
    }

    fn not_taken(&self, calls: &ShopCalls) -> String {
        let since = self.at(calls.since);
        let waiting = match calls.calls {
            1 => self
                .pair(&format!("1 appel attend depuis le {since}"), &format!("1 call waits since {since}")),
            n => self.pair(
                &format!("{n} appels attendent, le premier depuis le {since}"),
                &format!("{n} calls wait, the first since {since}"),
            ),
        };
        let parked = match calls.parked {
            0 => String::new(),
            1 => self.pair(", dont 1 qui n’est plus tenté", ", 1 of them no longer tried"),
            n => self.pair(
                &format!(", dont {n} qui ne sont plus tentés"),
                &format!(", {n} of them no longer tried"),
            ),
        };
        self.at_handler(calls, &format!("{waiting}{parked}"))
    }

    fn refused_by_shop(&self, calls: &ShopCalls) -> String {
        let since = self.at(calls.since);
        let refused = match calls.calls {
            1 => self.pair(&format!("1 appel refusé le {since}"), &format!("1 call refused {since}")),
            n => self.pair(
                &format!("{n} appels refusés, le premier le {since}"),
                &format!("{n} calls refused, the first {since}"),
            ),
        };
        self.at_handler(calls, &refused)
    }

    /// What is said of calls to a handler, with the handler in front and the orders after it.
    fn at_handler(&self, calls: &ShopCalls, said: &str) -> String {
        let handler = match &calls.address {
            Some(address) => address.to_string(),
            None => self
                .pair("une adresse retirée de la configuration", "an address that is no longer configured"),
        };
        let orders = calls.orders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let said = self.about(&handler, said);
        match calls.orders.len() {
            0 => said,
            1 => self.pair(&format!("{said}\u{a0}; commande {orders}"), &format!("{said}; order {orders}")),
            _ => self.pair(&format!("{said}\u{a0}; commandes {orders}"), &format!("{said}; orders {orders}")),
        }
    }

    fn topic(&self, topic: Topic) -> String {
        match topic {
            Topic::Session => "session".to_owned(),
            Topic::Transaction => "transaction".to_owned(),
            Topic::Payment => self.pair("paiement", "payment"),
            Topic::Order => self.pair("commande", "order"),
            Topic::Window => self.pair("période", "time span"),
        }
    }
}

/// Of a line among those of its statement; in its file, which has headings and perhaps other statements, it stands elsewhere.
fn ordinal(position: u32) -> String {
    let ending = match (position % 10, position % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{position}{ending}")
}

#[cfg(test)]
mod tests;
