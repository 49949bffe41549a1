//! The full API over a real socket.
#![allow(clippy::unwrap_used)]

mod wire;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenure::Options;
use wire::{Client, Reply, Served};

#[test]
fn a_task_goes_its_way_in_the_common_spelling() {
    let served = Served::new();
    let added = served
        .post("/v1/update", r#"{"adds":[{"group":"map","data":"part-1","key":"p1"},{"group":"map","delay":60000}]}"#);
    let task = &added["tasks"][0];
    assert_eq!(task["data"], "part-1");
    let path = format!("/v1/tasks/{}", task["id"]);
    assert_eq!(served.get(&path), *task);
    assert_eq!(served.get("/v1/groups/map/keys/p1"), *task);
    let claimed = served.post("/v1/claim", r#"{"owner":7,"groups":["none","map"],"lease":60000}"#);
    let held = &claimed["tasks"][0];
    assert_eq!((&held["owner"], &held["attempt"], &held["origin"]), (&json!(7), &json!(1), &task["id"]));
    assert_eq!(served.get(&format!("/v1/origins/{}", task["id"])), *held);
    assert_eq!(served.client().get(&path).problem(), (404, "not_found".into()));
    let group = served.get("/v1/groups/map");
    assert_eq!((&group["tasks"], &group["held"], &group["delayed"]), (&json!(2), &json!(1), &json!(1)));
    let groups = served.get("/v1/groups");
    assert_eq!(groups["groups"][0], group);
    assert!(groups["now"].is_u64());
    let done =
        served.post("/v1/update", &format!(r#"{{"owner":7,"deletes":[{{"id":{},"reason":"finished"}}]}}"#, held["id"]));
    assert_eq!(done["tasks"], json!([]));
    let late = served.client().post("/v1/update", &format!(r#"{{"owner":7,"deletes":[{}]}}"#, held["id"]));
    assert_eq!(late.problem(), (409, "missing_task".into()));
    let late = late.json();
    assert_eq!(
        (&late["kind"], &late["outcome"], &late["retry"]),
        (&json!("rejected"), &json!("refused"), &json!("no"))
    );
    assert_eq!(late["details"]["missing_deletes"][0]["fate"]["reason"], "finished");
}

#[test]
fn tasks_are_listed_page_by_page() {
    let served = Served::new();
    served.store.add_many("a", (0..25).map(|n| n.to_string())).unwrap();
    served.store.add_many("b", ["x"]).unwrap();
    let (mut after, mut found) = (0, 0);
    loop {
        let page = served.get(&format!("/v1/tasks?group=a&limit=10&after={after}"));
        found += page["tasks"].as_array().unwrap().len();
        let Some(next) = page["next"].as_u64() else { break };
        after = next;
    }
    assert_eq!(found, 25);
    let some = served.get("/v1/tasks?ids=26,99,1");
    assert_eq!(
        (&some["tasks"][0]["group"], &some["tasks"][1], &some["tasks"][2]["data"]),
        (&json!("b"), &json!(null), &json!("0"))
    );
    assert_eq!(served.get("/v1/tasks?state=held")["tasks"], json!([]));
    for query in ["state=lost", "limit=0", "limit=10001", "grop=a", "after=x", "ids=1,x", "after=9007199254740992"] {
        assert_eq!(served.client().get(&format!("/v1/tasks?{query}")).problem(), (400, "invalid".into()), "{query}");
    }
}

#[test]
fn unknown_fields_are_refused_by_name() {
    let served = Served::new();
    let mut client = served.client();
    for (path, body, name) in [
        ("/v1/update", r#"{"addz":[]}"#, "addz"),
        ("/v1/update", r#"{"adds":[{"group":"g","dely":5}]}"#, "dely"),
        ("/v1/claim", r#"{"groups":["g"],"leese":5}"#, "leese"),
        ("/v1/tables/t/records/k/increment", r#"{"by":1,"to":2}"#, "to"),
    ] {
        let reply = client.post(path, body);
        assert_eq!(reply.problem(), (400, "invalid".into()));
        assert!(reply.json()["detail"].as_str().unwrap().contains(name), "{:?}", reply.json());
    }
}

#[test]
fn a_repeat_with_the_same_request_id_is_committed_once() {
    let served = Served::new();
    let body = r#"{"request_id":"r1","adds":[{"group":"g"}]}"#;
    let first = served.post("/v1/update", body);
    let again = served.post("/v1/update", body);
    assert_eq!((&again["tasks"], &again["repeated"]), (&first["tasks"], &json!(true)));
    let mut client = served.client();
    let headers = [("content-type", "application/json"), ("idempotency-key", "r2")];
    for _ in 0..2 {
        assert_eq!(client.call("POST", "/update", &headers, r#"{"clientid":3,"adds":[{"group":"g"}]}"#).status, 200);
    }
    assert_eq!(served.get("/v1/groups/g")["tasks"], 2);
    let other = client.post("/v1/update", r#"{"request_id":"r1","adds":[{"group":"other"}]}"#);
    assert_eq!(other.problem(), (400, "request_reused".into()));
    let claim = r#"{"request_id":"c","owner":4,"groups":["g"]}"#;
    let first = served.post("/v1/claim", claim);
    assert_eq!(served.post("/v1/claim", claim)["tasks"], first["tasks"]);
}

#[test]
fn a_claim_waits_until_a_task_comes_or_its_time_is_up() {
    let served = Served::new();
    let mut waiting = served.client();
    waiting.send("POST", "/v1/claim", &[("content-type", "application/json")], r#"{"groups":["g"],"wait":30000}"#);
    let began = Instant::now();
    assert_eq!(served.post("/v1/claim", r#"{"groups":["g"],"wait":50}"#)["tasks"], json!([]));
    // The store's clock counts whole milliseconds.
    assert!(began.elapsed() > Duration::from_millis(49));
    served.store.add("g", "late").unwrap();
    assert_eq!(waiting.reply().unwrap().ok()["tasks"][0]["data"], "late");
}

#[test]
fn a_closed_connection_takes_nothing() {
    let served = Served::new();
    for _ in 0..20 {
        let mut waiting = served.client();
        waiting.send("POST", "/v1/claim", &[("content-type", "application/json")], r#"{"groups":["g"],"wait":30000}"#);
        drop(waiting);
    }
    served.store.add("g", "x").unwrap();
    let claimed = served.post("/v1/claim", r#"{"groups":["g"],"wait":10000}"#);
    assert_eq!(claimed["tasks"][0]["data"], "x", "whoever left it gave it back");
}

#[test]
fn records_have_entity_tags() {
    let served = Served::new();
    let mut client = served.client();
    let path = "/v1/tables/t/records/a%2Fb";
    let put = |client: &mut Client, headers: &[(&str, &str)], value: &str| -> Reply {
        let headers: Vec<_> =
            [("content-type", "application/json")].into_iter().chain(headers.iter().copied()).collect();
        client.call("PUT", path, &headers, &format!(r#"{{"value":"{value}"}}"#))
    };
    assert_eq!(client.get(path).problem(), (404, "not_found".into()));
    let first = put(&mut client, &[("if-none-match", "*")], "one");
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.status, 200);
    let read = client.get(path);
    assert_eq!((read.header("etag").unwrap(), &read.json()["value"]), (tag.as_str(), &json!("one")));
    assert_eq!(client.call("GET", path, &[("if-none-match", &tag)], "").status, 304);
    assert_eq!(put(&mut client, &[("if-none-match", "*")], "no").problem(), (412, "stale_record".into()));
    let second = put(&mut client, &[("if-match", &tag)], "two");
    assert_eq!(second.status, 200);
    assert_eq!(put(&mut client, &[("if-match", &tag)], "no").problem(), (412, "stale_record".into()));
    assert_eq!(put(&mut client, &[("if-match", "W/x")], "no").problem(), (400, "invalid".into()));
    assert_eq!(client.get("/v1/tables").ok(), json!({"tables": ["t"]}));
    assert_eq!(client.get("/v1/tables/t/records?prefix=a").ok()["records"][0]["value"], "two");
    assert_eq!(client.call("DELETE", path, &[("if-match", &tag)], "").problem(), (412, "stale_record".into()));
    assert_eq!(client.call("DELETE", path, &[], "").status, 200);
    assert_eq!(client.get("/v1/tables").ok(), json!({"tables": []}));
    assert_eq!(client.post("/v1/tables/n/records/x/increment", r#"{"by":5}"#).ok()["value"], 5);
    let beyond = client.post("/v1/tables/n/records/x/increment", r#"{"by":-6,"min":0}"#);
    assert_eq!(beyond.problem(), (409, "bounds".into()));
}

#[test]
fn a_paused_group_is_skipped_and_keeps_its_other_settings() {
    let served = Served::new();
    served.store.add("g", "x").unwrap();
    served.store.put("_groups", "g", r#"{"note":"mine"}"#).unwrap();
    let mut client = served.client();
    let json = [("content-type", "application/json")];
    assert_eq!(client.call("PUT", "/v1/groups/g/paused", &json, r#"{"paused":true}"#).status, 200);
    assert_eq!(served.post("/v1/claim", r#"{"groups":["g"]}"#)["tasks"], json!([]));
    assert_eq!(served.get("/v1/groups/g")["paused"], true);
    assert_eq!(client.call("PUT", "/v1/groups/g/paused", &json, r#"{"paused":false}"#).status, 200);
    assert_eq!(served.store.get("_groups", "g").unwrap().unwrap().value.text(), Some(r#"{"note":"mine"}"#));
    assert_eq!(client.call("PUT", "/v1/groups/g/paused", &json, r#"{"paused":1}"#).problem(), (400, "invalid".into()));
}

#[test]
fn waiting_for_an_empty_group_ends_when_it_is_empty() {
    let served = Served::new();
    let task = served.store.add("g", "x").unwrap();
    assert_eq!(served.get("/v1/groups/g?empty_within=20")["tasks"], 1);
    let mut waiting = served.client();
    waiting.send("GET", "/v1/groups/g?empty_within=30000", &[], "");
    served.store.finish(&task).unwrap();
    assert_eq!(waiting.reply().unwrap().ok()["tasks"], 0);
}

/// The next event that is no pulse: its id, name and data.
fn event(client: &mut Client, rest: &mut String) -> (u64, String, Value) {
    loop {
        while let Some(at) = rest.find("\n\n") {
            let text: String = rest.drain(..at + 2).collect();
            let field = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                line.map(ToOwned::to_owned)
            };
            if let Some(data) = field("data") {
                let id = field("id").unwrap().parse().unwrap();
                return (id, field("event").unwrap(), serde_json::from_str(&data).unwrap());
            }
        }
        rest.push_str(std::str::from_utf8(&client.chunk().expect("more events")).unwrap());
    }
}

#[test]
fn a_watch_is_resumed_where_it_was_left() {
    let served = Served::new();
    served.store.add("g", "first").unwrap();
    let mut client = served.client();
    client.send("GET", "/v1/watch", &[], "");
    assert_eq!(client.head().unwrap().0, 200);
    let mut rest = String::new();
    let (begin, name, _) = event(&mut client, &mut rest);
    assert_eq!((begin, name.as_str()), (served.store.revision().unwrap().0, "start"));
    served.store.add("g", "second").unwrap();
    let (id, name, data) = event(&mut client, &mut rest);
    assert_eq!((id, name.as_str()), (begin + 1, "entry"));
    assert_eq!((&data["changes"][0]["kind"], &data["changes"][0]["group"]), (&json!("added"), &json!("g")));
    drop(client);
    for n in 0..300 {
        served.store.put("t", "k", n.to_string()).unwrap();
    }
    let mut client = served.client();
    client.send("GET", "/v1/watch", &[("last-event-id", &id.to_string())], "");
    client.head().unwrap();
    let mut rest = String::new();
    assert_eq!(event(&mut client, &mut rest).1, "start");
    for n in 1..=300 {
        assert_eq!(event(&mut client, &mut rest).0, id + n, "no gap and no double");
    }
    served.store.put("t", "k", "live").unwrap();
    assert_eq!(event(&mut client, &mut rest).0, id + 301);
}

#[test]
fn a_watch_from_before_the_journal_is_gone() {
    let served = Served::with(wire::config(), &Options::new().segment_bytes(4096));
    for n in 0..3 {
        for _ in 0..20 {
            served.store.put("t", "k", n.to_string().repeat(1000)).unwrap();
        }
        served.store.snapshot().unwrap();
    }
    let gone = served.client().get("/v1/watch?after=0");
    assert_eq!(gone.problem(), (410, "truncated".into()));
    let oldest = gone.json()["revision"].as_u64().unwrap();
    assert!(oldest > 0);
    assert_eq!(
        {
            let mut client = served.client();
            client.send("GET", &format!("/v1/watch?after={oldest}"), &[], "");
            client.head().unwrap().0
        },
        200
    );
}

#[test]
fn the_log_tells_what_became_of_a_task() {
    let served = Served::new();
    let task = served.store.add("g", "x").unwrap();
    served.store.add("g", "other").unwrap();
    let held = served.store.claim(&["g"], Duration::from_mins(1)).unwrap().unwrap();
    served.store.finish(&held).unwrap();
    let log = served.get(&format!("/v1/log?task={}", held.origin));
    let kinds: Vec<&Value> =
        log["entries"].as_array().unwrap().iter().map(|entry| &entry["changes"][0]["kind"]).collect();
    assert_eq!(kinds, ["added", "changed", "removed"]);
    assert!(task.id.0 > 0);
    assert_eq!(served.get("/v1/log?limit=1")["next"], log["entries"][0]["revision"].as_u64().unwrap().min(1));
}

#[test]
fn entries_and_refusals_name_the_caller() {
    let served = Served::new();
    let mut client = served.client();
    let mut by = |actor: &str, method: &str, path: &str, body: &str| {
        client.call(method, path, &[("tenure-actor", actor), ("content-type", "application/json")], body)
    };
    by("web-1:100", "POST", "/v1/update", r#"{"owner":5,"adds":[{"group":"g","data":"x"}]}"#);
    by("web-2:311", "POST", "/v1/claim", r#"{"owner":7,"groups":["g"]}"#);
    by("web-1:100", "PUT", "/v1/groups/g/paused", r#"{"paused":true}"#);
    by("web-3:4", "PUT", "/v1/tables/t/records/k", r#"{"value":"v"}"#);
    by("web-3:4", "POST", "/v1/tables/t/records/n/increment", r#"{"by":2}"#);
    let refused = by("web-1:100", "POST", "/v1/update", r#"{"owner":5,"deletes":[2]}"#);
    assert_eq!(refused.problem(), (409, "held".into()));
    let said = refused.json()["detail"].to_string();
    assert!(said.contains("owner 7 (web-2:311)"), "{said}");
    by("go:1", "POST", "/update", r#"{"clientid":7,"deletes":[2]}"#);
    served.post("/v1/update", r#"{"owner":5,"adds":[{"group":"g"}]}"#);
    let log = served.get("/v1/log");
    let actors: Vec<&str> =
        log["entries"].as_array().unwrap().iter().map(|entry| entry["actor"].as_str().unwrap()).collect();
    let service = served.store.actor();
    assert_eq!(actors, ["web-1:100", "web-2:311", "web-1:100", "web-3:4", "web-3:4", "go:1", service], "{log}");
    let refused = by(&"x".repeat(300), "POST", "/v1/update", r#"{"adds":[{"group":"g"}]}"#);
    assert_eq!(refused.problem(), (400, "over_limit".into()));
}

#[test]
fn numbers_snapshots_and_backups_are_to_be_had() {
    let served = Served::new();
    served.store.add_many("g", ["a", "b"]).unwrap();
    assert_eq!(served.get("/v1/stats")["tasks"], 2);
    assert!(served.post("/v1/snapshot", "{}")["revision"].as_u64().unwrap() > 0);
    served.post("/v1/flush", "{}");
    let backup = served.client().get("/v1/backup");
    assert_eq!(backup.status, 200);
    let file = served.folder.path().join("copy");
    std::fs::write(&file, &backup.body).unwrap();
    tenure::backup::Backup::restore(&file, &served.folder.path().join("restored")).unwrap();
    let restored = Options::new().open(served.folder.path().join("restored")).unwrap();
    assert_eq!(restored.group("g").unwrap().tasks, 2);
    restored.close().unwrap();
}

#[test]
fn it_says_whether_it_is_well_and_what_it_offers() {
    let served = Served::new();
    assert_eq!(served.get("/healthz"), json!({"status": "ok"}));
    assert_eq!(served.get("/readyz"), json!({"status": "ok"}));
    let described = served.get("/openapi.json");
    assert_eq!(described["openapi"], "3.1.0");
    assert!(described["paths"]["/v1/claim"]["post"].is_object());
    served.store.close().unwrap();
    assert_eq!(served.client().get("/readyz").problem(), (503, "not_ready".into()));
    assert_eq!(served.get("/healthz"), json!({"status": "ok"}));
}
