//! How the text of a setting becomes a value. Each function says in a few words what it wants; naming the setting
//! is the caller's part.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jiff::SignedDuration;
use parlance_dialects::{AnyDialect, Dialects};
use parlance_domain::rules::Rate;

/// Where a listener listens, and what its clients speak unless they say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Address and port; port 0 is a free one.
    pub address: SocketAddr,
    /// The listener's dialect; without one the server's default applies.
    pub dialect: Option<AnyDialect>,
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.dialect {
            Some(dialect) => write!(f, "{}={dialect}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Any text that can be seen; a blank one is a slip.
pub(super) fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be blank".to_owned()) } else { Ok(text.to_owned()) }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is no port (0 to 65535)"))
}

pub(super) fn dialect(dialects: &Dialects) -> impl Fn(&str) -> Result<AnyDialect, String> {
    move |text| {
        dialects.find(text).map_err(|_| {
            let names: Vec<_> = dialects.all().map(|dialect| dialect.name()).collect();
            format!("{text:?} is no dialect ({})", names.join(", "))
        })
    }
}

pub(super) fn listeners(dialects: &Dialects) -> impl Fn(&str) -> Result<Vec<Listen>, String> {
    move |text| {
        let listeners = entries(text).map(|entry| listen(entry, dialects)).collect::<Result<Vec<_>, _>>()?;
        if listeners.is_empty() { Err("names no listener".to_owned()) } else { Ok(listeners) }
    }
}

fn listen(entry: &str, dialects: &Dialects) -> Result<Listen, String> {
    let (address, name) = match entry.split_once('=') {
        Some((address, name)) => (address, Some(name)),
        None => (entry, None),
    };
    let numeric = match address.strip_prefix("localhost:") {
        Some(port) => format!("{}:{port}", Ipv4Addr::LOCALHOST),
        None => address.to_owned(),
    };
    let address = numeric
        .parse()
        .map_err(|_| format!("{entry:?} is not of the form ADDRESS:PORT[=DIALECT], such as 127.0.0.1:4000=ulearn"))?;
    Ok(Listen { address, dialect: name.map(dialect(dialects)).transpose()? })
}

/// Addresses of STUN and TURN servers.
pub(super) fn ice_servers(text: &str) -> Result<Vec<String>, String> {
    let server = |entry: &str| {
        let host = ["stun:", "stuns:", "turn:", "turns:"].iter().find_map(|scheme| entry.strip_prefix(scheme));
        match host {
            Some(host) if !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic()) => Ok(entry.to_owned()),
            _ => Err(format!("{entry:?} is no STUN or TURN server, such as stun:stun.example.com:3478")),
        }
    };
    entries(text).map(server).collect()
}

/// Scheme and host, without a slash at the end.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not of the form https://HOST[:PORT]");
    let base = text.strip_suffix('/').unwrap_or(text);
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://")).ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) { Err(wrong()) } else { Ok(base.to_owned()) }
}

/// At most a day: nothing here is meant to last longer, and a slip of the unit is noticed.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration, such as 500ms, 2s or 1m");
    let duration = text.parse::<SignedDuration>().map_err(|_| wrong())?;
    let duration = Duration::try_from(duration).map_err(|_| wrong())?;
    if duration > Duration::from_hours(24) { Err(format!("{text:?} is more than a day")) } else { Ok(duration) }
}

pub(super) fn nonzero_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|value| if value.is_zero() { Err("must be more than 0".to_owned()) } else { Ok(value) })
}

pub(super) fn number(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> {
    move |text| match text.parse() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("{text:?} is no number from {least} to {most}")),
    }
}

/// Names, without blanks in them.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = entries(text).map(str::to_owned).collect();
    let plain = |name: &String| !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if names.is_empty() || !names.iter().all(plain) {
        return Err(format!("{text:?} is no list of names, such as exp,iat"));
    }
    Ok(names)
}

/// Address of a collector, to which paths are added: without a slash at the end.
pub(super) fn collector(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not of the form http://HOST[:PORT][/PATH]");
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_graphic() && !"@?#\\\"<>".contains(c);
    let named = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    if named && host.chars().all(plain) { Ok(text.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// A part of the whole.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| format!("{text:?} is no number from 0 to 1"))
}

/// So many a second, and so many at once.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let bounded = |text: &str| text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    let rate = text.split_once('/').and_then(|(number, burst)| Some((bounded(number)?, bounded(burst)?)));
    match rate {
        Some((number, burst)) => Ok(Rate::per_second(number, burst)),
        None => Err(format!("{text:?} is no rate, such as 30/60: so many a second, and so many at once")),
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy, const N: usize>(choices: [(&'static str, T); N]) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let found = choices.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words = choices.map(|(word, _)| word).join(" or ");
            format!("{text:?} is not {words}")
        })
    }
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_have_an_address_and_maybe_a_dialect() {
        let dialects = Dialects::default();
        let listeners = listeners(&dialects);
        let found = listeners("127.0.0.1:4000=talentbridge, [::1]:3100=ulearn,0.0.0.0:0,localhost:80").unwrap();
        let shown: Vec<String> = found.iter().map(Listen::to_string).collect();
        assert_eq!(shown, ["127.0.0.1:4000=talentbridge", "[::1]:3100=ulearn", "0.0.0.0:0", "127.0.0.1:80"]);
        for bad in ["4000", "127.0.0.1", "127.0.0.1:4000=klingon", "host:1", "127.0.0.1:70000", "", ","] {
            assert!(listeners(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ice_servers_are_stun_or_turn() {
        let found = ice_servers("stun:a.example, turns:b.example:5349?transport=tcp,").unwrap();
        assert_eq!(found, ["stun:a.example", "turns:b.example:5349?transport=tcp"]);
        for bad in ["a.example", "https://a.example", "stun:", "turn:a b"] {
            assert!(ice_servers(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_base_is_scheme_and_host() {
        assert_eq!(base_url("https://chat.example:8443/"), Ok("https://chat.example:8443".to_owned()));
        assert_eq!(base_url("http://127.0.0.1:4000"), Ok("http://127.0.0.1:4000".to_owned()));
        for bad in ["chat.example", "https://", "ftp://a", "https://a/b", "https://a?b", "https://me@a", ""] {
            assert!(base_url(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_collector_may_have_a_path_and_a_ratio_is_part_of_one() {
        assert_eq!(collector("http://otel:4318/"), Ok("http://otel:4318".to_owned()));
        assert_eq!(collector("https://otel.example/a/b"), Ok("https://otel.example/a/b".to_owned()));
        for bad in ["otel:4318", "http://", "http:///a", "http://me:hush@otel", "http://otel?a=b", "grpc://otel"] {
            assert!(collector(bad).is_err(), "{bad:?}");
        }
        assert_eq!((ratio("0.25"), ratio("1")), (Ok(0.25), Ok(1.0)));
        for bad in ["-0.1", "1.1", "NaN", "half", ""] {
            assert!(ratio(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for bad in ["2", "-2s", "soon", "", "25h", "2s ago"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
        assert!(nonzero_duration("0s").is_err());
    }

    #[test]
    fn rates_have_two_numbers() {
        assert_eq!(rate("30/60"), Ok(Rate::per_second(30, 60)));
        for bad in ["30", "0/1", "1/0", "30/60/90", "a/b", "-1/1", "2000000/1", "", "/"] {
            assert!(rate(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn numbers_and_words_have_bounds() {
        assert_eq!(number(1, 10)("10"), Ok(10));
        assert!(number(1, 10)("0").is_err() && number(1, 10)("11").is_err() && number(1, 10)("x").is_err());
        assert_eq!(choice([("on", true), ("off", false)])("off"), Ok(false));
        assert_eq!(choice([("on", true), ("off", false)])("no"), Err("\"no\" is not on or off".to_owned()));
    }
}
