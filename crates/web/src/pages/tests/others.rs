//! The remaining pages.

use super::*;

// spec: security.md, Authorization endpoint: form_post uses a script file and a button
#[test]
fn the_form_post_page_works_without_its_script() {
    let html = form_post(Lang::En).render();
    let form = tag(&html, "id=\"form_post\"");
    assert!(form.contains("method=\"post\""));
    assert!(form.contains("action=\"https://app.acme.example/cb?tenant=1&#38;x=2\""));
    assert!(html.contains("name=\"code\" value=\"abc\""));
    assert!(html.contains("name=\"state\" value=\"a\u{202e}&#60;b&#62;\""));
    assert!(html.contains("type=\"submit\">Continue</button>"));
    assert!(html.contains("defer></script>"));
    let (_, body) = html.split_once("<body>").unwrap();
    assert!(
        !body.contains(" name=\"submit\""),
        "the button adds no parameter"
    );
}

#[test]
fn account_pages_say_who_and_log_out_by_post() {
    for html in [me(Lang::En).render(), confirm_logout(Lang::En).render()] {
        assert!(visible(&html).contains("Logged in as Jane Doe jane.doe@example.com"));
        let form = tag(&html, "action=\"/api/method/logout\"");
        assert!(form.contains("method=\"post\""));
        assert!(html.contains("name=\"csrf_token\" value=\"c0ffee\""));
        assert!(tag(&html, "id=\"logout\"").contains("type=\"submit\""));
    }
    let nameless = MePage {
        full_name: "",
        roles: vec![],
        ..me(Lang::En)
    };
    assert!(visible(&nameless.render()).contains("Logged in as jane.doe@example.com Log out"));
}

#[test]
fn an_error_page_carries_what_support_needs() {
    let page = ErrorPage {
        detail: Some("invalid_request"),
        request_id: Some("8c1f"),
        ..ErrorPage::of_status(Lang::En, "crm.example.com", 400)
    };
    let text = visible(&page.render());
    assert!(text.contains("Error 400 Request Not Understood"));
    assert!(text.contains("Code invalid_request Request 8c1f"));
    let bare = ErrorPage::of_status(Lang::En, "crm.example.com", 502).render();
    assert!(visible(&bare).contains("Something Went Wrong") && !bare.contains("<dl"));
    assert_eq!(error_text(Lang::En, 418).0, "Request Not Understood");
}

#[test]
fn an_unknown_host_learns_only_its_own_name() {
    let page = NotFoundPage {
        lang: Lang::En,
        host: "nosite.example.com",
    };
    let html = page.render();
    assert!(visible(&html).contains("There is no site named nosite.example.com here."));
    assert!(!html.contains("class=\"brand\""));
}
