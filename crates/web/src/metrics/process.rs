//! What the system knows about this process, from Linux' `/proc`; nothing elsewhere.

use std::fs;

/// Ticks a second in `/proc/self/stat`: the same on every architecture of ours, whatever the
/// kernel's own timer does.
const TICKS: u64 = 100;

/// Figures of this process; what cannot be read is missing.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Process {
    /// User and system time, in microseconds.
    pub(super) cpu_micros: Option<u64>,
    pub(super) resident_bytes: Option<u64>,
    pub(super) peak_resident_bytes: Option<u64>,
    pub(super) virtual_bytes: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) open_files: Option<u64>,
    pub(super) open_files_limit: Option<u64>,
}

impl Process {
    pub(super) fn read() -> Process {
        let file = |name| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        let (status, limits) = (file("status"), file("limits"));
        let kibibytes = |name| number(&status, name).map(|number| number * 1024);
        Process {
            cpu_micros: cpu_ticks(&file("stat")).map(|ticks| ticks * (1_000_000 / TICKS)),
            resident_bytes: kibibytes("VmRSS:"),
            peak_resident_bytes: kibibytes("VmHWM:"),
            virtual_bytes: kibibytes("VmSize:"),
            threads: number(&status, "Threads:"),
            open_files: fs::read_dir("/proc/self/fd")
                .ok()
                // The folder that is being read is one of them.
                .map(|files| u64::try_from(files.count()).unwrap_or(0).saturating_sub(1)),
            open_files_limit: number(&limits, "Max open files"),
        }
    }
}

/// The first number behind `name` at the beginning of a line.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `utime` and `stime` (proc(5)). They stand behind the name of the program, which may hold
/// anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 9 0 1 2 3";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks(""), None);
        let status = "Name:\tcrema\nVmRSS:\t   2048 kB\nThreads:\t9\n";
        assert_eq!(number(status, "VmRSS:"), Some(2048));
        assert_eq!(number(status, "VmHWM:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_figures() {
        let process = Process::read();
        assert!(process.resident_bytes > Some(100_000));
        assert!(process.open_files > Some(0) && process.threads > Some(0));
        assert!(process.cpu_micros.is_some());
    }
}
