//! What it ran on.

use crate::crema::Crema;

/// The machine, line by line, for the page.
pub(crate) fn describe(crema: &Crema) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: Option<String>| {
        let value = value.unwrap_or_else(|| "unknown".to_owned());
        lines.push((name.to_owned(), value));
    };
    let processors = read("/proc/cpuinfo");
    line("processor", field(&processors, "model name"));
    let cores = std::thread::available_parallelism().ok();
    line("cores", cores.map(|cores| cores.to_string()));
    line("memory", field(&read("/proc/meminfo"), "MemTotal"));
    let kernel = read("/proc/sys/kernel/osrelease");
    line("kernel", Some(format!("Linux {}", kernel.trim())));
    line("system", quoted(&read("/etc/os-release"), "PRETTY_NAME="));
    let version = crema.run(&["version"]).ok();
    line("server", version.map(|text| first_line(&text)));
    line("SQLite", Some(rusqlite::version().to_owned()));
    lines
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// `name : value` of the files below `/proc`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
}

fn quoted(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let text = "vendor_id\t: x\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(field(text, "model name").unwrap(), "Some CPU @ 2 GHz");
        assert_eq!(
            quoted("A=1\nPRETTY_NAME=\"D 12\"\n", "PRETTY_NAME=").unwrap(),
            "D 12"
        );
        assert_eq!(field(text, "MemTotal"), None);
    }
}
