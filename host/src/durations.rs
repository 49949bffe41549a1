//! How long things took, counted by ranges: for whoever watches a store.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Ranges: up to 1 us, 2 us, 4 us and so on up to 8.4 s, and one for all beyond.
const RANGES: usize = 25;

/// How often something happened, and how long it took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Durations {
    ranges: [u64; RANGES],
    total: Duration,
}

impl Durations {
    /// What another program counted by the same ranges.
    #[cfg(feature = "client")]
    pub(crate) fn told(counts: &[u64], total: Duration) -> Self {
        Self { ranges: array::from_fn(|at| counts.get(at).copied().unwrap_or_default()), total }
    }

    /// How often it happened.
    pub fn count(&self) -> u64 {
        self.ranges.iter().sum()
    }

    /// How long it took in all.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// Each range's upper bound, the last of which has none, and how often it took that long but longer than the bound
    /// before.
    pub fn ranges(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        self.ranges.iter().enumerate().map(|(at, count)| {
            let bound = (at + 1 < RANGES).then(|| Duration::from_micros(1 << at));
            (bound, *count)
        })
    }
}

/// Takes down how long something takes, on any thread.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    ranges: [AtomicU64; RANGES],
    nanos: AtomicU64,
}

impl Stopwatch {
    /// It took that long.
    pub fn note(&self, took: Duration) {
        self.note_many(took, 1);
    }

    /// It took that long for each of `count`.
    pub fn note_many(&self, took: Duration, count: u64) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let micros = nanos.div_ceil(1000);
        let range = (u64::BITS - micros.saturating_sub(1).leading_zeros()) as usize;
        self.ranges[range.min(RANGES - 1)].fetch_add(count, Ordering::Relaxed);
        self.nanos.fetch_add(nanos.saturating_mul(count), Ordering::Relaxed);
    }

    /// What was taken down so far.
    pub fn read(&self) -> Durations {
        Durations {
            ranges: array::from_fn(|at| self.ranges[at].load(Ordering::Relaxed)),
            total: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_counts_in_the_range_that_its_bound_closes() {
        let watch = Stopwatch::default();
        let micros = [0, 1, 2, 3, 4, 5, 1 << 23, (1 << 23) + 1];
        for span in micros {
            watch.note(Duration::from_micros(span));
        }
        watch.note_many(Duration::from_nanos(1001), 10);
        watch.note(Duration::MAX);
        let read = watch.read();
        assert_eq!(read.count(), micros.len() as u64 + 11);
        let range =
            |micros: u64| read.ranges().find(|(bound, _)| *bound == Some(Duration::from_micros(micros))).unwrap().1;
        assert_eq!((range(1), range(2), range(4), range(8), range(1 << 23)), (2, 11, 2, 1, 1));
        assert_eq!(read.ranges().last().unwrap(), (None, 2));
    }

    #[test]
    fn what_it_took_in_all_is_the_sum() {
        let watch = Stopwatch::default();
        watch.note(Duration::from_millis(3));
        watch.note_many(Duration::from_micros(10), 5);
        assert_eq!(watch.read().total(), Duration::from_micros(3050));
    }
}
