//! Exit codes: one for each kind of error, and one for a claim that found nothing.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | rejected: the state did not allow it |
//! | 2 | the call is wrong |
//! | 3 | nothing to claim |
//! | 4 | the journal is damaged |
//! | 5 | the storage failed |
//! | 6 | fenced, or closed |
//! | 7 | not found |
//! | 8 | a limit of the store is reached |
//! | 9 | it took longer than allowed, or was interrupted |
//! | 10 | it may or may not be committed |
//! | 11 | a fault of Tenure |

use tenure::Kind;

/// Done.
pub const DONE: i32 = 0;
/// The call is wrong.
pub const USAGE: i32 = 2;
/// A claim found nothing.
pub const NOTHING: i32 = 3;

/// The exit code of a kind of error.
pub fn code(kind: Kind) -> i32 {
    match kind {
        Kind::Rejected => 1,
        Kind::Invalid => USAGE,
        Kind::Corrupt => 4,
        Kind::Unavailable => 5,
        Kind::Fenced | Kind::Closed => 6,
        Kind::NotFound => 7,
        Kind::Full => 8,
        Kind::Timeout => 9,
        Kind::Unknown => 10,
        // A kind that this program does not know is a fault of it.
        _ => 11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_code_and_only_those_that_end_a_handle_share_one() {
        let table = [
            (Kind::Rejected, 1),
            (Kind::Fenced, 6),
            (Kind::NotFound, 7),
            (Kind::Invalid, 2),
            (Kind::Full, 8),
            (Kind::Timeout, 9),
            (Kind::Unavailable, 5),
            (Kind::Unknown, 10),
            (Kind::Corrupt, 4),
            (Kind::Closed, 6),
            (Kind::Internal, 11),
        ];
        assert_eq!(table.map(|(kind, _)| kind), Kind::ALL, "the table has every kind");
        for (kind, expected) in table {
            assert_eq!(code(kind), expected, "{kind:?}");
            assert_ne!(expected, NOTHING, "an empty claim is no error");
        }
    }
}
