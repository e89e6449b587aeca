//! What OpenAPI 3.1 and JSON Schema 2020-12 ask of a document, as far as ours uses them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Keywords of schemas that ours may use.
const KEYWORDS: &[&str] = &[
    "$ref",
    "type",
    "enum",
    "const",
    "title",
    "description",
    "default",
    "examples",
    "readOnly",
    "writeOnly",
    "format",
    "pattern",
    "maxLength",
    "minLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "items",
    "properties",
    "required",
    "anyOf",
    "allOf",
    "contentMediaType",
    "contentSchema",
];

/// What is wrong with a description.
pub(super) fn faults(document: &Value) -> Vec<String> {
    let mut check = Check {
        document,
        faults: Vec::new(),
        operations: BTreeSet::new(),
        tags: BTreeSet::new(),
    };
    check.head();
    check.components();
    check.paths();
    check.references(document, "#");
    check.faults
}

/// What a JSON pointer in a fragment leads to.
pub(super) fn resolve<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

/// The thing itself, or what it refers to.
pub(super) fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => resolve(document, reference).unwrap_or(&Value::Null),
        None => value,
    }
}

struct Check<'a> {
    document: &'a Value,
    faults: Vec<String>,
    operations: BTreeSet<String>,
    tags: BTreeSet<String>,
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl<'a> Check<'a> {
    fn expect(&mut self, holds: bool, at: &str, what: &str) {
        if !holds {
            self.faults.push(format!("{at}: {what}"));
        }
    }

    fn head(&mut self) {
        let document = self.document;
        let known = ["openapi", "info", "servers", "tags", "paths", "components"];
        for (name, _) in members(document) {
            self.expect(known.contains(&name.as_str()), "#", name);
        }
        let version = document["openapi"].as_str().unwrap_or_default();
        self.expect(version.starts_with("3.1."), "#/openapi", version);
        for name in ["title", "version"] {
            self.expect(document["info"][name].is_string(), "#/info", name);
        }
        for server in items(&document["servers"]) {
            let url = server["url"].as_str().unwrap_or_default();
            self.expect(url::Url::parse(url).is_ok(), "#/servers", url);
        }
        for tag in items(&document["tags"]) {
            let name = tag["name"].as_str().unwrap_or_default().to_owned();
            let is_new = !name.is_empty() && self.tags.insert(name.clone());
            self.expect(is_new, "#/tags", &name);
        }
    }

    fn components(&mut self) {
        let components = &self.document["components"];
        let known = ["securitySchemes", "parameters", "responses", "schemas"];
        for (kind, parts) in members(components) {
            let at = format!("#/components/{kind}");
            self.expect(known.contains(&kind.as_str()), &at, "unknown");
            for (name, part) in members(parts) {
                let at = format!("{at}/{name}");
                let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                self.expect(name.chars().all(plain), &at, "the name");
                match kind.as_str() {
                    "schemas" => self.schema(part, &at),
                    "responses" => self.response(part, &at),
                    "parameters" => self.parameter(part, &at),
                    _ => self.security_scheme(part, &at),
                }
            }
        }
    }

    fn security_scheme(&mut self, scheme: &Value, at: &str) {
        match scheme["type"].as_str() {
            Some("oauth2") => {
                for (flow, details) in members(&scheme["flows"]) {
                    let wanted: &[&str] = match flow.as_str() {
                        "authorizationCode" => &["authorizationUrl", "tokenUrl"],
                        "clientCredentials" | "password" => &["tokenUrl"],
                        "implicit" => &["authorizationUrl"],
                        _ => &["a known flow"],
                    };
                    for name in wanted {
                        let url = details[*name].as_str().unwrap_or_default();
                        self.expect(url::Url::parse(url).is_ok(), at, name);
                    }
                    let scopes = details["scopes"].as_object();
                    self.expect(scopes.is_some(), at, "no scopes");
                    let texts = members(&details["scopes"]).all(|(_, about)| about.is_string());
                    self.expect(texts, at, "a scope without a description");
                }
            }
            Some("apiKey") => {
                let place = scheme["in"].as_str().unwrap_or_default();
                let is_known = ["header", "cookie", "query"].contains(&place);
                self.expect(is_known && scheme["name"].is_string(), at, "apiKey");
            }
            Some("http") => self.expect(scheme["scheme"].is_string(), at, "http"),
            other => self.expect(false, at, &format!("{other:?}")),
        }
    }

    fn paths(&mut self) {
        let mut shapes = BTreeSet::new();
        for (path, item) in members(&self.document["paths"]) {
            self.expect(path.starts_with('/'), path, "no slash");
            let names = template_names(path);
            let mut shape = path.clone();
            for name in &names {
                shape = shape.replace(&format!("{{{name}}}"), "{}");
            }
            self.expect(
                shapes.insert(shape),
                path,
                "there is such a template already",
            );
            let shared = items(&item["parameters"]);
            for (method, operation) in members(item) {
                match method.as_str() {
                    "parameters" | "summary" | "description" => {}
                    known if METHODS.contains(&known) => {
                        let at = format!("{method} {path}");
                        self.operation(operation, &at, shared, &names);
                    }
                    other => self.expect(false, path, other),
                }
            }
        }
    }

    fn operation(&mut self, operation: &'a Value, at: &str, shared: &'a [Value], names: &[String]) {
        let known = [
            "operationId",
            "summary",
            "description",
            "tags",
            "parameters",
            "requestBody",
            "responses",
            "security",
        ];
        for (name, _) in members(operation) {
            self.expect(known.contains(&name.as_str()), at, name);
        }
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let is_new = !id.is_empty() && self.operations.insert(id);
        self.expect(is_new, at, "operationId");
        for tag in items(&operation["tags"]) {
            let is_known = tag.as_str().is_some_and(|tag| self.tags.contains(tag));
            self.expect(is_known, at, "an unknown tag");
        }
        let mut declared = BTreeSet::new();
        for parameter in shared.iter().chain(items(&operation["parameters"])) {
            let parameter = follow(self.document, parameter);
            self.parameter(parameter, at);
            let key = (parameter["in"].to_string(), parameter["name"].to_string());
            self.expect(declared.insert(key), at, "a parameter twice");
        }
        for name in names {
            let key = ("\"path\"".to_owned(), format!("\"{name}\""));
            self.expect(declared.contains(&key), at, "an undeclared path parameter");
        }
        let in_path = declared
            .iter()
            .filter(|(place, _)| place == "\"path\"")
            .count();
        self.expect(
            in_path == names.len(),
            at,
            "a path parameter that is not in the path",
        );
        if let Some(body) = operation.get("requestBody") {
            self.content(&body["content"], at);
        }
        let responses = operation["responses"].as_object().map(Map::len);
        self.expect(
            responses.is_some_and(|length| length > 0),
            at,
            "no responses",
        );
        for (status, response) in members(&operation["responses"]) {
            let is_status = status == "default" || status.parse().is_ok_and(|s: u16| s >= 100);
            self.expect(is_status, at, status);
            self.response(follow(self.document, response), at);
        }
        self.security(&operation["security"], at);
    }

    fn security(&mut self, security: &Value, at: &str) {
        let schemes = &self.document["components"]["securitySchemes"];
        self.expect(!items(security).is_empty(), at, "no security");
        for (name, scopes) in items(security).iter().flat_map(members) {
            let scheme = &schemes[name];
            self.expect(scheme.is_object(), at, name);
            for scope in items(scopes) {
                let flows = members(&scheme["flows"]);
                let scope = scope.as_str().unwrap_or_default();
                let is_known = flows
                    .into_iter()
                    .all(|(_, flow)| flow["scopes"].get(scope).is_some());
                let is_oauth = scheme["type"] == "oauth2";
                self.expect(is_known && is_oauth, at, scope);
            }
        }
    }

    fn parameter(&mut self, parameter: &Value, at: &str) {
        let place = parameter["in"].as_str().unwrap_or_default();
        let is_known = ["query", "path", "header", "cookie"].contains(&place);
        self.expect(is_known && parameter["name"].is_string(), at, "a parameter");
        let is_required = parameter["required"] == true;
        self.expect(
            place != "path" || is_required,
            at,
            "an optional path parameter",
        );
        match (parameter.get("schema"), parameter.get("content")) {
            (Some(schema), None) => self.schema(schema, at),
            (None, Some(content)) => {
                let one = content
                    .as_object()
                    .is_some_and(|content| content.len() == 1);
                self.expect(one, at, "a parameter has one content");
                self.content(content, at);
            }
            _ => self.expect(false, at, "a parameter has a schema or a content"),
        }
    }

    fn response(&mut self, response: &Value, at: &str) {
        self.expect(response["description"].is_string(), at, "no description");
        for (_, header) in members(&response["headers"]) {
            self.schema(&header["schema"], at);
        }
        if let Some(content) = response.get("content") {
            self.content(content, at);
        }
    }

    fn content(&mut self, content: &Value, at: &str) {
        let length = content.as_object().map(Map::len);
        self.expect(length.is_some_and(|length| length > 0), at, "no content");
        for (media_type, details) in members(content) {
            self.expect(media_type.contains('/'), at, media_type);
            self.schema(&details["schema"], at);
        }
    }

    fn schema(&mut self, schema: &Value, at: &str) {
        let Some(keywords) = schema.as_object() else {
            return self.expect(false, at, "no schema");
        };
        for (keyword, value) in keywords {
            let is_known = KEYWORDS.contains(&keyword.as_str()) || keyword.starts_with("x-");
            self.expect(is_known, at, keyword);
            let below = format!("{at}/{keyword}");
            match keyword.as_str() {
                "type" => {
                    let all = [
                        "string", "integer", "number", "boolean", "object", "array", "null",
                    ];
                    let one = std::slice::from_ref(value);
                    let types = value.as_array().map_or(one, Vec::as_slice);
                    let known = types
                        .iter()
                        .all(|t| t.as_str().is_some_and(|t| all.contains(&t)));
                    self.expect(known && !types.is_empty(), &below, "unknown");
                }
                "enum" | "examples" => self.expect(!items(value).is_empty(), &below, "empty"),
                "required" => {
                    let names: BTreeSet<_> =
                        items(value).iter().filter_map(Value::as_str).collect();
                    self.expect(names.len() == items(value).len(), &below, "names");
                    if let Some(properties) = keywords.get("properties") {
                        for name in names {
                            self.expect(properties.get(name).is_some(), &below, name);
                        }
                    }
                }
                "properties" => {
                    for (name, property) in members(value) {
                        self.schema(property, &format!("{below}/{name}"));
                    }
                }
                "items" | "contentSchema" => self.schema(value, &below),
                "anyOf" | "allOf" => {
                    self.expect(!items(value).is_empty(), &below, "empty");
                    for part in items(value) {
                        self.schema(part, &below);
                    }
                }
                "maxLength" | "minLength" | "minItems" | "maxItems" => {
                    self.expect(value.is_u64(), &below, "no size");
                }
                _ => {}
            }
        }
    }

    fn references(&mut self, value: &Value, at: &str) {
        match value {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                    let found = resolve(self.document, reference).is_some();
                    self.expect(found, at, reference);
                }
                for (name, value) in object {
                    self.references(value, &format!("{at}/{name}"));
                }
            }
            Value::Array(array) => {
                for value in array {
                    self.references(value, at);
                }
            }
            _ => {}
        }
    }
}

fn template_names(path: &str) -> Vec<String> {
    let parts = path.split('{').skip(1);
    let names = parts.filter_map(|part| part.split_once('}'));
    names.map(|(name, _)| name.to_owned()).collect()
}
