//! TaskStore's own API, as it was published.
#![allow(clippy::unwrap_used)]

mod wire;

use serde_json::json;
use wire::Served;

#[test]
fn tasks_are_added_read_claimed_changed_and_deleted() {
    let served = Served::new();
    assert_eq!(served.get("/groups"), json!([]));
    let before = served.store.now();
    let added = served.post(
        "/update",
        r#"{"clientid":1643,"adds":[{"group":"map","data":"/a:0:10"},{"group":"a/b c","timespec":1388552400000},
            {"group":"map","data":"later","timespec":-60000,"id":7}]}"#,
    );
    let tasks = added["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 3);
    assert_eq!(tasks[0]["data"], "/a:0:10");
    assert!(tasks[0]["timespec"].as_u64().unwrap() >= before, "an omitted time is now");
    assert_eq!(tasks[1]["timespec"], 1_388_552_400_000_u64);
    assert_eq!(tasks[1]["data"], "", "omitted data is empty");
    assert!(tasks[2]["timespec"].as_u64().unwrap() >= before + 60_000, "a negative time is relative to now");
    assert!(added.get("errors").is_none());

    assert_eq!(served.get("/groups"), json!(["a/b c", "map"]));
    let id = tasks[0]["id"].as_u64().unwrap();
    assert_eq!(served.get(&format!("/task/{id}")), tasks[0]);
    let second = tasks[1]["id"].as_u64().unwrap();
    assert_eq!(served.get(&format!("/tasks/{second},999,{id}")), json!([tasks[1], null, tasks[0]]));
    assert_eq!(served.get("/task/999"), json!(null));
    assert_eq!(served.get("/group/a%2Fb%20c"), json!([tasks[1]]));

    let claimed = served.post("/claim", r#"{"clientid":5,"group":"map","duration":60000,"depends":[]}"#);
    let claimed = &claimed["tasks"][0];
    assert_eq!((&claimed["data"], &claimed["ownerid"]), (&json!("/a:0:10"), &json!(5)));
    assert!(claimed["timespec"].as_u64().unwrap() >= before + 60_000);
    let held = claimed["id"].as_u64().unwrap();
    let none = served.post("/claim", r#"{"clientid":6,"group":"map","duration":60000}"#);
    assert_eq!(none, json!({"tasks": []}), "nothing is available");

    let refused = served.post(
        "/update",
        &format!(r#"{{"clientid":6,"updates":[{{"id":{held}}}],"deletes":[{id},-4],"depends":[888]}}"#),
    );
    assert!(refused.get("tasks").is_none());
    let refused = served
        .post("/update", &format!(r#"{{"clientid":6,"updates":[{{"id":{held}}}],"deletes":[{id}],"depends":[888]}}"#));
    assert_eq!(refused["errors"].as_array().unwrap().len(), 3, "every reason: {refused}");
    assert!(refused.get("tasks").is_none());

    let changed = served.post(
        "/update",
        &format!(r#"{{"clientid":5,"updates":[{{"id":{held},"timespec":-120000}}],"depends":[{second}]}}"#),
    );
    let changed = &changed["tasks"][0];
    assert_eq!(changed["data"], "", "an update without data empties it");
    assert_eq!(changed["ownerid"], 5, "and a later time renews the claim");
    let done = served.post("/update", &format!(r#"{{"clientid":5,"deletes":[{}]}}"#, changed["id"]));
    assert_eq!(done, json!({"tasks": []}));
}

#[test]
fn a_group_lists_what_is_free_or_with_owned_all() {
    let served = Served::new();
    served.post("/update", r#"{"clientid":1,"adds":[{"group":"g"},{"group":"g"},{"group":"g","timespec":-60000}]}"#);
    let count = |query: &str| served.get(&format!("/group/g{query}")).as_array().unwrap().len();
    assert_eq!(count(""), 2);
    assert_eq!(count("?limit=1"), 1);
    assert_eq!(count("?limit=0"), 2);
    for yes in ["1", "yes", "true"] {
        assert_eq!(count(&format!("?owned={yes}")), 3);
        assert_eq!(count(&format!("?limit=2&owned={yes}")), 2);
    }
    for no in ["0", "no", "false"] {
        assert_eq!(count(&format!("?owned={no}")), 2);
    }
    assert_eq!(served.get("/group/nothing"), json!([]));
    for query in ["?owned=maybe", "?limit=x", "?limit=-1", "?limits=1", "?limit=1&limit=2"] {
        assert_eq!(served.client().get(&format!("/group/g{query}")).problem(), (400, "invalid".into()), "{query}");
    }
}

#[test]
fn a_long_group_comes_whole() {
    let served = Served::new();
    let data: Vec<String> = (0..25_000).map(|n| n.to_string()).collect();
    served.store.add_many("long", &data).unwrap();
    let listed = served.get("/group/long");
    let mut found: Vec<u32> =
        listed.as_array().unwrap().iter().map(|task| task["data"].as_str().unwrap().parse().unwrap()).collect();
    found.sort_unstable();
    assert!(found.iter().copied().eq(0..25_000));
    assert_eq!(served.get("/group/long?limit=20001").as_array().unwrap().len(), 20_001);
}

#[test]
fn data_that_is_no_text_is_given_as_base64() {
    let served = Served::new();
    let task = served.store.add("g", vec![0xff, 0, 0xfe]).unwrap();
    let found = served.get(&format!("/task/{}", task.id));
    assert_eq!(found["data_base64"], "/wD+");
    assert!(found.get("data").is_none());
}

#[test]
fn what_can_not_be_read_is_refused_with_a_reason() {
    let served = Served::new();
    let mut client = served.client();
    for (path, body) in [
        ("/update", ""),
        ("/update", "{"),
        ("/update", "[]"),
        ("/update", r#"{"adds":[{"group":"g"}]}"#),
        ("/update", r#"{"clientid":1,"adds":[{"data":"x"}]}"#),
        ("/claim", r#"{"clientid":1}"#),
    ] {
        let reply = client.post(path, body);
        assert_eq!(reply.status, 400, "{body}");
        let json = reply.json();
        assert!(json["errors"][0].is_string() && json.get("tasks").is_none(), "{json}");
    }
    for body in [
        r#"{"clientid":0,"adds":[{"group":"g"}]}"#,
        r#"{"clientid":9007199254740993,"adds":[{"group":"g"}]}"#,
        r#"{"clientid":1}"#,
        r#"{"clientid":1,"adds":[{"group":""}]}"#,
        r#"{"clientid":1,"adds":[{"group":"g","timespec":-9007199254740993}]}"#,
        r#"{"clientid":1,"deletes":[0,-1]}"#,
    ] {
        let json = client.post("/update", body).ok();
        assert!(json["errors"][0].is_string() && json.get("tasks").is_none(), "{body}: {json}");
    }
    assert_eq!(served.get("/groups"), json!([]), "nothing of it has happened");
}

#[test]
fn lists_may_be_null_as_go_writes_them() {
    let served = Served::new();
    let done = served.post(
        "/update",
        r#"{"clientid":1,"adds":[{"group":"g","data":null}],"updates":null,"deletes":null,"depends":null}"#,
    );
    assert_eq!(done["tasks"].as_array().unwrap().len(), 1);
}
