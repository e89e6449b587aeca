//! The recorded facts, and what they are expected to become.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// One recorded exchange.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The name of the recording.
    pub(super) name: String,
    /// What a reader should know of it.
    #[serde(default)]
    pub(super) note: Option<String>,
    /// Steps that put the state in place.
    #[serde(default)]
    pub(super) given: Vec<Value>,
    /// What was asked, with `${…}` for what every server names anew.
    pub(super) request: Value,
    /// Keep the tokens of our answer under this name.
    #[serde(default)]
    pub(super) keep: Option<String>,
    /// What Frappe answered.
    pub(super) frappe: Value,
    /// In what ours differs.
    #[serde(default)]
    pub(super) differs: Vec<Difference>,
    /// The same once more, changed so that it passes a rule that stopped it.
    #[serde(default)]
    pub(super) again: Option<Again>,
}

/// A second try of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// How it differs from the recording.
    #[serde(rename = "as")]
    pub(super) how: String,
    /// Steps before it.
    #[serde(default)]
    pub(super) given: Vec<Value>,
    /// A merge patch (RFC 7396) over the request.
    #[serde(default)]
    pub(super) request: Value,
    /// Keep the tokens of our answer under this name.
    #[serde(default)]
    pub(super) keep: Option<String>,
    /// In what ours differs then.
    #[serde(default)]
    pub(super) differs: Vec<Difference>,
}

/// A difference and the rule that wants it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Difference {
    /// Its name in `differences.json`.
    pub(super) rule: String,
    /// A merge patch over Frappe's answer, beside the rule's own.
    #[serde(default)]
    pub(super) change: Value,
}

/// A rule because of which answers differ.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// What Crema does instead, in a sentence.
    pub(super) what: String,
    /// Where that is written.
    pub(super) source: String,
    /// It concerns the form of answers, not what they say: a table of results leaves it out.
    #[serde(default)]
    pub(super) form: bool,
    /// A merge patch over Frappe's answer.
    #[serde(default)]
    pub(super) change: Value,
}

/// The rules by name.
pub(super) type Rules = BTreeMap<String, Rule>;

impl Case {
    /// What ours has to answer.
    pub(super) fn expected(&self, rules: &Rules) -> Value {
        self.changed(&self.differs, rules)
    }

    /// What ours has to answer to the second try.
    pub(super) fn expected_again(&self, rules: &Rules) -> Value {
        let differs = self.again.as_ref().map(|again| again.differs.as_slice());
        self.changed(differs.unwrap_or_default(), rules)
    }

    fn changed(&self, differs: &[Difference], rules: &Rules) -> Value {
        differs
            .iter()
            .fold(self.frappe.clone(), |answer, difference| {
                let rule = rules.get(&difference.rule);
                let rule =
                    rule.unwrap_or_else(|| panic!("{}: no rule {}", self.name, difference.rule));
                merge(merge(answer, &rule.change), &difference.change)
            })
    }
}

/// The cases of a group, in the order of the recording.
pub(super) fn cases(group: &str) -> Vec<Case> {
    let cases: Vec<Case> = read(&format!("cases/{group}.json"));
    assert!(!cases.is_empty());
    cases
}

/// All rules.
pub(super) fn rules() -> Rules {
    read("differences.json")
}

fn read<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/suite/golden")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Applies a merge patch (RFC 7396) with an addition: `"=name"` replaces the whole member. As a
/// patch, `null` changes nothing.
pub(super) fn merge(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return if patch.is_null() {
            target
        } else {
            patch.clone()
        };
    };
    let mut merged = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if let Some(name) = name.strip_prefix('=') {
            merged.insert(name.to_owned(), value.clone());
        } else if value.is_null() {
            merged.remove(name);
        } else {
            let old = merged.remove(name).unwrap_or_default();
            merged.insert(name.clone(), merge(old, value));
        }
    }
    Value::Object(merged)
}
