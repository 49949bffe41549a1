//! Every command, end to end, through the built program.
#![allow(clippy::unwrap_used)]

mod program;

use std::{
    fs,
    io::{BufRead as _, BufReader},
};

use program::Desk;
use serde_json::json;

#[test]
fn a_task_is_added_claimed_renewed_and_finished() {
    let desk = Desk::new();
    assert_eq!(desk.ok("add s map --data one"), "task 1  map  available  \"one\"\n");
    let claimed = desk.json("claim s map --owner 7 --lease 1m");
    let task = &claimed["tasks"][0];
    assert_eq!(
        (&task["id"], &task["origin"], &task["owner"], &task["attempt"], &task["data"]),
        (&json!(2), &json!(1), &json!(7), &json!(1), &json!("one"))
    );
    let renewed = desk.json("renew s 2 --owner 7 --lease 2h");
    assert_eq!(renewed["tasks"][0]["id"], 3);
    assert!(desk.ok("find s 1").starts_with("task 3  map  held for 2 h  owner 7  attempt 1"));
    assert_eq!(desk.ok("finish s 3 --owner 7"), "task 3 finished\n");
    assert_eq!(desk.run("find s 1").code, 7);
}

#[test]
fn verbs_take_a_tasks_json_line_from_stdin() {
    let desk = Desk::new();
    desk.ok_with("add s map --data - --lines", "a\nb\n\nc\n");
    let claimed = desk.ok("claim s map --limit 2 --json");
    assert_eq!(desk.ok_with("finish s", &claimed).matches("finished").count(), 2);
    let claimed = desk.ok("claim s map --json");
    assert!(desk.ok_with("fail s --error broken --delay 5m", &claimed).contains("failures 1  error \"broken\""));
    let none = desk.run_with(&["claim", "s", "map", "--json"], "");
    assert_eq!((none.code, none.err.as_str()), (3, ""));
    let said = desk.run_with(&["finish", "s"], &none.out);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("was there nothing to claim?"), "{said:?}");
}

#[test]
fn a_task_is_released_moved_cancelled_and_requeued() {
    let desk = Desk::new();
    desk.ok("add s a --data x");
    desk.ok("claim s a --owner 7");
    assert!(desk.ok("release s 2 --owner 7 --delay 1h").contains("a  delayed for 60 min  attempt 1"));
    assert!(desk.ok("move s 3 --to b").contains("task 4  b  available  attempt 1"));
    desk.ok("claim s b --owner 7");
    assert_eq!(desk.run("cancel s 5").code, 1);
    assert_eq!(desk.ok("cancel s 5 --force"), "task 5 cancelled\n");
    desk.ok_with("add s from --data - --lines", "1\n2\n3\n");
    desk.ok("claim s from");
    let said = desk.ok("requeue s --all --from from --to from");
    assert_eq!(said, "2 tasks requeued; 1 are held and stay as they are\n");
    assert_eq!(desk.json("requeue s --all --from from --to to"), json!({"requeued": 2, "held": 1}));
    assert_eq!(desk.json("tasks s --group to")["tasks"].as_array().unwrap().len(), 2);
    let present = desk.json("tasks s --group to --limit 1")["tasks"][0]["id"].as_u64().unwrap();
    assert!(desk.ok(&format!("requeue s {present} --to back")).contains("  back  available"));
}

#[test]
fn keys_and_request_ids_make_an_add_safe_to_repeat() {
    let desk = Desk::new();
    desk.ok("add s g --data 1 --key k");
    assert_eq!(desk.run("add s g --data 2 --key k").code, 1);
    assert!(desk.ok("add s g --data 2 --key k --if-exists keep").contains("task 1  g"));
    assert!(desk.ok("add s g --data 2 --key k --if-exists replace").contains("task 2  g"));
    assert!(desk.ok("find s --key k --group g").contains("\"2\""));
    let first = desk.json("add s g --data once --owner 7 --request-id r1");
    let again = desk.json("add s g --data once --owner 7 --request-id r1");
    assert_eq!(first["tasks"], again["tasks"]);
    assert_eq!(again["repeated"], true);
    assert_eq!(desk.run("add s g --data other --owner 7 --request-id r1").code, 2);
}

#[test]
fn lists_are_narrowed_by_group_state_limit_and_cursor() {
    let desk = Desk::new();
    desk.ok_with("add s a --data - --lines", "1\n2\n3\n");
    desk.ok("add s b --data x --delay 1h");
    desk.ok("claim s a --owner 7");
    let ids = |line: &str| {
        let listed = desk.json(line);
        listed["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids("tasks s").len(), 4);
    assert_eq!(ids("tasks s --group b"), [4]);
    assert_eq!(ids("tasks s --state held"), [5]);
    assert_eq!(ids("tasks s --state delayed"), [4]);
    assert_eq!(ids("tasks s --state available").len(), 2);
    assert_eq!(ids("tasks s --after 4"), [5]);
    assert_eq!(ids("tasks s --limit 2").len(), 2);
    let groups = desk.ok("groups s");
    let rows: Vec<Vec<&str>> = groups.lines().map(|line| line.split_whitespace().take(5).collect()).collect();
    assert_eq!(rows[1..], [vec!["a", "3", "2", "0", "1"], vec!["b", "1", "0", "1", "0"]]);
}

#[test]
fn a_paused_group_is_skipped_until_it_is_resumed_and_keeps_its_other_settings() {
    let desk = Desk::new();
    desk.ok("add s g --data x");
    desk.ok_with("records put s _groups g -", "{\"colour\":\"red\"}");
    desk.ok("pause s g");
    assert!(desk.ok("groups s").contains("paused"));
    assert_eq!(desk.run("claim s g").code, 3);
    desk.ok("resume s g");
    assert_eq!(desk.ok("records get s _groups g"), "{\"colour\":\"red\"}\n");
    assert_eq!(desk.run("claim s g").code, 0);
}

#[test]
fn records_are_written_read_listed_counted_and_removed() {
    let desk = Desk::new();
    assert_eq!(desk.ok("records put s t k v --expect 0"), "t  k  revision 1\n");
    assert_eq!(desk.run("records put s t k v --expect 0").code, 1);
    assert_eq!(desk.ok("records get s t k"), "v\n");
    assert_eq!(desk.json("records get s t k"), json!({"table": "t", "key": "k", "value": "v", "revision": 1}));
    assert_eq!(desk.ok("records incr s t n 5"), "5\n");
    assert_eq!(desk.ok("records incr s t n -2"), "3\n");
    assert_eq!(desk.run("records incr s t n -9 --min 0").code, 1);
    assert_eq!(desk.ok("records ls s"), "t\n");
    assert_eq!(desk.ok("records ls s t --prefix n"), "t  n  revision 3  \"3\"\n");
    assert_eq!(desk.json("records ls s t --after k")["records"].as_array().unwrap().len(), 1);
    desk.ok("records rm s t k --expect 1");
    assert_eq!(desk.run("records get s t k").code, 7);
    fs::write(desk.path("f"), "from a file\n").unwrap();
    desk.ok("records put s t f --file f --expires 1h");
    assert_eq!(desk.ok("records get s t f"), "from a file\n");
}

#[test]
fn a_request_is_committed_whole_or_not_at_all() {
    let desk = Desk::new();
    let request =
        r#"{"owner":7,"adds":[{"group":"g","data":"x"}],"puts":[{"table":"t","key":"k","value":"v","expect":0}]}"#;
    assert!(desk.ok_with("update s", request).starts_with("committed as revision 1\ntask 1  g  available"));
    let said = desk.run_with(&["update", "s", "--json"], request);
    assert_eq!(said.code, 1);
    let error: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(error["error"]["code"], "stale_record");
    assert_eq!(error["error"]["details"]["stale_records"][0]["found"], 1);
    assert_eq!(desk.json("stats s")["tasks"], 1);
}

#[test]
fn the_journal_can_be_looked_into() {
    let desk = Desk::new();
    desk.ok("add s map --data x --actor web-1:100");
    desk.ok("claim s map --owner 7 --actor web-2:311");
    desk.ok("finish s 2 --owner 7 --actor web-2:311");
    desk.ok("add s other --data y");
    let log = desk.ok("log s --task 2");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].contains("web-1:100") && lines[0].ends_with("added task 1 to map"), "{log}");
    assert!(lines[1].ends_with("web-2:311 (owner 7)  task 1 is 2, held by owner 7 for 60 s"), "{log}");
    assert!(lines[2].ends_with("task 2 finished"), "{log}");
    assert_eq!(desk.ok("log s --by web-2").lines().count(), 2);
    assert_eq!(desk.ok("log s --owner 7 --limit 1").lines().count(), 1);
    assert_eq!(desk.ok("log s --after 3").lines().count(), 1);
    let last = desk.json("tail s -n 1");
    assert_eq!((&last["revision"], &last["kind"]), (&json!(4), &json!("transaction")), "{last}");
    let inspected = desk.ok("inspect s --frames");
    assert_eq!(inspected.matches("  frame  ").count(), 4, "{inspected}");
    assert!(inspected.contains("position 0"), "{inspected}");
    let lines = desk.ok("inspect s --all --json");
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).unwrap().is_object()));
    assert!(desk.ok("stats s").contains("next id              4"));
}

#[test]
fn a_follower_sees_what_another_process_writes() {
    let desk = Desk::new();
    desk.ok("add s g --data before");
    let mut child = desk.command(&["tail", "s", "--follow", "-n", "1"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("added task 1 to g"));
    desk.ok("add s g --data after");
    assert!(lines.next().unwrap().unwrap().ends_with("added task 2 to g"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_backup_of_a_live_store_is_restored_as_another_store() {
    let desk = Desk::new();
    desk.ok_with("add s g --data - --lines", "1\n2\n3\n");
    desk.ok("records put s t k v");
    desk.ok("claim s g --owner 7");
    let live = tenure::Store::open(desk.path("s")).unwrap();
    let taken = desk.json("backup s b");
    assert_eq!((&taken["tasks"], &taken["records"], &taken["revision"]), (&json!(3), &json!(1), &json!(3)));
    desk.ok("restore b r");
    let (old, new) = (desk.json("stats s"), desk.json("stats r"));
    assert_eq!(old["digest"], new["digest"]);
    assert_ne!(old["store"], new["store"]);
    assert_eq!(desk.json("tasks s"), desk.json("tasks r"));
    assert!(new["next_id"].as_u64() > old["next_id"].as_u64().map(|id| id + 1_000_000_000));
    assert!(desk.ok("verify r").ends_with("the store is whole\n"));
    desk.ok("finish r 4 --owner 7");
    desk.ok("snapshot r");
    desk.ok("verify r");
    live.add("g", "the old one goes on").unwrap();
    for name in fs::read_dir(desk.folder.path()).unwrap() {
        let name = name.unwrap().file_name();
        assert!(["s", "b", "r"].iter().any(|kept| name == *kept), "{name:?} was left behind");
    }
}

#[test]
fn a_restored_store_in_the_place_of_an_open_one_fences_its_handles() {
    let desk = Desk::new();
    desk.ok("add s g --data 1");
    let old = tenure::Store::open(desk.path("s")).unwrap();
    desk.ok("backup s b");
    fs::rename(desk.path("s"), desk.path("away")).unwrap();
    desk.ok("restore b s");
    let task = desk.json("add s g --data 2")["tasks"][0]["id"].as_u64().unwrap();
    assert!(old.finish(task).is_err(), "an id of the new store is none of the old one");
    assert_eq!(desk.json("groups s")["groups"][0]["tasks"], 2);
}

#[test]
fn a_damaged_backup_makes_no_store() {
    let desk = Desk::new();
    desk.ok("add s g --data 1");
    desk.ok("backup s b");
    let whole = fs::read(desk.path("b")).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(desk.path("damaged"), &bytes).unwrap();
        assert!(tenure::backup::Backup::restore(&desk.path("damaged"), &desk.path("r")).is_err(), "byte {at}");
        fs::write(desk.path("damaged"), &whole[..at]).unwrap();
        assert!(tenure::backup::Backup::restore(&desk.path("damaged"), &desk.path("r")).is_err(), "cut at {at}");
        assert!(!desk.path("r").exists());
    }
}

#[test]
fn damage_is_found_and_named_with_its_position() {
    let desk = Desk::new();
    desk.ok("add s g --data 1");
    desk.ok("add s g --data 2");
    let segment = desk.path("s").join("0000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[96 + 60] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let said = desk.run("verify s");
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.err.contains("segment 0000000001.seg at position 0"), "{said:?}");
    assert!(said.err.contains("restore the folder from a backup"), "{said:?}");
    assert_eq!(desk.run("add s g --data 3").code, 4);
}

#[test]
fn b12_an_add_that_needs_no_replica_knows_when_it_needs_one() {
    let desk = Desk::new();
    desk.ok("add s g --data 1");
    let alone = tenure::Options::new().sharing(tenure::Sharing::Exclusive).open(desk.path("s")).unwrap();
    let said = desk.run("add s g --data 2");
    assert_eq!(said.code, 6, "{said:?}");
    alone.close().unwrap();
    assert!(desk.ok("add s g --data 3").starts_with("task 2  g"));
    assert!(desk.ok("upgrade s").contains("already"));
    desk.ok("verify s");
}

#[test]
fn adds_from_many_processes_are_all_there() {
    let desk = Desk::new();
    desk.ok("add s g --data 0");
    let open = tenure::Store::open(desk.path("s")).unwrap();
    let children: Vec<_> =
        (0..12).map(|n| desk.command(&["add", "s", "g", "--data", &n.to_string()]).spawn().unwrap()).collect();
    for n in 0..20 {
        open.add("g", n.to_string()).unwrap();
    }
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(open.group("g").unwrap().tasks, 33);
    open.close().unwrap();
    desk.ok("verify s");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_wait_and_what_is_added_then_is_free() {
    let desk = Desk::new();
    desk.ok("add s other --data x");
    let mut child = desk.command(&["claim", "s", "g", "--wait", "forever"]).spawn().unwrap();
    // An interrupt before the handler stands ends the process by the signal: also without a claim. Where whoever started
    // the tests ignores it, as a shell does for what runs behind it, it is lost until then.
    let ended = loop {
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
    };
    assert_ne!(ended.code(), Some(0));
    desk.ok("add s g --data y");
    assert_eq!(desk.json("groups s")["groups"][0]["available"], 1);
}

#[test]
fn a_wait_gets_what_another_process_adds() {
    let desk = Desk::new();
    desk.ok("add s other --data x");
    let child = desk.command(&["claim", "s", "g", "--wait", "1m", "--json"]).spawn().unwrap();
    desk.ok("add s g --data y");
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    assert!(String::from_utf8(out.stdout).unwrap().contains(r#""data":"y""#));
}
