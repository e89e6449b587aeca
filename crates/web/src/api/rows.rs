//! Lists as answers: short ones at once, long ones as the database gives them.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use crema_document::documents::Documents;
use crema_document::list::{ListRequest, ListRow, ListStream};
use futures_util::stream;
use serde_json::{Map, Value};

use crate::call::ApiVersion;
use crate::reply::{self, Problem, Reply};

/// More rows than this are sent while they come.
const AT_ONCE: u64 = 200;

/// The form of a list's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The member that holds the rows.
    pub(crate) member: &'static str,
    /// Rows are objects; else lists of values.
    pub(crate) as_dict: bool,
    /// `has_next_page` tells whether there are more rows.
    pub(crate) next_page: bool,
}

impl Shape {
    /// That of `/api/resource` and `/api/v2/document`.
    pub(crate) fn of_resource(version: ApiVersion, as_dict: bool) -> Shape {
        Shape {
            member: "data",
            as_dict,
            next_page: version == ApiVersion::V2,
        }
    }

    /// That of a method.
    pub(crate) fn of_method(version: ApiVersion, as_dict: bool) -> Shape {
        Shape {
            member: reply::member(version),
            as_dict,
            next_page: false,
        }
    }
}

/// Answers with the rows of a list.
///
/// # Errors
/// What the list is refused for. When the database fails later, the connection ends.
pub(crate) async fn answer(
    documents: &Documents,
    doctype: &str,
    mut request: ListRequest,
    shape: Shape,
) -> Result<Reply, Problem> {
    let limit = request.limit;
    // One more than asked for tells whether there are more.
    if shape.next_page && limit > 0 {
        request.limit = limit.saturating_add(1);
    }
    // The site's own bound; who gets so many may ask for those behind them.
    let most = documents.site.config().max_list_length();
    if limit == 0 || limit > AT_ONCE {
        let mut rows = documents.stream(doctype, &request).await?;
        // A database that fails at once can still be answered for.
        let first = rows.next().await.transpose()?;
        let outgoing = Outgoing {
            stream: rows,
            shape,
            limit,
            most,
            sent: 0,
            begun: false,
            ended: false,
            first,
        };
        let mut reply = reply::json_text(StatusCode::OK, Vec::new());
        *reply.body_mut() = Body::from_stream(stream::try_unfold(outgoing, piece));
        return Ok(reply);
    }
    let mut rows = documents.list(doctype, &request).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > wanted || u64::try_from(rows.len()).is_ok_and(|number| number >= most);
    rows.truncate(wanted);
    let mut body = Map::new();
    if shape.next_page {
        body.insert("has_next_page".to_owned(), Value::Bool(more));
    }
    let rows = rows.into_iter().map(|row| value(row, shape));
    body.insert(shape.member.to_owned(), rows.collect());
    Ok(reply::json(StatusCode::OK, &body))
}

fn value(row: ListRow, shape: Shape) -> Value {
    match shape.as_dict {
        true => Value::Object(row),
        false => row.into_iter().map(|(_, value)| value).collect(),
    }
}

/// A list on its way out.
struct Outgoing {
    stream: ListStream,
    shape: Shape,
    /// Most rows; 0 means all.
    limit: u64,
    /// Most rows that the site gives.
    most: u64,
    sent: u64,
    /// What was read before the answer began.
    first: Option<Vec<ListRow>>,
    begun: bool,
    ended: bool,
}

/// The next piece of the body.
///
/// # Errors
/// When the database fails: whoever reads must not take a part for the whole.
async fn piece(mut out: Outgoing) -> Result<Option<(Bytes, Outgoing)>, std::io::Error> {
    if out.ended {
        return Ok(None);
    }
    let begins = !std::mem::replace(&mut out.begun, true);
    let rows = match begins {
        true => out.first.take(),
        false => out.stream.next().await.transpose().map_err(|error| {
            tracing::error!(%error, "the database failed within a list");
            std::io::Error::other("the list is not complete")
        })?,
    };
    let mut text = Vec::new();
    if begins {
        text.extend_from_slice(format!("{{\"{}\":[", out.shape.member).as_bytes());
    }
    let mut more = false;
    match rows {
        Some(rows) => {
            for row in rows {
                if out.limit > 0 && out.sent == out.limit {
                    more = true;
                    break;
                }
                if out.sent > 0 {
                    text.push(b',');
                }
                serde_json::to_writer(&mut text, &value(row, out.shape))?;
                out.sent += 1;
            }
            out.ended = more;
        }
        None => out.ended = true,
    }
    if out.ended {
        text.push(b']');
        if out.shape.next_page {
            let more = more || out.sent >= out.most;
            text.extend_from_slice(format!(",\"has_next_page\":{more}").as_bytes());
        }
        text.push(b'}');
    }
    Ok(Some((Bytes::from(text), out)))
}
