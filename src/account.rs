//! Accounts of this machine, by name.

use nix::unistd::{Uid, User};

/// An account's name as the system knows it, from its own files or from a directory service; its number where it has none.
#[must_use]
pub(crate) fn name_of(uid: u32) -> String {
    let known = User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name);
    let unknown = || if uid == 0 { "root".to_owned() } else { format!("uid {uid}") };
    printable(&known.filter(|name| !name.is_empty()).unwrap_or_else(unknown))
}

/// A name as other people's terminals may show it.
#[must_use]
pub(crate) fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_the_name_that_the_system_knows_and_else_its_number() {
        assert_eq!(name_of(0), "root");
        assert_eq!(name_of(3_999_999_999), "uid 3999999999");
        assert_eq!(printable("a\u{1b}[31mb\n"), "a[31mb");
    }
}
