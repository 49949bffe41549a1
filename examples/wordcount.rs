//! Counts words with map and reduce tasks on one store. One worker is too slow: its lease runs out, another does its
//! task again, and its late commit is refused. `cargo run --example wordcount [FOLDER]`

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use tenure::{Held, Result, Store, Subject, Task};

const PARTS: usize = 4;
const LEASE: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(100);

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../docs").into());
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let texts: Vec<String> = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
    let place = std::env::temp_dir().join(format!("wordcount-{}.tenure", std::process::id()));
    let counted = count_in_tasks(&place, &texts);
    let _ = fs::remove_dir_all(&place);

    let mut direct = BTreeMap::new();
    count(&texts.join(" "), &mut direct);
    let counted = counted?;
    assert_eq!(counted, direct, "every word is counted once");
    println!("{} words in {} texts, {} different", counted.values().sum::<u64>(), texts.len(), counted.len());
    Ok(())
}

fn count_in_tasks(place: &Path, texts: &[String]) -> Result<BTreeMap<String, u64>> {
    let store = Store::open(place)?;
    store.add_many("map", texts)?;

    // The slow worker's lease runs out before it commits.
    let slow = Store::open(place)?;
    let claimed = slow.claim(&["map"], SHORT)?;
    work_with_three(place, map)?;
    if let Some(task) = &claimed {
        let late = commit(&slow, task, task, &mapped(task)).expect_err("somebody else has done it");
        println!("the late commit was refused: {late}");
    }
    store.add_many("reduce", (0..PARTS).map(|part| part.to_string()))?;
    work_with_three(place, reduce)?;
    let counts = store.scan("counts", "", None, usize::MAX)?.into_iter();
    Ok(counts.map(|record| (record.key.to_string(), number(&record.value))).collect())
}

/// Three workers, each with a handle of its own.
fn work_with_three(place: &Path, work: fn(&Store, &Held) -> Result<()>) -> Result<()> {
    std::thread::scope(|scope| {
        let worker = || {
            let store = Store::open(place)?;
            // A task that nobody finished comes back, so no worker leaves before the groups are empty.
            while !store.wait_empty(&["map", "reduce"], Some(store.now()))? {
                for held in store.claims(["reduce", "map"]).lease(LEASE).idle(SHORT) {
                    work(&store, &held?)?;
                }
            }
            store.close()
        };
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

fn map(store: &Store, held: &Held) -> Result<()> {
    commit(store, held, &held.task(), &mapped(&held.task()))
}

/// Ends a map task and writes its output, both or neither.
fn commit(
    store: &Store,
    subject: impl Subject + Copy,
    task: &Task,
    parts: &BTreeMap<usize, Vec<String>>,
) -> Result<()> {
    store.transact(|tx| {
        tx.finish(subject);
        for (part, words) in parts {
            tx.put("mapped", &format!("{part}/{}", task.origin), words.join("\n"));
        }
        Ok(())
    })
}

/// A text's words with their counts, dealt to parts.
fn mapped(task: &Task) -> BTreeMap<usize, Vec<String>> {
    let (mut counts, mut parts) = (BTreeMap::new(), BTreeMap::<usize, Vec<String>>::new());
    count(task.text().unwrap_or_default(), &mut counts);
    for (word, n) in counts {
        let part = word.bytes().map(usize::from).sum::<usize>() % PARTS;
        parts.entry(part).or_default().push(format!("{word} {n}"));
    }
    parts
}

fn reduce(store: &Store, held: &Held) -> Result<()> {
    let mut sums = BTreeMap::new();
    for share in store.scan("mapped", &format!("{}/", held.task().text().unwrap_or_default()), None, usize::MAX)? {
        for (word, n) in share.value.text().unwrap_or_default().lines().filter_map(|line| line.split_once(' ')) {
            *sums.entry(word.to_owned()).or_insert(0) += number(n.as_bytes());
        }
    }
    store.transact(|tx| {
        tx.finish(held);
        for (word, n) in &sums {
            tx.put("counts", word, n.to_string());
        }
        Ok(())
    })
}

fn count(text: &str, counts: &mut BTreeMap<String, u64>) {
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
}

fn number(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}
