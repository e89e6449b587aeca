//! Documents by the tools of `/mcp`, with a bearer token.

use anyhow::{Result, ensure};

use super::tokens::{Picker, write_token};
use super::{HOST, Setup, Side, TODO, expect, get};
use crate::data;
use crate::load::{Answer, Conversation, Progress};

/// Reads ToDos by name.
pub(super) struct Tool {
    side: Side,
    picker: Picker,
}

/// A ToDo by its name.
pub(super) fn document(setup: &Setup, side: Side, connection: u64) -> Tool {
    Tool {
        side,
        picker: Picker::new(setup, connection),
    }
}

impl Conversation for Tool {
    fn request(&mut self, out: &mut Vec<u8>) {
        let number = self.picker.next();
        let name = data::todo_name(number);
        // The raw server looks for the name in the path.
        if self.side == Side::Raw {
            let path = format!("{TODO}/{name}");
            out.extend_from_slice(&get(&path, "Authorization: Bearer "));
            write_token(out, number, true);
            out.extend_from_slice(b"\r\n\r\n");
            return;
        }
        let body = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{number},\"method\":\"tools/call\",\"params\":{{\
             \"name\":\"get_document\",\"arguments\":{{\"doctype\":\"ToDo\",\"name\":\"{name}\"}}}}}}"
        );
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n\
             Content-Length: {}\r\nAuthorization: Bearer ",
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        write_token(out, number, true);
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(body.as_bytes());
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            ensure!(
                answer.says(b"\"structuredContent\":{\"document\":{\"name\":"),
                "not what was asked for: {}",
                String::from_utf8_lossy(answer.body)
            );
        }
        Ok(Progress::Done)
    }
}
