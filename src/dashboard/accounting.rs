//! Months, exports and statements.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use cvco_domain::{Cents, Period};
use cvco_ledger::ImportedRow;
use cvco_pages::accounting::{AccountSum, Accounting, Close, LINES, Layout, SHOWN, StatementPage};
use cvco_pages::{Notice, Role, Section, Tone, address};
use serde_json::Value;

use super::around::check_token;
use super::discrepancies::notice;
use super::files::Part;
use super::form::Fields;
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};
use crate::admin::commands::INPUT_BYTES;

/// So many are read at a time for a file.
const AT_A_TIME: u32 = 1000;

/// More months than a merchant closes in a life.
const ALL_MONTHS: u32 = 2000;

/// So many open months are shown.
const OPEN: usize = 24;

/// What can be exported.
const FILES: [&str; 8] = ["register", "gaps", "ageing", "totals", "fec", "entries", "journal", "beancount"];

impl Dashboard {
    async fn accounting(
        self: &Arc<Self>,
        visit: &Visit,
        notice: Option<Notice>,
    ) -> Result<Response, Refusal> {
        let today = visit.now.paris_day();
        let aged = self.sums(None, visit.now).await?.aged;
        let (first, closed, statements) = self
            .read(|reader| {
                let (first, closed) = (reader.first_open()?, reader.closed_months(SHOWN)?);
                Ok((first, closed, reader.imported_statements(None, SHOWN)?))
            })
            .await?;
        let mut open: Vec<Period> = Vec::new();
        let mut month = first;
        while let Some(period) = month.filter(|month| *month <= today.period() && open.len() < OPEN) {
            open.push(period);
            month = Some(period.next());
        }
        let next = first.filter(|first| first.last() < today);
        let settings = Arc::clone(&self.admin.settings.borrow());
        let layouts = settings.desk.books.statements.iter();
        let mut frame = self.frame(visit, Section::Accounting).await?;
        frame.notice = notice;
        let accounting = Accounting {
            frame,
            open,
            closed,
            next,
            statements,
            layouts: layouts.map(|layout| Layout { id: layout.profile.id.clone() }).collect(),
            aged,
        };
        page(accounting.render())
    }
}

/// The page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let notice = notice(visit.say, &visit.query);
    dashboard.accounting(&visit, notice).await
}

/// One of its lists as a file.
pub(super) async fn list(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let t = visit.say;
    match visit.query.get("what") {
        "months" => {
            let name = t.say("mois-clos", "closed-months");
            Ok(dashboard.list_as_file(&visit, &name, |reader, _: Option<()>| {
                Ok(Part::all(reader.closed_months(ALL_MONTHS)?))
            }))
        }
        "statements" => {
            let name = t.say("releves", "statements");
            Ok(dashboard.list_as_file(&visit, &name, |reader, after| {
                let rows = reader.imported_statements(after, AT_A_TIME)?;
                Ok(Part::of(rows, AT_A_TIME, ImportedRow::place))
            }))
        }
        _ => Err(Refusal::NotFound),
    }
}

/// A file for the accountant.
pub(super) async fn export(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let query = &visit.query;
    let what = FILES.into_iter().find(|what| *what == query.get("what")).ok_or(Refusal::NotFound)?;
    let mut arguments = vec!["export".to_owned(), what.to_owned()];
    if let Some(period) = query.parse::<Period>("period")? {
        arguments.push(format!("--period={period}"));
    } else {
        let day = |name| query.parse::<cvco_domain::Day>(name)?.ok_or(Refusal::NotFound);
        arguments.push(format!("--from={}", day("from")?));
        arguments.push(format!("--to={}", day("to")?));
    }
    if query.get("draft") == "1" {
        arguments.push("--draft".to_owned());
    }
    if query.get("format") == "xlsx" {
        arguments.push("--format=xlsx".to_owned());
    }
    dashboard.download(&visit, arguments).await?.map_err(Refusal::Failed)
}

/// Says what would be booked, before a month is closed.
pub(super) async fn ask_close(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    visit.must_be(Role::Accountant)?;
    let period: Period = visit.query.parse("period")?.ok_or(Refusal::NotFound)?;
    let arguments = ["close", &format!("--period={period}"), "--dry-run", "--format=json"];
    let arguments = arguments.into_iter().map(str::to_owned).collect();
    let done = dashboard.carry_out(&visit, arguments, Vec::new()).await?;
    if let Some(complaint) = done.complaint {
        return Err(Refusal::Failed(complaint));
    }
    let preview: Value = serde_json::from_str(&done.text()).unwrap_or_default();
    let count = |name: &str| preview.get(name).and_then(Value::as_i64).unwrap_or_default();
    let account = |account: &Value| {
        let text = |name: &str| account.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let cents = |name: &str| Cents::new(account.get(name).and_then(Value::as_i64).unwrap_or_default());
        AccountSum {
            number: text("account"),
            label: text("label"),
            debit: cents("debit_cents"),
            credit: cents("credit_cents"),
        }
    };
    let accounts = preview.get("accounts").and_then(Value::as_array).into_iter().flatten();
    let close = Close {
        frame: dashboard.frame(&visit, Section::Accounting).await?,
        period,
        obstacle: preview.get("obstacle").and_then(Value::as_str).map(str::to_owned),
        open: count("open_discrepancies"),
        entries: count("entries"),
        lines: count("lines"),
        accounts: accounts.map(account).collect(),
    };
    page(close.render())
}

/// Closes a month.
pub(super) async fn close(State(dashboard): Desk, visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    visit.must_be(Role::Accountant)?;
    let period: Period = fields.parse("period")?.ok_or(Refusal::NotFound)?;
    let arguments = ["close", &format!("--period={period}"), "--yes", "--format=json"];
    let arguments = arguments.into_iter().map(str::to_owned).collect();
    let done = dashboard.carry_out(&visit, arguments, Vec::new()).await?;
    match done.complaint {
        None => Ok(Redirect::to(&address("/accounting", &[("done", "close")])).into_response()),
        Some(complaint) => Err(Refusal::Failed(complaint)),
    }
}

/// One statement.
pub(super) async fn statement(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let id: i64 = visit.query.parse("id")?.ok_or(Refusal::NotFound)?;
    let found = dashboard.read(move |reader| reader.imported_statement(id, LINES)).await?;
    let (row, lines) = found.ok_or(Refusal::NotFound)?;
    page(StatementPage { frame: dashboard.frame(&visit, Section::Accounting).await?, row, lines }.render())
}

/// Its lines as a file, as they stand in it.
pub(super) async fn lines(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let id: i64 = visit.query.parse("id")?.ok_or(Refusal::NotFound)?;
    let found = dashboard.read(move |reader| reader.imported_statement(id, 0)).await?;
    let (row, _) = found.ok_or(Refusal::NotFound)?;
    let name = format!("{}-{}", visit.say.say("releve", "statement"), row.number);
    Ok(dashboard.list_as_file(&visit, &name, move |reader, after| {
        let rows = reader.lines_of_statement(id, after.unwrap_or_default(), AT_A_TIME)?;
        Ok(Part::of(rows, AT_A_TIME, |row| row.position))
    }))
}

/// Imports a statement that was uploaded.
pub(super) async fn import(
    State(dashboard): Desk,
    visit: Visit,
    request: Request,
) -> Result<Response, Refusal> {
    visit.must_be(Role::Accountant)?;
    let too_large = |_| Refusal::TooLarge;
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| Refusal::Foreign)?;
    let (mut fields, mut file, mut name) = (Vec::new(), Vec::new(), String::new());
    while let Some(mut part) = parts.next_field().await.map_err(too_large)? {
        let field = part.name().unwrap_or_default().to_owned();
        let limit = if field == "file" { INPUT_BYTES } else { 4096 };
        if field == "file" {
            part.file_name().unwrap_or_default().clone_into(&mut name);
        }
        let mut bytes = Vec::new();
        while let Some(piece) = part.chunk().await.map_err(too_large)? {
            if bytes.len().saturating_add(piece.len()) > limit || fields.len() > 20 {
                return Err(Refusal::TooLarge);
            }
            bytes.extend_from_slice(&piece);
        }
        if field == "file" {
            file = bytes;
        } else {
            fields.push((field, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    let fields = Fields::of(fields);
    check_token(&visit, &fields)?;
    let mut arguments = vec!["statement".to_owned(), "import".to_owned(), "--format=json".to_owned()];
    for (field, option) in
        [("layout", "--layout"), ("shop", "--shop"), ("number", "--number"), ("paid_on", "--paid-on")]
    {
        if !fields.get(field).is_empty() {
            arguments.push(format!("{option}={}", fields.get(field)));
        }
    }
    arguments.push("--".to_owned());
    arguments.push(plain_name(&name));
    let done = dashboard.carry_out(&visit, arguments, file).await?;
    if let Some(refusal) = done.refusal() {
        return Err(refusal);
    }
    let t = visit.say;
    let report: Value = serde_json::from_str(&done.text()).unwrap_or_default();
    if report.get("known").and_then(Value::as_bool) == Some(true) {
        let text = t.say(
            "Ce fichier a déjà été importé : rien n'a changé.",
            "This very file was imported before: nothing changed.",
        );
        return dashboard.accounting(&visit, Some(Notice { tone: Tone::Done, text })).await;
    }
    let statements = report.get("statements").and_then(Value::as_array).cloned().unwrap_or_default();
    let sum =
        |name: &str| statements.iter().filter_map(|one| one.get(name).and_then(Value::as_i64)).sum::<i64>();
    let (new, unknown) = (sum("new"), sum("unknown"));
    let lines =
        t.count(new, "ligne importée", "lignes importées", "line was imported", "lines were imported");
    let text = t.say(
        &format!("{lines}. Sans paiement connu, sur les relevés de ce fichier : {}.", t.number(unknown)),
        &format!("{lines}. Without a known payment, on the statements of this file: {}.", t.number(unknown)),
    );
    let tone = if unknown > 0 { Tone::Failed } else { Tone::Done };
    dashboard.accounting(&visit, Some(Notice { tone, text })).await
}

/// A file's name as a command may show it.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).take(100).collect();
    if plain.trim_matches(['.', ' ', '-']).is_empty() { "releve".to_owned() } else { plain }
}
