//! Who is let in, and what each may do.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{fs, time::Duration};

use tenure::{Code, Options, Store};
use tenure_server::Server;
use wire::{Client, Reply, Served, config};

const TOKENS: &str = r#"{"tokens":[
  {"name":"board","secret":"board-board-board","grants":[{"scope":"read"}]},
  {"name":"worker","secret":"worker-worker-worker","grants":[{"scope":"claim","groups":["map"]},{"scope":"read","groups":["map"]},
    {"scope":"write","groups":["reduce/"],"tables":["count"]}]},
  {"name":"other","secret":"other-other-other","grants":[{"scope":"claim","groups":["map"]},{"scope":"write","groups":["map"]}]},
  {"name":"root","secret":"root-root-root-root","grants":[{"scope":"admin"}]}]}"#;

fn guarded() -> (Served, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.json");
    fs::write(&path, TOKENS).unwrap();
    let mut config = config();
    config.tokens = Some(path);
    (Served::with(config, &Options::new()), folder)
}

fn call(client: &mut Client, token: &str, method: &str, path: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    client.call(method, path, &[("authorization", &bearer), ("content-type", "application/json")], body)
}

const WORKER: &str = "worker-worker-worker";
const OTHER: &str = "other-other-other";
const ROOT: &str = "root-root-root-root";
const BOARD: &str = "board-board-board";

#[test]
fn without_a_known_token_nothing_is_told_but_health() {
    let (served, _tokens) = guarded();
    let mut client = served.client();
    for path in ["/v1/stats", "/groups", "/metrics", "/v1/watch"] {
        let reply = client.get(path);
        assert_eq!(reply.problem(), (401, "unauthorized".into()), "{path}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        assert_eq!(call(&mut client, "board-board-boarD", "GET", path, "").problem().0, 401);
    }
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(client.get(path).status, 200, "{path}");
    }
}

#[test]
fn whoever_has_a_token_is_named_by_it_in_the_journal() {
    let (served, _tokens) = guarded();
    let mut client = served.client();
    let bearer = format!("Bearer {ROOT}");
    for more in [&[][..], &[("tenure-actor", "web-1:100")]] {
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend(more);
        assert_eq!(client.call("POST", "/v1/update", &headers, r#"{"adds":[{"group":"g"}]}"#).status, 200);
    }
    let log = call(&mut client, ROOT, "GET", "/v1/log", "").json();
    let actors: Vec<_> = log["entries"].as_array().unwrap().iter().map(|entry| entry["actor"].clone()).collect();
    assert_eq!(actors, ["root", "root/web-1:100"]);
}

#[test]
fn a_scope_holds_for_its_groups_and_tables_alone() {
    let (served, _tokens) = guarded();
    served.store.add_many("map", ["a", "b"]).unwrap();
    let theirs = served.store.add("secret", "x").unwrap();
    let mut client = served.client();
    let mut status =
        |token: &str, method: &str, path: &str, body: &str| call(&mut client, token, method, path, body).status;
    let add = |group: &str| format!(r#"{{"adds":[{{"group":"{group}"}}]}}"#);
    let delete = |id: tenure::TaskId| format!(r#"{{"deletes":[{id}]}}"#);
    for (token, method, path, body, expected) in [
        (BOARD, "GET", "/v1/stats", String::new(), 200),
        (BOARD, "POST", "/v1/update", add("map"), 403),
        (BOARD, "POST", "/v1/claim", r#"{"groups":["map"]}"#.into(), 403),
        (BOARD, "POST", "/v1/snapshot", "{}".into(), 403),
        (WORKER, "GET", "/v1/groups/map", String::new(), 200),
        (WORKER, "GET", "/v1/groups/secret", String::new(), 403),
        (WORKER, "GET", "/v1/tasks", String::new(), 403),
        (WORKER, "GET", &format!("/v1/tasks/{}", theirs.id), String::new(), 403),
        (WORKER, "GET", "/v1/stats", String::new(), 403),
        (WORKER, "POST", "/v1/update", add("reduce/1"), 200),
        (WORKER, "POST", "/v1/update", add("map"), 403),
        (WORKER, "POST", "/update", r#"{"clientid":9,"adds":[{"group":"map"}]}"#.into(), 403),
        (WORKER, "POST", "/claim", r#"{"clientid":9,"group":"secret"}"#.into(), 403),
        (WORKER, "POST", "/v1/update", delete(theirs.id), 403),
        (WORKER, "PUT", "/v1/tables/counts/records/k", r#"{"value":"1"}"#.into(), 200),
        (WORKER, "PUT", "/v1/tables/others/records/k", r#"{"value":"1"}"#.into(), 403),
        (ROOT, "PUT", "/v1/tables/_groups/records/map", "{\"value\":\"{}\"}".into(), 200),
        (ROOT, "POST", "/v1/update", delete(theirs.id), 200),
    ] {
        assert_eq!(status(token, method, path, &body), expected, "{token} {method} {path} {body}");
    }
    let groups = call(&mut served.client(), WORKER, "GET", "/v1/groups", "").ok();
    let names: Vec<&str> =
        groups["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["map"], "what it may not read does not show");
}

#[test]
fn a_worker_may_end_what_it_holds_and_nothing_else() {
    let (served, _tokens) = guarded();
    served.store.add("map", "a").unwrap();
    let mut client = served.client();
    let claimed = call(&mut client, WORKER, "POST", "/v1/claim", r#"{"groups":["map"]}"#).ok();
    let id = &claimed["tasks"][0]["id"];
    let end = format!(r#"{{"deletes":[{{"id":{id},"reason":"finished"}}]}}"#);
    let theirs = call(&mut client, OTHER, "POST", "/v1/update", &end);
    assert_eq!(theirs.problem(), (409, "held".into()), "each token has an owner of its own");
    let forced = end.replace("\"finished\"", "\"cancelled\",\"force\":true");
    assert_eq!(call(&mut client, OTHER, "POST", "/v1/update", &forced).problem().0, 403);
    assert_eq!(call(&mut client, WORKER, "POST", "/v1/update", &end).status, 200);
}

#[test]
fn an_owner_belongs_to_the_token_that_used_it_first() {
    let (served, _tokens) = guarded();
    served.store.add_many("map", ["a", "b"]).unwrap();
    let mut client = served.client();
    let claim = r#"{"owner":77,"groups":["map"]}"#;
    assert_eq!(call(&mut client, WORKER, "POST", "/v1/claim", claim).status, 200);
    assert_eq!(call(&mut client, WORKER, "POST", "/v1/claim", claim).status, 200);
    assert_eq!(call(&mut client, OTHER, "POST", "/v1/claim", claim).problem(), (403, "owner_taken".into()));
    let other = r#"{"clientid":77,"group":"map"}"#;
    assert_eq!(call(&mut client, OTHER, "POST", "/claim", other).problem(), (403, "owner_taken".into()));
}

#[test]
fn beyond_this_machine_it_listens_with_tokens_or_on_demand() {
    let mut config = config();
    config.listen = vec!["0.0.0.0:0".parse().unwrap()];
    let refused = Server::start(Store::memory().unwrap(), config.clone()).err().unwrap();
    assert_eq!(refused.code(), Code::Invalid);
    assert!(refused.message().contains("--insecure"));
    config.insecure = true;
    Server::start(Store::memory().unwrap(), config).unwrap().stop();
}

#[test]
fn a_page_of_a_foreign_site_gets_nothing() {
    let served = Served::new();
    served.store.add("g", "x").unwrap();
    let mut client = served.client();
    let body = r#"{"groups":["g"]}"#;
    let json = ("content-type", "application/json");
    // A name that was bound to this address anew, as a browser sends it.
    let rebound = client.call("GET", "/v1/tasks", &[("host", "evil.example:8048")], "");
    assert_eq!(rebound.problem(), (421, "wrong_host".into()));
    let foreign = client.call("POST", "/v1/claim", &[json, ("origin", "https://evil.example")], body);
    assert_eq!(foreign.problem(), (403, "foreign_origin".into()));
    // What a form can send without being asked for.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let form = client.call("POST", "/v1/claim", &[("content-type", kind)], body);
        assert_eq!(form.problem(), (415, "wrong_content_type".into()), "{kind}");
    }
    assert_eq!(client.call("POST", "/v1/claim", &[], body).problem().0, 415);
    assert_eq!(served.store.group("g").unwrap().available, 1, "and nothing has happened");
}

#[test]
fn an_allowed_site_is_told_so() {
    let mut config = config();
    config.origins.push("https://board.example".into());
    let served = Served::with(config, &Options::new());
    let mut client = served.client();
    let origin = ("origin", "https://board.example");
    let asked = client.call("OPTIONS", "/v1/claim", &[origin, ("access-control-request-method", "POST")], "");
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, Some("https://board.example")));
    let read = client.call("GET", "/v1/groups", &[origin], "");
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, Some("https://board.example")));
    let other = client.call("OPTIONS", "/v1/claim", &[("origin", "https://evil.example")], "");
    assert_eq!(other.status, 403);
}

#[test]
fn a_store_that_is_only_looked_at_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = Store::open(&path).unwrap();
    store.add("g", "x").unwrap();
    let looking = Options::new().read_only(true).create(false).open(&path).unwrap();
    let server = Server::start(looking.clone(), config()).unwrap();
    let mut client = Client::new(server.addresses()[0]);
    assert_eq!(client.get("/v1/groups/g").status, 200);
    assert_eq!(client.get("/metrics").status, 200);
    assert_eq!(client.post("/v1/claim", r#"{"groups":["g"]}"#).problem(), (400, "read_only".into()));
    assert_eq!(client.post("/v1/snapshot", "{}").problem().0, 400);
    server.stop();
    looking.close().unwrap();
    assert_eq!(store.group("g").unwrap().available, 1);
    assert!(store.claim_wait(&["g"], Duration::from_mins(1), Duration::ZERO).unwrap().is_some());
    store.close().unwrap();
}

#[test]
fn the_dashboard_comes_from_the_program_and_holds_nothing() {
    let (served, _tokens) = guarded();
    let mut client = served.client();
    assert_eq!(client.get("/").header("location"), Some("/ui"));
    let page = client.get("/ui");
    let text = String::from_utf8(page.body.clone()).unwrap();
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!text.contains("//") && !text.contains("style=") && !text.contains("onclick"), "all of it is its own");
    for path in ["/ui/board.css", "/ui/board.js"] {
        assert!(text.contains(path));
        assert_eq!(client.get(path).status, 200, "{path}");
    }
}
