//! What a new user does wrong first, and what the program says: each message names the cause and the next step.
#![allow(clippy::unwrap_used)]

mod program;

use std::fs;

use program::Desk;

/// A first mistake.
struct Mistake {
    /// What was done before, one command a line; `>` leads to a file, `mkdir` makes a folder.
    before: &'static str,
    /// The command.
    call: &'static str,
    /// What comes on its stdin.
    input: &'static str,
    /// The exit code.
    code: i32,
    /// The message. `@` stands for any time of day, `#` for any span of time,.
    says: &'static str,
}

const fn mistake(before: &'static str, call: &'static str, code: i32, says: &'static str) -> Mistake {
    Mistake { before, call, input: "", code, says }
}

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    mistake("write s text", "add s map --data x", 2,
        "tenure: s is a file, and a store is a directory: give another path, or restore the file if it is a backup"),
    mistake("write s text", "add s/inside map --data x", 2,
        "tenure: a file stands in the middle of the path s/inside: give another path"),
    mistake("", "claim wrok map", 7,
        "tenure: there is no store at wrok: mend the path, or create the store first"),
    mistake("", "add missing/s map", 7,
        "tenure: missing/s can't be made, since missing does not exist: make that directory first, or mend the path"),
    mistake("mkdir s\nwrite s/notes text", "add s map --data x", 2,
        "tenure: s is not a store, since notes stands in it and no lock file of ours: give an empty or a new directory (if it \
         is a store whose lock file was removed, put an empty file named \"lock\" there)"),
    mistake("", "ad s map", 2,
        "error: unrecognized subcommand 'ad'\n\n  tip: a similar subcommand exists: 'add'\n\nUsage: tenure [OPTIONS] <COMMAND>\n\n\
         For more information, try '--help'."),
    mistake("", "add s map --delay -5s", 2,
        "error: invalid value '-5s' for '--delay <DURATION>': it is negative: give 0 or more\n\n\
         For more information, try '--help'."),
    mistake("", "claim s map --lease 60", 2,
        "error: invalid value '60' for '--lease <DURATION>': 60 has no unit: write 60s for seconds, or ms, m, h, d\n\n\
         For more information, try '--help'."),
    mistake("add s map --data x", "claim s map --lease 31d", 2,
        "tenure: lease: a lease lasts 1 ms to 2592000000 ms, not 2678400000 ms"),
    mistake("add s map --data x\nclaim s map --owner 9 --actor web-2:311", "finish s 2 --owner 7", 1,
        "tenure: task 2 is held by owner 9 (web-2:311) until @ UTC (# more): wait for it, or cancel it with force"),
    mistake("add s map --data x\nclaim s map --owner 9 --actor web-2:311\nfinish s 2 --owner 9 --actor web-2:311",
        "finish s 2 --owner 9", 1,
        "tenure: task 2 was finished by owner 9 (web-2:311) # ago: nothing is left to be done with it"),
    mistake("add s map --data x\nclaim s map --owner 7 --lease 1ms --actor web-1:100\nclaim s map --owner 9 --wait 1m --actor web-2:311",
        "finish s 2 --owner 7", 1,
        "tenure: task 2 was claimed again by owner 9 (web-2:311) # ago and is task 3 now, held until @ UTC; your lease \
         ended @ UTC: discard this result and claim again"),
    mistake("", "add s  --data x", 2,
        "tenure: adds[0].group: a group's name must not be empty"),
    mistake("", "add s _mine --data x", 2,
        "tenure: adds[0].group: \"_mine\": names that begin with _ are the store's own"),
    Mistake { before: "", call: "update s", input: r#"{"adds":[{"grup":"map"}]}"#, code: 2,
        says: "tenure: adds[0]: unknown field `grup`; did you mean `group`?" },
    Mistake { before: "", call: "update s", input: "", code: 2, says: "tenure: the request is empty: send one JSON object" },
    mistake("add s map --data x\npause s map", "claim s map", 3,
        "tenure: nothing to claim: group \"map\" is paused; `tenure resume` ends that"),
    mistake("add s map --data x --key k", "add s map --data y --key k", 1,
        "tenure: group \"map\" has a task with key \"k\" already: task 1; add with if_exists keep or replace to allow that"),
    mistake("add s map --data x\nbackup s b", "restore b s", 2,
        "tenure: s is not empty, and a restore overwrites nothing: give another path"),
    mistake("add s map --data x\nwrite b text", "backup s b", 2,
        "tenure: b is there already, and a backup overwrites nothing: give another name"),
    mistake("add s map --data x\nwrite b text-that-is-longer-than-the-header-of-a-backup-is-and-no-backup-of-a-store", "restore b r", 2,
        "tenure: b is no backup of a store: give a file that `backup` wrote"),
    mistake("add s map --data x", "finish s", 2,
        "tenure: which task? give its ID and --owner, or the task's JSON on stdin"),
    mistake("add s map --data x", "renew s 1 --owner 7", 1,
        "tenure: task 1 is not held by you: claim it first"),
    mistake("add s map --data x", "find s 77", 7,
        "tenure: there is no live task that began as 77: it has ended, or never was; `tenure log` says what was done"),
    mistake("records put s t k v", "records put s t k w --expect 0", 1,
        "tenure: record \"k\" of table \"t\" was expected to be absent and has revision 1: read it again and decide anew"),
    mistake("records put s t k v", "records incr s t k", 1, "tenure: record \"k\" of table \"t\": its value is no whole number: put one before you increment it"),
    mistake("records put s t k v", "records get s t wrong", 7,
        "tenure: table \"t\" has no record \"wrong\": `tenure records ls` lists those that are there"),
];

/// Whether a message is as the pattern says.
fn fits(said: &str, pattern: &str) -> bool {
    let Some(at) = pattern.find(['@', '#']) else { return said.trim_end() == pattern };
    let Some(rest) = said.strip_prefix(&pattern[..at]) else { return false };
    let allowed: fn(char) -> bool = if pattern[at..].starts_with('@') {
        |c| c.is_ascii_digit() || c == ':'
    } else {
        |c| c.is_ascii_digit() || c == ' ' || c.is_ascii_lowercase()
    };
    let after = &pattern[at + 1..];
    let begins = &after[..after.find(['@', '#']).unwrap_or(after.len())];
    // The shortest stretch after which the next words stand.
    rest.find(begins).is_some_and(|end| end > 0 && rest[..end].chars().all(allowed) && fits(&rest[end..], after))
}

#[test]
fn each_first_mistake_gets_a_message_that_names_cause_and_next_step() {
    assert!(MISTAKES.len() >= 20);
    let mut faults = Vec::new();
    for mistake in MISTAKES {
        let desk = Desk::new();
        for line in mistake.before.lines() {
            match line.split_once(' ') {
                Some(("mkdir", name)) => fs::create_dir(desk.path(name)).unwrap(),
                Some(("write", rest)) => {
                    let (name, text) = rest.split_once(' ').unwrap();
                    fs::write(desk.path(name), text).unwrap();
                }
                _ => drop(desk.ok(line)),
            }
        }
        let args: Vec<&str> = mistake.call.split(' ').collect();
        let said = desk.run_with(&args, mistake.input);
        if said.code != mistake.code || !fits(&said.err, mistake.says) || !said.out.is_empty() {
            faults.push(format!(
                "{}\n  expected {} {}\n  found    {} {}",
                mistake.call, mistake.code, mistake.says, said.code, said.err
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_name_that_is_too_long_is_refused_with_the_limit() {
    let desk = Desk::new();
    let said = desk.run(&format!("add s {} --data x", "n".repeat(300)));
    assert_eq!(said.code, 2);
    assert!(said.err.contains("300 bytes") && said.err.contains("255"), "{}", said.err);
}

#[test]
fn data_over_the_limit_is_refused_with_the_limit() {
    let desk = Desk::new();
    let data = "x".repeat((16 << 20) + 1);
    let said = desk.run_with(&["add", "s", "g", "--data", "-"], &data);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("16777217") && said.err.contains("16777216"), "{}", said.err);
}

#[test]
fn tasks_of_two_owners_are_refused_in_one_call() {
    let desk = Desk::new();
    desk.ok_with("add s g --data - --lines", "1\n2\n");
    desk.ok("claim s g --owner 7");
    desk.ok("claim s g --owner 9");
    let said = desk.run_with(&["finish", "s"], &desk.ok("tasks s --json"));
    assert_eq!(said.code, 2);
    assert_eq!(said.err, "tenure: the tasks on stdin have more than one owner: give those of one owner at a time\n");
}

#[test]
fn a_store_of_a_higher_format_level_is_left_alone() {
    use tenure::{
        Author, Limits, OwnerId,
        core::{bytelog, driver::Driver, engine::Setup},
        file::{Folder, FolderOptions},
    };
    let desk = Desk::new();
    desk.ok("add s g --data x");
    let folder = Folder::open(&desk.path("s"), &FolderOptions::default()).unwrap();
    let journal = bytelog::ByteLog::open(folder, bytelog::Options::new(Author(5))).unwrap();
    let setup = Setup { limits: Limits::DEFAULT, owner: OwnerId(5), actor: "new".into(), author: Author(5), seed: 0 };
    let mut driver = Driver::open(Box::new(journal), setup, 1000, &|| 1).unwrap();
    driver
        .control(&|| 1, &mut |engine, now| {
            engine.stage_level(now, 99);
            Ok(true)
        })
        .unwrap();
    driver.journal().close().unwrap();
    let before = fs::read(desk.path("s/0000000001.seg")).unwrap();
    for call in ["add s g --data y", "claim s g", "tasks s", "snapshot s"] {
        let said = desk.run(call);
        assert_eq!(said.code, 6, "{call}: {said:?}");
        assert!(said.err.contains("format level 99; this program knows 1: upgrade it"), "{call}: {said:?}");
    }
    assert_eq!(fs::read(desk.path("s/0000000001.seg")).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.ok("add s g --data x");
    fs::set_permissions(desk.path("s"), fs::Permissions::from_mode(0o000)).unwrap();
    // Whoever may do everything is stopped by nothing.
    if fs::read_dir(desk.path("s")).is_err() {
        let said = desk.run("tasks s");
        assert_eq!(said.code, 5, "{said:?}");
        assert!(said.err.contains("can't list s"), "{said:?}");
    }
    fs::set_permissions(desk.path("s"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn with_json_a_mistake_is_json_too() {
    let desk = Desk::new();
    for call in ["claim s map --json", "claim s map --lease 60 --json", "--json ad s"] {
        let said = desk.run(call);
        let error: serde_json::Value = serde_json::from_str(&said.err).unwrap();
        assert!(error["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{said:?}");
    }
}
