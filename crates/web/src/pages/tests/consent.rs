//! The consent page.

use super::*;

// spec: http.md, authorize: 200 HTML, title Confirm Access, Allow and Deny
#[test]
fn the_consent_page_reads_as_in_frappe_and_says_more() {
    let html = consent(Lang::En).render();
    assert_eq!(title(&html), "Confirm Access");
    let text = visible(&html);
    assert!(
        text.contains("Acme Mobile wants to access the following details from your account All")
    );
    assert!(text.contains("Full Name Email User Image Roles"));
    assert!(text.contains("You will be sent to app.acme.example"));
    assert!(
        text.contains("Logged in as Jane Doe jane.doe@example.com Allow Deny Use another account")
    );
    assert!(html.contains(
        "href=\"https://acme.example/apps/mobile\" rel=\"noopener noreferrer nofollow\""
    ));
    let (allow, deny) = (tag(&html, "id=\"allow\""), tag(&html, "id=\"deny\""));
    assert!(allow.contains("type=\"submit\" name=\"decision\" value=\"allow\""));
    assert!(deny.contains("type=\"submit\" name=\"decision\" value=\"deny\""));
    assert!(allow.contains("btn-primary") && !deny.contains("btn-primary"));
}

// spec: security.md, Authorization endpoint: consent is a POST with the session's CSRF token
#[test]
fn the_decision_is_a_post_with_the_csrf_token() {
    let html = consent(Lang::En).render();
    let (_, form) = html
        .split_once("action=\"/api/method/frappe.integrations.oauth2.approve\"")
        .unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    assert!(tag(&html, "oauth2.approve").contains("method=\"post\""));
    assert!(form.contains("name=\"csrf_token\" value=\"c0ffee\""));
    assert!(form.contains("name=\"client_id\" value=\"511cb2ac2d\""));
    assert!(
        form.contains("name=\"state\" value=\"a\u{202e}&#34;b\""),
        "fields stay byte for byte"
    );
    assert!(form.contains("id=\"allow\"") && form.contains("id=\"deny\""));
    assert_eq!(
        html.matches("<form").count(),
        html.matches("name=\"csrf_token\"").count()
    );
}

#[test]
fn a_request_cannot_bring_its_own_decision() {
    let page = ConsentPage {
        hidden: vec![
            ("decision", "allow"),
            ("csrf_token", "forged"),
            ("cmd", "logout"),
            ("state", "s"),
        ],
        ..consent(Lang::En)
    };
    let html = page.render();
    assert_eq!(html.matches("name=\"decision\"").count(), 2);
    assert!(!html.contains("forged") && !html.contains("name=\"cmd\""));
    assert!(html.contains("name=\"state\" value=\"s\""));
}

#[test]
fn only_plain_web_addresses_of_an_app_become_links() {
    let page = ConsentPage {
        client_uri: Some("javascript:alert(1)"),
        tos_uri: Some("data:text/html,x"),
        policy_uri: Some("https://bank.example@evil.example/"),
        switch_account: None,
        ..consent(Lang::En)
    };
    let html = page.render();
    assert!(!html.contains("<a ") && !html.contains("class=\"after\""));
    assert!(visible(&html).contains("javascript:alert(1)"));
}

#[test]
fn an_app_without_a_visible_name_gets_words() {
    let page = ConsentPage {
        client_name: "\u{200b}\u{3164}",
        ..consent(Lang::En)
    };
    assert!(visible(&page.render()).contains("An app without a name wants to access"));
}

#[test]
fn names_are_isolated_from_the_sentence() {
    let html = consent(Lang::Ar).render();
    assert!(html.contains("<bdi>Acme Mobile</bdi>"));
    assert!(html.contains("dir=\"rtl\""));
}

#[test]
fn warnings_are_shown_on_demand() {
    assert!(!consent(Lang::En).render().contains("notice-warning"));
    let page = ConsentPage {
        warnings: vec![ConsentWarning::Unverified, ConsentWarning::ThisDevice],
        ..consent(Lang::En)
    };
    let text = visible(&page.render());
    assert!(text.contains("This app registered itself") && text.contains("your own device"));
}

// spec: standards.md U, "show client host on consent"
#[test]
fn an_app_with_a_metadata_document_is_known_by_its_host() {
    let page = ConsentPage {
        described_at: Some("app.example:8443"),
        warnings: vec![ConsentWarning::Described, ConsentWarning::AnyProgram],
        ..consent(Lang::En)
    };
    let html = page.render();
    let text = visible(&html);
    assert!(
        text.contains("described at app.example:8443 Acme Mobile wants"),
        "{text}"
    );
    assert!(html.contains("<bdi class=\"host\" dir=\"ltr\">app.example:8443</bdi>"));
    assert!(text.contains("only what it says about itself at the address above"));
    assert!(text.contains("any program can pass itself off as this app"));
    assert!(!consent(Lang::En).render().contains("class=\"origin\""));
}
