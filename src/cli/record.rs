//! `record REF`: what was paid of an order, and how it came about.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cvco_domain::{AmountFrom, Brand, Cents, Currency, Event, Operation, Psp, ShopId, Timestamp};
use cvco_ledger::{DiscrepancyRow, OrderStory, PaidOut, QuestionLine, Reader, RecordRow, StoryLine};
use cvco_mail::{Language, lists};
use cvco_psp::{monext, sogecommerce, up2pay, worldline};
use serde::Deserialize;
use serde_json::Value;

use super::output::{Heading, Listing};
use super::records::{listing, payments_are_called};
use super::site::{self, Place, Site};
use super::{Failure, Outcome, order_file};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The order's reference, or a payment's call number.
    reference: String,
    /// Only this shop's.
    #[arg(long, value_name = "ID")]
    shop: Option<ShopId>,
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: StoryFormat,
    /// Where the HTML goes: a file, or a folder for it (`dossier/`), which is made if it is missing; without it, standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of an order's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoryFormat {
    /// For people, in lines.
    Table,
    /// For programs.
    Json,
    /// For the accountant's records: the page of the dashboard, as one file that needs nothing beside it.
    Html,
}

impl Options {
    /// Where its file goes.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        (self.format == StoryFormat::Html).then(|| Place::of(self.output.as_deref()))
    }
}

pub(super) fn tell(site: &mut dyn Site, options: &Options) -> Result<Outcome, Failure> {
    if let Some(place) = options.place() {
        return order_file::write(site, &options.reference, options.shop.as_ref(), place);
    }
    if options.output.is_some() {
        return Err(Failure::Usage("-o is for --format html alone".to_owned()));
    }
    let reader = Reader::open(&site.ledger()?.path)?;
    let mut stories = reader.stories(&options.reference)?;
    stories.retain(|story| options.shop.as_ref().is_none_or(|shop| story.shop == shop.as_str()));
    if options.format == StoryFormat::Json {
        site::json(site, &stories)?;
        return Ok(Outcome::Fine);
    }
    let language = site.language()?;
    if stories.is_empty() {
        // A session or a transaction that no answer has tied to an order yet.
        let questions = reader.questions_about(&options.reference)?;
        if questions.is_empty() {
            return Err(unknown(language, &options.reference));
        }
        return questions
            .iter()
            .try_for_each(|asked| tell_question(site, language, asked))
            .map(|()| Outcome::Fine);
    }
    for story in &stories {
        Story { language, reader: &reader, order: story }.tell(site)?;
    }
    Ok(Outcome::Fine)
}

/// Nothing has this number.
pub(super) fn unknown(language: Language, number: &str) -> Failure {
    Failure::Explained(match language {
        Language::French => format!("aucune commande et aucun paiement ne porte le numéro {number}"),
        Language::English => format!("no order and no payment has the number {number}"),
    })
}

/// An order's story, told to a person.
struct Story<'s> {
    language: Language,
    reader: &'s Reader,
    order: &'s OrderStory,
}

const TENDER: [Heading; 10] = [
    Heading { fr: "paiement", en: "payment" },
    Heading { fr: "transaction", en: "transaction" },
    Heading { fr: "part", en: "part" },
    Heading { fr: "marque", en: "brand" },
    Heading { fr: "montant", en: "amount" },
    Heading { fr: "remboursé", en: "refunded" },
    Heading { fr: "devise", en: "currency" },
    Heading { fr: "état", en: "state" },
    Heading { fr: "autorisation", en: "authorisation" },
    Heading { fr: "accepté le", en: "accepted at" },
];

impl Story<'_> {
    fn tell(&self, site: &mut dyn Site) -> Result<(), Failure> {
        let Self { language, reader, order: story } = *self;
        let back = story.records.iter().filter(|record| record.refunded_cents > 0);
        let state = lists::order_state(language, &story.state, back.map(RecordRow::is_charged_back));
        let shop = &story.shop;
        site.line(&match (language, &story.reference) {
            (Language::French, Some(order)) => format!("Commande {order}, boutique {shop}\u{a0}: {state}"),
            (Language::French, None) => format!("Sans référence de commande, boutique {shop}\u{a0}: {state}"),
            (Language::English, Some(order)) => format!("Order {order}, shop {shop}: {state}"),
            (Language::English, None) => format!("No order reference, shop {shop}: {state}"),
        })?;
        if !story.records.is_empty() {
            site.line(&listing(language, &story.records).table())?;
            site.line(&self.tenders().table())?;
        }
        for id in &story.discrepancies {
            if let Some(found) = reader.discrepancy(*id)? {
                site.line(&format!("! {}", self.discrepancy(&found)))?;
            }
        }
        story.log.iter().try_for_each(|line| self.tell_line(site, line))?;
        story.payouts.iter().try_for_each(|line| site.line(&payout(language, line)))?;
        story.questions.iter().try_for_each(|question| tell_question(site, language, question))?;
        site.line(&"")
    }

    fn tenders(&self) -> Listing {
        let Self { language, order: story, .. } = *self;
        let mut listing = Listing::of(language, &TENDER, &[4, 5]);
        listing.rename(0, payments_are_called(language, story.tenders.iter().map(|t| t.psp.as_str())));
        for tender in &story.tenders {
            let brand = Brand::new(tender.brand.as_str()).ok();
            listing.push(vec![
                tender.call_number.clone(),
                tender.tender_id.clone().unwrap_or_default(),
                tender.instrument.parse().map_or_else(
                    |_| tender.instrument.clone(),
                    |instrument| lists::instrument(language, instrument, brand.as_ref()).to_owned(),
                ),
                tender.brand.clone(),
                lists::figure(language, Cents::new(tender.amount_cents)),
                lists::figure(language, Cents::new(tender.refunded_cents)),
                tender.currency.clone(),
                tender.state.parse().map_or_else(
                    |_| tender.state.clone(),
                    |state| lists::tender_state(language, state, tender.is_charged_back()).to_owned(),
                ),
                tender.authorisation.clone().unwrap_or_default(),
                tender.authorised_at.as_deref().map(|at| in_paris(language, at)).unwrap_or_default(),
            ]);
        }
        listing
    }

    fn discrepancy(&self, found: &DiscrepancyRow) -> String {
        let language = self.language;
        let at = |at| lists::paris(language, at);
        let kind = lists::kind(language, found.kind, &found.detail);
        let (id, since) = (found.id, at(found.opened_at));
        let mut said = match (language, found.closed_at) {
            (Language::French, None) => format!("Écart n°\u{a0}{id}, ouvert depuis le {since}\u{a0}: {kind}"),
            (Language::French, Some(closed)) => {
                format!("Écart n°\u{a0}{id}, du {since} au {}\u{a0}: {kind}", at(closed))
            }
            (Language::English, None) => format!("Discrepancy {id}, open since {since}: {kind}"),
            (Language::English, Some(closed)) => {
                format!("Discrepancy {id}, {since} to {}: {kind}", at(closed))
            }
        };
        if let Some(detail) = lists::detail(language, &found.detail) {
            said = format!("{said} ({detail})");
        }
        if let Some((when, by, note)) = &found.acked {
            said = match language {
                Language::French => format!("{said}\u{a0}; traité par {by} le {}\u{a0}: {note}", at(*when)),
                Language::English => format!("{said}; handled by {by} {}: {note}", at(*when)),
            };
        }
        match (language, found.snoozed_until) {
            (_, None) => said,
            (Language::French, Some(until)) => format!("{said}\u{a0}; en veille jusqu’au {}", at(until)),
            (Language::English, Some(until)) => format!("{said}; snoozed until {}", at(until)),
        }
    }

    fn tell_line(&self, site: &mut dyn Site, line: &StoryLine) -> Result<(), Failure> {
        let language = self.language;
        let (at, seq) = (in_paris(language, &line.at), line.seq);
        if line.kind == "order" {
            return site.line(&format!("{at}  #{seq}  {}", registration(language, &line.content)));
        }
        if line.kind == "act" {
            return site.line(&format!("{at}  #{seq}  {}", act(language, line)));
        }
        let endpoint = line.endpoint.as_deref().unwrap_or_default();
        site.line(&format!("{at}  #{seq}  {endpoint}{}", message(language, line)))?;
        let psp = line.psp.as_deref().and_then(|psp| psp.parse().ok());
        let events = line.content.get("events").and_then(Value::as_array).into_iter().flatten();
        for event in events {
            let event = Event::deserialize(event).map_err(anyhow::Error::from)?;
            site.line(&format!("      {}", operation(language, psp, &event)))?;
        }
        match line.content.get("remark").and_then(Value::as_str) {
            Some(remark) => site.line(&format!("      {remark}")),
            None => Ok(()),
        }
    }
}

/// What the shop registered.
fn registration(language: Language, content: &Value) -> String {
    let currency =
        content.get("currency").and_then(Value::as_str).and_then(|code| Currency::parse(code).ok());
    let demand = |amount: Option<&Value>, due: Option<&Value>| {
        let cents = amount.and_then(Value::as_i64).map(Cents::new).unwrap_or_default();
        let amount = lists::amount(language, cents, currency.unwrap_or(Currency::EUR));
        match (language, due.and_then(Value::as_str).map(|due| in_paris(language, due))) {
            (_, None) => amount,
            (Language::French, Some(due)) => format!("{amount} à payer avant le {due}"),
            (Language::English, Some(due)) => format!("{amount} due {due}"),
        }
    };
    let total = demand(content.get("total_cents"), content.get("due"));
    let instalments = content.get("instalments").and_then(Value::as_array).into_iter().flatten();
    let plan: Vec<_> = instalments.map(|part| demand(part.get("cents"), part.get("due"))).collect();
    let plan = if plan.is_empty() { String::new() } else { format!(" ({})", plan.join(" + ")) };
    match language {
        Language::French => format!("commande enregistrée\u{a0}: {total}{plan}"),
        Language::English => format!("order registered: {total}{plan}"),
    }
}

/// What a notification or an answer amounted to, and how it came, after the name of its endpoint.
fn message(language: Language, line: &StoryLine) -> String {
    let came = match (line.kind.as_str(), line.content.get("origin").and_then(Value::as_str)) {
        ("confirmation", _) => {
            Some(Heading { fr: "réponse du prestataire interrogé", en: "answer of its API" })
        }
        (_, Some("mail")) => {
            Some(Heading { fr: "tirée d’un courriel d’avertissement", en: "from a warning mail" })
        }
        (_, Some("log")) => {
            Some(Heading { fr: "tirée du journal d’un serveur web", en: "from a web server's log" })
        }
        _ => None,
    };
    let verdict = match line.verdict.as_deref() {
        Some("genuine") => Some(Heading { fr: "notification authentique", en: "genuine notification" }),
        Some("duplicate") => Some(Heading { fr: "répétition", en: "repetition" }),
        Some("ignored") => Some(Heading { fr: "notification sans objet", en: "notification of no concern" }),
        Some("hint") => Some(Heading { fr: "appel sans preuve", en: "call without proof" }),
        Some("unread") => {
            Some(Heading { fr: "notification non comprise", en: "notification not understood" })
        }
        _ => None,
    };
    let said = |heading: &Heading| heading.in_language(language);
    let said: Vec<&str> = verdict.iter().chain(&came).map(said).collect();
    match language {
        Language::French => format!("\u{a0}: {}", said.join(", ")),
        Language::English => format!(": {}", said.join(", ")),
    }
}

/// What was done with money, by the PSP's word.
fn operation(language: Language, psp: Option<Psp>, event: &Event) -> String {
    let Event { brand, amount, amount_from, currency, operation, state, status, .. } = event;
    let goes_back = *operation != Operation::Debit;
    let amount = match (goes_back, amount_from, language) {
        (true, AmountFrom::Before, Language::French) => "montant non indiqué".to_owned(),
        (true, AmountFrom::Before, Language::English) => "amount not stated".to_owned(),
        (true, _, _) => lists::amount(language, Cents::ZERO.minus(*amount), *currency),
        (false, _, _) => lists::amount(language, *amount, *currency),
    };
    let code = &status.code;
    // The tables are in English, and of payments alone; in French the outcome says it.
    let tells = language == Language::English && *operation == Operation::Debit;
    let meaning = psp.filter(|_| tells).and_then(|psp| meaning(psp, code));
    let meaning = meaning.map(|meaning| format!(" ({meaning})")).unwrap_or_default();
    let outcome = lists::outcome(language, operation, *state);
    let done = lists::operation(language, operation);
    let brand = lists::brand(language, brand);
    match language {
        Language::French => {
            format!("{done} {brand}\u{a0}: {amount}, {outcome}\u{a0}; statut {code}{meaning}")
        }
        Language::English => format!("{done} {brand}: {amount}, {outcome}; status {code}{meaning}"),
    }
}

/// What an issuer paid out, or took back, by a line of its statement.
fn payout(language: Language, line: &PaidOut) -> String {
    let PaidOut { statement, line: position, .. } = line;
    let day = lists::day(language, line.paid_on);
    let issuer = lists::issuer(language, line.issuer);
    let amount = lists::amount(language, line.amount, Currency::EUR);
    let kept = match line.commission {
        Cents::ZERO => String::new(),
        commission => {
            let commission = lists::amount(language, commission, Currency::EUR);
            format!(", commission {commission}")
        }
    };
    match language {
        Language::French => {
            format!("{day}  relevé {statement} ({issuer}), ligne {position}\u{a0}: {amount} versés{kept}")
        }
        Language::English => {
            format!("{day}  statement {statement} ({issuer}), line {position}: {amount} paid out{kept}")
        }
    }
}

fn tell_question(site: &mut dyn Site, language: Language, question: &QuestionLine) -> Result<(), Failure> {
    let QuestionLine { endpoint, topic, subject, state, attempts, .. } = question;
    let since = in_paris(language, &question.asked_at);
    let named = match (language, topic.as_str()) {
        (Language::French, "payment") => "paiement",
        (Language::French, "order") => "commande",
        (Language::French, "window") => "période",
        (_, topic) => topic,
    };
    let state = match (language, state.as_str()) {
        (Language::French, "open") => "sans réponse",
        (Language::French, "settled") => "répondu",
        (Language::French, "unsettled") => "pas encore décidé",
        (Language::French, "unknown") => "inconnu du prestataire",
        (Language::French, "given_up") => "abandonné",
        (Language::French, "withdrawn") => "retiré",
        (_, state) => state,
    };
    let tried = match (language, attempts, &question.next_attempt_at) {
        (_, 0, _) | (_, _, None) => String::new(),
        (Language::French, attempts, Some(next)) => {
            format!("\u{a0}; demandé {attempts} fois, de nouveau le {}", in_paris(language, next))
        }
        (Language::English, attempts, Some(next)) => {
            format!("; asked {attempts} times, again from {}", in_paris(language, next))
        }
    };
    let error = question.last_error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
    site.line(&match language {
        Language::French => {
            format!(
                "? Question au prestataire ({endpoint}), {named} {subject}\u{a0}: {state} depuis le {since}{tried}{error}"
            )
        }
        Language::English => {
            format!("? API of {endpoint}, {named} {subject}: {state} since {since}{tried}{error}")
        }
    })
}

/// A time of the ledger (UTC) as a clock in Paris shows it.
fn in_paris(language: Language, at: &str) -> String {
    Timestamp::parse(at).map_or_else(|_| at.to_owned(), |at| lists::paris(language, at))
}

/// What a PSP's status means, where its tables say so.
fn meaning(psp: Psp, code: &str) -> Option<String> {
    match psp {
        Psp::Up2pay => up2pay::codes::meaning(code).map(str::to_owned),
        Psp::Sogecommerce => sogecommerce::codes::meaning(code),
        Psp::Monext => monext::codes::meaning(code),
        Psp::Worldline => worldline::codes::meaning(code).map(str::to_owned),
        Psp::Ancv => None,
    }
}

/// What a person did about a discrepancy, in a line.
fn act(language: Language, line: &StoryLine) -> String {
    let id = line.discrepancy.map(|id| id.to_string()).unwrap_or_default();
    let said = |name: &str| line.content.get(name).and_then(Value::as_str);
    let until = || said("until").map(|at| in_paris(language, at)).unwrap_or_default();
    let done = match (language, said("act")) {
        (Language::French, Some("acknowledged")) => "marqué comme traité".to_owned(),
        (Language::French, Some("noted")) => "annoté".to_owned(),
        (Language::French, Some("snoozed")) => format!("mis en veille jusqu’au {}", until()),
        (Language::French, Some("withdrawn")) => "remis dans la liste à traiter".to_owned(),
        (Language::English, Some("snoozed")) => format!("snoozed until {}", until()),
        (Language::English, Some("withdrawn")) => "no longer acknowledged or snoozed".to_owned(),
        (_, Some(other)) => other.to_owned(),
        (_, None) => String::new(),
    };
    let by = said("by").unwrap_or_default();
    let note = said("note");
    match language {
        Language::French => {
            let note = note.map(|note| format!("\u{a0}: {note}")).unwrap_or_default();
            format!("écart n°\u{a0}{id} {done} par {by}{note}")
        }
        Language::English => {
            let note = note.map(|note| format!(": {note}")).unwrap_or_default();
            format!("discrepancy {id} {done} by {by}{note}")
        }
    }
}
