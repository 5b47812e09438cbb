//! The sockets on which the program listens: those that systemd hands over, and its own.

use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use super::AppError;
use crate::config::Config;

/// Owner and group may connect: the service's user, and the accountants.
const SOCKET_MODE: u32 = 0o660;

/// The bound listeners.
pub struct Listeners {
    /// Notifications.
    pub public: TcpListener,
    /// Orders, health, metrics.
    pub admin: TcpListener,
    /// The same, and commands, for accounts of this machine.
    pub local: Option<UnixListener>,
}

impl Listeners {
    /// Takes from systemd what it offers, and binds the rest.
    ///
    /// # Errors
    /// An address is taken, or not ours.
    pub async fn open(config: &Config) -> Result<Self, AppError> {
        let handed = Handed::over()?;
        let listener = &config.listener;
        Ok(Self {
            public: match handed.public {
                Some(handed) => handed,
                None => bind("public", listener.public).await?,
            },
            admin: match handed.admin {
                Some(handed) => handed,
                None => bind("admin", listener.admin).await?,
            },
            local: match (handed.local, &listener.admin_socket) {
                (Some(handed), _) => Some(handed),
                (None, Some(path)) => Some(bind_local(path)?),
                (None, None) => None,
            },
        })
    }

    /// Where notifications arrive.
    pub(super) fn public_address(&self) -> String {
        address(&self.public)
    }

    /// Where the shop and its administrator call.
    pub(super) fn admin_address(&self) -> String {
        address(&self.admin)
    }

    /// Where accounts of this machine call.
    pub(super) fn socket(&self) -> String {
        let address = self.local.as_ref().and_then(|local| local.local_addr().ok());
        let Some(address) = address else { return String::new() };
        let path = address.as_pathname();
        path.map(|path| path.display().to_string()).unwrap_or_default()
    }
}

fn address(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| address.to_string()).unwrap_or_default()
}

async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address).await.map_err(|source| AppError::Listen { key, address, source })
}

fn bind_local(path: &Path) -> Result<UnixListener, AppError> {
    let failed = |source| AppError::ListenLocally { path: path.to_owned(), source };
    if is_left_behind(path) {
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    // Whatever the umask is.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE)).map_err(failed)?;
    Ok(listener)
}

/// Whether a daemon that was killed left its socket there: nobody listens at it.
fn is_left_behind(path: &Path) -> bool {
    let is_socket = path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_socket());
    let refuses = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    is_socket && std::os::unix::net::UnixStream::connect(path).is_err_and(refuses)
}

/// What systemd hands over (`LISTEN_FDS`), by the names in its socket units: `public`, and `admin` for an address or a path.
#[derive(Default)]
struct Handed {
    public: Option<TcpListener>,
    admin: Option<TcpListener>,
    local: Option<UnixListener>,
}

impl Handed {
    fn over() -> std::io::Result<Self> {
        let names = std::env::var_os("LISTEN_FDNAMES").unwrap_or_default();
        let names = names.to_string_lossy();
        let mut names = names.split(':');
        let mut handed = ListenFd::from_env();
        let mut taken = Self::default();
        for n in 0..handed.len() {
            let is_admin = names.next() == Some("admin");
            if is_admin && let Ok(Some(socket)) = handed.take_unix_listener(n) {
                socket.set_nonblocking(true)?;
                taken.local = Some(UnixListener::from_std(socket)?);
            } else if let Some(socket) = handed.take_tcp_listener(n)? {
                socket.set_nonblocking(true)?;
                let socket = TcpListener::from_std(socket)?;
                *(if is_admin { &mut taken.admin } else { &mut taken.public }) = Some(socket);
            }
        }
        Ok(taken)
    }
}
