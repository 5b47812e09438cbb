//! `import-mail`: takes notifications that were lost from the e-mails that Up2pay writes about them, or from a web
//! server's log. Each is proven like a call; what is known already stays as it is.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use cvco_domain::crypto::{SealKey, sha256};
use cvco_domain::text_file::utf8;
use cvco_domain::{Bilingual, Event, Psp, Worded};
use cvco_log::entry::Origin;
use cvco_log::{Draft, Envelope, LogEntry, LogError, key_file};
use cvco_psp::logged_call::{self, LoggedCall};
use cvco_psp::up2pay::warning_mail::{self, Quotation, WarningMail};
use cvco_psp::{Method, Rejection, Request};

use super::append::Writer;
use super::{Failure, Outcome, output};
use crate::config::{Endpoint, RawConfig};
use crate::listener::understand;

/// The largest file that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The endpoint that the notifications were meant for, where the address in a mail does not tell.
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// A mail as it was saved (its source text), the text of one, a whole mailbox (mbox), or a web server's access or
    /// error log; `-` is standard input.
    file: PathBuf,
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let raw = RawConfig::read(path)?;
    let config = raw.command(path, |endpoint| endpoint.psp == Some(Psp::Up2pay))?;
    let language = raw.language(path)?;
    let choice = Choice::new(&config.endpoints, options.endpoint.as_deref()).map_err(Failure::Misused)?;
    let file = read(&options.file)?;
    let (mails, calls) = (warning_mail::read(&file), logged_call::calls(&utf8(&file)));
    let is_log = !calls.is_empty() && mails.iter().all(|mail| mail.quotations.is_empty());
    let plan = if is_log { of_log(&calls, &choice) } else { of_mails(mails, &choice) };
    let plan = plan.map_err(|what| {
        Failure::Misused(Bilingual::new(
            format!("{}\u{a0}; rien n’a été importé", what.french),
            format!("{}; nothing was imported", what.english),
        ))
    })?;
    let tell = |place: &Bilingual, fate: &Fate| {
        let (place, colon) = (language.of(place), output::colon(language));
        output::line(format!("{place}{colon} {}", language.of(&fate.words())))
    };
    if plan.iter().all(|found| found.call.is_err()) {
        for Found { place, call } in plan {
            if let Err(why) = call {
                tell(&place, &Fate::NotReadable(why))?;
            }
        }
        return Ok(Outcome::FoundSomething);
    }
    let mut writer = Writer::open(&config.ledger)?;
    let key_path = &config.ledger.payload_key_file;
    let key = key_file::read(key_path)?.ok_or_else(|| LogError::KeyLost(key_path.clone()))?;
    let mut outcome = Outcome::Fine;
    for found in &plan {
        let fate = match &found.call {
            Err(why) => Fate::NotReadable(why.clone()),
            Ok(call) => import(&mut writer, &key, call)?,
        };
        tell(&found.place, &fate)?;
        if !fate.is_fine() {
            outcome = Outcome::FoundSomething;
        }
    }
    Ok(outcome)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = MAX_BYTES.saturating_add(1);
    let result = if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    result.map_err(Failure::io(file.display().to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        let file = file.display();
        return Err(Failure::Misused(Bilingual::new(
            format!("{file}\u{a0}: plus de 64 Mio\u{a0}; divisez la boîte aux lettres"),
            format!("{file}: larger than 64 MiB; split the mailbox"),
        )));
    }
    Ok(bytes)
}

/// Which endpoint a mail is for.
struct Choice<'c> {
    /// Those of Up2pay.
    endpoints: Vec<&'c Endpoint>,
    /// Where the address does not tell.
    otherwise: Option<&'c Endpoint>,
}

impl<'c> Choice<'c> {
    fn new(endpoints: &'c [Arc<Endpoint>], named: Option<&str>) -> Result<Self, Bilingual> {
        let endpoints: Vec<&Endpoint> = endpoints.iter().map(AsRef::as_ref).collect();
        let otherwise = match (named, endpoints.as_slice()) {
            (_, []) => {
                return Err(Bilingual::new(
                    "la configuration n’a pas de point d’entrée Up2pay",
                    "the configuration has no endpoint of Up2pay",
                ));
            }
            (Some(id), all) => {
                let named = all.iter().copied().find(|endpoint| endpoint.id.as_str() == id);
                Some(named.ok_or_else(|| {
                    let known = names(all);
                    Bilingual::new(
                        format!("aucun point d’entrée Up2pay {id}\u{a0}; il y a\u{a0}: {known}"),
                        format!("no Up2pay endpoint {id}; there are: {known}"),
                    )
                })?)
            }
            (None, [lone]) => Some(*lone),
            (None, _) => None,
        };
        Ok(Self { endpoints, otherwise })
    }

    /// The endpoint whose own address was called.
    fn called(&self, url: &str) -> Option<&'c Endpoint> {
        let id = endpoint_id(url)?;
        self.endpoints.iter().copied().find(|endpoint| endpoint.id.as_str() == id)
    }

    /// The endpoint whose address the platform called; else the one named, or the only one.
    fn of(&self, quotation: &Quotation) -> Result<&'c Endpoint, Bilingual> {
        let called = quotation.url.as_deref().and_then(|url| self.called(url));
        called.or(self.otherwise).ok_or_else(|| {
            let known = names(&self.endpoints);
            Bilingual::new(
                format!("son adresse n’est celle d’aucun point d’entrée\u{a0}: indiquez-le par --endpoint ID\u{a0}; il y a\u{a0}: {known}"),
                format!("its address is of no endpoint: say which with --endpoint ID; there are: {known}"),
            )
        })
    }
}

/// Where a call stands in the file, and the call with the endpoint that it was for, or why there is none.
struct Found<'c> {
    place: Bilingual,
    call: Result<Call<'c>, Bilingual>,
}

struct Call<'c> {
    endpoint: &'c Endpoint,
    origin: Origin,
    query: Vec<u8>,
}

/// Every call of every mail; an error if one of them has no endpoint.
fn of_mails<'c>(mails: Vec<WarningMail>, choice: &Choice<'c>) -> Result<Vec<Found<'c>>, Bilingual> {
    let mut plan = Vec::new();
    for (number, mail) in (1_usize..).zip(mails) {
        let place = Bilingual::new(format!("courriel {number}"), format!("mail {number}"));
        if mail.quotations.is_empty() {
            let none = || Bilingual::new("aucun appel n’y figure", "no call in it");
            let why = mail.unreadable.map_or_else(none, |form| form.words());
            plan.push(Found { place: place.clone(), call: Err(why) });
        }
        for quotation in mail.quotations {
            let endpoint = choice.of(&quotation).map_err(|what| {
                Bilingual::new(
                    format!("{}\u{a0}: {}", place.french, what.french),
                    format!("{}: {}", place.english, what.english),
                )
            })?;
            let call = Call { endpoint, origin: Origin::Mail, query: quotation.query };
            plan.push(Found { place: place.clone(), call: Ok(call) });
        }
    }
    Ok(plan)
}

/// The calls of a log to an endpoint's own address; and those to any other address, as to the shop's own handler, that are
/// genuine at the endpoint that was named. A log is full of other calls, of which nothing is said.
fn of_log<'c>(calls: &[LoggedCall], choice: &Choice<'c>) -> Result<Vec<Found<'c>>, Bilingual> {
    let mut plan = Vec::new();
    for call in calls {
        let place = Bilingual::new(format!("ligne {}", call.line), format!("line {}", call.line));
        let proven = || {
            let endpoint = choice.otherwise?;
            let request = Request { method: Method::Get, query: &call.query, body: b"", headers: &[] };
            endpoint.adapter.prove(&request).is_ok().then_some(endpoint)
        };
        let Some(endpoint) = choice.called(&call.path).or_else(proven) else { continue };
        let call = if call.query.is_empty() {
            Err(Bilingual::new(
                "un appel sans paramètres\u{a0}: aucun journal ne garde ce qui est envoyé par POST",
                "a call without a query: no log keeps what was sent by POST",
            ))
        } else {
            Ok(Call { endpoint, origin: Origin::Log, query: call.query.clone() })
        };
        plan.push(Found { place, call });
    }
    if plan.is_empty() {
        let known = names(&choice.endpoints);
        return Err(Bilingual::new(
            format!(
                "un journal de serveur web sans appel à un point d’entrée Up2pay\u{a0}; si c’est l’adresse de la boutique qui a été \
                 appelée, indiquez le point d’entrée par --endpoint ID\u{a0}; il y a\u{a0}: {known}"
            ),
            format!(
                "a web server's log without a call to an Up2pay endpoint; name one with --endpoint ID if the shop's own \
                 address was called; there are: {known}"
            ),
        ));
    }
    Ok(plan)
}

fn names(endpoints: &[&Endpoint]) -> String {
    endpoints.iter().map(|endpoint| endpoint.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// Of `https://host/…/n/ID/TOKEN`, or of its path alone, the `ID`.
fn endpoint_id(url: &str) -> Option<&str> {
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest,
        None => url.starts_with('/').then_some(url)?,
    };
    let path = rest.split(['?', '#']).next()?;
    let mut segments = path.split('/').skip(1).skip_while(|segment| *segment != "n");
    segments.nth(1)
}

/// What became of a call.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Imported(Bilingual),
    Known(Bilingual),
    NotUnderstood(Bilingual),
    NotGenuine(Bilingual),
    NotReadable(Bilingual),
}

impl Fate {
    const fn is_fine(&self) -> bool {
        matches!(self, Self::Imported(_) | Self::Known(_))
    }

    fn words(&self) -> Bilingual {
        match self {
            Self::Imported(Bilingual { french, english }) => {
                Bilingual::new(format!("importé\u{a0}: {french}"), format!("imported: {english}"))
            }
            Self::Known(Bilingual { french, english }) => {
                Bilingual::new(format!("déjà connu\u{a0}: {french}"), format!("known already: {english}"))
            }
            Self::NotUnderstood(Bilingual { french, english }) => Bilingual::new(
                format!(
                    "conservé, mais pas compris\u{a0}: {french}\u{a0}; une version ultérieure du programme y parviendra peut-être"
                ),
                format!("kept, but not understood: {english}; a later version of this program may"),
            ),
            Self::NotGenuine(Bilingual { french, english }) => Bilingual::new(
                format!("la signature ne convient pas\u{a0}: {french}"),
                format!("signature does not verify: {english}"),
            ),
            Self::NotReadable(Bilingual { french, english }) => {
                Bilingual::new(format!("illisible\u{a0}: {french}"), format!("not readable: {english}"))
            }
        }
    }
}

/// Appends a call to the log, as if it had come; one that is known stays as it is.
fn import(writer: &mut Writer, key: &SealKey, call: &Call<'_>) -> Result<Fate, Failure> {
    let Call { endpoint, origin, query } = call;
    let request = Request { method: Method::Get, query, body: b"", headers: &[] };
    let entry = match understand(endpoint, &request, *origin) {
        Ok(understood) => understood.entry,
        Err(Rejection::Signature | Rejection::UnknownKey) => {
            return Ok(Fate::NotGenuine(endpoint.adapter.diagnose(&request).summary));
        }
        Err(
            malformed @ (Rejection::Malformed { .. } | Rejection::Method { .. } | Rejection::Foreign { .. }),
        ) => {
            return Ok(Fate::NotReadable(malformed.words()));
        }
    };
    let (id, summary) = (&endpoint.id, summary(&entry));
    let what = Bilingual::new(format!("{} ({id})", summary.french), format!("{} ({id})", summary.english));
    let reader = writer.reader()?;
    if reader.has_payload(&endpoint.id, &sha256(&[request.payload()]).to_string())? {
        return Ok(Fate::Known(what));
    }
    let envelope = Envelope {
        method: "GET".to_owned(),
        query: request.query.to_vec(),
        body: Vec::new(),
        peer: String::new(),
        user_agent: String::new(),
        headers: Vec::new(),
    };
    let stamp = writer.append_one(Draft::with_payload(&entry, envelope.seal(key, request.payload())?)?)?;
    Ok(if matches!(entry, LogEntry::Unread(_)) {
        Fate::NotUnderstood(what)
    } else if reader.is_duplicate(stamp.seq)? {
        Fate::Known(what)
    } else {
        Fate::Imported(what)
    })
}

fn summary(entry: &LogEntry) -> Bilingual {
    let (event, remark) = if let LogEntry::Notification(notification) = entry {
        (notification.events.first(), notification.remark.clone())
    } else if let LogEntry::Unread(unread) = entry {
        return match &unread.what_fr {
            Some(french) => Bilingual::new(french.as_str(), unread.what.as_str()),
            None => Bilingual::in_english_alone(&unread.what),
        };
    } else if let LogEntry::Hint(hint) = entry {
        (None, hint.remark.clone())
    } else {
        (None, None)
    };
    match event {
        None => remark.map_or_else(
            || {
                Bilingual::new(
                    "aucun fait concernant un paiement par chèque-vacances",
                    "no fact about a voucher payment",
                )
            },
            Bilingual::in_english_alone,
        ),
        Some(event) => {
            let reference = event.order_ref.as_ref().map_or_else(
                || Bilingual::new("une commande sans référence", "an order without reference"),
                |reference| Bilingual::same(reference.as_str()),
            );
            let Event { brand, amount, currency, .. } = event;
            let french = amount.to_string().replace('.', ",");
            Bilingual::new(
                format!("{}, {brand} {french} {currency}", reference.french),
                format!("{}, {brand} {amount} {currency}", reference.english),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_stands_in_the_address() {
        for (url, id) in [
            ("https://pay.example/n/camping/TOKEN", Some("camping")),
            ("http://pay.example:8080/cvco/n/camping/TOKEN?shop=1", Some("camping")),
            ("https://pay.example/modules/ipn.php?x=/n/camping/T", None),
            ("https://n/camping/T", None),
            ("https://pay.example/n", None),
            ("/n/camping/TOKEN", Some("camping")),
            ("/cvco/n/camping/TOKEN", Some("camping")),
            ("pay.example", None),
        ] {
            assert_eq!(endpoint_id(url), id, "{url}");
        }
    }
}
