//! Rows as tab-separated text, which `COPY` and `LOAD DATA` both read.

use std::io::Write as _;

use super::{Cell, Table};

/// Appends a row. No value of ours has a tab, a line break or a backslash in it.
pub(super) fn write_row(out: &mut Vec<u8>, row: &[Cell]) {
    for (index, cell) in row.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        match cell {
            Cell::Null => out.extend_from_slice(b"\\N"),
            Cell::Text(text) => out.extend_from_slice(text.as_bytes()),
            // Writing to a vector does not fail.
            Cell::Int(int) => write!(out, "{int}").unwrap_or_default(),
        }
    }
    out.push(b'\n');
}

/// The numbers of a table's tokens in the order of its primary key, the first column. The first
/// eight characters decide; the few that share them may stand in any order.
pub(super) fn order(table: &Table, tokens: u64) -> Vec<u64> {
    let mut keyed: Vec<(u64, u64)> = (0..tokens)
        .filter(|number| number.is_multiple_of(table.every))
        .map(|number| ((table.key)(number), number))
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, number)| number).collect()
}

/// The first eight characters of a key, as a number that sorts alike.
pub(super) fn prefix(key: &str) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(key.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(bytes)
}

/// `?` as PostgreSQL numbers them.
pub(crate) fn dollars(text: &str) -> String {
    let mut parts = text.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (number, part) in (1..).zip(parts) {
        numbered.push_str(&format!("${number}{part}"));
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::super::TABLES;
    use super::*;

    #[test]
    fn a_row_is_a_line() {
        let mut line = Vec::new();
        write_row(&mut line, &[Cell::Null, 3.into(), "a b".into()]);
        assert_eq!(line, b"\\N\t3\ta b\n");
    }

    #[test]
    fn parameters_are_numbered() {
        assert_eq!(dollars("a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(dollars("none"), "none");
    }

    #[test]
    fn rows_are_ordered_by_their_key() {
        let owner = super::super::Owner {
            client: "c".to_owned(),
            user: "u".to_owned(),
        };
        for table in TABLES {
            let numbers = order(table, 1_000);
            let keys: Vec<Cell> = (numbers.iter())
                .map(|number| {
                    let row = (table.row)(&super::super::Moments::now(1_000), &owner, *number);
                    row.into_iter().next().unwrap()
                })
                .collect();
            let texts: Vec<&str> = (keys.iter())
                .map(|key| match key {
                    Cell::Text(text) => text.as_str(),
                    _ => "",
                })
                .collect();
            assert!(texts.is_sorted(), "{}", table.name);
        }
    }
}
