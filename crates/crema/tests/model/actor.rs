//! What clients and browsers do, at random, and what the answers tell the model.

use std::sync::Arc;
use std::time::Instant;

use crema_testkit::flow::method;
use crema_testkit::{Response, TestClient};

use crate::dice::Dice;
use crate::group::{Group, send};
use crate::rules::{Attempt, Granted, allow};
use crate::time::{Ended, Ending, PENDING, Span};
use crate::world::{Pair, Root, World};

/// A code lives 60 seconds: after so many it is not tried as one that has to work.
const FRESH: u64 = 30;
/// The longest grace window is 300 seconds: a token that was rotated so many seconds ago is not
/// tried any more, because the model does not know when it ends.
const WINDOW: u64 = 240;

/// One of those who use a group, one request after the other.
pub(crate) struct Actor {
    pub(crate) group: Arc<Group>,
    pub(crate) name: String,
    pub(crate) dice: Dice,
}

/// A token, by its place in the model.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) family: usize,
    pub(crate) pair: usize,
    refresh: bool,
}

impl Place {
    fn label(self) -> String {
        let kind = if self.refresh { "refresh" } else { "access" };
        format!("family {} pair {} {kind}", self.family, self.pair)
    }
}

impl Actor {
    pub(crate) fn new(group: &Arc<Group>, name: &str, dice: Dice) -> Actor {
        Actor {
            group: Arc::clone(group),
            name: format!("{} {name}", group.name),
            dice,
        }
    }

    /// One request, or the few that belong together.
    pub(crate) async fn step(&mut self) {
        // Where nothing lives there is little to see.
        if !self.has_session() && self.dice.one_in(2) {
            return self.login().await;
        }
        if !self.has_family() && self.dice.one_in(2) {
            return match self.dice.weighted(&[4, 4, 1]) {
                0 => self.authorize().await,
                1 => self.redeem().await,
                _ => self.password_grant().await,
            };
        }
        match self
            .dice
            .weighted(&[2, 2, 1, 4, 4, 1, 1, 12, 1, 8, 3, 3, 2])
        {
            0 => self.login().await,
            1 => self.ask_session().await,
            2 => self.logout().await,
            3 => self.authorize().await,
            4 => self.redeem().await,
            5 => self.password_grant().await,
            6 => self.client_credentials().await,
            7 => self.refresh().await,
            8 => self.revoke().await,
            9 => self.introspect().await,
            10 => self.userinfo().await,
            11 => self.logged_user().await,
            _ => self.as_a_stranger().await,
        }
    }

    fn has_session(&self) -> bool {
        let mut world = self.group.world();
        let now = world.moment();
        let last = world.sessions.len().checked_sub(1);
        last.is_some_and(|last| world.session(last, now).may_work())
    }

    fn has_family(&self) -> bool {
        let mut world = self.group.world();
        let now = world.moment();
        let last = world.families.iter().rposition(|one| !one.pairs.is_empty());
        last.is_some_and(|last| world.family(last, now, 0).may_work())
    }

    pub(crate) fn settle(
        &self,
        what: (&'static str, &str),
        sent: u64,
        judge: impl FnOnce(&mut World, Span) -> (&'static str, Result<(), String>),
    ) {
        self.group.settle(&self.name, what, sent, judge);
    }

    /// The secret to use: nearly always the one that counts.
    fn secret(&mut self) -> (usize, TestClient) {
        let known = self.group.world().client.known().secrets.clone();
        let number = match self.dice.one_in(12) {
            true => self.dice.below(known.last().unwrap() + 1),
            false => *known.last().unwrap(),
        };
        (number, self.group.client_with(number))
    }

    /// The password to use: nearly always the one that counts.
    pub(crate) fn password(&mut self) -> usize {
        let known = self.group.world().user.known().password;
        match self.dice.one_in(10) {
            true => self.dice.below(known + 1),
            false => known,
        }
    }

    fn token(&mut self, refresh: bool) -> Option<(Place, String)> {
        let group = Arc::clone(&self.group);
        let world = group.world();
        let with_pairs: Vec<usize> = (0..world.families.len())
            .filter(|index| !world.families[*index].pairs.is_empty())
            .collect();
        if with_pairs.is_empty() {
            return None;
        }
        let family = with_pairs[self.dice.recent(with_pairs.len())];
        let pairs = &world.families[family].pairs;
        let pair = match self.dice.below(8) {
            0 => self.dice.recent(pairs.len()),
            1 => pairs.len().saturating_sub(2),
            _ => pairs.len() - 1,
        };
        let token = match refresh {
            true => &pairs[pair].refresh,
            false => &pairs[pair].access,
        };
        let place = Place {
            family,
            pair,
            refresh,
        };
        (!token.is_empty()).then(|| (place, token.clone()))
    }

    async fn post(&mut self, name: &str, client: &TestClient, params: &[(&str, &str)]) -> Response {
        let request = self.group.http().client_request(name, client, params);
        send(request, self.dice.number()).await
    }

    async fn get_as(&mut self, path: &str, token: &str) -> Response {
        let request = self.group.http().get(path).bearer(token);
        send(request, self.dice.number()).await
    }

    async fn redeem(&mut self) {
        let (secret, client) = self.secret();
        let wrong = self.dice.one_in(15);
        let group = Arc::clone(&self.group);
        let chosen = group.begin(|world, sent| {
            let codes: Vec<usize> = (0..world.families.len())
                .filter(|index| world.families[*index].code.is_some())
                .collect();
            if codes.is_empty() {
                return None;
            }
            let family = codes[self.dice.recent(codes.len())];
            let code = world.families[family].code.as_ref().unwrap();
            let late = code.issued.elapsed().as_secs() >= FRESH;
            let value = code.value.clone();
            let attempt = Attempt {
                family,
                secret,
                scope: None,
                hopeless: wrong || late,
            };
            // One that is late may be in time all the same, and then it works: leave it alone.
            if late && !wrong {
                return None;
            }
            world.begin_use(&attempt, None, sent);
            Some((attempt, value))
        });
        let (sent, Some((attempt, code))) = chosen else {
            return;
        };
        let verifier = match wrong {
            true => "a-wrong-verifier-of-the-right-length-0123456789",
            false => crema_testkit::VERIFIER,
        };
        let params = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", client.redirect_uri.as_str()),
            ("code_verifier", verifier),
        ];
        let answer = self.post("get_token", &client, &params).await;
        let label = format!("family {} secret {secret}", attempt.family);
        self.settle(("redeem", &label), sent, |world, seen| {
            judged(&answer, |granted| {
                world.judge_redeem(&attempt, seen, granted)
            })
        });
    }

    async fn refresh(&mut self) {
        let (secret, client) = self.secret();
        let Some((place, token)) = self.token(true) else {
            return;
        };
        let group = Arc::clone(&self.group);
        let (successor_age, openid) = {
            let world = group.world();
            let pairs = &world.families[place.family].pairs;
            let next = pairs.get(place.pair + 1);
            let age = next.map_or(0, |next| next.learned.elapsed().as_secs());
            (age, pairs[place.pair].has_openid())
        };
        if successor_age >= WINDOW {
            return;
        }
        let attempt = Attempt {
            family: place.family,
            secret,
            scope: (openid && self.dice.one_in(6)).then_some("openid"),
            hopeless: false,
        };
        let (sent, ()) =
            group.begin(|world, sent| world.begin_use(&attempt, Some(place.pair), sent));
        let mut params = vec![("grant_type", "refresh_token"), ("refresh_token", &token)];
        params.extend(attempt.scope.map(|scope| ("scope", scope)));
        let answer = self.post("get_token", &client, &params).await;
        let label = format!(
            "{} scope {:?} secret {secret}",
            place.label(),
            attempt.scope
        );
        self.settle(("refresh", &label), sent, |world, seen| {
            judged(&answer, |granted| {
                world.judge_refresh(&attempt, place.pair, seen, granted)
            })
        });
    }

    async fn password_grant(&mut self) {
        let (secret, client) = self.secret();
        let number = self.password();
        let (user, password) = (self.group.user.clone(), self.group.password(number));
        let (sent, ()) = self.group.begin(|_, _| ());
        let params = [
            ("grant_type", "password"),
            ("username", user.as_str()),
            ("password", password.as_str()),
        ];
        let answer = self.post("get_token", &client, &params).await;
        let label = format!("password {number} secret {secret}");
        self.settle(("password grant", &label), sent, |world, seen| {
            judged(&answer, |granted| {
                let proof = world.proof(secret, seen);
                let right = |user: &crate::world::User| user.enabled && user.password == number;
                let fate = world.user.fate(seen, right).max(world.holder(false, seen));
                match granted {
                    Granted::InvalidClient => allow("the client", proof, false),
                    Granted::InvalidGrant => {
                        allow("the client", proof, true)?;
                        allow("the password", fate, false)
                    }
                    Granted::Pair(pair) => {
                        allow("the client", proof, true)?;
                        allow("the password", fate, true)?;
                        world.allow_scope(&pair.scope, "openid all", seen)?;
                        let family = world.add_family(Root::Password(number), seen, None);
                        world.families[family].pairs.push(pair);
                        Ok(())
                    }
                }
            })
        });
    }

    async fn client_credentials(&mut self) {
        let robot = self.group.robot.clone();
        let (sent, ()) = self.group.begin(|_, _| ());
        let params = [("grant_type", "client_credentials")];
        let answer = self.post("get_token", &robot, &params).await;
        self.settle(("client credentials", ""), sent, |world, seen| {
            let fate = world.holder(true, seen);
            if answer.status == 400 && answer.error() == "unauthorized_client" {
                return ("refused", allow("client credentials", fate, false));
            }
            judged(&answer, |granted| match granted {
                Granted::Pair(pair) => {
                    allow("client credentials", fate, true)?;
                    let family = world.add_family(Root::Robot, seen, None);
                    world.families[family].pairs.push(pair);
                    Ok(())
                }
                other => Err(format!("client credentials: {other:?}")),
            })
        });
    }

    async fn revoke(&mut self) {
        let (secret, mut client) = self.secret();
        let refresh = self.dice.one_in(2);
        let Some((place, token)) = self.token(refresh) else {
            return;
        };
        let group = Arc::clone(&self.group);
        let (sent, robots) = group.begin(|world, sent| {
            let family = &mut world.families[place.family];
            family.endings.push(Ending {
                sent,
                answered: PENDING,
            });
            family.is_robots()
        });
        if robots {
            client = group.robot.clone();
        }
        let answer = self
            .post("revoke_token", &client, &[("token", &token)])
            .await;
        let label = format!("{} secret {secret}", place.label());
        self.settle(("revoke", &label), sent, |world, seen| {
            let proof = match robots {
                true => crate::time::Fate::Alive,
                false => world.proof(secret, seen),
            };
            match (answer.status, answer.text().as_str()) {
                (200, "{}") => {
                    world.end(place.family, sent, Ended::At(seen.answered));
                    ("done", allow("the client", proof, true))
                }
                (401, _) if answer.error() == "invalid_client" => {
                    world.end(place.family, sent, Ended::Not);
                    ("invalid_client", allow("the client", proof, false))
                }
                _ => unexpected(&answer),
            }
        });
    }

    pub(crate) async fn introspect(&mut self) {
        let refresh = self.dice.one_in(3);
        if let Some((place, token)) = self.token(refresh) {
            self.introspect_at(place, &token).await;
        }
    }

    /// Looks at every token of the last families, when nothing else is under way.
    pub(crate) async fn introspect_all(&mut self, families: usize) {
        let group = Arc::clone(&self.group);
        let count = group.world().families.len();
        for family in count.saturating_sub(families)..count {
            let pairs = group.world().families[family].pairs.len();
            for pair in 0..pairs {
                for refresh in [false, true] {
                    let token = match &group.world().families[family].pairs[pair] {
                        known if refresh => known.refresh.clone(),
                        known => known.access.clone(),
                    };
                    let place = Place {
                        family,
                        pair,
                        refresh,
                    };
                    if !token.is_empty() {
                        self.introspect_at(place, &token).await;
                    }
                }
            }
        }
    }

    async fn introspect_at(&mut self, place: Place, token: &str) {
        let stranger = self.group.stranger.clone();
        let (sent, ()) = self.group.begin(|_, _| ());
        let answer = self
            .post("introspect_token", &stranger, &[("token", token)])
            .await;
        let user = self.group.user.clone();
        self.settle(("introspect", &place.label()), sent, |world, seen| {
            let fate = world.token(place.family, place.pair, seen);
            if answer.status != 200 {
                return unexpected(&answer);
            }
            let json = answer.json();
            match (json["active"].as_bool(), json["username"].as_str()) {
                (Some(true), Some(name)) if name == user => {
                    ("active", allow("a token", fate, true))
                }
                (Some(false), None) => ("inactive", allow("a token", fate, false)),
                _ => unexpected(&answer),
            }
        });
    }

    async fn logged_user(&mut self) {
        let Some((place, token)) = self.token(false) else {
            return;
        };
        let (sent, ()) = self.group.begin(|_, _| ());
        let path = "/api/method/frappe.auth.get_logged_user";
        let answer = self.get_as(path, &token).await;
        let user = self.group.user.clone();
        self.settle(("logged user", &place.label()), sent, |world, seen| {
            let fate = world.token(place.family, place.pair, seen);
            match answer.status {
                200 if answer.member("message") == user => ("ok", allow("a token", fate, true)),
                401 => ("refused", allow("a token", fate, false)),
                _ => unexpected(&answer),
            }
        });
    }

    async fn userinfo(&mut self) {
        let Some((place, token)) = self.token(false) else {
            return;
        };
        let (sent, ()) = self.group.begin(|_, _| ());
        let answer = self.get_as(&method("openid_profile"), &token).await;
        let user = self.group.user.clone();
        self.settle(("userinfo", &place.label()), sent, |world, seen| {
            let fate = world.token(place.family, place.pair, seen);
            let openid = world.families[place.family].pairs[place.pair].has_openid();
            match answer.status {
                403 if !openid && answer.error() == "insufficient_scope" => {
                    ("not granted", allow("a token", fate, true))
                }
                200 if openid && answer.member("email") == user => {
                    let json = answer.json();
                    let roles = json["roles"].as_array();
                    let reader = roles
                        .is_some_and(|roles| roles.iter().any(|role| role == crate::group::READER));
                    let role = world.user.fate(seen, |user| user.reader);
                    let verdict = allow("a token", fate, true);
                    ("ok", verdict.and_then(|()| allow("a role", role, reader)))
                }
                401 => ("refused", allow("a token", fate, false)),
                _ => unexpected(&answer),
            }
        });
    }

    /// Another client tries what is not its own: nothing happens.
    async fn as_a_stranger(&mut self) {
        let stranger = self.group.stranger.clone();
        let Some((place, token)) = self.token(true) else {
            return;
        };
        let (sent, ()) = self.group.begin(|_, _| ());
        if self.dice.one_in(2) {
            let params = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
            ];
            let answer = self.post("get_token", &stranger, &params).await;
            self.settle(("foreign refresh", &place.label()), sent, |_, _| {
                judged(&answer, |granted| match granted {
                    Granted::InvalidGrant => Ok(()),
                    other => Err(format!("another client's refresh token: {other:?}")),
                })
            });
        } else {
            let answer = self
                .post("revoke_token", &stranger, &[("token", &token)])
                .await;
            self.settle(("foreign revoke", &place.label()), sent, |_, _| {
                match (answer.status, answer.text().as_str()) {
                    (200, "{}") => ("nothing", Ok(())),
                    _ => unexpected(&answer),
                }
            });
        }
    }
}

/// An answer that no request here may get, a 500 for example.
pub(crate) fn unexpected(answer: &Response) -> (&'static str, Result<(), String>) {
    let complaint = format!("unexpected: {} {}", answer.status, answer.text());
    ("unexpected", Err(complaint))
}

/// Reads an answer of the token endpoint.
fn judged(
    answer: &Response,
    judge: impl FnOnce(Granted) -> Result<(), String>,
) -> (&'static str, Result<(), String>) {
    match answer.status {
        200 => {
            let tokens = answer.tokens();
            let pair = Pair {
                access: tokens.access_token,
                refresh: tokens.refresh_token,
                scope: tokens.scope,
                learned: Instant::now(),
                uses: Vec::new(),
            };
            ("granted", judge(Granted::Pair(pair)))
        }
        401 if answer.error() == "invalid_client" => {
            ("invalid_client", judge(Granted::InvalidClient))
        }
        400 if answer.error() == "invalid_grant" => ("invalid_grant", judge(Granted::InvalidGrant)),
        _ => unexpected(answer),
    }
}
