//! Every statement of the records fits the schema, on every database.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod records_common;

use crema_auth::{
    api_key, audit, checkup, client, keys, last_used, lockout, login, records, register, retention,
    session, settings, user,
};
use records_common::TestSite;

on_every_database! {
    async fn statements_fit_the_schema(site: TestSite) {
        let lists = [
            audit::STATEMENTS,
            checkup::STATEMENTS,
            keys::STATEMENTS,
            last_used::STATEMENTS,
            lockout::STATEMENTS,
            login::STATEMENTS,
            retention::STATEMENTS,
            session::STATEMENTS,
            settings::STATEMENTS,
        ];
        let own = lists.into_iter().flatten().copied();
        let parts = client::statements()
            .chain(user::statements())
            .chain(api_key::statements())
            .chain(records::statements())
            .chain(register::statements());
        for sql in own.chain(parts) {
            let checked = site.provider.database().prepare_check(sql).await;
            checked.unwrap_or_else(|error| panic!("{}: {error}", sql.text()));
        }
    }
}
