//! The headers that a request may have, and mostly has not. One pass over the few that came costs less than a look into
//! the map for each of these.

use hyper::{
    HeaderMap,
    header::{CONNECTION, HeaderName, HeaderValue, ORIGIN},
};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// The site whose page sends the request.
    Origin,
    Connection,
    /// The identity of the store that a client means.
    Store,
    /// What a caller says of himself: `host:pid` mostly.
    Actor,
    /// A revision that the store had before a request was first sent, of which this is a repeat.
    SentAfter,
    /// A request id.
    IdempotencyKey,
}

/// Their names, in the same order.
static NAMES: [HeaderName; 6] = [
    ORIGIN,
    CONNECTION,
    HeaderName::from_static("tenure-store"),
    HeaderName::from_static("tenure-actor"),
    HeaderName::from_static("tenure-sent-after"),
    HeaderName::from_static("idempotency-key"),
];

/// Which of them a request has: a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Came(u8);

impl Came {
    pub fn of(headers: &HeaderMap) -> Self {
        let at = |name: &HeaderName| NAMES.iter().position(|known| known == name);
        Self(headers.keys().filter_map(at).fold(0, |came, at| came | 1 << at))
    }

    /// The value of one, in the same headers.
    pub fn get(self, named: Named, headers: &HeaderMap) -> Option<&HeaderValue> {
        if self.0 & 1 << named as u8 == 0 { None } else { headers.get(&NAMES[named as usize]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_under_its_name_and_no_other() {
        let all = [
            (Named::Origin, "Origin"),
            (Named::Connection, "Connection"),
            (Named::Store, "Tenure-Store"),
            (Named::Actor, "Tenure-Actor"),
            (Named::SentAfter, "Tenure-Sent-After"),
            (Named::IdempotencyKey, "Idempotency-Key"),
        ];
        for (named, name) in all {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("localhost"));
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("it"));
            let came = Came::of(&headers);
            for (other, _) in all {
                let value = came.get(other, &headers).map(HeaderValue::as_bytes);
                assert_eq!(value, (other == named).then_some(&b"it"[..]), "{name}, {other:?}");
            }
        }
        assert_eq!(Came::of(&HeaderMap::new()), Came::default());
    }
}
