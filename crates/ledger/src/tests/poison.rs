//! An order on which a rule fails, as an error of the program would make it.

use std::cell::RefCell;

use cvco_domain::OrderKey;

thread_local! {
    static POISONED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Lets every rule fail on the order of this reference until the value is dropped.
pub(super) fn poisoned(reference: &str) -> Antidote {
    POISONED.set(Some(reference.to_owned()));
    Antidote
}

pub(super) struct Antidote;

impl Drop for Antidote {
    fn drop(&mut self) {
        POISONED.set(None);
    }
}

/// Fails where a test has asked for it.
pub(crate) fn fail_on(key: &OrderKey) {
    let reference = key.reference().map(cvco_domain::OrderRef::as_str);
    POISONED.with_borrow(|poisoned| {
        assert!(poisoned.is_none() || poisoned.as_deref() != reference, "a rule fails on {reference:?}");
    });
}
