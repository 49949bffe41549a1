//! Reading an object field by field, with the place in every message.

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::fmt;

use base64::Engine as _;

use super::{BASE64, node::Node, place::Place};
use crate::{
    data::Data,
    error::Result,
    id::{MAX_ID, OwnerId, TaskId},
    time::{MAX_TIME, Millis, When},
};

/// The fields of one object, each there at most once, none of them unknown.
pub(crate) struct Fields<'p, 'de> {
    place: &'p Place<'p>,
    known: &'static [&'static str],
    /// Those that were not read yet. There are few: to look through them is quicker than to sort them.
    entries: Vec<(Cow<'de, str>, Node<'de>)>,
}

/// What to do with a field that is not known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A mistake of the writer.
    Refuse,
    /// A newer program may have written it.
    Pass,
}

impl<'p, 'de> Fields<'p, 'de> {
    pub(crate) fn read(place: &'p Place<'p>, node: Node<'de>, known: &'static [&'static str]) -> Result<Self> {
        Self::read_with(place, node, known, Unknown::Refuse)
    }

    pub(crate) fn read_with(
        place: &'p Place<'p>,
        node: Node<'de>,
        known: &'static [&'static str],
        unknown: Unknown,
    ) -> Result<Self> {
        let Node::Map(entries) = node else { return Err(place.expected("an object", &node)) };
        for (at, (name, _)) in entries.iter().enumerate() {
            if !known.contains(&&**name) {
                if unknown == Unknown::Pass {
                    continue;
                }
                return Err(place.refuse(unknown_field(name, known)));
            }
            if entries[..at].iter().any(|(other, _)| other == name) {
                return Err(place.refuse(format_args!("field `{name}` stands twice: name it once")));
            }
        }
        Ok(Self { place, known, entries })
    }

    /// A field that is there; `null` is none.
    fn take(&mut self, name: &'static str) -> Option<Node<'de>> {
        debug_assert!(self.known.contains(&name), "field {name} is read, and not among the known ones");
        let at = self.entries.iter().position(|(given, _)| given == name)?;
        let (_, node) = self.entries.swap_remove(at);
        if matches!(node, Node::Null) { None } else { Some(node) }
    }

    /// Reads a field with `read`, if it is there.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Place<'_>, Node<'de>) -> Result<T>,
    ) -> Result<Option<T>> {
        let place = Place::Field(self.place, name);
        self.take(name).map(|node| read(&place, node)).transpose()
    }

    /// Reads a field with `read`; it must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Place<'_>, Node<'de>) -> Result<T>,
    ) -> Result<T> {
        self.optional(name, read)?.ok_or_else(|| self.place.refuse(format_args!("field `{name}` is missing")))
    }

    /// Reads each item of a list; an absent list is an empty one.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&Place<'_>, Node<'de>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let items = self.optional(name, |place, node| items(place, node, read))?;
        Ok(items.unwrap_or_default())
    }

    /// Reads one of two fields that exclude each other.
    pub(crate) fn either<T>(
        &mut self,
        names: (&'static str, &'static str),
        first: impl FnOnce(&Place<'_>, Node<'de>) -> Result<T>,
        second: impl FnOnce(&Place<'_>, Node<'de>) -> Result<T>,
    ) -> Result<Option<T>> {
        match (self.optional(names.0, first)?, self.optional(names.1, second)?) {
            (Some(_), Some(_)) => Err(self.place.refuse(format_args!("give `{}` or `{}`, not both", names.0, names.1))),
            (first, second) => Ok(first.or(second)),
        }
    }

    /// Reads `delay`, from now, or `available_at`, absolute.
    pub(crate) fn when(&mut self) -> Result<Option<When>> {
        self.either(
            ("delay", "available_at"),
            |place, node| millis(place, node).map(When::After),
            |place, node| millis(place, node).map(When::At),
        )
    }

    /// Reads bytes, as text or as base64.
    pub(crate) fn bytes(&mut self, plain: &'static str, base64: &'static str) -> Result<Option<Data>> {
        self.either(
            (plain, base64),
            |place, node| Ok(Data::from(&*text(place, node)?)),
            |place, node| {
                let coded = text(place, node)?;
                let bytes = BASE64.decode(&*coded).map_err(|error| place.refuse(format_args!("no base64: {error}")))?;
                Ok(Data::from(bytes))
            },
        )
    }

    /// Reads `true` or `false`; absent is `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool> {
        let flag = self.optional(name, |place, node| match node {
            Node::Bool(flag) => Ok(flag),
            node => Err(place.expected("true or false", &node)),
        })?;
        Ok(flag.unwrap_or_default())
    }

    /// Reads one of a few names; absent is the default.
    pub(crate) fn choice<T: Copy + Default>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Result<T> {
        let choice = self.optional(name, |place, node| {
            let given = text(place, node)?;
            let found = choices.iter().find(|(name, _)| *name == given);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let mut why = format!("{} is none of ", Quoted(&given));
                for (i, (name, _)) in choices.iter().enumerate() {
                    why.push_str(if i == 0 { "" } else { ", " });
                    why.push_str(name);
                }
                place.refuse(why)
            })
        })?;
        Ok(choice.unwrap_or_default())
    }
}

/// Reads each item of a list.
pub(crate) fn items<'de, T>(
    place: &Place<'_>,
    node: Node<'de>,
    read: impl Fn(&Place<'_>, Node<'de>) -> Result<T>,
) -> Result<Vec<T>> {
    let Node::List(items) = node else { return Err(place.expected("a list", &node)) };
    items.into_iter().enumerate().map(|(i, item)| read(&Place::Item(place, i), item)).collect()
}

/// Reads a text.
pub(crate) fn text<'de>(place: &Place<'_>, node: Node<'de>) -> Result<Cow<'de, str>> {
    match node {
        Node::Text(text) => Ok(text),
        node => Err(place.expected("a text", &node)),
    }
}

/// Reads a text that is kept.
pub(crate) fn string(place: &Place<'_>, node: Node<'_>) -> Result<String> {
    text(place, node).map(Cow::into_owned)
}

/// Reads a whole number from 0 to `max`, which is below 2^53.
pub(crate) fn whole(place: &Place<'_>, node: Node<'_>, max: u64) -> Result<u64> {
    let beyond = |number: &dyn fmt::Display| place.refuse(format_args!("{number} is beyond {max}"));
    match node {
        Node::Whole(number) if number <= max => Ok(number),
        Node::Whole(number) => Err(beyond(&number)),
        Node::Negative(number) => Err(place.refuse(format_args!("{number} is negative: the least is 0"))),
        #[allow(clippy::cast_precision_loss)]
        // It only has to tell a number that is too large from one with a fraction.
        Node::Float(number) if number > MAX_ID as f64 => Err(beyond(&format_args!("{number:e}"))),
        Node::Float(number) => Err(place.refuse(format_args!("{number:?} is not written as a whole number"))),
        node => Err(place.expected("a whole number", &node)),
    }
}

/// Reads a whole number of either sign, within ±(2^53 - 1).
pub(crate) fn signed(place: &Place<'_>, node: Node<'_>) -> Result<i64> {
    match node {
        Node::Negative(number) if number.unsigned_abs() <= MAX_ID => Ok(number),
        Node::Negative(number) => Err(place.refuse(format_args!("{number} is below -{MAX_ID}"))),
        #[allow(clippy::cast_precision_loss)] // As above.
        Node::Float(number) if number < -(MAX_ID as f64) => {
            Err(place.refuse(format_args!("{number:e} is below -{MAX_ID}")))
        }
        node => whole(place, node, MAX_ID).map(u64::cast_signed),
    }
}

/// Reads a time or a span.
pub(crate) fn millis(place: &Place<'_>, node: Node<'_>) -> Result<Millis> {
    whole(place, node, MAX_TIME)
}

/// Reads the number of an owner; 0 is allowed and takes the handle's.
pub(crate) fn owner(place: &Place<'_>, node: Node<'_>) -> Result<OwnerId> {
    whole(place, node, MAX_ID).map(OwnerId)
}

/// Reads the id of a task. 0 is none, and never meant.
pub(crate) fn task_id(place: &Place<'_>, node: Node<'_>) -> Result<TaskId> {
    match whole(place, node, MAX_ID)? {
        0 => Err(place.refuse("0 is no task's id: ids begin with 1")),
        id => Ok(TaskId(id)),
    }
}

/// A text in a message: quoted, and cut where it is long.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(40) {
            Some((cut, _)) => write!(f, "{:?}…", &self.0[..cut]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

#[cold]
fn unknown_field(name: &str, known: &[&'static str]) -> String {
    let shown = match name.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", name[..cut].escape_debug()),
        None => format!("{}", name.escape_debug()),
    };
    match nearest(name, known) {
        Some(near) => format!("unknown field `{shown}`; did you mean `{near}`?"),
        None => format!("unknown field `{shown}`; known are {}", known.join(", ")),
    }
}

/// The known name that was probably meant: the one that takes the fewest changes of a letter, at most two, case and
/// underscores aside.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if name.len() > 40 {
        return None;
    }
    let letters = |name: &str| -> Vec<char> {
        name.chars().filter(|c| *c != '_' && *c != '-').map(|c| c.to_ascii_lowercase()).collect()
    };
    let given = letters(name);
    let (distance, near) = known.iter().map(|known| (changes(&given, &letters(known)), *known)).min()?;
    (distance <= 2 && distance * 2 < given.len().max(1)).then_some(near)
}

/// How many letters must be added, left out or replaced to make `a` into `b`.
fn changes(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
