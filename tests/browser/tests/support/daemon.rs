//! The program, serving a copy of the demonstration.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

use cvco_trial::mail_sink::MailSink;
use tempfile::TempDir;

use super::demonstration;

/// Killed when it goes out of scope.
pub struct Daemon {
    pub admin: SocketAddr,
    child: Child,
    scribe: Option<JoinHandle<()>>,
    _folder: TempDir,
    _mailbox: MailSink,
}

impl Daemon {
    pub async fn start() -> Self {
        let mailbox = MailSink::start("127.0.0.1:0".parse().expect("address")).await.expect("mailbox");
        let folder = demonstration::copy(mailbox.address());
        let mut child = Command::new(env!("CARGO_BIN_EXE_cvco-under-test"))
            .arg("--config")
            .arg(folder.path().join("config.toml"))
            .args(["--log-format", "json", "serve"])
            .env_remove("JOURNAL_STREAM")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let log = BufReader::new(child.stderr.take().expect("a log"));
        let (found, addresses) = mpsc::channel();
        let scribe = std::thread::spawn(move || {
            let mut said = String::new();
            for line in log.lines().map_while(Result::ok) {
                let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(admin) = entry["fields"]["admin"].as_str().and_then(|text| text.parse().ok()) {
                    // The test waits for the first only.
                    drop(found.send(Ok(admin)));
                }
                said = line;
            }
            drop(found.send(Err(said)));
        });
        let admin = addresses.recv().expect("a word").unwrap_or_else(|said| panic!("no daemon: {said}"));
        Self { admin, child, scribe: Some(scribe), _folder: folder, _mailbox: mailbox }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(scribe) = self.scribe.take() {
            drop(scribe.join());
        }
    }
}
