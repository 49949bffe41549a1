//! Records: expectations, increments, expiry, scans.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used)]

mod support;

use support::{adds, increment, message, put, remove, store, store_with};
use tenure_core::{Code, Guard, Kind, Limits, Put, Remove, Request, Revision};

fn expecting(key: &str, expect: u64) -> Request {
    let put = Put { table: "t".into(), key: key.into(), expect: Some(Revision(expect)), ..Put::default() };
    Request { puts: vec![put], ..Request::default() }
}

#[test]
fn a_put_that_expects_a_revision_is_done_only_at_that_revision() {
    let mut store = store();
    let first = store.update(&expecting("k", 0)).unwrap().revision;
    assert_eq!(
        message(store.update(&expecting("k", 0))),
        "record \"k\" of table \"t\" was expected to be absent and has revision 1: read it again and decide anew"
    );
    let second = store.update(&expecting("k", first.0)).unwrap().revision;
    assert_eq!(
        message(store.update(&expecting("k", first.0))),
        "record \"k\" of table \"t\" was expected at revision 1 and has 2: read it again and decide anew"
    );
    assert_eq!(
        message(store.update(&expecting("l", 1))),
        "record \"l\" of table \"t\" was expected at revision 1 and is absent: read it again and decide anew"
    );
    assert_eq!(store.state().tables().get("t", "k").unwrap().revision, second);
}

#[test]
fn a_guard_and_a_removal_expect_as_a_put_does() {
    let mut store = store();
    let at = store.put("t", "k", "v");
    let guard =
        |expect| Request { guards: vec![Guard { table: "t".into(), key: "k".into(), expect }], ..adds(&[("a", "x")]) };
    store.update(&guard(at)).unwrap();
    assert_eq!(store.update(&guard(Revision(0))).unwrap_err().code(), Code::StaleRecord);
    let removal = |expect| Request {
        removes: vec![Remove { table: "t".into(), key: "k".into(), expect: Some(expect) }],
        ..Request::default()
    };
    assert_eq!(store.update(&removal(Revision(9))).unwrap_err().code(), Code::StaleRecord);
    store.update(&removal(at)).unwrap();
    store.update(&guard(Revision(0))).unwrap();
    assert_eq!(store.get("t", "k"), None);
}

#[test]
fn a_record_put_twice_keeps_the_last_and_one_named_in_two_ways_is_refused() {
    let mut store = store();
    let mut twice = put("t", "k", "1");
    twice.puts.extend(put("t", "k", "2").puts);
    store.update(&twice).unwrap();
    assert_eq!(store.get("t", "k").as_deref(), Some("2"));
    for other in [remove("t", "k"), increment("t", "k", 1)] {
        let both = Request { puts: put("t", "k", "3").puts, ..other };
        assert_eq!(
            message(store.update(&both)),
            "key \"k\" of \"t\" stands more than once in one transaction: name each once"
        );
    }
}

#[test]
fn an_increment_counts_from_nought_and_within_its_bounds() {
    let mut store = store();
    assert_eq!(store.update(&increment("t", "n", 5)).unwrap().counts, [5]);
    let mut twice = increment("t", "n", -2);
    twice.increments.extend(increment("t", "n", 10).increments);
    assert_eq!(store.update(&twice).unwrap().counts, [3, 13]);
    assert_eq!(store.get("t", "n").as_deref(), Some("13"));
    let mut low = increment("t", "n", -14);
    low.increments[0].min = Some(0);
    let refused = store.update(&low);
    assert_eq!(refused.as_ref().unwrap_err().code(), Code::Bounds);
    assert_eq!(message(refused), "record \"n\" of table \"t\": 13 + -14 = -1 lies outside 0 to any");
    let far = increment("t", "n", i64::MAX);
    assert_eq!(
        message(store.update(&far)),
        "record \"n\" of table \"t\": 13 + 9223372036854775807 does not fit into 64 bits"
    );
    store.put("t", "word", "x");
    assert_eq!(
        message(store.update(&increment("t", "word", 1))),
        "record \"word\" of table \"t\": its value is no whole number: put one before you increment it"
    );
}

#[test]
fn an_expired_record_is_absent_at_once_and_the_next_writer_sweeps_it() {
    let mut store = store();
    let mut brief = put("t", "k", "v");
    brief.puts[0].expires_at = Some(support::START + 10);
    store.update(&brief).unwrap();
    store.pass(9);
    assert_eq!(store.get("t", "k").as_deref(), Some("v"));
    store.pass(1);
    assert_eq!(store.get("t", "k"), None);
    assert_eq!(store.state().tables().len(), 1);
    store.update(&expecting("other", 0)).unwrap();
    assert_eq!(store.state().tables().len(), 1, "the expired one is gone, the other is there");
    let again = store.second(support::OTHER);
    assert_eq!(again.state().digest(), store.state().digest());
}

#[test]
fn an_expired_record_counts_as_absent_for_expectations_and_increments() {
    let mut store = store();
    let mut brief = put("t", "n", "5");
    brief.puts[0].expires_at = Some(support::START + 10);
    store.update(&brief).unwrap();
    store.pass(10);
    assert_eq!(store.update(&increment("t", "n", 1)).unwrap().counts, [1]);
    assert_eq!(store.state().tables().get("t", "n").unwrap().expires_at, 0);
    store.update(&brief).unwrap();
    store.update(&expecting("n", 0)).unwrap();
}

#[test]
fn an_increment_keeps_the_expiry() {
    let mut store = store();
    let mut brief = put("t", "n", "5");
    brief.puts[0].expires_at = Some(support::START + 10);
    store.update(&brief).unwrap();
    store.update(&increment("t", "n", 1)).unwrap();
    assert_eq!(store.get("t", "n").as_deref(), Some("6"));
    store.pass(10);
    assert_eq!(store.get("t", "n"), None);
}

#[test]
fn a_scan_gives_keys_in_order_by_prefix_and_behind_a_key() {
    let mut store = store();
    for key in ["b", "a", "ab", "aa", "c", "ba"] {
        store.put("t", key, "v");
    }
    store.put("u", "a", "of another table");
    let scan = |prefix: &str, after: Option<&str>| -> Vec<String> {
        let found = store.state().tables().scan("t", prefix, after, support::START);
        found.map(|record| record.key.to_string()).collect()
    };
    assert_eq!(scan("", None), ["a", "aa", "ab", "b", "ba", "c"]);
    assert_eq!(scan("a", None), ["a", "aa", "ab"]);
    assert_eq!(scan("a", Some("a")), ["aa", "ab"]);
    assert_eq!(scan("a", Some("aa")), ["ab"]);
    assert_eq!(scan("b", Some("a")), ["b", "ba"]);
    assert!(scan("a", Some("b")).is_empty());
    assert!(scan("x", None).is_empty());
    assert!(store.state().tables().scan("none", "", None, 0).next().is_none());
}

#[test]
fn a_full_store_takes_no_puts_and_still_lets_go() {
    let mut store = store_with(Limits { max_state_bytes: 2_000, ..Limits::DEFAULT });
    let large = "x".repeat(1_500);
    store.put("t", "k", &large);
    let full = store.update(&put("t", "l", &large)).unwrap_err();
    assert_eq!(full.kind(), Kind::Full);
    store.update(&remove("t", "k")).unwrap();
    store.put("t", "l", &large);
}
