//! The list of clauses. It stands here once: tests and documentation are made from it.

/// Hands the list to another macro of this crate: laws, and under each its clauses as
/// `file::function`.
#[doc(hidden)]
#[macro_export]
macro_rules! every_clause {
    ($then:ident) => {
        $crate::$then! {
            l1_only_the_server_mints {
                creation::create_never_overwrites_a_session,
                creation::create_never_takes_an_id_that_is_in_use,
                creation::one_of_many_parallel_creations_of_a_key_wins,
                creation::nothing_but_create_makes_a_session,
                creation::keys_that_differ_in_one_bit_are_different,
                loading::an_unknown_key_is_gone,
                loading::one_load_answers_for_every_key_in_order,
                loading::one_load_takes_none_and_the_same_key_twice,
            }
            l3_privilege_changes_the_token {
                privilege::a_login_begins_a_new_session,
                privilege::a_login_takes_over_only_what_is_kept,
                privilege::a_rotation_can_keep_everything,
                privilege::a_replaced_key_is_gone_for_every_verb,
                privilege::a_replaced_id_ends_nothing,
                privilege::a_change_of_user_moves_the_index,
                privilege::a_rotation_onto_what_is_taken_changes_nothing,
                privilege::gone_comes_before_taken,
                privilege::the_replaced_session_does_not_count,
                privilege::a_login_refused_by_the_limit_changes_nothing,
                privilege::a_login_evicts_by_the_limit,
                privilege::an_oversized_login_changes_nothing,
                privilege::a_login_kills_the_forwarders,
                privilege::one_of_many_parallel_logins_wins,
                privilege::a_login_is_never_seen_half_done,
                renewal::a_renewal_keeps_the_session,
                renewal::a_forwarder_shows_the_identity_of_before,
                renewal::a_renewal_can_start_the_clocks_anew,
                renewal::changes_through_a_forwarder_land,
                renewal::a_touch_through_a_forwarder_counts,
                renewal::identity_calls_through_a_forwarder_are_stale,
                renewal::resuming_through_a_forwarder_finds_it_live,
                renewal::an_unseen_renewal_forwards_up_to_its_cap,
                renewal::the_first_load_through_the_new_key_starts_the_grace,
                renewal::a_load_of_both_keys_starts_the_grace,
                renewal::the_grace_ends_with_the_cap,
                renewal::the_old_key_does_not_start_its_grace,
                renewal::an_expired_forwarder_is_gone_for_every_verb,
                renewal::a_swept_forwarder_tells_the_same,
                renewal::the_oldest_of_two_renewals_still_forwards,
                renewal::the_newest_key_starts_every_grace,
                renewal::a_renewal_never_changes_the_user,
                renewal::one_of_many_parallel_renewals_wins,
            }
            l4_ended_stays_ended {
                creation::an_ended_key_never_lives_again,
                creation::an_expired_key_never_lives_again,
                creation::a_rotated_key_never_lives_again,
                renewal::an_end_kills_the_forwarders,
                renewal::a_forwarder_does_not_outlive_its_session,
                renewal::an_older_key_tells_what_came_first,
                endings::an_ended_session_is_gone_at_once,
                endings::a_session_ends_by_its_id,
                endings::an_ended_session_does_not_end_again,
                endings::an_unknown_session_does_not_end,
                endings::a_late_commit_does_not_revive,
                endings::a_late_touch_does_not_revive,
                endings::a_late_rotation_does_not_revive,
                endings::a_late_resumption_does_not_revive,
                endings::a_sweep_does_not_revive,
                endings::an_end_among_parallel_writes_is_final,
                endings::one_of_two_parallel_ends_ends,
                endings::a_dropped_answer_does_not_stop_an_end,
                remembered::a_dormant_session_can_be_ended,
            }
            l5_no_acknowledged_write_is_lost {
                creation::a_created_session_is_live,
                creation::client_and_user_come_back,
                creation::routes_come_back,
                creation::a_dropped_answer_does_not_stop_a_creation,
                privilege::no_change_is_lost_in_a_login,
                renewal::no_change_is_lost_in_a_renewal,
                commits::a_change_is_there_once_acknowledged,
                commits::a_change_leaves_other_fields_alone,
                commits::an_unset_field_is_gone,
                commits::operations_happen_in_order,
                commits::the_version_counts_changes_and_not_touches,
                commits::an_expected_version_lands,
                commits::a_conflict_brings_the_newest_record_and_writes_nothing,
                commits::any_version_never_conflicts,
                commits::a_change_and_a_touch_land_together,
                commits::a_change_leaves_the_identity_alone,
                commits::parallel_changes_of_different_fields_all_survive,
                commits::a_hundred_parallel_increments_make_a_hundred,
                commits::a_dropped_answer_does_not_stop_a_change,
                values::values_come_back_to_the_letter,
                values::values_survive_other_commits_to_the_letter,
                values::deep_values_come_back,
                values::field_names_are_kept_apart,
                values::no_fields_come_back,
                values::the_largest_sessions_come_back,
                values::a_change_beyond_a_limit_writes_nothing,
                values::a_creation_beyond_a_limit_makes_nothing,
                users::amend_and_commits_compose,
            }
            l6_reading_is_free {
                loading::loading_changes_nothing,
            }
            l7_two_clocks_both_on_the_server {
                creation::the_idle_deadline_is_capped_at_creation,
                clocks::a_session_is_gone_at_its_idle_deadline,
                clocks::a_session_is_gone_at_its_absolute_deadline,
                clocks::every_verb_refuses_an_expired_session,
                clocks::an_expired_session_is_in_no_list,
                clocks::a_renewal_can_bring_the_deadline_forward,
                renewal::a_step_up_leaves_the_clocks_alone,
                clocks::a_touch_moves_the_idle_deadline,
                clocks::a_touch_is_capped_by_the_absolute_deadline,
                clocks::a_touch_moves_nothing_backwards,
                clocks::a_clock_that_steps_back_ends_nothing,
                clocks::a_clock_that_steps_back_extends_nothing,
                clocks::a_clock_that_steps_back_revives_nothing,
                clocks::the_latest_times_come_back,
                remembered::a_remembered_session_is_dormant,
                remembered::an_anonymous_session_is_never_dormant,
                remembered::a_dormant_session_takes_no_change,
                remembered::a_resumption_begins_a_new_session,
                remembered::a_resumption_moves_the_index,
                remembered::a_live_session_is_not_resumed,
                remembered::a_forgotten_session_is_not_resumed,
                remembered::a_resumption_never_changes_the_user,
                remembered::a_resumption_takes_no_id_in_use,
                remembered::one_of_many_parallel_resumptions_wins,
                remembered::a_dormant_session_counts_against_the_limit,
            }
            l10_every_ending_has_a_reason {
                loading::an_ended_key_tells_its_ending,
                loading::a_reason_is_told_for_a_day,
                loading::a_timeout_is_told_for_a_day_swept_or_not,
                loading::every_verb_tells_the_ending,
                loading::a_second_ending_does_not_rewrite_the_first,
                loading::an_older_key_keeps_its_own_ending,
                remembered::a_resumed_session_tells_its_own_ending,
            }
            operators_see_and_end_everything {
                loading::a_store_describes_itself,
                remembered::dormant_sessions_are_in_every_list,
                users::the_index_follows_every_session,
                users::a_list_holds_the_newest_records,
                users::a_list_is_paged_in_the_order_of_ids,
                users::a_page_begins_after_an_id_that_is_gone,
                users::end_all_ends_every_session_of_one_user,
                users::end_all_can_spare_one,
                users::end_all_ends_what_was_there_before,
                users::amend_changes_every_session_of_one_user,
                users::amend_changes_all_or_none,
                users::the_index_agrees_with_the_records,
                limits::below_the_limit_nothing_happens,
                limits::those_seen_longest_ago_are_evicted,
                limits::a_lowered_limit_evicts_several,
                limits::a_refusal_lists_what_exists,
                limits::an_expired_session_does_not_count,
                limits::an_ended_session_does_not_count,
                limits::others_do_not_count,
                limits::a_taken_key_evicts_nobody,
                limits::fifty_parallel_logins_keep_the_newest_five,
                limits::fifty_parallel_logins_beyond_five_are_refused,
                registry::a_scan_is_paged_in_the_order_of_ids,
                registry::an_empty_store_holds_nothing,
                registry::a_count_follows_every_change,
                registry::two_stores_share_nothing,
                sweeping::a_sweep_is_bounded,
                sweeping::a_sweep_that_frees_all_leaves_no_more,
                sweeping::a_sweep_leaves_the_living_alone,
                sweeping::a_dormant_session_is_swept_when_forgotten,
                sweeping::a_session_outlives_the_memory_of_its_user,
                sweeping::reasons_are_freed_after_a_day,
                sweeping::an_expired_forwarder_is_freed,
                sweeping::expired_forwarders_count_against_the_limit,
                sweeping::a_sweep_disturbs_nobody,
            }
        }
    };
}

/// The same for stores that outlive their process.
#[doc(hidden)]
#[macro_export]
macro_rules! every_durable_clause {
    ($then:ident) => {
        $crate::$then! {
            what_was_acknowledged_survives {
                durability::a_durable_store_says_so,
                durability::records_survive,
                durability::the_index_survives,
                durability::endings_survive,
                durability::forwarders_survive,
                durability::a_grace_survives,
                durability::versions_survive,
                durability::dormant_sessions_survive,
                durability::logins_survive,
            }
        }
    };
}

/// The same for what a store that keeps a feed promises about it.
#[doc(hidden)]
#[macro_export]
macro_rules! every_feed_clause {
    ($then:ident) => {
        $crate::$then! {
            what_ended_is_told {
                feed::a_new_feed_is_empty,
                feed::every_end_is_told,
                feed::what_a_login_ends_is_told,
                feed::the_end_of_a_dormant_session_is_told,
                feed::nothing_else_is_told,
                feed::an_amendment_is_an_epoch,
                feed::reading_goes_on_where_it_stopped,
                feed::a_part_is_bounded,
                feed::the_newest_place_is_after_all,
                feed::what_is_forgotten_is_said_to_be_lost,
                feed::an_emptied_feed_remembers_its_end,
                feed::a_place_that_never_was_is_lost,
                feed::what_ends_in_parallel_is_told_once,
            }
        }
    };
}

/// The same for a feed that outlives its process.
#[doc(hidden)]
#[macro_export]
macro_rules! every_durable_feed_clause {
    ($then:ident) => {
        $crate::$then! {
            what_was_told_survives {
                feed::the_feed_survives,
            }
        }
    };
}

/// The same for what a store promises those who listen to it.
#[doc(hidden)]
#[macro_export]
macro_rules! every_listening_clause {
    ($then:ident) => {
        $crate::$then! {
            what_others_change_is_heard {
                listening::the_store_tells_something,
                listening::an_end_is_heard,
                listening::a_rotation_is_heard,
                listening::an_eviction_is_heard,
                listening::an_amendment_is_heard,
                listening::a_resumption_is_heard,
                listening::every_change_is_heard_where_the_store_says_so,
                listening::every_listener_hears,
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! clause_table {
    ($($law:ident { $($theme:ident::$name:ident,)* })*) => {
        &[$($(
            $crate::Clause {
                name: stringify!($name),
                law: stringify!($law),
                theme: stringify!($theme),
            },
        )*)*]
    };
}

/// The clauses that every store keeps, in the order of the laws.
pub const CLAUSES: &[Clause] = crate::every_clause!(clause_table);

/// The clauses of stores that outlive their process.
pub const DURABLE_CLAUSES: &[Clause] = crate::every_durable_clause!(clause_table);

/// The clauses of stores that keep a feed.
pub const FEED_CLAUSES: &[Clause] = crate::every_feed_clause!(clause_table);

/// The clauses of feeds that outlive their process.
pub const DURABLE_FEED_CLAUSES: &[Clause] = crate::every_durable_feed_clause!(clause_table);

/// The clauses of stores that tell what others change.
pub const LISTENING_CLAUSES: &[Clause] = crate::every_listening_clause!(clause_table);

/// One clause of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The name of its function and its test: a sentence with `_` for spaces.
    pub name: &'static str,
    /// The law it belongs to, written the same way.
    pub law: &'static str,
    /// The module of this crate that it is in.
    pub theme: &'static str,
}

impl Clause {
    /// What it says.
    ///
    /// ```
    /// let clause = cloakroom_conformance::CLAUSES[0];
    /// assert_eq!(clause.what(), "create never overwrites a session");
    /// ```
    #[must_use]
    pub fn what(&self) -> String {
        self.name.replace('_', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! sources {
        ($($theme:ident),*) => {
            [$((stringify!($theme), include_str!(concat!(stringify!($theme), ".rs")))),*]
        };
    }

    #[test]
    fn every_clause_that_is_written_is_listed() {
        let sources = sources![
            clocks, commits, creation, durability, endings, feed, limits, listening, loading,
            privilege, registry, remembered, renewal, sweeping, users, values
        ];
        let listed: Vec<_> =
            [CLAUSES, DURABLE_CLAUSES, FEED_CLAUSES, DURABLE_FEED_CLAUSES, LISTENING_CLAUSES]
                .concat();

        for (theme, source) in sources {
            let functions = source.lines().filter_map(|line| line.strip_prefix("pub fn "));
            let mut written: Vec<_> =
                functions.filter_map(|line| line.split_once('(')).map(|(name, _)| name).collect();
            let here = listed.iter().filter(|clause| clause.theme == theme);
            let mut named: Vec<_> = here.map(|clause| clause.name).collect();
            written.sort_unstable();
            named.sort_unstable();
            assert_eq!(written, named, "the clauses of {theme}");
        }
    }
}
