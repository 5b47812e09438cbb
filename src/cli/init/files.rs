//! The files that `init` makes. None is ever overwritten, and none is left where it could not end.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::Failure;
use super::plan::Plan;

/// Beside the configuration.
const SECRETS: &str = "secrets";

/// Where the guide is kept: it shows the secret URLs.
pub(super) const GUIDE: &str = "secrets/a-coller.txt";

/// The service alone may read secrets; the group of the ledger may read the configuration, which holds none.
const SECRET_MODE: u32 = 0o600;
const CONFIG_MODE: u32 = 0o640;

/// # Errors
/// The configuration is there already.
pub(super) fn refuse_existing(config: &Path) -> Result<(), Failure> {
    match config.symlink_metadata() {
        Ok(_) => Err(exists(config)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io(config.display().to_string())(error)),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::Refused(format!(
        "{} is there already, and `init` overwrites nothing: move it away, or name another file with --config",
        path.display()
    ))
}

/// Whom a file belongs to.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// What was written; taken away again unless it is kept.
pub(super) struct Files {
    written: Vec<PathBuf>,
}

impl Files {
    pub(super) fn write(config: &Path, plan: &Plan, guide: &str) -> Result<Self, Failure> {
        let folder = config.parent().unwrap_or(Path::new(""));
        let secrets = folder.join(SECRETS);
        match DirBuilder::new().mode(0o700).create(&secrets) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Failure::Usage(format!(
                    "the folder of {} does not exist: make it",
                    config.display()
                )));
            }
            Err(error) => return Err(Failure::io(secrets.display().to_string())(error)),
        }
        let service = secrets.metadata().map_err(Failure::io(secrets.display().to_string()))?;
        let service = Owner { uid: service.uid(), gid: service.gid() };
        let readers =
            Owner { gid: ledger_group(&plan.ledger_folder(folder)).unwrap_or(service.gid), ..service };
        let mut files = Self { written: Vec::new() };
        for secret in &plan.secrets {
            files.file(&secrets.join(&secret.name), &secret.content(), SECRET_MODE, service)?;
        }
        files.file(&folder.join(GUIDE), guide, SECRET_MODE, service)?;
        files.file(config, &plan.config, CONFIG_MODE, readers)?;
        Ok(files)
    }

    /// Makes a file. Run by root, it belongs to whoever the folder of secrets belongs to: the service's user.
    fn file(&mut self, path: &Path, text: &str, mode: u32, owner: Owner) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            if error.kind() == ErrorKind::AlreadyExists {
                exists(path)
            } else {
                Failure::io(path.display().to_string())(error)
            }
        };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(SECRET_MODE).open(path).map_err(failed)?;
        self.written.push(path.to_owned());
        if rustix::process::geteuid().is_root() {
            fchown(&file, Some(owner.uid), Some(owner.gid)).map_err(failed)?;
        }
        // Whatever the umask is.
        file.set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    pub(super) fn keep(mut self) {
        self.written.clear();
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.written {
            // It was made a moment ago, and the command ends with the reason.
            drop(std::fs::remove_file(path));
        }
    }
}

/// The group that may read the ledger, if its folder is there.
fn ledger_group(folder: &Path) -> Option<u32> {
    Some(folder.metadata().ok()?.gid())
}
