//! Rows that are not to be seen.

use super::*;

pub(super) async fn rows_stay_hidden_in_every_shape_of_a_list(office: &mut Office) {
    let everything = [("limit_page_length", "0")];
    let queries: &[(&str, &str)] = &[
        (
            "or_filters",
            r#"[["name", "like", "%"], ["region", "=", "South"]]"#,
        ),
        ("or_filters", r#"[["name", "!=", ""]]"#),
        ("filters", r#"[["region", "in", ["North", "South"]]]"#),
        ("filters", r#"[["name", "not in", [""]]]"#),
        ("fields", r#"["name", "items.item"]"#),
        ("fields", r#"["subject", "region"]"#),
        ("order_by", "region desc"),
        ("distinct", "1"),
    ];
    for person in [Person::Agent, Person::Clerk] {
        let hidden = office.hidden(person);
        assert!(!hidden.is_empty());
        for query in queries {
            let query = [everything[0], *query];
            let list = office.list(person, "Ticket", &query).await;
            assert_eq!(list.status, 200, "{query:?}: {}", list.text());
            let text = list.text();
            for name in &hidden {
                assert!(
                    !text.contains(&format!("{name}\"")),
                    "{person:?} {query:?}: {name}"
                );
            }
            let rows = list.json()["data"].as_array().unwrap().len();
            assert_eq!(rows, office.visible(person), "{person:?} {query:?}");
        }
        let grouped = [("fields", r#"["count(name) as n"]"#)];
        let counted = office.list(person, "Ticket", &grouped).await;
        assert_eq!(
            counted.json()["data"][0]["n"],
            json!(office.visible(person))
        );
        let by_region = [
            ("fields", r#"["region", "count(name) as n"]"#),
            ("group_by", "region"),
        ];
        let groups = office.list(person, "Ticket", &by_region).await.json();
        let sum: i64 = groups["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["n"].as_i64().unwrap())
            .sum();
        assert_eq!(sum, i64::try_from(office.visible(person)).unwrap());
        for name in &hidden {
            let filters = json!({"name": name}).to_string();
            let path = "/api/method/frappe.client.get_count?doctype=Ticket";
            let count = office
                .get(person, Credential::Session, path, &[("filters", &filters)])
                .await;
            assert_eq!(count.json()["message"], 0, "{person:?} {name}");
        }
    }
    // Rows of child tables are those of their tickets.
    for person in [Person::Reader, Person::Agent, Person::Clerk, Person::Desk] {
        for parent in ["", "Ticket", "User"] {
            let query = [
                ("fields", r#"["item", "parent"]"#),
                ("parent", parent),
                everything[0],
            ];
            let list = office.list(person, "Ticket Item", &query).await;
            assert_clean("child rows", &list);
            for name in office.hidden(person) {
                assert!(
                    !list.text().contains(&format!("{name}\"")),
                    "{person:?} {parent}: {name}"
                );
            }
        }
    }
}

pub(super) async fn rows_behind_links_stay_hidden(office: &mut Office) {
    for (title, ticket) in [("Mine", "OWN-AGENT"), ("Theirs", "FOREIGN")] {
        let body = json!({"title": title, "ticket": ticket});
        office.put("Visit", &body).await;
    }
    let subject = "Subject of FOREIGN";
    let rows = async |query: &[(&str, &str)]| {
        let list = office.list(Person::Agent, "Visit", query).await;
        assert_eq!(list.status, 200, "{query:?}: {}", list.text());
        assert!(!list.text().contains(subject), "{query:?}: {}", list.text());
        list.json()["data"].clone()
    };
    let by_title = ("order_by", "title asc");
    // Beside a row that may be seen, one that may not is only a name.
    let fields = r#"["title", "ticket", "ticket.subject as subject", "ticket.region"]"#;
    let seen = rows(&[("fields", fields), by_title]).await;
    assert_eq!(seen[0]["subject"], "Subject of OWN-AGENT", "{seen}");
    assert_eq!(seen[1]["ticket"], "FOREIGN", "{seen}");
    assert_eq!(
        (&seen[1]["subject"], &seen[1]["region"]),
        (&json!(null), &json!(null))
    );
    let expand = [
        ("fields", r#"["title", "ticket"]"#),
        ("expand", r#"["ticket"]"#),
        by_title,
    ];
    let seen = rows(&expand).await;
    assert_eq!(
        seen[0]["ticket"]["subject"], "Subject of OWN-AGENT",
        "{seen}"
    );
    assert_eq!(seen[1]["ticket"], "FOREIGN", "{seen}");
    // No condition finds it by what it holds.
    let named =
        |operator: &str, value: &str| json!([["ticket.subject", operator, value]]).to_string();
    for (filters, found) in [
        (named("=", subject), 0),
        (named("like", "%FOREIGN%"), 0),
        (named("like", "Subject%"), 1),
        (named(">=", "Subject of F"), 1),
        (json!([["ticket.region", "=", "North"]]).to_string(), 1),
        (
            json!([["ticket.subject", "in", [subject, "x"]]]).to_string(),
            0,
        ),
    ] {
        let what = [("filters", filters.as_str())];
        let seen = rows(&what).await;
        assert_eq!(seen.as_array().unwrap().len(), found, "{filters}: {seen}");
        let path = "/api/method/frappe.client.get_count?doctype=Visit";
        let session = Credential::Session;
        let count = office.get(Person::Agent, session, path, &what).await;
        assert_eq!(
            count.json()["message"],
            found,
            "{filters}: {}",
            count.text()
        );
    }
    let fields = r#"["ticket.subject as subject", "count(name) as n"]"#;
    rows(&[("fields", fields), ("group_by", "ticket.subject")]).await;
    rows(&[("fields", r#"["max(ticket.subject) as top"]"#)]).await;
    rows(&[("order_by", "ticket.subject desc")]).await;
    let one = office
        .list(
            Person::Agent,
            "Visit/Theirs",
            &[("expand", r#"["ticket"]"#)],
        )
        .await;
    assert_eq!(one.status, 200, "{}", one.text());
    assert!(!one.text().contains(subject), "{}", one.text());
}

pub(super) async fn a_row_of_a_child_table_is_as_hidden_as_its_document(office: &mut Office) {
    let sql = r#"SELECT name FROM "tabTicket Item" WHERE parent = ?"#;
    let row = office.stored(sql, "FOREIGN").await;
    let paths = [
        format!("/api/resource/Ticket%20Item/{row}"),
        format!("/api/v2/document/Ticket%20Item/{row}"),
        format!("/api/method/frappe.client.get?doctype=Ticket%20Item&name={row}&parent=Ticket"),
        format!(
            "/api/method/frappe.client.get_value?doctype=Ticket%20Item&parent=Ticket\
             &fieldname=item&filters={row}"
        ),
    ];
    for person in [Person::Website, Person::Desk, Person::Agent, Person::Reader] {
        for path in &paths {
            let answer = office.get(person, Credential::Session, path, &[]).await;
            assert_clean(path, &answer);
            let shown = answer.text().contains("Item of FOREIGN");
            assert!(
                !shown || person == Person::Reader,
                "{person:?} {path}: {}",
                answer.text()
            );
        }
        for (verb, path) in [
            ("PUT", &paths[0]),
            ("PATCH", &paths[1]),
            ("DELETE", &paths[0]),
        ] {
            let request = office.app.http().request(verb, path);
            let request = request.json(&json!({"item": "Taken"}));
            let request = office.by(person, Credential::Session, request).await;
            let answer = request.send().await;
            let refused = (400..500).contains(&answer.status);
            assert!(refused, "{person:?} {verb}: {}", answer.text());
        }
        let new = json!({"item": "Slipped in", "parent": "FOREIGN", "parenttype": "Ticket",
            "parentfield": "items"});
        let request = office
            .app
            .http()
            .post("/api/resource/Ticket%20Item")
            .json(&new);
        let answer = office
            .by(person, Credential::Session, request)
            .await
            .send()
            .await;
        assert!(
            (400..500).contains(&answer.status),
            "{person:?}: {}",
            answer.text()
        );
    }
    let left = r#"SELECT item FROM "tabTicket Item" WHERE parent = ?"#;
    assert_eq!(office.stored(left, "FOREIGN").await, "Item of FOREIGN");
    let sql = r#"SELECT COUNT(*) FROM "tabTicket Item" WHERE item = 'Slipped in'"#;
    assert_eq!(office.app.count(sql, vec![]).await, 0);
}
