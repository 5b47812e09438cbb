//! PostgreSQL over a network: it must prove its name, and whoever reads the program's words knows why it did not.

use std::path::{Path, PathBuf};

use crate::postgres::Postgres;
use crate::support::{Daemon, Settings, Up2pay, until};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls")
}

/// What `log status` says, which must have failed.
fn refused(machine: &Daemon) -> String {
    let output = machine.run(&["log", "status"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_that_does_not_prove_its_name_is_not_spoken_to_and_the_words_say_why() {
    let Some(mut server) = Postgres::start("") else { return };
    let port = server.secure(&fixtures(), "good.pem");
    let mut machine = Daemon::start(&Settings::default()).await;
    machine.signal("-TERM");
    machine.ended();
    let authority = fixtures().join("authority.pem");
    let trusted = format!("ca_file = \"{}\"\n", authority.display());
    machine.rewrite_configuration(|text| {
        let url = format!("postgresql://cvco@psp.example:{port}/cvco?hostaddr=127.0.0.1");
        format!("{text}[log]\nurl = \"{url}\"\nname = \"machine-1\"\n{trusted}")
    });
    machine.out(&["log", "migrate"]);
    machine.out(&["log", "push"]);
    machine.restart();
    assert_eq!(machine.up2pay(&Up2pay::voucher("CMD-1", 1001, 15_000)), 200);
    let sessions = "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                    WHERE application_name LIKE 'cvco-reconciled%'";
    assert_eq!(server.rows(sessions), ["t"]);
    machine.signal("-TERM");
    machine.ended();

    for (certificate, words) in [
        ("other-name.pem", "its certificate is for another name than psp.example"),
        ("expired.pem", "its certificate has expired"),
        (
            "self-signed.pem",
            "its certificate is of an authority that is not trusted: name yours in [log] ca_file",
        ),
    ] {
        server.show(&fixtures().join(certificate));
        // The server reads it a moment later.
        until(async || {
            let told = tokio::task::block_in_place(|| machine.run(&["log", "status"]));
            if told.status.success() { Err(format!("{certificate} is taken")) } else { Ok(()) }
        })
        .await;
        assert!(refused(&machine).contains(words), "{certificate}: {}", refused(&machine));
    }
    server.show(&fixtures().join("good.pem"));
    until(async || {
        let told = machine.run(&["log", "status"]);
        if told.status.success() { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;
    machine.rewrite_configuration(|text| text.replace(&trusted, ""));
    assert!(refused(&machine).contains("name yours in [log] ca_file"), "{}", refused(&machine));
    let key = format!("ca_file = \"{}\"\n", fixtures().join("server.key").display());
    machine.rewrite_configuration(|text| text + &key);
    assert!(refused(&machine).contains("server.key: holds no certificate in PEM"), "{}", refused(&machine));
    machine.rewrite_configuration(|text| text.replace(&key, &trusted));
    server.configure("ssl = off");
    server.reload();
    until(async || {
        let told = machine.run(&["log", "status"]);
        if told.status.success() { Err("it still speaks TLS".to_owned()) } else { Ok(()) }
    })
    .await;
    assert!(refused(&machine).contains("server does not support TLS"), "{}", refused(&machine));
}
