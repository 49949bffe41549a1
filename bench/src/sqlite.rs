//! The rival: a task queue on SQLite as its best users write it.
//!
//! WAL; `synchronous=FULL` for strict, `OFF` for opportunistic; cached prepared statements; a partial index that holds
//! only what can be claimed, so that a claim takes the row out of it and a finish touches the table alone; a claim is
//! one `UPDATE … RETURNING` of the best candidate; a finish deletes by id *and* claim token. What takes several
//! statements runs under `BEGIN IMMEDIATE`; a single statement commits by itself, which takes the same locks and saves
//! two statements. Lapsed claims are put back when a claim finds nothing, which keeps a second index out of every write.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use crate::contender::{Answer, Contender, Durability, Failure, Lease, Sharing, Store, Terms, Worker};

/// SQLite that waits for the write lock by its built-in `busy_timeout`.
pub const TIMEOUT: &str = "sqlite-timeout";
/// SQLite with a busy handler that asks again after a short, constant sleep.
pub const POLL: &str = "sqlite-poll";
/// As `TIMEOUT` between processes; within a process the writers queue at a mutex first.
pub const MUTEX: &str = "sqlite-mutex";
/// The ways of waiting that make sense between threads or processes that contend.
pub const CONTENDING: [&str; 3] = [TIMEOUT, POLL, MUTEX];

const PATIENCE: Duration = Duration::from_secs(30);
/// Longer sleeps leave the lock idle; shorter ones (20 to 500 us were tried) keep so many read marks in the WAL that its
/// checkpoints can't finish, and each commit then tries one again.
const POLL_SLEEP: Duration = Duration::from_millis(1);
const SWEEP_EVERY_MS: i64 = 1_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS tasks (
        id INTEGER PRIMARY KEY,
        grp TEXT NOT NULL,
        available_at INTEGER NOT NULL,
        added_at INTEGER NOT NULL,
        owner INTEGER NOT NULL DEFAULT 0,
        token INTEGER NOT NULL DEFAULT 0,
        attempt INTEGER NOT NULL DEFAULT 0,
        data BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS ready ON tasks (grp, available_at) WHERE owner = 0;";
const ADD: &str = "INSERT INTO tasks (grp, available_at, added_at, data) VALUES (?1, ?2, ?2, ?3)";
const CLAIM_ONE: &str = "
    UPDATE tasks SET owner = ?1, token = ?2, available_at = ?3, attempt = attempt + 1
    WHERE id = (SELECT id FROM tasks INDEXED BY ready
                WHERE grp = ?4 AND owner = 0 AND available_at <= ?5 ORDER BY available_at, id LIMIT 1)
    RETURNING id, data";
const CLAIM_SOME: &str = "
    UPDATE tasks SET owner = ?1, token = ?2, available_at = ?3, attempt = attempt + 1
    WHERE id IN (SELECT id FROM tasks INDEXED BY ready
                 WHERE grp = ?4 AND owner = 0 AND available_at <= ?5 ORDER BY available_at, id LIMIT ?6)
    RETURNING id, data";
const FINISH: &str = "DELETE FROM tasks WHERE id = ?1 AND token = ?2";
const RENEW: &str = "UPDATE tasks SET available_at = ?3 WHERE id = ?1 AND token = ?2";
const SWEEP: &str = "UPDATE tasks SET owner = 0, token = 0 WHERE owner <> 0 AND available_at <= ?1";

/// How a writer waits while another writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// `busy_timeout`.
    Timeout,
    /// A busy handler of short sleeps.
    Poll,
    /// An in-process mutex in front of `Timeout`.
    Mutex,
}

/// A queue on SQLite.
pub struct Sqlite {
    /// How a writer waits while another writes.
    pub waiting: Waiting,
}

struct Database {
    path: PathBuf,
    terms: Terms,
    waiting: Waiting,
    writers: Arc<Mutex<()>>,
    /// Keeps the WAL open between workers, as a pool would.
    _anchor: Mutex<Option<Connection>>,
}

struct Queue {
    connection: Connection,
    writers: Option<Arc<Mutex<()>>>,
    owner: i64,
    next_token: i64,
    swept_at: i64,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(format!("SQLite: {error}"))
    }
}

impl Contender for Sqlite {
    fn open(&self, dir: &Path, terms: Terms) -> Answer<Box<dyn Store>> {
        let path = dir.join("queue.db");
        let anchor = if terms.sharing == Sharing::Shared {
            let connection = connect(&path, terms, self.waiting)?;
            connection.execute_batch(SCHEMA)?;
            Some(connection)
        } else {
            None
        };
        Ok(Box::new(Database {
            path,
            terms,
            waiting: self.waiting,
            writers: Arc::new(Mutex::new(())),
            _anchor: Mutex::new(anchor),
        }))
    }
}

impl Store for Database {
    fn worker(&self) -> Answer<Box<dyn Worker>> {
        let connection = connect(&self.path, self.terms, self.waiting)?;
        if self.terms.sharing == Sharing::Exclusive {
            connection.execute_batch(SCHEMA)?;
        }
        let owner: i64 = connection.query_row("SELECT abs(random() / 2) | 1", [], |row| row.get(0))?;
        let writers = (self.waiting == Waiting::Mutex).then(|| self.writers.clone());
        Ok(Box::new(Queue { connection, writers, owner, next_token: owner >> 16, swept_at: 0 }))
    }

    fn tasks(&self) -> Answer<u64> {
        let connection = connect(&self.path, self.terms, self.waiting)?;
        let count: i64 = connection.query_row("SELECT count(*) FROM tasks", [], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}

fn connect(path: &Path, terms: Terms, waiting: Waiting) -> Answer<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if terms.durability == Durability::Memory {
        Connection::open_in_memory_with_flags(flags)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    match waiting {
        Waiting::Timeout | Waiting::Mutex => connection.busy_timeout(PATIENCE)?,
        Waiting::Poll => connection.busy_handler(Some(poll))?,
    }
    if terms.sharing == Sharing::Exclusive {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    let journal = if terms.durability == Durability::Memory { "MEMORY" } else { "WAL" };
    let answered: String = connection.pragma_update_and_check(None, "journal_mode", journal, |row| row.get(0))?;
    if !answered.eq_ignore_ascii_case(journal) {
        return Err(Failure::Broken(format!("SQLite: journal_mode is {answered}, not {journal}")));
    }
    let synchronous = if terms.durability == Durability::Strict { "FULL" } else { "OFF" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn poll(tries: i32) -> bool {
    std::thread::sleep(POLL_SLEEP);
    u128::from(tries.unsigned_abs()) * POLL_SLEEP.as_micros() < PATIENCE.as_micros()
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

fn turn(writers: Option<&Arc<Mutex<()>>>) -> Option<MutexGuard<'_, ()>> {
    writers.map(|writers| writers.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Queue {
    fn claim_once(&mut self, group: &str, most: usize, lease: Duration, held: &mut Vec<Lease>) -> Answer<()> {
        let _turn = turn(self.writers.as_ref());
        self.next_token += 1;
        let (token, now) = (self.next_token, now_ms());
        let until = now + lease.as_millis() as i64;
        let (mut statement, mut rows);
        if most == 1 {
            statement = self.connection.prepare_cached(CLAIM_ONE)?;
            rows = statement.query(params![self.owner, token, until, group, now])?;
        } else {
            statement = self.connection.prepare_cached(CLAIM_SOME)?;
            rows = statement.query(params![
                self.owner,
                token,
                until,
                group,
                now,
                i64::try_from(most).unwrap_or(i64::MAX)
            ])?;
        }
        // To the end: only the last step commits.
        while let Some(row) = rows.next()? {
            let data = row.get_ref(1)?.as_blob().map_err(|error| Failure::Broken(error.to_string()))?;
            held.push(Lease {
                id: row.get::<_, i64>(0)?.unsigned_abs(),
                token: token.unsigned_abs(),
                bytes: data.len(),
            });
        }
        Ok(())
    }
}

impl Worker for Queue {
    fn add(&mut self, group: &str, data: &[&[u8]]) -> Answer<()> {
        let _turn = turn(self.writers.as_ref());
        let now = now_ms();
        if let [one] = data {
            self.connection.prepare_cached(ADD)?.execute(params![group, now, one])?;
            return Ok(());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut add = transaction.prepare_cached(ADD)?;
            for one in data {
                add.execute(params![group, now, one])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn claim(&mut self, group: &str, most: usize, lease: Duration, held: &mut Vec<Lease>) -> Answer<()> {
        held.clear();
        self.claim_once(group, most, lease, held)?;
        let now = now_ms();
        if held.is_empty() && now - self.swept_at >= SWEEP_EVERY_MS {
            self.swept_at = now;
            let swept = {
                let _turn = turn(self.writers.as_ref());
                self.connection.prepare_cached(SWEEP)?.execute(params![now])?
            };
            if swept > 0 {
                self.claim_once(group, most, lease, held)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, held: &[Lease]) -> Answer<()> {
        let _turn = turn(self.writers.as_ref());
        let lost = |changed: usize| {
            if changed == 1 { Ok(()) } else { Err(Failure::Broken("SQLite: a claim was lost".into())) }
        };
        if let [one] = held {
            return lost(
                self.connection
                    .prepare_cached(FINISH)?
                    .execute(params![one.id.cast_signed(), one.token.cast_signed()])?,
            );
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut finish = transaction.prepare_cached(FINISH)?;
            for one in held {
                lost(finish.execute(params![one.id.cast_signed(), one.token.cast_signed()])?)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn renew(&mut self, held: &mut Lease, lease: Duration) -> Answer<()> {
        let _turn = turn(self.writers.as_ref());
        let until = now_ms() + lease.as_millis() as i64;
        let changed = self.connection.prepare_cached(RENEW)?.execute(params![
            held.id.cast_signed(),
            held.token.cast_signed(),
            until
        ])?;
        if changed == 1 { Ok(()) } else { Err(Failure::Broken("SQLite: a claim was lost".into())) }
    }
}
