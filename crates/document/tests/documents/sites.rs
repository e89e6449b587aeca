//! Which cases share a site: making one takes longer than most of them.

mod names_and_values {
    crate::on_one_site!(
        crate::names::every_rule_gives_its_names,
        crate::names::names_that_are_none_are_refused,
        crate::model::changes_are_what_a_model_says,
        crate::values::every_type_comes_back,
        crate::values::any_values_come_back,
        crate::hostile::no_members_break_it,
    );
}

mod rules_and_races {
    crate::on_one_site!(
        crate::races::one_of_two_updates_of_a_known_state_wins,
        crate::races::updates_without_a_known_state_all_count,
        crate::races::one_of_several_has_a_unique_value,
        crate::races::series_have_no_gaps_and_no_twins,
        crate::races::a_link_and_a_removal_exclude_each_other,
        crate::races::the_first_values_of_a_single,
        crate::validation::each_rule_of_a_field_is_kept,
        crate::validation::links_lead_somewhere,
        crate::validation::unique_values_are_taken_once,
    );
}

mod saving_and_removing {
    crate::on_one_site!(
        crate::singles::a_single_is_read_and_changed,
        crate::save::members_come_in_frappes_order,
        crate::save::what_is_not_given_stays,
        crate::save::rows_are_matched_by_name,
        crate::save::secrets_are_kept_apart,
        crate::save::the_state_that_is_known_has_to_be_the_last,
        crate::permissions::owners_and_strangers,
        crate::permissions::levels_hide_and_keep_fields,
        crate::permissions::user_permissions_follow_links,
        crate::permissions::a_credential_reaches_so_far,
        crate::delete::nothing_is_left,
        crate::delete::what_is_linked_to_stays,
    );
}
