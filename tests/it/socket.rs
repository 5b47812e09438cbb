//! An accountant without sudo: an account that may open neither the configuration nor the log acts through the admin socket,
//! by the very commands that the mails print, and reads and writes her own files.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{BOOKS, Daemon, Settings, Up2pay, command};

/// The number of an account that no system gives a name.
const ACCOUNTANT: u32 = 4_200_042;

/// A daemon with a socket, and somebody who may open that, and nothing else of it.
struct Office {
    daemon: Daemon,
    run: tempfile::TempDir,
    /// The accountant's own folder.
    own: tempfile::TempDir,
    /// Without root there is no second account: then a configuration that nobody may read stands for one that she may not.
    is_root: bool,
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("mode");
}

impl Office {
    async fn open() -> Self {
        let (run, own) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let is_root = own.path().metadata().expect("metadata").uid() == 0;
        open_to_all(run.path());
        let environment = vec![("RUNTIME_DIRECTORY", run.path().to_owned())];
        let mut daemon = Daemon::start(&Settings { environment, ..Settings::default() }).await;
        daemon.signal("-TERM");
        assert_eq!(daemon.ended(), Some(0));
        daemon.rewrite_configuration(|text| text + BOOKS);
        daemon.restart();
        let (config, mode) = (daemon.path("config.toml"), if is_root { 0o600 } else { 0 });
        open_to_all(config.parent().expect("a folder"));
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).expect("mode");
        if is_root {
            chown(own.path(), Some(ACCOUNTANT), Some(ACCOUNTANT)).expect("her folder");
        } else {
            writeln!(
                std::io::stderr(),
                "NOT TESTED: another account, for only root can be one; the same account stands for it"
            )
            .expect("said");
        }
        Self { daemon, run, own, is_root }
    }

    fn socket(&self) -> PathBuf {
        self.run.path().join("admin.sock")
    }

    fn account(&self) -> String {
        if self.is_root {
            format!("uid {ACCOUNTANT}")
        } else {
            String::from_utf8(id().stdout).expect("text").trim().to_owned()
        }
    }

    /// What she runs, in a folder of hers; `groups` are those that she is in.
    fn command(&self, groups: &str, arguments: &[&str]) -> Command {
        let program = command().get_program().to_owned();
        let mut run = if self.is_root {
            let mut run = Command::new("setpriv");
            run.args(["--reuid", &ACCOUNTANT.to_string(), "--regid", &ACCOUNTANT.to_string()]);
            match groups {
                "" => run.arg("--clear-groups"),
                groups => run.args(["--groups", groups]),
            };
            run.arg(program);
            run
        } else {
            Command::new(program)
        };
        run.arg("--config").arg(self.daemon.path("config.toml")).arg("--socket").arg(self.socket());
        run.args(arguments).current_dir(self.own.path()).stdin(Stdio::null());
        run
    }

    fn run(&self, arguments: &[&str]) -> Output {
        // The socket belongs to the daemon's group: here that of root.
        self.command("0", arguments).output().expect("ran")
    }

    fn out(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.own.path().join(name);
        fs::write(&path, content).expect("written");
        if self.is_root {
            chown(&path, Some(ACCOUNTANT), Some(ACCOUNTANT)).expect("hers");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        }
    }
}

fn id() -> Output {
    Command::new("id").arg("-un").output().expect("id")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accountant_acknowledges_as_the_mail_says_and_the_log_says_who_it_was() {
    let office = Office::open().await;
    office.daemon.expect_order("A", 2400);
    office.daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    office.daemon.up2pay(&Up2pay::card("A", 1, 1000));
    let mail = office.daemon.mailbox.wait_for(1).await.remove(0);
    let text = mail.text.clone().expect("a text part");
    let line = text.lines().find(|line| line.contains("alerts ack")).expect("a command").trim().to_owned();
    let words = line.split('"').collect::<Vec<_>>();
    let mut typed: Vec<&str> = words[0].split_whitespace().skip(1).collect();
    typed.push(words[1]);
    assert!(office.out(&typed).contains("pris en charge"), "{line}");
    assert_eq!(
        office.daemon.rows("SELECT acked_by, acked_note FROM acct_discrepancies"),
        [format!("{}|{}", office.account(), words[1])]
    );

    let id = typed[2];
    assert!(office.out(&["alerts", "list", "--format", "json"]).contains("amount_over"));
    let shown = office.out(&["alerts", "show", id]);
    assert!(shown.contains("Camping des Pins") && shown.contains(&line), "the mail's content: {shown}");
    office.out(&["alerts", "note", id, "--note", "rappelé"]);
    assert!(office.out(&["record", "A"]).contains(&format!("annoté par {}", office.account())));
    assert!(office.out(&["records", "--format", "csv"]).starts_with("boutique"));
    let unknown = office.run(&["alerts", "ack", "999", "--note", "x"]);
    assert_eq!(unknown.status.code(), Some(3), "{}", told(&unknown));
    assert_eq!(told(&unknown), "cvco-reconciled: there is no discrepancy 999\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accountant_imports_registers_closes_and_exports_in_her_own_folder() {
    let office = Office::open().await;
    office.daemon.up2pay(&Up2pay::voucher("A", 1, 1500));
    office.write("orders.csv", "shop;reference;total_cents\ncamping;A;1500\n");
    assert!(
        office.out(&["orders", "import", "orders.csv"]).contains("commandes enregistrées\u{a0}: 1\u{a0};")
    );
    office.write(
        "releve.csv",
        "date_operation,reference,autorisation,contrat,montant_brut,montant_net,date_remise\n\
         2026-03-10,NOBODY,,,10.00,10.00,2026-03-13\n",
    );
    let imported = office.run(&["statement", "import", "--layout", "bank", "releve.csv"]);
    assert_eq!(imported.status.code(), Some(1), "a line that nobody knows: {}", told(&imported));
    assert_eq!(
        office.daemon.rows("SELECT COUNT(*) FROM acct_discrepancies WHERE kind = 'statement_line_unknown'"),
        ["1"]
    );

    let month = &office.daemon.rows("SELECT strftime('%Y-%m', 'now')")[0];
    assert!(
        office.out(&["export", "register", "--period", month]).contains(";1500;")
            || office.out(&["export", "register", "--period", month]).contains("15,00")
    );
    office.out(&["export", "register", "--period", month, "-o", "exports/", "--format", "xlsx"]);
    let workbook = office.own.path().join(format!("exports/registre-{month}.xlsx"));
    assert!(fs::read(&workbook).expect("a workbook").starts_with(b"PK"));
    assert_eq!(
        workbook.metadata().expect("metadata").uid(),
        office.own.path().metadata().expect("metadata").uid()
    );
    let refused = office.run(&["export", "fec", "--period", month, "-o", "."]);
    assert!(
        refused.status.code() == Some(2) && told(&refused).contains("n’est pas clôturé"),
        "{}",
        told(&refused)
    );

    office.out(&["close", "--period", "2026-03", "-o", "mars"]);
    assert!(office.own.path().join("mars/manifeste-2026-03.json").exists());
    let missing = office.run(&["statement", "import", "--layout", "bank", "missing.csv"]);
    assert!(told(&missing).contains("missing.csv: No such file"), "read by her: {}", told(&missing));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_no_group_and_commands_that_are_not_for_people_get_nothing() {
    let office = Office::open().await;
    if office.is_root {
        let stranger = office.command("", &["records"]).output().expect("ran");
        assert_eq!(stranger.status.code(), Some(3));
        assert!(told(&stranger).contains("members of the group cvco-ledger"), "{}", told(&stranger));
    }
    let verify = office.run(&["check"]);
    assert_eq!(verify.status.code(), Some(2), "only the service's user reads the configuration");
    let ask = |request: String| {
        let mut stream = UnixStream::connect(office.socket()).expect("the socket");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    let order = |words: &str| {
        let body = format!("{{\"arguments\": [{words}]}}\n");
        ask(format!(
            "POST /api/v1/commands HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    for forbidden in ["\"serve\"", "\"check\"", "\"rebuild\"", "\"init\""] {
        assert!(order(forbidden).contains("carries out no such command"), "{forbidden}");
    }
    assert!(order("\"alerts\", \"nonsense\"").contains("\"exit\":2"));
    assert!(
        order("\"statement\", \"import\", \"/etc/shadow\", \"--layout\", \"bank\"").contains("\"exit\":2"),
        "no file is opened"
    );
    assert!(
        ask("GET /api/v1/records HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_owned())
            .contains("200 OK")
    );
    let over_tcp = office.daemon.admin_post("/api/v1/commands", "{\"arguments\": [\"records\"]}\n");
    assert_eq!(over_tcp.status, 403, "the network does not tell whose command it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_loopback_address_refuses_the_socket_takes() {
    let office = Office::open().await;
    office.daemon.expect_order("A", 2400);
    let lowered = r#"{"shop":"camping","reference":"A","total_cents":100}"#;
    assert_eq!(office.daemon.admin_post("/api/v1/orders", lowered).status, 403);
    office.write("orders.csv", "shop;reference;total_cents\ncamping;A;100\n");
    assert!(
        office.out(&["orders", "import", "orders.csv"]).contains("commandes enregistrées\u{a0}: 1\u{a0};")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_a_killed_daemon_left_behind_is_taken_over() {
    let mut office = Office::open().await;
    office.daemon.kill();
    let nobody = office.run(&["records"]);
    assert!(nobody.status.code() == Some(3) && told(&nobody).contains("is it running"), "{}", told(&nobody));
    if !office.is_root {
        fs::set_permissions(office.daemon.path("config.toml"), fs::Permissions::from_mode(0o600))
            .expect("mode");
    }
    office.daemon.restart();
    UnixStream::connect(office.socket()).expect("the new daemon");
}
