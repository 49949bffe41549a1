//! Random programs: what steps there are, and how they are drawn.

use proptest::prelude::*;
use tenure_core::{IfExists, Millis, Verb, When, testing::Fault};

use crate::{HANDLES, support::START};

/// A task that a step speaks of.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    Live(u8),
    Any(u8),
}

#[derive(Clone, Debug)]
pub struct Change {
    pub target: Target,
    pub verb: Verb,
    pub data: bool,
    pub group: Option<u8>,
    pub available: Option<When>,
    pub error: Option<&'static str>,
    pub force: bool,
}

#[derive(Clone, Debug)]
pub enum Part {
    Add { group: u8, key: Option<u8>, if_exists: IfExists, available: When },
    Change(Change),
    End { target: Target, force: bool },
    Depend(Target, bool),
    Put { key: u8, value: u8, expect: Option<u8>, expires: Option<u16> },
    Remove { key: u8, expect: Option<u8> },
    Increment { key: u8, by: i64, min: Option<i64> },
    Guard { key: u8, expect: u8 },
    Pause { group: u8, paused: bool },
}

#[derive(Clone, Debug)]
pub enum Wish {
    Update { parts: Vec<Part>, id: Option<u8> },
    Claim { groups: Vec<u8>, limit: usize, oldest: bool, lease: Millis, depend: Option<Target>, id: Option<u8> },
}

#[derive(Clone, Debug)]
pub enum Step {
    Ask { handle: usize, wish: Wish, fault: Option<Fault> },
    Batch { handle: usize, wishes: Vec<Wish> },
    Restart(usize),
    CatchUp(usize),
    Snapshot(usize),
    Begin(usize),
    Slice(usize),
    Clock { handle: usize, by: i32 },
}

pub fn groups(number: u8) -> &'static str {
    ["a", "b", "c"][usize::from(number % 3)]
}

pub fn keys(number: u8) -> &'static str {
    ["k", "l"][usize::from(number % 2)]
}

pub fn records(number: u8) -> &'static str {
    ["x", "y", "z"][usize::from(number % 3)]
}

pub fn target() -> impl Strategy<Value = Target> {
    prop_oneof![6 => any::<u8>().prop_map(Target::Live), 1 => any::<u8>().prop_map(Target::Any)]
}

pub fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => Just(When::Now),
        2 => (0u64..20_000).prop_map(When::After),
        1 => (START - 10_000..START + 20_000).prop_map(When::At)
    ]
}

pub fn verbs() -> impl Strategy<Value = Verb> {
    prop::sample::select(vec![Verb::Update, Verb::Update, Verb::Renew, Verb::Release, Verb::Fail, Verb::Requeue])
}

pub fn change() -> impl Strategy<Value = Change> {
    (
        target(),
        verbs(),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.2, any::<u8>()),
        prop::option::of(when()),
        prop::option::weighted(0.3, prop::sample::select(vec!["", "no such file"])),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(target, verb, data, group, available, error, force)| Change {
            target,
            verb,
            data,
            group,
            available,
            error,
            force,
        })
}

pub fn part() -> impl Strategy<Value = Part> {
    let if_exists = || prop::sample::select(vec![IfExists::Refuse, IfExists::Keep, IfExists::Replace]);
    let expect = || prop::option::weighted(0.4, 0u8..4);
    prop_oneof![
        6 => (any::<u8>(), prop::option::weighted(0.4, any::<u8>()), if_exists(), when())
            .prop_map(|(group, key, if_exists, available)| Part::Add { group, key, if_exists, available }),
        5 => change().prop_map(Part::Change),
        3 => (target(), prop::bool::weighted(0.2)).prop_map(|(target, force)| Part::End { target, force }),
        1 => (target(), any::<bool>()).prop_map(|(target, origin)| Part::Depend(target, origin)),
        2 => (any::<u8>(), any::<u8>(), expect(), prop::option::weighted(0.3, 0u16..20_000))
            .prop_map(|(key, value, expect, expires)| Part::Put { key, value, expect, expires }),
        1 => (any::<u8>(), expect()).prop_map(|(key, expect)| Part::Remove { key, expect }),
        2 => (any::<u8>(), -3i64..4, prop::option::of(-2i64..3))
            .prop_map(|(key, by, min)| Part::Increment { key, by, min }),
        1 => (any::<u8>(), 0u8..4).prop_map(|(key, expect)| Part::Guard { key, expect }),
        1 => (any::<u8>(), prop::bool::weighted(0.3)).prop_map(|(group, paused)| Part::Pause { group, paused }),
    ]
}

pub fn wish(ids: f64) -> impl Strategy<Value = Wish> {
    let id = move || prop::option::weighted(ids, 0u8..6);
    prop_oneof![
        3 => (prop::collection::vec(part(), 1..4), id()).prop_map(|(parts, id)| Wish::Update { parts, id }),
        2 => (
            prop::collection::vec(any::<u8>(), 1..4),
            1usize..4,
            any::<bool>(),
            1u64..20_000,
            prop::option::weighted(0.1, target()),
            id(),
        )
            .prop_map(|(groups, limit, oldest, lease, depend, id)| Wish::Claim {
                groups, limit, oldest, lease, depend, id
            }),
    ]
}

/// A record that is put already expired is swept by the next transaction, but not by one of the same batch.
pub fn unexpired(mut wish: Wish) -> Wish {
    if let Wish::Update { parts, .. } = &mut wish {
        for part in parts {
            if let Part::Put { expires, .. } = part {
                *expires = expires.map(|after| after.saturating_add(5_001));
            }
        }
    }
    wish
}

pub fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Refuse),
        Just(Fault::Rival),
        Just(Fault::AnswerLost),
        Just(Fault::RequestLost),
        (1u64..4).prop_map(Fault::Late)
    ]
}

pub fn step() -> impl Strategy<Value = Step> {
    let handle = || 0..HANDLES;
    prop_oneof![
        24 => (handle(), wish(0.2), prop::option::weighted(0.15, fault()))
            .prop_map(|(handle, wish, fault)| Step::Ask { handle, wish, fault }),
        4 => (handle(), prop::collection::vec(wish(0.01), 2..5))
            .prop_map(|(handle, wishes)| Step::Batch { handle, wishes: wishes.into_iter().map(unexpired).collect() }),
        1 => handle().prop_map(Step::Restart),
        1 => handle().prop_map(Step::CatchUp),
        1 => handle().prop_map(Step::Snapshot),
        1 => handle().prop_map(Step::Begin),
        5 => (1usize..4).prop_map(Step::Slice),
        3 => (handle(), -15_000i32..15_000).prop_map(|(handle, by)| Step::Clock { handle, by }),
    ]
}
