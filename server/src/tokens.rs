//! Bearer tokens, from a file:
//!
//! ```json
//! {"tokens": [
//!   {"name": "board", "secret": "at least sixteen characters", "grants": [{"scope": "read"}]},
//!   {"name": "worker", "sha256": "of the secret, in hexadecimal", "grants": [
//!     {"scope": "claim", "groups": ["map", "reduce"]}, {"scope": "write", "groups": ["reduce"], "tables": ["counts"]}]}
//! ]}
//! ```

use std::{fs, path::Path, sync::Arc};

use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use tenure::{Code, Error, OwnerId, Result, core::id::MAX_ID};

use crate::{
    access::{Grant, Who},
    problem::Problem,
};

/// The shortest secret.
const SHORTEST: usize = 16;

/// The largest file: some ten thousand tokens.
const FILE: u64 = 4 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    secret: Option<String>,
    sha256: Option<String>,
    grants: Vec<Grant>,
}

/// All tokens.
#[derive(Debug, Default)]
pub struct Tokens(Vec<([u8; SHA256_OUTPUT_LEN], Arc<Who>)>);

fn hash(secret: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    bytes.copy_from_slice(digest(&SHA256, secret).as_ref());
    bytes
}

fn unhex(text: &str) -> Option<[u8; SHA256_OUTPUT_LEN]> {
    let mut bytes = [0; SHA256_OUTPUT_LEN];
    if text.len() != 2 * SHA256_OUTPUT_LEN || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// The owner of the requests of a token, by its name, that name none; of all such requests, by no name, where there are
/// no tokens. It is the same whenever the service starts: whoever asks again after that, under the same request id,
/// has to be known for the one who asked before, and what he holds has to stay his.
pub fn own_number(name: &str) -> OwnerId {
    let digest = digest(&SHA256, format!("tenure owner {name}").as_bytes());
    let number = digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    OwnerId(number % MAX_ID + 1)
}

impl Tokens {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |why: String| Error::new(Code::Invalid, format!("{}: {why}", path.display()));
        let about = fs::metadata(path).map_err(|error| wrong(format!("{error}; --tokens names a file")))?;
        if about.len() > FILE {
            return Err(wrong(format!("{} bytes are more than {FILE}", about.len())));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            if about.permissions().mode() & 0o002 != 0 {
                return Err(wrong("everybody may write it, and so give himself every right: chmod o-w".into()));
            }
        }
        let text = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let file: File = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        let mut tokens: Vec<([u8; SHA256_OUTPUT_LEN], Arc<Who>)> = Vec::new();
        for line in file.tokens {
            let named = |why: &str| wrong(format!("token {:?}: {why}", line.name));
            if line.name.is_empty() || tokens.iter().any(|(_, who)| who.name.as_deref() == Some(&line.name)) {
                return Err(named("give each a name of its own"));
            }
            let hash = match (&line.secret, &line.sha256) {
                (Some(secret), None) if secret.len() >= SHORTEST => hash(secret.as_bytes()),
                (Some(_), None) => return Err(named("its secret has less than 16 characters")),
                (None, Some(hex)) => unhex(hex).ok_or_else(|| named("sha256 has 64 hexadecimal digits"))?,
                _ => return Err(named("give `secret` or `sha256`")),
            };
            let owner = own_number(&line.name);
            let who = Who { name: Some(line.name.into()), owner, grants: Some(line.grants) };
            tokens.push((hash, Arc::new(who)));
        }
        Ok(Self(tokens))
    }

    /// Whose token a request carries. Every token is compared whole, whichever it is.
    pub fn find(&self, headers: &HeaderMap) -> std::result::Result<Arc<Who>, Problem> {
        let refuse = |why: &str| {
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", why).with_header(WWW_AUTHENTICATE, "Bearer")
        };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let secret = match given.split_once(' ') {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => secret.trim(),
            _ => return Err(refuse("send Authorization: Bearer TOKEN")),
        };
        let hash = hash(secret.as_bytes());
        let mut found = None;
        for (known, who) in &self.0 {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(who);
            }
        }
        found.cloned().ok_or_else(|| refuse("this token is not known here"))
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Who>> {
        self.0.iter().map(|(_, who)| who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tokens> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, text).unwrap();
        Tokens::read(&path)
    }

    fn find(tokens: &Tokens, given: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, given.parse().unwrap());
        tokens.find(&headers).ok().map(|who| who.to_string())
    }

    #[test]
    fn a_token_is_found_by_its_secret_alone() {
        let sha = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"; // hello world
        let tokens = read(&format!(
            r#"{{"tokens":[{{"name":"a","secret":"0123456789abcdef","grants":[{{"scope":"read"}}]}},
                {{"name":"b","sha256":"{sha}","grants":[]}}]}}"#
        ))
        .unwrap();
        assert_eq!(find(&tokens, "Bearer 0123456789abcdef").as_deref(), Some("a"));
        assert_eq!(find(&tokens, "bearer hello world").as_deref(), Some("b"));
        for wrong in ["Bearer 0123456789abcdeg", "Bearer", "Bearer ", "Basic 0123456789abcdef", "0123456789abcdef"] {
            assert_eq!(find(&tokens, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_file_that_can_not_be_meant_is_refused() {
        for text in [
            "",
            "{}",
            r#"{"tokens":[{"name":"a","secret":"short","grants":[]}]}"#,
            r#"{"tokens":[{"name":"a","grants":[]}]}"#,
            r#"{"tokens":[{"name":"a","sha256":"zz","grants":[]}]}"#,
            r#"{"tokens":[{"name":"","secret":"0123456789abcdef","grants":[]}]}"#,
            r#"{"tokens":[{"name":"a","secret":"0123456789abcdef","grants":[{"scope":"root"}]}]}"#,
            r#"{"tokens":[{"name":"a","secret":"0123456789abcdef","grants":[{"scope":"read","group":["x"]}]}]}"#,
        ] {
            assert_eq!(read(text).unwrap_err().code(), Code::Invalid, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_everybody_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, r#"{"tokens":[]}"#).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o606)).unwrap();
        assert_eq!(Tokens::read(&path).unwrap_err().code(), Code::Invalid);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Tokens::read(&path).unwrap();
    }
}
