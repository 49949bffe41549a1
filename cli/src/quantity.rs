//! Durations and sizes as people write them.

use std::time::Duration;

/// The units of a duration, in milliseconds.
const SPANS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1_000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// The units of a size, in bytes.
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// More than any clock or disk counts.
const MOST: u128 = 9_000_000_000_000_000;

/// A decimal number that is not negative, without rounding: its digits, and how many of them are a fraction.
struct Decimal {
    digits: u128,
    fraction: u32,
}

impl Decimal {
    /// That many units, cut to a whole number.
    fn times(&self, unit: u64) -> Option<u64> {
        let product = self.digits.checked_mul(u128::from(unit))? / 10_u128.checked_pow(self.fraction)?;
        (product <= MOST).then_some(product as u64)
    }
}

/// Splits a text into a number and the unit that follows it.
fn split(text: &str) -> Result<(Decimal, &str), String> {
    if text.starts_with('-') {
        return Err("it is negative: give 0 or more".into());
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if fraction.contains('.') || digits.is_empty() {
        return Err(format!("{text:?} does not begin with a number"));
    }
    let digits = digits.parse().map_err(|_| format!("{text} has too many digits"))?;
    Ok((Decimal { digits, fraction: fraction.len() as u32 }, unit.trim_start()))
}

/// A duration: `500ms`, `60s`, `5m`, `1.5h`, `2d`. Only 0 needs no unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    if unit.is_empty() && number.digits == 0 {
        return Ok(Duration::ZERO);
    }
    if unit.is_empty() {
        return Err(format!("{text} has no unit: write {text}s for seconds, or ms, m, h, d"));
    }
    let Some((_, millis)) = SPANS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("{unit:?} is no unit of time: write ms, s, m, h or d"));
    };
    let millis = number.times(*millis).ok_or_else(|| format!("{text} is longer than any clock runs"))?;
    Ok(Duration::from_millis(millis))
}

/// How long to wait: a duration, or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// That long.
    For(Duration),
    /// Until it comes.
    Forever,
}

/// A duration, or `forever`.
pub fn wait(text: &str) -> Result<Wait, String> {
    if text == "forever" { Ok(Wait::Forever) } else { duration(text).map(Wait::For) }
}

/// A size in bytes: `100`, `64KiB`, `1.5MiB`.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let unit = if unit.is_empty() { "B" } else { unit };
    let Some((_, bytes)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("{unit:?} is no unit of size: write B, KiB, MiB or GiB"));
    };
    number.times(*bytes).ok_or_else(|| format!("{text} is more than any disk has"))
}

/// A size as people read it.
pub fn spell_size(bytes: u64) -> String {
    let unit = SIZES[1..4].iter().rev().find(|(_, unit)| bytes >= *unit);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, unit)| format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
    )
}

/// A span of milliseconds as people read it, to the nearest unit.
pub fn spell_span(millis: u64) -> String {
    let nearest = |count: u64, unit: u64| count.saturating_add(unit / 2) / unit;
    let seconds = nearest(millis, 1_000);
    let minutes = nearest(seconds, 60);
    let hours = nearest(minutes, 60);
    match (millis, seconds, minutes, hours) {
        (..1_000, ..) => format!("{millis} ms"),
        (_, ..120, ..) => format!("{seconds} s"),
        (_, _, ..120, _) => format!("{minutes} min"),
        (.., ..48) => format!("{hours} h"),
        _ => format!("{} d", nearest(hours, 24)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in
            [("0", 0), ("500ms", 500), ("60s", 60_000), ("5m", 300_000), ("1.5h", 5_400_000), ("2d", 172_800_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(wait("forever"), Ok(Wait::Forever));
        for (text, why) in [
            ("60", "60 has no unit: write 60s for seconds, or ms, m, h, d"),
            ("-5s", "it is negative: give 0 or more"),
            ("5 fortnights", "\"fortnights\" is no unit of time: write ms, s, m, h or d"),
            ("soon", "\"soon\" does not begin with a number"),
            ("1.2.3s", "\"1.2.3s\" does not begin with a number"),
            ("", "\"\" does not begin with a number"),
            ("9999999999999d", "9999999999999d is longer than any clock runs"),
        ] {
            assert_eq!(duration(text), Err(why.into()), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_spelled_as_people_write_them() {
        for (text, bytes) in [("100", 100), ("64KiB", 65_536), ("1.5MiB", 1_572_864), ("2GB", 2_000_000_000)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        assert!(size("1 parsec").is_err());
        assert_eq!(spell_size(999), "999 B");
        for (millis, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (59_990, "60 s"),
            (299_990, "5 min"),
            (7_199_990, "2 h"),
            (u64::MAX, "213503982335 d"),
        ] {
            assert_eq!(spell_span(millis), text);
        }
        assert_eq!(spell_size(1_572_864), "1.5 MiB");
    }
}
