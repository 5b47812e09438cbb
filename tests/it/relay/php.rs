//! A handler in PHP, under php-fpm behind a web server as shops have it, verifies by itself what is relayed to it: the
//! PSP's signature and ours.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::configured;
use super::web_server::WebServer;
use crate::others;
use crate::support::{Sogecommerce, Up2pay, public_pem};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// PHP's process manager; ended when it goes out of scope.
struct Fpm(Child);

impl Fpm {
    /// It listens at the socket `php` in the folder. `None` if there is no such program.
    fn start(folder: &Path, relay_secret: &str) -> Option<Self> {
        let inside = folder.display();
        let configuration = folder.join("php-fpm.conf");
        let text = format!(
            "[global]\ndaemonize = no\nerror_log = /proc/self/fd/2\n[shop]\nlisten = {inside}/php\npm = static\n\
             pm.max_children = 2\nclear_env = no\n"
        );
        std::fs::write(&configuration, text).expect("a configuration");
        std::fs::write(folder.join("up2pay.pem"), public_pem()).expect("a key");
        let mut manager = others::program("php-fpm")?
            // No php.ini of this machine, and also as root.
            .args(["-n", "-R", "-y"])
            .arg(configuration)
            .env("UP2PAY_KEY", folder.join("up2pay.pem"))
            .env("SOGECOMMERCE_KEY", Sogecommerce::KEY)
            .env("RELAY_SECRET", relay_secret)
            .env("HEARD", folder.join("heard"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("php-fpm");
        let mut says = BufReader::new(manager.stderr.take().expect("its log")).lines().map_while(Result::ok);
        assert!(says.any(|line| line.contains("ready to handle connections")), "php-fpm did not start");
        // It must be able to go on writing.
        std::thread::spawn(move || says.for_each(drop));
        Some(Self(manager))
    }
}

impl Drop for Fpm {
    fn drop(&mut self) {
        // Killed it would leave its workers behind.
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("told to end");
        self.0.wait().expect("ended");
    }
}

/// The shop's web server, which has php-fpm run the handler whatever file of PHP is called.
fn shop(folder: &Path, at: SocketAddr) -> Option<WebServer> {
    let inside = folder.display();
    let handler = folder.join("handler.php");
    std::fs::write(&handler, include_str!("handler.php")).expect("a handler");
    let parameters: String = [
        ("SCRIPT_FILENAME", handler.to_str().expect("a path")),
        ("REQUEST_METHOD", "$request_method"),
        ("QUERY_STRING", "$query_string"),
        ("CONTENT_TYPE", "$content_type"),
        ("CONTENT_LENGTH", "$content_length"),
    ]
    .map(|(name, value)| format!("fastcgi_param {name} {value};\n"))
    .concat();
    let server = format!(
        "server {{\nlisten {at};\nlocation ~ \\.php$ {{\nfastcgi_pass unix:{inside}/php;\n{parameters}}}\n}}\n"
    );
    WebServer::start(folder, &server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_under_php_fpm_verifies_both_signatures_also_while_a_secret_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    // It still has the secret that was replaced.
    let Some(_php) = Fpm::start(folder.path(), OLD) else { return };
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = free.local_addr().expect("bound");
    drop(free);
    let Some(_shop) = shop(folder.path(), at) else { return };
    let relay = |path: &str| {
        format!(
            "[[shop.endpoint.relay]]\nurl = \"http://{at}{path}\"\nallow_private = true\nsecret = \"{NEW}\"\n\
             previous_secret = \"{OLD}\"\n"
        )
    };
    let daemon = configured(
        &relay("/modules/etransactions/ipn.php?a=i"),
        &relay("/modules/sogecommerce/validation.php"),
    )
    .await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    assert_eq!(daemon.up2pay(&Up2pay::card("CMD-1", 1001, 4000)), 200);
    daemon.until("SELECT state FROM relays", &["delivered", "delivered"]).await;
    assert_eq!(daemon.sogecommerce(&Sogecommerce::split("CMD-2", "abc123", 6000, 4000)), 200);
    daemon.until("SELECT state FROM relays", &["delivered", "delivered", "delivered"]).await;
    let heard = std::fs::read_to_string(folder.path().join("heard")).expect("heard");
    assert_eq!(heard, "CMD-1 CVCONNECT psp relay\nCMD-1 LIMOCB psp relay\nCMD-2 PAY psp relay\n");
}
