//! The way in.

use askama::Template;

use crate::Frame;

/// The page that asks who one is.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    /// What is around it.
    pub frame: Frame,
    /// Where to go afterwards.
    pub back: String,
    /// The name that was given.
    pub name: String,
    /// Whether people have names.
    pub has_users: bool,
    /// Whether the token opens too.
    pub has_token: bool,
    /// Why it did not open.
    pub problem: Option<String>,
}
