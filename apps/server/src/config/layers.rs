//! The three layers of configuration, each a map from setting to text: file, then environment, then flags; a later
//! one wins. An unknown key in the file is refused. An empty environment variable counts as not set, since that is
//! how container files leave a setting out. What the texts mean is decided in `Config`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use parlance_dialects::Dialects;

use super::error::{ConfigError, Origin};
use super::setting::{SETTINGS, Setting};

/// What the program and its command line say.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--dev`.
    pub dev: bool,
    /// What the server can speak: the five, and what the program adds. `LISTEN` and `DEFAULT_DIALECT` may name them all.
    pub dialects: Dialects,
    /// One pair for each setting that was given as a flag: the setting's name and the value.
    pub settings: Vec<(&'static str, String)>,
}

/// What somebody gave for a setting.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// The text may be a secret.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// All that was given.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers(BTreeMap<&'static str, Given>);

impl Layers {
    /// Gathers the layers. The file is `--config`, else `PARLANCE_CONFIG`, else `parlance.toml` in the current
    /// folder if there is one.
    pub(super) fn gather(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        let env = |name: &str| env(name).filter(|text| !text.is_empty());
        let named = flags.config.clone().or_else(|| env("PARLANCE_CONFIG").map(PathBuf::from));
        let usual = PathBuf::from("parlance.toml");
        if let Some(path) = named.or_else(|| usual.is_file().then_some(usual)) {
            let text = std::fs::read_to_string(&path).map_err(|error| ConfigError::file(&path, error))?;
            layers.add_file(&path, &text)?;
        }
        for setting in SETTINGS {
            if let Some(text) = env(setting.name) {
                layers.set(setting, text, Origin::Environment);
            }
        }
        for (name, text) in &flags.settings {
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.name == *name) {
                layers.set(setting, text.clone(), Origin::Flag);
            }
        }
        Ok(layers)
    }

    fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        // The parser's own message is kept apart from its excerpt of the file, which may show a secret.
        let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            ConfigError::file(path, format!("line {line}: {}", error.message()))
        })?;
        for (key, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key() == key) else {
                return Err(ConfigError::UnknownKey { path: path.to_owned(), hint: hint(&key), key });
            };
            let origin = Origin::File(path.to_owned());
            let text = scalar(value).ok_or_else(|| ConfigError::Value {
                name: setting.name,
                origin: origin.clone(),
                problem: "must be a text, a number or a list of texts".to_owned(),
            })?;
            self.set(setting, text, origin);
        }
        Ok(())
    }

    fn set(&mut self, setting: &Setting, text: String, origin: Origin) {
        self.0.insert(setting.name, Given { text, origin });
    }

    /// What was given for a setting, else its default.
    pub(super) fn get(&self, setting: &Setting) -> Option<Given> {
        let default = || setting.default.map(|text| Given { text: text.to_owned(), origin: Origin::Default });
        self.0.get(setting.name).cloned().or_else(default)
    }

    /// A refusal that names a setting and who set it.
    pub(super) fn refuse(&self, name: &'static str, problem: String) -> ConfigError {
        ConfigError::Value { name, origin: self.origin(name), problem }
    }

    /// Where a setting's value comes from.
    pub(super) fn origin(&self, name: &str) -> Origin {
        self.0.get(name).map_or(Origin::Default, |given| given.origin.clone())
    }

    /// Whether somebody gave a value.
    pub(super) fn decide(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether the value of a setting is another one there.
    pub(super) fn differ(&self, there: &Self, setting: &Setting) -> bool {
        let text = |layers: &Self| layers.get(setting).map(|given| given.text);
        text(self) != text(there)
    }
}

/// A TOML value as the text that the environment would have. A list becomes a comma-separated text.
fn scalar(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(values) => {
            let texts: Option<Vec<String>> =
                values.into_iter().map(|value| value.as_str().map(str::to_owned)).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

/// The setting that somebody probably meant by `key`.
fn hint(key: &str) -> String {
    let lower = key.to_ascii_lowercase().replace('-', "_");
    let near = SETTINGS.iter().map(Setting::key).map(|known| (distance(&lower, &known), known)).min();
    match near {
        Some((distance, known)) if distance <= 2 => format!(" (did you mean `{known}`?)"),
        _ => String::new(),
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Layers, ConfigError> {
        let mut layers = Layers::default();
        layers.add_file(Path::new("parlance.toml"), text).map(|()| layers)
    }

    #[test]
    fn a_later_layer_wins() {
        let mut layers = file("port = 1\ntyping_timeout = \"1s\"\nmax_media = 5").unwrap();
        layers.set(&super::super::setting::PORT, "2".to_owned(), Origin::Environment);
        layers.set(&super::super::setting::PORT, "3".to_owned(), Origin::Flag);
        assert_eq!(layers.get(&super::super::setting::PORT).unwrap().text, "3");
        assert_eq!(layers.get(&super::super::setting::MAX_MEDIA).unwrap().text, "5");
        assert_eq!(layers.get(&super::super::setting::LOG_FORMAT).unwrap().origin, Origin::Default);
    }

    #[test]
    fn lists_are_comma_separated_texts() {
        let layers = file("cors_origin = [\"https://a.example\", \"https://b.example\"]").unwrap();
        let given = layers.get(&super::super::setting::CORS_ORIGIN).unwrap();
        assert_eq!(given.text, "https://a.example,https://b.example");
    }

    #[test]
    fn what_is_no_setting_is_refused_with_a_hint() {
        assert_eq!(
            file("prot = 4000").unwrap_err().to_string(),
            "parlance.toml: unknown setting `prot` (did you mean `port`?)"
        );
        assert_eq!(file("colour = 1").unwrap_err().to_string(), "parlance.toml: unknown setting `colour`");
        assert_eq!(
            file("[port]\nnumber = 1").unwrap_err().to_string(),
            "PORT (parlance.toml): must be a text, a number or a list of texts"
        );
    }

    #[test]
    fn a_broken_file_is_one_line_without_its_content() {
        let error = file("port = 1\naccess_token_secret = \"hush\n").unwrap_err().to_string();
        assert!(error.starts_with("configuration file parlance.toml: line 2: "), "{error}");
        assert!(!error.contains('\n') && !error.contains("hush"), "{error}");
    }
}
