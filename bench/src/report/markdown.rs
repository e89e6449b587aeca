//! The page that `--write` makes.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::figures::{Figures, Set};
use super::{Table, comparisons, millis, quantiles, rate, targets};

const BEGIN: &str = "<!-- notes -->";
const END: &str = "<!-- /notes -->";

/// Writes the page; what stands between the marks of the notes is kept.
///
/// # Errors
/// When the file cannot be read or written.
pub(crate) fn write(path: &Path, figures: &Figures) -> Result<()> {
    let old = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    std::fs::write(path, page(figures, notes(&old)))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The text between the marks, with its line breaks.
fn notes(page: &str) -> &str {
    page.split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map_or("\n", |(notes, _)| notes)
}

fn page(figures: &Figures, notes: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    write_page(&mut text, figures, notes).ok();
    text
}

fn write_page(text: &mut String, figures: &Figures, notes: &str) -> std::fmt::Result {
    writeln!(
        text,
        "# Performance\n\n\
         Measured {} and written by\n\n\
         <!-- not run: takes minutes on a machine with nothing else to do -->\n```sh\n{}\n```\n\n\
         What is between the marks of the notes was written by hand; everything else is replaced \
         by the next run. How it is measured: [bench/README.md](../bench/README.md).\n",
        figures.ended, figures.command
    )?;
    writeln!(text, "## Machine\n")?;
    let mut machine = Table::new(&["what", "which"]);
    for (name, value) in &figures.machine {
        machine.row(vec![name.clone(), value.clone()]);
    }
    writeln!(text, "{machine}")?;
    writeln!(text, "## Targets\n\n{}", targets::targets(figures))?;
    writeln!(text, "{BEGIN}{notes}{END}\n")?;
    for set in &figures.sets {
        write_set(text, set)?;
    }
    if !figures.growth.is_empty() {
        let mut table = Table::new(&["scenario", "cost with the most tokens, times the fewest"]);
        for (scenario, quotient) in &figures.growth {
            table.row(vec![scenario.name().to_owned(), format!("{quotient:.2}")]);
        }
        writeln!(
            text,
            "## Growth on SQLite\n\nServers of both data sets in turn; medians.\n\n{table}"
        )?;
    }
    for engine in &figures.missing {
        writeln!(text, "## {engine}\n\nNot installed on this machine.\n")?;
    }
    Ok(())
}

fn write_set(text: &mut String, set: &Set) -> std::fmt::Result {
    writeln!(
        text,
        "## {}, {} tokens\n\n{}\n\n{}",
        set.engine,
        set.tokens,
        set.about,
        comparisons(&set.rows)
    )?;
    if !set.crowd.is_empty() {
        writeln!(
            text,
            "With many connections:\n\n{}",
            comparisons(&set.crowd)
        )?;
    }
    if let Some(fresh) = &set.fresh {
        writeln!(
            text,
            "From start to first answer {:.0} ms (slowest {:.0} ms); memory a second later, one site \
             open, {} MB; at the end of the run {} MB.\n",
            fresh.first_answer,
            fresh.slowest,
            super::megabytes(fresh.memory),
            super::megabytes(set.memory)
        )?;
    }
    if let Some(storm) = &set.storm {
        let (p50, p99) = quantiles(&storm.checks.latencies);
        writeln!(
            text,
            "While {} clients tried wrong passwords ({}/s looked at, {} turned away with 429 or 503; \
             counted, with a limit that is never reached, so that nobody is locked out instead of \
             checked), introspection on {} connections: {}/s, p50 {} ms, p99 {} ms.\n",
            crate::extras::ATTACKERS,
            rate(storm.attempts.rate()),
            storm.attempts.refused,
            crate::extras::ASKERS,
            rate(storm.checks.rate()),
            millis(p50),
            millis(p99)
        )?;
    }
    if let Some(clearing) = &set.clearing {
        let spread: Vec<String> = (clearing.spread.iter())
            .map(|(scenario, quotient)| format!("{} {quotient:.2}", scenario.name()))
            .collect();
        writeln!(
            text,
            "While expired rows were cleared ({} of them during {:.0} s of load, servers with and \
             without housekeeping in turn), p99 was so many times that without: {}.\n",
            clearing.rows,
            clearing.seconds,
            spread.join(", ")
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Figures {
        Figures {
            command: "crema-bench run".to_owned(),
            ended: "today".to_owned(),
            machine: vec![("cores".to_owned(), "2".to_owned())],
            sets: Vec::new(),
            missing: vec!["mariadb"],
            growth: Vec::new(),
        }
    }

    #[test]
    fn notes_are_kept() {
        let first = page(&nothing(), "\nMy words.\n");
        assert_eq!(notes(&first), "\nMy words.\n");
        assert_eq!(page(&nothing(), notes(&first)), first);
        assert_eq!(notes("no marks"), "\n");
    }

    #[test]
    fn a_page_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        write(&file, &nothing()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(BEGIN, &format!("{BEGIN}\nKept."))).unwrap();
        write(&file, &nothing()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("Kept."), "{text}");
        assert!(text.contains("Not installed"), "{text}");
    }
}
