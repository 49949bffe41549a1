//! What the JSON spelling takes, and what it refuses with which words.

#![cfg(feature = "json")]
#![allow(clippy::unwrap_used)]

use tenure_core::{
    Add, Claim, Code, Data, Delete, Depend, Guard, IfExists, Increment, Order, OwnerId, Put, Remove, Request, Revision,
    TaskId, Update, Verb, When,
    entry::Reason,
    json::{ClaimCall, TaskRef, read_claim, read_request, read_task_refs},
};

fn refused(text: &str) -> String {
    let error = read_request(text.as_bytes()).expect_err(text);
    assert_eq!(error.code(), Code::Invalid, "{text}");
    error.message().into()
}

#[test]
fn every_field_of_a_request_is_read() {
    let text = r#"{
        "owner": 7, "request_id": "r-1",
        "adds": [
            {"group": "map", "data": "text", "delay": 5000, "key": "k", "if_exists": "keep"},
            {"group": "map", "data_base64": "/wA=", "available_at": 99, "if_exists": "replace"},
            {"group": "g"}
        ],
        "updates": [
            {"id": 14, "data": "x", "delay": 0, "group": "g2"},
            {"id": 15, "origin": 3, "verb": "fail", "error": "no \"luck\"", "force": true, "available_at": 0}
        ],
        "deletes": [16, {"id": 17, "reason": "finished", "origin": 4, "force": true}],
        "depends": [12, {"origin": 5}, {"id": 6}],
        "puts": [
            {"table": "t", "key": "k", "value": "v", "expect": 3, "expires_at": 0},
            {"table": "t", "key": "l", "value_base64": "/w", "expect": 0, "expires_at": 8}
        ],
        "removes": [{"table": "t", "key": "k"}, {"table": "t", "key": "m", "expect": 2}],
        "increments": [{"table": "t", "key": "n", "by": -1, "min": 0, "max": 9}],
        "guards": [{"table": "t", "key": "g", "expect": 0}],
        "depends_only": false
    }"#;
    let expected = Request {
        owner: OwnerId(7),
        actor: None,
        sent_after: None,
        request_id: Some("r-1".into()),
        adds: vec![
            Add {
                group: "map".into(),
                data: "text".into(),
                available: When::After(5000),
                key: Some("k".into()),
                if_exists: IfExists::Keep,
            },
            Add {
                group: "map".into(),
                data: Data::from(&[255, 0]),
                available: When::At(99),
                key: None,
                if_exists: IfExists::Replace,
            },
            Add { group: "g".into(), ..Add::default() },
        ],
        updates: vec![
            Update {
                id: TaskId(14),
                data: Some("x".into()),
                available: Some(When::After(0)),
                group: Some("g2".into()),
                ..Update::default()
            },
            Update {
                id: TaskId(15),
                origin: Some(TaskId(3)),
                verb: Verb::Fail,
                error: Some("no \"luck\"".into()),
                force: true,
                available: Some(When::At(0)),
                ..Update::default()
            },
        ],
        deletes: vec![
            Delete { id: TaskId(16), ..Delete::default() },
            Delete { id: TaskId(17), reason: Reason::Finished, origin: Some(TaskId(4)), force: true },
        ],
        depends: vec![Depend::Id(TaskId(12)), Depend::Origin(TaskId(5)), Depend::Id(TaskId(6))],
        puts: vec![
            Put { table: "t".into(), key: "k".into(), value: "v".into(), expect: Some(Revision(3)), expires_at: None },
            Put {
                table: "t".into(),
                key: "l".into(),
                value: Data::from(&[255]),
                expect: Some(Revision(0)),
                expires_at: Some(8),
            },
        ],
        removes: vec![
            Remove { table: "t".into(), key: "k".into(), expect: None },
            Remove { table: "t".into(), key: "m".into(), expect: Some(Revision(2)) },
        ],
        increments: vec![Increment { table: "t".into(), key: "n".into(), by: -1, min: Some(0), max: Some(9) }],
        guards: vec![Guard { table: "t".into(), key: "g".into(), expect: Revision(0) }],
        depends_only: false,
    };
    assert_eq!(read_request(text.as_bytes()).unwrap(), expected);
}

#[test]
fn every_verb_reason_and_choice_has_its_name() {
    let verbs = ["update", "renew", "release", "fail", "requeue"];
    let meant = [Verb::Update, Verb::Renew, Verb::Release, Verb::Fail, Verb::Requeue];
    for (name, verb) in verbs.into_iter().zip(meant) {
        let request = read_request(format!(r#"{{"updates":[{{"id":1,"verb":"{name}"}}]}}"#).as_bytes()).unwrap();
        assert_eq!(request.updates[0].verb, verb);
    }
    for reason in [Reason::Deleted, Reason::Finished, Reason::Failed, Reason::Cancelled, Reason::Moved] {
        let text = format!(r#"{{"deletes":[{{"id":1,"reason":"{}"}}]}}"#, reason.slug());
        assert_eq!(read_request(text.as_bytes()).unwrap().deletes[0].reason, reason);
    }
}

#[test]
fn null_counts_as_absent() {
    let text = r#"{"owner":null,"adds":[{"group":"g","key":null,"delay":null,"available_at":5}],"updates":null}"#;
    let request = read_request(text.as_bytes()).unwrap();
    assert_eq!(request.adds, [Add { group: "g".into(), available: When::At(5), ..Add::default() }]);
    assert_eq!(read_request(b"{}").unwrap(), Request::default());
}

#[test]
fn the_greatest_numbers_are_taken_as_they_are() {
    let text = r#"{"owner":9007199254740991,"deletes":[9007199254740991],
        "increments":[{"table":"t","key":"k","by":-9007199254740991,"max":9007199254740991}]}"#;
    let request = read_request(text.as_bytes()).unwrap();
    assert_eq!((request.owner.0, request.deletes[0].id.0), (9_007_199_254_740_991, 9_007_199_254_740_991));
    assert_eq!(request.increments[0].by, -9_007_199_254_740_991);
}

#[test]
fn each_mistake_is_refused_with_its_place_and_what_to_do() {
    let table = [
        ("", "the request is empty: send one JSON object"),
        (" \n", "the request is empty: send one JSON object"),
        ("{", "the request can't be read as JSON: EOF while parsing an object at line 1 column 1"),
        ("{} {}", "the request can't be read as JSON: trailing characters at line 1 column 4"),
        ("{'a':1}", "the request can't be read as JSON: key must be a string at line 1 column 2"),
        (r#"{"owner":1e999}"#, "the request can't be read as JSON: number out of range at line 1 column 14"),
        ("[]", "the request: expected an object, found a list"),
        ("7", "the request: expected an object, found a number"),
        ("null", "the request: expected an object, found null"),
        (r#"{"add":[]}"#, "the request: unknown field `add`; did you mean `adds`?"),
        (r#"{"requestId":"r"}"#, "the request: unknown field `requestId`; did you mean `request_id`?"),
        (
            r#"{"what":[]}"#,
            "the request: unknown field `what`; known are owner, request_id, adds, updates, deletes, depends, puts, \
             removes, increments, guards, depends_only",
        ),
        (r#"{"owner":1,"owner":2}"#, "the request: field `owner` stands twice: name it once"),
        (r#"{"owner":null,"owner":2}"#, "the request: field `owner` stands twice: name it once"),
        (r#"{"owner":-1}"#, "owner: -1 is negative: the least is 0"),
        (r#"{"owner":1.5}"#, "owner: 1.5 is not written as a whole number"),
        (r#"{"owner":1.0}"#, "owner: 1.0 is not written as a whole number"),
        (r#"{"owner":"7"}"#, "owner: expected a whole number, found a text"),
        (r#"{"owner":9007199254740992}"#, "owner: 9007199254740992 is beyond 9007199254740991"),
        (r#"{"owner":18446744073709551616}"#, "owner: 1.8446744073709552e19 is beyond 9007199254740991"),
        (r#"{"request_id":7}"#, "request_id: expected a text, found a number"),
        (r#"{"adds":{}}"#, "adds: expected a list, found an object"),
        (r#"{"adds":[null]}"#, "adds[0]: expected an object, found null"),
        (r#"{"adds":[{}]}"#, "adds[0]: field `group` is missing"),
        (r#"{"adds":[{"group":null}]}"#, "adds[0]: field `group` is missing"),
        (
            r#"{"adds":[{"group":"g"},{"group":"g"},{"group":"g"},{"group":"g","dely":5}]}"#,
            "adds[3]: unknown field `dely`; did you mean `delay`?",
        ),
        (r#"{"adds":[{"group":"g","group":"h"}]}"#, "adds[0]: field `group` stands twice: name it once"),
        (r#"{"adds":[{"group":"g","delay":1,"available_at":1}]}"#, "adds[0]: give `delay` or `available_at`, not both"),
        (r#"{"adds":[{"group":"g","delay":-5}]}"#, "adds[0].delay: -5 is negative: the least is 0"),
        (r#"{"adds":[{"group":"g","delay":0.5}]}"#, "adds[0].delay: 0.5 is not written as a whole number"),
        (r#"{"adds":[{"group":"g","delay":"5s"}]}"#, "adds[0].delay: expected a whole number, found a text"),
        (
            r#"{"adds":[{"group":"g","available_at":9007199254740992}]}"#,
            "adds[0].available_at: 9007199254740992 is beyond 9007199254740991",
        ),
        (
            r#"{"adds":[{"group":"g","data":"x","data_base64":"eA=="}]}"#,
            "adds[0]: give `data` or `data_base64`, not both",
        ),
        (r#"{"adds":[{"group":"g","data":{"a":1}}]}"#, "adds[0].data: expected a text, found an object"),
        (
            r#"{"adds":[{"group":"g","data_base64":"a b"}]}"#,
            "adds[0].data_base64: no base64: Invalid symbol 32, offset 1.",
        ),
        (
            r#"{"adds":[{"group":"g","if_exists":"kep"}]}"#,
            "adds[0].if_exists: \"kep\" is none of refuse, keep, replace",
        ),
        (r#"{"updates":[{"id":0}]}"#, "updates[0].id: 0 is no task's id: ids begin with 1"),
        (r#"{"updates":[{"data":"x"}]}"#, "updates[0]: field `id` is missing"),
        (r#"{"updates":[{"id":1},{"id":2,"origin":0}]}"#, "updates[1].origin: 0 is no task's id: ids begin with 1"),
        (
            r#"{"updates":[{"id":1,"verb":"finish"}]}"#,
            "updates[0].verb: \"finish\" is none of update, renew, release, fail, requeue",
        ),
        (r#"{"updates":[{"id":1,"force":1}]}"#, "updates[0].force: expected true or false, found a number"),
        (r#"{"updates":[14]}"#, "updates[0]: expected an object, found a number"),
        (r#"{"deletes":[0]}"#, "deletes[0]: 0 is no task's id: ids begin with 1"),
        (r#"{"deletes":["16"]}"#, "deletes[0]: expected an id or an object, found a text"),
        (r#"{"deletes":[[16]]}"#, "deletes[0]: expected an id or an object, found a list"),
        (r#"{"deletes":[{"reason":"finished"}]}"#, "deletes[0]: field `id` is missing"),
        (
            r#"{"deletes":[{"id":1,"reason":"replaced"}]}"#,
            "deletes[0].reason: \"replaced\" is none of deleted, finished, failed, cancelled, moved",
        ),
        (r#"{"depends":[{"origin":0}]}"#, "depends[0].origin: 0 is no task's id: ids begin with 1"),
        (r#"{"depends":[{}]}"#, "depends[0]: give `id` or `origin`"),
        (r#"{"depends":[{"id":1,"origin":1}]}"#, "depends[0]: give `id` or `origin`, not both"),
        (r#"{"depends":[true]}"#, "depends[0]: expected an id or an object, found true or false"),
        (r#"{"puts":[{"table":"t","key":"k"}]}"#, "puts[0]: give `value` or `value_base64`"),
        (
            r#"{"puts":[{"table":"t","key":"k","value":"","value_base64":""}]}"#,
            "puts[0]: give `value` or `value_base64`, not both",
        ),
        (
            r#"{"puts":[{"table":"t","key":"k","value":"v","expected":1}]}"#,
            "puts[0]: unknown field `expected`; did you mean `expect`?",
        ),
        (
            r#"{"puts":[{"table":"t","key":"k","value":"v","expect":-1}]}"#,
            "puts[0].expect: -1 is negative: the least is 0",
        ),
        (r#"{"removes":[{"table":"t"}]}"#, "removes[0]: field `key` is missing"),
        (r#"{"increments":[{"table":"t","key":"k"}]}"#, "increments[0]: field `by` is missing"),
        (
            r#"{"increments":[{"table":"t","key":"k","by":-9007199254740992}]}"#,
            "increments[0].by: -9007199254740992 is below -9007199254740991",
        ),
        (
            r#"{"increments":[{"table":"t","key":"k","by":-1e300}]}"#,
            "increments[0].by: -1e300 is below -9007199254740991",
        ),
        (r#"{"guards":[{"table":"t","key":"k"}]}"#, "guards[0]: field `expect` is missing"),
        (r#"{"depends_only":"yes"}"#, "depends_only: expected true or false, found a text"),
    ];
    for (text, message) in table {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn nesting_is_bounded_however_deep_it_goes() {
    let message = "the request can't be read as JSON: nested more than 16 levels deep at line 1 column 17";
    for depth in [17, 1_000, 1_000_000] {
        assert_eq!(refused(&"[".repeat(depth)), message);
    }
    assert_eq!(
        refused(&format!("{}{}", "[".repeat(16), "]".repeat(16))),
        "the request: expected an object, found a list"
    );
}

#[test]
fn a_text_of_too_many_values_is_refused_before_it_fills_the_memory() {
    let text = format!("{{\"deletes\":[{}1]}}", "1,".repeat(4_000_000));
    assert!(
        refused(&text).starts_with("the request can't be read as JSON: more than 4000000 values: split it at line 1")
    );
}

#[test]
fn long_names_and_values_are_cut_in_messages() {
    let long = "é".repeat(10_000);
    assert!(refused(&format!(r#"{{"{long}":1}}"#)).len() < 300);
    assert!(refused(&format!(r#"{{"updates":[{{"id":1,"verb":"{long}"}}]}}"#)).len() < 300);
}

#[test]
fn bytes_that_are_no_utf_8_are_refused() {
    let error = read_request(b"{\"adds\":[{\"group\":\"\xff\"}]}").unwrap_err();
    assert_eq!(error.message(), "the request can't be read as JSON: invalid utf-8 sequence of 1 bytes from index 19");
}

#[test]
fn every_field_of_a_claim_is_read() {
    let text = r#"{"owner":7,"request_id":"r","groups":["a","b"],"lease":5000,"limit":3,"order":"oldest",
        "depends":[1,{"origin":2}],"wait":250}"#;
    let claim = Claim {
        owner: OwnerId(7),
        actor: None,
        request_id: Some("r".into()),
        groups: vec!["a".into(), "b".into()],
        lease: 5000,
        limit: 3,
        order: Order::Oldest,
        depends: vec![Depend::Id(TaskId(1)), Depend::Origin(TaskId(2))],
    };
    assert_eq!(read_claim(text.as_bytes()).unwrap(), ClaimCall { claim, wait: Some(250) });
}

#[test]
fn a_claim_waits_only_when_told_to() {
    let wait = |text: &str| read_claim(text.as_bytes()).unwrap().wait;
    assert_eq!(wait("{}"), Some(0));
    assert_eq!(wait(r#"{"wait":null}"#), Some(0));
    assert_eq!(wait(r#"{"wait":"forever"}"#), None);
    assert_eq!(read_claim(b"{}").unwrap().claim, Claim::default());
}

#[test]
fn each_mistake_in_a_claim_is_refused_with_its_place() {
    let table = [
        ("", "the claim is empty: send one JSON object"),
        (r#"{"group":"g"}"#, "the claim: unknown field `group`; did you mean `groups`?"),
        (r#"{"groups":"g"}"#, "groups: expected a list, found a text"),
        (r#"{"groups":["g",7]}"#, "groups[1]: expected a text, found a number"),
        (r#"{"lease":"60s"}"#, "lease: expected a whole number, found a text"),
        (r#"{"limit":-1}"#, "limit: -1 is negative: the least is 0"),
        (r#"{"order":"newest"}"#, "order: \"newest\" is none of random, oldest"),
        (r#"{"wait":"long"}"#, "wait: give milliseconds, or \"forever\""),
        (r#"{"wait":-1}"#, "wait: -1 is negative: the least is 0"),
        (r#"{"depends":[0]}"#, "depends[0]: 0 is no task's id: ids begin with 1"),
    ];
    for (text, message) in table {
        let error = read_claim(text.as_bytes()).unwrap_err();
        assert_eq!((error.message(), error.code()), (message, Code::Invalid), "{text}");
    }
}

#[test]
fn a_printed_task_is_read_back_whatever_else_it_has() {
    let line = br#"{"id":14,"origin":3,"group":"g","owner":9,"data":"x","a field of tomorrow":[{}]}"#;
    let task = TaskRef { id: TaskId(14), owner: OwnerId(9), origin: Some(TaskId(3)) };
    assert_eq!(read_task_refs(line).unwrap(), [task]);
    let list = br#"{"revision":4,"tasks":[{"id":14,"origin":3,"owner":9},{"id":15}]}"#;
    let bare = TaskRef { id: TaskId(15), owner: OwnerId(0), origin: None };
    assert_eq!(read_task_refs(list).unwrap(), [task, bare]);
    assert_eq!(read_task_refs(br#"{"tasks":[]}"#).unwrap(), []);
}

#[test]
fn what_is_no_task_is_refused_with_its_place() {
    let table = [
        ("", "the task is empty: send one JSON object"),
        ("14", "the task: expected an object, found a number"),
        (r#"{"owner":1}"#, "the task: field `id` is missing"),
        (r#"{"id":0}"#, "id: 0 is no task's id: ids begin with 1"),
        (r#"{"id":1,"id":2}"#, "the task: field `id` stands twice: name it once"),
        (r#"{"tasks":[{"id":1},{"id":"x"}]}"#, "tasks[1].id: expected a whole number, found a text"),
        (r#"{"tasks":null}"#, "the tasks: field `tasks` is missing"),
    ];
    for (text, message) in table {
        assert_eq!(read_task_refs(text.as_bytes()).unwrap_err().message(), message, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = (read_request(&bytes), read_claim(&bytes), read_task_refs(&bytes));
    }

    #[test]
    fn a_request_with_a_byte_changed_is_read_or_refused_as_invalid(at in 0_usize..220, byte: u8) {
        let mut text = br#"{"owner":7,"adds":[{"group":"m","data":"t\u00e9","delay":5,"key":"k","if_exists":"keep"}],"updates":[{"id":14,"data_base64":"eA=="}],"deletes":[{"id":16,"reason":"finished"}],"depends":[12],"puts":[{"table":"t","key":"k","value":"v"}]}"#.to_vec();
        text[at] = byte;
        if let Err(error) = read_request(&text) {
            proptest::prop_assert_eq!(error.code(), Code::Invalid);
            proptest::prop_assert!(!error.message().is_empty());
        }
    }
}
