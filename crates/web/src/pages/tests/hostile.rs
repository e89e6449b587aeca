//! Hostile values in every field of every page.

use super::*;

/// Markup, both quotes, a bidirectional override and a control character.
const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}\u{2066}\u{7}";

/// The pages with [`HOSTILE`] in every field that holds text.
fn hostile_pages() -> Vec<(&'static str, String)> {
    let lang = Lang::En;
    let form = || PostForm {
        action: HOSTILE,
        fields: vec![(HOSTILE, HOSTILE)],
    };
    let login = LoginPage {
        lang,
        site_name: HOSTILE,
        action: HOSTILE,
        redirect_to: Some(HOSTILE),
        login_hint: Some(HOSTILE),
        error: Some(LoginError::Other(HOSTILE)),
        client_name: Some(HOSTILE),
        again: true,
    };
    let consent = ConsentPage {
        lang,
        site_name: HOSTILE,
        client_name: HOSTILE,
        described_at: Some(HOSTILE),
        client_uri: Some(HOSTILE),
        redirect_host: HOSTILE,
        user: HOSTILE,
        full_name: HOSTILE,
        switch_account: Some(form()),
        scopes: scope_lines(
            lang,
            &[HOSTILE, "<b>:read", "a:read", "method:<b>"],
            &|_| vec![HOSTILE.to_owned()],
        ),
        action: HOSTILE,
        hidden: vec![(HOSTILE, HOSTILE)],
        csrf_token: HOSTILE,
        tos_uri: Some(HOSTILE),
        policy_uri: Some("https://a.example/\"><script>"),
        warnings: vec![],
    };
    let signed_out = SignedOutPage {
        lang,
        site_name: HOSTILE,
        login_href: Some(HOSTILE),
    };
    let me = MePage {
        lang,
        site_name: HOSTILE,
        user: HOSTILE,
        full_name: HOSTILE,
        roles: vec![HOSTILE],
        logout: form(),
        csrf_token: HOSTILE,
    };
    let confirm = ConfirmLogoutPage {
        lang,
        site_name: HOSTILE,
        user: HOSTILE,
        full_name: HOSTILE,
        logout: form(),
        csrf_token: HOSTILE,
        cancel_href: HOSTILE,
    };
    let post = FormPostPage {
        lang,
        site_name: HOSTILE,
        action: HOSTILE,
        redirect_host: HOSTILE,
        params: vec![(HOSTILE, HOSTILE)],
    };
    let error = ErrorPage {
        lang,
        site_name: HOSTILE,
        status: 400,
        title: HOSTILE,
        message: HOSTILE,
        detail: Some(HOSTILE),
        request_id: Some(HOSTILE),
    };
    let not_found = NotFoundPage {
        lang,
        host: HOSTILE,
    };
    vec![
        ("login", login.render()),
        ("consent", consent.render()),
        ("signed_out", signed_out.render()),
        ("me", me.render()),
        ("confirm_logout", confirm.render()),
        ("form_post", post.render()),
        ("error", error.render()),
        ("not_found", not_found.render()),
    ]
}

// spec: security.md, Authorization endpoint: everything shown is escaped
#[test]
fn nothing_hostile_survives_in_any_field() {
    for (name, html) in hostile_pages() {
        let tags: Vec<&str> = html
            .match_indices("<script")
            .map(|(at, _)| &html[at..at + 12])
            .collect();
        let own: &[&str] = if name == "form_post" {
            &["<script src="]
        } else {
            &[]
        };
        assert_eq!(tags, own, "{name}");
        assert!(!html.contains("\"'"), "{name}");
        let seen = visible(&html);
        assert!(!seen.contains(['\u{202e}', '\u{2066}', '\u{7}']), "{name}");
        assert!(
            seen.contains("&#60;script&#62;"),
            "{name} shows the name as text"
        );
    }
}
