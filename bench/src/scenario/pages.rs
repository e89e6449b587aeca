//! Answers that need no token: discovery and the sign-in page.

use anyhow::{Result, ensure};

use super::{Side, expect, get};
use crate::load::{Answer, Conversation, Progress};

/// The same page again and again.
pub(super) struct Page {
    side: Side,
    request: Vec<u8>,
    has: &'static [u8],
}

/// The OpenID configuration.
pub(super) fn discovery(side: Side) -> Page {
    page(side, "/.well-known/openid-configuration", b"\"issuer\"")
}

/// The sign-in page.
pub(super) fn login(side: Side) -> Page {
    page(side, "/login", b"<!DOCTYPE html>")
}

fn page(side: Side, path: &str, has: &'static [u8]) -> Page {
    let mut request = get(path, "");
    request.extend_from_slice(b"\r\n");
    Page { side, request, has }
}

impl Conversation for Page {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            ensure!(answer.says(self.has), "another page");
        }
        Ok(Progress::Done)
    }
}
