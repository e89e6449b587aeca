//! Working with records, on every database.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod support;

use crema_document::passwords::{self, StoredPassword};
use crema_document::row::{self, RowHead};
use crema_document::{LocalTime, SecretText, TimeZone, singles, version};
use crema_store::{Sql, Value, params};
use support::{Engine, NOW, registry, with_tables, write};

on_every_engine!(
    a_single_has_its_defaults_until_it_is_set,
    passwords_are_kept_apart,
    rows_have_their_standard_columns,
    the_version_moves_with_its_transaction,
);

fn local() -> LocalTime {
    TimeZone::utc().local(NOW)
}

static BOOKKEEPING: Sql = Sql::new(
    r#"SELECT "value" FROM "tabSingles" WHERE "doctype" = 'OAuth Settings' AND "field" = ?"#,
);

// spec: frappe/storage.md, Singles rows
async fn a_single_has_its_defaults_until_it_is_set(engine: Engine) {
    let (_place, database) = with_tables(engine).await;
    let registry = registry();
    let settings = registry.get("OAuth Settings").unwrap();
    let fresh = singles::get(&database, settings).await.unwrap();
    assert!(fresh.flag("enable_dynamic_client_registration") && !fresh.flag("skip_authorization"));
    assert_eq!(fresh.int("access_token_lifetime"), 3600);
    assert_eq!(
        fresh.text("resource_name"),
        Some("Frappe Framework Application")
    );
    assert_eq!(fresh.text("resource_tos_uri"), None);
    for lifetime in ["600", "900"] {
        write(&database, move |tx| {
            Box::pin(async move {
                let fields = [
                    ("access_token_lifetime", Some(lifetime)),
                    ("resource_name", None),
                    ("scopes_supported", Some("a\n\n b \n")),
                ];
                singles::set(
                    tx,
                    "OAuth Settings",
                    &fields,
                    "someone@example.com",
                    local(),
                )
                .await
            })
        })
        .await
        .unwrap();
    }
    let set = singles::get(&database, settings).await.unwrap();
    assert_eq!(set.int("access_token_lifetime"), 900);
    assert_eq!(set.text("resource_name"), None, "empty is not the default");
    assert_eq!(
        set.lines("scopes_supported").collect::<Vec<_>>(),
        ["a", "b"]
    );
    let value = |field: &'static str| {
        let database = database.clone();
        async move {
            database
                .row(&BOOKKEEPING, params![field])
                .await
                .unwrap()
                .unwrap()
        }
    };
    assert_eq!(
        value("modified_by").await.text(0).unwrap(),
        "someone@example.com"
    );
    assert_eq!(
        value("modified").await.text(0).unwrap(),
        "2026-11-20 12:00:00.000000"
    );
}

async fn passwords_are_kept_apart(engine: Engine) {
    let (_place, database) = with_tables(engine).await;
    let stored = |value: &str, encrypted| StoredPassword {
        value: SecretText::new(value),
        encrypted,
    };
    for (value, encrypted) in [("$hash$1", false), ("gAAAAA", true)] {
        let stored = stored(value, encrypted);
        write(&database, move |tx| {
            let stored = stored.clone();
            Box::pin(async move {
                passwords::set(tx, "User", "a@example.com", "password", &stored).await?;
                passwords::set(tx, "User", "A@example.com", "password", &stored).await
            })
        })
        .await
        .unwrap();
    }
    let read = async |name: &'static str| {
        passwords::read(&database, "User", name, "password")
            .await
            .unwrap()
    };
    assert_eq!(read("a@example.com").await, Some(stored("gAAAAA", true)));
    assert_eq!(read("b@example.com").await, None);
    write(&database, |tx| {
        Box::pin(async move {
            passwords::rename(tx, "User", "a@example.com", "b@example.com").await?;
            assert!(passwords::delete(tx, "User", "A@example.com", "password").await?);
            assert!(!passwords::delete(tx, "User", "A@example.com", "password").await?);
            Ok(())
        })
    })
    .await
    .unwrap();
    assert_eq!(read("a@example.com").await, None);
    assert_eq!(read("A@example.com").await, None);
    assert!(read("b@example.com").await.is_some());
    write(&database, |tx| {
        Box::pin(passwords::delete_all(tx, "User", "b@example.com"))
    })
    .await
    .unwrap();
    assert_eq!(read("b@example.com").await, None);
}

static ROLE_ROW: Sql = Sql::new(
    r#"SELECT "creation", "modified", "owner", "modified_by", "docstatus", "idx", "parent",
    "parentfield", "parenttype", "role" FROM "tabHas Role" WHERE "name" = ?"#,
);

// spec: doctypes.md, standard columns
async fn rows_have_their_standard_columns(engine: Engine) {
    let (_place, database) = with_tables(engine).await;
    let later = TimeZone::utc().local(NOW.plus_seconds(5));
    write(&database, move |tx| {
        Box::pin(async move {
            let head = RowHead::new("row1", "admin", local());
            let head = head.below("User", "a@example.com", "roles", 3);
            row::insert(tx, "Has Role", &head, vec![("role", Value::from("All"))]).await?;
            assert!(row::exists(tx, "Has Role", "row1").await?);
            assert!(!row::exists(tx, "Has Role", "ROW1").await?);
            let columns = vec![("role", Value::from("Guest"))];
            assert!(row::update(tx, "Has Role", "row1", "someone", later, columns).await?);
            assert!(!row::update(tx, "Has Role", "row2", "someone", later, Vec::new()).await?);
            Ok(())
        })
    })
    .await
    .unwrap();
    let row = database
        .row(&ROLE_ROW, params!["row1"])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.datetime(0).unwrap(), local().micros());
    assert_eq!(row.datetime(1).unwrap(), later.micros());
    let texts: Vec<_> = [2, 3, 6, 7, 8, 9]
        .map(|column| row.text(column).unwrap())
        .into();
    assert_eq!(
        texts,
        [
            "admin",
            "someone",
            "a@example.com",
            "roles",
            "User",
            "Guest"
        ]
    );
    assert_eq!((row.int(4).unwrap(), row.int(5).unwrap()), (0, 3));
}

async fn the_version_moves_with_its_transaction(engine: Engine) {
    let (_place, database) = with_tables(engine).await;
    assert_eq!(version::read(&database).await, Ok(0));
    for expected in 1..4 {
        write(&database, |tx| Box::pin(version::bump(tx)))
            .await
            .unwrap();
        assert_eq!(version::read(&database).await, Ok(expected));
    }
    let failed = write(&database, |tx| {
        Box::pin(async move {
            version::bump(tx).await?;
            assert_eq!(version::read_in(tx).await?, 4);
            Err::<(), _>(crema_store::StoreError::Closed)
        })
    });
    assert!(failed.await.is_err());
    assert_eq!(version::read(&database).await, Ok(3));
}
