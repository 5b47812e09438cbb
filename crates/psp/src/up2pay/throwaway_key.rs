//! RSA keys that sign as Up2pay does, for trials, demonstrations and tests. No library at hand still signs with
//! SHA-1, so the arithmetic stands here.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cvco_domain::crypto::RsaPublicKey;
use cvco_domain::crypto::der::{self, BIT_STRING, INTEGER, RSA_ENCRYPTION, SEQUENCE};
use num_bigint::BigUint;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject;

/// A private key for calls that Up2pay never made.
///
/// **For trials only.** Its arithmetic does not run in constant time: whoever can time its signatures can find
/// the key. Its 1024 bits and its SHA-1 are Up2pay's, and no longer safe either.
#[derive(Clone)]
pub struct ThrowawayKey {
    p: BigUint,
    q: BigUint,
    n: BigUint,
    d: BigUint,
    /// Of `q`, modulo `p`.
    inverse: BigUint,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// No `BEGIN RSA PRIVATE KEY` block.
    #[error("no PEM block `-----BEGIN RSA PRIVATE KEY-----`")]
    NoPem,
    /// The numbers are not those of an RSA key of 1024 to 8192 bits with two primes and exponent 65537.
    #[error("not a two-prime RSA key of 1024 to 8192 bits with exponent 65537")]
    NotRsa,
}

const PRIME_BYTES: usize = 64;
const PUBLIC_EXPONENT: u32 = 65_537;

/// The start of a `DigestInfo` with a SHA-1 digest (RFC 8017, 9.2, note 1).
const SHA1_DIGEST_INFO: [u8; 15] =
    [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

impl ThrowawayKey {
    /// Makes a new key of 1024 bits.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn generate() -> Result<Self, NoKey> {
        let random = SystemRandom::new();
        let p = prime(&random)?;
        loop {
            let q = prime(&random)?;
            if q != p
                && let Some(key) = Self::of_primes(p.clone(), q)
            {
                return Ok(key);
            }
        }
    }

    /// The key of two primes, if the public exponent suits them.
    fn of_primes(p: BigUint, q: BigUint) -> Option<Self> {
        let phi = (&p - 1_u32) * (&q - 1_u32);
        let d = BigUint::from(PUBLIC_EXPONENT).modinv(&phi)?;
        let inverse = q.modinv(&p)?;
        Some(Self { n: &p * &q, p, q, d, inverse })
    }

    /// Reads a PEM `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// # Errors
    /// Not PEM, or not such a key.
    pub fn from_private_pem(pem: &[u8]) -> Result<Self, NoKey> {
        let der = PrivatePkcs1KeyDer::from_pem_slice(pem).map_err(|_| NoKey::NoPem)?;
        let numbers = private_key_numbers(der.secret_pkcs1_der()).ok_or(NoKey::NotRsa)?;
        let [_version, n, e, _d, p, q, ..] = numbers.as_slice() else { return Err(NoKey::NotRsa) };
        let odd = |number: &BigUint| number.bit(0) && number.bits() > 1;
        if !(odd(p) && odd(q) && *e == BigUint::from(PUBLIC_EXPONENT)) {
            return Err(NoKey::NotRsa);
        }
        // `d` is computed anew: tools differ in which of its values they write.
        let key = Self::of_primes(p.clone(), q.clone()).ok_or(NoKey::NotRsa)?;
        let usable = key.n == *n && RsaPublicKey::from_pem(key.public_pem().as_bytes()).is_ok();
        if usable { Ok(key) } else { Err(NoKey::NotRsa) }
    }

    /// The private key as PEM `RSA PRIVATE KEY` (PKCS#1).
    #[must_use]
    pub fn private_pem(&self) -> String {
        let Self { p, q, n, d, inverse } = self;
        let zero = BigUint::ZERO;
        let e = BigUint::from(PUBLIC_EXPONENT);
        let (dp, dq) = (d % (p - 1_u32), d % (q - 1_u32));
        let numbers = [&zero, n, &e, d, p, q, &dp, &dq, inverse];
        pem("RSA PRIVATE KEY", &der::element(SEQUENCE, &numbers.map(integer).concat()))
    }

    /// The public key as PEM `PUBLIC KEY` (X.509 `SubjectPublicKeyInfo`).
    #[must_use]
    pub fn public_pem(&self) -> String {
        let e = BigUint::from(PUBLIC_EXPONENT);
        let public_key = der::element(SEQUENCE, &[&self.n, &e].map(integer).concat());
        let algorithm = der::element(SEQUENCE, &RSA_ENCRYPTION);
        let bits = der::element(BIT_STRING, &[&[0], public_key.as_slice()].concat());
        pem("PUBLIC KEY", &der::element(SEQUENCE, &[algorithm, bits].concat()))
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-1.
    #[must_use]
    pub fn sign_sha1(&self, bytes: &[u8]) -> Vec<u8> {
        let length = usize::try_from(self.n.bits().div_ceil(8)).unwrap_or(usize::MAX);
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
        let info = [&SHA1_DIGEST_INFO, digest.as_ref()].concat();
        let padding = vec![0xff; length.saturating_sub(info.len()).saturating_sub(3)];
        let block = [&[0, 1], padding.as_slice(), &[0], &info].concat();
        let signature = self.power(&BigUint::from_bytes_be(&block)).to_bytes_be();
        let leading = vec![0; length.saturating_sub(signature.len())];
        [leading, signature].concat()
    }

    /// `block` to the power of `d`, modulo each prime and put together again (Garner): a quarter of the work.
    fn power(&self, block: &BigUint) -> BigUint {
        let Self { p, q, d, inverse, .. } = self;
        let modulo = |prime: &BigUint| block.modpow(&(d % (prime - 1_u32)), prime);
        let (of_p, of_q) = (modulo(p), modulo(q));
        let difference = (of_p + p - &of_q % p) % p;
        &of_q + q * (difference * inverse % p)
    }
}

impl fmt::Debug for ThrowawayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThrowawayKey(…)")
    }
}

/// The numbers of a PKCS#1 `RSAPrivateKey` of two primes: version 0, n, e, d, p, q and three helpers.
fn private_key_numbers(der: &[u8]) -> Option<Vec<BigUint>> {
    let (mut content, rest) = der::split(der, SEQUENCE)?;
    let mut numbers = Vec::new();
    while !content.is_empty() {
        let (number, rest) = der::split(content, INTEGER)?;
        numbers.push(BigUint::from_bytes_be(number));
        content = rest;
    }
    let two_primes = numbers.len() == 9 && numbers.first() == Some(&BigUint::ZERO);
    (rest.is_empty() && two_primes).then_some(numbers)
}

/// A DER `INTEGER`: a leading zero keeps it positive.
fn integer(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let sign: &[u8] = if bytes.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    der::element(INTEGER, &[sign, &bytes].concat())
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut body = String::new();
    for (at, character) in STANDARD.encode(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            body.push('\n');
        }
        body.push(character);
    }
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// A random prime whose two highest bits are set, so that a product of two has full length.
fn prime(random: &SystemRandom) -> Result<BigUint, NoKey> {
    loop {
        let mut candidate = random_number(random)?;
        let top = u64::try_from(PRIME_BYTES * 8).unwrap_or(u64::MAX);
        for bit in [0, top - 1, top - 2] {
            candidate.set_bit(bit, true);
        }
        if is_prime(&candidate, random)? {
            return Ok(candidate);
        }
    }
}

fn random_number(random: &SystemRandom) -> Result<BigUint, NoKey> {
    let mut bytes = [0; PRIME_BYTES];
    random.fill(&mut bytes).map_err(|_| NoKey::NoRandomness)?;
    Ok(BigUint::from_bytes_be(&bytes))
}

/// Miller-Rabin. For random numbers of this size even a few rounds leave less doubt than the machine itself
/// (Handbook of Applied Cryptography, 4.49).
fn is_prime(candidate: &BigUint, random: &SystemRandom) -> Result<bool, NoKey> {
    const ROUNDS: usize = 16;
    let small_factor = |factor: u32| candidate % factor == BigUint::ZERO;
    if (3..2_000).step_by(2).any(small_factor) {
        return Ok(false);
    }
    let one = BigUint::from(1_u32);
    let minus_one = candidate - 1_u32;
    let twos = minus_one.trailing_zeros().unwrap_or_default();
    let odd = &minus_one >> twos;
    for _ in 0..ROUNDS {
        let base = random_number(random)? % (&minus_one - 2_u32) + 2_u32;
        let mut power = base.modpow(&odd, candidate);
        let mut squarings = 1;
        while power != one && power != minus_one && squarings < twos {
            power = &power * &power % candidate;
            squarings += 1;
        }
        let passes = power == minus_one || (power == one && squarings == 1);
        if !passes {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_the_public_key_and_nothing_else() {
        let key = ThrowawayKey::generate().expect("randomness");
        let public = RsaPublicKey::from_pem(key.public_pem().as_bytes()).expect("a public key");
        assert_eq!(public.signature_length(), 128);
        let signature = key.sign_sha1(b"Mt=1500");
        assert!(public.verify(b"Mt=1500".to_vec(), &signature).is_ok());
        assert!(public.verify(b"Mt=1501".to_vec(), &signature).is_err());
    }

    #[test]
    fn every_key_is_another() {
        let fingerprint = || {
            let key = ThrowawayKey::generate().expect("randomness");
            RsaPublicKey::from_pem(key.public_pem().as_bytes())
                .expect("a public key")
                .fingerprint()
                .to_owned()
        };
        assert_ne!(fingerprint(), fingerprint());
    }

    #[test]
    fn a_key_comes_back_from_its_file() {
        let key = ThrowawayKey::generate().expect("randomness");
        let back = ThrowawayKey::from_private_pem(key.private_pem().as_bytes()).expect("the same key");
        assert_eq!(back.private_pem(), key.private_pem());
        assert_eq!(back.public_pem(), key.public_pem());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refusal = |pem: &str| ThrowawayKey::from_private_pem(pem.as_bytes()).err();
        let own = ThrowawayKey::generate().expect("randomness");
        assert_eq!(refusal(""), Some(NoKey::NoPem));
        assert_eq!(refusal(&own.public_pem()), Some(NoKey::NoPem));
        assert_eq!(refusal(&pem("RSA PRIVATE KEY", &[SEQUENCE, 0])), Some(NoKey::NotRsa));
        let small =
            [0_u32, 35, PUBLIC_EXPONENT, 1, 5, 7, 1, 1, 1].map(|n| integer(&BigUint::from(n))).concat();
        assert_eq!(refusal(&pem("RSA PRIVATE KEY", &der::element(SEQUENCE, &small))), Some(NoKey::NotRsa));
        let nulls =
            [0_u32, 0, PUBLIC_EXPONENT, 0, 0, 0, 0, 0, 0].map(|n| integer(&BigUint::from(n))).concat();
        assert_eq!(refusal(&pem("RSA PRIVATE KEY", &der::element(SEQUENCE, &nulls))), Some(NoKey::NotRsa));
    }

    #[test]
    fn small_products_are_not_primes() {
        let random = SystemRandom::new();
        let judge = |digits: &[u8]| {
            let number = BigUint::parse_bytes(digits, 10).expect("digits");
            is_prime(&number, &random).expect("randomness")
        };
        // 2^127 - 1 is prime; 2^137 - 1 = 32032215596496435569 · 5439042183600204290159 is not; the last is a
        // Carmichael number with three factors above 2000: 2557 · 5113 · 7669.
        assert!(judge(b"170141183460469231731687303715884105727"));
        assert!(!judge(b"174224571863520493293247799005065324265471"));
        assert!(!judge(b"100264053529"));
    }
}
