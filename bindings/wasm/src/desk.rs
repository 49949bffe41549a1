//! The desk: requests in, rows out, answers out.

use js_sys::{Array, Uint8Array};
use tenure_core::{
    OwnerId, TaskId,
    desk::{self, Appended, HeldId, Ticket},
    json,
};
use wasm_bindgen::prelude::*;

use crate::{
    error::{Outward as _, outward},
    fault::inward,
    name::name_text,
    setup::Setup,
    window::Window,
};

/// One handle on a store.
#[wasm_bindgen]
pub struct Desk(pub(crate) desk::Desk);

/// A list of byte strings as JavaScript has it.
fn arrays(rows: &[Vec<u8>]) -> Array {
    rows.iter().map(|row| JsValue::from(Uint8Array::from(&row[..]))).collect()
}

fn ticket(ticket: Ticket) -> f64 {
    ticket.0 as f64
}

const fn held(number: f64) -> HeldId {
    HeldId(number as u64)
}

#[wasm_bindgen]
impl Desk {
    /// A handle on the store of which `window` holds everything.
    #[wasm_bindgen(constructor)]
    pub fn new(setup: Setup, window: Window, now: f64) -> Result<Self, JsValue> {
        desk::Desk::open(setup.setup, window.0, setup.policy, now as u64).map(Self).outward()
    }

    /// Loads the state anew from a window that holds everything.
    pub fn reload(&mut self, window: Window, now: f64) -> Result<(), JsValue> {
        self.0.reload(window.0, now as u64).outward()
    }

    /// From where the next turn's rows have to be fetched.
    #[wasm_bindgen(js_name = fetchFrom)]
    pub fn fetch_from(&self) -> f64 {
        self.0.fetch_from().0 as f64
    }

    /// Where the rows of a turn go.
    pub fn position(&self) -> f64 {
        self.0.engine().tail().position.0 as f64
    }

    /// The store's id, 16 bytes.
    pub fn identity(&self) -> Uint8Array {
        Uint8Array::from(&self.0.identity().0[..])
    }

    /// Asks for a transaction, in its JSON spelling, which names these held tasks.
    pub fn update(&mut self, request: &str, held: Vec<f64>) -> Result<f64, JsValue> {
        let request = json::read_request(request.as_bytes()).outward()?;
        let held = held.into_iter().map(self::held).collect();
        Ok(ticket(self.0.update(request, held)))
    }

    /// Asks whether the records that a transaction read, and of which it changed none, are as they were.
    pub fn verify(&mut self, request: &str) -> Result<f64, JsValue> {
        let request = json::read_request(request.as_bytes()).outward()?;
        Ok(ticket(self.0.verify(request.guards)))
    }

    /// Asks for tasks, in a claim's JSON spelling.
    pub fn claim(&mut self, claim: &str, now: f64) -> Result<f64, JsValue> {
        let call = json::read_claim(claim.as_bytes()).outward()?;
        let until = call.wait.map(|wait| (now as u64).saturating_add(wait));
        Ok(ticket(self.0.claim(call.claim, until)))
    }

    /// Asks to see the journal's end as of now.
    pub fn look(&mut self) -> f64 {
        ticket(self.0.look())
    }

    /// Ends a wait.
    pub fn cancel(&mut self, ticket: f64) {
        self.0.cancel(Ticket(ticket as u64));
    }

    /// Whether there is something to do for a turn.
    #[wasm_bindgen(js_name = wantsTurn)]
    pub fn wants_turn(&self) -> bool {
        self.0.wants_turn()
    }

    /// Whether the next turn may append.
    #[wasm_bindgen(js_name = mayAppend)]
    pub fn may_append(&self) -> bool {
        self.0.may_append()
    }

    /// Whether somebody waits for what others write.
    #[wasm_bindgen(js_name = hasWaiting)]
    pub fn has_waiting(&self) -> bool {
        self.0.has_waiting() || self.0.held_count() > 0
    }

    /// Takes in rows that are not the last.
    pub fn feed(&mut self, window: Window, now: f64) -> Result<(), JsValue> {
        self.0.feed(window.0, now as u64).outward()
    }

    /// Begins a turn: the rows to append.
    #[wasm_bindgen(js_name = openTurn)]
    pub fn open_turn(&mut self, window: Window, append: bool, now: f64) -> Result<Array, JsValue> {
        self.0.open_turn(window.0, append, now as u64).map(|rows| arrays(&rows)).outward()
    }

    /// Ends a turn: its rows are there.
    pub fn done(&mut self, now: f64) {
        self.0.close_turn(Appended::Done, now as u64);
    }

    /// Ends a turn: something else stands there.
    pub fn conflict(&mut self, now: f64) {
        self.0.close_turn(Appended::Conflict, now as u64);
    }

    /// Ends a turn: surely nothing of it is there.
    pub fn refused(&mut self, code: &str, message: &str, thrown: u32, now: f64) {
        self.0.close_turn(Appended::Refused(inward(code, message, "refused", thrown)), now as u64);
    }

    /// Ends a turn: its rows may be there.
    pub fn unknown(&mut self, code: &str, message: &str, thrown: u32, now: f64) {
        self.0.close_turn(Appended::Unknown(inward(code, message, "unknown", thrown)), now as u64);
    }

    /// The rows can't be read: everything queued gets this answer.
    pub fn fail(&mut self, code: &str, message: &str, thrown: u32, now: f64) {
        self.0.fail(&inward(code, message, "", thrown), now as u64);
    }

    /// Everything queued gets the answer by which the handle ended; `false` where it has not.
    #[wasm_bindgen(js_name = failClosed)]
    pub fn fail_closed(&mut self, now: f64) -> bool {
        let Some(why) = self.0.engine().closed().cloned() else { return false };
        self.0.fail(&why, now as u64);
        true
    }

    /// Ends the handle.
    pub fn close(&mut self, code: &str, message: &str, now: f64) {
        self.0.close(&inward(code, message, "", 0), now as u64);
    }

    /// The answers since the last call: ticket, whether it is an answer, the answer or the error, and so on.
    #[wasm_bindgen(js_name = takeAnswers)]
    pub fn take_answers(&mut self) -> Array {
        let answers = Array::new();
        for (ticket, answer) in self.0.take_answers() {
            answers.push(&self::ticket(ticket).into());
            answers.push(&answer.is_ok().into());
            answers.push(&answer.map_or_else(|error| outward(&error), |done| json::text(&done).into()));
        }
        answers
    }

    /// When `tick` has to be called next.
    #[wasm_bindgen(js_name = nextWake)]
    pub fn next_wake(&self) -> Option<f64> {
        self.0.next_wake().map(|at| at as f64)
    }

    /// The clock shows `now`.
    pub fn tick(&mut self, now: f64) {
        self.0.tick(now as u64);
    }

    /// Keeps a claimed task, which is renewed for `lease` each time.
    pub fn hold(&mut self, id: f64, origin: f64, owner: f64, until: f64, lease: f64, now: f64) -> f64 {
        let (id, origin) = (TaskId(id as u64), TaskId(origin as u64));
        self.0.hold(id, origin, OwnerId(owner as u64), until as u64, lease as u64, now as u64).0 as f64
    }

    /// Renews a held task now.
    pub fn renew(&mut self, number: f64) -> f64 {
        ticket(self.0.renew(held(number)))
    }

    /// The present id of a held task.
    pub fn present(&self, number: f64) -> Option<f64> {
        self.0.present(held(number)).map(|id| id.0 as f64)
    }

    /// Whether a held task was finished, failed or given back.
    #[wasm_bindgen(js_name = isEnded)]
    pub fn is_ended(&self, number: f64) -> bool {
        self.0.is_ended(held(number))
    }

    /// Keeps a task no longer.
    pub fn forget(&mut self, number: f64) {
        self.0.forget(held(number));
    }

    /// Held tasks that were found to be lost since the last call: number, error, and so on.
    #[wasm_bindgen(js_name = takeLost)]
    pub fn take_lost(&mut self) -> Array {
        let lost = Array::new();
        for (held, error) in self.0.take_lost() {
            lost.push(&(held.0 as f64).into());
            lost.push(&outward(&error));
        }
        lost
    }

    /// Whether a snapshot should be taken.
    #[wasm_bindgen(js_name = snapshotDue)]
    pub fn snapshot_due(&self) -> bool {
        self.0.snapshot_due()
    }

    /// Begins a snapshot.
    #[wasm_bindgen(js_name = beginSnapshot)]
    pub fn begin_snapshot(&mut self) -> f64 {
        ticket(self.0.begin_snapshot())
    }

    /// The snapshot's next bytes.
    pub fn slice(&mut self) -> Result<Option<Vec<u8>>, JsValue> {
        self.0.slice().outward()
    }

    /// The name under which it is to be published.
    #[wasm_bindgen(js_name = snapshotName)]
    pub fn snapshot_name(&self) -> Option<String> {
        self.0.snapshot_name().map(name_text)
    }

    /// The snapshot was published, or, with 0 bytes, given up.
    #[wasm_bindgen(js_name = endSnapshot)]
    pub fn end_snapshot(&mut self, bytes: f64) {
        self.0.end_snapshot(bytes as u64);
    }
}
