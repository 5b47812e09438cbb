//! What goes on behind, and what an administrator does about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use cvco_domain::{Bilingual, EndpointId};
use cvco_ledger::{RelayFilter, RelayRow, RelayState};
use cvco_pages::operations::{Diagnosed, LastProof, Machine, Machines, Operations, SHOWN};
use cvco_pages::{Role, Section};

use super::discrepancies::notice;
use super::files::Part;
use super::form::{Fields, path_back};
use super::refusal::Refusal;
use super::visit::Visit;
use super::{Dashboard, Desk, page};
use crate::cluster;
use crate::telemetry::Verified;

/// So many are read at a time for a file.
const AT_A_TIME: u32 = 1000;

impl Dashboard {
    async fn operations(
        self: &Arc<Self>,
        visit: &Visit,
        diagnosed: Option<(EndpointId, Diagnosed)>,
    ) -> Result<Response, Refusal> {
        let filter =
            RelayFilter { states: RelayState::IN_VAIN.to_vec(), endpoint: None, after: None, limit: SHOWN };
        let (refused, mails, relays, set_aside) = self
            .read(move |reader| {
                let (refused, mails) = (reader.refused_calls()?, reader.queue()?);
                Ok((refused, mails, reader.relays(&filter)?, reader.latest_set_aside(None, SHOWN)?))
            })
            .await?;
        let settings = Arc::clone(&self.admin.settings.borrow());
        let proof = Verified::last(&settings.ledger).map(|last| LastProof {
            at: last.at(),
            flaws: last.flaws,
            first: last.first.iter().map(|flaw| visit.say.0.of_noted(flaw).to_owned()).collect(),
        });
        let machines = match &self.admin.cluster {
            Some(cluster) => Some(cluster.machines().await.as_ref().map(machines).map_err(Clone::clone)),
            None => None,
        };
        let mut frame = self.frame(visit, Section::Operations).await?;
        frame.notice = notice(visit.say, &visit.query);
        let operations = Operations {
            frame,
            refused,
            mails: mails.into_iter().take(SHOWN as usize).collect(),
            relays,
            set_aside,
            proof,
            machines,
            logged: self.admin.log.changed().borrow().seq.get(),
            folded: self.admin.followed.position().borrow().seq.get(),
            trouble: self.admin.followed.trouble(),
            endpoints: settings.endpoints.iter().map(|endpoint| endpoint.id.clone()).collect(),
            diagnosed,
        };
        page(operations.render())
    }
}

fn machines(told: &cluster::Machines) -> Machines {
    let standing = |machine: &cluster::Machine| Machine {
        name: machine.name.clone(),
        is_this: machine.is_this,
        leads: told.leader.as_ref() == Some(&machine.name),
        seq: machine.seq,
        to_bring: told.end.saturating_sub(machine.seq).max(0),
        agrees: machine.agrees != Some(false),
        version: machine.version.clone(),
        silence: told.silence(machine),
    };
    Machines { end: told.end, is_led: told.leader.is_some(), all: told.all.iter().map(standing).collect() }
}

/// The page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    dashboard.operations(&visit, None).await
}

/// One of its lists as a file.
pub(super) async fn file(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    let t = visit.say;
    match visit.query.get("what") {
        "refused" => {
            let name = t.say("appels-refuses", "refused-calls");
            Ok(dashboard
                .list_as_file(&visit, &name, |reader, _: Option<()>| Ok(Part::all(reader.kept_refusals()?))))
        }
        "mails" => {
            let name = t.say("messages-en-attente", "waiting-messages");
            Ok(dashboard.list_as_file(&visit, &name, |reader, _: Option<()>| Ok(Part::all(reader.queue()?))))
        }
        "relays" => {
            let name = t.say("transmissions-en-attente", "waiting-relays");
            Ok(dashboard.list_as_file(&visit, &name, |reader, after| {
                let states = RelayState::IN_VAIN.to_vec();
                let filter = RelayFilter { states, endpoint: None, after, limit: AT_A_TIME };
                Ok(Part::of(reader.relays(&filter)?, AT_A_TIME, RelayRow::place))
            }))
        }
        "set-aside" => {
            let name = t.say("entrees-mises-de-cote", "entries-set-aside");
            Ok(dashboard.list_as_file(&visit, &name, |reader, before| {
                let rows = reader.latest_set_aside(before, AT_A_TIME)?;
                Ok(Part::of(rows, AT_A_TIME, |row| row.seq))
            }))
        }
        _ => Err(Refusal::NotFound),
    }
}

/// Says why a pasted message does or does not verify.
pub(super) async fn diagnose(
    State(dashboard): Desk,
    visit: Visit,
    fields: Fields,
) -> Result<Response, Refusal> {
    visit.must_be(Role::Admin)?;
    let settings = Arc::clone(&dashboard.admin.settings.borrow());
    let id = fields.get("endpoint");
    let endpoint =
        settings.endpoints.iter().find(|endpoint| endpoint.id.as_str() == id).ok_or(Refusal::NotFound)?;
    // What a browser sends as a line end is two characters.
    let message = fields.get("message").replace("\r\n", "\n");
    let said = |text: &Bilingual| visit.say.0.of(text).to_owned();
    let diagnosed = match dashboard.admin.errands.diagnose(endpoint, message.as_bytes()) {
        Ok(diagnosis) => Diagnosed {
            genuine: diagnosis.genuine,
            summary: said(&diagnosis.summary),
            details: diagnosis.details.iter().map(said).collect(),
        },
        Err(what) => Diagnosed { genuine: false, summary: said(&what), details: Vec::new() },
    };
    dashboard.operations(&visit, Some((endpoint.id.clone(), diagnosed))).await
}

/// Relays a call again.
pub(super) async fn retry(State(dashboard): Desk, visit: Visit, fields: Fields) -> Result<Response, Refusal> {
    visit.must_be(Role::Admin)?;
    let number: cvco_domain::Seq = fields.parse("number")?.ok_or(Refusal::NotFound)?;
    let target: cvco_domain::RelayTarget = fields.parse("target")?.ok_or(Refusal::NotFound)?;
    let arguments =
        ["relay".to_owned(), "retry".to_owned(), number.to_string(), format!("--target={target}")].to_vec();
    let done = dashboard.carry_out(&visit, arguments, Vec::new()).await?;
    match done.complaint {
        None => Ok(back(&fields, "relay")),
        Some(complaint) => Err(Refusal::Failed(complaint)),
    }
}

/// Back to where a button was, with a word of what was done.
pub(super) fn back(fields: &Fields, done: &str) -> Response {
    let path = path_back(fields.get("back"));
    let sign = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{sign}done={done}")).into_response()
}
