//! Scopes, guests, and what users keep to themselves.

use super::*;

// spec: http.md, Resource server, "Scopes on resources"
pub(super) async fn a_scope_hides_what_a_role_would_show(office: &mut Office) {
    office.issue_token(Person::Manager, "ticket:read").await;
    let token = Credential::Bearer("ticket:read");
    for query in [
        [
            ("fields", r#"["name", "part"]"#),
            ("expand", r#"["part", "region"]"#),
        ],
        [
            ("fields", r#"["*"]"#),
            ("expand", r#"["part", "assigned_to"]"#),
        ],
    ] {
        let list = office
            .get(Person::Manager, token, "/api/resource/Ticket", &query)
            .await;
        assert_eq!(list.status, 200, "{query:?}: {}", list.text());
        assert!(!list.text().contains(PART), "{query:?}: {}", list.text());
        assert_eq!(
            list.json()["data"][0]["part"],
            "Flux",
            "a link stays a name"
        );
    }
    for query in [
        ("fields", r#"["name", "part.formula"]"#),
        ("filters", r#"[["part.formula", "like", "PART%"]]"#),
        ("order_by", "part.formula asc"),
    ] {
        let list = office
            .get(Person::Manager, token, "/api/resource/Ticket", &[query])
            .await;
        assert_eq!(list.status, 403, "{query:?}: {}", list.text());
        assert!(!list.text().contains(PART));
    }
    for path in [
        "/api/resource/Part",
        "/api/resource/Part/Flux",
        "/api/v2/document/Part/Flux",
        "/api/v2/doctype/Part/count",
        "/api/method/frappe.client.get?doctype=Part&name=Flux",
        "/api/method/frappe.client.get_list?doctype=Part",
    ] {
        let answer = office.get(Person::Manager, token, path, &[]).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.contains("scope=\"part:read\""),
            "{path}: {challenge}"
        );
    }
}

pub(super) async fn guests_read_what_is_for_guests_and_no_more(office: &mut Office) {
    for path in [
        "/api/resource/Bulletin",
        "/api/v2/document/Bulletin",
        "/api/resource/Bulletin/Open%20day",
        "/api/resource/Bulletin?fields=[%22*%22]",
    ] {
        let answer = office
            .get(Person::Guest, Credential::Session, path, &[])
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.text().contains("Open day"), "{}", answer.text());
        assert_clean(path, &answer);
        assert!(answer.cookies().is_empty(), "guests get no cookies");
    }
    for (name, value) in [
        ("fields", r#"["draft"]"#),
        ("filters", r#"{"draft": ["like", "LEVEL%"]}"#),
        ("order_by", "draft asc"),
    ] {
        let answer = office
            .list(Person::Guest, "Bulletin", &[(name, value)])
            .await;
        assert_clean(value, &answer);
        assert!(
            matches!(answer.status, 401 | 403),
            "{value}: {}",
            answer.text()
        );
    }
    let body = json!({"title": "Spam"});
    let made = office
        .app
        .http()
        .post("/api/resource/Bulletin")
        .json(&body)
        .send()
        .await;
    assert_eq!(made.status, 401, "{}", made.text());
    for (person, status) in [(Person::Website, 200), (Person::Manager, 200)] {
        // Who is signed in has the role Guest too.
        let answer = office.list(person, "Bulletin", &[]).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

pub(super) async fn plain_users_do_not_see_what_users_keep_to_themselves(office: &mut Office) {
    let fields = [
        "api_key",
        "api_secret",
        "restrict_ip",
        "login_after",
        "reset_password_key",
        "otp",
        "passkeys",
        "new_password",
        "roles",
    ];
    for field in fields {
        for (name, value) in [
            ("fields", json!(["name", field]).to_string()),
            ("filters", json!([[field, "is", "set"]]).to_string()),
            ("order_by", format!("{field} asc")),
        ] {
            let list = office.list(Person::Desk, "User", &[(name, &value)]).await;
            assert!(
                list.status != 200 || !list.text().contains(&format!("\"{field}\"")),
                "{name}={value}: {}",
                list.text()
            );
            assert!(
                (400..500).contains(&list.status),
                "{name}={value}: {} {}",
                list.status,
                list.text()
            );
        }
    }
    let me = office
        .list(Person::Desk, &format!("User/{}", Person::Desk.user()), &[])
        .await;
    assert_eq!(me.status, 200, "{}", me.text());
    for field in [
        "api_key",
        "api_secret",
        "restrict_ip",
        "reset_password_key",
        "otp",
    ] {
        assert!(
            !me.text().contains(&format!("\"{field}\"")),
            "{field}: {}",
            me.text()
        );
    }
}

pub(super) async fn a_token_that_only_writes_does_not_read(office: &mut Office) {
    let http = office.app.http();
    for scope in ["ticket:write", "ticket:create"] {
        office.issue_token(Person::Lead, scope).await;
    }
    let given = json!({"subject": "Given"});
    let whole = json!({"doctype": "Ticket", "name": "FOREIGN", "subject": "Given"});
    let field = [
        ("doctype", "Ticket"),
        ("name", "FOREIGN"),
        ("fieldname", "subject"),
        ("value", "Given"),
    ];
    let method = |name: &str| format!("/api/method/frappe.client.{name}");
    let writes = [
        http.request("PUT", "/api/resource/Ticket/FOREIGN")
            .json(&given),
        http.request("PUT", "/api/resource/Ticket/FOREIGN")
            .json(&json!({})),
        http.request("PATCH", "/api/v2/document/Ticket/FOREIGN")
            .json(&given),
        http.post(&method("set_value")).form(&field),
        http.post(&method("save")).json(&json!({"doc": whole})),
    ];
    for write in writes {
        let what = String::from_utf8_lossy(&write.to_bytes()).into_owned();
        let write = office.by(Person::Lead, Credential::Bearer("ticket:write"), write);
        let answer = write.await.send().await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        assert_clean(&what, &answer);
        for unread in ["Item of", "North", "other@example.com"] {
            assert!(!answer.text().contains(unread), "{what}: {}", answer.text());
        }
    }
    // A copy of a value by a link is not a way to read either.
    let body = json!({"code": "COPY", "subject": "Made", "part": "Flux"});
    let made = http.post("/api/resource/Ticket").json(&body);
    let made = office.by(Person::Lead, Credential::Bearer("ticket:create"), made);
    let made = made.await.send().await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(made.json()["data"]["name"], "COPY");
    assert!(!made.text().contains(PART));
    let sql = r#"DELETE FROM "tabTicket" WHERE name = 'COPY'"#;
    assert_eq!(office.app.execute(sql, vec![]).await, 1);
}

pub(super) async fn descriptions_leave_out_what_is_not_to_be_read(office: &mut Office) {
    for (person, sees_part) in [
        (Person::Reader, false),
        (Person::Agent, false),
        (Person::Manager, true),
    ] {
        let path = "/api/openapi.json";
        let described = office.get(person, Credential::Session, path, &[]).await;
        assert_eq!(described.status, 200, "{}", described.text());
        let text = described.text();
        assert!(text.contains("Ticket"), "{person:?}");
        assert_eq!(text.contains("formula"), sees_part, "{person:?}");
        assert_eq!(text.contains("\"remark\""), sees_part, "{person:?}");
        let path = "/api/v2/doctype/Part/meta";
        let meta = office.get(person, Credential::Session, path, &[]).await;
        assert_eq!(
            meta.status,
            if sees_part { 200 } else { 403 },
            "{person:?}: {}",
            meta.text()
        );
        assert_eq!(meta.text().contains("formula"), sees_part, "{person:?}");
    }
    let guest = office
        .app
        .http()
        .get("/api/v2/doctype/Ticket/meta")
        .send()
        .await;
    assert_eq!(guest.status, 401, "{}", guest.text());
}
