//! Absolute paths in texts.

/// Where people's homes, mounts and build machines' checkouts lie.
const PLACES: &[&str] = &["home", "root", "Users", "mnt", "opt", "srv", "tmp", "work", "workspace", "builds"];

/// The first absolute path in a line that only one machine has, up to its next separator.
pub fn of_one_machine(line: &str) -> Option<&str> {
    for (at, _) in line.match_indices('/') {
        // "a/tmp", "https://…", "~/tmp" and "$DIR/tmp" are no absolute paths; "C:/" is one, but of nobody here.
        let begins =
            line[..at].chars().next_back().is_none_or(|c| !(c.is_alphanumeric() || "/:.~_-*)]}>…".contains(c)));
        if !begins {
            continue;
        }
        let rest = &line[at + 1..];
        let place = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if PLACES.contains(&place) && rest[place.len()..].starts_with('/') {
            return Some(&line[at..at + 2 + place.len()]);
        }
    }
    None
}

#[test]
fn a_path_of_one_machine_is_told_from_the_rest() {
    let slash = '/';
    assert!(of_one_machine(&format!("see {slash}home/me/x")).is_some());
    assert!(of_one_machine(&format!("\"{slash}tmp/x\"")).is_some());
    for fine in ["docs/tmp/x", "https://tmp/x", "/usr/bin/env", "a / b", "/tmp", "$HOME/tmp/x", "either/or"] {
        assert_eq!(of_one_machine(fine), None, "{fine}");
    }
}
