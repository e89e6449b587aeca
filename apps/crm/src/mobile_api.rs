//! `crm.api.mobile_api.*`: what the mobile app calls. Permissions, scopes and validation are those
//! of CRM Task, whichever way its documents are reached.

use crema_auth::app_code::{MethodCall, MethodError};
use crema_auth::records;
use crema_document::access::Action;
use crema_document::documents::Documents;
use crema_document::list::ListRequest;
use serde_json::{Value as Json, json};

use crate::task::{self, DOCTYPE, PRIORITIES, SCOPE, STATUSES, shown, strict};

type Answer = Result<Json, MethodError>;

/// The tasks as the caller may have them inside of this method.
fn tasks(call: &MethodCall<'_>, method: &str, action: Action) -> Documents {
    let method = format!("crm.api.mobile_api.{method}");
    records::documents(call.ctx, &call.caller.within(&method, SCOPE, &[action]))
}

/// The moment of the request on the site's clock: the day, and all of it.
fn local_now(call: &MethodCall<'_>) -> (String, String) {
    let now = call.ctx.provider.site().local(call.ctx.now).to_string();
    let today = now.get(..10).unwrap_or_default().to_owned();
    (today, now)
}

/// The rows of several lists one after the other, until there are enough.
async fn first(
    tasks: &Documents,
    lists: &[ListRequest],
    limit: u64,
) -> Result<Vec<Json>, MethodError> {
    let mut found = Vec::new();
    for list in lists {
        let missing = limit.saturating_sub(found.len() as u64);
        if missing == 0 {
            break;
        }
        let list = ListRequest {
            fields: Some(json!(task::SHOWN)),
            limit: missing,
            ..list.clone()
        };
        let rows = tasks.list(DOCTYPE, &list).await.map_err(strict)?;
        found.extend(rows.into_iter().map(|row| shown(row, false)));
    }
    Ok(found)
}

fn list(filters: Json, order_by: &str) -> ListRequest {
    ListRequest {
        filters: Some(filters),
        order_by: Some(order_by.to_owned()),
        ..ListRequest::default()
    }
}

/// Tasks that start today: High, Medium, Low, then the oldest first. One list for each priority:
/// an index has them in this order, and no database could sort by urgency without reading all.
fn of_today(today: &str) -> Vec<ListRequest> {
    let of = |condition: Json| {
        let filters = json!([["start_date", "=", today], condition]);
        list(filters, "creation asc, name asc")
    };
    let known = PRIORITIES.iter();
    let mut lists: Vec<_> = known
        .map(|priority| of(json!(["priority", "=", priority])))
        .collect();
    lists.push(of(json!(["priority", "is", "not set"])));
    lists
}

/// `home_tasks(limit=5)`
pub(crate) async fn home_tasks(call: MethodCall<'_>) -> Answer {
    let limit = task::limit(&call, "limit", 5)?;
    let tasks = tasks(&call, "home_tasks", Action::Read);
    let (today, _) = local_now(&call);
    let today = first(&tasks, &of_today(&today), limit).await?;
    Ok(json!({"today": today, "limit": limit}))
}

/// `filter_tasks(date_from, date_to, importance, status, limit=50, offset=0)`: the latest start
/// date first.
pub(crate) async fn filter_tasks(call: MethodCall<'_>) -> Answer {
    let mut filters = Vec::new();
    for (argument, operator) in [("date_from", ">="), ("date_to", "<=")] {
        if let Some(date) = task::text(&call, argument)? {
            filters.push(json!(["start_date", "is", "set"]));
            filters.push(json!(["start_date", operator, date]));
        }
    }
    let choices = [
        ("importance", "priority", PRIORITIES),
        ("status", "status", STATUSES),
    ];
    for (argument, field, allowed) in choices {
        let wanted = task::choices(&call, argument, allowed)?;
        if !wanted.is_empty() {
            filters.push(json!([field, "in", wanted]));
        }
    }
    let mut fields = json!(task::SHOWN);
    if let Json::Array(fields) = &mut fields {
        fields.push(json!("description"));
    }
    let request = ListRequest {
        fields: Some(fields),
        start: task::offset(&call)?,
        limit: task::limit(&call, "limit", 50)?,
        ..list(Json::Array(filters), "start_date desc, name desc")
    };
    let tasks = tasks(&call, "filter_tasks", Action::Read);
    let rows = tasks.list(DOCTYPE, &request).await.map_err(strict)?;
    let data: Vec<Json> = rows.into_iter().map(|row| shown(row, true)).collect();
    Ok(json!({"data": data}))
}

/// `main_page_buckets(min_each=5)`: at most so many of each. Late is what is not done and was due
/// before now, or started before today.
// spec: crm.md, "a task stands in one bucket only, in the order today, late, upcoming"
pub(crate) async fn main_page_buckets(call: MethodCall<'_>) -> Answer {
    let each = task::limit(&call, "min_each", 5)?;
    let tasks = tasks(&call, "main_page_buckets", Action::Read);
    let (today, now) = local_now(&call);
    let open = json!(["status", "not in", ["Completed", "Cancelled"]]);
    let before = json!(["start_date", "<", today]);
    let after = json!(["start_date", ">", today]);
    let someday = json!(["start_date", "is", "not set"]);
    let began = json!(["start_date", "is", "set"]);
    let (due, overdue) = (
        json!(["due_date", "is", "set"]),
        json!(["due_date", "<", now]),
    );
    let late = [
        list(json!([began, before, open]), "start_date asc, name asc"),
        list(json!([after, due, overdue, open]), "due_date asc, name asc"),
        list(
            json!([someday, due, overdue, open]),
            "due_date asc, name asc",
        ),
    ];
    let not_late = json!([
        ["due_date", "is", "not set"],
        ["due_date", ">=", now],
        ["status", "in", ["Completed", "Cancelled"]],
    ]);
    let upcoming = [(after, "start_date asc, name asc"), (someday, "name asc")];
    let upcoming = upcoming.map(|(begins, order)| ListRequest {
        or_filters: Some(not_late.clone()),
        ..list(json!([begins]), order)
    });
    Ok(json!({
        "today": first(&tasks, &of_today(&today), each).await?,
        "late": first(&tasks, &late, each).await?,
        "upcoming": first(&tasks, &upcoming, each).await?,
        "min_each": each,
    }))
}

/// `create_task(title, …)`
pub(crate) async fn create_task(call: MethodCall<'_>) -> Answer {
    let fields = task::fields(&call, true)?;
    let tasks = tasks(&call, "create_task", Action::Create);
    let made = tasks.insert(DOCTYPE, fields).await.map_err(strict)?;
    Ok(shown(made.values, false))
}

/// `edit_task(task_id, …)`
pub(crate) async fn edit_task(call: MethodCall<'_>) -> Answer {
    let (id, fields) = (task::id(&call)?, task::fields(&call, false)?);
    if fields.is_empty() {
        let fields = task::FIELDS.join(", ");
        return Err(task::bad(format!(
            "Nothing is to be changed. There are {fields}"
        )));
    }
    let tasks = tasks(&call, "edit_task", Action::Write);
    let changed = tasks.update(DOCTYPE, &id, fields).await.map_err(strict)?;
    Ok(shown(changed.values, false))
}

/// `update_status(task_id, status)`
pub(crate) async fn update_status(call: MethodCall<'_>) -> Answer {
    let id = task::id(&call)?;
    let mut fields = task::fields(&call, false)?;
    fields.retain(|field, _| field == "status");
    if fields.is_empty() {
        let statuses = STATUSES.join(", ");
        return Err(task::bad(format!(
            "The argument status is missing: one of {statuses}"
        )));
    }
    let tasks = tasks(&call, "update_status", Action::Write);
    let changed = tasks.update(DOCTYPE, &id, fields).await.map_err(strict)?;
    Ok(shown(changed.values, false))
}

/// `delete_task(task_id)`
pub(crate) async fn delete_task(call: MethodCall<'_>) -> Answer {
    let id = task::id(&call)?;
    let tasks = tasks(&call, "delete_task", Action::Delete);
    tasks.delete(DOCTYPE, &id).await.map_err(strict)?;
    Ok(json!(format!("Task {id} deleted successfully")))
}
