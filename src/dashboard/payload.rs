//! A message as it came, for those who may see what it holds of persons.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cvco_domain::Seq;
use cvco_pages::payload::Payload;
use cvco_pages::{Role, Section, outside};

use super::refusal::Refusal;
use super::visit::Visit;
use super::{Desk, page};

/// The page.
pub(super) async fn show(State(dashboard): Desk, visit: Visit) -> Result<Response, Refusal> {
    visit.must_be(Role::Admin)?;
    let entry: Seq = visit.query.parse("entry")?.ok_or(Refusal::NotFound)?;
    let digest =
        dashboard.read(move |reader| reader.payload_digest(entry)).await?.ok_or(Refusal::NotFound)?;
    let envelope = dashboard.payloads.of(entry, &digest).await.map_err(|error| {
        tracing::error!(%error, "a payload could not be opened");
        Refusal::Trouble
    })?;
    tracing::info!(user = visit.visitor.name, entry = entry.get(), "a raw message was looked at");
    let t = visit.say;
    let parts = envelope.map(|envelope| {
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(outside).collect::<Vec<_>>().join("\n");
        [
            (t.say("Appel", "Call"), outside(&envelope.method)),
            (t.say("Adresse d'origine", "Address that it came from"), outside(&envelope.peer)),
            (t.say("Programme", "Program"), outside(&envelope.user_agent)),
            (t.say("Paramètres", "Query"), text(&envelope.query)),
            (t.say("En-têtes lus", "Headers that were read"), text(&envelope.headers)),
            (t.say("Corps", "Body"), text(&envelope.body)),
        ]
    });
    let parts = parts.into_iter().flatten().filter(|(_, text)| !text.is_empty()).collect();
    page(Payload { frame: dashboard.frame(&visit, Section::Orders).await?, entry, parts }.render())
}
