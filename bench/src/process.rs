//! What the kernel knows about a process.

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
    }
}
