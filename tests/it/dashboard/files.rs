//! Every list can be taken away as CSV, and what is in the file is what is on the page.

use crate::support::{Answer, Browser, Daemon, Up2pay};

/// The rows of a file, each cell under its heading.
fn rows(answer: &Answer) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.head.contains("text/csv") && answer.head.contains("attachment; filename="),
        "{}",
        answer.head
    );
    let whole = answer.whole();
    let text = whole.strip_prefix('\u{feff}').expect("marked as UTF-8");
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').has_headers(false).from_reader(text.as_bytes());
    let rows: Result<Vec<_>, _> = reader.records().collect();
    let rows = rows.unwrap_or_else(|error| panic!("{error}: {text}"));
    rows.iter().map(|row| row.iter().map(str::to_owned).collect()).collect()
}

/// The addresses of the files that a page offers.
fn files(page: &str) -> Vec<String> {
    page.split("<a ")
        .filter(|link| {
            link.split('>').next().is_some_and(|tag| tag.contains("download") && tag.contains(".csv"))
        })
        .filter_map(|link| link.split("href=\"").nth(1)?.split('"').next())
        .map(|href| href.replace("&#38;", "&"))
        .collect()
}

/// An order that does not add up, a refused call, and a statement with a line that no payment explains.
async fn in_trouble() -> Daemon {
    let daemon = super::acting::in_trouble().await;
    assert_eq!(
        daemon.get(&Up2pay::voucher("CMD-3", 8, 100).target().replace("Mt=100", "Mt=101")).status,
        403
    );
    // It is noted beside the log.
    daemon.until("SELECT COUNT(*) FROM rejections", &["1"]).await;
    let statement = "reference,autorisation,contrat,montant_brut,montant_net,date_operation,date_remise\n\
                     =NOBODY,123456,,10.00,9.80,2026-03-12,2026-03-13\n";
    let path = daemon.path("bank.csv");
    std::fs::write(&path, statement).expect("written");
    let path = path.to_str().expect("a path");
    let imported = daemon.run(&["statement", "import", "--layout", "bank", "--number", "B-1", path]);
    assert_eq!(imported.status.code(), Some(1), "a line belongs to nothing: {imported:?}");
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_of_every_page_is_a_file() {
    let daemon = in_trouble().await;
    let anne = Browser::signed_in(daemon.admin, "anne");
    let order = "/order?shop=camping&reference=CMD-2";
    let mut found = 0;
    for page in
        ["/", "/orders", "/discrepancies", "/accounting", "/accounting/statement?id=1", "/operations", order]
    {
        let files = files(&anne.page(page));
        assert!(!files.is_empty(), "{page}");
        for file in files.iter().filter(|file| !file.starts_with("/accounting/export")) {
            let rows = rows(&anne.get(file));
            assert!(rows[0].len() > 3, "{file}: {:?}", rows[0]);
            found += 1;
        }
    }
    assert!(found > 12, "{found}");
    for wrong in [
        "/operations.csv",
        "/operations.csv?what=x",
        "/accounting.csv?what=x",
        "/accounting/statement.csv?id=9",
    ] {
        assert_eq!(anne.get(wrong).status, 404, "{wrong}");
    }
    assert_eq!(anne.get("/order.csv?shop=camping&reference=CMD-2&what=x").status, 404);
    let stranger = Browser::at(daemon.admin);
    assert_eq!(stranger.get("/operations.csv?what=refused").status, 303, "who has not signed in gets none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_what_the_page_shows() {
    let daemon = in_trouble().await;
    let anne = Browser::signed_in(daemon.admin, "anne");
    let told = rows(&anne.get("/order.csv?shop=camping&reference=CMD-2&what=notifications"));
    let said: Vec<_> =
        told[1..].iter().map(|row| [&row[4], &row[5], &row[7], &row[9]].map(String::as_str)).collect();
    assert_eq!(
        said,
        [
            ["notification authentique", "paiement", "150,00", "accepté"],
            ["notification authentique", "paiement", "50,00", "refusé"],
        ]
    );
    let refused = rows(&anne.get("/operations.csv?what=refused"));
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!(refused[1][1..5], ["up2pay", "Up2pay e-Transactions", "la signature ne convient pas", ""]);
    assert!(anne.page("/").contains("la signature ne convient pas"), "in the language of the page");
    let lines = rows(&anne.get("/accounting/statement.csv?id=1"));
    assert_eq!(lines[1], ["1", "", "", "'=NOBODY", "", "10,00", "0,20"], "no formula");
    let statements = rows(&anne.get("/accounting.csv?what=statements"));
    assert_eq!(statements[1][..3], ["banque", "B-1", "camping"]);
}

/// What of a page is about its order: the foot says when it was made.
fn content(page: &str) -> &str {
    page.split("<footer").next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_writes_the_file_of_an_order_as_the_page_hands_it_out() {
    let daemon = in_trouble().await;
    daemon.until("SELECT COUNT(*) FROM owed WHERE done_at IS NULL", &["0"]).await;
    let anne = Browser::signed_in(daemon.admin, "anne");
    let page = anne.get("/order.html?shop=camping&reference=CMD-2");
    assert!(page.head.contains("filename=\"commande-cmd-2.html\""), "{}", page.head);
    let folder = daemon.path("dossier");
    let output = format!("{}/", folder.display());
    let written = daemon.run(&["record", "CMD-2", "--format", "html", "-o", &output]);
    assert!(written.status.success(), "{written:?}");
    let file = std::fs::read_to_string(folder.join("commande-CMD-2.html")).expect("the file");
    assert!(content(&file) == content(&page.whole()), "another page:\n{file}");
    assert!(
        file.contains("<style>")
            && !file.contains("<script")
            && !file.contains("<form")
            && !file.contains("href=")
    );

    let printed = daemon.run(&["record", "7", "--shop", "camping", "--format", "html"]);
    assert_eq!(
        content(&String::from_utf8_lossy(&printed.stdout)),
        content(&file),
        "by the number of its payment"
    );
    for (arguments, why) in [
        (["record", "CMD-0", "--format", "html"].as_slice(), "aucune commande"),
        (&["record", "CMD-2", "--shop", "other", "--format", "html"], "aucune commande"),
        (&["record", "CMD-2", "-o", "x.html"], "--format html"),
    ] {
        let refused = daemon.run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }
}
