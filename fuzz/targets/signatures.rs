//! The signatures of Up2pay and Sogecommerce beside a second reading of their rules, which shares no line with the adapters: other
//! decoding, other order, other libraries. Both must take the same messages, and find the same bytes signed.
//!
//! The first line of an input says how the rest is signed before it is sent: a digit chooses what is signed, a second one how the
//! signature is written, and what follows says whose it is, a query of Up2pay or a body of Sogecommerce. The signature takes the
//! place of `{K}`.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cvco_fuzz::{KEY, TRIAL_KEY, sogecommerce, up2pay};
use cvco_psp::sogecommerce::Algorithm;
use cvco_psp::{Adapter, Method, Rejection, Request};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use num_bigint::BigUint;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (orders, payload) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let digit = |at: usize| orders.get(at).map_or(0, |byte| usize::from(byte.wrapping_sub(b'0')));
    if orders.ends_with(b"s") {
        of_sogecommerce(digit(0), digit(1), payload);
    } else {
        of_up2pay(digit(0), digit(1), payload);
    }
});

// ───────────────────────────── Up2pay ─────────────────────────────

/// PBX_RETOUR of the manual, which is the default.
const TEMPLATE: [&[u8]; 9] =
    [b"Mt", b"Ref", b"Auto", b"Appel", b"ChoixPaiement", b"ChoixCarte", b"Erreur", b"Transaction", b"Pays"];
const MOST_PAIRS: usize = 100;

fn of_up2pay(chosen: usize, writing: usize, payload: &[u8]) {
    let signable = up2pay_signable(payload).map(|(texts, _)| texts).unwrap_or_default();
    let signed = signable.get(chosen % signable.len().max(1)).cloned().unwrap_or_default();
    let sent = if has_place(payload) {
        let base64 = STANDARD.encode(TRIAL_KEY.sign_sha1(&signed));
        put(payload, &written(&base64, writing))
    } else {
        payload.to_vec()
    };
    let expected = up2pay_proven(&sent);
    let taken = ADAPTER.prove(&Request { method: Method::Get, query: &sent, body: b"", headers: &[] });
    match (&taken, expected) {
        (Ok(message), Some(expected)) => {
            assert_eq!(message.proven_bytes().as_ref(), expected, "other bytes are signed")
        }
        (Ok(message), None) => panic!("taken, but not signed: {message:?}"),
        (Err(rejection), Some(expected)) => {
            panic!("{rejection}, but signed: {}", String::from_utf8_lossy(&expected))
        }
        (Err(_), None) => {}
    }
}

static ADAPTER: LazyLock<Box<dyn Adapter>> = LazyLock::new(up2pay);

/// Modulus of the public key: of a `SubjectPublicKeyInfo` of 1024 bits it is always these 128 bytes.
static MODULUS: LazyLock<BigUint> = LazyLock::new(|| {
    let pem = TRIAL_KEY.public_pem();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(base64).expect("a key");
    assert_eq!(der.len(), 162, "a key of 1024 bits");
    BigUint::from_bytes_be(&der[29..157])
});

/// The bytes that are signed, if any are.
fn up2pay_proven(sent: &[u8]) -> Option<Vec<u8>> {
    let (signable, signature) = up2pay_signable(sent)?;
    let mut text = unescape(&signature);
    if text.contains(&b'%') {
        text = unescape(&text);
    }
    let mut base64 = String::new();
    for byte in text {
        match byte {
            b' ' => base64.push('+'),
            b'\t' | b'\n' | b'\r' | b'\x0c' => {}
            other => base64.push(char::from(other)),
        }
    }
    let signature = STANDARD.decode(base64).ok().filter(|signature| signature.len() == 128)?;
    let signature = BigUint::from_bytes_be(&signature);
    // RFC 8017, 8.2.2: a signature is smaller than the modulus.
    if signature >= *MODULUS {
        return None;
    }
    let encoded = signature.modpow(&BigUint::from(65_537_u32), &MODULUS);
    signable.into_iter().find(|text| BigUint::from_bytes_be(&emsa(text)) == encoded)
}

/// RFC 8017, 9.2: EMSA-PKCS1-v1_5 with SHA-1.
fn emsa(text: &[u8]) -> Vec<u8> {
    const PREFIX: [u8; 15] =
        [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
    let digest = Sha1::digest(text);
    let mut encoded = vec![0x00, 0x01];
    encoded.resize(128 - 1 - PREFIX.len() - digest.len(), 0xff);
    encoded.push(0x00);
    encoded.extend(PREFIX);
    encoded.extend(digest);
    encoded
}

/// What may be signed, as the platform's rule has it: all before the signature; of that, what the template names, or from there
/// on; each as it came or percent-decoded once. And the value of the signature.
fn up2pay_signable(payload: &[u8]) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let pairs: Vec<&[u8]> = payload.split(|byte| *byte == b'&').collect();
    let signatures: Vec<usize> = (0..pairs.len()).filter(|at| name(pairs[*at]) == b"Signature").collect();
    let [at] = signatures[..] else { return None };
    if pairs.len() > MOST_PAIRS {
        return None;
    }
    let value = pairs[at].iter().skip(b"Signature=".len()).copied().collect();
    let before = pairs[..at].join(&b'&');
    let decoded = unescape(&before);
    let mut texts = Vec::new();
    for text in [before, decoded] {
        let pairs: Vec<&[u8]> = text.split(|byte| *byte == b'&').collect();
        if pairs.len() > MOST_PAIRS || pairs.iter().any(|pair| name(pair) == b"Signature") {
            continue;
        }
        let ours = |pair: &&&[u8]| TEMPLATE.contains(&name(pair));
        texts.push(pairs.iter().filter(ours).copied().collect::<Vec<_>>().join(&b'&'));
        let first = pairs.iter().position(|pair| ours(&pair)).unwrap_or(pairs.len());
        texts.push(pairs[first..].join(&b'&'));
        texts.push(text.clone());
    }
    texts.retain(|text| !text.is_empty());
    Some((texts, value))
}

fn name(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default()
}

// ───────────────────────────── Sogecommerce ─────────────────────────────

fn of_sogecommerce(chosen: usize, writing: usize, payload: &[u8]) {
    let algorithm = if chosen.is_multiple_of(2) { Algorithm::HmacSha256 } else { Algorithm::Sha1 };
    static OF_SHA_256: LazyLock<Box<dyn Adapter>> = LazyLock::new(|| sogecommerce(Algorithm::HmacSha256));
    static OF_SHA_1: LazyLock<Box<dyn Adapter>> = LazyLock::new(|| sogecommerce(Algorithm::Sha1));
    let adapter = match algorithm {
        Algorithm::HmacSha256 => &OF_SHA_256,
        Algorithm::Sha1 => &OF_SHA_1,
    };
    let sent = if has_place(payload) {
        // What a field is called where `{K}` stands decides whether it is signed itself, so it is looked for first.
        let signature = match fields(payload) {
            Some(fields) if fields.contains_key(&b"kr-answer"[..]) => hex(&tag(&fields[&b"kr-answer"[..]])),
            Some(fields) => vads_signature(&fields, algorithm),
            None => return,
        };
        put(payload, &written(&signature, writing % 2))
    } else {
        payload.to_vec()
    };
    let expected = sogecommerce_proven(&sent, algorithm);
    let taken = adapter.prove(&Request { method: Method::Post, query: b"", body: &sent, headers: &[] });
    match (taken, expected) {
        (Ok(message), Some(expected)) => {
            assert_eq!(message.proven_bytes().as_ref(), expected, "other bytes are signed")
        }
        (Ok(message), None) => panic!("taken, but not signed: {message:?}"),
        (Err(Rejection::Signature), Some(expected)) => {
            panic!("refused, but signed: {}", String::from_utf8_lossy(&expected))
        }
        // What is signed may be another shop's, or lack the field that says so.
        (Err(_), _) => {}
    }
}

/// The values that are signed, or the text, if the signature fits.
fn sogecommerce_proven(sent: &[u8], algorithm: Algorithm) -> Option<Vec<u8>> {
    let fields = fields(sent)?;
    if let Some(answer) = fields.get(&b"kr-answer"[..]) {
        let is = |name: &[u8], value: &[u8]| fields.get(name).is_some_and(|known| known == value);
        if !is(b"kr-hash-algorithm", b"sha256_hmac") || !is(b"kr-hash-key", b"password") {
            return None;
        }
        let hash = fields.get(&b"kr-hash"[..])?.to_ascii_lowercase();
        let plain = without_escaped_slashes(answer);
        return [answer.clone(), plain].into_iter().find(|text| hex(&tag(text)).as_bytes() == hash);
    }
    let values = vads_values(&fields)?;
    let signature = fields.get(&b"signature"[..])?;
    (vads_signature(&fields, algorithm).as_bytes() == signature.as_slice()).then_some(values)
}

/// Lyra, "Calculer la signature": the values of all `vads_` fields in the order of their names, joined by `+`.
fn vads_values(fields: &BTreeMap<Vec<u8>, Vec<u8>>) -> Option<Vec<u8>> {
    let vads = fields.iter().filter(|(name, _)| name.starts_with(b"vads_"));
    let values: Vec<&[u8]> = vads.map(|(_, value)| value.as_slice()).collect();
    (!values.is_empty()).then(|| values.join(&b'+'))
}

/// The same, with the key at the end.
fn vads_signature(fields: &BTreeMap<Vec<u8>, Vec<u8>>, algorithm: Algorithm) -> String {
    let mut text = vads_values(fields).unwrap_or_default();
    text.push(b'+');
    text.extend(KEY.bytes());
    match algorithm {
        Algorithm::HmacSha256 => STANDARD.encode(tag(&text)),
        Algorithm::Sha1 => hex(&Sha1::digest(&text)),
    }
}

/// Decoded names and values; `None` where a name stands twice, or there are too many.
fn fields(body: &[u8]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut fields = BTreeMap::new();
    let pieces: Vec<&[u8]> = body.split(|byte| *byte == b'&').collect();
    if pieces.len() > 8192 {
        return None;
    }
    for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
        let name = name(piece);
        let value = piece.get(name.len() + 1..).unwrap_or_default();
        let spaced = |text: &[u8]| {
            unescape(&text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect::<Vec<_>>())
        };
        if fields.insert(spaced(name), spaced(value)).is_some() {
            return None;
        }
    }
    Some(fields)
}

fn without_escaped_slashes(text: &[u8]) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::new();
    for byte in text {
        if *byte == b'/' && plain.last() == Some(&b'\\') {
            plain.pop();
        }
        plain.push(*byte);
    }
    plain
}

fn tag(text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

// ───────────────────────────── both ─────────────────────────────

const PLACE: &[u8] = b"{K}";

fn has_place(payload: &[u8]) -> bool {
    payload.windows(PLACE.len()).any(|part| part == PLACE)
}

fn put(payload: &[u8], signature: &str) -> Vec<u8> {
    let at = payload.windows(PLACE.len()).position(|part| part == PLACE).expect("there is a place");
    [&payload[..at], signature.as_bytes(), &payload[at + PLACE.len()..]].concat()
}

/// A signature as it may be on the wire.
fn written(signature: &str, writing: usize) -> String {
    let escape =
        |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
    match writing % 4 {
        0 => escape(signature),
        1 => signature.to_owned(),
        2 => escape(&escape(signature)),
        _ => signature.replace('+', " "),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Percent escapes undone; what is none stays.
fn unescape(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut plain, mut at) = (Vec::new(), 0);
    while let Some(byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                plain.push(u8::try_from(high * 16 + low).expect("two digits"));
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    plain
}
