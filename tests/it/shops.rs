//! How a shop's orders get to the daemon: the scripts of docs/fr, run against `MariaDB` with the tables of each shop.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::others;
use crate::support::{Daemon, Settings, command};

/// Debian has it where only root looks.
const MARIADB: &str = "/usr/sbin/mariadbd";

/// A server of its own; killed when it goes out of scope.
struct MariaDb {
    server: Child,
    folder: tempfile::TempDir,
}

/// Databases that are made at the same time take more of the kernel's asynchronous reads than a small machine has.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

impl MariaDb {
    /// `None` if there is no `MariaDB`.
    fn start() -> Option<Self> {
        let (mut server, mut install) = (others::program(MARIADB)?, others::program("mariadb-install-db")?);
        others::program("mariadb")?;
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let making = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let installed = install
            .args([
                "--no-defaults",
                "--innodb-use-native-aio=0",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", data.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        drop(making);
        assert!(installed.expect("it runs").success(), "no database was made");
        let mut server = server
            .args(["--no-defaults", "--innodb-use-native-aio=0", "--skip-networking", "--user=root"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .stderr(Stdio::piped())
            .spawn()
            .expect("MariaDB");
        let mut says = BufReader::new(server.stderr.take().expect("its log")).lines().map_while(Result::ok);
        assert!(says.any(|line| line.contains("ready for connections")), "MariaDB did not start");
        // It must be able to go on writing.
        std::thread::spawn(move || says.for_each(drop));
        Some(Self { server, folder })
    }

    /// The file with which a script logs in.
    fn login(&self, database: &str) -> PathBuf {
        let path = self.folder.path().join("boutique.cnf");
        let socket = self.folder.path().join("socket");
        let text = format!(
            "[client]\nuser=root\nsocket={}\n[mariadb-client]\ndatabase={database}\n",
            socket.display()
        );
        std::fs::write(&path, text).expect("a file");
        path
    }

    fn run(&self, sql: &str) {
        let mut client = Command::new("mariadb")
            .arg(format!("--defaults-file={}", self.login("mysql").display()))
            .stdin(Stdio::piped())
            .spawn()
            .expect("a client");
        client.stdin.take().expect("its input").write_all(sql.as_bytes()).expect("sent");
        assert!(client.wait().expect("ended").success(), "{sql}");
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.server.kill().expect("killed");
        self.server.wait().expect("ended");
    }
}

/// The script of a page.
fn script(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fr").join(page);
    let text = std::fs::read_to_string(path).expect("a page");
    let script = text.split("```sh\n").find(|block| block.starts_with("#!/bin/sh")).expect("a script");
    script.split("```").next().expect("its end").to_owned()
}

/// Another process writes it: a file that this one had open could be held by a child of another test, and would be busy.
fn executable(path: &Path, text: &str) {
    let mut install = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("install runs");
    install.stdin.take().expect("its input").write_all(text.as_bytes()).expect("sent");
    assert!(install.wait().expect("ended").success(), "{}", path.display());
}

/// Runs a page's script as cron would; what it prints.
fn import(page: &str, database: &MariaDb, name: &str, daemon: &Daemon) -> String {
    let bin = tempfile::tempdir().expect("a folder");
    let own = command().get_program().to_string_lossy().into_owned();
    let config = daemon.path("config.toml");
    executable(
        &bin.path().join("cvco-reconciled"),
        &format!("#!/bin/sh\nexec {own} --config {} \"$@\"\n", config.display()),
    );
    let login = database.login(name);
    let text = script(page).replace("/etc/cvco-reconciled/boutique.cnf", &login.display().to_string());
    executable(&bin.path().join("script"), &text);
    let paths = std::env::var_os("PATH").expect("a PATH");
    let paths = std::iter::once(bin.path().to_owned()).chain(std::env::split_paths(&paths));
    let paths = std::env::join_paths(paths).expect("a PATH");
    let output = Command::new(bin.path().join("script")).env("PATH", paths).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{page}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

const REGISTERED: &str = "SELECT reference, total_cents, currency FROM acct_orders ORDER BY reference";

/// What is imported once is known the second time, and a shop without orders is no error.
async fn brings_orders(page: &str, empty: &str, orders: &str, registered: &[&str]) {
    let Some(database) = MariaDb::start() else { return };
    let daemon = Daemon::start(&Settings::default()).await;
    database.run(&format!("CREATE DATABASE boutique; USE boutique; {empty}"));
    assert_eq!(import(page, &database, "boutique", &daemon), "");
    database.run(&format!("USE boutique; {orders}"));
    let count = registered.len();
    assert_eq!(
        import(page, &database, "boutique", &daemon),
        format!("commandes enregistrées\u{a0}: {count}\u{a0}; déjà connues\u{a0}: 0\n")
    );
    daemon.until(REGISTERED, registered).await;
    assert_eq!(
        import(page, &database, "boutique", &daemon),
        format!("commandes enregistrées\u{a0}: 0\u{a0}; déjà connues\u{a0}: {count}\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prestashop_brings_its_carts() {
    brings_orders(
        "prestashop.md",
        "CREATE TABLE ps_currency (id_currency INT UNSIGNED PRIMARY KEY, iso_code VARCHAR(3) NOT NULL);
         INSERT INTO ps_currency VALUES (1, 'EUR');
         CREATE TABLE ps_orders (id_order INT UNSIGNED PRIMARY KEY, reference VARCHAR(9), id_cart INT UNSIGNED NOT NULL,
             id_currency INT UNSIGNED NOT NULL, module VARCHAR(255), total_paid DECIMAL(20,6) NOT NULL,
             date_upd DATETIME NOT NULL);",
        "INSERT INTO ps_orders VALUES
             (1, 'XKBKNABJK', 31, 1, 'etransactions', 100.000000, NOW()),
             (2, 'OHSATSERP', 32, 1, 'etransactions', 49.900000, NOW()),
             (3, 'OHSATSERP', 32, 1, 'etransactions', 20.110000, NOW()),
             (4, 'UOYEVOLI', 12, 1, 'etransactions', 10.000000, NOW() - INTERVAL 9 DAY);",
        &["31|10000|EUR", "32|7001|EUR"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn woocommerce_brings_its_orders() {
    brings_orders(
        "woocommerce.md",
        "CREATE TABLE wp_wc_orders (id BIGINT UNSIGNED PRIMARY KEY, status VARCHAR(20), currency VARCHAR(10),
             type VARCHAR(20), total_amount DECIMAL(26,8), date_updated_gmt DATETIME, payment_method VARCHAR(100));",
        "INSERT INTO wp_wc_orders VALUES
             (812, 'wc-pending', 'EUR', 'shop_order', 123.40000000, UTC_TIMESTAMP(), 'etransactions_std'),
             (813, 'wc-checkout-draft', 'EUR', 'shop_order', 10.00000000, UTC_TIMESTAMP(), ''),
             (814, 'wc-completed', 'EUR', 'shop_order_refund', -10.00000000, UTC_TIMESTAMP(), '');",
        &["812|12340|EUR"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn magento_brings_its_orders() {
    brings_orders(
        "magento.md",
        "CREATE TABLE sales_order (entity_id INT UNSIGNED PRIMARY KEY, increment_id VARCHAR(50), grand_total DECIMAL(20,4),
             order_currency_code VARCHAR(3), updated_at TIMESTAMP NOT NULL);",
        "INSERT INTO sales_order VALUES (7, '000000042', 99.9900, 'EUR', UTC_TIMESTAMP());",
        &["000000042|9999|EUR"],
    )
    .await;
}
