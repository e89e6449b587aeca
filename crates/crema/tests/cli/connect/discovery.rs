//! `docs/discovery.md`: what its commands print.

use super::Reader;

/// What was printed, line by line.
fn lines(said: &str) -> Vec<&str> {
    let lines = said.lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn what_the_page_on_discovery_prints_is_true() {
    let mut reader = Reader::of("docs/discovery.md", "trust.localhost");
    let site = format!("http://trust.localhost:{}", reader.server.address.port());
    let said = reader.run("follow");
    let printed = lines(&said);
    let metadata = format!("resource_metadata=\"{site}/.well-known/oauth-protected-resource\"");
    assert!(printed[0].contains(&metadata), "{said}");
    assert_eq!(
        printed[1],
        format!("\"authorization_servers\":[\"{site}\"]")
    );
    let register = "/api/method/frappe.integrations.oauth2.register_client";
    let register = format!("\"registration_endpoint\":\"{site}{register}\"");
    assert_eq!(printed[2..], [register]);
    assert_eq!(reader.run("keep").trim(), "304");
    let said = reader.run("change");
    assert_eq!(lines(&said), ["404", "\"resource_name\":\"Our Site\""]);
    reader.stop();
}
