//! Tests that hold on every database.

use std::future::Future;

use crate::app::App;
use crate::databases::Engine;

/// Runs a test body on a runtime of its own, with workers, as the server has them.
pub fn run<F: Future<Output = ()>>(body: F) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("no runtime")
        .block_on(body);
}

/// Runs a test body with a started [`App`] and closes it afterwards.
pub fn run_with_app(engine: Engine, body: impl AsyncFnOnce(&App)) {
    run(async {
        let app = App::start(engine).await;
        body(&app).await;
        app.close().await;
    });
}

/// Makes three tests of one: the body runs on SQLite, MariaDB and PostgreSQL. It takes a
/// started `app: &App`, or an `engine: Engine` to build its own.
///
/// ```ignore
/// for_each_engine! {
///     // spec: security.md, Codes and tokens, line 1
///     async fn a_code_works_once(app: &App) { … }
///     async fn two_sites_share_nothing(engine: Engine) { … }
/// }
/// ```
/// The tests are called `a_code_works_once::sqlite`, `::mariadb` and `::postgres`.
#[macro_export]
macro_rules! for_each_engine {
    () => {};
    ($(#[$meta:meta])* async fn $name:ident($app:ident: &App) $body:block $($rest:tt)*) => {
        async fn $name($app: &$crate::App) $body
        mod $name {
            $crate::for_each_engine!(@tests $(#[$meta])* engine =>
                $crate::engines::run_with_app(engine, super::$name));
        }
        $crate::for_each_engine! { $($rest)* }
    };
    ($(#[$meta:meta])* async fn $name:ident($engine:ident: Engine) $body:block $($rest:tt)*) => {
        async fn $name($engine: $crate::Engine) $body
        mod $name {
            $crate::for_each_engine!(@tests $(#[$meta])* engine =>
                $crate::engines::run(super::$name(engine)));
        }
        $crate::for_each_engine! { $($rest)* }
    };
    (@tests $(#[$meta:meta])* $engine:ident => $run:expr) => {
        #[test]
        $(#[$meta])*
        fn sqlite() {
            let $engine = $crate::Engine::Sqlite;
            $run;
        }

        #[test]
        $(#[$meta])*
        fn mariadb() {
            let $engine = $crate::Engine::MariaDb;
            $run;
        }

        #[test]
        $(#[$meta])*
        fn postgres() {
            let $engine = $crate::Engine::Postgres;
            $run;
        }
    };
}
