//! The pictures of the documentation: `make screenshots`.

use std::path::Path;
use std::process::Command;

use crate::support::{Look, PHONE, Site, Users, WIDE};

/// The width of a mail program's pane, in CSS pixels.
const MAIL: u32 = 700;

/// Larger pictures are not worth their weight in a repository.
const BYTES: u64 = 150 * 1024;

/// A picture, of which page, and how it is looked at.
struct Picture {
    name: &'static str,
    page: String,
    look: Look,
}

impl Picture {
    /// An address, or a target at the site.
    async fn opens(&self, site: &Site) {
        site.browser.looks(self.look).await;
        if self.page.starts_with("file:") {
            site.browser.opens(&self.page).await;
        } else {
            site.browser.goes(&self.page).await;
        }
    }
}

/// The mail of the demonstration about the voucher whose complement was given up, in its folder.
fn mail() -> String {
    let demo = Command::new(env!("CARGO_BIN_EXE_cvco-under-test")).arg("demo").output().expect("played");
    let said = String::from_utf8(demo.stdout).expect("text");
    let folder =
        said.lines().find_map(|line| line.trim().strip_prefix("the e-mails")).expect("where they are");
    let mut files =
        std::fs::read_dir(folder.trim()).expect("mails").map(|entry| entry.expect("a mail").path());
    let is_it = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|extension| extension == "html")
            && std::fs::read_to_string(path).expect("a mail").contains("complément échoué")
    };
    format!("file://{}", files.find(is_it).expect("the mail").display())
}

async fn take(site: &Site, picture: &Picture) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{}.png", picture.name));
    picture.opens(site).await;
    std::fs::write(&path, site.browser.picture(false).await).expect("written");
    // Fewer colours, where the program is there.
    drop(
        Command::new("pngquant")
            .args(["--force", "--skip-if-larger", "--strip", "--ext", ".png"])
            .arg(&path)
            .status(),
    );
    let bytes = path.metadata().expect("a file").len();
    assert!(bytes < BYTES, "{}: {bytes} bytes", picture.name);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes into docs/images: make screenshots"]
async fn pictures_are_taken() {
    let Some(site) = Site::signed_in(Users::ACCOUNTANT).await else { return };
    let desk = Look { language: "fr", dark: false, width: WIDE };
    site.browser.looks(desk).await;
    site.browser.goes("/orders?open=1&state=unbalanced").await;
    let order = "return document.querySelector('.rows tbody .c-name a').getAttribute('href')";
    let order = site.browser.runs(order, vec![]).await.as_str().expect("a link").to_owned();
    let of = |name, page: &str, look| Picture { name, page: page.to_owned(), look };
    for picture in [
        of("today", "/", desk),
        of("today-dark", "/", Look { dark: true, ..desk }),
        of("today-phone", "/", Look { width: PHONE, ..desk }),
        of("orders", "/orders", desk),
        of("order", &order, desk),
        of("discrepancies", "/discrepancies", desk),
        of("mail", &mail(), Look { width: MAIL, ..desk }),
    ] {
        take(&site, &picture).await;
    }
    site.closes().await;
}
