//! The list of cases. `tests/list.rs` checks that it names every case there is.

/// Expands to one test per promise of the `Outbox` port. `$fresh` is the name of an `async fn() -> Posting` in scope that
/// makes an empty storage.
#[macro_export]
macro_rules! outbox_contract {
    ($fresh:ident) => {
        $crate::outbox_tests! { $fresh;
            outbox {
                changes_write_their_events_and_nothing_else_does,
                a_lane_is_one_claims_until_that_is_settled_or_ends,
                what_is_given_up_comes_back_before_the_rest,
                events_that_come_while_others_are_settled_are_delivered_once_and_in_order,
            }
        }
    };
}

/// Writes down the tests of [`outbox_contract!`].
#[doc(hidden)]
#[macro_export]
macro_rules! outbox_tests {
    ($fresh:ident; $module:ident { $($case:ident),* $(,)? }) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::outbox::cases::$case($crate::Office::new(super::$fresh().await)).await;
                }
            )*
        }
    };
}
