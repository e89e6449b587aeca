//! What a client does with its grants, at random, and what the answers tell the model.

use std::sync::Arc;
use std::time::Instant;

use crema_testkit::Response;

use crate::actor::{Actor, Place, unexpected};
use crate::rules::{Attempt, Granted, Verdict, allow};
use crate::time::{Ended, Ending, Fate, PENDING};
use crate::world::{Pair, Root, User};

/// A code lives 60 seconds: after so many it is not tried as one that has to work.
const FRESH: u64 = 30;
/// The longest grace window is 300 seconds: a token that was rotated so many seconds ago is not
/// tried any more, because the model does not know when it ends.
const WINDOW: u64 = 240;

impl Actor {
    pub(crate) async fn redeem(&mut self) {
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

    pub(crate) async fn refresh(&mut self) {
        if let Some((place, token)) = self.token(true) {
            self.refresh_with(place, &token).await;
        }
    }

    pub(crate) async fn refresh_with(&mut self, place: Place, token: &str) {
        let (secret, client) = self.secret();
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
        let mut params = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
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

    pub(crate) async fn password_grant(&mut self) {
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
                let right = |user: &User| user.enabled && user.password == number;
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

    pub(crate) async fn client_credentials(&mut self) {
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

    pub(crate) async fn revoke(&mut self) {
        let refresh = self.dice.one_in(2);
        if let Some((place, token)) = self.token(refresh) {
            self.revoke_one(place, &token).await;
        }
    }

    pub(crate) async fn revoke_one(&mut self, place: Place, token: &str) {
        let (secret, mut client) = self.secret();
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
            .post("revoke_token", &client, &[("token", token)])
            .await;
        let label = format!("{} secret {secret}", place.label());
        self.settle(("revoke", &label), sent, |world, seen| {
            let proof = match robots {
                true => Fate::Alive,
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
}

/// Reads an answer of the token endpoint.
pub(crate) fn judged(
    answer: &Response,
    judge: impl FnOnce(Granted) -> Verdict,
) -> (&'static str, Verdict) {
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
