//! Opening the store that a command names: a folder, or a service.

use std::path::{Path, PathBuf};
#[cfg(feature = "client")]
use std::time::Duration;

use tenure::{Code, Committed, Error, Options, OwnerId, Request, Result, Store, history::History};

/// For how long a service is called again that does not answer: whoever waits at a prompt wants to know.
#[cfg(feature = "client")]
const PATIENCE: Duration = Duration::from_secs(10);

/// What all commands share.
#[derive(Clone)]
pub struct Setting {
    /// The label of who does it.
    pub actor: Option<String>,
    /// The token for a service.
    pub token: Option<String>,
    /// Whose certificates are believed.
    pub ca: Option<PathBuf>,
}

/// The URL of a service, where a store is named by one.
pub fn url(store: &Path) -> Option<&str> {
    store.to_str().filter(|text| ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)))
}

/// Refuses a URL where only a folder will do.
pub fn folder<'a>(command: &str, store: &'a Path) -> Result<&'a Path> {
    match url(store) {
        None => Ok(store),
        Some(url) => {
            Err(invalid(format!("{url}: {command} takes a folder, not a service: run it where the store lies")))
        }
    }
}

impl Setting {
    /// What was given, and what the environment says.
    pub fn new(actor: Option<String>, token: Option<String>, ca: Option<PathBuf>) -> Self {
        let token = token.or_else(|| std::env::var("TENURE_TOKEN").ok()).filter(|token| !token.is_empty());
        Self { actor, token, ca }
    }

    /// How a store is opened to write in it.
    pub fn options(&self, owner: Option<u64>) -> Options {
        let mut options = Options::new();
        if let Some(actor) = &self.actor {
            options = options.actor(actor);
        }
        if let Some(owner) = owner {
            options = options.owner(owner);
        }
        options
    }

    /// How a service is asked.
    #[cfg(feature = "client")]
    pub fn calling(&self, options: Options) -> Result<Options> {
        let mut options = options.retry_for(PATIENCE);
        if let Some(token) = &self.token {
            options = options.token(token);
        }
        if let Some(ca) = &self.ca {
            options = options.authorities(crate::update::file(ca)?);
        }
        Ok(options)
    }

    /// Opens a folder, or connects to a service.
    #[cfg_attr(
        not(feature = "client"),
        allow(clippy::unused_self, clippy::needless_pass_by_value, reason = "the client needs them")
    )]
    pub fn open(&self, options: Options, store: &Path) -> Result<Store> {
        match url(store) {
            None => options.open(store),
            #[cfg(feature = "client")]
            Some(url) => self.calling(options)?.connect(url),
            #[cfg(not(feature = "client"))]
            Some(url) => Err(without(url)),
        }
    }

    /// A store to write in, which must be there.
    pub fn present(&self, store: &Path) -> Result<Store> {
        self.open(self.options(None).create(false), store)
    }

    /// A store to write in, made where there is none.
    pub fn present_or_new(&self, store: &Path) -> Result<Store> {
        self.open(self.options(None), store)
    }

    /// A store to look at: nothing is written, not even a lock.
    pub fn to_look(&self, store: &Path) -> Result<Store> {
        self.open(self.options(None).read_only(true).create(false), store)
    }

    /// The entries of a store.
    #[cfg_attr(not(feature = "client"), allow(clippy::unused_self, reason = "the client needs it"))]
    pub fn history(&self, store: &Path) -> Result<History> {
        match url(store) {
            None => History::open(store),
            #[cfg(feature = "client")]
            Some(url) => History::connect(url, &self.calling(self.options(None))?),
            #[cfg(not(feature = "client"))]
            Some(url) => Err(without(url)),
        }
    }

    /// Commits requests one after the other, with as little as possible.
    pub fn commit(
        &self,
        owner: Option<u64>,
        store: &Path,
        mut requests: impl Iterator<Item = Request>,
        mut answer: impl FnMut(&Committed) -> Result<()>,
    ) -> Result<()> {
        let options = self.options(owner);
        if url(store).is_none() {
            return requests.try_for_each(|request| answer(&options.commit_once(store, request)?));
        }
        let store = self.open(options, store)?;
        for request in requests {
            answer(&store.update(request)?)?;
        }
        store.close()
    }
}

#[cfg(not(feature = "client"))]
fn without(url: &str) -> Error {
    Error::new(
        Code::Unsupported,
        format!("{url}: this program was built without the client of a service: give a folder"),
    )
}

/// An owner's number as it was given, 0 where none was.
pub fn owner(given: Option<u64>) -> OwnerId {
    OwnerId(given.unwrap_or_default())
}

/// A call that is wrong.
pub fn invalid(why: impl Into<String>) -> Error {
    Error::new(Code::Invalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_named_by_a_url_is_a_service_and_not_a_folder() {
        assert_eq!(url(Path::new("work.tenure")), None);
        assert_eq!(url(Path::new("http/work")), None);
        assert_eq!(url(Path::new("http://127.0.0.1:8048")), Some("http://127.0.0.1:8048"));
        assert!(
            folder("verify", Path::new("https://host")).is_err_and(|error| error.message().contains("takes a folder"))
        );
    }
}
