//! Signatures, digests and seals, over libraries; no algorithm is written here.

mod compare;
pub mod der;
mod digest;
mod hmac;
mod keyed_sha1;
mod password;
mod rsa;
mod seal;
mod stamp;
mod verified;

pub use compare::{SecretToken, TokenError};
pub use digest::{Sha256Digest, Sha256Writer, sha1_hex, sha256};
pub use hmac::{HmacSha256Key, HmacSha512Key, hmac_sha256};
pub use keyed_sha1::verify_sha1_form;
pub use password::{HashedPassword, PasswordError};
pub use rsa::{KeyError, RsaPublicKey};
pub use seal::{SealError, SealKey, random_id};
pub use stamp::StampKey;
pub use verified::{BadSignature, Signed, Verified};
