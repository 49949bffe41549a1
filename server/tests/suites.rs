//! The suites of the embedded store, on a store that is served.
#![allow(clippy::unwrap_used)]

mod place {
    //! Where the stores of a suite are: at a service, to which each handle connects.

    use tenure::{Options, Store, clock::Clock};
    use tenure_server::{Config, Server};

    pub struct Place {
        url: String,
        _server: Server,
        _folder: tempfile::TempDir,
    }

    impl Place {
        pub fn new(clock: &Clock) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Options::new().clock(clock.clone()).open(folder.path().join("s")).unwrap();
            let server = Server::start(store, Config::new("127.0.0.1:0".parse().unwrap())).unwrap();
            let url = format!("http://{}", server.addresses()[0]);
            Self { url, _server: server, _folder: folder }
        }

        pub fn open(&self, options: &Options) -> Store {
            options.connect(&self.url).unwrap()
        }
    }
}

#[path = "../../host/tests/suite/batches.rs"]
mod batches;
#[path = "../../host/tests/suite/held.rs"]
mod held;
#[path = "../../host/tests/suite/posted.rs"]
mod posted;
#[path = "../../host/tests/suite/waits.rs"]
mod waits;
