//! Which rows of a DocType's table an actor may touch.

/// Which rows of a DocType's table.
///
/// The same rule is a condition in SQL for lists and [`RowRule::admits`] for single documents;
/// both compare texts byte for byte, and an empty text is the same as none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRule {
    /// Every row.
    All,
    /// No row.
    Nothing,
    /// Rows where one of these columns holds the user's name, or this Check is set.
    Mine {
        /// `owner`, and the fields that count like it.
        columns: Vec<String>,
        /// Name of the User.
        user: String,
        /// The Check that opens a row to everybody.
        or_set: Option<String>,
    },
    /// Rows whose column holds one of these values.
    OneOf {
        /// The column.
        column: String,
        /// The values.
        values: Vec<String>,
        /// Or nothing.
        or_empty: bool,
    },
    /// Rows that do not have one of these names.
    NotNamed(Vec<String>),
    /// Rows that all of these admit.
    Every(Vec<RowRule>),
}

impl RowRule {
    /// Whether it admits a row, of which `text` gives the columns (`None` and empty mean the
    /// same, a Check is `0` or `1`).
    pub fn admits(&self, text: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            RowRule::All => true,
            RowRule::Nothing => false,
            RowRule::Mine {
                columns,
                user,
                or_set,
            } => {
                let holds = |column: &String| text(column).is_some_and(|value| value == *user);
                let open = |check: &String| text(check).as_deref() == Some("1");
                columns.iter().any(holds) || or_set.as_ref().is_some_and(open)
            }
            RowRule::OneOf {
                column,
                values,
                or_empty,
            } => match text(column).filter(|value| !value.is_empty()) {
                None => *or_empty,
                Some(value) => values.contains(&value),
            },
            RowRule::NotNamed(names) => text("name").is_none_or(|name| !names.contains(&name)),
            RowRule::Every(rules) => rules.iter().all(|rule| rule.admits(text)),
        }
    }

    /// The rows that all of these rules admit, in the shortest form.
    pub fn every(rules: impl IntoIterator<Item = RowRule>) -> RowRule {
        let mut all = Vec::new();
        for rule in rules {
            match rule {
                RowRule::All => {}
                RowRule::Nothing => return RowRule::Nothing,
                RowRule::Every(inner) => match RowRule::every(inner) {
                    RowRule::All => {}
                    RowRule::Nothing => return RowRule::Nothing,
                    RowRule::Every(inner) => all.extend(inner),
                    other => all.push(other),
                },
                other => all.push(other),
            }
        }
        match all.len() {
            0 => RowRule::All,
            1 => all.remove(0),
            _ => RowRule::Every(all),
        }
    }
}
