//! Numbers for Prometheus, and what is built upon them.
#![allow(clippy::unwrap_used)]

mod wire;

use std::{collections::BTreeSet, time::Duration};

use tenure::{Options, clock::Clock};
use wire::Served;

fn metrics(served: &Served) -> String {
    let reply = served.client().get("/metrics");
    assert_eq!(reply.status, 200);
    String::from_utf8(reply.body).unwrap()
}

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

#[test]
fn what_workers_of_any_process_do_is_counted() {
    let served = Served::new();
    served.store.add_many("map", ["a", "b", "c"]).unwrap();
    let minute = Duration::from_mins(1);
    let held = served.store.claim(&["map"], minute).unwrap().unwrap();
    served.store.finish(&held).unwrap();
    served.store.claim(&["map"], minute).unwrap().unwrap();
    let text = metrics(&served);
    for (series, expected) in [
        ("tenure_group_tasks{group=\"map\"}", 2.0),
        ("tenure_group_waiting{group=\"map\"}", 1.0),
        ("tenure_group_held{group=\"map\"}", 1.0),
        ("tenure_group_delayed{group=\"map\"}", 0.0),
        ("tenure_added_total", 3.0),
        ("tenure_claims_total", 2.0),
        ("tenure_finished_total", 1.0),
        ("tenure_commits_total", 4.0),
        ("tenure_lost_leases_total", 0.0),
        ("tenure_tasks", 2.0),
    ] {
        assert!((value(&text, series) - expected).abs() < f64::EPSILON, "{series} in\n{text}");
    }
    assert!(value(&text, "tenure_free_bytes") > 0.0);
    assert!(text.trim_end().ends_with("# EOF"));
}

#[test]
fn a_name_can_not_break_out_of_its_label_and_small_groups_are_summed() {
    let served = Served::new();
    served.store.add_many("a\"} 1\nx", ["1", "2"]).unwrap();
    for n in 0..250 {
        served.store.add(&format!("small-{n:03}"), "x").unwrap();
    }
    let text = metrics(&served);
    assert!(text.lines().any(|line| line == r#"tenure_group_tasks{group="a\"} 1\nx"} 2"#), "{text}");
    assert!((value(&text, "tenure_group_tasks{group=\"other\"}") - 51.0).abs() < f64::EPSILON, "{text}");
}

#[test]
fn what_lock_sync_and_commit_took_is_counted_by_ranges() {
    let served = Served::new();
    let before = metrics(&served);
    for n in 0..5 {
        served.post("/v1/update", &format!(r#"{{"adds":[{{"group":"g","data":"{n}"}}]}}"#));
    }
    let after = metrics(&served);
    let grown = |series: &str| value(&after, series) - value(&before, series);
    for (name, least) in [("lock_wait", 5.0), ("fsync", 1.0), ("commit", 5.0)] {
        let count = grown(&format!("tenure_{name}_seconds_count"));
        assert!(count >= least, "{name}: {count}");
        let beyond = grown(&format!("tenure_{name}_seconds_bucket{{le=\"+Inf\"}}"));
        assert!((beyond - count).abs() < f64::EPSILON, "{name}: {beyond} of {count}");
    }
    assert!((grown("tenure_commit_seconds_count") - 5.0).abs() < f64::EPSILON, "each once");
    assert!(
        grown("tenure_commit_seconds_sum") >= grown("tenure_fsync_seconds_sum") / 5.0,
        "a commit waits for its sync"
    );
}

/// What whoever keeps it running has to see.
const NEEDED: &[&str] = &[
    "tenure_group_waiting",
    "tenure_group_held",
    "tenure_group_delayed",
    "tenure_group_oldest_age_seconds",
    "tenure_commits_total",
    "tenure_refusals_total",
    "tenure_claims_total",
    "tenure_failures_total",
    "tenure_lease_expiries_total",
    "tenure_lost_leases_total",
    "tenure_fsync_seconds_bucket",
    "tenure_lock_wait_seconds_bucket",
    "tenure_commit_seconds_bucket",
    "tenure_fsync_errors_total",
    "tenure_journal_bytes",
    "tenure_free_bytes",
    "tenure_state_bytes",
    "tenure_state_bytes_max",
    "tenure_snapshot_age_seconds",
    "tenure_backup_age_seconds",
    "tenure_replica_lag_entries",
];

#[test]
fn what_operations_need_is_on_the_board() {
    let board = named(include_str!("../../docs/grafana.json"));
    let missing: Vec<_> = NEEDED.iter().filter(|name| !board.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_lease_that_ran_out_and_a_late_commit_are_counted() {
    let clock = Clock::test(1_000_000);
    let served = Served::with(wire::config(), &Options::new().clock(clock.clone()));
    served.store.add("g", "x").unwrap();
    let mut client = served.client();
    let got = client.post("/v1/claim", r#"{"owner":1,"groups":["g"],"lease":1000}"#).ok();
    clock.advance(Duration::from_secs(2));
    assert!((value(&metrics(&served), "tenure_lease_expiries_total") - 1.0).abs() < f64::EPSILON);
    assert_eq!(client.post("/v1/claim", r#"{"owner":2,"groups":["g"],"lease":1000}"#).status, 200);
    let late = format!(r#"{{"owner":1,"deletes":[{{"id":{},"reason":"finished"}}]}}"#, got["tasks"][0]["id"]);
    assert_eq!(client.post("/v1/update", &late).problem(), (409, "lease_lost".into()));
    let text = metrics(&served);
    assert!((value(&text, "tenure_lost_leases_total") - 1.0).abs() < f64::EPSILON, "{text}");
    assert!((value(&text, "tenure_lease_expiries_total") - 1.0).abs() < f64::EPSILON, "{text}");
}

/// The names of metrics in a text that uses them.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tenure_") && *word != "tenure_").map(ToOwned::to_owned).collect()
}

#[test]
fn alerts_and_board_name_only_what_there_is() {
    let served = Served::new();
    served.store.add("g", "x").unwrap();
    served.client().get("/v1/tasks/99");
    let there = named(&metrics(&served));
    for (name, text) in [
        ("alerts.yaml", include_str!("../../docs/alerts.yaml")),
        ("grafana.json", include_str!("../../docs/grafana.json")),
    ] {
        let used = named(text);
        assert!(used.len() > 5, "{name} names {used:?}");
        let missing: Vec<&String> = used.difference(&there).collect();
        assert!(missing.is_empty(), "{name}: {missing:?} are not in /metrics: {there:?}");
    }
    serde_json::from_str::<serde_json::Value>(include_str!("../../docs/grafana.json")).unwrap();
}
