//! One suite for both stores: every promise that the rest of the house builds on, asked of SQLite and of PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod engine;
mod gone;
mod offers;
mod on_postgres;
mod people;
mod sealed;
mod suite;
mod webhooks;

use kit::{ShopId, Timestamp};
use mailwright::store::{DATABASE, Place, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::binary::{MORNING, block_on};
use crate::postgres;

/// An empty store in a place of its own.
struct Home {
    dir: TempDir,
    place: Place,
}

impl Home {
    fn sqlite() -> Option<Self> {
        Some(Self { dir: tempfile::tempdir().unwrap(), place: Place::Folder })
    }

    fn postgres() -> Option<Self> {
        Some(Self { dir: tempfile::tempdir().unwrap(), place: postgres::shared()?.place() })
    }

    async fn open(&self) -> Store {
        Store::open_at(self.dir.path(), &self.place).await.unwrap()
    }

    fn is_file(&self) -> bool {
        matches!(self.place, Place::Folder)
    }

    /// Runs a statement past the store, and returns the first column of its rows.
    async fn sql(&self, sql: impl Into<String>) -> Vec<String> {
        let sql: &'static str = sql.into().leak();
        match &self.place {
            Place::Folder | Place::Scratch => {
                let options = SqliteConnectOptions::new().filename(self.dir.path().join(DATABASE));
                let mut connection = options.connect().await.unwrap();
                let rows = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                rows
            }
            Place::Postgres(address) => {
                let address = address.to_string();
                let (_, database) = address.rsplit_once('/').unwrap();
                postgres::shared().unwrap().rows(database, sql).await
            }
        }
    }
}

fn now() -> Timestamp {
    MORNING.parse().unwrap()
}

fn shop(name: &str) -> ShopId {
    ShopId::new(name).unwrap()
}

/// Each of the suite's functions as a test on either store.
macro_rules! on_both {
    ($($room:ident: $($name:ident),+ $(,)?);+ $(;)?) => {
        mod sqlite {
            $($(#[test] fn $name() { super::ask(super::Home::sqlite(), super::$room::$name); })+)+
        }
        mod postgresql {
            $($(#[test] fn $name() { super::ask(super::Home::postgres(), super::$room::$name); })+)+
        }
    };
}

fn ask(home: Option<Home>, question: impl AsyncFnOnce(&Home)) {
    if let Some(home) = home {
        block_on(question(&home));
    }
}

on_both!(
    offers: an_offer_is_held_within_every_limit,
    an_offer_of_a_run_that_ended_unsent_counts_no_more,
    what_an_erased_person_held_is_given_back;
    suite: an_event_is_stored_once_whoever_is_faster,
    what_is_stored_comes_back_byte_by_byte,
    events_are_worked_in_by_their_time,
    a_run_is_begun_once_and_moved_while_it_waits,
    a_position_of_a_journal_is_written_once,
    a_run_does_not_rest_over_a_signal,
    shops_do_not_see_each_other,
    names_are_ordered_by_their_bytes,
    numbers_are_as_large_as_they_come,
    a_command_that_fails_leaves_nothing_and_takes_nobody_with_it,
    commands_that_come_together_are_all_kept,
    a_store_that_was_closed_opens_again_with_all_it_had,
    audit_rows_are_numbered_without_gaps,
    kill_switches_are_seen_at_once,
    an_order_is_stored_again_with_what_is_new,
    connections_tokens_and_links_are_kept;
    webhooks: a_webhook_is_accepted_once_by_id_and_by_body,
    webhooks_that_come_together_are_each_stored_once;
    people: a_no_of_the_same_second_counts,
    an_erased_customer_stays_erased,
    late_tickets_do_not_close_what_was_opened_after,
    what_somebody_wrote_is_kept_in_closed_words,
    a_segment_is_stopped_for_whoever_belongs_to_it_now,
    an_erased_person_is_in_no_row;
    sealed: what_is_about_a_person_is_sealed_in_the_tables,
    an_event_is_sealed_once_it_is_known_whose_it_is,
    an_erased_person_is_unreadable_in_a_copy_of_the_rows,
    an_erased_shop_has_no_keys,
    a_sealed_value_opens_in_its_own_row_only,
    one_key_counts_whoever_is_faster,
    rows_from_before_are_read_as_they_are,
    whoever_drives_again_asks_for_keys_anew,
    another_master_key_opens_nothing_and_is_named;
    engine: a_timer_that_was_moved_does_not_fire,
    of_occasions_close_together_the_newest_counts,
    one_holder_has_the_lease,
    the_trail_is_chained_whoever_writes,
    rows_appended_together_are_each_kept_or_refused,
    failed_tries_wait_longer_and_a_parked_run_may_go_on,
    a_pruned_journal_leaves_its_hash;
);
