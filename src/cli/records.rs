//! `records` and `record REF`: what was paid, and how it came about.

use std::path::Path;

use clap::Args;
use cvco_domain::{Cents, Psp, RecordState, Timestamp};
use cvco_ledger::{OrderStory, QuestionLine, Reader, RecordFilter, RecordRow, StoryLine};
use cvco_psp::{monext, sogecommerce, up2pay, worldline};
use serde_json::Value;

use super::output::Listing;
use super::{Failure, Format, Outcome, ReportFormat, open_reader, output};

#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Only records in this state: pending, balanced, unbalanced, unverified, failed, refunded, `part_refunded`.
    #[arg(long)]
    state: Option<RecordState>,
    /// Only this shop's.
    #[arg(long)]
    shop: Option<String>,
    /// No more than so many, the latest first.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// The form of the listing.
    #[arg(long, default_value = "table")]
    format: Format,
}

#[derive(Debug, Args)]
pub(super) struct StoryOptions {
    /// The order's reference, or a payment's call number.
    reference: String,
    /// The form of the report.
    #[arg(long, default_value = "table")]
    format: ReportFormat,
}

pub(super) fn list(path: &Path, options: &ListOptions) -> Result<Outcome, Failure> {
    let filter = RecordFilter {
        state: options.state,
        shop: options.shop.clone(),
        order_ref: None,
        limit: options.limit,
    };
    let records = open_reader(path)?.records(&filter)?;
    listing(&records).print(options.format, &records, "no records")?;
    Ok(Outcome::Fine)
}

/// Records as a table; shared with `demo`.
pub(super) fn listing(records: &[RecordRow]) -> Listing {
    let headers = [
        "shop",
        "psp",
        "order",
        "call number",
        "voucher",
        "card",
        "paid",
        "expected",
        "gap",
        "refunded",
        "state",
        "open",
    ];
    let mut listing = Listing::new(&headers, &[4, 5, 6, 7, 8, 9, 11]);
    let money = |cents: i64| Cents::new(cents).to_string();
    for record in records {
        listing.push(vec![
            record.shop.clone(),
            record.psp.clone(),
            record.order_ref.clone().unwrap_or_default(),
            record.call_number.clone(),
            money(record.voucher_cents),
            money(record.card_cents),
            money(record.paid_cents),
            record.expected_cents.map(money).unwrap_or_default(),
            record.gap_cents.map(money).unwrap_or_default(),
            money(record.refunded_cents),
            record.state.clone(),
            record.open_discrepancies.to_string(),
        ]);
    }
    listing
}

pub(super) fn tell(path: &Path, options: &StoryOptions) -> Result<Outcome, Failure> {
    let reader = open_reader(path)?;
    let stories = reader.stories(&options.reference)?;
    if options.format == ReportFormat::Json {
        output::json(&stories)?;
        return Ok(Outcome::Fine);
    }
    if stories.is_empty() {
        // A session or a transaction that no answer has tied to an order yet.
        let questions = reader.questions_about(&options.reference)?;
        if questions.is_empty() {
            return Err(Failure::Usage(format!("no order and no call number {}", options.reference)));
        }
        return questions.iter().try_for_each(tell_question).map(|()| Outcome::Fine);
    }
    for story in &stories {
        tell_story(&reader, story)?;
    }
    Ok(Outcome::Fine)
}

fn tell_story(reader: &Reader, story: &OrderStory) -> Result<(), Failure> {
    let reference = story.reference.as_deref().unwrap_or("(no order reference)");
    output::line(format!("{reference}  shop {}  {}", story.shop, story.state))?;
    if !story.records.is_empty() {
        output::line(listing(&story.records).table())?;
        output::line(tenders(story).table())?;
    }
    for id in &story.discrepancies {
        let Some(found) = reader.discrepancy(*id)? else { continue };
        let until =
            found.closed_at.map_or_else(|| "open".to_owned(), |at| format!("closed {}", at.paris_text()));
        let acked = found
            .acked
            .map(|(at, by, note)| format!("; seen by {by} {}: {note}", at.paris_text()))
            .unwrap_or_default();
        let snoozed =
            found.snoozed_until.map(|at| format!("; snoozed until {}", at.paris_text())).unwrap_or_default();
        output::line(format!(
            "! {} {}  since {}  {until}  {}{acked}{snoozed}",
            found.id,
            found.kind,
            found.opened_at.paris_text(),
            found.detail
        ))?;
    }
    for line in &story.log {
        tell_line(line)?;
    }
    for question in &story.questions {
        tell_question(question)?;
    }
    output::line("")
}

fn tell_question(question: &QuestionLine) -> Result<(), Failure> {
    let QuestionLine { endpoint, topic, subject, state, attempts, .. } = question;
    let since = in_paris(&question.asked_at);
    let tried = match (attempts, &question.next_attempt_at) {
        (0, _) | (_, None) => String::new(),
        (attempts, Some(next)) => format!("; asked {attempts} times, again from {}", in_paris(next)),
    };
    let error = question.last_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    output::line(format!("? API of {endpoint}, {topic} {subject}: {state} since {since}{tried}{error}"))
}

fn tenders(story: &OrderStory) -> Listing {
    let headers = [
        "transaction",
        "instrument",
        "brand",
        "amount",
        "refunded",
        "state",
        "authorisation",
        "authorised at",
    ];
    let mut listing = Listing::new(&headers, &[3, 4]);
    for tender in &story.tenders {
        listing.push(vec![
            tender.tender_id.clone().unwrap_or_default(),
            tender.instrument.clone(),
            tender.brand.clone(),
            Cents::new(tender.amount_cents).to_string(),
            Cents::new(tender.refunded_cents).to_string(),
            tender.state.clone(),
            tender.authorisation.clone().unwrap_or_default(),
            tender.authorised_at.as_deref().map(in_paris).unwrap_or_default(),
        ]);
    }
    listing
}

/// A time of the ledger (UTC) as a clock in Paris shows it.
fn in_paris(at: &str) -> String {
    Timestamp::parse(at).map_or_else(|_| at.to_owned(), Timestamp::paris_text)
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
fn act(line: &StoryLine) -> String {
    let id = line.discrepancy.map(|id| id.to_string()).unwrap_or_default();
    let said = |name: &str| line.content.get(name).and_then(Value::as_str);
    let until = || said("until").map(in_paris).unwrap_or_default();
    let done = match said("act") {
        Some("acknowledged") => "acknowledged".to_owned(),
        Some("noted") => "noted".to_owned(),
        Some("snoozed") => format!("snoozed until {}", until()),
        Some("withdrawn") => "no longer acknowledged or snoozed".to_owned(),
        Some(other) => other.to_owned(),
        None => String::new(),
    };
    let note = said("note").map(|note| format!(": {note}")).unwrap_or_default();
    format!("discrepancy {id} {done} by {}{note}", said("by").unwrap_or_default())
}

fn tell_line(line: &StoryLine) -> Result<(), Failure> {
    let at = in_paris(&line.at);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if line.kind == "order" {
        let total =
            line.content.get("total_cents").and_then(Value::as_i64).map(Cents::new).unwrap_or_default();
        return output::line(format!("{at}  #{}  order registered: {total}", line.seq));
    }
    if line.kind == "act" {
        return output::line(format!("{at}  #{}  {}", line.seq, act(line)));
    }
    let endpoint = line.endpoint.as_deref().unwrap_or_default();
    let verdict = line.verdict.as_deref().unwrap_or_default();
    let what = match (line.kind.as_str(), line.content.get("origin").and_then(Value::as_str)) {
        ("confirmation", _) => " (answer of its API)",
        (_, Some("mail")) => " (from a warning mail)",
        (_, Some("log")) => " (from a web server's log)",
        _ => "",
    };
    let psp = line.psp.as_deref().and_then(|psp| psp.parse().ok());
    output::line(format!("{at}  #{}  {endpoint}: {verdict}{what}", line.seq))?;
    for event in line.content.get("events").and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| event.get(name).and_then(text).unwrap_or_default();
        let amount = event.get("amount").and_then(Value::as_i64).map(Cents::new).unwrap_or_default();
        let code = event.get("status").and_then(|s| s.get("code")).and_then(text).unwrap_or_default();
        let meaning = psp
            .and_then(|psp| meaning(psp, &code))
            .map(|meaning| format!(" ({meaning})"))
            .unwrap_or_default();
        let (brand, state) = (field("brand"), field("state"));
        output::line(format!("      {brand} {amount} {state}: {code}{meaning}"))?;
    }
    match line.content.get("remark").and_then(text) {
        Some(remark) => output::line(format!("      {remark}")),
        None => Ok(()),
    }
}
