//! Asking before something is done that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::advice::Usage;

/// Asks, unless it was answered beforehand.
///
/// # Errors
/// When the answer is not yes; [`Usage`] when there is nobody to ask.
pub(crate) fn confirm(question: &str, answered: bool) -> anyhow::Result<()> {
    if answered {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let text = format!("{question} Nobody is here to answer: give --yes.");
        return Err(Usage(text).into());
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => anyhow::bail!("nothing was changed"),
    }
}
