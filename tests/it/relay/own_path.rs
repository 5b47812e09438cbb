//! The shop's own path for notifications, which its web server leads to the daemon: the module's URL stays as it is.

use std::path::Path;

use cvco_psp::up2pay::Template;
use cvco_trial::sandbox::{Canned, Match, Sandbox};

use super::relaying_with;
use crate::support::{Daemon, Up2pay, up2pay_key};

const PATH: &str = "/wc-api/WC_EStd_Gw/";

/// What the module puts in front of the PSP's variables.
const OWN: &str = "action=ipn&order=12&gateway_id=estd";

async fn led_here(more: &str) -> (Daemon, Sandbox) {
    let shop = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("a shop");
    shop.answer(Match::get(PATH), Canned::text(""));
    let url = shop.url(PATH);
    let daemon = relaying_with(&format!(
        "path = \"{PATH}\"\n{more}[[shop.endpoint.relay]]\nurl = \"{url}\"\nallow_private = true\n"
    ))
    .await;
    (daemon, shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_the_shops_own_path_is_taken_and_goes_on_with_the_shops_own_variables() {
    let (daemon, shop) = led_here("").await;
    let query = format!("{OWN}&{}", Up2pay::voucher("CMD-1", 1001, 6000).wire().query);
    assert_eq!(daemon.get(&format!("{PATH}?{query}")).status, 200);
    daemon.until("SELECT order_ref || ' ' || state FROM relays", &["CMD-1 delivered"]).await;
    let calls = shop.calls();
    assert_eq!((calls.len(), calls[0].path.as_str(), calls[0].query.as_str()), (1, PATH, query.as_str()));
    assert_eq!(daemon.get("/wc-api/WC_Another/").status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_send_to_a_path_that_everybody_knows_raises_no_alarm() {
    let (daemon, shop) = led_here("").await;
    for n in 0..30 {
        assert_ne!(daemon.get(&format!("{PATH}?{OWN}&n={n}")).status, 200);
        assert_ne!(
            daemon.raw(&format!("PUT {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")).status,
            200
        );
    }
    assert_eq!(daemon.up2pay(&Up2pay::voucher("CMD-1", 1001, 6000)), 200);
    daemon.until("SELECT state FROM relays", &["delivered"]).await;
    assert_eq!(daemon.rows("SELECT kind FROM discrepancies WHERE kind = 'calls_refused'"), [""; 0]);
    assert_eq!(shop.calls().len(), 1, "nothing of it reached the shop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_call_from_another_address_than_the_psps_is_told_at_once() {
    let (daemon, shop) = led_here("allow_from = [\"192.0.2.0/24\"]\n").await;
    let query = Up2pay::voucher("CMD-1", 1001, 6000).wire().query;
    assert_eq!(daemon.get(&format!("{PATH}?{OWN}&{query}")).status, 403);
    daemon.until("SELECT kind || ' ' || severity FROM discrepancies", &["calls_refused urgent"]).await;
    assert_eq!(shop.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_to_the_path_is_answered_508() {
    let (daemon, _shop) = led_here("").await;
    let call = format!("GET {PATH}?{OWN} HTTP/1.1\r\nHost: a\r\nCvco-Relay: seq=1; attempt=1\r\n\r\n");
    assert_eq!(daemon.raw(&call).status, 508);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_psp_that_signs_nothing_gets_no_path_that_everybody_knows() {
    let (daemon, _shop) = led_here("").await;
    let token = "9d4e1c0a5be9d24c7f8a3b2c1d0e9f8a";
    daemon.rewrite_configuration(|text| {
        format!(
            "{text}[[shop.endpoint]]\nid = \"ancv\"\npsp = \"ancv\"\nmode = \"test\"\ntoken = \"{token}\"\n\
             path = \"/ancv\"\n[[shop.endpoint]]\nid = \"again\"\npsp = \"sogecommerce\"\nmode = \"production\"\n\
             token = \"{token}\"\nsite_id = \"12345678\"\nkey_file = \"sogecommerce.key\"\npath = \"{PATH}\"\n"
        )
    });
    let checked = daemon.run(&["check", "--offline"]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    assert_eq!(checked.status.code(), Some(2), "{said}");
    assert!(
        said.contains("ANCV ne signe rien\u{a0}: quiconque connaît ce chemin pourrait appeler"),
        "{said}"
    );
    assert!(said.contains("c’est le chemin de up2pay"), "{said}");
}

/// A line of the first block of configuration in a page, and its value.
fn line_of<'p>(page: &'p str, key: &str) -> (&'p str, &'p str) {
    let line = page.lines().find(|line| line.starts_with(&format!("{key} = "))).expect("a line");
    (line, line.split('"').nth(1).expect("a value"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pages_say_of_modules_reads_what_the_modules_send() {
    for (page, own, reference) in [
        ("prestashop.md", "fc=module&module=etransactions&controller=validation&t=s&a=i", "31 - Jean Dupont"),
        ("woocommerce.md", OWN, "woo_31_Jean_Dupont_11291002"),
        ("magento.md", "", "31 - Jean Dupont"),
    ] {
        let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fr").join(page);
        let text = std::fs::read_to_string(text).expect("a page");
        let ((path_line, path), (template_line, template)) =
            (line_of(&text, "path"), line_of(&text, "pbx_retour"));
        let (pattern_line, _) = line_of(&text, "reference_pattern");
        let shop = Sandbox::start("127.0.0.1:0".parse().expect("address")).await.expect("a shop");
        shop.answer(Match::get(path), Canned::text(""));
        let daemon = relaying_with(&format!(
            "{path_line}\n{template_line}\n{pattern_line}\n[[shop.endpoint.relay]]\nurl = \"{}\"\nallow_private = true\n",
            shop.url(path)
        ))
        .await;
        let template = Template::parse(template).expect("a template");
        for call in [Up2pay::voucher(reference, 1001, 6000), Up2pay::card(reference, 1001, 4000)] {
            let sent = call.0.signed(&template, up2pay_key()).query;
            let query = if own.is_empty() { sent } else { format!("{own}&{sent}") };
            assert_eq!(daemon.get(&format!("{path}?{query}")).status, 200, "{page}");
        }
        daemon.until("SELECT order_ref || ' ' || state FROM relays", &["31 delivered", "31 delivered"]).await;
        daemon.until("SELECT paid_cents FROM records", &["10000"]).await;
    }
}
