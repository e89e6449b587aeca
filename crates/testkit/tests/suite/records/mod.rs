//! The records of the product over REST: what each may do, what ends with it, what never leaves.

mod life;
mod secrets;
mod sessions;
mod who;

use serde_json::Value;

use crate::resource::Sender;

/// Makes a document and gives it as the answer showed it.
async fn make(sender: &Sender<'_>, doctype: &str, body: &Value) -> Value {
    let path = format!("/api/resource/{}", doctype.replace(' ', "%20"));
    let answer = sender.json("POST", &path, body).await;
    assert_eq!(answer.status, 200, "{doctype}: {}", answer.text());
    answer.json()["data"].clone()
}

/// The path of a document.
fn path_of(doctype: &str, name: &Value) -> String {
    let name = name.as_str().unwrap();
    format!("/api/resource/{}/{name}", doctype.replace(' ', "%20"))
}
