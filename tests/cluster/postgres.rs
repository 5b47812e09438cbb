//! A PostgreSQL of its own for each test: `initdb` once, a copy of that for each, and a socket in its own folder. It is
//! Debian's (`packaging/bootstrap.sh`); without it these tests are left out, loudly, but never in continuous integration.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where the programs are; `None` where there are none.
pub fn programs() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
            let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
            folders.retain(|folder| folder.join("initdb").exists());
            folders.sort();
            let found = folders.pop();
            if found.is_none() {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "PostgreSQL is missing: run packaging/bootstrap.sh"
                );
                let notice = "NOT CHECKED: PostgreSQL is missing; packaging/bootstrap.sh installs it";
                writeln!(std::io::stderr(), "{notice}").expect("told");
            }
            found
        })
        .clone()
}

/// Runs a program as somebody whom PostgreSQL does not refuse: it does not run as root.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig=KILL", "--"])
        .arg(program);
    command
}

fn is_root() -> bool {
    own_uid() == 0
}

fn own_uid() -> u32 {
    std::fs::metadata("/proc/self").map_or(u32::MAX, |own| own.uid())
}

fn give_away(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").args(["-R", "nobody:nogroup"]).arg(folder).status().expect("chown");
        assert!(given.success());
    }
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.env("LC_ALL", "C.UTF-8").current_dir("/").output().expect("started");
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {told}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A fresh cluster that the others are copied from, made once and kept for the next run.
fn template(bin: &Path) -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let version = bin.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let kept = std::env::temp_dir().join(format!("cvco-postgresql-{version}-{}", own_uid()));
        if kept.join("data/PG_VERSION").exists() {
            return kept;
        }
        let folder = tempfile::Builder::new().prefix("pg-").tempdir_in("/tmp").expect("folder");
        give_away(folder.path());
        let data = folder.path().join("data");
        run(unprivileged(&bin.join("initdb"))
            .args(["--no-sync", "--username=cvco", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .arg("--wal-segsize=1")
            .arg("-D")
            .arg(&data));
        let mut conf = std::fs::read_to_string(data.join("postgresql.conf")).expect("settings");
        conf.push_str(
            "\nlisten_addresses = ''\nshared_buffers = 16MB\nmax_connections = 40\nmax_wal_senders = 4\n\
             wal_level = replica\nautovacuum = off\nmax_wal_size = 256MB\nwal_keep_size = 64MB\n",
        );
        std::fs::write(data.join("postgresql.conf"), conf).expect("settings");
        // Another process may have been first.
        drop(std::fs::rename(folder.path(), &kept));
        if kept.join("data/PG_VERSION").exists() { kept } else { folder.keep() }
    })
}

/// PostgreSQL's own.
const PORT: u16 = 5432;

/// A running server; killed when it goes out of scope.
pub struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    /// What its socket is named by.
    port: u16,
    child: Option<Child>,
}

impl Postgres {
    /// Starts one with these settings; `None` where there is no PostgreSQL.
    pub fn start(settings: &str) -> Option<Self> {
        let bin = programs()?;
        let folder = tempfile::Builder::new().prefix("pg-").tempdir_in("/tmp").expect("folder");
        run(Command::new("cp").arg("-r").arg(template(&bin).join("data")).arg(folder.path().join("data")));
        let mut server = Self { folder, bin, port: PORT, child: None };
        server.configure(settings);
        server.run();
        server.sql("postgres", "CREATE DATABASE cvco");
        Some(server)
    }

    /// Has it speak TLS on the loopback address too, with the key and a certificate of a folder; its port.
    pub fn secure(&mut self, folder: &Path, certificate: &str) -> u16 {
        self.port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound").port();
        let here = self.folder.path();
        std::fs::copy(folder.join("server.key"), here.join("server.key")).expect("a key");
        // It takes no key that others may read.
        std::fs::set_permissions(here.join("server.key"), std::fs::Permissions::from_mode(0o600))
            .expect("set");
        std::fs::copy(folder.join(certificate), here.join("server.pem")).expect("a certificate");
        self.configure(&format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nssl = on\nssl_cert_file = '{}/server.pem'\n\
             ssl_key_file = '{1}/server.key'",
            self.port,
            here.display()
        ));
        self.kill();
        self.run();
        self.port
    }

    /// Has it show another certificate from now on.
    pub fn show(&self, certificate: &Path) {
        std::fs::copy(certificate, self.folder.path().join("server.pem")).expect("a certificate");
        self.reload();
    }

    /// Starts a standby of this one, that follows it under a name.
    pub fn standby(&self, name: &str) -> Self {
        let mut server = Self { folder: self.backup(), bin: self.bin.clone(), port: PORT, child: None };
        std::fs::write(server.folder.path().join("data/standby.signal"), "").expect("signal");
        let primary = self.folder.path().display();
        server.configure(&format!(
            "hot_standby = on\nsynchronous_standby_names = ''\n\
             primary_conninfo = 'host={primary} user=cvco application_name={name}'\n"
        ));
        server.run();
        server
    }

    /// A base backup of it as it is now.
    pub fn backup(&self) -> TempDir {
        let folder = tempfile::Builder::new().prefix("pg-").tempdir_in("/tmp").expect("folder");
        give_away(folder.path());
        run(unprivileged(&self.bin.join("pg_basebackup"))
            .args(["--no-sync", "--checkpoint=fast", "--wal-method=stream", "-U", "cvco", "-h"])
            .arg(self.folder.path())
            .arg("-D")
            .arg(folder.path().join("data")));
        folder
    }

    /// Starts it again with what a backup holds, at the same address.
    pub fn restore(&mut self, backup: &TempDir) {
        self.kill();
        let data = self.folder.path().join("data");
        std::fs::remove_dir_all(&data).expect("removed");
        std::fs::rename(backup.path().join("data"), &data).expect("in place");
        self.run();
    }

    /// Adds settings; they count from the next start on, or from [`Postgres::reload`].
    pub fn configure(&self, settings: &str) {
        let path = self.folder.path().join("data/postgresql.conf");
        let text = std::fs::read_to_string(&path).expect("settings");
        std::fs::write(&path, format!("{text}\n{settings}\n")).expect("settings");
    }

    pub fn reload(&self) {
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Starts it again after its end.
    pub fn run(&mut self) {
        give_away(self.folder.path());
        // A process number that lives again would keep it from starting.
        drop(std::fs::remove_file(self.folder.path().join("data/postmaster.pid")));
        let log = self.folder.path().join("server.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("log");
        let child = unprivileged(&self.bin.join("postgres"))
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("started");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.answers() {
            assert!(Instant::now() < deadline, "PostgreSQL does not start: {}", self.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        Command::new(self.bin.join("pg_isready"))
            .args(["-q", "-p", &self.port.to_string(), "-h"])
            .arg(self.folder.path())
            .status()
            .is_ok_and(|status| status.success())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Kills it as a power cut does: every process at once.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = child.id();
        let backends = Command::new("pgrep").args(["-P", &pid.to_string()]).output().expect("pgrep");
        let backends = String::from_utf8_lossy(&backends.stdout).into_owned();
        let pids: Vec<&str> = backends.split_whitespace().collect();
        child.kill().expect("killed");
        child.wait().expect("ended");
        if !pids.is_empty() {
            // Some ended with their parent.
            drop(Command::new("kill").arg("-KILL").args(&pids).stderr(Stdio::null()).status());
        }
        // The next start must not meet one that has not gone yet.
        let deadline = Instant::now() + Duration::from_secs(10);
        while pids.iter().any(|pid| Path::new("/proc").join(pid).exists()) && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Keeps a standby from receiving any more.
    pub fn stop_receiving(&self) {
        self.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
        self.reload();
        while !self.sql("postgres", "SELECT pid FROM pg_stat_wal_receiver").is_empty() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.sql("postgres", "SELECT pg_promote(true, 30)");
    }

    /// Holds the end of the log, as a machine does while it appends, until the value is dropped.
    pub fn hold_the_end(&self) -> Held {
        let mut child =
            self.psql("cvco").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        let mut script = child.stdin.take().expect("a pipe");
        script.write_all(b"BEGIN; SELECT 'held' FROM head FOR UPDATE;\n").expect("written");
        let mut answer = [0; 4];
        child.stdout.take().expect("a pipe").read_exact(&mut answer).expect("held");
        Held { child, _script: script }
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "cvco", "-d", database])
            .args(["-p", &self.port.to_string(), "-h"])
            .arg(self.folder.path());
        psql
    }

    /// The address of its database for the log.
    pub fn url(&self) -> String {
        Self::url_of(&[self])
    }

    /// The address of several, of which one is the primary.
    pub fn url_of(servers: &[&Self]) -> String {
        let host = |server: &&Self| server.folder.path().display().to_string().replace('/', "%2F");
        let hosts: Vec<String> = servers.iter().map(host).collect();
        format!("postgresql://cvco@{}/cvco", hosts.join(","))
    }

    /// Runs a script; rows come as text, columns separated by `|`.
    #[track_caller]
    pub fn sql(&self, database: &str, script: &str) -> Vec<String> {
        let text = run(self.psql(database).arg("-c").arg(script));
        text.lines().map(str::to_owned).collect()
    }

    /// The same over the log's database.
    #[track_caller]
    pub fn rows(&self, query: &str) -> Vec<String> {
        self.sql("cvco", query)
    }
}

/// A session that holds the end of the log.
pub struct Held {
    child: Child,
    _script: ChildStdin,
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}
