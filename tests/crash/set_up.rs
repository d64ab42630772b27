//! The first start is cut off: the next one begins it again.

use std::sync::atomic::{AtomicBool, Ordering};

use mailwright::sample::SampleSpec;
use mailwright::sample_shop;
use mailwright::store::Store;

use super::*;
use crate::binary::block_on;

#[test]
fn a_set_up_that_was_cut_off_is_not_taken_for_a_shop() {
    let folder = Folder::empty();
    let spec = SampleSpec { customers: 40, ..SampleSpec::default() };
    let now = MORNING.parse().unwrap();
    block_on(async {
        let store = Store::open(folder.path()).await.unwrap();
        let planting = AtomicBool::new(false);
        let progress = |_: usize, _: usize| planting.store(true, Ordering::SeqCst);
        let mut set_up = Box::pin(sample_shop::set_up(&store, &spec, now, &progress));
        // The future is dropped in the middle, as a killed process drops everything.
        std::future::poll_fn(|cx| {
            if planting.load(Ordering::SeqCst) {
                return std::task::Poll::Ready(());
            }
            assert!(set_up.as_mut().poll(cx).is_pending());
            std::task::Poll::Pending
        })
        .await;
        drop(set_up);
        store.close().await;
    });
    assert_eq!(folder.rows("SELECT shop_id FROM shops"), [""; 0]);
    assert_ne!(folder.rows("SELECT customer_id FROM customers").len(), 0);
    let count =
        |folder: &Folder| (folder.rows("SELECT order_id FROM orders"), folder.rows("SELECT kind FROM activity").len());
    let whole = |folder: &Folder| {
        block_on(async {
            let store = Store::open(folder.path()).await.unwrap();
            sample_shop::set_up(&store, &spec, now, &|_, _| {}).await.unwrap();
            store.close().await;
        });
    };
    whole(&folder);
    let fresh = Folder::empty();
    whole(&fresh);
    assert_eq!(folder.rows("SELECT name FROM shops"), fresh.rows("SELECT name FROM shops"));
    assert_eq!(count(&folder), count(&fresh));
}
