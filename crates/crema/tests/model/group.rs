//! A user and a client with their model, and the way to ask the servers about them.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crema_testkit::{App, ClientSpec, Http, Request, Response, TestClient};

use crate::rules::Verdict;
use crate::time::{Span, Tick};
use crate::world::World;

/// The role that a restricted client asks for.
pub(crate) const READER: &str = "Model Reader";
/// Where codes are sent.
pub(crate) const CALLBACK: &str = "https://client.example/cb";
/// How much of the trace is shown when an answer is wrong.
const SHOWN: usize = 120;

/// One user, one client, and the model of them. Nobody else touches them.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) user: String,
    /// Confidential, with the code, refresh and password grants.
    pub(crate) client: TestClient,
    /// Acts as the user, by client credentials. Nobody changes it.
    pub(crate) robot: TestClient,
    /// May introspect, and owns nothing.
    pub(crate) stranger: TestClient,
    http: Http,
    world: Mutex<World>,
    /// The client's secrets, by number.
    secrets: Mutex<Vec<String>>,
    run: Arc<Run>,
}

/// What all groups of a run share.
pub(crate) struct Run {
    pub(crate) seed: u64,
    /// The first answer that was wrong: then everybody stops.
    complaint: OnceLock<String>,
}

impl Run {
    pub(crate) fn new(seed: u64) -> Run {
        Run {
            seed,
            complaint: OnceLock::new(),
        }
    }

    /// What was wrong, with the trace of the group that it happened in.
    pub(crate) fn complaint(&self) -> Option<&String> {
        self.complaint.get()
    }
}

impl Group {
    pub(crate) async fn create(app: &App, http: &Http, name: &str, run: &Arc<Run>) -> Group {
        let user = format!("{name}@example.com");
        app.add_user(&user, &password_text(name, 0), &[READER])
            .await;
        let spec = || ClientSpec::new(CALLBACK).with("refresh_grace_seconds", "300");
        let grants = "authorization_code refresh_token password";
        let client = app.add_client(spec().grant_types(grants)).await;
        let robot = spec().grant_types("client_credentials").with("user", &user);
        Group {
            name: name.to_owned(),
            secrets: Mutex::new(vec![client.secret().to_owned()]),
            client,
            robot: app.add_client(robot).await,
            stranger: app.add_client(spec()).await,
            user,
            http: http.clone(),
            world: Mutex::new(World::new()),
            run: Arc::clone(run),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stopped(&self) -> bool {
        self.run.complaint().is_some()
    }

    pub(crate) fn password(&self, number: usize) -> String {
        password_text(&self.name, number)
    }

    /// The client with its secret of that number.
    pub(crate) fn client_with(&self, secret: usize) -> TestClient {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        TestClient {
            client_secret: Some(secrets[secret].clone()),
            ..self.client.clone()
        }
    }

    /// A new secret becomes known.
    pub(crate) fn add_secret(&self, secret: String) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.push(secret);
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// A request is about to be sent.
    pub(crate) fn begin<T>(&self, note: impl FnOnce(&mut World, Tick) -> T) -> (Tick, T) {
        let mut world = self.world();
        let sent = world.tick();
        let noted = note(&mut world, sent);
        (sent, noted)
    }

    /// An answer has come: `judge` compares it with the model and says how it came out.
    pub(crate) fn settle(
        &self,
        who: &str,
        what: (&'static str, &str),
        sent: Tick,
        judge: impl FnOnce(&mut World, Span) -> (&'static str, Verdict),
    ) {
        let mut world = self.world();
        let answered = world.tick();
        let (outcome, verdict) = judge(&mut world, Span { sent, answered });
        let (name, about) = what;
        let line = format!("{sent:>6}..{answered:<6} {who}: {name} {about}: {outcome}");
        world.trace.push(line);
        *world.counts.entry((name, outcome)).or_default() += 1;
        let Err(complaint) = verdict else {
            return;
        };
        let from = world.trace.len().saturating_sub(SHOWN);
        let trace = world.trace[from..].join("\n");
        let seed = self.run.seed;
        let text = format!("{complaint}\nCREMA_MODEL_SEED={seed}\n{trace}\n");
        // Whoever is second only sees what the first one saw.
        self.run.complaint.set(text).ok();
    }
}

fn password_text(group: &str, number: usize) -> String {
    format!("the {number}. password of {group}")
}

/// Sends a request as the proxy would pass it on, from some address: wrong secrets are counted
/// per address, and that is not what is tested here.
pub(crate) async fn send(request: Request, number: u64) -> Response {
    let address = Ipv4Addr::from(0x0A00_0000 | u32::try_from(number % 0x00FF_FFFF).unwrap());
    let request = request.header("X-Forwarded-For", &address.to_string());
    request.send().await
}
