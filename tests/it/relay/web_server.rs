//! The whole way of a call to a shop's own path, with the lines that `docs/relay.md` has for nginx.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Stdio};

use cvco_trial::sandbox::{Canned, Failure, Match, Sandbox};

use super::relaying_with;
use crate::others;
use crate::support::{Up2pay, send_raw};

/// Debian has it where only root looks.
const NGINX: &str = "/usr/sbin/nginx";

const PATH: &str = "/wc-api/WC_EStd_Gw/";

/// The lines of the page: those of the `http` block, and those of the shop's `server` block.
fn lines_of_the_page() -> (String, String) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/relay.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let block = page.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let (http, server) = block.split_once("# in the shop's server block\n").expect("two parts");
    (http.to_owned(), server.to_owned())
}

/// nginx; killed when it goes out of scope.
pub(super) struct WebServer(Child);

impl WebServer {
    /// With these lines in its `http` block. `None` if there is no nginx.
    pub(super) fn start(folder: &Path, http: &str) -> Option<Self> {
        let inside = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {inside}/{what};\n"))
            .concat();
        let text = format!(
            "daemon off; master_process off; pid {inside}/pid; error_log stderr notice;\nevents {{}}\nhttp {{\n\
             access_log off;\n{temporary}{http}}}\n"
        );
        let configuration = folder.join("nginx.conf");
        std::fs::write(&configuration, text).expect("a configuration");
        let mut child = others::program(NGINX)?
            .arg("-c")
            .arg(configuration)
            .stderr(Stdio::piped())
            .spawn()
            .expect("nginx");
        let mut says = BufReader::new(child.stderr.take().expect("its log")).lines().map_while(Result::ok);
        // By then it listens.
        assert!(says.any(|line| line.contains("getrlimit")), "nginx did not start");
        std::thread::spawn(move || says.for_each(drop));
        Some(Self(child))
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }
}

/// A web server at an address, in front of shop and daemon.
fn in_front(folder: &Path, at: SocketAddr, shop: &Sandbox, daemon: SocketAddr) -> Option<WebServer> {
    let (http, server) = lines_of_the_page();
    let server = server.replace("127.0.0.1:8080", &daemon.to_string());
    let shop = shop.address();
    let block = format!(
        "server {{\nlisten {at};\n{server}\nlocation / {{ proxy_pass http://{shop}; proxy_http_version 1.1; }}\n}}\n"
    );
    WebServer::start(folder, &format!("{http}\n{block}"))
}

fn get(at: SocketAddr, target: &str) -> u16 {
    let request = format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    send_raw(at, request.as_bytes()).expect("an answer").status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psps_call_goes_through_the_daemon_to_the_module_and_the_customer_straight_to_the_shop() {
    let shop = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("a shop");
    shop.answer(Match::get(PATH), Canned::text(""));
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = free.local_addr().expect("bound");
    let daemon = relaying_with(&format!(
        "path = \"{PATH}\"\n[[shop.endpoint.relay]]\nurl = \"http://{at}{PATH}\"\nallow_private = true\nwait = \"5s\"\n"
    ))
    .await;
    drop(free);
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_server) = in_front(folder.path(), at, &shop, daemon.public) else { return };

    let query = format!("action=ipn&order=12&{}", Up2pay::voucher("CMD/1,a", 1001, 6000).wire().query);
    assert_eq!(get(at, &format!("{PATH}?{query}")), 200);
    let heard = shop.calls();
    assert_eq!((heard.len(), heard[0].query.as_str()), (1, query.as_str()));
    assert!(heard[0].header("cvco-relay").is_some());
    daemon.until("SELECT order_ref || ' ' || state FROM relays", &["CMD/1,a delivered"]).await;

    let back = format!("{PATH}?action=success&order=12");
    assert_eq!(get(at, &back), 200);
    assert_eq!(shop.calls()[1].header("cvco-relay"), None, "the customer comes back to the shop itself");
    shop.fail(Failure::Status(500));
    let card = format!("{PATH}?action=ipn&order=12&{}", Up2pay::card("CMD/1,a", 1001, 4000).wire().query);
    assert_eq!(get(at, &card), 200, "the PSP has its answer though the shop is down");
}
