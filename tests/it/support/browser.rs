//! As a browser calls the dashboard: with cookies, and with the headers that tell where a form comes from.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::http::{Answer, send_raw};
use super::{Daemon, Settings};

/// Who may sign in in these tests: name, role, password, and its hash (of few rounds: they are not what is tested).
pub struct Users;

/// The password of everybody.
pub const USERS: [(&str, &str); 3] = [("vera", "viewer"), ("anne", "accountant"), ("adam", "admin")];

impl Users {
    pub const PASSWORD: &'static str = "une phrase de passe";

    /// The lines of a configuration.
    pub fn lines() -> String {
        let hash =
            cvco_domain::crypto::HashedPassword::of(&Self::PASSWORD.to_owned().into()).expect("a hash");
        let user = |(name, role): &(&str, &str)| {
            format!(
                "[[admin.user]]\nname = \"{name}\"\nrole = \"{role}\"\npassword_hash = \"{}\"\n",
                hash.as_str()
            )
        };
        USERS.iter().map(user).collect()
    }

    /// A daemon with these users.
    pub async fn daemon(settings: &Settings) -> Daemon {
        let mut daemon = Daemon::start(settings).await;
        daemon.rewrite_configuration(|text| text + &Self::lines());
        daemon.kill();
        daemon.restart();
        daemon
    }
}

/// A browser: one cookie jar, one address.
pub struct Browser {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
    pub language: &'static str,
}

impl Browser {
    pub fn at(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new(), language: "fr" }
    }

    /// One in which somebody has signed in.
    pub fn signed_in(address: SocketAddr, name: &str) -> Self {
        let mut browser = Self::at(address);
        let answer = browser.sign_in(name, Users::PASSWORD);
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }

    pub fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let form = serde_urlencoded::to_string([("name", name), ("password", password), ("back", "/")]);
        self.submit("/sign-in", &form.expect("a form"))
    }

    pub fn get(&self, target: &str) -> Answer {
        self.send("GET", target, "", "")
    }

    /// A page that must be there.
    pub fn page(&self, target: &str) -> String {
        let answer = self.get(target);
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        answer.body
    }

    /// Sends a form as it stands.
    pub fn submit(&mut self, target: &str, form: &str) -> Answer {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n";
        let answer = self.send("POST", target, headers, form);
        for cookie in &answer.cookies {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Sends a form with the token that a page holds.
    pub fn send_form(&mut self, page: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(page);
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.submit(target, &serde_urlencoded::to_string(fields).expect("a form"))
    }

    /// The token in a page's forms.
    pub fn token(&self, page: &str) -> String {
        let body = self.page(page);
        let rest = body.split("name=\"form_token\" value=\"").nth(1).expect("a form");
        rest.split('"').next().expect("a token").to_owned()
    }

    pub fn send(&self, verb: &str, target: &str, headers: &str, body: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies =
            if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let request = format!(
            "{verb} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/html\r\n\
             Accept-Language: {}\r\n{cookies}{headers}Content-Length: {}\r\n\r\n{body}",
            self.language,
            body.len()
        );
        send_raw(self.address, request.as_bytes()).expect("an answer")
    }
}
