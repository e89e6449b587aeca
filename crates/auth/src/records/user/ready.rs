//! A User on the way to the database: addresses folded, names put together, passwords hashed.

use crema_crypto::Secret;
use crema_document::documents::Change;
use crema_document::{DocumentError, Reason, SecretText, TimeZone};
use serde_json::{Map, Value as Json};

use super::super::View;
use super::super::error::failed;
use super::super::settings::{is_path, is_picture};
use super::super::values::{int, invalid, put, text};
use super::{PASSWORD, subject};
use crate::user::{ADMINISTRATOR, GUEST, addresses_are_valid, normal_email};

/// Brings a change into the form in which it is stored.
// spec: doctypes.md, "E-mail addresses are case-folded"
pub(in super::super) async fn prepare(
    view: &View,
    change: &mut Change,
) -> Result<(), DocumentError> {
    email(change)?;
    names(&mut change.after);
    if change.is_new() {
        let name = text(&change.after, "email").to_owned();
        let row = subject(view, &name);
        let rows = Json::Array(vec![row]);
        change.after.insert("social_logins".to_owned(), rows);
    }
    roles(&mut change.after)?;
    limits(change)?;
    password(view, change).await
}

/// The address is the name of the record, so it changes with that only.
fn email(change: &mut Change) -> Result<(), DocumentError> {
    let given = text(&change.after, "email").to_owned();
    let Some(folded) = normal_email(&given) else {
        return invalid(format!(
            "{} is not a valid Email Address",
            shortened(&given)
        ));
    };
    let fixed = ![ADMINISTRATOR, GUEST].contains(&change.name.as_str());
    if !change.is_new() && fixed && folded != change.name {
        let message = "The e-mail address of a User is also its name and stays as it is. \
                       Make a User with the new address.";
        return Err(DocumentError::refused(Reason::Constant, message));
    }
    put(&mut change.after, "email", &folded);
    Ok(())
}

/// A wrong value as a message repeats it.
fn shortened(text: &str) -> String {
    let shown = text.chars().filter(|c| !c.is_control());
    shown.take(60).collect()
}

fn names(after: &mut Map<String, Json>) {
    let trimmed = |after: &Map<String, Json>, field: &str| text(after, field).trim().to_owned();
    let mut first = trimmed(after, "first_name");
    if first.is_empty() {
        let email = text(after, "email");
        email
            .split('@')
            .next()
            .unwrap_or_default()
            .clone_into(&mut first);
    }
    let middle = trimmed(after, "middle_name");
    let last = trimmed(after, "last_name");
    let parts = [first.as_str(), middle.as_str(), last.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    // As long as its column, whatever the parts are.
    let full: String = parts.join(" ").chars().take(140).collect();
    put(after, "first_name", &first);
    put(after, "full_name", &full);
}

/// Each role once, none of those that follow from being somebody.
fn roles(after: &mut Map<String, Json>) -> Result<(), DocumentError> {
    let Some(Json::Array(rows)) = after.get_mut("roles") else {
        return Ok(());
    };
    let mut seen: Vec<String> = Vec::new();
    rows.retain(|row| {
        let role = row.get("role").and_then(Json::as_str).unwrap_or_default();
        let keep = !role.is_empty() && !seen.iter().any(|one| one == role);
        if keep {
            seen.push(role.to_owned());
        }
        keep
    });
    for (index, row) in rows.iter_mut().enumerate() {
        if let Some(row) = row.as_object_mut() {
            row.insert("idx".to_owned(), Json::from(index + 1));
        }
    }
    match seen
        .iter()
        .find(|role| ["All", GUEST, ADMINISTRATOR].contains(&role.as_str()))
    {
        Some(role) => invalid(format!("The role {role} cannot be given")),
        None => Ok(()),
    }
}

fn limits(change: &Change) -> Result<(), DocumentError> {
    let after = &change.after;
    if change.changes("restrict_ip") && !addresses_are_valid(text(after, "restrict_ip")) {
        return invalid("Restrict IP holds something that is no address and no network");
    }
    for (field, label) in [
        ("login_after", "Login After"),
        ("login_before", "Login Before"),
    ] {
        if change.changes(field) && !(0..=24).contains(&int(after, field)) {
            return invalid(format!("{label} is an hour of the day"));
        }
    }
    let zone = text(after, "time_zone");
    if change.changes("time_zone") && !zone.is_empty() && TimeZone::named(zone).is_err() {
        return invalid("Time Zone is no time zone such as Europe/Zurich");
    }
    if change.changes("user_image") && !is_picture(text(after, "user_image")) {
        return invalid("User Image is a path of this site or an http or https address");
    }
    if change.changes("redirect_url") && !is_path(text(after, "redirect_url")) {
        return invalid("Redirect URL is no path of this site");
    }
    Ok(())
}

/// Hashes a new password, which takes long, before the transaction; the clear one goes no
/// further.
async fn password(view: &View, change: &mut Change) -> Result<(), DocumentError> {
    change.secrets.remove(PASSWORD);
    let given = change.secrets.remove("new_password");
    change.after.insert("new_password".to_owned(), Json::Null);
    let Some(given) = given else { return Ok(()) };
    if change.name == GUEST {
        return invalid("Guest has no password");
    }
    let environment = view.ctx.provider.environment();
    let secret = Secret::from(given.expose());
    let hash = environment.passwords.hash(&secret, &environment.entropy);
    let hash = hash.await.map_err(failed)?;
    change
        .secrets
        .insert(PASSWORD.to_owned(), SecretText::new(hash));
    Ok(())
}
