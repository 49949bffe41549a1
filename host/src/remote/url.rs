//! Where a served store is: a scheme, a host, a port, and what comes before the API's own paths.

use hyper::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tenure_core::{Code, Error, Result};

/// A service's URL.
#[derive(Clone, Debug)]
pub(super) struct Url {
    /// Without a slash at its end.
    base: String,
    pub secure: bool,
}

/// What stands for itself in a part of a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as a part of a path or a query.
pub(super) fn part(text: &str) -> String {
    // A part that is only dots would be taken for a step up.
    if text.bytes().all(|byte| byte == b'.') {
        return text.replace('.', "%2E");
    }
    utf8_percent_encode(text, PART).to_string()
}

impl Url {
    pub fn read(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            // What stands before an @ may be a secret.
            let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
            Error::new(
                Code::Invalid,
                format!("{shown:?} is no URL of a service: {why}; give one as http://127.0.0.1:8048"),
            )
        };
        let uri: Uri = text.parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(&error.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(other) => return Err(wrong(&format!("it begins with {other}://"))),
            None => return Err(wrong("it does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a token goes into the options, not into the URL"));
        }
        if authority.host().is_empty() {
            return Err(wrong("it names no host"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(wrong("a query or a fragment has no meaning"));
        }
        if secure && !cfg!(feature = "tls") {
            return Err(Error::new(
                Code::Unsupported,
                "this program was built without TLS: build it with the feature `tls`, or use http://",
            ));
        }
        Ok(Self { base: text.trim_end_matches('/').to_owned(), secure })
    }

    /// The URL of one path of the API.
    pub fn at(&self, path: &str) -> Result<Uri> {
        format!("{}{path}", self.base).parse().map_err(|error| {
            Error::new(Code::Invalid, format!("{}: {error}: a name may be too long for a URL", self.base))
        })
    }

    pub fn as_str(&self) -> &str {
        &self.base
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_url_of_a_service_is_refused_with_what_would_be_one() {
        for (text, why) in [
            ("", "empty"),
            ("work.tenure", "does not begin with http"),
            ("localhost:8048", "does not begin with http"),
            ("ftp://host", "ftp://"),
            ("http://", ""),
            ("http:///x", ""),
            ("http://secret@host", "options"),
            ("http://host?token=x", "query"),
            ("http://host/#x", "fragment"),
            ("http://ho st", ""),
        ] {
            let error = Url::read(text).unwrap_err();
            assert_eq!(error.code(), Code::Invalid, "{text}");
            assert!(
                error.message().contains(why) && error.message().contains("http://127.0.0.1:8048"),
                "{text}: {error}"
            );
            assert!(!error.message().contains("secret"), "{error}");
        }
    }

    #[test]
    fn paths_are_put_behind_what_the_url_has() {
        for base in ["http://host:1/x", "http://host:1/x/"] {
            assert_eq!(Url::read(base).unwrap().at("/v1/groups").unwrap(), "http://host:1/x/v1/groups");
        }
        assert_eq!(part("a/b c%ü..-_~"), "a%2Fb%20c%25%C3%BC..-_~");
        assert_eq!(part(".."), "%2E%2E");
    }
}
