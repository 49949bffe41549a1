//! A worker of a fleet: finishes tasks, and writes down who did each, once.
//!
//!     cargo run --example fleet                     # works off a store of its own
//!     cargo run --example fleet -- FOLDER NAME      # works beside others, in whatever language they are

use std::{thread, time::Duration};

use tenure::{Put, Revision, Store};

/// Works until nothing has come for a while; says how many tasks it did.
fn work(store: &Store, name: &str) -> tenure::Result<u32> {
    let (mut done, lease) = (0, Duration::from_millis(500));
    for held in store.claims(["work"]).lease(lease).idle(3 * lease) {
        let held = held?;
        thread::sleep(Duration::from_millis(2)); // the work
        let key = held.data().text().unwrap_or_default().to_owned();
        store.transact(|tx| {
            tx.finish(&held);
            // Refused, had another committed it before.
            let (table, value, expect) = ("done".into(), name.into(), Some(Revision(0)));
            tx.put_record(Put { table, key: key.clone(), value, expect, expires_at: None });
            tx.increment("by", name, 1);
            Ok(())
        })?;
        done += 1;
    }
    Ok(done)
}

fn main() -> tenure::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(folder), Some(name)) = (arguments.next(), arguments.next()) {
        let store = Store::open(folder)?;
        work(&store, &name)?;
        return store.close();
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(folder.path().join("fleet.tenure"))?;
    store.add_many("work", (0..20).map(|n| n.to_string()))?;
    println!("{} tasks done", work(&store, "alone")?);
    assert_eq!(store.scan("done", "", None, 100)?.len(), 20);
    Ok(())
}
