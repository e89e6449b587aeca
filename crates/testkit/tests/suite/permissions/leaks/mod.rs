//! Nothing shows what somebody may not see: not a field, not a row, not a count, whichever way
//! it is asked for. Hidden values have a mark, and whole answers are searched for it.

use crema_testkit::{App, Engine, Response, engines};
use serde_json::{Value, json};

mod fields;
mod reach;
mod rows;
mod writes;

use super::helpdesk::{LEVEL_ONE, LEVEL_ONE_ROW, PART, PIN};
use super::model::{Credential, Person};
use super::people::Office;

/// Every check by itself on SQLite, one after the other elsewhere.
macro_rules! checks {
    ($($module:ident: $($check:ident)*;)*) => {
        async fn all(office: &mut Office) {
            $($($module::$check(office).await;)*)*
        }

        mod sqlite {
            $($(
                #[test]
                fn $check() {
                    super::on(super::Engine::Sqlite, super::$module::$check);
                }
            )*)*
        }
    };
}
checks! {
    fields:
        a_field_that_is_not_to_be_read_cannot_be_asked_about
        what_is_left_out_is_left_out_everywhere
        passwords_never_leave;
    rows:
        rows_stay_hidden_in_every_shape_of_a_list
        rows_behind_links_stay_hidden
        a_row_of_a_child_table_is_as_hidden_as_its_document;
    writes:
        what_may_not_be_written_is_not_written
        user_permissions_bind_what_is_written;
    reach:
        a_scope_hides_what_a_role_would_show
        a_token_that_only_writes_does_not_read
        descriptions_leave_out_what_is_not_to_be_read
        guests_read_what_is_for_guests_and_no_more
        plain_users_do_not_see_what_users_keep_to_themselves;
}

fn on(engine: Engine, check: impl AsyncFnOnce(&mut Office)) {
    engines::run(async {
        let app = App::builder().engine(engine).build().await;
        let mut office = Office::open(app).await;
        check(&mut office).await;
        office.app.close().await;
    });
}

#[test]
fn mariadb() {
    on(Engine::MariaDb, all);
}

#[test]
fn postgres() {
    on(Engine::Postgres, all);
}

impl Office {
    async fn list(&self, person: Person, doctype: &str, query: &[(&str, &str)]) -> Response {
        let path = format!("/api/resource/{}", doctype.replace(' ', "%20"));
        self.get(person, Credential::Session, &path, query).await
    }

    async fn get(
        &self,
        person: Person,
        credential: Credential,
        path: &str,
        query: &[(&str, &str)],
    ) -> Response {
        let request = self.app.http().get(path).query(query);
        let request = self.by(person, credential, request).await;
        request.send().await
    }

    async fn change(&self, person: Person, name: &str, body: &Value) -> Response {
        let path = format!("/api/resource/Ticket/{name}");
        let request = self.app.http().request("PUT", &path).json(body);
        let request = self.by(person, Credential::Session, request).await;
        request.send().await
    }

    /// A text of the database.
    async fn stored(&self, sql: &str, name: &str) -> String {
        let rows = self.app.rows(sql, vec![name.into()]).await;
        rows[0].text(0).unwrap().to_owned()
    }

    /// Names of tickets that somebody may not see.
    fn hidden(&self, person: Person) -> Vec<&str> {
        let tickets = self.tickets.iter();
        let hidden = tickets.filter(|ticket| !person.covers(ticket.kind_for(person)));
        hidden.map(|ticket| ticket.name.as_str()).collect()
    }

    fn visible(&self, person: Person) -> usize {
        self.tickets.len() - self.hidden(person).len()
    }
}

/// No mark of what a reader without level 1 may not see.
fn assert_clean(what: &str, answer: &Response) {
    let text = answer.text();
    for mark in [LEVEL_ONE, LEVEL_ONE_ROW, PART, PIN, "31337"] {
        assert!(!text.contains(mark), "{what}: {mark} in {text}");
    }
    assert!(answer.status < 500, "{what}: {} {text}", answer.status);
}
