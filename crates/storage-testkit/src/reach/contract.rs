//! The list of cases. `tests/list.rs` checks that it names every case there is.

/// Expands to one test per promise of the ports `Addresses` and `Errands`. `$fresh` is the name of an
/// `async fn() -> Reachable` in scope that makes an empty storage.
#[macro_export]
macro_rules! reach_contract {
    ($fresh:ident) => {
        $crate::reach_tests! { $fresh;
            reaching {
                addresses_are_kept_by_user_and_channel,
                an_address_may_be_one_persons_alone,
                errands_are_handed_out_when_they_are_due,
                what_is_put_again_meanwhile_is_due_again,
                of_several_who_take_one_gets_each,
            }
        }
    };
}

/// Writes down the tests of [`reach_contract!`].
#[doc(hidden)]
#[macro_export]
macro_rules! reach_tests {
    ($fresh:ident; $module:ident { $($case:ident),* $(,)? }) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::reach::cases::$case($crate::Country::new(super::$fresh().await)).await;
                }
            )*
        }
    };
}
