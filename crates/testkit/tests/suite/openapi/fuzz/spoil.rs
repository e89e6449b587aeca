//! Requests that are not as the description wants them: nearly right, or meant to harm.

use serde_json::{Value, json};

use super::dice::Dice;
use super::make::{Draft, percent};

/// Texts for places where none of them belongs.
const HOSTILE: &[&str] = &[
    "' OR '1'='1",
    "\"; DROP TABLE \"tabUser\"; --",
    "name` FROM tabUser; --",
    "(select password from __Auth limit 1)",
    "sleep(5)",
    "name, (select 1)",
    "name asc; delete from tabToDo",
    "tabUser.name",
    "`tabUser`.`name`",
    "owner.api_secret",
    "allocated_to.new_password",
    "allocated_to.api_key",
    "roles.role",
    "*",
    "count(*)",
    "sum(idx)",
    "../../etc/passwd",
    "..%2f..%2fsite_config.json",
    "\u{0}",
    "a\u{0}b",
    "\u{202e}abc",
    "\u{feff}",
    "\u{ffff}",
    "🙂🙂🙂🙂",
    "%",
    "_",
    "\\",
    "%00",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "-1",
    "99999999999999999999999999",
    "1e999",
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "{}",
    "[[[[]]]]",
    "[[\"name\",\"=\"]]",
    "[[\"name\",\"regexp\",\".*\"]]",
    "[[\"name\",\"in\",[]]]",
    "[[\"name\",\"between\",[1]]]",
    "[[\"name\",\"=\",{\"a\":1}]]",
    "[[\"User\",\"new_password\",\"like\",\"%\"]]",
    "{\"name\":[\"like\",[\"a\"]]}",
    "{\"idx\":[\">\",\"abc\"]}",
    "{\"creation\":[\"<\",\"yesterday\"]}",
    "{\"creation\":[\"between\",[null,null]]}",
    "2026-02-30",
    "0000-00-00",
    "9999-99-99 99:99:99",
    "24:61:61",
    "",
    " ",
    "\t\r\n",
];

/// Bodies that are no JSON object.
fn bodies(dice: &mut Dice) -> Vec<u8> {
    let deep = |open: &str, close: &str| [open.repeat(5000), close.repeat(5000)].concat();
    let all: [Vec<u8>; 16] = [
        b"{".to_vec(),
        b"{\"a\":}".to_vec(),
        b"[1,2]".to_vec(),
        b"null".to_vec(),
        b"42".to_vec(),
        b"\"text\"".to_vec(),
        b"{\"a\":1e999}".to_vec(),
        b"{\"a\":\"\\ud800\"}".to_vec(),
        b"{\"a\":\"\\u0000\"}".to_vec(),
        b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(),
        b"\xff\xfe{}".to_vec(),
        b"data=%7B%22a%22".to_vec(),
        b"data=%ZZ&data=1".to_vec(),
        deep("[", "]").into_bytes(),
        deep("{\"a\":", "}").into_bytes(),
        Vec::new(),
    ];
    all[dice.below(all.len())].clone()
}

/// Makes a good request bad; gives whether it still leads to the same operation.
pub(super) fn spoil(draft: &mut Draft, dice: &mut Dice) -> bool {
    match dice.below(11) {
        0 | 1 => {
            let text = hostile(dice);
            let names = [
                "fields",
                "filters",
                "or_filters",
                "order_by",
                "group_by",
                "limit_start",
                "limit_page_length",
                "limit",
                "as_dict",
                "expand",
                "parent",
                "doctype",
                "name",
                "fieldname",
                "data",
                "cmd",
                "distinct",
                "with_childnames",
                "start",
                "debug",
            ];
            let name = dice.one(&names).to_owned();
            draft.query.push((name, text));
        }
        2 => {
            if !draft.query.is_empty() {
                let index = dice.below(draft.query.len());
                draft.query[index].1 = hostile(dice);
            }
        }
        3 => {
            draft.bytes = Some(bodies(dice));
            return draft.body.is_some();
        }
        4 | 5 => {
            if let Some(body) = draft.body.as_mut() {
                spoil_value(body, dice);
            }
        }
        6 => {
            let types = [
                "text/plain",
                "application/xml",
                "multipart/form-data; boundary=x",
                "",
                "application/json; charset=utf-16",
                "APPLICATION/JSON",
                "application/x-www-form-urlencoded",
            ];
            draft.media_type = dice.one(&types).to_owned();
        }
        7 => {
            let methods = [
                "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "QUERY",
            ];
            draft.method = dice.one(&methods).to_owned();
            return false;
        }
        8 => {
            let text = percent(&hostile(dice));
            draft.path = match dice.below(4) {
                0 => format!("{}/{text}", draft.path),
                1 => format!("{}%", draft.path),
                2 => format!("{}%FF%FE", draft.path),
                _ => {
                    let (before, _) = draft.path.rsplit_once('/').unwrap_or_default();
                    format!("{before}/{text}")
                }
            };
            return false;
        }
        9 => {
            let headers = [
                ("Accept", "text/html"),
                ("Accept", "*/*;q=0.1, application/xml"),
                ("Frappe-Authorization-Source", "OAuth Client"),
                ("Frappe-Authorization-Source", "tabUser\"; --"),
                ("X-Frappe-Site-Name", "../other"),
                ("X-HTTP-Method-Override", "DELETE"),
                ("X-Forwarded-Host", "evil.example"),
                ("Origin", "null"),
                ("Cookie", "sid=Administrator; user_id=Administrator"),
                ("Range", "bytes=0-1"),
                ("If-None-Match", "*"),
                ("Accept-Language", "%s%n, ../.., de;q=x"),
                ("Expect", "200-ok"),
            ];
            let (name, value) = headers[dice.below(headers.len())];
            draft.headers.push((name.to_owned(), value.to_owned()));
            return false;
        }
        _ => {
            // Too much of everything.
            let length = 1 + dice.below(300);
            let filters: Vec<_> = (0..length)
                .map(|_| json!(["name", "!=", dice.word()]))
                .collect();
            draft
                .query
                .push(("filters".to_owned(), json!(filters).to_string()));
            draft
                .query
                .push(("limit_start".to_owned(), u64::MAX.to_string()));
        }
    }
    true
}

fn hostile(dice: &mut Dice) -> String {
    dice.one(HOSTILE).to_owned()
}

/// Puts something else in the place of one member, or leaves it out.
fn spoil_value(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let names: Vec<_> = object.keys().cloned().collect();
            let name = names[dice.below(names.len())].clone();
            match dice.below(6) {
                0 => {
                    object.shift_remove(&name);
                }
                1 => {
                    let new = dice.word();
                    object.insert(new, json!(hostile(dice)));
                }
                2 => {
                    let text = hostile(dice);
                    object.insert(text, json!(1));
                }
                _ => spoil_value(&mut object[&name], dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.percent(70) => {
            let index = dice.below(items.len());
            spoil_value(&mut items[index], dice);
        }
        _ => {
            *value = match dice.below(10) {
                0 => Value::Null,
                1 => json!(true),
                2 => json!(-1),
                3 => json!(i64::MAX),
                4 => json!(1e300),
                5 => json!([{"a": 1}, null, "x"]),
                6 => json!({"name": "x", "doctype": "User"}),
                7 => json!("x".repeat(70_000)),
                _ => json!(hostile(dice)),
            }
        }
    }
}
