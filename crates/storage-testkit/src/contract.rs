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
            append {
                a_message_comes_back_as_it_was_sent,
                a_message_without_text_has_none,
                seq_and_rev_count_from_one_in_each_conversation,
                answers_are_in_the_order_of_the_batch,
                a_large_batch_is_stored_whole,
                one_refusal_does_not_touch_the_others,
                an_answer_needs_its_message_in_the_same_conversation,
                a_repetition_yields_the_first_message_as_it_is_now,
                equal_marks_in_one_batch_are_one_message,
                a_mark_belongs_to_one_sender_in_one_conversation,
                a_block_refuses_sends_in_direct_conversations_only,
                a_block_does_not_refuse_a_repetition,
                a_send_reads_what_came_before_it,
                a_send_reads_what_came_before_it_in_the_batch,
                a_send_tells_of_the_newest_500_that_it_reads,
                an_append_delivers_to_its_live_recipient,
                activity_never_goes_back,
            }
            amend {
                an_edit_changes_the_text_alone,
                a_deletion_leaves_a_tombstone,
                nothing_to_change_moves_nothing,
                refused_amendments_change_nothing,
                outsiders_find_no_message,
                admins_of_groups_delete_any_message,
                a_deletion_takes_the_message_off_the_unread_counts,
                edits_and_reactions_do_not_touch_the_unread_counts,
                reactions_come_in_order_and_go,
                the_limit_of_reactions_holds,
            }
            history {
                history_is_paged_from_the_newest,
                a_page_that_ends_at_the_beginning_has_no_next,
                a_page_before_a_strange_message_is_none,
                history_includes_tombstones,
                paging_back_is_stable_while_messages_come,
                messages_are_found_by_id,
                the_last_seq_of_nothing_is_zero,
            }
            changes {
                changes_come_in_the_order_of_rev,
                a_page_of_changes_says_where_to_ask_on,
                changes_since_the_future_are_none,
                changes_are_those_of_one_conversation,
                changes_tell_of_membership,
                following_the_changes_yields_the_full_state,
                following_the_changes_during_writes_misses_nothing,
            }
            receipts {
                reading_all_reads_everything,
                reading_up_to_a_message_reads_no_further,
                single_reads_are_kept_exactly_and_fold,
                strange_ids_are_passed_over,
                a_second_mark_reads_nothing_new,
                ones_own_messages_are_never_read,
                reading_ones_own_message_does_not_raise_its_status,
                tombstones_are_neither_unread_nor_newly_read,
                refused_marks_change_nothing,
                a_mark_tells_of_the_newest_500,
                many_single_reads_stay_bounded_and_true,
                unread_counts_are_listed_where_something_is_unread,
                unread_counts_of_people_are_for_participants_only,
                all_ports_agree_on_the_unread_count,
                watermarks_are_listed_for_conversations_that_exist,
                one_reader_of_many_is_enough,
            }
            delivery {
                a_live_socket_delivers_what_waited,
                nothing_is_delivered_twice,
                only_what_had_reached_nobody_is_told,
                what_was_read_is_not_delivered_any_more,
                what_the_append_delivered_is_not_told_again,
                the_newest_500_of_each_conversation_are_told,
                sockets_at_once_tell_of_each_message_once,
                sends_while_sockets_appear_are_delivered_once,
            }
            blocks {
                blocks_come_and_go_once,
                blocking_is_seen_from_both_sides,
                blocked_people_are_listed_newest_block_first,
                blocks_of_either_direction_are_listed,
                blocks_at_once_are_one_block,
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
