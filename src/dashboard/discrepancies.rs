//! The list of what does not match, one of it, and what a person does about it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use cvco_domain::{DiscrepancyId, News, ShopId};
use cvco_ledger::{DiscrepancyRow, LedgerError, Reader, WORKED, Whether, WorkFilter, WorkPlace};
use cvco_log::entry::Deed;
use cvco_pages::discrepancies::{AcknowledgeMany, Case, Discrepancies, DiscrepancyPage, work_address};
use cvco_pages::{Notice, Role, Say, Section, Tone, address};

use super::files::Part;
use super::form::Fields;
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};
use crate::alert::desk::item;

/// So many are on a page.
const ON_A_PAGE: u32 = 30;

/// So many are named before all are acknowledged.
const NAMED: u32 = 12;

/// So many are acted on by one command; each is an entry of one group in the log, for which notifications wait.
const IN_ONE_COMMAND: usize = 500;

/// So many are read at a time for a file.
const AT_A_TIME: u32 = 200;

fn chosen(query: &Fields) -> Result<WorkFilter, Refusal> {
    let whether = query.get("whether");
    Ok(WorkFilter {
        whether: Whether::ALL.into_iter().find(|known| known.as_str() == whether).unwrap_or_default(),
        severity: query.parse("severity")?,
        kind: query.parse("kind")?,
        shop: match query.get("shop") {
            "" => None,
            text => Some(ShopId::new(text).map_err(|_| Refusal::NotFound)?),
        },
        unacked: query.get("unacked") == "1",
        through: query.parse("through")?,
    })
}

fn rows(reader: &Reader, places: &[WorkPlace]) -> Result<Vec<DiscrepancyRow>, LedgerError> {
    places.iter().filter_map(|place| reader.discrepancy(place.id()).transpose()).collect()
}

impl Dashboard {
    fn cases(&self, rows: Vec<DiscrepancyRow>) -> Vec<Case> {
        let settings = self.admin.settings.borrow();
        let case = |row: DiscrepancyRow| {
            let news = if row.closed_at.is_some() { News::Closed } else { News::Opened };
            Case { item: item(&settings.desk.trial_endpoints, news, row.clone()), row }
        };
        rows.into_iter().map(case).collect()
    }
}

/// What an address says of what was just done.
pub(super) fn notice(t: Say, query: &Fields) -> Option<Notice> {
    let number = query.get("n").parse::<i64>().unwrap_or(1);
    let text = match query.get("done") {
        "ack" if number == 1 => t.say("L'écart est pris en charge.", "The discrepancy is acknowledged."),
        "ack" => t.say(
            &format!("{} écarts sont pris en charge.", t.number(number)),
            &format!("{} discrepancies are acknowledged.", t.number(number)),
        ),
        "note" => t.say("La note est ajoutée.", "The note is added."),
        "snooze" => t.say("L'écart est en veille.", "The discrepancy is snoozed."),
        "withdraw" => t.say("L'écart est de nouveau à traiter.", "The discrepancy is put back."),
        "relay" => t.say("L'appel sera transmis à nouveau.", "The call is relayed again."),
        "ask" => t.say("La question est posée au prestataire.", "The provider is asked."),
        "close" => t.say("Le mois est clos.", "The month is closed."),
        _ => return None,
    };
    Some(Notice { tone: Tone::Done, text })
}

/// A page of the list.
pub(super) async fn list(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let filter = chosen(&visit.query)?;
    let after: Option<WorkPlace> = visit.query.parse("after")?;
    let of = filter.clone();
    let (count, places, found) = dashboard
        .read(move |reader| {
            let mut places = reader.work(&of, after, ON_A_PAGE + 1)?;
            let has_more = places.len() > ON_A_PAGE as usize;
            places.truncate(ON_A_PAGE as usize);
            let next = places.last().copied().filter(|_| has_more);
            Ok((reader.count_work(&of)?, next, rows(reader, &places)?))
        })
        .await?;
    let mut frame = dashboard.frame(&visit, Section::Discrepancies).await?;
    frame.notice = notice(visit.say, &visit.query);
    let list = Discrepancies {
        frame,
        cases: dashboard.cases(found),
        count,
        next: places.map(|place| place.to_string()),
        is_first: after.is_none(),
        filter,
    };
    page(list.render())
}

/// All that is filtered, as a file.
pub(super) async fn file(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let filter = chosen(&visit.query)?;
    let name = visit.say.say("ecarts", "discrepancies");
    Ok(dashboard.list_as_file(&visit, &name, move |reader, after| {
        let places = reader.work(&filter, after, AT_A_TIME)?;
        Ok(Part { rows: rows(reader, &places)?, next: places.last().copied() })
    }))
}

/// One of them.
pub(super) async fn show(
    State(dashboard): Desk,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id: DiscrepancyId = id.parse().map_err(|_| Refusal::NotFound)?;
    let (row, acts) =
        dashboard.read(move |reader| Ok((reader.discrepancy(id)?, reader.acts_on(id)?))).await?;
    let case = dashboard.cases(row.into_iter().collect()).pop().ok_or(Refusal::NotFound)?;
    let mut frame = dashboard.frame(&visit, Section::Discrepancies).await?;
    frame.notice = notice(visit.say, &visit.query);
    page(DiscrepancyPage { frame, case, acts }.render())
}

/// A note as a command takes it.
fn note(fields: &Fields) -> Result<String, Refusal> {
    let note: String = fields.get("note").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fits = !note.trim().is_empty() && note.chars().count() <= 2000;
    fits.then(|| note.trim().to_owned()).ok_or(Refusal::Senseless(
        "Une note de 1 à 2000 caractères est nécessaire.",
        "A note of 1 to 2000 characters is needed.",
    ))
}

/// What a person does about one.
pub(super) async fn act(
    State(dashboard): Desk,
    visit: Visit,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Refusal> {
    visit.must_be(Role::Accountant)?;
    let id: DiscrepancyId = id.parse().map_err(|_| Refusal::NotFound)?;
    let acts = dashboard.read(move |reader| reader.acts_on(id)).await?;
    let last = acts.last().map_or_else(|| "0".to_owned(), |act| act.seq.to_string());
    if fields.get("seen") != last {
        return Err(Refusal::Meanwhile);
    }
    let deed = fields.get("do");
    let mut arguments = vec!["alerts".to_owned(), deed.to_owned(), id.to_string()];
    match deed {
        "ack" | "note" => arguments.push(format!("--note={}", note(&fields)?)),
        "snooze" => {
            let until: cvco_domain::Day = fields.parse("until")?.ok_or(Refusal::NotFound)?;
            if !Deed::may_snooze(until.start(), visit.now) {
                return Err(Refusal::Senseless(
                    "Rien n'a changé. Choisissez une date à venir, dans deux ans au plus.",
                    "Nothing changed. Choose a date ahead, in two years at most.",
                ));
            }
            arguments.push(format!("--until={until}"));
        }
        "withdraw" => {}
        _ => return Err(Refusal::NotFound),
    }
    if matches!(deed, "snooze" | "withdraw") && !fields.get("note").is_empty() {
        arguments.push(format!("--note={}", note(&fields)?));
    }
    let done = dashboard.carry_out(&visit, arguments, Vec::new()).await?;
    match done.complaint {
        None => {
            Ok(Redirect::to(&address(&format!("/discrepancies/{id}"), &[("done", deed)])).into_response())
        }
        Some(complaint) => Err(Refusal::Failed(complaint)),
    }
}

/// Asks before all that a filter matches are acknowledged.
pub(super) async fn ask_many(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    visit.must_be(Role::Accountant)?;
    let filter = WorkFilter { unacked: true, ..chosen(&visit.query)? };
    let of = filter.clone();
    let (count, found) = dashboard
        .read(move |reader| {
            let places = reader.work(&of, None, NAMED)?;
            Ok((reader.count_work(&of)?, rows(reader, &places)?))
        })
        .await?;
    let frame = dashboard.frame(&visit, Section::Discrepancies).await?;
    page(AcknowledgeMany { frame, cases: dashboard.cases(found), count, filter }.render())
}

/// Acknowledges all that a filter matches, but for what has come since it was asked.
pub(super) async fn act_on_many(
    State(dashboard): Desk,
    visit: Visit,
    fields: Fields,
) -> Result<Response, Refusal> {
    visit.must_be(Role::Accountant)?;
    let filter = WorkFilter { unacked: true, ..chosen(&visit.query)? };
    if filter.whether == Whether::Closed || filter.through.is_none() {
        return Err(Refusal::NotFound);
    }
    let note = note(&fields)?;
    let of = filter.clone();
    let places = dashboard.read(move |reader| reader.work(&of, None, WORKED)).await?;
    for some in places.chunks(IN_ONE_COMMAND) {
        let mut arguments = vec!["alerts".to_owned(), "ack".to_owned()];
        arguments.extend(some.iter().map(|place| place.id().to_string()));
        arguments.push(format!("--note={note}"));
        let done = dashboard.carry_out(&visit, arguments, Vec::new()).await?;
        if let Some(complaint) = done.complaint {
            return Err(Refusal::Failed(complaint));
        }
    }
    let back = WorkFilter { unacked: false, through: None, ..filter };
    let number = places.len().to_string();
    Ok(Redirect::to(&work_address(&back, "/discrepancies", &[("done", "ack"), ("n", &number)]))
        .into_response())
}
