//! What the kernel knows about a process.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Memory that a process holds, in bytes: what is resident, shared pages included.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    field(&text, "VmRSS:").with_context(|| format!("no VmRSS in {path}"))
}

/// Processor time that it has used, in its own code and in the kernel.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = ticks(&text).with_context(|| format!("no times in {path}"))?;
    // Linux shows programs 100 ticks a second, whatever its own clock does.
    Ok(Duration::from_millis(ticks * 10))
}

/// `utime` and `stime`, fields 14 and 15; the name in field 2 may have blanks in it.
fn ticks(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A line in kB.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number = line.trim().strip_suffix("kB")?.trim();
    number.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_has_memory() {
        let pid = std::process::id();
        let now = super::resident(pid).unwrap();
        assert!(now > 100_000);
        assert!(super::resident(0).is_err());
        super::cpu(pid).unwrap();
    }

    #[test]
    fn times_stand_behind_the_name() {
        let text = "1 (a ) b) S 0 1 1 0 -1 4194560 1 2 3 4 70 30 0 0 20";
        assert_eq!(super::ticks(text), Some(100));
    }
}
