//! What a verified payload says of its bearer (contract: `dialects.md`, "The five dialects"). The id must be
//! sound; name and picture are courtesies, so one of a wrong type or size is passed over, not refused.

use std::time::Duration;

use parlance_domain::model::{ClaimedProfile, EmailAddress, Timestamp, User, UserId};
use serde_json::{Map, Value};

pub(crate) type Payload = Map<String, Value>;

const ID_CLAIMS: [&str; 4] = ["sub", "_id", "id", "userId"];
const NAME_CLAIMS: [&str; 2] = ["name", "fullName"];
const PICTURE_CLAIMS: [&str; 3] = ["picture", "profileImage", "profilePicture"];
const MAX_PICTURE_BYTES: usize = 2048;
/// How far the issuer's clock may be ahead before `iat` is not believed.
const MAX_ISSUED_AHEAD: Duration = Duration::from_mins(10);

/// The bearer's id: the first claim that is there decides, also when it is unusable, so that a token cannot speak
/// for one user here and for another elsewhere.
pub(crate) fn user_id(payload: &Payload) -> Result<UserId, &'static str> {
    let claim = ID_CLAIMS.iter().find_map(|name| payload.get(*name).filter(|value| !value.is_null()));
    let text = match claim {
        None => return Err("no user id"),
        Some(Value::String(text)) => text.clone(),
        // Only whole numbers in the range of 64 bits: others lose digits on the way, and two users would become one.
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
        Some(_) => return Err("the user id is neither text nor a whole number"),
    };
    text.parse().map_err(|_| "the user id is empty, too long or has control characters")
}

/// That `iss` is one of these, unless there are none. It is a text (RFC 7519, 4.1.1), never a list.
pub(crate) fn issuer(payload: &Payload, accepted: &[String]) -> Result<(), &'static str> {
    match payload.get("iss") {
        _ if accepted.is_empty() => Ok(()),
        Some(Value::String(issuer)) if accepted.contains(issuer) => Ok(()),
        Some(Value::String(_)) => Err("wrong issuer"),
        _ => Err("no issuer"),
    }
}

/// That `aud`, a text or a list of them, names one of these, unless there are none.
pub(crate) fn audience(payload: &Payload, accepted: &[String]) -> Result<(), &'static str> {
    let meant = |value: &Value| value.as_str().is_some_and(|text| accepted.iter().any(|one| one == text));
    match payload.get("aud") {
        _ if accepted.is_empty() => Ok(()),
        Some(Value::Array(listed)) if listed.iter().any(meant) => Ok(()),
        Some(value @ Value::String(_)) if meant(value) => Ok(()),
        Some(Value::Array(_) | Value::String(_)) => Err("wrong audience"),
        _ => Err("no audience"),
    }
}

/// That all of these are there.
pub(crate) fn required(payload: &Payload, names: &[String]) -> Result<(), &'static str> {
    let there = |name: &String| payload.get(name).is_some_and(|value| !value.is_null());
    if names.iter().all(there) { Ok(()) } else { Err("a required claim is missing") }
}

/// Name and picture, as far as they are usable.
pub(crate) fn profile(payload: &Payload) -> ClaimedProfile {
    let texts = |names: &'static [&'static str]| {
        names.iter().filter_map(|name| payload.get(*name)?.as_str()).map(str::trim).filter(|text| !text.is_empty())
    };
    ClaimedProfile {
        name: texts(&NAME_CLAIMS)
            .find(|name| !name.chars().any(char::is_control))
            .map(|name| name.chars().take(User::MAX_NAME_CHARS).collect()),
        // A link that is cut leads nowhere, so a long one is dropped whole.
        picture: texts(&PICTURE_CLAIMS)
            .find(|link| link.len() <= MAX_PICTURE_BYTES && !link.chars().any(|c| c.is_control() || c.is_whitespace()))
            .map(str::to_owned),
    }
}

/// The e-mail address, unless the issuer says that nobody has looked whose it is (`OpenID` Connect Core, 5.1).
pub(crate) fn email(payload: &Payload) -> Option<EmailAddress> {
    if payload.get("email_verified").and_then(Value::as_bool) == Some(false) {
        return None;
    }
    payload.get("email")?.as_str().and_then(|text| EmailAddress::new(text.trim()).ok())
}

/// When the token was made. Nobody need say so, so a time that cannot be read is none; one far ahead is none either, or
/// who writes milliseconds would make tokens that no revocation is after.
pub(crate) fn issued_at(payload: &Payload, now: Timestamp) -> Option<Timestamp> {
    moment(payload, "iat").ok().flatten().filter(|at| *at <= now.plus(MAX_ISSUED_AHEAD))
}

/// A `NumericDate` claim (RFC 7519: seconds, perhaps with a fraction); `None` where the claim is absent.
pub(crate) fn moment(payload: &Payload, name: &str) -> Result<Option<Timestamp>, &'static str> {
    const MALFORMED: &str = "a time claim is not a time";
    let Some(value) = payload.get(name) else { return Ok(None) };
    let seconds = value.as_f64().ok_or(MALFORMED)?;
    let since_epoch = Duration::try_from_secs_f64(seconds).map_err(|_| MALFORMED)?;
    Ok(Some(Timestamp::from_millis(0).plus(since_epoch)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn payload(value: Value) -> Payload {
        match value {
            Value::Object(payload) => payload,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn the_first_id_claim_that_is_there_decides() {
        let id = |value| user_id(&payload(value)).map(|id| id.to_string());
        assert_eq!(id(json!({"sub": "a", "_id": "b", "id": "c", "userId": "d"})), Ok("a".into()));
        assert_eq!(id(json!({"userId": "d", "id": "c", "_id": "b"})), Ok("b".into()));
        assert_eq!(id(json!({"sub": null, "id": 17})), Ok("17".into()));
        assert_eq!(id(json!({"id": u64::MAX})), Ok(u64::MAX.to_string()));
        assert_eq!(id(json!({"userId": "ü".repeat(64)})), Ok("ü".repeat(64)));
        for unusable in [
            json!({}),
            json!({"sub": "", "_id": "b"}),
            json!({"sub": "x".repeat(129)}),
            json!({"sub": "a\u{0}b"}),
            json!({"sub": ["a"], "id": "b"}),
            json!({"sub": 1.5}),
            json!({"sub": 1e30}),
            json!({"sub": true}),
        ] {
            assert!(id(unusable.clone()).is_err(), "{unusable}");
        }
    }

    #[test]
    fn name_and_picture_are_bounded_and_never_refused() {
        let read = |value| profile(&payload(value));
        let full = read(json!({"fullName": " Alice A. ", "profileImage": "https://x/y.png"}));
        assert_eq!(full.name.as_deref(), Some("Alice A."));
        assert_eq!(full.picture.as_deref(), Some("https://x/y.png"));
        assert_eq!(read(json!({"name": 7, "fullName": "B"})).name.as_deref(), Some("B"));
        assert_eq!(read(json!({"name": "é".repeat(300)})).name.map(|name| name.chars().count()), Some(200));
        for ignored in [
            json!({"name": ["a"], "picture": {}}),
            json!({"name": "  ", "picture": ""}),
            json!({"name": "a\u{7}b", "profilePicture": "https://x/ y"}),
            json!({"picture": format!("https://x/{}", "y".repeat(2048))}),
        ] {
            assert_eq!(read(ignored.clone()), ClaimedProfile::default(), "{ignored}");
        }
    }

    #[test]
    fn an_address_is_one_or_none_and_nobody_elses() {
        let read = |value| email(&payload(value)).map(|email| email.as_str().to_owned());
        assert_eq!(read(json!({"email": " ann@example.com "})).as_deref(), Some("ann@example.com"));
        assert_eq!(
            read(json!({"email": "ann@example.com", "email_verified": true})).as_deref(),
            Some("ann@example.com")
        );
        for none in [
            json!({}),
            json!({"email": 7}),
            json!({"email": "ann"}),
            json!({"email": "ann@example.com\r\nBcc: eve@example.com"}),
            json!({"email": "ann@example.com", "email_verified": false}),
        ] {
            assert_eq!(read(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_moment_of_issue_is_believed_or_none() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let read = |value| issued_at(&payload(json!({ "iat": value })), now).map(Timestamp::millis);
        assert_eq!(read(json!(1_700_000_000)), Some(1_700_000_000_000));
        assert_eq!(read(json!(1_699_999_999.5)), Some(1_699_999_999_500));
        assert_eq!(read(json!(1_700_000_600)), Some(1_700_000_600_000), "a clock may be ahead");
        for none in [json!(1_700_000_601), json!(1_700_000_000_000_i64), json!("2023-11-14"), json!(null), json!(-1)] {
            assert_eq!(read(none.clone()), None, "{none}");
        }
        assert_eq!(issued_at(&Payload::new(), now), None);
    }

    #[test]
    fn times_are_seconds_perhaps_with_a_fraction() {
        let read = |value| moment(&payload(json!({ "exp": value })), "exp").map(|at| at.map(Timestamp::millis));
        assert_eq!(read(json!(1_700_000_000)), Ok(Some(1_700_000_000_000)));
        assert_eq!(read(json!(1.25)), Ok(Some(1250)));
        assert_eq!(moment(&Payload::new(), "exp"), Ok(None));
        for malformed in [json!("1700000000"), json!(-1), json!(null), json!([]), json!(1e300)] {
            assert!(read(malformed.clone()).is_err(), "{malformed}");
        }
    }
}
