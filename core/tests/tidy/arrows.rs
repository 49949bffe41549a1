//! What may use what: the crates' table and the core's, and how a text is read for it.

/// Each crate's folder, and the crates of this workspace that it may use. An arrow points from a row to one above it.
const CRATES: &[(&str, &[&str])] = &[
    ("core", &["tenure-core"]), // itself, with its test journals, in its own tests
    ("host", &["tenure-core"]),
    ("server", &["tenure-core", "tenure"]),
    ("cli", &["tenure-core", "tenure", "tenure-server"]),
    ("examples", &["tenure-core", "tenure"]),
    ("core/fuzz", &["tenure-core"]),
    ("server/fuzz", &["tenure", "tenure-server"]),
    ("bench", &["tenure-core", "tenure"]),
    ("bindings/wasm", &["tenure-core"]),
    ("bindings/wasm/crc32", &[]),
    ("bindings/wasm/tools", &[]),
    ("bindings/python", &["tenure-core", "tenure", "tenure-cli"]),
    ("bindings/node", &["tenure-core", "tenure", "tenure-cli"]),
];

/// The plain values of the core. They may use each other.
const VALUES: &[&str] = &["id", "time", "limits", "data", "task", "record", "error", "request"];

/// Each module of the core, and what it may use of `crate::`. An arrow points from a row to one above it;
/// `module::Item` allows that one item.
const MODULES: &[(&str, &str)] = &[
    ("VALUES", "entry::Reason"), // a delete, and a refusal, say why a task ended
    ("json", "VALUES entry::Reason"),
    ("entry", "VALUES"),
    ("port", "VALUES entry"),
    ("frame", "VALUES entry port::Draft port::Stored port::Tail"), // the port's values, never its traits
    ("bytelog", "VALUES entry port frame"),
    ("rows", "VALUES entry port frame"),
    ("state", "VALUES entry port::Stored port::Tail"),
    ("txn", "VALUES entry state"),
    ("snapshot", "VALUES entry state port::SnapshotName port::Stored port::Tail"),
    ("engine", "VALUES entry state txn snapshot port::Draft port::SnapshotName port::Stored port::Tail"),
    ("driver", "VALUES entry port frame bytelog rows state txn snapshot engine"),
    ("desk", "VALUES entry port frame rows state txn snapshot engine driver"),
    ("archive", "VALUES entry port frame bytelog rows state txn snapshot engine driver"),
    ("inspect", "VALUES json entry port frame bytelog state snapshot engine driver"),
    ("testing", "VALUES json entry port frame bytelog rows state txn snapshot engine driver"),
];

/// The dependencies on crates of this workspace that a manifest has, but may not have.
pub fn crate_faults(folder: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = CRATES.iter().find(|(name, _)| *name == folder) else {
        return vec![format!("{folder} has no row in CRATES in core/tests/tidy/arrows.rs: say what it may use")];
    };
    let mut section = "";
    let mut faults = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        // Either `name.workspace = true` below `[…dependencies]`, or a section of its own.
        let named = if let Some((_, name)) = section.split_once("dependencies.") {
            name.trim_end_matches(']')
        } else if section.ends_with("dependencies]") {
            line.split(['=', '.', ' ']).next().unwrap_or_default()
        } else {
            continue;
        };
        if (named == "tenure" || named.starts_with("tenure-")) && !allowed.contains(&named) {
            faults.push(format!("{folder} may not use {named}: what both need belongs in a crate below both"));
        }
    }
    faults.dedup();
    faults
}

/// Why `module` may not use `used`, which is `other`, or `other::Item`.
pub fn module_fault(module: &str, used: &str) -> Option<String> {
    let row = |module| if VALUES.contains(&module) { "VALUES" } else { module };
    let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == row(module)) else {
        return Some(format!(
            "the module {module} has no row in MODULES in core/tests/tidy/arrows.rs: say what it may use"
        ));
    };
    let other = used.split("::").next().unwrap_or_default();
    if other.starts_with(char::is_uppercase) {
        return Some(format!("crate::{other} hides its module: write crate::module::{other}"));
    }
    if row(other) == row(module) || allowed.split(' ').any(|may| may == row(other) || may == used) {
        return None;
    }
    Some(format!("{module} may not use crate::{used}: it may use {allowed}"))
}

/// Every arrow of the table points up, but for single items that it names.
pub fn check_table() {
    for (at, (module, allowed)) in MODULES.iter().enumerate() {
        for may in allowed.split(' ').filter(|may| !may.contains("::")) {
            let above = MODULES[..at].iter().any(|(name, _)| *name == may);
            assert!(above, "{module} uses {may}, which does not stand above it: the arrows would run in a circle");
        }
    }
}

/// What a source text uses of its crate, as `module` or `module::Item`. Comments and its own tests don't count.
pub fn uses(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = String::new();
    for line in text.lines() {
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push(' ');
    }
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => members(group).iter().for_each(|member| path(member, &mut found)),
            None => path(rest, &mut found),
        }
    }
    found
}

/// The members of a group in braces, up to its end.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                found.push(group[from..at].trim());
                from = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// Adds what a path begins with: `a`, or `a::B` for each of its items.
fn path(text: &str, found: &mut Vec<String>) {
    let name =
        |text: &str| text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default().to_owned();
    let module = name(text);
    if module.is_empty() {
        return;
    }
    match text[module.len()..].strip_prefix("::") {
        Some(items) => match items.strip_prefix('{') {
            Some(group) => found.extend(
                members(group)
                    .iter()
                    .map(|item| name(item))
                    .filter(|item| !item.is_empty())
                    .map(|item| format!("{module}::{item}")),
            ),
            None => found.push(format!("{module}::{}", name(items))),
        },
        None => found.push(module),
    }
}

#[test]
fn uses_are_found_in_every_form() {
    let text = "use crate::{\n    error::{Error, Result}, // crate::not\n    id::TaskId,\n    time,\n};\nlet x = crate::port::Tail;\n//! crate::no\nuse crate::Task;";
    assert_eq!(uses(text), ["error::Error", "error::Result", "id::TaskId", "time", "port::Tail", "Task"]);
}

#[test]
fn an_arrow_that_points_back_is_refused() {
    for (module, used) in [
        ("state", "engine::Engine"),
        ("id", "entry::Op"),
        ("entry", "frame"),
        ("engine", "port::Journal"),
        ("task", "Error"),
        ("id", "json::x"),
        ("new", "id"),
    ] {
        assert!(module_fault(module, used).is_some(), "{module} uses {used}");
    }
    for (module, used) in
        [("error", "entry::Reason"), ("error", "id::TaskId"), ("driver", "engine::Engine"), ("engine", "port::Tail")]
    {
        assert_eq!(module_fault(module, used), None, "{module} uses {used}");
    }
}

#[test]
fn a_crate_that_points_back_is_refused() {
    for manifest in [
        "[dependencies]\ntenure.workspace = true",
        "[target.'cfg(unix)'.dependencies]\ntenure = \"1\"",
        "[dev-dependencies.tenure]\npath = \"../host\"",
    ] {
        assert_eq!(crate_faults("core", manifest).len(), 1, "{manifest}");
    }
    assert!(crate_faults("cli", "[dependencies]\ntenure.workspace = true\n[features]\ntenure-x = []").is_empty());
    assert_eq!(crate_faults("elsewhere", "").len(), 1);
}
