//! The account that runs a command, as the log keeps it.

use std::ffi::OsString;

use crate::account;

/// The account before `sudo`, else the one that runs the command. Its name is the system's, not what a variable says: so
/// root is `root` from a shell, through `sudo`, from cron and in a container alike.
pub(super) fn account() -> String {
    let uid = rustix::process::getuid().as_raw();
    named(uid, account::name_of, |name| std::env::var_os(name))
}

fn named(uid: u32, name_of: impl Fn(u32) -> String, variable: impl Fn(&str) -> Option<OsString>) -> String {
    let before = variable("SUDO_USER").map(|name| account::printable(&name.to_string_lossy()));
    before.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| name_of(uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(uid: u32, variables: &[(&str, &str)]) -> String {
        let known = |uid| if uid == 0 { "root".to_owned() } else { "claire".to_owned() };
        let of =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        named(uid, known, of)
    }

    #[test]
    fn root_is_recorded_in_one_way() {
        for variables in [
            &[][..],
            &[("USER", "root")],
            &[("SUDO_USER", "root"), ("USER", "root")],
            &[("SUDO_USER", "")],
            &[("USER", "claire")],
        ] {
            assert_eq!(account(0, variables), "root", "{variables:?}");
        }
    }

    #[test]
    fn whoever_used_sudo_is_named_and_so_is_an_account_of_its_own() {
        assert_eq!(account(0, &[("SUDO_USER", "claire"), ("USER", "root")]), "claire");
        assert_eq!(account(1000, &[("USER", "somebody")]), "claire");
    }
}
