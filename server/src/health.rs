//! Whether the service runs, and whether the store can be used through it.

use std::{sync::Arc, time::Duration};

use hyper::StatusCode;
use serde_json::json;
use tenure::Store;

use crate::{app::App, call::Call, problem::Problem, respond, route::Answer};

/// A store that takes longer to answer is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// It runs, since it answers.
#[allow(clippy::unused_async, reason = "every handler is")]
pub async fn alive(_: Arc<App>, _: Box<Call>) -> Answer {
    Ok(respond::json(&json!({"status": "ok"})))
}

/// The store answers a read, and the service is not about to end.
pub async fn ready(app: Arc<App>, _: Box<Call>) -> Answer {
    let not = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why);
    if *app.stopping.borrow() {
        return Err(not("the service is stopping".into()));
    }
    match tokio::time::timeout(PATIENCE, app.read(Store::revision)).await {
        Ok(Ok(_)) => Ok(respond::json(&json!({"status": "ok"}))),
        Ok(Err(problem)) => Err(not(problem.detail().to_owned())),
        Err(_) => Err(not(format!("the store has not answered for {} s", PATIENCE.as_secs()))),
    }
}
