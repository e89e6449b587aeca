//! The tables that are filled, and the row of each token in them.

use serde::{Deserialize, Serialize};

use super::{DAY, DUE, OURS_END_AFTER, text};
use crate::clock;

/// Stored tokens live so long that a kept data set can be used for years, in days.
const LIFE: i64 = 3_650;
/// One stored code for so many tokens.
const TOKENS_PER_CODE: u64 = 100;
/// One ToDo for so many tokens: a million beside the most tokens.
const TOKENS_PER_TODO: u64 = 5;
/// So many ToDos are one person's.
const TODOS_PER_PERSON: u64 = 50;

/// Whom the stored tokens belong to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// OAuth Client.
    pub(crate) client: String,
    /// User.
    pub(crate) user: String,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// Text, also a date.
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(int: i64) -> Cell {
        Cell::Int(int)
    }
}

/// A table that is filled.
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// The columns that get a value.
    pub(crate) columns: &'static [&'static str],
    /// One row for so many tokens.
    pub(crate) every: u64,
    /// Its rows end some day, and are cleared then.
    pub(super) ends: bool,
    /// The beginning of a row's primary key, as a number.
    pub(super) key: fn(u64) -> u64,
    /// The row of a token.
    pub(crate) row: fn(&Moments, &Owner, u64) -> Vec<Cell>,
}

/// All tables that are filled.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "tabOAuth Bearer Token",
        columns: BEARER_COLUMNS,
        every: 1,
        ends: true,
        key: |number| text::prefix(&name(number)),
        row: bearer,
    },
    Table {
        name: "__oauth_family",
        columns: &[
            "name",
            "client",
            "user",
            "created_at",
            "expires_at",
            "refresh_token",
            "scopes",
            "resource",
            "auth_time",
            "sid",
        ],
        every: 1,
        ends: true,
        key: |number| text::prefix(&family_name(number)),
        row: family,
    },
    Table {
        name: "__oauth_spent",
        columns: &[
            "hash",
            "kind",
            "family",
            "client",
            "spent_at",
            "successor",
            "resource",
            "key_id",
            "expires_at",
        ],
        every: 1,
        ends: true,
        key: |number| text::prefix(&hash("code", number)),
        row: spent,
    },
    Table {
        name: "tabOAuth Authorization Code",
        columns: &[
            "name",
            "creation",
            "modified",
            "modified_by",
            "owner",
            "client",
            "user",
            "scopes",
            "authorization_code",
            "expiration_time",
            "redirect_uri_bound_to_authorization_code",
            "validity",
            "nonce",
            "code_challenge",
            "code_challenge_method",
            "expires_at",
            "redirect_uri_was_sent",
            "resource",
            "auth_time",
            "family",
            "session_sid",
        ],
        every: TOKENS_PER_CODE,
        ends: true,
        key: |number| text::prefix(&code_name(number)),
        row: code,
    },
    Table {
        name: "tabToDo",
        columns: &[
            "name",
            "creation",
            "modified",
            "modified_by",
            "owner",
            "status",
            "priority",
            "date",
            "allocated_to",
            "description",
        ],
        every: TOKENS_PER_TODO,
        ends: false,
        key: |number| text::prefix(&todo_name(number)),
        row: todo,
    },
];

/// The ToDo that belongs to a token.
pub(crate) fn todo_name(number: u64) -> String {
    name((number - number % TOKENS_PER_TODO) | 1 << 47)
}

/// Whose the ToDo of a token is: each person has [`TODOS_PER_PERSON`].
pub(crate) fn todo_person(number: u64) -> String {
    let person = number / TOKENS_PER_TODO / TODOS_PER_PERSON;
    format!("person{person:07}@example.com")
}

fn todo(moments: &Moments, owner: &Owner, number: u64) -> Vec<Cell> {
    let created = clock::date_time(moments.issued(number));
    let date: String = created.chars().take(10).collect();
    vec![
        todo_name(number).into(),
        created.clone().into(),
        created.into(),
        owner.user.as_str().into(),
        owner.user.as_str().into(),
        "Open".into(),
        "Medium".into(),
        date.into(),
        todo_person(number).into(),
        format!("Look after number {number}, and say how it went.").into(),
    ]
}

/// Columns of a stored access token, as Crema writes them.
pub(crate) const BEARER_COLUMNS: &[&str] = &[
    "name",
    "creation",
    "modified",
    "modified_by",
    "owner",
    "docstatus",
    "idx",
    "client",
    "user",
    "scopes",
    "access_token",
    "refresh_token",
    "expiration_time",
    "expires_in",
    "status",
    "family",
    "expires_at",
    "issued_at",
    "refresh_expires_at",
    "resource",
    "auth_time",
    "claims",
    "grant_type",
    "session_sid",
    "last_used",
];

/// Where the stored tokens lie in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    now: i64,
    step: i64,
}

impl Moments {
    /// Issued one after the other over the last 30 days.
    pub(crate) fn now(tokens: u64) -> Moments {
        let tokens = i64::try_from(tokens.max(1)).unwrap_or(i64::MAX);
        Moments {
            now: clock::unix_micros(),
            step: (30 * DAY / tokens).max(1),
        }
    }

    /// The same, so long ago that all of it is due to be cleared.
    pub(super) fn due(tokens: u64) -> Moments {
        let moments = Moments::now(tokens);
        Moments {
            now: moments.now - (LIFE + OURS_END_AFTER) * DAY,
            ..moments
        }
    }

    fn issued(&self, number: u64) -> i64 {
        let number = i64::try_from(number % DUE).unwrap_or(0);
        self.now - 30 * DAY + self.step * number
    }
}

/// The access token with that number.
pub(crate) fn access_token(number: u64) -> String {
    format!("access{number:037}")
}

/// A name as Crema draws it, another for each number below 2^50.
fn name(number: u64) -> String {
    const BITS: u64 = (1 << 50) - 1;
    let mut mixed = number & BITS;
    // Odd factors and shifts to the right can be undone, so no two numbers meet.
    mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) & BITS;
    mixed ^= mixed >> 25;
    mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9) & BITS;
    mixed ^= mixed >> 25;
    (0..10)
        .map(|digit| char::from_digit(u32::try_from(mixed >> (5 * digit) & 31).unwrap_or(0), 32))
        .map(Option::unwrap_or_default)
        .collect()
}

fn family_name(number: u64) -> String {
    name(number | 1 << 48)
}

fn code_name(number: u64) -> String {
    name(number | 1 << 49)
}

fn hash(kind: &str, number: u64) -> String {
    crema_crypto::hash_hex(&format!("{kind}{number}"))
}

fn sid(number: u64) -> String {
    hash("sid", number).chars().take(32).collect()
}

fn bearer(moments: &Moments, owner: &Owner, number: u64) -> Vec<Cell> {
    let issued = moments.issued(number);
    let expires = issued + LIFE * DAY;
    let created = clock::date_time(issued);
    vec![
        name(number).into(),
        created.clone().into(),
        created.into(),
        owner.user.as_str().into(),
        owner.user.as_str().into(),
        0.into(),
        0.into(),
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        "all openid".into(),
        crema_crypto::hash_hex(&access_token(number)).into(),
        hash("refresh", number).into(),
        clock::date_time(expires).into(),
        (LIFE * 86_400).into(),
        "Active".into(),
        family_name(number).into(),
        expires.into(),
        issued.into(),
        expires.into(),
        "".into(),
        (issued / 1_000_000).into(),
        Cell::Null,
        "authorization_code".into(),
        sid(number).into(),
        clock::date_time(moments.now).into(),
    ]
}

fn family(moments: &Moments, owner: &Owner, number: u64) -> Vec<Cell> {
    let issued = moments.issued(number);
    vec![
        family_name(number).into(),
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        issued.into(),
        (issued + LIFE * DAY).into(),
        hash("refresh", number).into(),
        "all openid".into(),
        "".into(),
        (issued / 1_000_000).into(),
        sid(number).into(),
    ]
}

fn spent(moments: &Moments, owner: &Owner, number: u64) -> Vec<Cell> {
    let issued = moments.issued(number);
    vec![
        hash("code", number).into(),
        "code".into(),
        family_name(number).into(),
        owner.client.as_str().into(),
        issued.into(),
        name(number).into(),
        "".into(),
        "00000000".into(),
        (issued + LIFE * DAY).into(),
    ]
}

fn code(moments: &Moments, owner: &Owner, number: u64) -> Vec<Cell> {
    let issued = moments.issued(number);
    let expires = issued + LIFE * DAY;
    let created = clock::date_time(issued);
    vec![
        code_name(number).into(),
        created.clone().into(),
        created.into(),
        owner.user.as_str().into(),
        owner.user.as_str().into(),
        owner.client.as_str().into(),
        owner.user.as_str().into(),
        "all openid".into(),
        hash("code", number).into(),
        clock::date_time(expires).into(),
        crate::site::REDIRECT_URI.into(),
        "Invalid".into(),
        "n-1".into(),
        crate::site::CHALLENGE.into(),
        "s256".into(),
        expires.into(),
        1.into(),
        "".into(),
        (issued / 1_000_000).into(),
        family_name(number).into(),
        sid(number).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_differ_and_look_like_names() {
        let names: BTreeSet<String> = (0..50_000)
            .chain(1 << 47..(1 << 47) + 50_000)
            .chain(1 << 48..(1 << 48) + 50_000)
            .map(name)
            .collect();
        assert_eq!(names.len(), 150_000);
        assert!(names.iter().all(|name| name.len() == 10));
    }

    #[test]
    fn each_row_has_a_value_for_each_column() {
        let owner = Owner {
            client: "c".to_owned(),
            user: "u".to_owned(),
        };
        for table in TABLES {
            let row = (table.row)(&Moments::now(10), &owner, 3);
            assert_eq!(row.len(), table.columns.len(), "{}", table.name);
        }
    }

    #[test]
    fn a_token_is_as_long_as_cremas() {
        assert_eq!(
            access_token(4_999_999).len(),
            crema_crypto::token::TOKEN_LENGTH
        );
    }
}
