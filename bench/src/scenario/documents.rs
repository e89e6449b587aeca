//! Documents as data, with a bearer token: one by its name, a page of a list.

use anyhow::{Result, ensure};

use super::tokens::{Picker, write_token};
use super::{Setup, Side, TODO, expect, get};
use crate::data;
use crate::load::{Answer, Conversation, Progress};

/// So many rows has a page.
const PAGE: usize = 20;

/// What a list selects, as a query has it.
const FIELDS: &str =
    "%5B%22name%22%2C%22status%22%2C%22description%22%2C%22date%22%2C%22allocated_to%22%5D";

/// Reads ToDos.
pub(super) struct Documents {
    side: Side,
    list: bool,
    picker: Picker,
}

/// A ToDo by its name.
pub(super) fn document(setup: &Setup, side: Side, connection: u64) -> Documents {
    Documents {
        side,
        list: false,
        picker: Picker::new(setup, connection),
    }
}

/// The newest of a person's ToDos.
pub(super) fn list(setup: &Setup, side: Side, connection: u64) -> Documents {
    Documents {
        list: true,
        ..document(setup, side, connection)
    }
}

impl Conversation for Documents {
    fn request(&mut self, out: &mut Vec<u8>) {
        let number = self.picker.next();
        let path = if self.list {
            let person = data::todo_person(number);
            let (local, domain) = person.split_once('@').unwrap_or_default();
            format!(
                "{TODO}?filters=%7B%22allocated_to%22%3A%22{local}%40{domain}%22%7D\
                 &fields={FIELDS}&limit={PAGE}"
            )
        } else {
            format!("{TODO}/{}", data::todo_name(number))
        };
        out.extend_from_slice(&get(&path, "Authorization: Bearer "));
        write_token(out, number, true);
        out.extend_from_slice(b"\r\n\r\n");
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        expect(answer, 200)?;
        if self.side == Side::Crema {
            let opens: &[u8] = if self.list {
                b"{\"data\":[{\"name\":"
            } else {
                b"{\"data\":{\"name\":"
            };
            // A row has more bytes than that.
            let least = if self.list { PAGE * 100 } else { 100 };
            ensure!(
                answer.body.starts_with(opens) && answer.body.len() > least,
                "not what was asked for: {}",
                String::from_utf8_lossy(answer.body)
            );
        }
        Ok(Progress::Done)
    }
}
