//! What a command answers: the same thing as text for people and as JSON for scripts.

use std::io::{self, Write as _};

use serde_json::Value;

/// The answer of a command.
#[derive(Debug)]
pub(crate) struct Answer {
    /// For people; may have several lines.
    pub(crate) text: String,
    /// For scripts.
    pub(crate) json: Value,
}

impl Answer {
    /// An answer of one sentence and its JSON.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Answer {
        Answer {
            text: text.into(),
            json,
        }
    }

    /// Writes it to stdout.
    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
        print(&self.shown(json))
    }

    /// What is written.
    pub(crate) fn shown(&self, json: bool) -> String {
        if json {
            // Maps with text keys and finite numbers always have a JSON form.
            serde_json::to_string_pretty(&self.json).unwrap_or_default()
        } else {
            self.text.trim_end().to_owned()
        }
    }
}

/// Writes a text and a line break to stdout. A reader that has seen enough, as `head` has, is no
/// failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says something beside the answer, on stderr.
pub(crate) fn note(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// Columns under headings, or a sentence when there is no row.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>], empty: &str) -> String {
    if rows.is_empty() {
        return empty.to_owned();
    }
    let headings: Vec<String> = headings.iter().map(|&heading| heading.to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&headings).chain(rows).collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{:<width$}", visible(cell)))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines
        .iter()
        .map(|cells| line(cells))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A text without control characters, which a name from outside could move the terminal with.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Yes or no in a table.
pub(crate) fn yes(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}
