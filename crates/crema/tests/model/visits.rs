//! What browsers do: sign in, look who is signed in, allow an application, sign out.

use std::sync::Arc;
use std::time::Instant;

use crema_testkit::http::encode;
use crema_testkit::{Redirect, Request, Response, VERIFIER, challenge};

use crate::actor::{Actor, unexpected};
use crate::group::{CALLBACK, send};
use crate::rules::{Verdict, allow};
use crate::time::{Ended, Ending, Fate, PENDING, Span, conclude};
use crate::world::{Code, Root, World};

/// Where a browser was sent, or what it was shown.
enum Shown {
    /// The consent page.
    Question,
    /// The sign-in page.
    SignIn,
    /// The client, with a code.
    Code(String),
    /// The client, with an error.
    Error(String),
    /// An error page: the client is not to be trusted.
    Refused,
    Unexpected,
}

fn shown(answer: &Response) -> Shown {
    match (answer.status, answer.location()) {
        (200, _) if answer.form_action("allow").is_some() => Shown::Question,
        (302 | 303, Some(location)) if location.starts_with("/login?") => Shown::SignIn,
        (302, Some(location)) if location.starts_with(CALLBACK) => {
            let redirect = Redirect::of(answer);
            match redirect.param("code") {
                "" => Shown::Error(redirect.param("error").to_owned()),
                code => Shown::Code(code.to_owned()),
            }
        }
        (400, None) => Shown::Refused,
        _ => Shown::Unexpected,
    }
}

impl Actor {
    async fn send_as(&mut self, sid: &str, request: Request) -> Response {
        let request = request
            .header("Accept", "text/html")
            .header("Cookie", &format!("sid={sid}"));
        send(request, self.dice.number()).await
    }

    fn session(&mut self) -> Option<(usize, String)> {
        let group = Arc::clone(&self.group);
        let world = group.world();
        let count = world.sessions.len();
        (count > 0).then(|| {
            let index = self.dice.recent(count);
            (index, world.sessions[index].sid.clone())
        })
    }

    /// A sign-in, sometimes in a browser that is signed in: then that session ends.
    pub(crate) async fn login(&mut self) {
        let number = self.password();
        let replaced = match self.dice.one_in(4) {
            true => self.session(),
            false => None,
        };
        let (user, password) = (self.group.user.clone(), self.group.password(number));
        let request = self.group.http().post("/api/method/login");
        let mut request = request.form(&[("usr", &user), ("pwd", &password)]);
        if let Some((_, sid)) = &replaced {
            request = request.header("Cookie", &format!("sid={sid}"));
        }
        let old = replaced.map(|(index, _)| index);
        let (sent, ()) = self.group.begin(|world, sent| {
            if let Some(old) = old {
                let answered = PENDING;
                world.sessions[old].endings.push(Ending { sent, answered });
            }
        });
        let answer = send(request, self.dice.number()).await;
        let label = format!("password {number} instead of session {old:?}");
        self.settle(("login", &label), sent, |world, seen| {
            let fate = world
                .user
                .fate(seen, |user| user.enabled && user.password == number);
            let ended = match answer.status {
                200 => Ended::At(seen.answered),
                503 => Ended::Perhaps,
                _ => Ended::Not,
            };
            if let Some(old) = old {
                conclude(&mut world.sessions[old].endings, sent, ended);
            }
            match (answer.status, answer.cookie("sid")) {
                (200, Some(cookie)) => {
                    world.add_session(cookie.value, seen, number);
                    ("signed in", allow("the password", fate, true))
                }
                (401, _) => ("refused", allow("the password", fate, false)),
                _ => unexpected(&answer),
            }
        });
    }

    pub(crate) async fn ask_session(&mut self) {
        let Some((index, sid)) = self.session() else {
            return;
        };
        let (sent, ()) = self.group.begin(|_, _| ());
        let http = self.group.http();
        let request = http.get("/api/method/frappe.auth.get_logged_user");
        let request = request.header("Cookie", &format!("sid={sid}"));
        let answer = send(request, self.dice.number()).await;
        let user = self.group.user.clone();
        let label = format!("session {index}");
        self.settle(("who is signed in", &label), sent, |world, seen| {
            let fate = world.session(index, seen);
            match answer.status {
                200 if answer.member("message") == user => ("ok", allow("a session", fate, true)),
                401 | 403 => ("nobody", allow("a session", fate, false)),
                _ => unexpected(&answer),
            }
        });
    }

    pub(crate) async fn logout(&mut self) {
        let Some((index, sid)) = self.session() else {
            return;
        };
        let (sent, ()) = self.group.begin(|world, sent| {
            let answered = PENDING;
            world.sessions[index]
                .endings
                .push(Ending { sent, answered });
        });
        let request = self.group.http().get("/api/method/logout");
        let request = request.header("Cookie", &format!("sid={sid}"));
        let answer = send(request, self.dice.number()).await;
        let label = format!("session {index}");
        self.settle(("logout", &label), sent, |world, seen| {
            if answer.status != 200 {
                return unexpected(&answer);
            }
            let endings = &mut world.sessions[index].endings;
            conclude(endings, sent, Ended::At(seen.answered));
            ("done", Ok(()))
        });
    }

    /// Asks for a code, and clicks Allow.
    pub(crate) async fn authorize(&mut self) {
        let Some((session, sid)) = self.session() else {
            return;
        };
        let scope = ["openid", "openid all", "all"][self.dice.below(3)];
        let query = encode(&[
            ("client_id", &self.group.client.client_id),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("state", "a state"),
            ("scope", scope),
            ("code_challenge", &challenge(VERIFIER)),
            ("code_challenge_method", "S256"),
        ]);
        let path = format!("{}?{query}", crema_testkit::visitor::AUTHORIZE);
        let (sent, ()) = self.group.begin(|_, _| ());
        let request = self.group.http().get(&path);
        let page = self.send_as(&sid, request).await;
        let label = format!("session {session} scope {scope:?}");
        self.settle(("authorize", &label), sent, |world, seen| {
            judge_page(world, session, scope, seen, &page)
        });
        let Shown::Question = shown(&page) else {
            return;
        };
        let action = page.form_action("allow").unwrap();
        let token = page.hidden_field("csrf_token").unwrap();
        let http = self.group.http();
        let request = http
            .post(&action)
            .header("Origin", &http.origin())
            .header("Sec-Fetch-Site", "same-origin")
            .form(&[("csrf_token", &token), ("decision", "allow")]);
        let (sent, ()) = self.group.begin(|_, _| ());
        let answer = self.send_as(&sid, request).await;
        self.settle(("approve", &label), sent, |world, seen| {
            let verdict = judge_page(world, session, scope, seen, &answer);
            if let Shown::Code(value) = shown(&answer) {
                let code = Code {
                    value,
                    issued: Instant::now(),
                    scope,
                    uses: Vec::new(),
                };
                world.add_family(Root::Session(session), seen, Some(code));
            }
            verdict
        });
    }
}

fn judge_page(
    world: &World,
    session: usize,
    scope: &str,
    seen: Span,
    answer: &Response,
) -> (&'static str, Verdict) {
    let signed_in = world.session(session, seen);
    let client = world.client.fate(seen, |client| client.enabled);
    let holder = world.holder(false, seen);
    let scopes = match scope {
        "all" => world.client.fate(seen, |client| client.all),
        // With openid, what the client does not have is left out.
        _ => Fate::Alive,
    };
    let passed = || {
        allow("the client", client, true)?;
        allow("the scope", scopes, true)?;
        allow("the session", signed_in, true)?;
        allow("the user", holder, true)
    };
    match shown(answer) {
        Shown::Question => ("asked", passed()),
        Shown::Code(_) => ("code", passed()),
        Shown::SignIn => ("sign in", allow("the session", signed_in, false)),
        Shown::Refused => ("refused", allow("the client", client, false)),
        Shown::Error(error) => match error.as_str() {
            "access_denied" => ("access_denied", allow("the user", holder, false)),
            "invalid_scope" => ("invalid_scope", allow("the scope", scopes, false)),
            "login_required" => ("login_required", allow("the session", signed_in, false)),
            _ => unexpected(answer),
        },
        Shown::Unexpected => unexpected(answer),
    }
}
