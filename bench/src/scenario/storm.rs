//! Wrong passwords, as an attacker tries them.

use anyhow::{Result, bail};

use super::post_head;
use crate::load::{Answer, Conversation, Progress};

/// Tries one password after the other, for users who do not exist.
struct Attempts {
    connection: u64,
    number: u64,
    head: Vec<u8>,
}

/// Conversations that try passwords, one for each connection.
pub(crate) fn storm(connections: u64) -> Vec<Box<dyn Conversation>> {
    let attempts = |connection| -> Box<dyn Conversation> {
        Box::new(Attempts {
            connection,
            number: 0,
            head: post_head("/api/method/login", ""),
        })
    };
    (0..connections).map(attempts).collect()
}

impl Conversation for Attempts {
    fn request(&mut self, out: &mut Vec<u8>) {
        self.number += 1;
        let form = format!(
            "usr=nobody{}.{}%40example.com&pwd=wrong-horse-battery-9",
            self.connection, self.number
        );
        super::post(out, &self.head, &[form.as_bytes()]);
    }

    /// Refused as wrong, or because too many try at once: both are what should happen.
    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        match answer.status {
            401 => Ok(Progress::Done),
            429 | 503 => Ok(Progress::Refused),
            status => bail!("status {status} for a wrong password"),
        }
    }
}
