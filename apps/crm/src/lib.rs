//! The CRM app: tasks of people in sales, an API for their mobile app, and the OAuth Client that
//! the app signs in with.
//!
//! It shows how an app sits on the rest: a DocType in JSON ([`APP`]), methods, an install hook and
//! a patch ([`CODE`]). The binary knows it, the HTTP layer does not. `docs/crm.md` is for those
//! who use it.

pub mod bootstrap;
mod mobile_api;
mod settings;
mod task;

use crema_auth::app_code::{AppCode, AppMethod, AppPatch, MethodScope};
use crema_document::apps::BuiltinApp;

/// Its name.
pub const NAME: &str = "crm";

/// Its DocTypes.
pub static APP: BuiltinApp = BuiltinApp {
    name: NAME,
    version: env!("CARGO_PKG_VERSION"),
    doctypes: &[("crm_task.json", include_str!("../doctypes/crm_task.json"))],
};

/// Its code.
// spec: crm.md, Mobile API and Bootstrap
pub static CODE: AppCode = AppCode {
    name: NAME,
    methods: METHODS,
    after_install: |ctx| Box::pin(bootstrap::quietly(ctx)),
    patches: &[AppPatch {
        name: "crm.patches.v1_0.ensure_mobile_oauth_and_tokens",
        run: |ctx| Box::pin(bootstrap::quietly(ctx)),
    }],
};

/// Reading may come by POST, as SDKs do it.
const READ: &str = "GET, HEAD, POST";
const WRITE: &str = "POST";

const METHODS: &[AppMethod] = &[
    AppMethod {
        name: "crm.api.mobile_api.home_tasks",
        allow: READ,
        scope: MethodScope::Documents,
        about: "Tasks that start today, the most urgent first.",
        arguments: &["limit"],
        run: |call| Box::pin(mobile_api::home_tasks(call)),
    },
    AppMethod {
        name: "crm.api.mobile_api.filter_tasks",
        allow: READ,
        scope: MethodScope::Documents,
        about: "Tasks by start date, priority and status.",
        arguments: &[
            "date_from",
            "date_to",
            "importance",
            "status",
            "limit",
            "offset",
        ],
        run: |call| Box::pin(mobile_api::filter_tasks(call)),
    },
    AppMethod {
        name: "crm.api.mobile_api.main_page_buckets",
        allow: READ,
        scope: MethodScope::Documents,
        about: "Tasks of today, late ones and those to come, each in one place.",
        arguments: &["min_each"],
        run: |call| Box::pin(mobile_api::main_page_buckets(call)),
    },
    AppMethod {
        name: "crm.api.mobile_api.create_task",
        allow: WRITE,
        scope: MethodScope::Documents,
        about: "Makes a task.",
        arguments: task::FIELDS,
        run: |call| Box::pin(mobile_api::create_task(call)),
    },
    AppMethod {
        name: "crm.api.mobile_api.edit_task",
        allow: WRITE,
        scope: MethodScope::Documents,
        about: "Changes a task.",
        arguments: task::EDITED,
        run: |call| Box::pin(mobile_api::edit_task(call)),
    },
    AppMethod {
        name: "crm.api.mobile_api.update_status",
        allow: WRITE,
        scope: MethodScope::Documents,
        about: "Changes how far a task is.",
        arguments: &["task_id", "status"],
        run: |call| Box::pin(mobile_api::update_status(call)),
    },
    AppMethod {
        name: "crm.api.mobile_api.delete_task",
        allow: WRITE,
        scope: MethodScope::Documents,
        about: "Removes a task.",
        arguments: &["task_id"],
        run: |call| Box::pin(mobile_api::delete_task(call)),
    },
    AppMethod {
        name: "crm.setup.oauth_bootstrap.bootstrap_site",
        allow: WRITE,
        scope: MethodScope::Method,
        about: "Makes the site's Mobile App client, or brings it up to date.",
        arguments: &["print_client_secret", "generate_user_keys"],
        run: |call| Box::pin(bootstrap::method(call)),
    },
];
