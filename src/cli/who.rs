//! The account that runs a command, as the log keeps it.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;

/// The account before `sudo`, else the one that runs the command. Its name is the system's, not what a variable says: so
/// root is `root` from a shell, through `sudo`, from cron and in a container alike.
pub(super) fn account() -> String {
    let uid = std::fs::metadata("/proc/self").ok().map(|own| own.uid());
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(uid, &accounts, |name| std::env::var_os(name))
}

fn named(uid: Option<u32>, accounts: &str, variable: impl Fn(&str) -> Option<OsString>) -> String {
    let said = |name: &str| {
        let text = variable(name)?.to_string_lossy().into_owned();
        Some(text).filter(|text| !text.trim().is_empty())
    };
    let of_system = |uid: u32| {
        let mut fields = accounts.lines().map(|line| line.split(':'));
        fields.find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        })
    };
    let own = || {
        let uid = uid?;
        // An account of a directory service stands in no file.
        let shell = || said("USER").or_else(|| said("LOGNAME")).filter(|_| uid != 0);
        of_system(uid)
            .or_else(shell)
            .or_else(|| Some(if uid == 0 { "root".to_owned() } else { format!("uid {uid}") }))
    };
    let name = said("SUDO_USER").or_else(own).unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = "root:x:0:0:root:/root:/bin/bash\nclaire:x:1000:1000::/home/claire:/bin/sh\n";

    fn account(uid: u32, variables: &[(&str, &str)]) -> String {
        let of =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        named(Some(uid), ACCOUNTS, of)
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
        assert_eq!(named(Some(0), "", |_| None), "root", "a container without accounts");
    }

    #[test]
    fn whoever_used_sudo_is_named_and_so_is_an_account_of_its_own() {
        assert_eq!(account(0, &[("SUDO_USER", "claire"), ("USER", "root")]), "claire");
        assert_eq!(account(1000, &[("USER", "somebody")]), "claire");
        assert_eq!(account(70_000, &[("USER", "paul@ad.example")]), "paul@ad.example");
        assert_eq!(account(70_000, &[]), "uid 70000");
    }
}
