//! What the demonstration shows.

use std::path::Path;

use cvco_domain::{Cents, Kind};
use cvco_ledger::{OrderStory, Reader, RecordFilter, RecordRow};
use cvco_mail::Language;
use cvco_trial::mail_sink::ReceivedMail;
use cvco_trial::simulate::Play;

use super::super::output::Listing;
use super::super::{Failure, alerts, output, records};
use super::{everything, promised, raised};

/// So wide is an old terminal.
const WIDTH: usize = 80;

/// So many lines of the headline's mail are shown.
const MAIL_LINES: usize = 9;

/// The same in few lines, with the mail about the first story; whether all ended as promised.
pub(super) fn tell_briefly(
    folder: &Path,
    ledger: &Path,
    plays: &[Play],
    mails: &[ReceivedMail],
) -> Result<bool, Failure> {
    let reader = Reader::open(ledger)?;
    let mut kinds = raised(&reader)?;
    let mut all_kept = true;
    output::line("")?;
    for play in plays {
        let raised = kinds.remove(&play.reference).unwrap_or_default();
        let stories = reader.stories(&play.reference)?;
        let kept = is_kept(play, stories.first(), &raised);
        all_kept &= kept;
        let mark = if kept { "✓" } else { "✗" };
        let found = match raised.as_slice() {
            [] => stories.first().map(|story| story.state.clone()).unwrap_or_default(),
            raised => raised.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let told = format!("{mark} {}: {} → {found}", play.psp, play.scenario.description());
        for line in wrapped(&told, WIDTH) {
            output::line(line)?;
        }
    }
    save_mails(folder, mails)?;
    let about =
        |mail: &&ReceivedMail| plays.first().is_some_and(|play| mail.subject().contains(&play.reference));
    if let Some(mail) = mails.iter().find(about) {
        output::line("")?;
        let text = mail.text.as_deref().unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let shown = std::iter::once(mail.subject()).chain(lines);
        for line in shown.flat_map(|line| wrapped(line, WIDTH.saturating_sub(4))).take(MAIL_LINES) {
            output::line(format!("  │ {line}"))?;
        }
    }
    Ok(all_kept)
}

/// A text in lines of so many characters at most, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let length = line.chars().count();
        if length > 0 && length.saturating_add(word.chars().count()) >= width {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// Shows what became of each story; whether all ended as promised.
pub(super) fn tell(
    language: Language,
    folder: &Path,
    ledger: &Path,
    plays: &[Play],
    mails: &[ReceivedMail],
) -> Result<bool, Failure> {
    let reader = Reader::open(ledger)?;
    let found = reader.discrepancies(&everything())?;
    let mut kinds = raised(&reader)?;
    let headers = ["", "PSP", "story", "order", "expected", "state", "discrepancies"];
    let mut listing = Listing::new(&headers, &[4]);
    let mut all_kept = true;
    for play in plays {
        let raised = kinds.remove(&play.reference).unwrap_or_default();
        let stories = reader.stories(&play.reference)?;
        let state =
            stories.first().filter(|story| !story.records.is_empty()).map(|story| story.state.clone());
        let kept = is_kept(play, stories.first(), &raised);
        all_kept &= kept;
        listing.push(vec![
            if kept { "✓" } else { "✗" }.to_owned(),
            play.psp.to_string(),
            play.scenario.description().to_owned(),
            play.reference.clone(),
            if play.register { play.total.to_string() } else { "not told".to_owned() },
            state.unwrap_or_else(|| "–".to_owned()),
            raised.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        ]);
    }
    output::line("\nThe stories, and what became of them\n")?;
    output::line(listing.table())?;
    output::line("\nThe records\n")?;
    let filter = RecordFilter { limit: 1000, ..RecordFilter::default() };
    output::line(records::listing(language, &reader.records(&filter)?).table())?;
    output::line("\nThe discrepancies\n")?;
    output::line(alerts::listing(language, &found).table())?;
    show_mails(folder, mails)?;
    Ok(all_kept)
}

pub(super) fn is_kept(play: &Play, story: Option<&OrderStory>, raised: &[Kind]) -> bool {
    let Some(ending) = play.scenario.ending(play.psp) else { return false };
    let mut promised = promised(play);
    promised.sort_unstable();
    let state = story.filter(|story| !story.records.is_empty()).map(|story| story.state.as_str());
    state == ending.state.map(cvco_domain::RecordState::as_str)
        && raised == promised
        && story.is_none_or(|story| story.records.iter().all(|record| adds_up(record.paid_cents, record)))
}

/// Cents are conserved: voucher and card come to what was paid.
fn adds_up(paid: i64, record: &RecordRow) -> bool {
    Cents::new(record.voucher_cents).plus(Cents::new(record.card_cents)) == Cents::new(paid)
}

fn save_mails(folder: &Path, mails: &[ReceivedMail]) -> Result<(), Failure> {
    let mailbox = folder.join("mails");
    std::fs::create_dir_all(&mailbox).map_err(Failure::io(mailbox.display().to_string()))?;
    for (n, mail) in mails.iter().enumerate() {
        let path = mailbox.join(format!("{:02}.eml", n + 1));
        std::fs::write(&path, &mail.raw).map_err(Failure::io(path.display().to_string()))?;
        if let Some(html) = &mail.html {
            let path = path.with_extension("html");
            std::fs::write(&path, html).map_err(Failure::io(path.display().to_string()))?;
        }
    }
    Ok(())
}

fn show_mails(folder: &Path, mails: &[ReceivedMail]) -> Result<(), Failure> {
    save_mails(folder, mails)?;
    output::line("\nThe e-mails\n")?;
    for mail in mails {
        output::line(format!("  {}", mail.subject()))?;
    }
    let longest = mails.iter().filter_map(|mail| mail.text.as_deref()).max_by_key(|text| text.len());
    if let Some(text) = longest {
        output::line("\nOne of them in full\n")?;
        for line in text.lines() {
            output::line(format!("  │ {line}"))?;
        }
    }
    Ok(())
}

pub(super) fn where_to_look(folder: &Path, config: &Path, ledger: &Path) -> Result<(), Failure> {
    output::line(format!(
        "\nWhere to look\n\n  \
         the ledger     sqlite3 -readonly {ledger} 'SELECT * FROM acct_register'\n  \
         an order       cvco-reconciled --config {config} record REFERENCE\n  \
         the e-mails    {mails}\n",
        ledger = ledger.display(),
        config = config.display(),
        mails = folder.join("mails").display(),
    ))
}
