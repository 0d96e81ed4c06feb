//! The text format of Prometheus, as far as a server of ours writes it. A line that cannot be read is passed over: a newer
//! release may say more than this one understands.

/// One value.
#[derive(Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    labels: Vec<(&'a str, String)>,
    pub(super) value: f64,
}

impl Sample<'_> {
    /// The value of a label, if it has one.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(known, _)| *known == key).map(|(_, value)| value.as_str())
    }
}

/// The values of a page.
pub(super) fn samples(page: &str) -> impl Iterator<Item = Sample<'_>> {
    page.lines().filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim();
    let (name, rest) = line.split_at(line.find(['{', ' ', '\t'])?);
    let (labels, rest) = match rest.strip_prefix('{') {
        _ if name.is_empty() || name.starts_with('#') => return None,
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    // A moment may follow.
    let value = rest.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Sample { name, labels, value })
}

/// Pairs up to the closing brace, and what follows it.
fn labels(text: &str) -> Option<(Vec<(&str, String)>, &str)> {
    let (mut labels, mut rest) = (Vec::new(), text);
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (key, value) = rest.split_once("=\"")?;
        let (value, after) = quoted(value)?;
        labels.push((key.trim_end(), value));
        rest = after;
    }
}

/// A value up to its closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_with_and_without_labels() {
        let page = "# HELP a What it says\n# TYPE a counter\na 3\n\nb{x=\"1\",y=\"two words\"} 0.25 1700000000\n\
                    c_bucket{le=\"+Inf\"} 7\nd{e=\"a \\\"b\\\\ }\\n\",} NaN\n";
        let found: Vec<Sample<'_>> = samples(page).collect();
        assert_eq!(found.iter().map(|sample| sample.name).collect::<Vec<_>>(), ["a", "b", "c_bucket", "d"]);
        assert_eq!((found[0].value, found[1].value), (3.0, 0.25));
        assert_eq!((found[1].label("y"), found[1].label("z")), (Some("two words"), None));
        assert_eq!(found[2].label("le"), Some("+Inf"));
        assert_eq!(found[3].label("e"), Some("a \"b\\ }\n"));
        assert!(found[3].value.is_nan());
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for line in ["", "a", "a x", "a{", "a{b} 1", "a{b=\"} 1", "{} 1", "a{b=\"c\"}", "#", "<html> 1"] {
            assert_eq!(samples(line).filter(|sample| sample.name != "<html>").count(), 0, "{line:?}");
        }
        assert_eq!(samples("a{ 1\nb 2").map(|sample| sample.name).collect::<Vec<_>>(), ["b"]);
    }
}
