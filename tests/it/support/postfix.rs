//! A Postfix of its own for a test, as Debian ships it: STARTTLS, TLS from the first byte, a login over Cyrus SASL. It needs
//! root, for Postfix gives its parts to users of their own.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::others::program;

use super::wait::until;

/// The login that it knows.
pub const USER: &str = "cvco@camping.example";
pub const PASSWORD: &str = "correct horse";

/// What the parts of Postfix are called, and which of them need root.
const PARTS: &str = "pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// A running Postfix; it stops when it is dropped.
pub struct Postfix {
    folder: TempDir,
    /// STARTTLS, and a login for whoever wants to send.
    pub submission: u16,
    /// TLS from the first byte, and the same login.
    pub wrapped: u16,
    /// Neither, for this machine.
    pub plain: u16,
}

/// Whether Postfix cannot run here, which is said loudly. Continuous integration must not go without.
pub fn is_missing() -> bool {
    if ["postfix", "saslpasswd2"].into_iter().any(|name| program(name).is_none()) {
        return true;
    }
    let uid = std::fs::metadata("/proc/self").map(|own| own.uid()).expect("this process");
    if uid == 0 {
        return false;
    }
    assert!(std::env::var_os("CI").is_none(), "Postfix needs root");
    drop(std::io::stderr().write_all(b"\nNOT CHECKED: nothing is sent to Postfix, which needs root\n"));
    true
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

fn run(command: &mut Command) {
    let output = command.output().expect("ran");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Postfix {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path();
        std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).expect("open to all");
        for part in ["etc", "etc/sasl", "queue", "data", "mail", "log"] {
            std::fs::create_dir(root.join(part)).expect("folder");
        }
        let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
        for file in ["good.pem", "server.key"] {
            std::fs::copy(tls.join(file), root.join("etc").join(file)).expect("copied");
        }
        let (submission, wrapped, plain) = (free_port(), free_port(), free_port());
        let here = root.display();
        std::fs::write(root.join("etc/main.cf"), main_cf(&here.to_string())).expect("written");
        let mut master = String::from(PARTS);
        let no_login = "-o smtpd_tls_security_level=none -o smtpd_sasl_auth_enable=no";
        for (port, options) in
            [(submission, ""), (wrapped, "-o smtpd_tls_wrappermode=yes"), (plain, no_login)]
        {
            writeln!(master, "127.0.0.1:{port} inet n - n - - smtpd {options}").expect("text");
        }
        std::fs::write(root.join("etc/master.cf"), master).expect("written");
        let sasl = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {here}/etc/sasl/sasldb2\nmech_list: PLAIN LOGIN\n"
        );
        std::fs::write(root.join("etc/sasl/smtpd.conf"), sasl).expect("written");
        let database = root.join("etc/sasl/sasldb2");
        let mut saslpasswd = Command::new("saslpasswd2")
            .args(["-p", "-c", "-u", "camping.example", "-f"])
            .arg(&database)
            .arg("cvco")
            .stdin(Stdio::piped())
            .spawn()
            .expect("saslpasswd2");
        saslpasswd.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes()).expect("written");
        assert!(saslpasswd.wait().expect("ended").success());
        run(Command::new("chown").arg("postfix").arg(&database).arg(root.join("data")));
        run(Command::new("chown").arg("nobody").arg(root.join("mail")));
        let postfix = Self { folder, submission, wrapped, plain };
        postfix.command("start");
        postfix
    }

    fn command(&self, verb: &str) {
        run(Command::new("postfix").arg("-c").arg(self.folder.path().join("etc")).arg(verb));
    }

    /// The mails that arrived, as they lie in the mailbox.
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("mail/inbox/new")) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
        files.sort();
        let read = |file: &PathBuf| {
            let mut text = Vec::new();
            std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut text)).expect("read");
            String::from_utf8_lossy(&text).into_owned()
        };
        files.iter().map(read).collect()
    }

    /// Waits until so many have arrived.
    pub async fn wait_for(&self, count: usize) -> Vec<String> {
        until(async || {
            let mails = self.mails();
            if mails.len() >= count {
                Ok(mails)
            } else {
                Err(format!("{} instead of {count}: {}", mails.len(), self.log()))
            }
        })
        .await
    }

    /// Waits until its log says this. A process of its own writes that, some time after what it writes about.
    pub async fn wait_for_log(&self, words: &str) {
        until(async || {
            let log = self.log();
            if log.contains(words) { Ok(()) } else { Err(format!("no {words:?} in {log}")) }
        })
        .await;
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log/maillog")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let stop = Command::new("postfix").arg("-c").arg(self.folder.path().join("etc")).arg("stop").output();
        drop(stop);
    }
}

fn main_cf(here: &str) -> String {
    format!(
        "compatibility_level = 3.6
queue_directory = {here}/queue
data_directory = {here}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {here}/log/maillog
maillog_file_prefixes = {here}
virtual_mailbox_domains = camping.example
virtual_mailbox_base = {here}/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
smtpd_tls_cert_file = {here}/etc/good.pem
smtpd_tls_key_file = {here}/etc/server.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {here}/etc/sasl/
smtpd_sasl_local_domain = camping.example
smtpd_relay_restrictions = permit_sasl_authenticated, permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{later@camping.example = 450 4.2.0 Greylisted, come again}} {{never@camping.example = 550 5.1.1 no such user}} {{full@camping.example = 452 4.2.2 mailbox full}} }}, permit_sasl_authenticated, permit_mynetworks, reject
"
    )
}

/// What a connection through a [`Cable`] goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// Nobody answers.
    Down,
    /// It breaks off after so many bytes towards the server.
    CutAfter(usize),
}

/// A cable between daemon and server, which can be cut.
pub struct Cable {
    pub address: SocketAddr,
    fault: Arc<Mutex<Fault>>,
    task: tokio::task::JoinHandle<()>,
}

impl Cable {
    pub async fn to(port: u16, fault: Fault) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let fault = Arc::new(Mutex::new(fault));
        let shared = Arc::clone(&fault);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let fault = *shared.lock().expect("lock");
                if fault != Fault::Down {
                    tokio::spawn(carry(near, port, fault));
                }
            }
        });
        Self { address, fault, task }
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.lock().expect("lock") = fault;
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut near: TcpStream, port: u16, fault: Fault) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut up, mut down) = (vec![0; 4096], vec![0; 4096]);
    let mut sent = 0;
    loop {
        tokio::select! {
            read = near.read(&mut up) => match read {
                Ok(count @ 1..) => {
                    sent += count;
                    if matches!(fault, Fault::CutAfter(limit) if sent > limit) {
                        return;
                    }
                    if far.write_all(&up[..count]).await.is_err() {
                        return;
                    }
                }
                Ok(0) | Err(_) => return,
            },
            read = far.read(&mut down) => match read {
                Ok(count @ 1..) => if near.write_all(&down[..count]).await.is_err() { return },
                Ok(0) | Err(_) => return,
            },
        }
    }
}
