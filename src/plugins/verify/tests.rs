//! What the verifier takes and refuses: published vectors where there are any, self-made ones marked so.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;

use super::*;
use crate::{
    clock::from_millis,
    digest::{hex, hmac_sha1, hmac_sha256, hmac_sha512, unhex},
    domain::delivery::Delivery,
    plugins::cases::delivery,
};

const PREFIXED: &str = "hmac: {header: X-Signature-256, prefix: sha256=, signed: '{body}'}";
const TIMED: &str = "hmac: {header: X-Signature, prefix: v0=, signed: 'v0:{timestamp}:{body}', \
     timestamp: {header: X-Request-Timestamp}}";
const STANDARD_WEBHOOKS: &str = "hmac: {header: webhook-signature, encoding: base64, prefix: 'v1,', \
     separator: ' ', signed: '{id}.{timestamp}.{body}', id: webhook-id, \
     timestamp: {header: webhook-timestamp}, secret: {encoding: base64, prefix: whsec_}}";
const IN_ONE_HEADER: &str = "hmac: {header: Signature, prefix: v1=, separator: ',', \
     signed: '{timestamp}.{body}', timestamp: {entry: t=, tolerance_seconds: 10}}";
const LONG_HASH: &str = "hmac: {header: X-Hook-Signature, algorithm: sha512, signed: '{body}'}";
const TOKEN: &str = "token: {header: X-Token, prefix: 'Bearer '}";

const TIMED_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const TIMED_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TIMED_SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STANDARD_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn scheme(yaml: &str) -> Scheme {
    serde_saphyr::from_str(yaml).unwrap()
}

/// What becomes of a delivery with `headers` and `body` at the second `now`.
fn check(
    yaml: &str,
    secrets: &[&str],
    (headers, body): (&[(&str, &str)], &str),
    now: i64,
) -> Result<(), Refusal> {
    let secrets: Vec<_> = secrets.iter().map(|secret| SigningSecret((*secret).into())).collect();
    judged(&[scheme(yaml)], &secrets, &delivery(headers, body), now)
}

fn judged(
    schemes: &[Scheme],
    secrets: &[SigningSecret],
    delivery: &Delivery,
    now: i64,
) -> Result<(), Refusal> {
    let decoded = serde_json::from_slice::<Value>(&delivery.body).ok();
    let payload = || decoded.as_ref();
    verify(schemes, secrets, Said { delivery, payload: &payload }, from_millis(now * 1000))
}

#[test]
fn the_published_vector_of_a_prefixed_signature_fits() {
    let secret = "It's a Secret to Everybody";
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let headers = [("X-Signature-256", signature)];
    assert_eq!(check(PREFIXED, &[secret], (&headers, "Hello, World!"), 0), Ok(()));
    assert_eq!(check(PREFIXED, &["old", secret], (&headers, "Hello, World!"), 0), Ok(()));
    assert_eq!(check(PREFIXED, &[], (&[], "Hello, World!"), 0), Ok(()));
    let upper = signature.replace("757107ea", "757107EA");
    let upper = [("X-Signature-256", upper.as_str())];
    assert_eq!(check(PREFIXED, &[secret], (&upper, "Hello, World!"), 0), Ok(()));

    let mismatch = Err(Refusal::Mismatch("header `x-signature-256`".to_owned()));
    assert_eq!(check(PREFIXED, &[secret], (&headers, "Hello, World?"), 0), mismatch);
    assert_eq!(check(PREFIXED, &["other", ""], (&headers, "Hello, World!"), 0), mismatch);
    let unsigned = Err(Refusal::Unsigned("header `x-signature-256`".to_owned()));
    assert_eq!(check(PREFIXED, &[secret], (&[], "Hello, World!"), 0), unsigned);
    for wrong in ["", "sha256=", "sha256=zz", "sha1=757107ea", &signature[7..], &signature[..70]] {
        let refused =
            check(PREFIXED, &[secret], (&[("X-Signature-256", wrong)], "Hello, World!"), 0);
        assert!(refused.is_err(), "{wrong}");
    }
}

#[test]
fn an_empty_secret_signs_nothing() {
    let signature = format!("sha256={}", hex(&hmac_sha256(b"", b"{}")));
    let headers = [("X-Signature-256", signature.as_str())];
    assert!(check(PREFIXED, &[""], (&headers, "{}"), 0).is_err());
    assert!(check(TOKEN, &[""], (&[("X-Token", "Bearer ")], "{}"), 0).is_err());
}

#[test]
fn the_published_vector_with_a_time_in_a_header_fits_within_its_window() {
    let headers = [("X-Signature", TIMED_SIGNATURE), ("X-Request-Timestamp", "1531420618")];
    let at = |now| check(TIMED, &[TIMED_SECRET], (&headers, TIMED_BODY), now);
    for now in [1_531_420_318, 1_531_420_618, 1_531_420_918] {
        assert_eq!(at(now), Ok(()), "{now}");
    }
    let stale = Err(Refusal::Stale { away_seconds: 301, tolerance_seconds: 300 });
    assert_eq!(at(1_531_420_317), stale);
    assert_eq!(at(1_531_420_919), stale);
    for timestamp in ["", "soon", "1531420619", "99999999999999999999", "1e9"] {
        let headers = [("X-Signature", TIMED_SIGNATURE), ("X-Request-Timestamp", timestamp)];
        let refused = check(TIMED, &[TIMED_SECRET], (&headers, TIMED_BODY), 1_531_420_618);
        assert!(refused.is_err(), "{timestamp}");
    }
    let untimed = check(TIMED, &[TIMED_SECRET], (&headers[..1], TIMED_BODY), 1_531_420_618);
    assert_eq!(untimed, Err(Refusal::Incomplete("timestamp")));
}

#[test]
fn the_published_vector_with_id_time_and_several_signatures_fits() {
    let body = r#"{"test": 2432232314}"#;
    let bare = &STANDARD_SECRET["whsec_".len()..];
    let list = format!(
        "v1,AAAA v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJ == {STANDARD_SIGNATURE}"
    );
    for signature in [STANDARD_SIGNATURE, list.as_str()] {
        let headers = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ];
        let with =
            |secrets: &[&str]| check(STANDARD_WEBHOOKS, secrets, (&headers, body), 1_614_265_400);
        assert_eq!(with(&[STANDARD_SECRET]), Ok(()));
        assert_eq!(with(&["not base64!", bare]), Ok(()));
        assert!(with(&["not base64!"]).is_err());
        let without_id =
            check(STANDARD_WEBHOOKS, &[STANDARD_SECRET], (&headers[1..], body), 1_614_265_400);
        assert_eq!(without_id, Err(Refusal::Incomplete("identifier")));
    }
}

#[test]
fn time_and_signatures_may_share_a_header() {
    // Self-made: HMAC-SHA256 of `100.{}` under `key`.
    let tag = hex(&hmac_sha256(b"key", b"100.{}"));
    let shown = format!("t=100, v0=00, v1=00, v1={tag}");
    let headers = [("Signature", shown.as_str())];
    assert_eq!(check(IN_ONE_HEADER, &["key"], (&headers, "{}"), 110), Ok(()));
    assert!(check(IN_ONE_HEADER, &["key"], (&headers, "{}"), 111).is_err());
    let untimed = format!("v1={tag}");
    let untimed = check(IN_ONE_HEADER, &["key"], (&[("Signature", &untimed)], "{}"), 100);
    assert_eq!(untimed, Err(Refusal::Incomplete("timestamp")));
}

#[test]
fn a_long_hash_and_a_shown_token_fit() {
    // Self-made: HMAC-SHA512 of `{}` under `key`.
    let tag = hex(&hmac_sha512(b"key", b"{}"));
    let headers = [("X-Hook-Signature", tag.as_str())];
    assert_eq!(check(LONG_HASH, &["key"], (&headers, "{}"), 0), Ok(()));
    assert!(check(LONG_HASH, &["kex"], (&headers, "{}"), 0).is_err());

    assert_eq!(check(TOKEN, &["a", "b"], (&[("X-Token", "Bearer b")], "{}"), 0), Ok(()));
    for wrong in ["b", "Bearer c", "Bearer b ", ""] {
        assert!(check(TOKEN, &["a", "b"], (&[("X-Token", wrong)], "{}"), 0).is_err(), "{wrong}");
    }
}

#[test]
fn one_scheme_that_fits_is_enough_and_the_best_refusal_is_told() {
    let with_time = "hmac: {header: S, signed: '{timestamp}:{body}', timestamp: {header: T}}";
    let schemes = [scheme(with_time), scheme("hmac: {header: S, signed: '{body}'}")];
    let secrets = [SigningSecret("key".to_owned())];
    let plain = hex(&hmac_sha256(b"key", b"{}"));
    let timed = hex(&hmac_sha256(b"key", b"1000:{}"));
    let check = |headers: &[(&str, &str)], now: i64| {
        judged(&schemes, &secrets, &delivery(headers, "{}"), now)
    };
    assert_eq!(check(&[("S", &plain)], 1000), Ok(()));
    assert_eq!(check(&[("S", &timed), ("T", "1000")], 1000), Ok(()));
    let stale = Refusal::Stale { away_seconds: 1000, tolerance_seconds: 300 };
    assert_eq!(check(&[("S", &timed), ("T", "1000")], 2000), Err(stale));
    let mismatch = Refusal::Mismatch("header `s`".to_owned());
    assert_eq!(check(&[("S", &timed), ("T", "1900")], 2000), Err(mismatch.clone()));
    assert_eq!(check(&[("S", &timed)], 1000), Err(mismatch));
    assert_eq!(judged(&[], &secrets, &delivery(&[], "{}"), 0), Err(Refusal::NoScheme));
}

#[test]
fn a_description_that_protects_nothing_is_refused() {
    for (yaml, expected) in [
        ("hmac: {header: S, signed: 'x'}", "`signed` must hold `{body}` or a field"),
        ("hmac: {header: S, signed: '{bdy}'}", "`{bdy}` is none of"),
        ("hmac: {header: S, signed: '{body'}", "`{body}` is none of"),
        ("hmac: {header: S, signed: '{timestamp}{body}'}", "exactly where `timestamp` is given"),
        (
            "hmac: {header: S, signed: '{body}', timestamp: {header: T}}",
            "exactly where `timestamp`",
        ),
        ("hmac: {header: S, signed: '{id}{body}'}", "exactly where `id` is given"),
        (
            "hmac: {header: S, signed: '{timestamp}{body}', timestamp: {entry: t=}}",
            "`entry` needs a `separator`",
        ),
        (
            "hmac: {header: S, signed: '{timestamp}{body}', timestamp: {}}",
            "one of `header`, `body` and `entry`",
        ),
        ("hmac: {header: S, signed: '{body}', separator: ''}", "must not be empty"),
        ("hmac: {header: 'a b', signed: '{body}'}", "no header's name"),
        ("hmac: {header: S, signed: '{body}', algorithm: md5}", "md5"),
        ("hmac: {header: S, signed: '{body}', prefx: x}", "prefx"),
    ] {
        let fault = serde_saphyr::from_str::<Scheme>(yaml).unwrap_err().to_string();
        assert!(fault.contains(expected), "{yaml}: {fault}");
    }
}

#[test]
fn the_short_hash_of_older_senders_fits() {
    // Self-made: HMAC-SHA1 of `Hello, World!` under the secret of the published vector.
    let yaml = "hmac: {header: X-Signature, algorithm: sha1, prefix: sha1=, signed: '{body}'}";
    let secret = "It's a Secret to Everybody";
    let tag = format!("sha1={}", hex(&hmac_sha1(secret.as_bytes(), b"Hello, World!")));
    let headers = [("X-Signature", tag.as_str())];
    assert_eq!(check(yaml, &[secret], (&headers, "Hello, World!"), 0), Ok(()));
    assert!(check(yaml, &[secret], (&headers, "Hello, World?"), 0).is_err());
}

#[test]
fn a_signature_may_stand_in_the_body_over_fields_of_it() {
    // Self-made: HMAC-SHA256 of timestamp and token, one behind the other, under `key`.
    let yaml = "hmac: {body: $.signature.signature, signed: '{timestamp}{$.signature.token}', \
         timestamp: {body: $.signature.timestamp}}";
    let tag = hex(&hmac_sha256(b"key", b"1000abc"));
    let body = |time: &str, token: &str| {
        format!(
            r#"{{"signature": {{"timestamp": "{time}", "token": "{token}", "signature": "{tag}"}}}}"#
        )
    };
    let at = |body: &str, now| check(yaml, &["old", "key"], (&[], body), now);
    assert_eq!(at(&body("1000", "abc"), 1100), Ok(()));
    let mismatch = Err(Refusal::Mismatch("field `$.signature.signature`".to_owned()));
    assert_eq!(at(&body("1000", "abd"), 1100), mismatch);
    assert_eq!(at(&body("1001", "abc"), 1100), mismatch);
    assert!(matches!(at(&body("1000", "abc"), 1301), Err(Refusal::Stale { .. })));
    let unsigned = Err(Refusal::Unsigned("field `$.signature.signature`".to_owned()));
    for body in ["{}", "[]", "oops", r#"{"signature": {"signature": {}}}"#] {
        assert_eq!(at(body, 1000), unsigned, "{body}");
    }
}

#[test]
fn a_shown_token_may_stand_in_the_body() {
    let yaml = "token: {body: $.Token}";
    assert_eq!(check(yaml, &["a", "b"], (&[], r#"{"Token": "b"}"#), 0), Ok(()));
    for body in [r#"{"Token": "c"}"#, r#"{"Token": ""}"#, "{}", "x"] {
        assert!(check(yaml, &["a", "b"], (&[], body), 0).is_err(), "{body}");
    }
}

#[test]
fn a_base64_signature_under_a_base64_secret_may_stand_in_the_authorization_header() {
    // Self-made: HMAC-SHA256 of `{}` under the bytes of `key`, which is `a2V5` in base64.
    let yaml = "hmac: {header: Authorization, prefix: 'HMAC ', encoding: base64, signed: '{body}', \
         secret: {encoding: base64}}";
    let tag = BASE64.encode(hmac_sha256(b"key", b"{}"));
    let shown = format!("HMAC {tag}");
    let headers = [("Authorization", shown.as_str())];
    assert_eq!(check(yaml, &["a2V5"], (&headers, "{}"), 0), Ok(()));
    assert!(check(yaml, &["key"], (&headers, "{}"), 0).is_err());
    assert!(check(yaml, &["a2V5"], (&headers, "{ }"), 0).is_err());
}

#[test]
fn a_signature_with_a_public_key_fits() {
    // Self-made, with the key pair of RFC 8032, test one.
    let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let public = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    let pair = ring::signature::Ed25519KeyPair::from_seed_and_public_key(&seed, &public).unwrap();
    let key = format!("whpk_{}", BASE64.encode(&public));
    let yaml = "ed25519: {header: webhook-signature, prefix: 'v1a,', separator: ' ', \
         signed: '{id}.{timestamp}.{body}', id: webhook-id, timestamp: {header: webhook-timestamp}, \
         key: {encoding: base64, prefix: whpk_}}";
    let signature = BASE64.encode(pair.sign(b"msg_1.1000.{}"));
    let shown = format!("v1,AAAA v1a,{signature}");
    let with = |shown: &str, id: &str, key: &str, now: i64| {
        let headers =
            [("webhook-id", id), ("webhook-timestamp", "1000"), ("webhook-signature", shown)];
        check(yaml, &["whpk_AAAA", key], (&headers, "{}"), now)
    };
    assert_eq!(with(&shown, "msg_1", &key, 1100), Ok(()));
    assert!(matches!(with(&shown, "msg_1", &key, 1301), Err(Refusal::Stale { .. })));
    let mismatch = Err(Refusal::Mismatch("header `webhook-signature`".to_owned()));
    assert_eq!(with(&shown, "msg_2", &key, 1100), mismatch);
    assert_eq!(with(&shown, "msg_1", "whpk_", 1100), mismatch);
    assert!(with("v1,AAAA", "msg_1", &key, 1100).is_err());
}
