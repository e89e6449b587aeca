//! Every page, rendered: what scripts and people find on it, and what must never be there.

mod consent;
mod every;
mod gallery;
mod hostile;
mod login;
mod others;

use super::*;

/// A site that has none of the DocTypes.
fn no_names(_: &str) -> Vec<String> {
    Vec::new()
}

fn login(lang: Lang) -> LoginPage<'static> {
    LoginPage {
        lang,
        site_name: "crm.example.com",
        action: "/login",
        redirect_to: Some("/api/method/x?a=1&b=2"),
        login_hint: None,
        error: None,
        client_name: Some("Acme Mobile"),
        again: false,
    }
}

fn consent(lang: Lang) -> ConsentPage<'static> {
    let form = PostForm {
        action: "/api/method/logout",
        fields: vec![("redirect-to", "/login")],
    };
    ConsentPage {
        lang,
        site_name: "crm.example.com",
        client_name: "Acme Mobile",
        described_at: None,
        client_uri: Some("https://acme.example/apps/mobile"),
        redirect_host: "app.acme.example",
        user: "jane.doe@example.com",
        full_name: "Jane Doe",
        switch_account: Some(form),
        scopes: scope_lines(lang, &["all", "openid"], &no_names),
        action: "/api/method/frappe.integrations.oauth2.approve",
        hidden: vec![("client_id", "511cb2ac2d"), ("state", "a\u{202e}\"b")],
        csrf_token: "c0ffee",
        tos_uri: Some("https://acme.example/terms"),
        policy_uri: Some("https://acme.example/privacy"),
        warnings: vec![],
    }
}

fn me(lang: Lang) -> MePage<'static> {
    MePage {
        lang,
        site_name: "crm.example.com",
        user: "jane.doe@example.com",
        full_name: "Jane Doe",
        roles: vec!["CRM User", "System Manager", "Website Manager"],
        logout: logout_form(),
        csrf_token: "c0ffee",
    }
}

fn logout_form() -> PostForm<'static> {
    PostForm {
        action: "/api/method/logout",
        fields: vec![],
    }
}

fn confirm_logout(lang: Lang) -> ConfirmLogoutPage<'static> {
    ConfirmLogoutPage {
        lang,
        site_name: "crm.example.com",
        user: "jane.doe@example.com",
        full_name: "Jane Doe",
        logout: logout_form(),
        csrf_token: "c0ffee",
        cancel_href: "/me",
    }
}

fn callback(lang: Lang) -> CallbackPage<'static> {
    CallbackPage {
        lang,
        site_name: "crm.example.com",
        params: vec![("code", "abc"), ("state", "a\u{202e}<b>")],
    }
}

fn form_post(lang: Lang) -> FormPostPage<'static> {
    FormPostPage {
        lang,
        site_name: "crm.example.com",
        action: "https://app.acme.example/cb?tenant=1&x=2",
        redirect_host: "app.acme.example",
        params: vec![("code", "abc"), ("state", "a\u{202e}<b>")],
    }
}

/// A page of each kind and state, by name.
fn every_page(lang: Lang) -> Vec<(&'static str, String)> {
    let failed = LoginPage {
        login_hint: Some("jane.doe@example.com"),
        error: Some(LoginError::Invalid),
        again: true,
        ..login(lang)
    };
    let warned = ConsentPage {
        client_name: "Overlong Name of an App That Nobody Would Ever Want to Read in Full",
        redirect_host: "com.acme.mobile",
        scopes: scope_lines(
            lang,
            &[
                "openid",
                "offline_access",
                "crm_task:read",
                "method:crm.api.home_tasks",
            ],
            &no_names,
        ),
        warnings: vec![
            ConsentWarning::Unverified,
            ConsentWarning::ThisDevice,
            ConsentWarning::TokenInAddress,
        ],
        ..consent(lang)
    };
    let described = ConsentPage {
        described_at: Some("apps.acme-software.example:8443"),
        redirect_host: "127.0.0.1:53682",
        warnings: vec![ConsentWarning::Described, ConsentWarning::AnyProgram],
        ..consent(lang)
    };
    let signed_out = SignedOutPage {
        lang,
        site_name: "crm.example.com",
        login_href: Some("/login"),
    };
    let error = ErrorPage {
        detail: Some("invalid_request"),
        request_id: Some("8c1f6c0e9a7b"),
        ..ErrorPage::of_status(lang, "crm.example.com", 400)
    };
    let not_found = NotFoundPage {
        lang,
        host: "nosite.example.com",
    };
    vec![
        ("login", login(lang).render()),
        ("login_failed", failed.render()),
        ("consent", consent(lang).render()),
        ("consent_warned", warned.render()),
        ("consent_described", described.render()),
        ("callback", callback(lang).render()),
        ("signed_out", signed_out.render()),
        ("me", me(lang).render()),
        ("confirm_logout", confirm_logout(lang).render()),
        ("form_post", form_post(lang).render()),
        ("error", error.render()),
        ("not_found", not_found.render()),
    ]
}

/// The document without the values of its attributes: what a reader sees.
fn visible(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        out.push(' ');
        // Attribute values never hold a bare '>': it is escaped.
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tag that has this piece of text inside.
fn tag<'a>(html: &'a str, piece: &str) -> &'a str {
    let at = html
        .find(piece)
        .unwrap_or_else(|| panic!("no {piece} in {html}"));
    let start = html[..at].rfind('<').unwrap();
    &html[start..at + html[at..].find('>').unwrap()]
}

fn title(html: &str) -> &str {
    let (_, rest) = html.split_once("<title>").unwrap();
    rest.split_once("</title>").unwrap().0
}
