//! Passwords: the grant, and signing in.

use anyhow::Result;

use super::{Setup, Side, expect, member, post, post_head, token_head};
use crate::load::{Answer, Conversation, Progress};
use crate::site::PASSWORD;

/// The user's name, encoded for a form.
const USER: &str = "jo%40example.com";

/// The same request again and again.
pub(super) struct Repeated {
    side: Side,
    request: Vec<u8>,
}

/// The password grant.
pub(super) fn grant(setup: &Setup, side: Side) -> Repeated {
    let form = format!("grant_type=password&scope=all&username={USER}&password={PASSWORD}");
    let mut request = Vec::new();
    post(&mut request, &token_head(&setup.site), &[form.as_bytes()]);
    Repeated { side, request }
}

impl Conversation for Repeated {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            member(answer, "access_token")?;
        }
        Ok(Progress::Done)
    }
}

/// Signing in, as the login page does.
pub(super) struct Login {
    request: Vec<u8>,
}

/// A sign-in of the user.
pub(super) fn login() -> Login {
    let form = format!("usr={USER}&pwd={PASSWORD}");
    let mut request = Vec::new();
    let head = post_head("/api/method/login", "");
    post(&mut request, &head, &[form.as_bytes()]);
    Login { request }
}

impl Conversation for Login {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        Ok(Progress::Done)
    }
}
