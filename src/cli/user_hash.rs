//! `user-hash`: the hash of a password, for `[[admin.user]]`.

use std::io::{IsTerminal, Read};

use clap::Args;
use cvco_domain::crypto::HashedPassword;
use cvco_domain::text_file::utf8;
use secrecy::SecretString;

use super::{Failure, Outcome, output};

/// No password is longer.
const LONGEST: u64 = 2048;

#[derive(Debug, Args)]
pub(super) struct Options {}

pub(super) fn run(_: &Options) -> Result<Outcome, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        output::warn(
            "the password is shown as you type it: end it with Enter and Ctrl-D, then clear the screen",
        );
    }
    let mut bytes = Vec::new();
    stdin.lock().take(LONGEST).read_to_end(&mut bytes).map_err(Failure::io("standard input"))?;
    let bytes = utf8(&bytes);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::Usage("the password is not text in UTF-8".to_owned()))?;
    let password = SecretString::from(text.trim_end_matches(['\r', '\n']));
    let hash = HashedPassword::of(&password).map_err(|error| Failure::Usage(error.to_string()))?;
    output::line(hash.as_str())?;
    Ok(Outcome::Fine)
}
