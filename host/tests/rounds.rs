//! Requests that are posted in rounds, for a host with a loop of its own.
#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use tenure::{Add, Answers, Claim, Code, Committed, Posted, Request, Result, Rounds, Store};

const SOON: Duration = Duration::from_secs(10);

/// A loop that does what the test says.
struct Loop {
    begun: Sender<()>,
    given: Sender<Answers>,
}

impl Rounds for Loop {
    fn begin(&self) {
        self.begun.send(()).unwrap();
    }

    fn give(&self, answers: Answers) {
        // A test that has ended listens no more.
        let _ = self.given.send(answers);
    }
}

fn in_rounds() -> (Store, Receiver<()>, Receiver<Answers>) {
    let store = Store::memory().unwrap();
    let ((begun, begins), (given, answers)) = (channel(), channel());
    store.post_in_rounds(Some(Arc::new(Loop { begun, given })));
    (store, begins, answers)
}

fn add(store: &Store, tell: &Sender<Result<Committed>>) {
    let adds = vec![Add { group: "g".into(), ..Add::default() }];
    let tell = tell.clone();
    store.post(Request { adds, ..Request::default() }, move |answer| tell.send(answer).unwrap());
}

fn claim(store: &Store, tell: &Sender<Result<Committed>>) -> Posted {
    let claim = Claim { groups: vec!["none".into()], ..Claim::default() };
    let tell = tell.clone();
    store.post_claim(claim, None, move |answer| tell.send(answer).unwrap())
}

#[test]
fn a_round_begins_once_goes_out_whole_and_its_answers_are_given_where_the_host_likes() {
    let (store, begins, gives) = in_rounds();
    let (tell, told) = channel();
    for _ in 0..3 {
        (0..5).for_each(|_| add(&store, &tell));
        begins.recv_timeout(SOON).unwrap();
        assert!(begins.try_recv().is_err(), "one round");
        let before = store.group("g").unwrap().tasks;
        assert_eq!(before % 5, 0, "nothing goes out before it is complete");
        store.post_round();
        let answers = gives.recv_timeout(SOON).unwrap();
        assert_eq!(format!("{answers:?}"), "Answers { answers: 5, .. }");
        assert_eq!(store.group("g").unwrap().tasks, before + 5);
        assert!(told.try_recv().is_err(), "they are the host's to give");
        drop(answers);
        assert_eq!(told.try_iter().flatten().count(), 5);
    }
}

#[test]
fn a_round_of_nothing_is_nothing() {
    let (store, begins, gives) = in_rounds();
    store.post_round();
    let (tell, told) = channel();
    add(&store, &tell);
    begins.recv_timeout(SOON).unwrap();
    store.post_round();
    store.post_round();
    drop(gives.recv_timeout(SOON).unwrap());
    told.recv_timeout(SOON).unwrap().unwrap();
    assert!(begins.try_recv().is_err());
}

#[test]
fn a_claim_is_cancelled_though_its_round_is_not_complete() {
    let (store, _begins, gives) = in_rounds();
    let (tell, told) = channel();
    claim(&store, &tell).cancel();
    let answer = told.recv_timeout(SOON).unwrap();
    assert_eq!(answer.unwrap_err().code(), Code::Cancelled);
    assert!(gives.try_recv().is_err());
}

#[test]
fn a_claim_that_waits_is_answered_in_a_round_too() {
    let (store, _begins, gives) = in_rounds();
    let (tell, told) = channel();
    let _posted = claim(&store, &tell);
    store.post_round();
    store.add("none", "x").unwrap();
    drop(gives.recv_timeout(SOON).unwrap());
    assert_eq!(told.recv_timeout(SOON).unwrap().unwrap().tasks.len(), 1);
}

#[test]
fn what_was_gathered_goes_out_where_there_are_no_rounds_any_more() {
    let (store, _begins, gives) = in_rounds();
    let (tell, told) = channel();
    add(&store, &tell);
    store.post_in_rounds(None);
    told.recv_timeout(SOON).unwrap().unwrap();
    add(&store, &tell);
    told.recv_timeout(SOON).unwrap().unwrap();
    assert!(gives.try_recv().is_err());
}

#[test]
fn whoever_is_in_a_round_as_the_handle_is_closed_hears_it() {
    let (store, _begins, gives) = in_rounds();
    let (tell, told) = channel();
    add(&store, &tell);
    let _posted = claim(&store, &tell);
    store.close().unwrap();
    drop(gives.recv_timeout(SOON).unwrap());
    for _ in 0..2 {
        assert_eq!(told.recv_timeout(SOON).unwrap().unwrap_err().code(), Code::Closed);
    }
    add(&store, &tell);
    assert_eq!(told.recv_timeout(SOON).unwrap().unwrap_err().code(), Code::Closed);
}
