//! Secrets stay where they belong: whatever is called, and however much is logged.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Daemon, Settings, Sogecommerce, TOKEN, Up2pay, private_pem};

const ADMIN_TOKEN: &str = "0f9e8d7c6b5a49382716f5e4d3c2b1a0";
const PASSWORD: &str = "a-password-of-the-mail-server";

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_where_they_belong() {
    let mut daemon = Daemon::start(&Settings { log: "debug", ..Settings::default() }).await;
    daemon.kill();
    std::fs::write(daemon.path("smtp.password"), PASSWORD).expect("written");
    daemon.rewrite_configuration(|text| {
        let text =
            text.replacen("[listener]\n", &format!("[listener]\nadmin_token = \"{ADMIN_TOKEN}\"\n"), 1);
        text.replacen("smtp = \"smtp://", "password_file = \"smtp.password\"\nsmtp = \"smtp://user@", 1)
    });
    daemon.restart();
    let payment = Sogecommerce::split("A", "abc123", 6000, 3990);
    assert_eq!(daemon.sogecommerce(&payment), 200);
    assert_eq!(daemon.up2pay(&Up2pay::voucher("B", 1, 1500)), 200);
    let forged = payment.wire().body.replace("6000", "6001");
    for _ in 0..6 {
        assert_eq!(daemon.post(&Sogecommerce::target(), &forged).status, 403);
    }
    assert_eq!(daemon.get(&format!("/n/up2pay/{TOKEN}?a b")).status, 400);
    assert_eq!(daemon.get(&format!("/n/nobody/{TOKEN}")).status, 403);
    daemon.rewrite_configuration(|text| text.replace("psp = \"up2pay\"", "psp = \"up3pay\""));
    daemon.signal("-HUP");
    daemon.wait_for_log("the new configuration is refused");
    let pages = ["/metrics", "/readyz", "/api/v1/records"].map(|page| daemon.admin_get(page).body);
    daemon.signal("-TERM");
    daemon.ended();

    let key_line = private_pem().lines().nth(3).expect("a key").to_owned();
    let shown = [pages.concat(), daemon.log_text()].concat();
    assert!(shown.contains("sogecommerce"), "much is said");
    for secret in [TOKEN, Sogecommerce::KEY, ADMIN_TOKEN, PASSWORD, &key_line] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

/// What others can read is named at the start, with what mends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_others_can_read_is_named_at_the_start() {
    let mut daemon = Daemon::start(&Settings::default()).await;
    daemon.kill();
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    for file in ["sogecommerce.key", "config.toml", "payload.key"] {
        std::fs::set_permissions(daemon.path(file), mode(0o644)).expect("mode");
    }
    daemon.restart();
    for file in ["sogecommerce.key", "config.toml", "payload.key"] {
        let path = daemon.path(file);
        daemon.wait_for_log(&format!("{} can be read by others (mode 644): chmod", path.display()));
    }
}
