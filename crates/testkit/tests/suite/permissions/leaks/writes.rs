//! What somebody may not change.

use super::*;

pub(super) async fn what_may_not_be_written_is_not_written(office: &mut Office) {
    let own = "OWN-AGENT";
    let remark = r#"SELECT remark FROM "tabTicket" WHERE name = ?"#;
    let hint = r#"SELECT hint FROM "tabTicket Item" WHERE parent = ?"#;
    let owner = r#"SELECT owner FROM "tabTicket" WHERE name = ?"#;
    let creation = json!({"owner": "other@example.com", "creation": "2001-01-01 00:00:00"});
    for body in [json!({"remark": "changed", "cost": 1}), creation] {
        let answer = office.change(Person::Agent, own, &body).await;
        assert_clean("a change of level 1", &answer);
        assert_eq!(
            office.stored(remark, own).await,
            format!("{LEVEL_ONE} {own}")
        );
        assert_eq!(office.stored(owner, own).await, Person::Agent.user());
    }
    // Rows of one's own ticket, given anew: the hidden field of a row that stays, stays.
    let read = office
        .list(Person::Agent, &format!("Ticket/{own}"), &[])
        .await;
    let mut rows = read.json()["data"]["items"].clone();
    rows[0]["item"] = json!("Changed item");
    rows[0]["hint"] = json!("changed");
    let answer = office
        .change(Person::Agent, own, &json!({"items": rows}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_clean("a change of rows", &answer);
    assert_eq!(
        office.stored(hint, own).await,
        format!("{LEVEL_ONE_ROW} {own}")
    );
    // A row of somebody else's ticket does not move.
    let theirs = office
        .stored(
            r#"SELECT name FROM "tabTicket Item" WHERE parent = ?"#,
            "FOREIGN",
        )
        .await;
    let stolen = json!({"items": [{"name": theirs, "item": "stolen", "parent": "FOREIGN"}]});
    let answer = office.change(Person::Agent, own, &stolen).await;
    assert_clean("a stolen row", &answer);
    let left = r#"SELECT item FROM "tabTicket Item" WHERE parent = ?"#;
    assert_eq!(office.stored(left, "FOREIGN").await, "Item of FOREIGN");
    assert_eq!(
        office.stored(hint, "FOREIGN").await,
        format!("{LEVEL_ONE_ROW} FOREIGN")
    );
    // The path says which ticket, not the body.
    let other = json!({"name": "FOREIGN", "doctype": "Region", "subject": "taken"});
    office.change(Person::Agent, own, &other).await;
    let subject = r#"SELECT subject FROM "tabTicket" WHERE name = ?"#;
    assert_eq!(
        office.stored(subject, "FOREIGN").await,
        "Subject of FOREIGN"
    );
}

pub(super) async fn user_permissions_bind_what_is_written(office: &mut Office) {
    let region = r#"SELECT region FROM "tabTicket" WHERE name = ?"#;
    let moved = office
        .change(Person::Clerk, "FOREIGN", &json!({"region": "South"}))
        .await;
    assert_eq!(moved.status, 403, "{}", moved.text());
    assert_eq!(office.stored(region, "FOREIGN").await, "North");
    let body = json!({"code": "SOUTHERN", "region": "South"});
    let request = office.app.http().post("/api/resource/Ticket").json(&body);
    let made = office
        .by(Person::Clerk, Credential::Session, request)
        .await
        .send()
        .await;
    assert_eq!(made.status, 403, "{}", made.text());
    let sql = r#"SELECT COUNT(*) FROM "tabTicket" WHERE name = 'SOUTHERN'"#;
    assert_eq!(office.app.count(sql, vec![]).await, 0);
    // The regions themselves are bound as well.
    let regions = office.list(Person::Clerk, "Region", &[]).await;
    assert_eq!(regions.json()["data"], json!([{"name": "North"}]));
    let south = office.list(Person::Clerk, "Region/South", &[]).await;
    assert_eq!(south.status, 403, "{}", south.text());
}
