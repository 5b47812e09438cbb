//! `[admin]`: who may look at the dashboard, and act there.

use std::path::PathBuf;

use cvco_domain::crypto::HashedPassword;
use cvco_domain::{Bilingual, UnknownWord};
use cvco_pages::Role;
use serde::Deserialize;

use super::check::{Check, given_twice};
use super::{User, secrets};

/// The longest name of a user.
const LONGEST_NAME: usize = 64;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdmin {
    #[serde(default)]
    user: Vec<RawUser>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUser {
    name: String,
    role: String,
    password_hash: Option<String>,
    password_hash_file: Option<String>,
}

impl RawAdmin {
    pub(super) fn users(&self, check: &mut Check<'_>) -> Vec<User> {
        let mut users: Vec<User> = Vec::with_capacity(self.user.len());
        for (n, raw) in self.user.iter().enumerate() {
            let key = |name: &str| format!("admin.user[{n}].{name}");
            let name = check.value(&key("name"), name(&raw.name));
            let role = check.value(&key("role"), role(&raw.role));
            let hash = raw.hash(&key("password_hash"), check);
            let (Some(name), Some(role), Some(password)) = (name, role, hash) else { continue };
            if users.iter().any(|other| other.name == name) {
                check.wrong(
                    key("name"),
                    (
                        format!(
                            "{name} est déjà le nom d’un utilisateur précédent\u{a0}; donnez à chacun le sien"
                        ),
                        format!("{name} is the name of an earlier user; give each their own"),
                    ),
                );
                continue;
            }
            users.push(User { name, role, password });
        }
        users
    }
}

impl RawUser {
    fn hash(&self, key: &str, check: &mut Check<'_>) -> Option<HashedPassword> {
        let text = match (&self.password_hash, &self.password_hash_file) {
            (Some(hash), None) => hash.clone(),
            (None, Some(file)) => {
                let read = secrets::path(file, check.folder).and_then(|path: PathBuf| {
                    std::fs::read_to_string(&path).map_err(|error| secrets::unreadable(&path, &error))
                });
                check.value(key, read)?
            }
            (None, None) => {
                check.wrong(
                    key,
                    (
                        "nécessaire (ou password_hash_file)\u{a0}: créez-en une avec `cvco-reconciled user-hash`",
                        "needed (or password_hash_file): make one with `cvco-reconciled user-hash`",
                    ),
                );
                return None;
            }
            (Some(_), Some(_)) => {
                check.wrong(key, given_twice());
                return None;
            }
        };
        check.value(key, HashedPassword::parse(&text))
    }
}

fn name(text: &str) -> Result<String, Bilingual> {
    let fits = !text.is_empty()
        && text.chars().count() <= LONGEST_NAME
        && text == text.trim()
        && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Bilingual::new(
            format!("un nom compte de 1 à {LONGEST_NAME} caractères sur une ligne"),
            format!("a name has 1 to {LONGEST_NAME} characters on one line"),
        ))
    }
}

fn role(text: &str) -> Result<Role, UnknownWord> {
    Role::ALL
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| UnknownWord::new(text, "viewer, accountant, admin"))
}
