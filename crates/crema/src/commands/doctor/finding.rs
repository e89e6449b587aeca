//! What was looked at, and what came out.

use serde_json::{Value, json};

use crate::answer::{Answer, visible};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// As it should be.
    Fine,
    /// It works, and could be safer; somebody may have chosen it.
    Risk,
    /// It does not work, or does not protect.
    Wrong,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Level::Fine => "fine",
            Level::Risk => "risk",
            Level::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Finding {
    check: &'static str,
    level: Level,
    text: String,
    advice: Option<String>,
}

/// Everything that was looked at, for one site.
#[derive(Debug)]
pub(super) struct Report {
    /// How commands for this site begin.
    pub(super) crema: String,
    findings: Vec<Finding>,
}

impl Report {
    /// A report without findings.
    pub(super) fn new(crema: String) -> Report {
        Report {
            crema,
            findings: Vec::new(),
        }
    }

    /// Something is as it should be.
    pub(super) fn fine(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(check, Level::Fine, text.into(), None);
    }

    /// Something could be safer.
    pub(super) fn risk(
        &mut self,
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Risk, text.into(), Some(advice.into()));
    }

    /// Something is broken.
    pub(super) fn wrong(
        &mut self,
        check: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Wrong, text.into(), Some(advice.into()));
    }

    /// Something could not be done.
    pub(super) fn failed(&mut self, check: &'static str, error: &anyhow::Error) {
        let advice = crate::advice::advice(error);
        let advice = advice.unwrap_or_else(|| "The log of the server may tell more.".to_owned());
        self.wrong(check, format!("{error:#}"), advice);
    }

    fn add(&mut self, check: &'static str, level: Level, text: String, advice: Option<String>) {
        self.findings.push(Finding {
            check,
            level,
            text,
            advice,
        });
    }

    /// Whether something was found that is at least so bad.
    pub(super) fn has(&self, level: Level) -> bool {
        self.findings.iter().any(|finding| match level {
            Level::Fine => true,
            Level::Risk => finding.level != Level::Fine,
            Level::Wrong => finding.level == Level::Wrong,
        })
    }

    /// Whether this check found nothing but what is fine so far.
    pub(super) fn is_fine(&self, check: &str) -> bool {
        let mut own = self.findings.iter().filter(|one| one.check == check);
        own.all(|finding| finding.level == Level::Fine)
    }

    /// The report as the command's answer.
    pub(super) fn answer(&self) -> Answer {
        let lines: Vec<String> = self.findings.iter().map(Finding::text).collect();
        let findings: Vec<Value> = self.findings.iter().map(Finding::json).collect();
        let json = json!({
            "healthy": !self.has(Level::Wrong),
            "findings": findings,
        });
        Answer::new(lines.join("\n"), json)
    }
}

impl Finding {
    fn text(&self) -> String {
        let level = self.level.as_str();
        let mut text = format!("{level:<5}  {:<13}  {}", self.check, visible(&self.text));
        if let Some(advice) = &self.advice {
            text.push_str(&format!("\n{:22}-> {}", "", visible(advice)));
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "check": self.check,
            "level": self.level.as_str(),
            "text": self.text,
            "advice": self.advice,
        })
    }
}
