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
