//! A handler in PHP verifies by itself what is relayed to it: the PSP's signature and ours.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};

use super::relaying_with;
use crate::others;
use crate::support::{Up2pay, public_pem};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// PHP's own server; killed when it goes out of scope.
struct Php {
    server: Child,
    url: String,
}

impl Php {
    /// `None` if there is no PHP.
    fn start(folder: &Path, secret: &str) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("bound").to_string();
        drop(free);
        std::fs::write(folder.join("ipn.php"), include_str!("handler.php")).expect("a handler");
        std::fs::write(folder.join("psp.pem"), public_pem()).expect("a key");
        let mut server = others::program("php")?
            .args(["-S", &address, "-t"])
            .arg(folder)
            .env("PSP_KEY", folder.join("psp.pem"))
            .env("RELAY_SECRET", secret)
            .env("HEARD", folder.join("heard"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("PHP");
        let mut says = BufReader::new(server.stderr.take().expect("its log")).lines().map_while(Result::ok);
        assert!(says.any(|line| line.contains("started")), "PHP did not start");
        // It must be able to go on writing.
        std::thread::spawn(move || says.for_each(drop));
        Some(Self { server, url: format!("http://{address}") })
    }
}

impl Drop for Php {
    fn drop(&mut self) {
        self.server.kill().expect("killed");
        self.server.wait().expect("ended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_php_verifies_both_signatures_also_while_a_secret_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    // It still has the secret that was replaced.
    let Some(php) = Php::start(folder.path(), OLD) else { return };
    let url = &php.url;
    let daemon = relaying_with(&format!(
        "[[shop.endpoint.relay]]\nurl = \"{url}/ipn.php?a=i\"\nallow_private = true\nsecret = \"{NEW}\"\n\
         previous_secret = \"{OLD}\"\n"
    ))
    .await;
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    assert_eq!(daemon.up2pay(&Up2pay::card("CMD-1", 1001, 4000)), 200);
    daemon.until("SELECT state FROM relays", &["delivered", "delivered"]).await;
    let heard = std::fs::read_to_string(folder.path().join("heard")).expect("heard");
    assert_eq!(heard, "CMD-1 CVCONNECT psp relay\nCMD-1 LIMOCB psp relay\n");
}
