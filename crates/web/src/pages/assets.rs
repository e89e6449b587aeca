//! The files that the pages load: embedded, and named by their content so that browsers may
//! keep them for ever.

use std::sync::LazyLock;

/// The path under which all files are served.
pub const PREFIX: &str = "/assets/crema/";

/// A file as it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// For `Content-Type`.
    pub content_type: &'static str,
    /// The whole file.
    pub body: &'static [u8],
    /// True if the path names this very content: `Cache-Control: max-age=31536000, immutable`.
    /// Otherwise the browser has to ask again.
    pub immutable: bool,
    /// 16 hexadecimal digits that change with the content, for `ETag`.
    pub hash: &'static str,
}

struct File {
    stem: &'static str,
    extension: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    hash: String,
    /// `/assets/crema/<stem>.<hash>.<extension>`
    path: String,
}

impl File {
    fn new(stem: &'static str, extension: &'static str, body: &'static [u8]) -> Self {
        let hash = format!("{:016x}", fnv1a(body));
        let content_type = match extension {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        let path = format!("{PREFIX}{stem}.{hash}.{extension}");
        Self {
            stem,
            extension,
            content_type,
            body,
            hash,
            path,
        }
    }
}

static STYLE: LazyLock<File> =
    LazyLock::new(|| File::new("crema", "css", include_bytes!("../../assets/crema.css")));
static FORM_POST: LazyLock<File> = LazyLock::new(|| {
    File::new(
        "form_post",
        "js",
        include_bytes!("../../assets/form_post.js"),
    )
});
static ICON: LazyLock<File> =
    LazyLock::new(|| File::new("icon", "svg", include_bytes!("../../assets/icon.svg")));

/// The style sheet of every page.
pub(super) fn style() -> &'static str {
    &STYLE.path
}

/// The script that submits the page of `response_mode=form_post`.
pub(super) fn form_post() -> &'static str {
    &FORM_POST.path
}

/// The icon in the browser's tab.
pub(super) fn icon() -> &'static str {
    &ICON.path
}

/// The file at a request path, with its hash or without: `/assets/crema/crema.css` is the
/// current style sheet. So is one with another hash, because a page of a newer or older
/// process may be asking while several processes are being replaced.
#[must_use]
pub fn asset(path: &str) -> Option<Asset> {
    let name = path.strip_prefix(PREFIX)?;
    let (stem, rest) = name.split_once('.')?;
    let (hash, extension) = rest.split_once('.').unwrap_or(("", rest));
    let is_hash = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let file = [&*STYLE, &*FORM_POST, &*ICON]
        .into_iter()
        .find(|file| file.stem == stem && file.extension == extension)?;
    (is_hash || rest == extension).then_some(Asset {
        content_type: file.content_type,
        body: file.body,
        immutable: hash == file.hash,
        hash: &file.hash,
    })
}

/// 64-bit FNV-1a: the name has to change with the content, it protects nothing.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_file_is_found_by_name_and_by_content() {
        let hashed = asset(style()).unwrap();
        assert!(hashed.immutable);
        assert_eq!(hashed.content_type, "text/css; charset=utf-8");
        let plain = asset("/assets/crema/crema.css").unwrap();
        assert!(!plain.immutable);
        assert_eq!(plain.body, hashed.body);
        assert!(
            !asset("/assets/crema/crema.0123456789abcdef.css")
                .unwrap()
                .immutable
        );
        assert!(
            asset(form_post())
                .unwrap()
                .content_type
                .starts_with("text/javascript")
        );
        assert!(asset("/assets/crema/form_post.js").is_some());
        assert_eq!(asset(icon()).unwrap().content_type, "image/svg+xml");
    }

    #[test]
    fn nothing_else_is_found() {
        for path in [
            "/assets/crema/",
            "/assets/crema/crema",
            "/assets/crema/crema.js",
            "/assets/crema/x.css",
            "/assets/crema/crema.short.css",
            "/assets/crema/crema..css",
            "/assets/crema/../crema.css",
            "/assets/crema.css",
            "crema.css",
            "",
            "/assets/crema/crema.0123456789abcdef.css.css",
        ] {
            assert_eq!(asset(path), None, "{path}");
        }
    }

    // spec: security.md, Authorization endpoint: no third-party asset, no inline script
    #[test]
    fn files_load_nothing_from_elsewhere() {
        for file in [&*STYLE, &*FORM_POST, &*ICON] {
            let text = std::str::from_utf8(file.body).unwrap();
            for foreign in ["url(", "@import", "//fonts", "fetch(", "eval("] {
                assert!(!text.contains(foreign), "{} has {foreign}", file.stem);
            }
        }
    }
}
