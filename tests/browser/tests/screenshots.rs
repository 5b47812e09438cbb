//! The pictures of the documentation: `make screenshots`.

use std::path::Path;
use std::process::Command;

use crate::support::{Look, PHONE, Site, Users, WIDE};

/// Larger pictures are not worth their weight in a repository.
const BYTES: u64 = 150 * 1024;

/// A picture, of which page, and how it is looked at.
struct Picture {
    name: &'static str,
    page: String,
    look: Look,
}

async fn take(site: &Site, picture: &Picture) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{}.png", picture.name));
    site.browser.looks(picture.look).await;
    site.browser.goes(&picture.page).await;
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
    ] {
        take(&site, &picture).await;
    }
    site.closes().await;
}
