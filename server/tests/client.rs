//! The client against a real service: it does what the embedded store does, and bears what a network does.
#![allow(clippy::unwrap_used)]

mod proxy;
mod wire;

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use proxy::{Cut, Proxy};
use tenure::{
    Add, Cancel, Claim, Code, Durability, Error, Filter, Kind, Limits, Options, Outcome, OwnerId, Request, Store, Task,
    TaskState, backup::Backup, clock::Clock, history::History, remote::Client,
};
use tenure_server::{Config, Server};
use wire::Served;

#[path = "../../host/tests/suite/scripted.rs"]
mod scripted;

use scripted::{
    Opened, options,
    script::{FILES, NOW, check, scripts},
};

const LEASE: Duration = Duration::from_mins(1);

fn url(at: SocketAddr) -> String {
    format!("http://{at}")
}

fn connect(served: &Served) -> Store {
    tenure::connect(url(served.at)).unwrap()
}

fn in_a_hurry() -> Options {
    Options::new().retry_for(Duration::ZERO).answer_within(Duration::from_secs(5))
}

fn served(limits: Limits) -> Opened {
    let (clock, folder) = (Clock::test(NOW), tempfile::tempdir().unwrap());
    let options = options(limits, &clock);
    let store = options.clone().durability(Durability::Opportunistic).open(folder.path().join("s")).unwrap();
    let server = Server::start(store, wire::config()).unwrap();
    let store = options.connect(url(server.addresses()[0])).unwrap();
    Opened { store, clock, keep: Box::new((server, folder)) }
}

#[test]
fn a_refusal_names_the_client_that_claimed_and_the_log_who_did_what() {
    let served = Served::new();
    let (one, other) = (OwnerId(7), OwnerId(9));
    let as_of = |actor: &str, owner| Options::new().actor(actor).owner(owner).connect(url(served.at)).unwrap();
    let (web, late) = (as_of("web-2:311", other), as_of("web-1:100", one));
    late.add("map", "x").unwrap();
    let lost = late.claim(&["map"], Duration::from_millis(1)).unwrap().unwrap();
    let claim = Claim { groups: vec!["map".into()], ..Claim::default() };
    assert_eq!(web.claim_until(&claim, None, None).unwrap().tasks.len(), 1);
    let refused = late.finish(&lost).unwrap_err();
    assert!(refused.to_string().contains("was claimed again by owner 9 (web-2:311)"), "{refused}");
    let request = Request { actor: Some("a part of it".into()), ..Request::default() };
    late.update(Request { adds: vec![Add { group: "map".into(), ..Add::default() }], ..request }).unwrap();
    let mut actors = Vec::new();
    let mut history = History::connect(&url(served.at), &Options::new()).unwrap();
    history
        .read(&mut |event| {
            actors.push(event.actor.to_string());
            Ok(())
        })
        .unwrap();
    assert_eq!(actors, ["web-1:100", "web-1:100", "web-2:311", "a_part_of_it"]);
}

/// Scripts that tell that a client gives every request an id, so that it can be repeated: one that changes nothing is an
/// entry all the same, and takes a revision; one under narrow limits has an id that is too long.
const OTHERS: &[&str] = &["a record is put, expected, removed", "limits are named with the value that broke them"];

#[test]
fn a_served_store_answers_every_script_as_it_stands_there() {
    let mut others = Vec::new();
    for name in FILES {
        for script in &scripts(name) {
            if std::panic::catch_unwind(|| check(name, script, served)).is_err() {
                others.push(script["name"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(others, OTHERS);
}

#[test]
fn a_connected_store_tells_the_same_as_the_one_that_is_served() {
    let served = Served::new();
    let store = connect(&served);
    store.add_many("map/ü", (0..30).map(|i| i.to_string())).unwrap();
    store.put("t/1", "a b", vec![0, 255]).unwrap();
    store.put("t/1", "ü", "text").unwrap();
    assert_eq!(store.identity(), served.store.identity());
    assert_eq!(store.digest().unwrap(), served.store.digest().unwrap());
    assert_eq!(store.revision().unwrap(), served.store.revision().unwrap());
    assert_eq!(store.groups().unwrap(), served.store.groups().unwrap());
    assert_eq!(store.tables().unwrap(), ["t/1"]);
    assert_eq!(store.scan("t/1", "", None, 9).unwrap(), served.store.scan("t/1", "", None, 9).unwrap());
    assert_eq!(store.get("t/1", "a b").unwrap(), served.store.get("t/1", "a b").unwrap());
    assert_eq!(store.get("t/1", "none").unwrap(), None);
    let all = store.tasks(&Filter { limit: 7, ..Filter::default() }).unwrap();
    assert_eq!(all, served.store.tasks(&Filter { limit: 7, ..Filter::default() }).unwrap());
    let stats = store.stats().unwrap();
    assert_eq!((stats.tasks, stats.records, stats.groups), (30, 2, 1));
    assert!(store.path().is_none());
    assert!(store.now().abs_diff(served.store.now()) < 5_000);
    store.flush().unwrap();
    assert_eq!(store.snapshot().unwrap(), served.store.revision().unwrap());
    store.pause("map/ü", true).unwrap();
    assert!(store.claim(&["map/ü"], LEASE).unwrap().is_none());
    assert_eq!(store.upgrade().unwrap_err().code(), Code::Unsupported);
    store.close().unwrap();
    assert_eq!(store.add("map", "x").unwrap_err().code(), Code::Closed);
}

#[test]
fn pages_of_tasks_and_records_are_put_together() {
    let served = Served::with(wire::config(), &Options::new().durability(Durability::Opportunistic));
    for batch in 0..3 {
        served.store.add_many("map", (0..4_000).map(|i| (batch * 4_000 + i).to_string())).unwrap();
    }
    let store = connect(&served);
    let all = store.tasks(&Filter { limit: 11_500, ..Filter::default() }).unwrap();
    assert_eq!(all.len(), 11_500);
    assert!(all.is_sorted_by_key(|task| task.id));
    let ids: Vec<_> = all.iter().map(|task| task.id).collect();
    assert!(store.tasks_by_id(&ids[..2_500]).unwrap().iter().all(Option::is_some));
    assert_eq!(store.tasks(&Filter { limit: 0, ..Filter::default() }).unwrap(), []);
}

#[test]
fn held_tasks_transactions_and_refusals_are_those_of_an_embedded_store() {
    let served = Served::new();
    let (store, other) = (connect(&served), connect(&served));
    store.add("map", "x").unwrap();
    let held = store.claims(["map"]).lease(LEASE).next().unwrap().unwrap();
    held.renew().unwrap();
    let left = store
        .transact(|tx| {
            let before = tx.get("jobs", "left")?;
            tx.update(&held, tenure::Update { data: Some("half".into()), ..tenure::Update::default() });
            tx.put("jobs", "left", "1");
            Ok(before)
        })
        .unwrap();
    assert_eq!(left, None);
    assert_eq!(held.data().text(), Some("half"));
    // What only read is right at one moment, or run again.
    let read = store.transact(|tx| Ok(tx.get("jobs", "left")?.map(|record| record.value))).unwrap();
    assert_eq!(read.unwrap().text(), Some("1"));
    let stolen = other.find(held.task().origin).unwrap().unwrap();
    other.cancel(&stolen, true).unwrap();
    let error = held.renew().unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::LeaseLost, Outcome::Refused));
    assert!(held.is_lost());
    let embedded = served.store.finish(&stolen).unwrap_err();
    let told = other.finish(&stolen).unwrap_err();
    assert_eq!(told.refusals().len(), 1);
    // All but how long ago it was.
    let words =
        |error: &Error| error.message().split(' ').filter(|word| word.parse::<u64>().is_err()).collect::<String>();
    assert_eq!((told.code(), words(&told)), (embedded.code(), words(&embedded)));
}

#[test]
fn the_async_client_does_the_same_and_gives_back_what_nobody_waits_for() {
    let served = Served::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(url(served.at)).await.unwrap();
        let task = client.add("map", "x").await.unwrap();
        assert_eq!(client.group("map").await.unwrap().tasks, 1);
        let claimed = client.claim(&["map"], LEASE, Duration::ZERO).await.unwrap().unwrap();
        assert_eq!(claimed.origin, task.id);
        assert_eq!(
            client
                .increment(tenure::Increment { by: 3, table: "t".into(), key: "n".into(), ..Default::default() })
                .await
                .unwrap(),
            3
        );
        let mut events = client.watch().await.unwrap();
        client.finish(&claimed).await.unwrap();
        let event = events.next().await.unwrap();
        assert_eq!((event.owner, event.changes.len()), (client.owner(), 1));
        assert!(client.wait_empty(&["map"], Some(client.now() + 60_000)).await.unwrap());
        for _ in 0..20 {
            let waits = client.claim(&["map"], LEASE, LEASE);
            let adds = async {
                client.add("map", "y").await.unwrap();
            };
            // Whichever is first: the wait is dropped.
            tokio::select! {
                task = waits => client.finish(&task.unwrap().unwrap()).await.unwrap(),
                () = adds => {}
            }
            let began = Instant::now();
            // One that is held by nobody stays. The claim that was dropped may be committed only now, and change what is listed.
            while client.group("map").await.unwrap().tasks > 0 {
                assert!(began.elapsed() < LEASE / 2, "it is held by nobody");
                let available = Filter { state: Some(TaskState::Available), ..Filter::default() };
                for task in client.tasks(&available).await.unwrap() {
                    if let Err(error) = client.cancel(&task, false).await {
                        assert_eq!(error.code(), Code::MissingTask, "{error}");
                    }
                }
            }
        }
        client.close();
        assert_eq!(client.add("map", "x").await.unwrap_err().code(), Code::Closed);
    });
}

#[test]
fn a_repeat_that_comes_when_its_request_id_is_forgotten_commits_nothing() {
    let served = Served::with(wire::config(), &Options::new().durability(Durability::Opportunistic));
    let proxy = Proxy::new(served.at);
    let store = tenure::connect(url(proxy.at)).unwrap();
    for (more, code) in [(1000, None), (65_536, Some(Code::Unknown))] {
        let before = served.store.group("map").unwrap().tasks;
        let busy = served.store.clone();
        proxy.cut_next_after(move || {
            for _ in 0..more {
                busy.increment("t", "n", 1, None, None).unwrap();
            }
        });
        let outcome = store.add("map", "x");
        assert_eq!(outcome.as_ref().err().map(Error::code), code, "{outcome:?}");
        assert_eq!(served.store.group("map").unwrap().tasks, before + 1, "it was done once");
        // The next one is no repeat.
        store.increment("t", "own", 1, None, None).unwrap();
    }
    assert_eq!(proxy.cuts(), 2);
}

#[test]
fn a_place_in_the_log_that_is_gone_by_the_repeat_is_told_of_as_truncated() {
    let served = Served::with(wire::config(), &Options::new().segment_bytes(4096));
    let proxy = Proxy::new(served.at);
    let mut history = History::connect(&url(proxy.at), &Options::new()).unwrap();
    served.store.add("map", "x").unwrap();
    history.read(&mut |_| Ok(())).unwrap();
    let busy = served.store.clone();
    proxy.cut_next_after(move || {
        for n in 0..3 {
            for _ in 0..20 {
                busy.put("t", "k", n.to_string().repeat(1000)).unwrap();
            }
            busy.snapshot().unwrap();
        }
    });
    // It wrote nothing: there is no commit that it could not know of.
    assert_eq!(history.read(&mut |_| Ok(())).unwrap_err().code(), Code::Truncated);
    assert_eq!(proxy.cuts(), 1);
}

#[test]
fn a_connection_that_is_cut_after_the_commit_and_before_the_answer_commits_once() {
    let served = Served::with(wire::config(), &Options::new().durability(Durability::Opportunistic));
    let proxy = Proxy::new(served.at);
    let store = tenure::connect(url(proxy.at)).unwrap();
    for i in 0..100 {
        proxy.cut_next(Cut::BeforeAnswer);
        store.add("map", i.to_string()).unwrap();
        proxy.cut_next(Cut::MidAnswer);
        store.increment("t", "n", 1, None, None).unwrap();
        proxy.cut_next(Cut::BeforeAnswer);
        let task: Task = store.claim_wait(&["map"], LEASE, LEASE).unwrap().unwrap();
        proxy.cut_next(Cut::BeforeRequest);
        store.finish(&task).unwrap();
    }
    assert!(proxy.cuts() >= 400, "{} cuts", proxy.cuts());
    assert_eq!(served.store.group("map").unwrap().tasks, 0, "each was added once, claimed once, finished once");
    assert_eq!(served.store.get("t", "n").unwrap().unwrap().value.text(), Some("100"));
}

#[test]
fn a_cancelled_wait_holds_nothing_on_a_served_store() {
    let served = Served::with(wire::config(), &Options::new().durability(Durability::Opportunistic));
    let store = connect(&served);
    let claim = Claim { groups: vec!["map".into()], ..Claim::default() };
    for _ in 0..50 {
        let cancel = Cancel::new();
        let got = thread::scope(|scope| {
            let waiting = scope.spawn(|| store.claim_until(&claim, None, Some(&cancel)));
            scope.spawn(|| served.store.add("map", "x").unwrap());
            cancel.cancel();
            waiting.join().unwrap()
        });
        let began = Instant::now();
        match got {
            Ok(got) => assert_eq!(got.tasks.len(), 1),
            Err(error) => {
                assert_eq!(error.code(), Code::Cancelled);
                // The service may learn a little later that the first connection is gone.
                while served.store.group("map").unwrap().held > 0 {
                    assert!(began.elapsed() < LEASE / 2, "a cancelled wait holds a task");
                    thread::yield_now();
                }
            }
        }
        for task in served.store.tasks(&Filter::default()).unwrap() {
            served.store.cancel(&task, true).unwrap();
        }
    }
}

#[test]
fn a_client_goes_on_when_the_service_was_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let start = |listen: SocketAddr| {
        let store = Store::open(&path).unwrap();
        Some((Server::start(store.clone(), Config::new(listen)).unwrap(), store))
    };
    let mut running = start("127.0.0.1:0".parse().unwrap());
    let at = running.as_ref().unwrap().0.addresses()[0];
    let store = tenure::connect(url(at)).unwrap();
    let mut watch = store.watch().unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let adds = scope.spawn(|| (0..60).map(|i| store.add("map", i.to_string()).unwrap().id).collect::<Vec<_>>());
        let takes = scope.spawn(|| {
            let mut taken = 0;
            while !(ended.load(Ordering::Acquire) && store.group("map").unwrap().tasks == 0) {
                if let Some(task) = store.claim_wait(&["map"], LEASE, Duration::from_millis(300)).unwrap() {
                    store.finish(&task).unwrap();
                    taken += 1;
                }
            }
            taken
        });
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(100));
            let (server, embedded) = running.take().unwrap();
            drop(server);
            embedded.close().unwrap();
            running = start(at);
        }
        let ids = adds.join().unwrap();
        ended.store(true, Ordering::Release);
        assert_eq!(takes.join().unwrap(), ids.len(), "each was done once");
    });
    let last = store.revision().unwrap();
    // The watch went on as well: every entry once, in order.
    let mut seen = 0;
    while let Some(event) = watch.next(Duration::from_secs(5)).unwrap() {
        assert_eq!(event.revision.0, seen + 1);
        seen = event.revision.0;
        if seen == last.0 {
            break;
        }
    }
    assert_eq!(seen, last.0);
}

#[test]
fn another_store_at_the_same_place_is_not_taken_for_the_first() {
    let first = Served::new();
    let store = in_a_hurry().connect(url(first.at)).unwrap();
    let at = first.at;
    drop(first);
    let folder = tempfile::tempdir().unwrap();
    let other = Store::open(folder.path().join("s")).unwrap();
    let server = Server::start(other.clone(), Config::new(at)).unwrap();
    let error = store.add("map", "x").unwrap_err();
    assert_eq!((error.kind(), error.code(), error.outcome()), (Kind::Fenced, Code::Replaced, Outcome::Refused));
    assert_eq!(other.revision().unwrap().0, 0);
    drop(server);
}

#[test]
fn a_request_id_of_the_caller_s_own_is_kept() {
    let served = Served::new();
    let store = connect(&served);
    let adds = vec![Add { group: "map".into(), ..Add::default() }];
    let request = Request { request_id: Some("mine".into()), adds, ..Request::default() };
    let first = store.update(request.clone()).unwrap();
    let again = store.update(request.clone()).unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!(first.tasks, again.tasks);
    let other = Request { owner: OwnerId(0), adds: vec![Add { group: "other".into(), ..Add::default() }], ..request };
    assert_eq!(store.update(other).unwrap_err().code(), Code::RequestReused);
}

#[test]
fn a_backup_and_the_log_come_over_the_service() {
    let served = Served::new();
    let store = connect(&served);
    store.add_many("map", ["a", "b"]).unwrap();
    let file = served.folder.path().join("backup");
    let copy = Backup::fetch(&store, &file).unwrap();
    assert_eq!((copy.tasks, copy.store), (2, store.identity()));
    assert_eq!(Backup::fetch(&store, &file).unwrap_err().code(), Code::Invalid, "it overwrites nothing");
    assert_eq!(Backup::fetch(&served.store, &served.folder.path().join("x")).unwrap_err().code(), Code::Unsupported);
    let restored = served.folder.path().join("restored");
    Backup::restore(&file, &restored).unwrap();
    assert_eq!(Store::open(&restored).unwrap().group("map").unwrap().tasks, 2);
    let mut history = History::connect(&url(served.at), &Options::new()).unwrap();
    let mut seen = Vec::new();
    history
        .read(&mut |event| {
            seen.push(event);
            Ok(())
        })
        .unwrap();
    let mut local = Vec::new();
    History::open(served.store.path().unwrap())
        .unwrap()
        .read(&mut |event| {
            local.push(event);
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, local);
}

#[test]
fn posted_requests_and_batches_are_answered() {
    let served = Served::new();
    let store = connect(&served);
    let (tell, told) = std::sync::mpsc::channel();
    let claim = Claim { groups: vec!["map".into()], ..Claim::default() };
    let sender = tell.clone();
    let posted = store.post_claim(claim.clone(), None, move |answer| sender.send(answer).unwrap());
    posted.cancel();
    assert_eq!(told.recv_timeout(LEASE).unwrap().unwrap_err().code(), Code::Cancelled);
    let sender = tell.clone();
    store.post_claim(claim.clone(), None, move |answer| sender.send(answer).unwrap());
    store.add("map", "x").unwrap();
    assert_eq!(told.recv_timeout(LEASE).unwrap().unwrap().tasks.len(), 1);
    let add = |key: &str| {
        let adds = vec![Add { group: "g".into(), key: Some(key.into()), ..Add::default() }];
        tenure::Work::Update(Request { adds, ..Request::default() })
    };
    let answers = store.begin(&[add("a"), add("a"), add("b")]).wait();
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    store.post_claim(claim, None, move |answer| tell.send(answer).unwrap());
    store.close().unwrap();
    assert_eq!(told.recv_timeout(LEASE).unwrap().unwrap_err().code(), Code::Closed);
}

#[test]
fn closing_ends_every_wait_on_a_service() {
    let served = Served::new();
    let store = connect(&served);
    let claim = Claim { groups: vec!["map".into()], ..Claim::default() };
    thread::scope(|scope| {
        let waits: Vec<_> = (0..12)
            .map(|i| {
                let (store, claim) = (&store, &claim);
                scope.spawn(move || match i % 4 {
                    0 => store.claim_until(claim, None, None).map(drop),
                    // It sees the adds of the others before it ends.
                    1 => store.watch().and_then(|mut watch| {
                        loop {
                            watch.next(LEASE * 10)?;
                        }
                    }),
                    2 => store.add("full", "x").and_then(|_| store.wait_empty(&["full"], None).map(drop)),
                    _ => store.claims(["map"]).next().unwrap().map(drop),
                })
            })
            .collect();
        // Those that come later hear it as well.
        while served.store.group("full").unwrap().tasks == 0 {
            thread::yield_now();
        }
        store.close().unwrap();
        for wait in waits {
            assert_eq!(wait.join().unwrap().unwrap_err().code(), Code::Closed);
        }
    });
}
