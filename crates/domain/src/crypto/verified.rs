//! Proof, as a type: a [`Verified`] value exists only where a signature check has succeeded.

use std::borrow::Cow;
use std::ops::Deref;

/// Something whose signature covers certain bytes.
pub trait Signed {
    /// The bytes that the signature covers.
    fn signed_bytes(&self) -> Cow<'_, [u8]>;
}

impl Signed for Vec<u8> {
    fn signed_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self)
    }
}

/// A value whose signature was checked. Only the checks of this module's siblings make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// To be called by a successful check, and by nothing else.
    pub(super) const fn proven(value: T) -> Self {
        Self(value)
    }

    /// What `make` reads out of the value, equally proven. A plain function captures nothing, so nothing unproven
    /// can come in with it.
    pub fn map<U>(self, make: fn(T) -> U) -> Verified<U> {
        Verified(make(self.0))
    }

    /// The value, without its proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// The signature does not fit; the value comes back for a look at what else might have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSignature<T>(pub T);
