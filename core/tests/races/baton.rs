//! Threads that go on one at a time: who is next is thrown with dice before each call of the disk.

use std::sync::{Arc, Condvar, Mutex};

use tenure_core::testing::SimDisk;

/// The multiplicative generator of Knuth's MMIX; its upper half is what is used.
pub struct Dice(pub u64);

impl Dice {
    pub fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Who may go on: one at a time, and before each call of the disk the dice say who is next. So a seed gives the same life
/// each time, whatever the system's threads do.
pub struct Baton {
    turn: Mutex<Turn>,
    passed: Condvar,
}

struct Turn {
    dice: Dice,
    /// Who goes on; nobody at the end.
    at: usize,
    alive: Vec<usize>,
}

impl Baton {
    pub fn new(dice: Dice, users: usize) -> Self {
        let turn = Turn { dice, at: 0, alive: (0..users).collect() };
        Self { turn: Mutex::new(turn), passed: Condvar::new() }
    }

    /// Lets somebody go on, maybe this one, and waits until it is this one's turn again.
    pub fn pass(&self, who: usize) {
        let mut turn = self.turn.lock().unwrap();
        turn.throw();
        self.passed.notify_all();
        drop(self.passed.wait_while(turn, |turn| turn.at != who).unwrap());
    }

    pub fn begin(&self, who: usize) {
        drop(self.passed.wait_while(self.turn.lock().unwrap(), |turn| turn.at != who).unwrap());
    }

    pub fn end(&self, who: usize) {
        let mut turn = self.turn.lock().unwrap();
        turn.alive.retain(|other| *other != who);
        turn.throw();
        self.passed.notify_all();
    }
}

impl Turn {
    fn throw(&mut self) {
        // Mostly in stretches: with a change at each call nobody would ever get far beside the others.
        if !self.alive.contains(&self.at) || self.dice.throw(6) == 0 {
            let next = self.dice.throw(self.alive.len().max(1) as u64) as usize;
            self.at = self.alive.get(next).copied().unwrap_or(usize::MAX);
        }
    }
}

/// Passes the baton on before each call of a process.
pub fn pass_before_each_call(disk: &SimDisk, first: u64, baton: Arc<Baton>, who: usize) {
    let again = disk.handle();
    disk.before_call(first, move || {
        baton.pass(who);
        // The call before which this runs is not counted yet.
        pass_before_each_call(&again, 2, baton, who);
    });
}

/// Ends a user's turns, also where an assertion ends his thread: the others would wait for him for ever.
pub struct Turns<'a>(pub &'a Baton, pub usize);

impl Drop for Turns<'_> {
    fn drop(&mut self) {
        self.0.end(self.1);
    }
}
