//! All that one run has measured.

use crate::compare::Comparison;
use crate::extras::{Fresh, Storm};
use crate::retention::Clearing;
use crate::scenario::Scenario;

/// A run.
pub(crate) struct Figures {
    /// How it was started.
    pub(crate) command: String,
    /// When it ended, as text.
    pub(crate) ended: String,
    /// What it ran on, line by line.
    pub(crate) machine: Vec<(String, String)>,
    /// One for each engine and number of tokens.
    pub(crate) sets: Vec<Set>,
    /// Engines that are not installed.
    pub(crate) missing: Vec<&'static str>,
    /// What each scenario costs with the most tokens, as a multiple of what it costs with the
    /// fewest, on SQLite.
    pub(crate) growth: Vec<(Scenario, f64)>,
}

/// What was measured on one data set.
pub(crate) struct Set {
    /// The engine.
    pub(crate) engine: &'static str,
    /// Its version and settings.
    pub(crate) about: String,
    /// Stored tokens.
    pub(crate) tokens: u64,
    /// The comparisons with the usual number of connections.
    pub(crate) rows: Vec<Comparison>,
    /// The comparisons with many connections.
    pub(crate) crowd: Vec<Comparison>,
    /// Starts.
    pub(crate) fresh: Option<Fresh>,
    /// Token checks while passwords were tried.
    pub(crate) storm: Option<Storm>,
    /// Token checks and writes while expired rows are cleared.
    pub(crate) clearing: Option<Clearing>,
    /// Memory at the end, in bytes.
    pub(crate) memory: u64,
}

impl Set {
    /// The comparison of a scenario.
    pub(crate) fn row(&self, scenario: Scenario) -> Option<&Comparison> {
        self.rows.iter().find(|row| row.scenario == scenario)
    }
}

impl Figures {
    /// The set on SQLite with the fewest tokens, which the targets speak about.
    pub(crate) fn base(&self) -> Option<&Set> {
        let sqlite = self.sets.iter().filter(|set| set.engine == "sqlite");
        sqlite.min_by_key(|set| set.tokens)
    }
}
