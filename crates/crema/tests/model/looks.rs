//! What is asked about tokens, and by whom.

use std::sync::Arc;

use crema_testkit::flow::method;

use crate::actor::{Actor, Place, unexpected};
use crate::grants::judged;
use crate::group::READER;
use crate::rules::{Granted, allow};

impl Actor {
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

    pub(crate) async fn introspect_at(&mut self, place: Place, token: &str) {
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

    pub(crate) async fn logged_user(&mut self) {
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

    pub(crate) async fn userinfo(&mut self) {
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
                    let reader = roles.is_some_and(|roles| roles.iter().any(|role| role == READER));
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
    pub(crate) async fn as_a_stranger(&mut self) {
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
