//! `diagnose`: why a signature does or does not verify.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::text_file::utf8;
use cvco_domain::{Bilingual, Worded};
use cvco_mail::Language;
use cvco_psp::logged_call;
use cvco_psp::{Diagnosis, Method, Request, sogecommerce, up2pay, worldline};
use serde::Serialize;

use super::key::Places;
use super::{Failure, Outcome, ReportFormat, output};
use crate::config::{Endpoint, RawConfig, spoken_language};

/// The largest message that is read.
const MAX_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Options {
    /// The endpoint of the configuration that received the message.
    #[arg(long, value_name = "ID", required = true)]
    endpoint: Option<String>,
    /// The message: a whole HTTP request as captured, an address with its query, a query string, a form body, or the
    /// line of a web server's log; `-` is standard input.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The form of the report.
    #[arg(long, default_value = "table", global = true)]
    format: ReportFormat,
    #[command(subcommand)]
    without_configuration: Option<Message>,
}

#[derive(Debug, Subcommand)]
enum Message {
    /// An Up2pay call, without configuration.
    Up2pay {
        /// The shop's `PBX_RETOUR`, for instance "Mt:M;Ref:R;…;Signature:K"; any that has a K.
        #[arg(long, value_name = "TEMPLATE")]
        pbx_retour: String,
        /// The public key; the platform's own if not given.
        #[arg(long, value_name = "PEM")]
        public_key: Option<PathBuf>,
        /// The raw query string, the whole HTTP request, or the line of a web server's log; `-` is standard input.
        file: PathBuf,
    },
    /// A Sogecommerce form, without configuration.
    Sogecommerce {
        /// The shop's key (for a kr-answer: the REST password). Everybody on the machine sees it here: better --key-file.
        #[arg(long)]
        key: Option<String>,
        /// A file with the key, `-` for standard input; without it, the variable `CVCO_KEY`.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        key_file: Option<PathBuf>,
        /// `hmac-sha-256` or `sha-1`.
        #[arg(long, value_name = "ALGORITHM", default_value = "hmac-sha-256")]
        algorithm: sogecommerce::Algorithm,
        /// The form body, or the whole HTTP request; `-` is standard input.
        file: PathBuf,
    },
    /// A Worldline webhook, without configuration.
    Worldline {
        /// The secret webhook key. Everybody on the machine sees it here: better --secret-file.
        #[arg(long)]
        secret: Option<String>,
        /// A file with the secret, `-` for standard input; without it, the variable `CVCO_SECRET`.
        #[arg(long, value_name = "FILE", conflicts_with = "secret")]
        secret_file: Option<PathBuf>,
        /// The header X-GCS-Signature; needed where FILE is no more than the body.
        #[arg(long)]
        signature: Option<String>,
        /// The body, or the whole HTTP request; `-` is standard input.
        file: PathBuf,
    },
}

pub(super) fn run(path: &Path, options: &Options) -> Result<Outcome, Failure> {
    let language = spoken_language(path);
    let diagnosis = match (&options.without_configuration, &options.endpoint, &options.file) {
        (Some(message), _, _) => without_configuration(message, language)?,
        (None, Some(id), Some(file)) => {
            let raw = RawConfig::read(path)?;
            let config = raw.command(path, |endpoint| endpoint.id == id)?;
            let endpoint = config.endpoints.first().ok_or_else(|| {
                let known = raw.endpoint_ids().collect::<Vec<_>>().join(", ");
                Failure::Misused(Bilingual::new(
                    format!("aucun point d’entrée {id} dans la configuration\u{a0}; il y a\u{a0}: {known}"),
                    format!("no endpoint {id} in the configuration; there are: {known}"),
                ))
            })?;
            let bytes = read(file)?;
            let captured = Captured::of(&bytes.text, endpoint.adapter.headers()).map_err(Failure::Misused)?;
            bytes.remark_on(endpoint.adapter.diagnose(&captured.request()))
        }
        (None, _, _) => {
            return Err(Failure::Misused(Bilingual::new(
                "indiquez --endpoint ID et FICHIER",
                "name --endpoint ID and FILE",
            )));
        }
    };
    print(&diagnosis, language, options.format)?;
    Ok(if diagnosis.genuine { Outcome::Fine } else { Outcome::FoundSomething })
}

/// Why a message that somebody saved does or does not verify at an endpoint.
pub(super) fn at_endpoint(endpoint: &Endpoint, message: &[u8]) -> Result<Diagnosis, Bilingual> {
    let text = utf8(message);
    let captured = Captured::of(&text, endpoint.adapter.headers())?;
    Ok(endpoint.adapter.diagnose(&captured.request()))
}

fn without_configuration(message: &Message, language: Language) -> Result<Diagnosis, Failure> {
    let captured = |text, headers| Captured::of(text, headers).map_err(Failure::Misused);
    let about = |option: &str, words: Bilingual| {
        Failure::Misused(Bilingual::new(
            format!("{option}\u{a0}: {}", words.french),
            format!("{option}: {}", words.english),
        ))
    };
    match message {
        Message::Up2pay { pbx_retour, public_key, file } => {
            let template = up2pay::Template::parse_lenient(pbx_retour)
                .map_err(|error| about("--pbx-retour", error.words()))?;
            let key = match public_key {
                None => up2pay::Settings::platform_key(),
                Some(path) => {
                    let option = format!("--public-key {}", path.display());
                    let pem = std::fs::read(path).map_err(|error| about(&option, error.words()))?;
                    RsaPublicKey::from_pem(&pem).map_err(|error| about(&option, error.words()))?
                }
            };
            let bytes = read(file)?;
            let captured = captured(&bytes.text, &[])?;
            let diagnosis = up2pay::diagnose_query(&template, &[key], captured.request().payload());
            Ok(bytes.remark_on(diagnosis))
        }
        Message::Sogecommerce { key, key_file, algorithm, file } => {
            let places = Places {
                option: "--key",
                variable: "CVCO_KEY",
                given: key.as_deref(),
                file: key_file.as_ref(),
            };
            let key = places.read(file, language)?;
            let bytes = read(file)?;
            let captured = captured(&bytes.text, &[])?;
            let diagnosis = sogecommerce::diagnose_form(&key, *algorithm, captured.request().payload());
            Ok(bytes.remark_on(diagnosis))
        }
        Message::Worldline { secret, secret_file, signature, file } => {
            let places = Places {
                option: "--secret",
                variable: "CVCO_SECRET",
                given: secret.as_deref(),
                file: secret_file.as_ref(),
            };
            let secret = places.read(file, language)?;
            let bytes = read(file)?;
            let captured = captured(&bytes.text, worldline::HEADERS)?;
            let in_file = || captured.request().header(worldline::SIGNATURE).next().map(<[u8]>::to_vec);
            let signature = signature.as_ref().map(|text| text.clone().into_bytes()).or_else(in_file);
            let signature = signature.ok_or_else(|| {
                Failure::Misused(Bilingual::new(
                    "indiquez --signature\u{a0}: FICHIER n’a pas d’en-tête X-GCS-Signature",
                    "name --signature: FILE has no header X-GCS-Signature",
                ))
            })?;
            let diagnosis = worldline::diagnose_webhook(&secret, &signature, captured.body);
            Ok(bytes.remark_on(diagnosis))
        }
    }
}

/// A file as a person saved it.
struct Saved {
    /// In UTF-8, without a byte-order mark.
    text: Vec<u8>,
    /// Whether the file's bytes are others.
    was_encoded: bool,
}

impl Saved {
    fn remark_on(&self, mut diagnosis: Diagnosis) -> Diagnosis {
        if self.was_encoded {
            diagnosis.details.push(Bilingual::new(
                "le fichier commence par une marque d’ordre des octets, ou est en UTF-16\u{a0}: il a été lu comme le texte qu’il \
                 affiche",
                "the file begins with a byte-order mark, or is in UTF-16: it was read as the text that it shows",
            ));
        }
        diagnosis
    }
}

fn read(file: &Path) -> Result<Saved, Failure> {
    let mut bytes = Vec::new();
    let result = if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
    };
    result.map_err(Failure::io(file.display().to_string()))?;
    let text = utf8(&bytes).into_owned();
    Ok(Saved { was_encoded: text != bytes, text })
}

/// A message as somebody saved it.
#[derive(Debug, PartialEq, Eq)]
struct Captured<'a> {
    method: Method,
    query: Cow<'a, [u8]>,
    body: &'a [u8],
    headers: Vec<(&'static str, Vec<u8>)>,
}

impl<'a> Captured<'a> {
    /// Tells a whole HTTP request, the line of a log and an address from a bare query string or body. An editor's line end
    /// after the latter is not part of it. Of the headers those are kept that an adapter reads, by their names in lower
    /// case.
    fn of(bytes: &'a [u8], headers: &[&'static str]) -> Result<Self, Bilingual> {
        if let Some(request) = Self::http_request(bytes, headers) {
            return Ok(request);
        }
        if let Some(call) = Self::logged(bytes)? {
            return Ok(call);
        }
        let bare = bytes.trim_ascii();
        if let Some(query) = query_of_address(bare) {
            return Ok(Self { method: Method::Get, query: query.into(), body: &[], headers: Vec::new() });
        }
        // A bare message is looked at as a query and as a body: an adapter takes what it knows.
        Ok(Self { method: Method::Post, query: bare.into(), body: bare, headers: Vec::new() })
    }

    /// The one call that a web server's log shows.
    fn logged(bytes: &[u8]) -> Result<Option<Self>, Bilingual> {
        let calls = logged_call::calls(bytes);
        let queries: BTreeSet<&[u8]> =
            calls.iter().map(|call| call.query.as_slice()).filter(|query| !query.is_empty()).collect();
        let mut queries = queries.into_iter();
        match (queries.next(), queries.next()) {
            (Some(query), None) => Ok(Some(Self {
                method: Method::Get,
                query: query.to_vec().into(),
                body: &[],
                headers: Vec::new(),
            })),
            (Some(_), Some(_)) => Err(Bilingual::new(
                "un journal de serveur web avec plusieurs appels\u{a0}; gardez la ligne d’un seul",
                "a log with several calls; keep the line of one",
            )),
            (None, _) if !calls.is_empty() => Err(Bilingual::new(
                "une ligne de journal de serveur web sans message\u{a0}: aucun journal ne garde ce qui est envoyé par POST",
                "the line of a log, and no message in it: no log keeps what was sent by POST",
            )),
            (None, _) => Ok(None),
        }
    }

    fn http_request(bytes: &'a [u8], headers: &[&'static str]) -> Option<Self> {
        let line_end = bytes.iter().position(|b| *b == b'\n')?;
        let (first, rest) = bytes.split_at_checked(line_end)?;
        let mut words = first.trim_ascii_end().split(|b| *b == b' ');
        let method = match words.next()? {
            b"GET" => Method::Get,
            b"POST" => Method::Post,
            _ => return None,
        };
        let target = words.next()?;
        if !words.next()?.starts_with(b"HTTP/") {
            return None;
        }
        let query = target.iter().position(|b| *b == b'?').and_then(|at| target.get(at.saturating_add(1)..));
        let (head, body) = split_head(rest).unwrap_or((rest, &[]));
        let headers = head.split(|b| *b == b'\n').filter_map(|line| header(line, headers)).collect();
        Some(Self { method, query: query.unwrap_or_default().into(), body, headers })
    }

    fn request(&self) -> Request<'_> {
        Request { method: self.method, query: &self.query, body: self.body, headers: &self.headers }
    }
}

/// Of `https://host/path?query`, the query.
fn query_of_address(text: &[u8]) -> Option<&[u8]> {
    let is_address = [&b"http://"[..], b"https://", b"/"].iter().any(|start| text.starts_with(start));
    let at = text.iter().position(|byte| *byte == b'?').filter(|_| is_address)?;
    text.get(at.saturating_add(1)..)
}

/// What stands before and after the first empty line.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    [&b"\r\n\r\n"[..], &b"\n\n"[..]].into_iter().find_map(|gap| {
        let at = bytes.windows(gap.len()).position(|window| window == gap)?;
        Some((bytes.get(..at)?, bytes.get(at.saturating_add(gap.len())..)?))
    })
}

/// A header of the wanted names.
fn header(line: &[u8], wanted: &[&'static str]) -> Option<(&'static str, Vec<u8>)> {
    let (name, value) = line.split_at_checked(line.iter().position(|b| *b == b':')?)?;
    let name = wanted.iter().find(|wanted| wanted.as_bytes().eq_ignore_ascii_case(name))?;
    Some((name, value.strip_prefix(b":")?.trim_ascii().to_vec()))
}

/// For programs.
#[derive(Serialize)]
struct Report<'d> {
    genuine: bool,
    summary: &'d str,
    details: Vec<&'d str>,
}

fn print(diagnosis: &Diagnosis, language: Language, format: ReportFormat) -> Result<(), Failure> {
    let report = Report {
        genuine: diagnosis.genuine,
        summary: language.of(&diagnosis.summary),
        details: diagnosis.details.iter().map(|detail| language.of(detail)).collect(),
    };
    if format == ReportFormat::Json {
        return output::json(&report);
    }
    output::line(if report.genuine {
        output::pair(language, "AUTHENTIQUE", "GENUINE")
    } else {
        output::pair(language, "NON AUTHENTIQUE", "NOT GENUINE")
    })?;
    output::line(report.summary)?;
    for detail in report.details {
        output::line(format!("  {detail}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Captured<'_> {
        Captured::of(bytes, &[]).expect("one message")
    }

    #[test]
    fn a_captured_request_is_told_from_a_bare_message() {
        let get = of(b"GET /n/e/t?Mt=1&K=2 HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!((get.method, &*get.query, get.body), (Method::Get, &b"Mt=1&K=2"[..], &b""[..]));
        let post = of(b"POST /n/e/t HTTP/1.1\r\nHost: h\r\n\r\nvads_a=1");
        assert_eq!((post.method, &*post.query, post.body), (Method::Post, &b""[..], &b"vads_a=1"[..]));
        let bare = of(b"Mt=1&K=2\n");
        assert_eq!(bare.request().payload(), b"Mt=1&K=2");
    }

    #[test]
    fn a_captured_request_keeps_the_headers_that_are_read() {
        let captured = Captured::of(
            b"POST / HTTP/1.1\r\nHost: h\r\nX-Signature:  a:b= \r\nx-signature: c\r\n\r\nX-Signature: d",
            &["x-signature", "x-key"],
        )
        .expect("a request");
        let request = captured.request();
        assert_eq!(request.header("x-signature").collect::<Vec<_>>(), [&b"a:b="[..], b"c"]);
        assert_eq!((request.header("x-key").count(), request.header("host").count()), (0, 0));
        assert_eq!(request.body, b"X-Signature: d");
    }

    #[test]
    fn the_line_of_a_log_and_a_whole_address_hold_a_message() {
        let line = b"1.2.3.4 - - [28/Nov/2026:10:00:00 +0100] \"GET /n/e/t?Mt=1&K=2 HTTP/1.1\" 502 1";
        for text in [&line[..], b"https://pay.example/n/e/t?Mt=1&K=2\n", b"/n/e/t?Mt=1&K=2"] {
            assert_eq!(of(text).request().payload(), b"Mt=1&K=2");
        }
        let refused = |text: &[u8]| Captured::of(text, &[]).expect_err("no one message").to_string();
        let two = [&line[..], b"\n", b"\"GET /n/e/t?Mt=2&K=2 HTTP/1.1\" 502 1"].concat();
        assert!(refused(&two).contains("keep the line of one"));
        assert!(refused(b"1.2.3.4 - - \"POST /n/e/t HTTP/1.1\" 403 1").contains("sent by POST"));
    }
}
