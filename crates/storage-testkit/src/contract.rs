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
                nothing_is_revoked_at_first,
                a_revocation_never_moves_back,
                a_revocation_outlives_claims_and_profile_changes,
            }
            conversations {
                a_direct_conversation_starts_empty,
                two_people_have_one_conversation,
                starts_from_both_sides_at_once_make_one_conversation,
                a_group_starts_with_its_people,
                what_is_not_there_is_none,
                an_entry_shows_the_people_and_the_newest_message,
                a_group_changes_its_looks,
                refused_changes_of_looks_change_nothing,
                listing_gives_each_existing_conversation_once,
                contacts_are_those_who_share_a_conversation,
                contacts_exclude_blocks_of_either_direction,
                heads_say_how_far_each_ones_conversations_have_come,
            }
            listing {
                the_list_is_by_latest_activity,
                those_of_one_moment_are_by_descending_id,
                pages_cover_the_list,
                a_cursor_stays_good_under_activity,
                the_list_is_the_viewers_own,
                a_search_looks_at_titles_and_others_names,
                a_search_takes_the_text_literally,
                a_search_is_paged_like_the_list,
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
            membership {
                an_addition_is_told_by_a_system_message,
                newcomers_have_only_what_comes_after_them_unread,
                a_newcomers_send_reads_what_came_after_them,
                coming_in_reads_and_delivers_nothing,
                who_comes_again_starts_anew,
                who_comes_again_keeps_what_they_had_read,
                what_was_delivered_stays_delivered,
                who_has_left_is_out,
                a_system_message_counts_like_a_send,
                an_owner_who_leaves_has_an_heir,
                the_last_one_may_leave,
                a_change_of_roles_is_silent,
                nothing_to_change_in_membership_moves_nothing,
                refused_membership_changes_change_nothing,
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
            search {
                words_are_beginnings_of_words,
                all_words_must_occur,
                case_and_accents_are_ignored,
                other_scripts_are_searched_too,
                odd_characters_separate_words,
                no_word_is_an_operator,
                only_ones_own_conversations_are_searched,
                deleted_messages_are_not_found,
                edited_messages_are_found_by_their_new_text,
                system_messages_are_not_found,
                captions_are_found,
                results_are_paged_from_the_newest,
                what_is_found_is_the_message_as_it_is,
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
                nothing_is_delivered_across_a_block,
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
            notifications {
                a_notice_comes_back_as_it_was_sent,
                notices_that_nobody_wants_are_left_out,
                many_notices_at_once_are_all_stored,
                a_conversation_has_one_unread_notification,
                what_stands_is_named,
                somebody_named_twice_is_told_once,
                those_who_need_not_be_told_are_not,
                a_single_read_of_the_message_counts,
                a_strange_message_tells_nobody,
                reading_freezes_what_a_notification_stands_for,
                ones_own_answer_is_no_notification,
                a_late_note_stands_for_the_newest_message,
                who_has_left_is_not_told_on,
                pages_cover_the_notifications,
                who_was_never_told_has_nothing,
                others_notifications_are_not_there,
                a_second_mark_of_a_notification_changes_nothing,
                marking_all_reads_all,
                a_removed_notification_is_gone,
                preferences_change_one_by_one,
                preferences_leave_what_was_told,
            }
            notification_races {
                notes_at_once_make_one_notification,
                notes_against_reading_leave_nothing_unread,
                marks_of_all_against_insertions_lose_nothing,
                a_list_and_its_counts_are_of_one_moment,
                marks_of_a_notification_at_once_read_it_once,
                removals_at_once_remove_once,
                notes_against_removals_from_a_group_count_true,
                preferences_changed_at_once_are_all_kept,
            }
            notification_laws {
                random_notifications_follow_the_naive_model,
                a_long_life_of_notifications_follows_the_naive_model,
            }
            media_items {
                a_medium_comes_back_as_it_was_uploaded,
                an_upload_needs_its_uploader_and_a_new_id,
                unused_media_are_listed_oldest_first,
                an_unused_medium_is_removed_once,
                a_message_keeps_its_media,
                a_medium_is_kept_by_each_message,
                every_way_to_name_a_medium_counts_once,
                a_missing_medium_refuses_the_message,
                links_to_other_servers_are_accepted,
                only_stored_messages_use_media,
                a_group_keeps_its_photo,
                a_user_keeps_their_picture,
                a_picture_without_its_medium_is_a_link,
                a_refused_deletion_releases_nothing,
            }
            media_races {
                a_send_against_a_removal_keeps_the_medium_or_is_refused,
                a_photo_against_a_removal_keeps_the_medium_or_is_refused,
                removals_of_a_medium_at_once_remove_once,
                deletions_against_sends_keep_the_medium,
                random_uses_follow_the_naive_model,
            }
            races {
                sends_with_one_mark_at_once_are_one_message,
                batches_with_the_same_marks_at_once_store_each_once,
                appends_by_many_count_without_gaps,
                batches_across_conversations_do_not_lock_each_other_out,
                all_kinds_of_changes_share_one_rev,
                marks_against_sends_lose_nothing,
                marks_at_once_read_each_message_once,
                single_reads_at_once_are_all_kept,
                deletions_against_marks_count_off_once,
                deletions_against_edits_leave_a_tombstone,
                deletions_at_once_are_one,
                the_last_place_for_a_reaction_is_given_once,
                reactions_at_once_are_all_kept,
                a_block_against_sends_refuses_what_begins_later,
            }
            membership_races {
                a_removal_against_sends_ends_them,
                of_two_admins_who_remove_each_other_one_stays,
                leaving_at_once_leaves_one_owner,
                additions_at_once_keep_the_groups_limit,
                one_person_added_by_two_comes_in_once,
                an_addition_against_sends_counts_from_its_message,
            }
            laws {
                a_random_life_follows_the_naive_model,
                another_random_life_follows_the_naive_model,
                a_long_random_life_follows_the_naive_model,
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
