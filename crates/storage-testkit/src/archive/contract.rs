//! The list of cases. `tests/list.rs` checks that it names every case there is.

/// Expands to one test per promise of the `Archive` port. `$fresh` is the name of an `async fn() -> Movable` in scope
/// that makes an empty storage; each case gets two.
#[macro_export]
macro_rules! archive_contract {
    ($fresh:ident) => {
        $crate::archive_tests! { $fresh;
            moving {
                what_goes_out_comes_in_the_same,
                revocations_come_along,
                a_restored_storage_answers_like_the_original,
                a_restored_storage_lives_on_like_the_original,
                pages_of_any_size_are_the_same_records,
                pages_are_stable_while_others_come_and_go,
                counts_are_those_of_the_records,
                taking_in_twice_changes_nothing,
                a_copy_goes_on_wherever_it_was_cut,
                the_place_reached_is_that_of_the_last_record,
                a_copy_begins_in_an_empty_storage_alone,
                another_source_does_not_go_on,
                of_two_copies_at_once_one_begins,
                nothing_is_taken_in_without_a_copy,
                pictures_keep_their_media_once_the_copy_is_finished,
                a_finished_copy_is_a_storage_like_any_other,
                an_empty_storage_is_moved_too,
            }
        }
    };
}

/// Writes down the tests of [`archive_contract!`].
#[doc(hidden)]
#[macro_export]
macro_rules! archive_tests {
    ($fresh:ident; $module:ident { $($case:ident),* $(,)? }) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let original = $crate::Depot::new(super::$fresh().await);
                    let copy = original.beside(super::$fresh().await);
                    $crate::archive::cases::$case(original, copy).await;
                }
            )*
        }
    };
}
