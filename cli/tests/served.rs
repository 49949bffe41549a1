//! The program with a URL where it takes a path.
#![allow(clippy::unwrap_used)]
#![cfg(all(unix, feature = "serve", feature = "client"))]

mod program;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
};

use program::{
    Desk,
    service::{Running, start},
};

#[test]
fn every_command_that_takes_a_path_does_the_same_with_a_url() {
    let desk = Desk::new();
    let (_service, url) = start(&desk, &[]);
    let ok = |line: &str| desk.ok(&line.replace('@', &url));
    assert_eq!(ok("add @ map --data one"), "task 1  map  available  \"one\"\n");
    desk.ok_with(&format!("add {url} map --lines --data -"), "two\nthree\n");
    let claimed = ok("claim @ map --owner 7 --order oldest --json");
    desk.ok_with(&format!("finish {url}"), &claimed);
    ok("claim @ map --owner 7 --order oldest");
    ok("renew @ 5 --owner 7 --lease 10m");
    ok("fail @ 6 --owner 7 --error no");
    ok("move @ 7 --to other");
    ok("requeue @ 8 --to map");
    ok("pause @ map");
    assert_eq!(desk.run(&format!("claim {url} map")).code, 3);
    ok("resume @ map");
    ok("records put @ t k v");
    ok("records incr @ t n 3");
    desk.ok_with(&format!("update {url}"), r#"{"adds":[{"group":"map","data":"four"}]}"#);
    // What it shows is what the folder shows.
    for look in ["tasks @", "records ls @ t", "records get @ t n", "find @ 2", "log @ --json", "tail @ -n 3"] {
        assert_eq!(ok(look), desk.ok(&look.replace('@', "s")), "{look}");
    }
    let (over, beside) = (desk.json(&format!("stats {url}")), desk.json("stats s"));
    for number in ["revision", "tasks", "records", "digest"] {
        assert_eq!(over[number], beside[number], "{number}");
    }
    // Refusals and exit codes are the same.
    let refused = desk.run(&format!("finish {url} 1"));
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("task 1 was finished by owner 7"), "{refused:?}");
    ok("snapshot @");
    assert!(ok("backup @ copy").contains("read back and verified"));
    desk.ok("restore copy again");
    assert_eq!(desk.json("stats again")["tasks"], over["tasks"]);
    for line in ["inspect @", "verify @", "upgrade @", "serve @", "restore copy @"] {
        let said = desk.run(&line.replace('@', &url));
        assert_eq!(said.code, 2, "{line}: {said:?}");
        assert!(said.err.contains("takes a folder, not a service"), "{line}: {said:?}");
    }
}

#[test]
fn a_tail_follows_a_service() {
    let desk = Desk::new();
    let (_service, url) = start(&desk, &[]);
    desk.ok(&format!("add {url} map --data one"));
    let mut tail = Running(desk.command(&["tail", &url, "--follow", "--json"]).spawn().unwrap());
    let mut lines = BufReader::new(tail.0.stdout.as_mut().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"revision\":1,"));
    desk.ok(&format!("add {url} map --data two"));
    desk.ok("add s map --data three");
    for revision in 2..=3 {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&format!("\"revision\":{revision},")), "{line}");
    }
}

#[test]
fn a_token_is_given_by_an_option_or_by_the_environment() {
    let desk = Desk::new();
    let tokens = desk.path("tokens");
    let text = r#"{"tokens":[{"name":"w","secret":"the secret of a worker","grants":[{"scope":"admin"}]}]}"#;
    fs::write(&tokens, text).unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    let (_service, url) = start(&desk, &["--tokens", "tokens"]);
    let refused = desk.run(&format!("groups {url}"));
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("token"), "{refused:?}");
    let given = desk.run_with(&["groups", &url, "--token", "the secret of a worker"], "");
    assert_eq!(given.code, 0, "{given:?}");
    let out = desk.command(&["groups", &url]).env("TENURE_TOKEN", "the secret of a worker").output().unwrap();
    assert!(out.status.success(), "{out:?}");
}

#[test]
fn the_word_count_runs_over_a_service() {
    let desk = Desk::new();
    let (_service, url) = start(&desk, &[]);
    fs::create_dir(desk.path("texts")).unwrap();
    for n in 1..9 {
        fs::write(desk.path("texts").join(n.to_string()), "word ".repeat(n * 200)).unwrap();
    }
    let said = desk.ok(&format!("demo wordcount texts --workers 3 --kill 1 --url {url}"));
    assert!(said.contains("7200  word\n") && said.contains("The same as a direct count"), "{said}");
    assert_eq!(said.matches("was done twice").count(), 1, "{said}");
    assert!(desk.ok("records get s counts-1 word").contains("7200"));
    let wrong = desk.run("demo wordcount texts --url nowhere");
    assert_eq!(wrong.code, 2, "{wrong:?}");
}
