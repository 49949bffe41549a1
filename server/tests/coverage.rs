//! All that the embedded store can do, the service can do.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{collections::BTreeMap, fs, path::Path};

use wire::Served;

/// Every public method of a store, and the route that does it, or why there is none.
const METHODS: &[(&str, &str)] = &[
    ("actor", "GET /v1/store"),
    ("add", "POST /v1/update"),
    ("add_many", "POST /v1/update"),
    ("add_task", "POST /v1/update"),
    ("begin", "POST /v1/update"),
    ("by_key", "GET /v1/groups/{name}/keys/{key}"),
    ("cancel", "POST /v1/update"),
    ("check", "POST /v1/check"),
    ("claim", "POST /v1/claim"),
    ("claim_many", "POST /v1/claim"),
    ("claim_now", "POST /v1/claim"),
    ("claim_until", "POST /v1/claim"),
    ("claim_wait", "POST /v1/claim"),
    ("claims", "an iterator over claims that renew themselves: it is the client's"),
    ("close", "the service's own, at its end"),
    ("digest", "GET /v1/stats"),
    ("fail", "POST /v1/update"),
    ("find", "GET /v1/origins/{id}"),
    ("finish", "POST /v1/update"),
    ("flush", "POST /v1/flush"),
    ("get", "GET /v1/tables/{table}/records/{key}"),
    ("group", "GET /v1/groups/{name}"),
    ("groups", "GET /v1/groups"),
    ("here", "a question about forks, which a service has none of"),
    ("hold", "a lease that renews itself: it is the client's"),
    ("identity", "GET /v1/store"),
    ("increment", "POST /v1/tables/{table}/records/{key}/increment"),
    ("memory", "opens a store: the service has one"),
    ("move_to", "POST /v1/update"),
    ("now", "GET /v1/store"),
    ("open", "opens a store: the service has one"),
    ("owner", "GET /v1/stats"),
    ("path", "a path means nothing on another machine"),
    ("pause", "PUT /v1/groups/{name}/paused"),
    ("post", "POST /v1/update"),
    ("post_claim", "POST /v1/claim"),
    ("post_in_rounds", "how the service itself asks the store"),
    ("post_round", "how the service itself asks the store"),
    ("put", "PUT /v1/tables/{table}/records/{key}"),
    ("put_record", "PUT /v1/tables/{table}/records/{key}"),
    ("release", "POST /v1/update"),
    ("remove", "DELETE /v1/tables/{table}/records/{key}"),
    ("renew", "POST /v1/update"),
    ("requeue", "POST /v1/update"),
    ("revision", "GET /v1/stats"),
    ("scan", "GET /v1/tables/{table}/records"),
    ("snapshot", "POST /v1/snapshot"),
    ("stats", "GET /v1/stats"),
    ("tables", "GET /v1/tables"),
    ("task", "GET /v1/tasks/{id}"),
    ("tasks", "GET /v1/tasks"),
    ("tasks_by_id", "GET /v1/tasks"),
    ("transact", "POST /v1/update"),
    ("transact_with", "POST /v1/update"),
    ("transaction", "POST /v1/update"),
    ("update", "POST /v1/update"),
    ("upgrade", "locks older programs out: done where the store is, with tenure upgrade"),
    ("wait_empty", "GET /v1/groups/{name}"),
    ("wait_empty_unless", "GET /v1/groups/{name}"),
    ("watch", "GET /v1/watch"),
    ("weak", "reads of a replica: what a service sees is nearly always the newest"),
];

/// The public methods in `impl Store` blocks of a source text.
fn methods(text: &str, found: &mut Vec<String>) {
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("impl ") {
            inside = line.starts_with("impl Store {");
        }
        if line == "}" {
            inside = false;
        }
        if let Some(rest) = line.strip_prefix("    pub fn ").filter(|_| inside) {
            found.extend(rest.split(['(', '<']).next().map(ToOwned::to_owned));
        }
    }
}

#[test]
fn every_method_of_a_store_has_a_route_or_a_reason() {
    let mut found = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src/store");
    for entry in fs::read_dir(folder).unwrap() {
        methods(&fs::read_to_string(entry.unwrap().path()).unwrap(), &mut found);
    }
    found.sort_unstable();
    found.dedup();
    let table: BTreeMap<&str, &str> = METHODS.iter().copied().collect();
    let missing: Vec<&String> = found.iter().filter(|name| !table.contains_key(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}: give each a route, or its row in METHODS a reason");
    let gone: Vec<&&str> = table.keys().filter(|name| !found.iter().any(|found| found == *name)).collect();
    assert!(gone.is_empty(), "{gone:?} are no methods any more");
    let described = Served::new().get("/openapi.json");
    for (name, route) in METHODS.iter().filter(|(_, route)| route.contains(" /")) {
        let (method, path) = route.split_once(' ').unwrap();
        assert!(described["paths"][path][method.to_lowercase()].is_object(), "{name}: {route}");
    }
}
