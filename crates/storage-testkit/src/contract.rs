//! The list of cases. `tests/list.rs` checks that it names every case there is.

/// Expands to one test per case, grouped in modules by port. `$fresh` is the name of an `async fn() -> Fresh`
/// in scope that makes an empty storage.
#[macro_export]
macro_rules! storage_contract {
    ($fresh:ident) => {
        $crate::contract_tests! { $fresh;
            users {
                an_unknown_user_is_not_found,
                claims_make_a_user_when_asked_to,
                claims_without_a_name_make_a_user_named_by_their_id,
                claims_of_an_unknown_user_make_nobody_without_create,
                a_new_claim_changes_the_profile_and_an_absent_one_says_nothing,
                a_profile_change_outlives_tokens_with_the_old_claim,
                a_claim_that_differs_from_the_last_one_wins_over_a_profile_change,
                recording_the_same_claims_again_changes_nothing,
                first_contacts_at_once_make_one_user,
                listing_gives_each_existing_user_once,
                a_search_finds_part_of_a_name_in_any_case,
                a_search_takes_wildcards_literally,
                a_search_finds_an_exact_id,
                a_search_is_in_id_order_and_limited,
                a_profile_change_keeps_what_it_does_not_name,
                odd_ids_and_names_survive,
            }
        }
    };
}

/// Writes down the tests of [`storage_contract!`].
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($fresh:ident; $($port:ident { $($case:ident),* $(,)? })*) => {
        $(mod $port {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::cases::$port::$case($crate::World::new(super::$fresh().await)).await;
                }
            )*
        })*
    };
}
