//! Questions to a person: what a flag says is not asked.

use std::io::{BufRead, Read};
use std::path::Path;

use secrecy::SecretString;

use super::plan::{Secret, printable};
use super::{Failure, output};

/// A file with a secret is never longer.
const LONGEST: u64 = 16 * 1024;

/// What is asked, if no flag says it.
pub(super) struct Question<'q> {
    /// The flag that answers it.
    flag: &'static str,
    words: &'q str,
    example: Option<&'q str>,
    /// What counts if nothing is answered.
    default: Option<&'q str>,
}

impl<'q> Question<'q> {
    pub(super) const fn new(flag: &'static str, words: &'q str) -> Self {
        Self { flag, words, example: None, default: None }
    }

    pub(super) const fn like(self, example: &'q str) -> Self {
        Self { example: Some(example), ..self }
    }

    pub(super) const fn or(self, default: &'q str) -> Self {
        Self { default: Some(default), ..self }
    }

    fn prompt(&self) -> String {
        match (self.default, self.example) {
            (Some(default), _) if !default.is_empty() => format!("{} [{default}] : ", self.words),
            (Some(_), _) => format!("{} [rien] : ", self.words),
            (None, Some(example)) => format!("{}, par exemple {example} : ", self.words),
            (None, None) => format!("{} : ", self.words),
        }
    }
}

/// Asks on standard error and reads standard input, so that standard output holds the guide alone.
pub(super) struct Asker {
    /// Standard input has ended: what has no default cannot be answered any more.
    is_over: bool,
}

impl Asker {
    pub(super) const fn new() -> Self {
        Self { is_over: false }
    }

    /// The flag's value, or else a person's answer. A wrong flag ends the command; a wrong answer is asked for again.
    pub(super) fn answer<T>(
        &mut self,
        given: Option<&str>,
        question: &Question<'_>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        if let Some(given) = given {
            return parse(given).map_err(|why| Failure::Usage(format!("{}: {why}", question.flag)));
        }
        loop {
            let answer = self.line(&question.prompt())?;
            let answer = match (answer.as_deref().map(str::trim), question.default) {
                (None | Some(""), Some(default)) => default,
                (Some(""), None) => continue,
                (None, None) => {
                    let flag = question.flag;
                    return Err(Failure::Usage(format!("{flag} is missing, and nobody is there to ask")));
                }
                (Some(answer), _) => answer,
            };
            match parse(answer) {
                Ok(value) => return Ok(value),
                Err(why) if self.is_over => return Err(Failure::Usage(format!("{}: {why}", question.flag))),
                Err(why) => output::prompt(&format!("  {why}\n"))?,
            }
        }
    }

    /// A secret from a file, or else from a person; the placeholder where it is not known yet.
    pub(super) fn secret(&mut self, file: Option<&Path>, question: &Question<'_>) -> Result<Secret, Failure> {
        if let Some(file) = file {
            let mut text = String::new();
            std::fs::File::open(file)
                .and_then(|opened| opened.take(LONGEST).read_to_string(&mut text))
                .map_err(Failure::io(format!("{} {}", question.flag, file.display())))?;
            let secret = printable(text.trim_end_matches(['\r', '\n']))
                .map_err(|_| Failure::Usage(format!("{}: not one line of text", file.display())))?;
            return Ok(Secret::Known(SecretString::from(secret)));
        }
        let prompt = format!("{} (Entrée : plus tard) : ", question.words);
        let quiet = output::without_echo();
        let answer = self.line(&prompt)?;
        if quiet.is_some() {
            output::prompt("\n")?;
        }
        match answer.as_deref().map(str::trim) {
            None | Some("") => Ok(Secret::Later),
            Some(secret) => {
                let secret = printable(secret)
                    .map_err(|_| Failure::Usage(format!("{}: not one line of text", question.flag)))?;
                Ok(Secret::Known(SecretString::from(secret)))
            }
        }
    }

    /// One line; `None` at the end of standard input.
    fn line(&mut self, prompt: &str) -> Result<Option<String>, Failure> {
        if self.is_over {
            return Ok(None);
        }
        output::prompt(prompt)?;
        let mut line = String::new();
        let length = std::io::stdin()
            .lock()
            .take(LONGEST)
            .read_line(&mut line)
            .map_err(Failure::io("standard input"))?;
        if length == 0 {
            self.is_over = true;
            output::prompt("\n")?;
            return Ok(None);
        }
        Ok(Some(line))
    }
}
