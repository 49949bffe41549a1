//! Every path and what it does, in one table: requests are dispatched by it, and the description of the API is made
//! from it.

use std::{future::Future, pin::Pin, sync::Arc};

use hyper::{Method, Response, StatusCode, header::ALLOW};

use crate::{
    app::App,
    body::Body,
    call::{Call, decode},
    health, metrics, openapi,
    problem::Problem,
    taskstore, ui, v1,
};

/// What a handler answers.
pub type Answer = Result<Response<Body>, Problem>;

type Running = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One path, one method.
pub struct Route {
    pub method: Method,
    /// `{name}` stands for one part of the path.
    pub path: &'static str,
    /// What it does once the body has come.
    pub run: fn(Arc<App>, Box<Call>) -> Running,
    /// What it does, on one line.
    pub about: &'static str,
    /// What its query may name, each as `name:type`.
    pub query: &'static [&'static str],
    /// The schema of its body, empty for none.
    pub body: &'static str,
    /// The schema of its answer, or its media type.
    pub answer: &'static str,
}

/// Those that need no token: they say nothing of what is in the store.
const OPEN: &[&str] = &["/healthz", "/readyz", "/openapi.json", "/", "/ui", "/ui/{file}"];

impl Route {
    /// Whether it needs no token.
    pub fn is_open(&self) -> bool {
        OPEN.contains(&self.path)
    }
}

macro_rules! routes {
    ($($method:ident $path:literal $handler:path, $about:literal, [$($query:literal),*], $body:literal, $answer:literal;)*) => {
        /// Every route.
        pub static ROUTES: &[Route] = &[$(Route {
            method: Method::$method,
            path: $path,
            run: |app, call| Box::pin(async move {
                let call = call.read(&app).await?;
                $handler(app, call).await
            }),
            about: $about,
            query: &[$($query),*],
            body: $body,
            answer: $answer,
        },)*];
    };
}

routes! {
    POST "/v1/update" v1::commit::update, "Commit a transaction: all of it, or nothing", [], "Request", "Committed";
    POST "/v1/claim" v1::commit::claim, "Claim tasks for a lease; waits for one at most `wait` ms", [], "Claim", "Committed";
    GET "/v1/tasks" v1::tasks::list, "Tasks by their ids, or a page of those that a filter lets through",
        ["ids:string", "group:string", "state:state", "after:integer", "limit:page"], "", "Tasks";
    GET "/v1/tasks/{id}" v1::tasks::by_id, "A task", [], "", "Task";
    GET "/v1/origins/{id}" v1::tasks::by_origin, "The live task that an add began, under whatever id it has by now", [], "", "Task";
    GET "/v1/groups" v1::tasks::groups, "The groups that have tasks, with counts", [], "", "Groups";
    GET "/v1/groups/{name}" v1::tasks::group, "A group; with empty_within the answer waits until it has no tasks",
        ["empty_within:integer"], "", "Group";
    GET "/v1/groups/{name}/keys/{key}" v1::tasks::by_key, "The live task of a group that has a key", [], "", "Task";
    PUT "/v1/groups/{name}/paused" v1::tasks::pause, "Whether claims skip a group", [], "Paused", "Revision";
    GET "/v1/tables" v1::records::tables, "The names of the tables that have records", [], "", "Tables";
    GET "/v1/tables/{table}/records" v1::records::list, "A page of a table's records, by key",
        ["prefix:string", "after:string", "limit:page"], "", "Records";
    GET "/v1/tables/{table}/records/{key}" v1::records::get, "A record", [], "", "Record";
    PUT "/v1/tables/{table}/records/{key}" v1::records::put, "Write a record, under If-Match or If-None-Match: * where asked",
        [], "Value", "Revision";
    DELETE "/v1/tables/{table}/records/{key}" v1::records::remove, "Remove a record, under If-Match where asked", [], "", "Revision";
    POST "/v1/tables/{table}/records/{key}/increment" v1::records::increment, "Add to a number", [], "Increment", "Counted";
    GET "/v1/watch" v1::events::watch, "What happens, as server-sent events", ["after:integer"], "", "text/event-stream";
    GET "/v1/log" v1::events::log, "Who did what", ["task:integer", "owner:integer", "by:string", "after:integer", "limit:page"],
        "", "Log";
    GET "/v1/store" v1::upkeep::store, "Which store it is, and how it is asked: what a client begins with", [], "", "Store";
    POST "/v1/check" v1::commit::check, "Whether records are as they were read, at one moment", [], "Check", "Committed";
    GET "/v1/stats" v1::upkeep::stats, "Numbers about the store", [], "", "Stats";
    POST "/v1/snapshot" v1::upkeep::snapshot, "Take a snapshot", [], "Empty", "Revision";
    POST "/v1/flush" v1::upkeep::flush, "Wait until all that was answered is on stable storage", [], "Empty", "Empty";
    GET "/v1/backup" v1::upkeep::backup, "A verified copy of the store, as one file", [], "", "application/octet-stream";
    GET "/healthz" health::alive, "Whether the service runs", [], "", "Health";
    GET "/readyz" health::ready, "Whether the store can be used through it", [], "", "Health";
    GET "/metrics" metrics::answer, "Numbers for Prometheus", [], "", "application/openmetrics-text";
    GET "/" ui::root, "To the dashboard", [], "", "text/html";
    GET "/ui" ui::page, "The dashboard", [], "", "text/html";
    GET "/ui/{file}" ui::part, "How the dashboard looks, and what it does", [], "", "text/javascript";
    GET "/openapi.json" openapi::answer, "This description", [], "", "application/json";
    POST "/update" taskstore::update, "TaskStore: add, change and delete tasks", [], "TaskStoreUpdate", "TaskStoreAnswer";
    POST "/claim" taskstore::claim, "TaskStore: claim a task", [], "TaskStoreClaim", "TaskStoreAnswer";
    GET "/groups" taskstore::groups, "TaskStore: the names of the groups", [], "", "TaskStoreGroups";
    GET "/task/{id}" taskstore::task, "TaskStore: a task, or null", [], "", "TaskStoreTask";
    GET "/tasks/{ids}" taskstore::tasks, "TaskStore: tasks by their ids, in that order", [], "", "TaskStoreTasks";
    GET "/group/{name}" taskstore::group, "TaskStore: the tasks of a group", ["limit:integer", "owned:flag"], "", "TaskStoreTasks";
}

/// The parts of a path that stand at the pattern's variable places, or nothing where it does not match.
fn parts<'p>(pattern: &str, path: &'p str) -> Option<Vec<&'p str>> {
    let mut found = Vec::new();
    let mut given = path.split('/');
    for wanted in pattern.split('/') {
        let part = given.next()?;
        if wanted.starts_with('{') {
            if part.is_empty() {
                return None;
            }
            found.push(part);
        } else if part != wanted {
            return None;
        }
    }
    given.next().is_none().then_some(found)
}

/// Finds the route of a request, and what stands at its variable places.
pub fn find(method: &Method, path: &str) -> Result<(&'static Route, Vec<String>), Problem> {
    // Most paths stand in the table as they are.
    if let Some(route) = ROUTES.iter().find(|route| route.path == path && route.method == *method) {
        return Ok((route, Vec::new()));
    }
    let mut others = Vec::new();
    for route in ROUTES {
        let Some(parts) = parts(route.path, path) else { continue };
        if route.method == *method || (*method == Method::HEAD && route.method == Method::GET) {
            return Ok((route, parts.into_iter().map(decode).collect::<Result<_, _>>()?));
        }
        others.push(route.method.as_str());
    }
    if others.is_empty() {
        let why = format!("there is nothing at {path:.200}: /openapi.json lists what there is");
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_route", why));
    }
    let allowed = others.join(", ");
    let why = format!("{path:.200} takes {allowed}, not {method:.20}", method = method.as_str());
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", why).with_header(ALLOW, &allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_part_by_part_and_decoded() {
        let found = |method: Method, path: &str| find(&method, path).map(|(route, parts)| (route.path, parts));
        let named = |path, parts: &[&str]| (path, parts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(found(Method::GET, "/groups").unwrap(), named("/groups", &[]));
        assert_eq!(found(Method::GET, "/group/a%2Fb%20c").unwrap(), named("/group/{name}", &["a/b c"]));
        assert_eq!(found(Method::HEAD, "/task/7").unwrap(), named("/task/{id}", &["7"]));
        for (path, status) in
            [("/group/", 404), ("/group", 404), ("/group/a/b", 404), ("/v1", 404), ("/group/%ff", 400)]
        {
            assert_eq!(found(Method::GET, path).unwrap_err().status.as_u16(), status, "{path}");
        }
        assert_eq!(found(Method::GET, "/update").unwrap_err().status.as_u16(), 405);
    }
}
