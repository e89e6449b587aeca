// Inputs near real requests, for the stable tests that run the bodies of the fuzz targets: the
// recorded exchanges of the golden tests, pieces that parsers trip over, and edits of both.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

/// Pieces that parsers trip over.
const PIECES: &[&[u8]] = &[
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b"&",
    b"=",
    b"\n",
    b"\r\n",
    b"#",
    b"?",
    b"\\",
    b"@",
    b":",
    b"/",
    b"//",
    b"\0",
    b"\"",
    b"$",
    b",",
    b";",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"[[[[",
    b"{\"a\":",
    b":65536",
    b"&resource=",
    b"&claims=",
    b"..",
    b" ",
    b"%E2%80%AE",
    b"99999999999999999999",
    b"-1",
    b"1e999",
];

/// A seed with some of its bytes replaced, removed, or joined by pieces and other seeds.
pub(crate) fn near(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (
        any::<prop::sample::Index>(),
        0..6u8,
        any::<u8>(),
        any::<prop::sample::Index>(),
    );
    let edits = prop::collection::vec(edit, 0..6);
    let others = seeds.clone();
    (prop::sample::select(seeds), edits).prop_map(move |(seed, edits)| {
        let mut bytes = seed;
        for (place, kind, byte, other) in edits {
            let at = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 if at < bytes.len() => bytes[at] = byte,
                3 => drop(bytes.splice(at..at, other.get(PIECES).iter().copied())),
                4 if at < bytes.len() => drop(bytes.remove(at)),
                _ => drop(bytes.splice(at..at, other.get(&others).iter().copied())),
            }
        }
        bytes
    })
}

/// What a recorded request has that somebody parses.
pub(crate) struct Recorded {
    pub(crate) queries: Vec<Vec<u8>>,
    pub(crate) bodies: Vec<Vec<u8>>,
    /// Whole requests, as they go over the wire but for `Host`.
    pub(crate) requests: Vec<Vec<u8>>,
    headers: Vec<(String, String)>,
}

/// All requests of the golden tests, each part once. A name that every server chooses anew stands
/// there as `${name}`; a client's name takes its place.
pub(crate) fn recorded() -> Recorded {
    let folder = root().join("crates/testkit/tests/suite/golden/cases");
    let (mut queries, mut bodies) = (BTreeSet::new(), BTreeSet::new());
    let (mut headers, mut requests) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(&folder).expect("the golden cases") {
        let text = std::fs::read(entry.expect("an entry").path()).expect("a readable case");
        let cases: Value = serde_json::from_slice(&text).expect("JSON");
        for request in cases
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| &one["request"])
        {
            let own = |value: &Value| value.as_str().map(with_names);
            requests.insert(on_the_wire(request));
            if let Some((_, query)) = own(&request["path"])
                .as_deref()
                .and_then(|path| path.split_once('?'))
            {
                queries.insert(query.as_bytes().to_vec());
            }
            bodies.extend(own(&request["body"]).map(String::into_bytes));
            for (name, value) in request["headers"].as_object().into_iter().flatten() {
                headers.extend(own(value).map(|value| (name.clone(), value)));
            }
        }
    }
    assert!(
        queries.len() > 50 && bodies.len() > 50 && headers.len() > 10,
        "few seeds"
    );
    Recorded {
        queries: queries.into_iter().collect(),
        bodies: bodies.into_iter().collect(),
        requests: requests.into_iter().collect(),
        headers: headers.into_iter().collect(),
    }
}

fn on_the_wire(request: &Value) -> Vec<u8> {
    let own = |value: &Value| value.as_str().map(with_names).unwrap_or_default();
    let body = own(&request["body"]);
    let mut text = format!(
        "{} {} HTTP/1.1\r\nConnection: close\r\n",
        own(&request["method"]),
        own(&request["path"])
    );
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        text += &format!("{name}: {}\r\n", own(value));
    }
    if !body.is_empty() {
        let media_type = "application/x-www-form-urlencoded";
        text += &format!(
            "Content-Type: {media_type}\r\nContent-Length: {}\r\n",
            body.len()
        );
    }
    text.push_str("\r\n");
    text.push_str(&body);
    text.into_bytes()
}

impl Recorded {
    /// The values of one header.
    pub(crate) fn header(&self, name: &str) -> Vec<String> {
        let same = self.headers.iter().filter(|(own, _)| own == name);
        same.map(|(_, value)| value.clone()).collect()
    }

    /// Every header as a line.
    pub(crate) fn header_lines(&self) -> Vec<Vec<u8>> {
        let lines = self.headers.iter();
        lines
            .map(|(name, value)| format!("{name}: {value}").into_bytes())
            .collect()
    }
}

fn with_names(text: &str) -> String {
    let mut named = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        named.push_str(before);
        named.push_str("em6d6dl40b");
        rest = behind.split_once('}').map_or("", |(_, rest)| rest);
    }
    named.push_str(rest);
    named
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Own seeds with recorded ones.
pub(crate) fn seeds(own: &[&str], recorded: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let own = own.iter().map(|seed| seed.as_bytes().to_vec());
    own.chain(recorded).collect()
}

/// What a long run found worth keeping (`fuzz/seeds/<target>/`), if anything.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = root().join("fuzz/seeds").join(target);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| std::fs::read(entry.path()).expect("a readable seed"))
        .collect()
}

/// Runs a body over the seeds, over what long runs kept, and over so many inputs near them. With
/// `UPDATE` in the environment the seeds become the corpus that cargo-fuzz starts from.
pub(crate) fn run(target: &str, mut seeds: Vec<Vec<u8>>, cases: u32, body: fn(&[u8])) {
    #[expect(
        clippy::disallowed_methods,
        reason = "as the other generated files of the tests"
    )]
    if std::env::var_os("UPDATE").is_some() {
        write_corpus(target, &seeds);
    }
    seeds.extend(kept(target));
    for seed in &seeds {
        body(seed);
    }
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(input in near(seeds))| body(&input));
}

fn write_corpus(target: &str, seeds: &[Vec<u8>]) {
    let folder = root().join("fuzz/corpus").join(target);
    std::fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed written");
    }
}
