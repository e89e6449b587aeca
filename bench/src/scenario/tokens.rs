//! Requests that look one token up.

use anyhow::{Result, ensure};

use super::{INTROSPECT, Setup, Side, USERINFO, expect, get, post, post_head};
use crate::data;
use crate::load::{Answer, Conversation, Progress};

/// Takes one token of the working set after the other, in an order that looks random.
pub(super) struct Picker {
    numbers: Vec<u64>,
    state: u64,
}

impl Picker {
    pub(super) fn new(setup: &Setup, connection: u64) -> Picker {
        Picker {
            numbers: data::working_set(setup.site.tokens).collect(),
            state: (connection + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        // xorshift64
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let count = u64::try_from(self.numbers.len()).unwrap_or(1).max(1);
        let index = usize::try_from(self.state % count).unwrap_or(0);
        self.numbers.get(index).copied().unwrap_or(0)
    }
}

/// Writes the characters of a token without allocating.
pub(super) fn write_token(out: &mut Vec<u8>, number: u64, known: bool) {
    use std::io::Write as _;
    let kind = if known { "access" } else { "nobody" };
    // Writing to a vector does not fail.
    write!(out, "{kind}{number:037}").ok();
}

/// Asks about a token.
pub(super) struct Introspection {
    side: Side,
    picker: Picker,
    head: Vec<u8>,
    token: Vec<u8>,
}

/// Introspection by the client.
pub(super) fn introspection(setup: &Setup, side: Side, connection: u64) -> Introspection {
    let basic = format!("Authorization: {}\r\n", setup.site.basic());
    Introspection {
        side,
        picker: Picker::new(setup, connection),
        head: post_head(INTROSPECT, &basic),
        token: Vec::new(),
    }
}

impl Conversation for Introspection {
    fn request(&mut self, out: &mut Vec<u8>) {
        self.token.clear();
        write_token(&mut self.token, self.picker.next(), true);
        post(out, &self.head, &[b"token=", &self.token]);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            // The first member, unless their order changes.
            let active =
                answer.body.starts_with(b"{\"active\":true") || answer.says(b"\"active\":true");
            ensure!(
                active,
                "not active: {}",
                String::from_utf8_lossy(answer.body)
            );
        }
        Ok(Progress::Done)
    }
}

/// Asks with a token.
pub(super) struct Userinfo {
    known: bool,
    picker: Picker,
    head: Vec<u8>,
}

/// Userinfo with a token that is alive.
pub(super) fn userinfo(setup: &Setup, _: Side, connection: u64) -> Userinfo {
    Userinfo {
        known: true,
        picker: Picker::new(setup, connection),
        head: get(USERINFO, "Authorization: Bearer "),
    }
}

/// Userinfo with a token that was never issued.
pub(super) fn unknown(setup: &Setup, side: Side, connection: u64) -> Userinfo {
    Userinfo {
        known: false,
        ..userinfo(setup, side, connection)
    }
}

impl Conversation for Userinfo {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        write_token(out, self.picker.next(), self.known);
        out.extend_from_slice(b"\r\n\r\n");
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, if self.known { 200 } else { 401 })?;
        Ok(Progress::Done)
    }
}
