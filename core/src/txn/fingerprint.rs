//! A hash of what a request asks: a repeat under the same request id must ask the same.

use super::Ask;
use crate::{
    id::TaskId,
    request::{Depend, IfExists, Order, Verb},
    state::digest,
    time::When,
};

/// A hash over all that a request asks, its request id aside.
pub fn fingerprint(ask: Ask<'_>) -> u64 {
    let mut print = Print(0);
    match ask {
        Ask::Claim(claim) => {
            print.number(1).number(claim.lease).number(claim.limit as u64).number(match claim.order {
                Order::Random => 0,
                Order::Oldest => 1,
            });
            print.list(&claim.groups, |print, group| {
                print.text(group);
            });
            print.depends(&claim.depends);
        }
        Ask::Update(request) => {
            print.number(2).number(u64::from(request.depends_only));
            print.list(&request.adds, |print, add| {
                print.text(&add.group).bytes(&add.data).when(Some(add.available)).option(add.key.as_deref());
                print.number(match add.if_exists {
                    IfExists::Refuse => 0,
                    IfExists::Keep => 1,
                    IfExists::Replace => 2,
                });
            });
            print.list(&request.updates, |print, update| {
                print.number(update.id.0).number(match update.verb {
                    Verb::Update => 0,
                    Verb::Renew => 1,
                    Verb::Release => 2,
                    Verb::Fail => 3,
                    Verb::Requeue => 4,
                });
                print.number(u64::from(update.data.is_some())).bytes(update.data.as_deref().unwrap_or(&[]));
                print.option(update.group.as_deref()).when(update.available).option(update.error.as_deref());
                print.number(u64::from(update.force));
            });
            print.list(&request.deletes, |print, delete| {
                print.number(delete.id.0).number(delete.reason as u64).number(u64::from(delete.force));
            });
            print.depends(&request.depends);
            print.list(&request.puts, |print, put| {
                print.text(&put.table).text(&put.key).bytes(&put.value);
                print.number(put.expect.map_or(u64::MAX, |revision| revision.0)).number(put.expires_at.unwrap_or(0));
            });
            print.list(&request.removes, |print, remove| {
                print.text(&remove.table).text(&remove.key);
                print.number(remove.expect.map_or(u64::MAX, |revision| revision.0));
            });
            print.list(&request.increments, |print, increment| {
                print.text(&increment.table).text(&increment.key).number(increment.by.cast_unsigned());
                print.number(increment.min.unwrap_or(i64::MIN).cast_unsigned());
                print.number(increment.max.unwrap_or(i64::MAX).cast_unsigned());
            });
            print.list(&request.guards, |print, guard| {
                print.text(&guard.table).text(&guard.key).number(guard.expect.0);
            });
        }
    }
    print.0
}

struct Print(u64);

impl Print {
    fn number(&mut self, number: u64) -> &mut Self {
        self.0 = digest::item([self.0, number]);
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(digest::bytes(bytes))
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn option(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    fn when(&mut self, when: Option<When>) -> &mut Self {
        match when {
            None => self.number(0),
            Some(When::Now) => self.number(1),
            Some(When::After(delay)) => self.number(2).number(delay),
            Some(When::At(at)) => self.number(3).number(at),
        }
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
        self
    }

    fn depends(&mut self, depends: &[Depend]) -> &mut Self {
        self.list(depends, |print, depend| {
            match depend {
                Depend::Id(TaskId(id)) => print.number(0).number(*id),
                Depend::Origin(TaskId(id)) => print.number(1).number(*id),
            };
        })
    }
}
