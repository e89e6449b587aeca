//! Requests as the description wants them.

use std::collections::BTreeMap;

use crema_testkit::http::encode;
use serde_json::{Map, Value, json};

use super::super::check::follow;
use super::dice::Dice;

/// What stands in every Password field that is sent. It must never come back.
pub(super) const PLANTED: &str = "planted-secret";

/// One operation of a description.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    /// The DocType whose documents it is about; empty when it is a method.
    pub(super) doctype: String,
    pub(super) details: Value,
    parameters: Vec<Value>,
}

/// A request before it is bytes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) method: String,
    /// Percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    /// Instead of `body`.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) media_type: String,
    pub(super) headers: Vec<(String, String)>,
    /// The body is one member of a form.
    pub(super) is_form: bool,
}

impl Draft {
    pub(super) fn target(&self) -> String {
        let pairs: Vec<_> = self
            .query
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        match pairs.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, encode(&pairs)),
        }
    }

    pub(super) fn content(&self) -> Option<Vec<u8>> {
        if self.bytes.is_some() {
            return self.bytes.clone();
        }
        let text = self.body.as_ref()?.to_string();
        Some(match self.is_form {
            true => encode(&[("data", &text)]).into_bytes(),
            false => text.into_bytes(),
        })
    }
}

/// Every operation that the description has.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let shared = item["parameters"].as_array().cloned().unwrap_or_default();
        for (method, details) in item.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            let own = details["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let parameters = shared.iter().chain(&own);
            let parameters = parameters
                .map(|one| follow(document, one).clone())
                .collect();
            let tag = details["tags"][0].as_str().unwrap_or_default();
            all.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                doctype: if tag == "Methods" { "" } else { tag }.to_owned(),
                details: details.clone(),
                parameters,
            });
        }
    }
    all
}

/// Makes requests out of a description and the names that were seen.
pub(super) struct Maker<'a> {
    pub(super) document: &'a Value,
    pub(super) names: &'a BTreeMap<String, Vec<String>>,
    pub(super) dice: &'a mut Dice,
}

impl Maker<'_> {
    pub(super) fn draft(&mut self, operation: &Operation) -> Draft {
        let mut doctype = operation.doctype.clone();
        let mut draft = Draft {
            method: operation.method.clone(),
            path: operation.path.clone(),
            query: Vec::new(),
            body: None,
            bytes: None,
            media_type: "application/json".to_owned(),
            headers: Vec::new(),
            is_form: false,
        };
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "path" {
                let value = self.name_of(&doctype);
                let value = percent(&value);
                draft.path = draft.path.replace(&format!("{{{name}}}"), &value);
            } else if parameter["required"] == true || self.dice.percent(30) {
                let value = self.parameter(parameter, &doctype);
                if name == "doctype" {
                    doctype.clone_from(&value);
                }
                draft.query.push((name.to_owned(), value));
            }
        }
        let content = &operation.details["requestBody"]["content"];
        if let Some(media) = content.get("application/json") {
            draft.body = Some(self.body(&media["schema"]));
            if content.get("application/x-www-form-urlencoded").is_some() && self.dice.percent(20) {
                draft.is_form = true;
                draft.media_type = "application/x-www-form-urlencoded".to_owned();
            }
        }
        draft
    }

    /// A body. Where it names a DocType, the rest is about that.
    fn body(&mut self, schema: &Value) -> Value {
        let mut body = self.value(schema, 0);
        if let Some(doctype) = body["doctype"].as_str().map(str::to_owned)
            && body.get("name").is_some()
        {
            body["name"] = json!(self.name_of(&doctype));
            if let Some(field) = self.field(&doctype)
                && body.get("fieldname").is_some()
            {
                body["fieldname"] = json!(field);
            }
        }
        if body.get("doc").is_some() {
            body["doc"] = self.whole_document();
        }
        if body.get("docs").is_some() {
            let documents: Vec<_> = (0..self.dice.below(3))
                .map(|_| self.whole_document())
                .collect();
            body["docs"] = json!(documents);
        }
        body
    }

    /// A document that says itself what it is.
    fn whole_document(&mut self) -> Value {
        let schemas = self.document["components"]["schemas"].as_object().unwrap();
        let forms = [".new", ".change"];
        let known: Vec<_> = schemas
            .keys()
            .filter(|name| forms.iter().any(|f| name.ends_with(f)))
            .collect();
        let Some(form) = self.dice.pick(&known) else {
            return json!({"doctype": "ToDo"});
        };
        let schema = &schemas[form.as_str()];
        let mut document = self.value(schema, 0);
        let doctype = schema["title"].as_str().unwrap_or_default().to_owned();
        if form.ends_with(".change") {
            document["name"] = json!(self.name_of(&doctype));
            document["docname"] = document["name"].clone();
        }
        document["doctype"] = json!(doctype);
        document
    }

    /// A name of a document of that DocType.
    pub(super) fn name_of(&mut self, doctype: &str) -> String {
        let known = self
            .names
            .get(doctype)
            .map(Vec::as_slice)
            .unwrap_or_default();
        match self.dice.pick(known) {
            Some(name) if self.dice.percent(85) => name.clone(),
            _ => self.dice.word(),
        }
    }

    /// A field of that DocType, as far as answers have it.
    pub(super) fn field(&mut self, doctype: &str) -> Option<String> {
        let schemas = self.document["components"]["schemas"].as_object()?;
        let of = |schema: &&Value| {
            schema["title"] == doctype && schema["properties"].get("owner").is_some()
        };
        let properties = schemas.values().find(of)?["properties"].as_object()?;
        let names: Vec<_> = properties.keys().collect();
        self.dice.pick(&names).map(|name| (*name).clone())
    }

    /// The text of a query parameter.
    fn parameter(&mut self, parameter: &Value, doctype: &str) -> String {
        let field = |maker: &mut Self| maker.field(doctype).unwrap_or_else(|| "name".to_owned());
        match parameter["name"].as_str().unwrap() {
            "name" => return self.name_of(doctype),
            "fields" | "fieldname" => {
                let names: Vec<_> = (0..1 + self.dice.below(4)).map(|_| field(self)).collect();
                return match self.dice.below(5) {
                    0 => "\"*\"".to_owned(),
                    1 => json!([format!("count({}) as n", names[0])]).to_string(),
                    _ => json!(names).to_string(),
                };
            }
            "filters" | "or_filters" => return self.filters(doctype).to_string(),
            "field" => return field(self),
            "order_by" => {
                let order = self.dice.one(&["asc", "desc", ""]);
                return format!("{} {order}", field(self)).trim().to_owned();
            }
            "group_by" => return field(self),
            "expand" => return json!([field(self)]).to_string(),
            _ => {}
        }
        if let Some(content) = parameter["content"].get("application/json") {
            return self.value(&content["schema"], 0).to_string();
        }
        match self.value(&parameter["schema"], 0) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Conditions on fields of that DocType.
    pub(super) fn filters(&mut self, doctype: &str) -> Value {
        const OPERATORS: [&str; 12] = [
            "=", "!=", ">", "<", ">=", "<=", "like", "not like", "in", "not in", "is", "between",
        ];
        let mut object = Map::new();
        let mut list = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            let field = self.field(doctype).unwrap_or_else(|| "name".to_owned());
            let operator = self.dice.one(&OPERATORS);
            let value = match operator {
                "in" | "not in" => json!([self.operand(), self.operand()]),
                "between" => json!(["2026-01-01", "2026-12-31"]),
                "is" => json!(self.dice.one(&["set", "not set"])),
                "like" | "not like" => json!(format!("%{}%", self.dice.word())),
                _ => self.operand(),
            };
            object.insert(field.clone(), json!([operator, value]));
            list.push(match self.dice.percent(20) {
                true => json!([doctype, field, operator, value]),
                false => json!([field, operator, value]),
            });
        }
        match self.dice.percent(50) {
            true => Value::Object(object),
            false => Value::Array(list),
        }
    }

    fn operand(&mut self) -> Value {
        match self.dice.below(6) {
            0 => json!(self.dice.below(3)),
            1 => json!("2026-11-20"),
            2 => json!("2026-11-20 18:00:00"),
            3 => Value::Null,
            4 => json!(1.5),
            _ => json!(self.dice.word()),
        }
    }

    /// A value that the schema admits.
    pub(super) fn value(&mut self, schema: &Value, depth: usize) -> Value {
        let schema = follow(self.document, schema);
        if let Some(choices) = schema["enum"].as_array() {
            return self.dice.pick(choices).cloned().unwrap_or_default();
        }
        if schema.get("default").is_some() && self.dice.percent(20) {
            return schema["default"].clone();
        }
        for parts in ["anyOf", "allOf"] {
            if let Some(parts) = schema[parts].as_array() {
                let part = self.dice.pick(parts).cloned().unwrap_or_default();
                return self.value(&part, depth + 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) if self.dice.percent(10) => self.dice.pick(kinds).cloned(),
            Value::Array(kinds) => kinds.first().cloned(),
            Value::Null => Some(json!("string")),
            kind => Some(kind.clone()),
        };
        match kind.as_ref().and_then(Value::as_str).unwrap_or_default() {
            "null" => Value::Null,
            "boolean" => json!(self.dice.percent(50)),
            "integer" => json!(self.dice.below(100)),
            "number" => json!(self.dice.below(1000) as f64 / 8.0),
            "array" if depth < 4 => {
                let length = self.dice.below(3);
                let items = (0..length).map(|_| self.value(&schema["items"], depth + 1));
                Value::Array(items.collect())
            }
            "array" => json!([]),
            "object" => self.object(schema, depth),
            _ => json!(self.text(schema)),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let usual: usize = [3, 15, 40, 80][self.dice.below(4)];
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&json!(name));
            // Locking is for who means it.
            let chance = if name == "modified" { 3 } else { usual };
            if is_required || self.dice.percent(chance) {
                let value = match self.likely(name) {
                    Some(text) if property["type"].to_string().contains("string") => json!(text),
                    _ => self.value(property, depth + 1),
                };
                object.insert(name.clone(), value);
            }
        }
        Value::Object(object)
    }

    /// What a field of that name is likely to take, where its type does not tell.
    fn likely(&mut self, name: &str) -> Option<String> {
        let is_address = ["uri", "url", "endpoint"]
            .iter()
            .any(|part| name.contains(part));
        if is_address && self.dice.percent(80) {
            return Some(format!("https://{}.example/cb", self.dice.word()));
        }
        let is_number = name.contains("phone") || name.contains("mobile");
        if is_number && self.dice.percent(80) {
            return Some("+49 30 1234567".to_owned());
        }
        None
    }

    fn text(&mut self, schema: &Value) -> String {
        if schema["writeOnly"] == true {
            return format!("{PLANTED}-{}", self.dice.word());
        }
        if let Some(target) = schema["x-link"].as_str() {
            let is_known = self.names.contains_key(target);
            return match is_known || self.dice.percent(20) {
                true => self.name_of(target),
                false => String::new(),
            };
        }
        let (day, hour) = (1 + self.dice.below(28), self.dice.below(24));
        match (schema["format"].as_str(), schema["pattern"].as_str()) {
            (Some("date"), _) => return format!("2026-11-{day:02}"),
            (Some("email"), _) => return format!("{}@example.com", self.dice.word()),
            (Some("uri"), _) => return format!("https://{}.example/", self.dice.word()),
            (_, Some(pattern)) if pattern.starts_with(r"^\d{4}") => {
                return format!("2026-11-{day:02} {hour:02}:30:00.000000");
            }
            (_, Some(_)) => return format!("{hour:02}:30:00"),
            _ => {}
        }
        if schema["contentMediaType"] == "application/json" {
            return json!({"a": [self.dice.below(9), null, self.dice.word()]}).to_string();
        }
        let most = schema["maxLength"].as_u64().unwrap_or(140) as usize;
        let mut text = match self.dice.below(12) {
            0 => "https://example.com/cb".to_owned(),
            1 => format!("{}@example.com", self.dice.word()),
            2 => "Ünïcödé 漢字 🙂 Ⅻ".to_owned(),
            3 => "<b>bold</b> & \"quoted\" 'single' \\ % _".to_owned(),
            4 => "x".repeat(most.min(300)),
            5 => String::new(),
            6 => "+49 30 1234567".to_owned(),
            _ => (0..1 + self.dice.below(4))
                .map(|_| self.dice.word() + " ")
                .collect(),
        };
        while text.chars().count() > most {
            text.pop();
        }
        text
    }
}

/// Everything but letters and digits as `%XX`.
pub(super) fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
