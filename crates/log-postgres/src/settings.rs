//! Where PostgreSQL is, and how a session must be.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long a connection may take, at each host.
const CONNECT: Duration = Duration::from_secs(2);

/// How long the network may leave what was sent unconfirmed.
const UNCONFIRMED: Duration = Duration::from_secs(5);

/// A connection on which nothing happens for so long is looked after.
const KEPT_ALIVE: Duration = Duration::from_secs(30);

/// A machine's part in the log of several.
#[derive(Clone)]
pub struct Settings {
    config: Config,
    /// For each server its own: one that hangs must not keep the others from being tried.
    servers: Vec<Config>,
    /// The server that took writes when it was last looked for.
    last: Arc<AtomicUsize>,
    is_near: bool,
    /// The authority that signed the servers' certificate, where it is none of the system's.
    pub ca_file: Option<PathBuf>,
    /// This machine's name.
    pub name: String,
    /// Who leads, if this process does: no other process has this name.
    pub holder: String,
    /// How this program folds the log.
    pub fold_version: i32,
    /// Its version, for people.
    pub version: String,
    /// How long a call waits for a PostgreSQL that is away.
    pub patience: Duration,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("at", &self.place())
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads a URL, as in `postgresql://cvco_node:password@db1,db2/cvco`.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right; without its password.
    pub fn new(url: &SecretString, name: String, fold_version: i32, version: String) -> Result<Self, String> {
        let (plain, tls) = without_tls(url.expose_secret());
        let mut config: Config = plain.parse().map_err(|_| {
            "not an address of PostgreSQL; write for instance postgresql://cvco_node:PASSWORD@db1,db2:5432/cvco"
                .to_owned()
        })?;
        if config.get_hosts().is_empty() {
            return Err("names no host; write for instance postgresql://cvco_node@db1,db2/cvco".to_owned());
        }
        if config.get_dbname().is_none() {
            return Err(
                "names no database; write for instance postgresql://cvco_node@db1,db2/cvco".to_owned()
            );
        }
        let is_near = config.get_hosts().iter().all(is_near);
        match tls.as_deref() {
            None | Some("verify-full" | "verify-ca" | "require") => {}
            Some("disable" | "allow" | "prefer") if is_near => {}
            Some(other) => {
                return Err(format!(
                    "sslmode={other} would send the log readable over the network; leave sslmode out, and the server's \
                     certificate is checked"
                ));
            }
        }
        config
            .ssl_mode(if is_near { SslMode::Disable } else { SslMode::Require })
            .application_name(format!("cvco-reconciled {name}"));
        let servers = servers(&config);
        let holder =
            format!("{name}/{}", cvco_domain::crypto::random_id().map_err(|error| error.to_string())?);
        Ok(Self {
            config,
            servers,
            last: Arc::default(),
            is_near,
            ca_file: None,
            name,
            holder,
            fold_version,
            version,
            patience: Duration::from_secs(8),
        })
    }

    /// Where it is, for people: hosts and database.
    #[must_use]
    pub fn place(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        format!("{}/{}", hosts.join(","), self.config.get_dbname().unwrap_or_default())
    }

    /// The servers, each with its place, the one first that took writes the last time.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (usize, &Config)> {
        let last = self.last.load(Ordering::Relaxed);
        let (others, first): (Vec<_>, Vec<_>) =
            self.servers.iter().enumerate().partition(|(place, _)| *place != last);
        first.into_iter().chain(others)
    }

    /// The server at this place takes writes.
    pub(crate) fn takes_writes(&self, place: usize) {
        self.last.store(place, Ordering::Relaxed);
    }

    /// Whether nothing goes over a network.
    pub(crate) const fn is_near(&self) -> bool {
        self.is_near
    }
}

/// The same settings, for one server each.
fn servers(config: &Config) -> Vec<Config> {
    let ports = config.get_ports();
    let server = |(n, host): (usize, &Host)| {
        let mut one = Config::new();
        match host {
            Host::Tcp(name) => one.host(name),
            Host::Unix(path) => one.host_path(path),
        };
        // The name is still what the certificate must be for.
        if let Some(address) = config.get_hostaddrs().get(n) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(n).or_else(|| ports.first()) {
            one.port(*port);
        }
        if let Some(user) = config.get_user() {
            one.user(user);
        }
        if let Some(password) = config.get_password() {
            one.password(password);
        }
        if let Some(database) = config.get_dbname() {
            one.dbname(database);
        }
        if let Some(options) = config.get_options() {
            one.options(options);
        }
        if let Some(name) = config.get_application_name() {
            one.application_name(name);
        }
        one.ssl_mode(config.get_ssl_mode())
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT)
            .tcp_user_timeout(UNCONFIRMED)
            .keepalives_idle(KEPT_ALIVE);
        one
    };
    config.get_hosts().iter().enumerate().map(server).collect()
}

fn is_near(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}

/// The URL without `sslmode`, of whose words the client knows only some, and that word.
fn without_tls(url: &str) -> (String, Option<String>) {
    let Some((address, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut mode = None;
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| match pair.strip_prefix("sslmode=") {
            Some(word) => {
                mode = Some(word.to_owned());
                false
            }
            None => true,
        })
        .collect();
    let address = if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) };
    (address, mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> Result<Settings, String> {
        Settings::new(&url.to_owned().into(), "one".to_owned(), 1, "1".to_owned())
    }

    #[test]
    fn tls_is_left_out_only_where_nothing_leaves_the_machine() {
        for near in [
            "postgresql://node@127.0.0.1:5432/cvco",
            "postgresql://node@localhost,[::1]/cvco?sslmode=disable",
            "postgresql:///cvco?host=/run/postgresql",
        ] {
            assert_eq!(settings(near).expect("settings").config.get_ssl_mode(), SslMode::Disable, "{near}");
        }
        for far in [
            "postgresql://node@db1,db2/cvco",
            "postgresql://node@db1,127.0.0.1/cvco?sslmode=require",
            "postgresql://node@db1/cvco?sslmode=verify-full&connect_timeout=9",
        ] {
            assert_eq!(settings(far).expect("settings").config.get_ssl_mode(), SslMode::Require, "{far}");
        }
        assert!(
            settings("postgresql://node@db1/cvco?sslmode=prefer").expect_err("readable").contains("readable")
        );
    }

    #[test]
    fn the_server_that_took_writes_is_tried_first() {
        let settings = settings("postgresql://node:secret@db1:5433,db2:5434/cvco").expect("settings");
        let order = || -> Vec<u16> {
            settings.servers().flat_map(|(_, server)| server.get_ports().to_vec()).collect()
        };
        assert_eq!(order(), [5433, 5434]);
        settings.takes_writes(1);
        assert_eq!(order(), [5434, 5433]);
        assert!(settings.servers().all(|(_, server)| server.get_password() == Some(b"secret")));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for wrong in
            ["", "mysql://x:hunter2@h/d", "postgresql://u:hunter2@/cvco", "postgresql://u:hunter2@db1"]
        {
            let told = settings(wrong).expect_err("wrong");
            assert!(!told.contains("hunter2") && told.contains("postgresql://"), "{told}");
        }
        let shown = format!("{:?}", settings("postgresql://u:hunter2@db1,db2/cvco").expect("settings"));
        assert!(shown.contains("db1,db2/cvco") && !shown.contains("hunter2"), "{shown}");
    }
}
