//! Requests made out of the description, right and wrong ones, by a System Manager, a plain user
//! and a guest: none ends in a fault of ours, each answer is one that the description declares,
//! and no secret leaves.
//!
//! `CREMA_FUZZ_REQUESTS=100000 CREMA_FUZZ_SEED=7 cargo test -p crema-testkit --test suite \
//! openapi::fuzz -- --nocapture` is the long form; a seed gives the same requests again, and
//! `CREMA_FUZZ_TALLY=1` says what became of each operation.

#![expect(clippy::print_stdout, reason = "a long run says what it did")]

mod dice;
mod make;
mod spoil;

use std::collections::BTreeMap;

use crema_testkit::{App, Engine, Response, TestClient, for_each_engine};
use serde_json::{Value, json};

use super::check::follow;
use super::fits::misfit;
use super::{MANAGER, PASSWORD, PLAIN, description, sample, site};
use dice::Dice;
use make::{Draft, Maker, Operation, PLANTED, operations};

/// Requests unless `CREMA_FUZZ_REQUESTS` says otherwise.
const REQUESTS: usize = 2000;
/// The same, on databases that take longer to make a site.
const REQUESTS_ON_SERVERS: usize = 600;
/// After so many a new site takes over, since some of them take it apart.
const ROUND: usize = 400;
/// So many findings are enough for one run.
const FINDINGS: usize = 12;
/// Names of documents that are remembered for each DocType.
const NAMES: usize = 40;

/// What no answer may hold, whoever asks.
const INNARDS: &[&str] = &[
    PLANTED,
    PASSWORD,
    "$argon2",
    "-----BEGIN",
    "rusqlite",
    "sqlx",
    "panicked",
    "no such column",
    "syntax error",
    "__Auth\"",
    "encryption_key",
];

#[expect(
    clippy::disallowed_methods,
    reason = "how long it runs is for who runs it to say"
)]
fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

for_each_engine! {
    async fn requests_by_the_description_find_no_fault(engine: Engine) {
        let wanted = number("CREMA_FUZZ_REQUESTS").unwrap_or(match engine {
            Engine::Sqlite => REQUESTS,
            Engine::MariaDb | Engine::Postgres => REQUESTS_ON_SERVERS,
        });
        let seed = number("CREMA_FUZZ_SEED").unwrap_or(1) as u64;
        let (mut sent, mut round) = (0, 0);
        let (mut findings, mut good) = (Vec::new(), 0);
        while sent < wanted && findings.len() < FINDINGS {
            let seed = seed.wrapping_mul(1000).wrapping_add(round);
            let mut fuzzer = Fuzzer::start(engine, seed).await;
            let length = ROUND.min(wanted - sent);
            sent += fuzzer.run(length).await.max(1);
            good += fuzzer.good;
            findings.append(&mut fuzzer.findings);
            if number("CREMA_FUZZ_TALLY").is_some() {
                println!("{:#?}", fuzzer.tally);
            }
            round += 1;
            fuzzer.app.close().await;
        }
        println!("{engine:?}: {sent} requests, {good} of them did what they were to do");
        assert!(findings.is_empty(), "{}", findings.join("\n\n"));
        // Else it would prove little.
        assert!(good * 5 > sent, "only {good} of {sent} were of use");
    }
}

/// Somebody who sends requests.
struct Persona {
    user: &'static str,
    token: Option<String>,
    /// Used instead of the token while there are any.
    keys: Option<String>,
    document: Value,
    operations: Vec<Operation>,
}

struct Fuzzer {
    app: App,
    client: TestClient,
    seed: u64,
    dice: Dice,
    personas: Vec<Persona>,
    names: BTreeMap<String, Vec<String>>,
    secrets: Vec<String>,
    findings: Vec<String>,
    good: usize,
    /// By operation, how often each status was the answer.
    tally: BTreeMap<String, BTreeMap<u16, usize>>,
}

impl Fuzzer {
    async fn start(engine: Engine, seed: u64) -> Fuzzer {
        let app = App::builder().engine(engine).seed(seed).build().await;
        let client = site(&app).await;
        sample::install(&app).await;
        let mut personas = Vec::new();
        for user in [MANAGER, PLAIN, ""] {
            let token = match user {
                "" => None,
                user => Some(super::token(&app, &client, user, "all").await),
            };
            let document = description(&app, token.as_deref()).await;
            let operations = operations(&document);
            personas.push(Persona {
                user,
                token,
                keys: None,
                document,
                operations,
            });
        }
        let config = std::fs::read_to_string(app.bench().site_config_path(app.site()).unwrap());
        let config: Value = serde_json::from_str(&config.unwrap()).unwrap();
        let key = config["encryption_key"].as_str().unwrap().to_owned();
        let mut secrets = vec![key, client.secret().to_owned()];
        for token in personas.iter().filter_map(|persona| persona.token.as_ref()) {
            secrets.push(token.clone());
            secrets.push(crema_crypto::hash_hex(token));
        }
        let mut fuzzer = Fuzzer {
            app,
            client,
            seed,
            dice: Dice::new(seed),
            personas,
            names: BTreeMap::new(),
            secrets,
            findings: Vec::new(),
            good: 0,
            tally: BTreeMap::new(),
        };
        fuzzer.look_around().await;
        if seed % 2 == 1 {
            fuzzer.take_keys().await;
        }
        fuzzer
    }

    /// The plain user goes on with an API key.
    async fn take_keys(&mut self) {
        let mut manager = self.app.signed_in(MANAGER, PASSWORD).await;
        let path = "/api/method/frappe.core.doctype.user.user.generate_keys";
        let answer = manager.post(path, &[("user", PLAIN)]).await;
        let keys = &answer.json()["message"];
        let part = |name: &str| keys[name].as_str().unwrap().to_owned();
        let (key, secret) = (part("api_key"), part("api_secret"));
        self.personas[1].keys = Some(format!("token {key}:{secret}"));
        self.secrets.push(secret);
    }

    /// Learns which documents there are.
    async fn look_around(&mut self) {
        let operations = self.personas[0].operations.clone();
        let lists = operations.iter().filter(|operation| {
            let id = operation.details["operationId"].as_str().unwrap();
            id.starts_with("list_")
        });
        for operation in lists {
            let request = self.app.http().get(&operation.path);
            let token = self.personas[0].token.clone().unwrap();
            let answer = request.bearer(&token).send().await;
            self.remember(operation, &answer);
        }
    }

    /// Sends so many requests, or as many as there is somebody to send them.
    async fn run(&mut self, length: usize) -> usize {
        for index in 0..length {
            let who = match self.dice.below(100) {
                0..50 => 0,
                50..85 => 1,
                _ => 2,
            };
            let Some(operation) = self.dice.pick(&self.personas[who].operations).cloned() else {
                continue;
            };
            let mut draft = Maker {
                document: &self.personas[who].document,
                names: &self.names,
                dice: &mut self.dice,
            }
            .draft(&operation);
            let is_spoiled = self.dice.percent(40);
            let is_declared = !is_spoiled || spoil::spoil(&mut draft, &mut self.dice);
            if self.is_suicide(&draft) {
                continue;
            }
            let mut answer = self.send(who, &draft).await;
            // A database that is too busy on this machine; a statement that fails fails again.
            for _ in 0..3 {
                if answer.status == 503 {
                    answer = self.send(who, &draft).await;
                }
            }
            let id = operation.details["operationId"].as_str().unwrap();
            let tally = self.tally.entry(id.to_owned()).or_default();
            *tally.entry(answer.status).or_default() += 1;
            let complaint = self.judge(who, &operation, &answer, is_declared, is_spoiled);
            if let Some(complaint) = complaint {
                let user = self.personas[who].user;
                self.findings.push(format!(
                    "seed {} request {index} by {user:?}: {complaint}\n{} {}\n{}\n{} {}",
                    self.seed,
                    draft.method,
                    draft.target(),
                    shortened(&draft.content().unwrap_or_default()),
                    answer.status,
                    shortened(&answer.body),
                ));
                if self.findings.len() >= FINDINGS {
                    return index + 1;
                }
            }
            if (200..300).contains(&answer.status) {
                self.good += 1;
                self.remember(&operation, &answer);
            }
            // A token may have been ended, by its own owner even; a wrong password says nothing.
            let is_dead = answer.status == 401 && who != 2 && !operation.path.ends_with("/login");
            if is_dead && !self.revive(who).await {
                return index + 1;
            }
        }
        length
    }

    /// Whether it would end the one who asks.
    fn is_suicide(&self, draft: &Draft) -> bool {
        let is_change = !["GET", "HEAD", "OPTIONS"].contains(&draft.method.as_str());
        let body = String::from_utf8_lossy(&draft.content().unwrap_or_default()).into_owned();
        let text = format!("{} {body}", draft.target());
        let named = |user: &str| text.contains(user) || text.contains(&make::percent(user));
        let disables = text.contains("System%20Settings") || text.contains("logout");
        is_change && (disables || [MANAGER, PLAIN, "Administrator"].into_iter().any(named))
    }

    async fn send(&self, who: usize, draft: &Draft) -> Response {
        let http = self.app.http();
        let mut request = http.request(&draft.method, &draft.target());
        let persona = &self.personas[who];
        if let Some(keys) = &persona.keys {
            request = request.header("Authorization", keys);
        } else if let Some(token) = &persona.token {
            request = request.bearer(token);
        }
        for (name, value) in &draft.headers {
            request = request.header(name, value);
        }
        if let Some(content) = draft.content() {
            request = request
                .header("Content-Type", &draft.media_type)
                .body(content);
        }
        request.send().await
    }

    fn judge(
        &self,
        who: usize,
        operation: &Operation,
        answer: &Response,
        is_declared: bool,
        is_spoiled: bool,
    ) -> Option<String> {
        if answer.status >= 500 {
            return Some("a fault of ours".to_owned());
        }
        let text = answer.text();
        let mut hidden = self
            .secrets
            .iter()
            .map(String::as_str)
            .chain(INNARDS.iter().copied());
        if let Some(secret) = hidden.find(|secret| text.contains(secret)) {
            return Some(format!("it tells {secret:?}"));
        }
        if answer.media_type() != "application/json" || answer.body.is_empty() {
            let is_silent = answer.body.is_empty() || !is_declared;
            return (!is_silent).then(|| format!("{:?} is no JSON", answer.media_type()));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Some("the JSON is broken".to_owned());
        };
        if !is_declared {
            return None;
        }
        let document = &self.personas[who].document;
        let responses = &operation.details["responses"];
        let Some(response) = responses.get(answer.status.to_string()) else {
            return Some("an undeclared status".to_owned());
        };
        let schema = &follow(document, response)["content"]["application/json"]["schema"];
        let is_good = (200..300).contains(&answer.status);
        match is_spoiled && is_good {
            true => None,
            false => misfit(document, schema, &body),
        }
    }

    /// Names of documents, to ask for later.
    fn remember(&mut self, operation: &Operation, answer: &Response) {
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
            return;
        };
        let found = match body.get("data").or(body.get("message")) {
            Some(Value::Array(rows)) => rows.clone(),
            Some(document) => vec![document.clone()],
            None => Vec::new(),
        };
        for document in found {
            let doctype = document["doctype"].as_str().unwrap_or(&operation.doctype);
            let name = match &document["name"] {
                Value::String(name) => name.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            let names = self.names.entry(doctype.to_owned()).or_default();
            if names.len() < NAMES && !names.contains(&name) {
                names.push(name);
            }
        }
    }

    /// A new token for who has lost his; false when he cannot get one.
    async fn revive(&mut self, who: usize) -> bool {
        let user = self.personas[who].user;
        let mut visitor = self.app.visitor();
        if visitor.try_login(user, PASSWORD).await.status != 200 {
            return false;
        }
        let asked = [
            ("client_id", self.client.client_id.as_str()),
            ("redirect_uri", self.client.redirect_uri.as_str()),
            ("response_type", "code"),
            ("scope", "all"),
        ];
        let answer = visitor.authorize_and_allow(&asked).await;
        let location = answer.location().unwrap_or_default().to_owned();
        let code = url::Url::parse(&location).ok().and_then(|url| {
            let mut pairs = url.query_pairs();
            pairs
                .find(|(name, _)| name == "code")
                .map(|(_, value)| value.into_owned())
        });
        let Some(code) = code else {
            return false;
        };
        let answer = self.app.http().redeem(&self.client, &code, &[]).await;
        if answer.status != 200 {
            return false;
        }
        let token = answer.tokens().access_token;
        self.secrets.push(token.clone());
        self.secrets.push(crema_crypto::hash_hex(&token));
        self.personas[who].token = Some(token);
        self.personas[who].keys = None;
        true
    }
}

fn shortened(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cut: String = text.chars().take(600).collect();
    json!(cut).to_string()
}
