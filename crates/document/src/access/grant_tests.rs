#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::access::{Allowed, Reach, UserPermissions};

fn doctype(extra: Value) -> DocType {
    let mut definition = json!({
        "name": "Task",
        "fields": [
            {"fieldname": "subject", "fieldtype": "Data"},
            {"fieldname": "secret", "fieldtype": "Data", "permlevel": 1},
            {"fieldname": "assigned", "fieldtype": "Link", "options": "User"},
            {"fieldname": "company", "fieldtype": "Link", "options": "Company"},
            {"fieldname": "other", "fieldtype": "Link", "options": "Company",
             "ignore_user_permissions": 1},
            {"fieldname": "public", "fieldtype": "Check"}
        ]
    });
    definition
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    DocType::from_json("task.json", &definition.to_string()).unwrap()
}

fn with_permissions(permissions: Value) -> DocType {
    doctype(json!({"permissions": permissions}))
}

fn actor(roles: &[&str]) -> Actor {
    Actor {
        user: "jo@example.com".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        administrator: false,
        user_permissions: Arc::new(UserPermissions::default()),
        reach: Reach::Everything,
    }
}

fn restricted(entries: &[(&str, &str, Option<&str>)], strict: bool) -> Actor {
    let mut allowed: BTreeMap<String, Vec<Allowed>> = BTreeMap::new();
    for (target, name, place) in entries {
        allowed
            .entry((*target).to_owned())
            .or_default()
            .push(Allowed {
                name: (*name).to_owned(),
                applicable_for: place.map(str::to_owned),
            });
    }
    Actor {
        user_permissions: Arc::new(UserPermissions { allowed, strict }),
        ..actor(&["All"])
    }
}

fn mine(columns: &[&str]) -> RowRule {
    RowRule::Mine {
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        user: "jo@example.com".to_owned(),
        or_set: None,
    }
}

fn one_of(column: &str, values: &[&str], or_empty: bool) -> RowRule {
    RowRule::OneOf {
        column: column.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        or_empty,
    }
}

fn levels_of(grant: &Grant) -> Vec<u32> {
    grant.levels.iter().copied().collect()
}

const ACTIONS: [Action; 4] = [Action::Read, Action::Write, Action::Create, Action::Delete];

#[test]
fn roles_add_up_and_ownership_yields_to_a_role_that_needs_none() {
    let task = with_permissions(json!([
        {"role": "All", "read": 1, "write": 1, "create": 1, "delete": 1, "if_owner": 1},
        {"role": "Reader", "read": 1},
        {"role": "Boss", "permlevel": 1, "read": 1, "write": 1},
        {"role": "Clerk", "permlevel": 1, "read": 1}
    ]));
    let all = actor(&["All"]);
    for action in [Action::Read, Action::Write, Action::Delete] {
        let found = grant(&task, &all, action);
        assert_eq!(found.rows, mine(&["owner"]));
        assert_eq!(levels_of(&found), [0]);
    }
    assert_eq!(grant(&task, &all, Action::Create).rows, RowRule::All);
    let reader = actor(&["All", "Reader", "Clerk"]);
    assert_eq!(grant(&task, &reader, Action::Read).rows, RowRule::All);
    assert_eq!(levels_of(&grant(&task, &reader, Action::Read)), [0, 1]);
    assert_eq!(grant(&task, &reader, Action::Write).rows, mine(&["owner"]));
    assert_eq!(levels_of(&grant(&task, &reader, Action::Write)), [0]);
    let boss = actor(&["All", "Boss"]);
    assert_eq!(levels_of(&grant(&task, &boss, Action::Create)), [0, 1]);
    // A level without the document opens nothing.
    let only_level = actor(&["Boss"]);
    for action in ACTIONS {
        assert_eq!(grant(&task, &only_level, action), Grant::nothing());
    }
}

#[test]
fn a_level_for_owners_opens_nothing_on_rows_of_others() {
    let own_level = json!({"role": "All", "permlevel": 1, "read": 1, "if_owner": 1});
    let own = with_permissions(json!([{"role": "All", "read": 1, "if_owner": 1}, own_level]));
    let every = with_permissions(json!([{"role": "All", "read": 1}, own_level]));
    let all = actor(&["All"]);
    assert_eq!(levels_of(&grant(&own, &all, Action::Read)), [0, 1]);
    assert_eq!(levels_of(&grant(&every, &all, Action::Read)), [0]);
}

#[test]
fn further_owners_and_the_public_check() {
    let task = doctype(json!({
        "owner_fields": ["assigned"], "public_field": "public",
        "permissions": [{"role": "All", "read": 1, "write": 1, "if_owner": 1}]
    }));
    let all = actor(&["All"]);
    assert_eq!(
        grant(&task, &all, Action::Write).rows,
        mine(&["owner", "assigned"])
    );
    let rule = grant(&task, &all, Action::Read).rows;
    let row = |owner: &'static str, assigned: Option<&'static str>, public: &'static str| {
        move |column: &str| {
            match column {
                "owner" => Some(owner),
                "assigned" => assigned,
                _ => Some(public),
            }
            .map(str::to_owned)
        }
    };
    assert!(rule.admits(&row("jo@example.com", None, "0")));
    assert!(rule.admits(&row("x", Some("jo@example.com"), "0")));
    assert!(rule.admits(&row("x", None, "1")));
    assert!(!rule.admits(&row("x", Some("JO@example.com"), "0")));
    for field in ["nothing", "subject"] {
        let faulty = json!({"name": "T", "fields": [], "public_field": field}).to_string();
        assert!(DocType::from_json("t.json", &faulty).is_err());
    }
}

#[test]
fn guest_and_administrator() {
    let task = with_permissions(json!([
        {"role": "Guest", "read": 1, "if_owner": 1},
        {"role": "All", "read": 1},
        {"role": "Administrator", "write": 1}
    ]));
    let guest = Actor {
        user: "Guest".to_owned(),
        ..actor(&["Guest", "All", "System Manager"])
    };
    // Nobody in particular owns nothing.
    assert_eq!(grant(&task, &guest, Action::Read), Grant::nothing());
    let open = with_permissions(json!([{"role": "Guest", "read": 1}]));
    assert_eq!(grant(&open, &guest, Action::Read).rows, RowRule::All);
    // The role of that name does not make anybody Administrator.
    let pretender = actor(&["Administrator"]);
    assert_eq!(grant(&task, &pretender, Action::Write), Grant::nothing());
    let administrator = Actor {
        administrator: true,
        ..restricted(&[("Company", "A", None)], true)
    };
    for action in ACTIONS {
        let found = grant(&task, &administrator, action);
        assert_eq!(found.rows, RowRule::All);
        assert!(task.fields.iter().all(|field| found.covers(field)));
    }
}

// spec: security.md, Audit: "rows not deletable by hand"
#[test]
fn what_the_system_keeps_is_not_made_or_changed_by_hand() {
    let kept = |delete: bool| {
        doctype(json!({
            "in_create": 1, "read_only": 1,
            "permissions": [{"role": "All", "read": 1, "write": 1, "create": 1, "delete": delete}]
        }))
    };
    let administrator = Actor {
        administrator: true,
        ..actor(&[])
    };
    for who in [actor(&["All"]), administrator] {
        for (kept, deletable) in [(kept(true), true), (kept(false), false)] {
            let may = |action| grant(&kept, &who, action).rows == RowRule::All;
            assert!(may(Action::Read) && !may(Action::Write) && !may(Action::Create));
            assert_eq!(may(Action::Delete), deletable);
        }
        // In apps the flags are about the Desk.
        let mut of_app = kept(false);
        of_app.app = "shop".to_owned();
        let may = |action| grant(&of_app, &who, action).rows == RowRule::All;
        assert!(may(Action::Write) && may(Action::Create));
    }
}

#[test]
fn user_permissions_restrict_links_and_the_doctype_itself() {
    let task = with_permissions(json!([{"role": "All", "read": 1}]));
    let rows = |actor: &Actor| grant(&task, actor, Action::Read).rows;
    let two = [("Company", "A", None), ("Company", "B", Some("Task"))];
    assert_eq!(
        rows(&restricted(&two, false)),
        one_of("company", &["A", "B"], true)
    );
    assert_eq!(
        rows(&restricted(&two, true)),
        one_of("company", &["A", "B"], false)
    );
    let elsewhere = [("Company", "A", Some("Invoice"))];
    assert_eq!(rows(&restricted(&elsewhere, true)), RowRule::All);
    let itself = [("Task", "T1", None), ("Company", "A", None)];
    assert_eq!(
        rows(&restricted(&itself, false)),
        RowRule::Every(vec![
            one_of("name", &["T1"], false),
            one_of("company", &["A"], true)
        ])
    );
    let own = with_permissions(json!([{"role": "All", "read": 1, "if_owner": 1}]));
    assert_eq!(
        grant(&own, &restricted(&two, false), Action::Read).rows,
        RowRule::Every(vec![mine(&["owner"]), one_of("company", &["A", "B"], true)])
    );
}

#[test]
fn the_reach_of_a_credential_is_asked_after_the_roles() {
    let task = with_permissions(json!([{"role": "All", "read": 1}]));
    let short = |scope: &[(&str, Action)]| {
        let mut reach: BTreeMap<String, BTreeSet<Action>> = BTreeMap::new();
        for (name, action) in scope {
            reach.entry((*name).to_owned()).or_default().insert(*action);
        }
        Actor {
            reach: Reach::Some(reach),
            ..actor(&["All"])
        }
    };
    let reason =
        |actor: &Actor, action| require(&task, actor, action).map_err(|fault| fault.reason);
    assert!(reason(&short(&[("task", Action::Read)]), Action::Read).is_ok());
    assert_eq!(
        reason(&short(&[("task", Action::Write)]), Action::Read),
        Err(Reason::Scope("task:read".to_owned()))
    );
    // Who may not anyway does not learn of a scope.
    assert_eq!(reason(&short(&[]), Action::Write), Err(Reason::Permission));
}

fn permission() -> impl Strategy<Value = Permission> {
    let flags = prop::array::uniform5(any::<bool>());
    ("[AB]", 0u8..3, flags).prop_map(|(role, permlevel, [own, read, write, create, delete])| {
        Permission {
            role,
            permlevel,
            if_owner: own,
            read,
            write,
            create,
            delete,
            ..Permission::default()
        }
    })
}

#[test]
fn some_documents_are_administrators_own() {
    let own = doctype(json!({
        "permissions": [{"role": "All", "read": 1, "write": 1}],
        "administrators_own": ["A"]
    }));
    for action in [Action::Read, Action::Write] {
        let rows = grant(&own, &actor(&["All"]), action).rows;
        let named = |name: &str| {
            let name = name.to_owned();
            rows.admits(&move |column: &str| (column == "name").then(|| name.clone()))
        };
        assert!(!named("A") && named("B") && named("a"));
        let administrator = Actor {
            administrator: true,
            ..actor(&[])
        };
        assert_eq!(grant(&own, &administrator, action).rows, RowRule::All);
    }
}

proptest! {
    /// More roles never open less, and what is open is opened by some permission at level 0.
    #[test]
    fn roles_only_add(permissions in prop::collection::vec(permission(), 0..6), owner in any::<bool>()) {
        let mut task = with_permissions(json!([]));
        task.permissions = permissions;
        let row = |column: &str| {
            (column == "owner").then(|| if owner { "jo@example.com" } else { "x" }.to_owned())
        };
        for action in ACTIONS {
            let one = grant(&task, &actor(&["A"]), action);
            let both = grant(&task, &actor(&["A", "B"]), action);
            prop_assert!(!one.rows.admits(&row) || both.rows.admits(&row));
            let naive = task.permissions.iter().any(|held| {
                held.permlevel == 0
                    && held.allows(action)
                    && (owner || !held.if_owner || action == Action::Create)
            });
            prop_assert_eq!(both.rows.admits(&row), naive);
            prop_assert_eq!(both.levels.is_empty(), both.rows == RowRule::Nothing);
        }
    }

    /// User Permissions never open anything.
    #[test]
    fn user_permissions_only_take_away(
        company in prop::option::of("[ABC]?"),
        allowed in prop::collection::vec(("[ABC]", prop::option::of(Just("Task"))), 0..3),
        strict in any::<bool>(),
    ) {
        let task = with_permissions(json!([{"role": "All", "read": 1}]));
        let entries: Vec<_> = allowed.iter().map(|(name, place)| ("Company", name.as_str(), *place)).collect();
        let rule = grant(&task, &restricted(&entries, strict), Action::Read).rows;
        let row = |column: &str| (column == "company").then(|| company.clone()).flatten();
        let named = company.clone().filter(|company| !company.is_empty());
        let naive = allowed.is_empty() || match named {
            None => !strict,
            Some(company) => allowed.iter().any(|(name, _)| *name == company),
        };
        prop_assert_eq!(rule.admits(&row), naive);
    }

    /// The shortest form admits the same rows.
    #[test]
    fn every_means_all_of_them(kinds in prop::collection::vec(0..5usize, 0..5), owner in "[xy]") {
        let user = |name: &str| RowRule::Mine { columns: vec!["owner".to_owned()], user: name.to_owned(), or_set: None };
        let rules: Vec<RowRule> = kinds.iter().map(|kind| match kind {
            0 => RowRule::All,
            1 => RowRule::Nothing,
            2 => user("x"),
            3 => one_of("owner", &["x", "y"], false),
            _ => RowRule::Every(vec![RowRule::All, user("x")]),
        }).collect();
        let row = |_: &str| Some(owner.clone());
        let naive = rules.iter().all(|rule| rule.admits(&row));
        prop_assert_eq!(RowRule::every(rules).admits(&row), naive);
    }
}
