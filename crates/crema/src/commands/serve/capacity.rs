//! How many connections a process can hold: each takes a file descriptor, and so do databases.

use std::fs;

/// File descriptors that are left for databases, logs and the rest.
const RESERVED: usize = 256;
/// More than any server of this kind needs, however many descriptors it may have.
const MOST: usize = 10_000;
/// Fewer would be of no use, however few descriptors there are.
const FEWEST: usize = 64;
/// The usual limit of open files, where the system does not tell.
const USUAL: usize = 1024;

/// The connections that fit under the process's limit of open files, unless somebody chose a
/// number.
pub(super) fn connections(chosen: Option<usize>) -> usize {
    let limit = open_files().unwrap_or(USUAL);
    let fitting = fitting(limit);
    if let Some(chosen) = chosen {
        if chosen > limit.saturating_sub(RESERVED) {
            tracing::warn!(
                chosen,
                fitting,
                open_files = limit,
                "more connections than the limit of open files has room for"
            );
        }
        return chosen;
    }
    fitting
}

const fn fitting(open_files: usize) -> usize {
    let left = open_files.saturating_sub(RESERVED);
    if left > MOST {
        MOST
    } else if left < FEWEST {
        FEWEST
    } else {
        left
    }
}

/// The soft limit of this process, as Linux tells it.
fn open_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    soft_limit(&limits)
}

fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_ascii_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max processes             unlimited            unlimited            processes\n\
                      Max open files            1024                 524288               files\n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(
            soft_limit("Max open files  unlimited unlimited files"),
            Some(usize::MAX)
        );
        assert_eq!(soft_limit("nothing of the kind"), None);
    }

    #[test]
    fn databases_keep_their_share() {
        assert_eq!(fitting(1024), 768);
        assert_eq!(fitting(256), 64);
        assert_eq!(fitting(usize::MAX), 10_000);
        assert_eq!(connections(Some(7)), 7);
    }
}
