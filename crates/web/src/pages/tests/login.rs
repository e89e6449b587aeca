//! The login page.

use super::*;

// spec: http.md, authorize: #login_email (usr), #login_password (pwd), a button Login
#[test]
fn the_login_page_has_the_fields_that_scripts_know() {
    let html = login(Lang::En).render();
    assert_eq!(title(&html), "Login");
    let form = tag(&html, "action=\"/login\"");
    assert!(form.contains("method=\"post\""));
    let user = tag(&html, "id=\"login_email\"");
    assert!(user.contains("name=\"usr\"") && user.contains("autocomplete=\"username\""));
    assert!(user.contains("autofocus") && !user.contains("aria-invalid"));
    let password = tag(&html, "id=\"login_password\"");
    assert!(password.contains("name=\"pwd\"") && password.contains("type=\"password\""));
    assert!(password.contains("autocomplete=\"current-password\""));
    assert!(html.contains("btn-login\" type=\"submit\">Login</button>"));
    let redirect = tag(&html, "name=\"redirect-to\"");
    assert!(
        redirect.contains("type=\"hidden\"")
            && redirect.contains("value=\"/api/method/x?a=1&#38;b=2\"")
    );
    assert!(visible(&html).contains("Log in to continue to Acme Mobile"));
}

#[test]
fn a_login_without_context_has_no_hidden_field() {
    let page = LoginPage {
        redirect_to: None,
        client_name: None,
        ..login(Lang::En)
    };
    let html = page.render();
    assert!(!html.contains("type=\"hidden\"") && !html.contains("class=\"lead\""));
}

#[test]
fn a_failed_login_is_announced_and_keeps_the_name() {
    let page = LoginPage {
        error: Some(LoginError::Invalid),
        login_hint: Some("jane@example.com"),
        ..login(Lang::En)
    };
    let html = page.render();
    assert!(tag(&html, "id=\"login_error\"").contains("role=\"alert\""));
    let user = tag(&html, "id=\"login_email\"");
    assert!(user.contains("value=\"jane@example.com\"") && !user.contains("autofocus"));
    for field in ["id=\"login_email\"", "id=\"login_password\""] {
        assert!(
            tag(&html, field).contains("aria-invalid=\"true\" aria-describedby=\"login_error\"")
        );
    }
    assert!(tag(&html, "id=\"login_password\"").contains("autofocus"));
    assert!(!tag(&html, "id=\"login_password\"").contains("value"));
}

#[test]
fn a_lockout_says_how_long() {
    for (retry_after, minutes) in [
        (0, "in 1 min"),
        (60, "in 1 min"),
        (61, "in 2 min"),
        (u32::MAX, "in 71582789 min"),
    ] {
        let page = LoginPage {
            error: Some(LoginError::Locked { retry_after }),
            ..login(Lang::En)
        };
        assert!(page.render().contains(minutes), "{retry_after}");
    }
}
