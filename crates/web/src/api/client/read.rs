//! Reading: lists, counts, documents and single values.

use crema_document::documents::Documents;
use crema_document::list::ListRequest;
use crema_document::{DocumentError, Reason};
use serde_json::{Map, Value, json};

use crate::api::arguments::{Arguments, plain};
use crate::api::rows::{self, Shape};
use crate::call::Call;
use crate::reply::{Problem, Reply};

/// `get_list(doctype, fields, filters, or_filters, group_by, order_by, limit_start,
/// limit_page_length, parent, as_dict)`
pub(super) async fn get_list(
    call: &Call,
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Reply, Problem> {
    let doctype = arguments.required("doctype")?;
    let request = ListRequest::from_arguments(arguments.members())?;
    let shape = Shape::of_method(call.version, arguments.flag("as_dict", true));
    rows::answer(documents, &doctype, request, shape).await
}

/// `get_count(doctype, filters)`
pub(super) async fn get_count(
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let doctype = arguments.required("doctype")?;
    let request = ListRequest::from_arguments(arguments.members())?;
    Ok(json!(documents.count(&doctype, &request).await?))
}

/// `get(doctype, name, filters)`; of a single the DocType is enough.
pub(super) async fn get(documents: &Documents, arguments: &Arguments) -> Result<Value, Problem> {
    let doctype = arguments.required("doctype")?;
    let name = match arguments.text("name")? {
        Some(name) => name,
        None if documents.doctype(&doctype)?.issingle => doctype.clone(),
        None => first_name(documents, &doctype, arguments).await?,
    };
    let document = documents.get(&doctype, &name).await?;
    Ok(Value::Object(document.values))
}

/// The name of the first document that the filters admit.
async fn first_name(
    documents: &Documents,
    doctype: &str,
    arguments: &Arguments,
) -> Result<String, Problem> {
    let filters = arguments
        .value("filters")
        .ok_or_else(|| Problem::malformed("Either name or filters has to be given."))?;
    let request = ListRequest {
        fields: Some(json!(["name"])),
        filters: Some(filters),
        limit: 1,
        ..ListRequest::default()
    };
    let rows = documents.list(doctype, &request).await?;
    let name = rows.first().and_then(|row| row.get("name")).and_then(plain);
    name.ok_or_else(|| {
        DocumentError::refused(Reason::DoesNotExist, format!("{doctype} not found")).into()
    })
}

/// `get_value(doctype, fieldname, filters, as_dict, parent)`; `filters` may be a name. An empty
/// object when there is no such document.
pub(super) async fn get_value(
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let doctype = arguments.required("doctype")?;
    let fields = match arguments.value("fieldname") {
        Some(Value::Array(fields)) => fields,
        Some(Value::String(field)) => vec![Value::String(field)],
        _ => return Err(Problem::malformed("The argument fieldname is missing.")),
    };
    let found = match documents.doctype(&doctype)?.issingle {
        true => of_single(documents, &doctype, &fields).await?,
        false => of_first(documents, &doctype, &fields, arguments).await?,
    };
    Ok(match (found, arguments.flag("as_dict", true)) {
        (Some(row), true) => Value::Object(row),
        (None, true) => json!({}),
        (Some(row), false) => {
            let mut values: Vec<Value> = row.into_iter().map(|(_, value)| value).collect();
            match values.len() {
                1 => values.swap_remove(0),
                _ => Value::Array(values),
            }
        }
        (None, false) => Value::Null,
    })
}

async fn of_first(
    documents: &Documents,
    doctype: &str,
    fields: &[Value],
    arguments: &Arguments,
) -> Result<Option<Map<String, Value>>, Problem> {
    let filters = match arguments.value("filters") {
        Some(filters @ (Value::Object(_) | Value::Array(_))) => Some(filters),
        Some(name) => plain(&name).map(|name| json!({"name": name})),
        None => None,
    };
    let request = ListRequest {
        fields: Some(Value::Array(fields.to_vec())),
        filters,
        limit: 1,
        parent: arguments.text("parent")?,
        ..ListRequest::default()
    };
    let rows = documents.list(doctype, &request).await?;
    Ok(rows.into_iter().next())
}

async fn of_single(
    documents: &Documents,
    doctype: &str,
    fields: &[Value],
) -> Result<Option<Map<String, Value>>, Problem> {
    let mut values = documents.get(doctype, doctype).await?.values;
    let mut row = Map::new();
    for field in fields {
        let name = field.as_str().unwrap_or_default();
        let value = values
            .remove(name)
            .ok_or_else(|| unknown_field(doctype, name))?;
        row.insert(name.to_owned(), value);
    }
    Ok(Some(row))
}

/// `get_single_value(doctype, field)`
pub(super) async fn get_single_value(
    documents: &Documents,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let doctype = arguments.required("doctype")?;
    let field = arguments.required("field")?;
    if !documents.doctype(&doctype)?.issingle {
        return Err(Problem::malformed(format!("{doctype} is no single.")));
    }
    let values = documents.get(&doctype, &doctype).await?.values;
    let value = values.get(&field).cloned();
    value.ok_or_else(|| unknown_field(&doctype, &field))
}

fn unknown_field(doctype: &str, field: &str) -> Problem {
    Problem::malformed(format!("{doctype} has no field {field} that you may read."))
}
