//! Claiming tasks, and Ctrl-C during a wait.

use std::{
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

use clap::{Args, ValueEnum};
use tenure::{Cancel, Code, Depend, Error, Order, Result, TaskId};

use crate::{
    args::At,
    exit,
    open::{Setting, owner},
    output,
    output::Output,
    quantity::{Wait, duration, wait},
};

/// Which of the available tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Random,
    Oldest,
}

/// What `claim` takes.
#[derive(Debug, Args)]
pub struct Claim {
    #[command(flatten)]
    at: At,
    /// From which groups; an earlier one goes before a later one.
    #[arg(required = true)]
    groups: Vec<String>,
    /// How long the claim lasts.
    #[arg(long, value_parser = duration, value_name = "DURATION", default_value = "60s", allow_hyphen_values = true)]
    lease: Duration,
    /// How long to wait for a task: a duration, or forever.
    #[arg(long, value_parser = wait, value_name = "DURATION", default_value = "0", allow_hyphen_values = true)]
    wait: Wait,
    /// At most how many tasks.
    #[arg(long, default_value_t = 1)]
    limit: usize,
    /// Which of the available tasks.
    #[arg(long, default_value = "random")]
    order: Which,
    /// A task that must exist; can be given again.
    #[arg(long, value_name = "ID")]
    depends: Vec<u64>,
    /// The owner, whom the later verbs have to name [default: a random one, which the answer names]
    #[arg(long, value_name = "NUMBER")]
    owner: Option<u64>,
    /// A repeat with the same id (and owner) gets the first outcome.
    #[arg(long, requires = "owner")]
    request_id: Option<String>,
}

/// Claims, and answers with the exit code.
pub fn claim(setting: &Setting, out: &mut Output, args: &Claim) -> Result<i32> {
    let store = setting.present(&args.at.store)?;
    let claim = tenure::Claim {
        owner: owner(args.owner),
        actor: None,
        request_id: args.request_id.clone(),
        groups: args.groups.clone(),
        lease: args.lease.as_millis() as u64,
        limit: args.limit,
        order: match args.order {
            Which::Random => Order::Random,
            Which::Oldest => Order::Oldest,
        },
        depends: args.depends.iter().map(|id| Depend::Id(TaskId(*id))).collect(),
    };
    let claimed = match args.wait {
        Wait::For(Duration::ZERO) => store.claim_now(claim)?,
        wait => {
            let until = match wait {
                Wait::For(span) => Some(store.now().saturating_add(span.as_millis() as u64)),
                Wait::Forever => None,
            };
            store.claim_until(&claim, until, Some(&on_interrupt()))?
        }
    };
    out.answer(&claimed, |claimed| output::tasks(&claimed.tasks, store.now()))?;
    let code = if claimed.tasks.is_empty() { exit::NOTHING } else { exit::DONE };
    if code == exit::NOTHING && !out.json {
        let paused = args.groups.iter().find(|group| store.group(group).is_ok_and(|group| group.paused));
        let why = paused.map_or_else(
            || "try again later, or wait with --wait".into(),
            |group| format!("group {group:?} is paused; `tenure resume` ends that"),
        );
        eprintln!("tenure: nothing to claim: {why}");
    }
    store.close()?;
    Ok(code)
}

/// What Ctrl-C cancels. The handler can be set once in a process, and this library may be called more than once.
static WAITING: Mutex<Option<Cancel>> = Mutex::new(None);
static HANDLER: Once = Once::new();

fn on_interrupt() -> Cancel {
    let cancel = Cancel::new();
    *WAITING.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
    HANDLER.call_once(|| {
        // A program that has a handler of its own keeps it.
        let _ = ctrlc::set_handler(|| {
            match WAITING.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(waiting) => waiting.cancel(),
                // The second time, or where nothing waits: end at once.
                None => std::process::exit(exit::code(Error::new(Code::Cancelled, "").kind())),
            }
        });
    });
    cancel
}
