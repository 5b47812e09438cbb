//! Entries that may stand in the log and say nothing: what was said already, and answers to what nobody asked. None of them
//! may change a row of the ledger, but the list of calls where one is a call.

use cvco_domain::{Asking, Question, Standing, Subject, Topic};
use cvco_log::LogEntry;
use cvco_log::entry::{Answer, Told};
use cvco_trial::simulate::Dice;
use rusqlite::params;

use crate::daemon::{Daemon, Trouble, text};
use crate::order::below;
use crate::places::Place;
use crate::views;

/// What a call leaves, whatever it says.
const OF_CALLS: [&str; 3] = ["endpoints", "heard_hours", "notifications"];

/// Appends an entry that says nothing, if there is one to be made; what it changed.
pub(crate) fn add(daemon: &mut Daemon, dice: &mut Dice) -> Result<Option<Trouble>, Trouble> {
    daemon.catch_up()?;
    let Some(entry) = draw(daemon, dice)? else { return Ok(None) };
    let is_call = matches!(entry, LogEntry::Hint(_));
    let before = views::tables(daemon.ledger()).map_err(text)?;
    // At the date of the last entry, so that no deadline comes with it.
    let at = daemon.head_at()?;
    daemon.append(at, [entry.clone()])?;
    let after = views::tables(daemon.ledger()).map_err(text)?;
    let may_change = |table: &str| table == "progress" || (is_call && OF_CALLS.contains(&table));
    let changed: Vec<&str> = before
        .iter()
        .zip(&after)
        .filter(|((table, _), _)| !may_change(table))
        .filter(|(before, after)| before != after)
        .map(|((table, _), _)| table.as_str())
        .collect();
    Ok((!changed.is_empty()).then(|| format!("an entry that says nothing changed {changed:?}: {entry:?}")))
}

fn draw(daemon: &Daemon, dice: &mut Dice) -> Result<Option<LogEntry>, Trouble> {
    let said = &daemon.said;
    Ok(match below(dice, 6) {
        0 => said.policy.clone(),
        1 => said.told.clone().map(LogEntry::Told),
        2 => Some(LogEntry::Told(Told { message_id: "nobody@world".to_owned() })),
        3 => Some(LogEntry::Answer(unasked(daemon, dice))),
        4 => {
            let Some(undecided) = &said.undecided else { return Ok(None) };
            let state = state(daemon, undecided.endpoint.endpoint.as_str(), &undecided.question)?;
            (state.as_deref() == Some("unsettled")).then(|| LogEntry::Answer(undecided.clone()))
        }
        _ => {
            let Some(hint) = &said.hint else { return Ok(None) };
            for question in &hint.questions {
                let state = state(daemon, hint.endpoint.endpoint.as_str(), question)?;
                if !matches!(state.as_deref(), Some("open" | "unsettled")) {
                    return Ok(None);
                }
            }
            Some(LogEntry::Hint(hint.clone()))
        }
    })
}

/// An answer to what nobody asked, with money in it where any is known.
fn unasked(daemon: &Daemon, dice: &mut Dice) -> Answer {
    let place = if below(dice, 2) == 0 { Place::Monext } else { Place::WorldlineAsked };
    Answer {
        endpoint: place.reference(),
        question: Question {
            topic: Topic::Payment,
            subject: Subject::new("nobody-asked").expect("a subject"),
            asking: Asking::Again,
        },
        asked_at: daemon.books().position().at,
        standing: if below(dice, 2) == 0 { Standing::Settled } else { Standing::GivenUp },
        events: daemon.known_at(place).to_vec(),
        questions: Vec::new(),
        remark: None,
    }
}

/// Where a question stands in the ledger.
fn state(daemon: &Daemon, endpoint: &str, question: &Question) -> Result<Option<String>, Trouble> {
    let mut states = daemon
        .ledger()
        .prepare_cached("SELECT state FROM questions WHERE endpoint = ?1 AND topic = ?2 AND subject = ?3")
        .map_err(text)?;
    let mut rows = states
        .query_map(params![endpoint, question.topic.as_str(), question.subject.as_str()], |row| row.get(0))
        .map_err(text)?;
    rows.next().transpose().map_err(text)
}
