//! Tools that change nothing.

use crema_document::access::{self, Action};
use crema_document::list::ListRequest;
use serde_json::{Map, Value, json};

use super::{Given, Use, fit, members};
use crate::api::arguments::Arguments;
use crate::api::documents::drop_nulls;
use crate::api::meta;
use crate::reply::Problem;

/// The most rows that one call gives.
pub(super) const MOST_ROWS: u64 = 100;

/// What stands around the rows, in bytes at most.
const AROUND: usize = 200;

const ACTIONS: [Action; 4] = [Action::Read, Action::Write, Action::Create, Action::Delete];

/// The DocTypes of which the caller may read or make documents.
pub(super) fn list_doctypes(using: &Use<'_>) -> Given {
    let search = using.arguments.text("search")?.unwrap_or_default();
    let search = search.to_lowercase();
    let mut found = Vec::new();
    for doctype in using.documents.registry.doctypes() {
        let named = doctype.name.to_lowercase().contains(&search);
        if doctype.istable || !named {
            continue;
        }
        let may = may(using, &doctype.name);
        if may.is_empty() {
            continue;
        }
        let mut about = members([
            ("name", json!(doctype.name)),
            ("module", json!(doctype.module)),
            ("description", json!(doctype.description)),
            ("may", json!(may)),
        ]);
        if doctype.issingle {
            about.insert("single".to_owned(), Value::Bool(true));
        }
        tidy(&mut about);
        found.push(Value::Object(about));
    }
    Ok(members([("doctypes", Value::Array(found))]))
}

/// What the caller may do with documents of a DocType, in the words of scopes.
fn may(using: &Use<'_>, doctype: &str) -> Vec<&'static str> {
    let Some(definition) = using.documents.registry.get(doctype) else {
        return Vec::new();
    };
    let actor = &using.caller.actor;
    let of_single = |action: &Action| matches!(action, Action::Read | Action::Write);
    ACTIONS
        .iter()
        .filter(|action| !definition.issingle || of_single(action))
        .filter(|action| access::require(definition, actor, **action).is_ok())
        .map(|action| action.name())
        .collect()
}

/// The fields of a DocType, as far as its documents may be read.
pub(super) fn describe_doctype(using: &Use<'_>) -> Given {
    let doctype = using.arguments.required("doctype")?;
    let definition = using.documents.doctype(&doctype)?;
    let registry = &using.documents.registry;
    let about = meta::describe(registry, &definition, &using.caller.actor)?;
    let Value::Object(mut about) = about else {
        return Err(Problem::Internal);
    };
    about.shift_remove("doctype");
    if let Some(Value::Array(fields)) = about.get_mut("fields") {
        fields.retain(|field| !is_layout(field));
        for field in fields.iter_mut().filter_map(Value::as_object_mut) {
            field.shift_remove("idx");
            tidy(field);
        }
    }
    tidy(&mut about);
    about.insert("may".to_owned(), json!(may(using, &doctype)));
    Ok(about)
}

/// Whether a field only arranges others on a form.
fn is_layout(field: &Value) -> bool {
    let kind = field.get("fieldtype").and_then(Value::as_str);
    matches!(
        kind,
        Some("Section Break" | "Column Break" | "Tab Break" | "Heading" | "HTML" | "Fold")
    )
}

/// Takes away what says nothing: null, empty texts, and switches that are off.
fn tidy(about: &mut Map<String, Value>) {
    about.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_u64() != Some(0),
        _ => true,
    });
}

/// A page of a list.
pub(super) async fn list_documents(using: &Use<'_>) -> Given {
    page(using, &using.arguments, "documents").await
}

/// A page of a list under that name, with the place where the next one begins.
pub(super) async fn page(using: &Use<'_>, arguments: &Arguments, name: &str) -> Given {
    let doctype = arguments.required("doctype")?;
    let mut request = ListRequest::from_arguments(arguments.members())?;
    let wanted = match request.limit {
        0 => MOST_ROWS,
        limit => limit.min(MOST_ROWS),
    };
    // One more than wanted tells whether there are more.
    request.limit = wanted.saturating_add(1);
    let rows = using.documents.list(&doctype, &request).await?;
    let mut shown = Vec::new();
    let mut room = fit::MOST - AROUND;
    let mut more = false;
    for row in rows {
        let size = fit::size(&row);
        let full = u64::try_from(shown.len()).is_ok_and(|number| number >= wanted);
        // A row that is too large by itself is shortened later.
        if full || (size > room && !shown.is_empty()) {
            more = true;
            break;
        }
        room = room.saturating_sub(size.saturating_add(1));
        shown.push(Value::Object(row));
    }
    let next = u64::try_from(shown.len()).map(|number| request.start.saturating_add(number));
    let mut result = members([(name, Value::Array(shown))]);
    if more {
        result.insert("next_start".to_owned(), json!(next.unwrap_or(u64::MAX)));
    }
    Ok(result)
}

/// One document.
pub(super) async fn get_document(using: &Use<'_>) -> Given {
    let arguments = &using.arguments;
    let doctype = arguments.required("doctype")?;
    let name = match using.documents.doctype(&doctype)?.issingle {
        true => doctype.clone(),
        false => arguments.required("name")?,
    };
    let mut document = using.documents.get(&doctype, &name).await?;
    if arguments.flag("expand_links", false) {
        using.documents.expand_links(&mut document).await?;
    }
    drop_nulls(&mut document.values);
    Ok(members([("document", Value::Object(document.values))]))
}
