//! The server goes away and comes back, or was never there: clear errors that are worth a retry, and work goes on after.

use kit::{Principal, StoreError};
use mailwright::store::{Address, Place, Store};

use super::{now, shop};
use crate::binary::block_on;
use crate::postgres::{PASSWORD, Server};

#[test]
fn a_server_that_goes_and_comes_back() {
    let Some(mut server) = Server::start() else { return };
    let (dir, place) = (tempfile::tempdir().unwrap(), server.place());
    block_on(async {
        let store = Store::open_at(dir.path(), &place).await.unwrap();
        let shop = store.shop(&shop("a"));
        let note = async || shop.audit(&Principal::System, "test", "thing", "", now()).await;
        note().await.unwrap();
        assert_eq!(shop.audit_trail(9).await.unwrap().len(), 1);
        server.down();
        let (written, read) = (note().await, shop.audit_trail(9).await);
        for told in [written.unwrap_err(), read.unwrap_err()] {
            assert!(told.is_retryable(), "{told:?}");
            assert!(matches!(&told, StoreError::Unavailable(_)), "{told:?}");
            assert!(!told.to_string().contains(PASSWORD));
        }
        server.up();
        note().await.unwrap();
        assert_eq!(shop.audit_trail(9).await.unwrap().len(), 2);
        // Also when it goes and comes between two commands: the first one after that does not even notice.
        server.down();
        server.up();
        note().await.unwrap();
        assert_eq!(shop.audit_trail(9).await.unwrap().len(), 3);
        store.close().await;
    });
}

#[track_caller]
fn refused(url: &str, password: Option<&str>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Postgres(Address::parse(url, password).unwrap());
    block_on(async { Store::open_at(dir.path(), &place).await.unwrap_err().to_string() })
}

#[test]
fn what_is_wrong_at_the_start_is_said() {
    let Some(mut server) = Server::start() else { return };
    let (there, missing) = (server.url(&server.database()), server.url("nowhere"));
    let wrong = refused(&there, Some("wrong-password"));
    assert!(wrong.contains("refuses this user or password") && !wrong.contains("wrong-password"), "{wrong}");
    let none = refused(&missing, Some(PASSWORD));
    assert!(none.contains("/nowhere cannot be opened") && none.contains("no such database"), "{none}");
    server.down();
    let gone = refused(&there, Some(PASSWORD));
    assert!(gone.contains("cannot be reached"), "{gone}");
}
