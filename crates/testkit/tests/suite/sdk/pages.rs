//! Web apps that are served by somebody else than the site.

use thirtyfour::WebDriver;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A web app's own server: the same page at every path, with its bundle.
pub(super) struct Pages {
    pub(super) origin: String,
}

impl Pages {
    /// Serves the page of that bundle under one of this machine's names.
    pub(super) async fn start(host: &str, bundle: &str) -> Pages {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let bundle = std::fs::read_to_string(installed(bundle)).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let bundle = bundle.clone();
                // A browser also opens connections that it does not use.
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read_buf(&mut head).await {
                            Ok(0) | Err(_) => return,
                            Ok(_) => {}
                        }
                    }
                    let (media_type, body) = match head.starts_with(b"GET /bundle.js ") {
                        true => ("text/javascript", bundle.as_str()),
                        false => (
                            "text/html",
                            "<!doctype html><script src=/bundle.js></script>",
                        ),
                    };
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: {media_type}; charset=utf-8\r\n\
                         Content-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await.ok();
                    stream.write_all(body.as_bytes()).await.ok();
                });
            }
        });
        Pages {
            origin: format!("http://{host}:{port}"),
        }
    }
}

/// Runs the body of an async function in the page, with its arguments under these names; gives
/// what it came to, and fails with it.
pub(super) async fn in_page(
    driver: &WebDriver,
    names: &str,
    script: &str,
    arguments: &[Value],
) -> Value {
    let script = format!(
        "const [{names}, done] = arguments;
         const plain = (e) => e instanceof Error ? {{error: e.stack}} : {{error: e}};
         (async () => {{ {script} }})().then((v) => done({{value: v ?? null}}), (e) => done(plain(e)));"
    );
    driver.set_script_timeout(PATIENCE).await.unwrap();
    let arguments = arguments.to_vec();
    let result = driver.execute_async(script, arguments).await.unwrap();
    let result = result.json().clone();
    assert_eq!(result.get("error"), None, "{result}");
    result["value"].clone()
}
