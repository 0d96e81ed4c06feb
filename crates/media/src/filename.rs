//! Cleans the name that an upload came with: what is left is one plain name that fits the content, can be
//! saved on every system, and shows as what it is.

use crate::sniff::Format;

/// The longest cleaned name.
const MAX_BYTES: usize = 200;
/// Names that Windows takes for devices, whatever extension follows.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// Extensions that somebody's server, browser or desktop runs; inside a name they lose their dot.
const RUNNABLE: [&str; 44] = [
    "apk", "app", "asp", "aspx", "bat", "cgi", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "htm", "html", "jar",
    "js", "jse", "jsp", "lnk", "mht", "mhtml", "mjs", "msi", "phar", "php", "phtml", "pif", "pl", "ps1", "py", "rb",
    "reg", "scr", "sh", "shtml", "svg", "svgz", "vbe", "vbs", "wsf", "xht", "xhtml", "xml",
];

/// A name for a content of `format`, from the one that the uploader gave: 1 to 200 bytes without path parts,
/// control, bidirectional or invisible characters, `..`, leading dots or spaces and device names, ending in an
/// extension that fits the format. Cleaning a clean name changes nothing.
pub fn clean_filename(given: &str, format: Format) -> String {
    let own = given.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let name = tidy(own);
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if fits(extension, format) => (stem, extension.to_lowercase()),
        _ => (name.as_str(), format.extensions()[0].to_owned()),
    };
    let mut stem = disarm(stem);
    if is_device(&stem) {
        stem.insert(0, '_');
    }
    let room = MAX_BYTES - extension.len() - 1;
    stem.truncate(stem.floor_char_boundary(room));
    let mut stem = stem.trim_end_matches(['.', ' ']).to_owned();
    if stem.is_empty() {
        "file".clone_into(&mut stem);
    }
    format!("{stem}.{extension}")
}

fn fits(extension: &str, format: Format) -> bool {
    format.extensions().iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// Without characters that deceive or that a file system refuses; one space or dot where several were.
fn tidy(name: &str) -> String {
    let mut out = String::with_capacity(name.len().min(4 * MAX_BYTES));
    for c in name.chars() {
        let c = match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            c if c.is_whitespace() && !is_hidden(c) => ' ',
            c if is_hidden(c) => continue,
            c => c,
        };
        if matches!(c, ' ' | '.') && (out.is_empty() || out.ends_with(c) || (c == '.' && out.ends_with(' '))) {
            // `a .b` would end its stem in a space, which Windows drops.
            if c == '.' && out.ends_with(' ') {
                out.pop();
                if !out.is_empty() && !out.ends_with('.') {
                    out.push('.');
                }
            }
            continue;
        }
        out.push(c);
    }
    out.truncate(out.trim_end_matches(['.', ' ']).len());
    out
}

/// Control characters, marks that turn or hide text, and characters that stand for none.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}')
        || matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff)
}

/// Takes the dot from before every runnable extension: `x.php` becomes `x_php`.
fn disarm(stem: &str) -> String {
    let mut parts = stem.split('.');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let runnable = RUNNABLE.iter().any(|known| known.eq_ignore_ascii_case(part.trim()));
        out.push(if runnable { '_' } else { '.' });
        out.push_str(part);
    }
    out
}

fn is_device(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().trim();
    let numbered = |name: &str| {
        first.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name))
            && matches!(first.get(3..), Some(rest) if rest.chars().count() == 1
                && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '¹' | '²' | '³')))
    };
    DEVICES.iter().any(|device| device.eq_ignore_ascii_case(first)) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_what_they_are() {
        let cases = [
            ("photo.JPG", Format::Jpeg, "photo.jpg"),
            ("photo.jpeg", Format::Jpeg, "photo.jpeg"),
            ("../../etc/passwd", Format::Text, "passwd.txt"),
            (r"C:\Users\me\cv.pdf", Format::Pdf, "cv.pdf"),
            ("/", Format::Png, "file.png"),
            ("", Format::Zip, "file.zip"),
            (".htaccess", Format::Text, "htaccess.txt"),
            ("...", Format::Text, "file.txt"),
            ("a..b...pdf", Format::Pdf, "a.b.pdf"),
            ("shell.php.jpg", Format::Jpeg, "shell_php.jpg"),
            ("x.jpg.html", Format::Jpeg, "x.jpg_html.jpg"),
            ("evil.js", Format::Text, "evil_js.txt"),
            ("notes.md", Format::Text, "notes.md"),
            ("invoice\u{202e}fdp.exe", Format::Zip, "invoicefdp_exe.zip"),
            ("nul", Format::Text, "_nul.txt"),
            ("COM1.tar.zip", Format::Zip, "_COM1.tar.zip"),
            ("a\0b\r\nc.png", Format::Png, "abc.png"),
            ("a\"b<c>.png", Format::Png, "a_b_c_.png"),
            ("name.png. . .", Format::Png, "name.png"),
            ("  spaced \t name .png", Format::Png, "spaced name.png"),
            ("Lebenslauf Jörg 2024.pdf", Format::Pdf, "Lebenslauf Jörg 2024.pdf"),
            ("履歴書.docx", Format::Docx, "履歴書.docx"),
            ("report.v1.2.pdf", Format::Pdf, "report.v1.2.pdf"),
            ("a\u{200b}\u{feff}.gif", Format::Gif, "a.gif"),
            ("archive.docx", Format::Zip, "archive.docx.zip"),
        ];
        for (given, format, cleaned) in cases {
            assert_eq!(clean_filename(given, format), cleaned, "{given:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let cleaned = clean_filename(&format!("{}.jpeg", "ü".repeat(300)), Format::Jpeg);
        assert!(cleaned.len() <= 200 && cleaned.len() > 195 && cleaned.ends_with("ü.jpeg"), "{cleaned}");
    }

    fn format() -> impl Strategy<Value = Format> {
        prop::sample::select(Format::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn cleaned_names_keep_the_rules(given in prop_oneof!["[./\\\\ a-zA-Z:\u{202e}\u{0}\n\"ü.]{0,300}", any::<String>()], format in format()) {
            let name = clean_filename(&given, format);
            prop_assert!(!name.is_empty() && name.len() <= 200);
            prop_assert!(!name.contains(['/', '\\', '"', ':']) && !name.contains("..") && !name.starts_with(['.', ' ']));
            prop_assert!(!name.chars().any(is_hidden));
            prop_assert!(fits(name.rsplit_once('.').unwrap().1, format));
            prop_assert_eq!(clean_filename(&name, format), name);
        }
    }
}
