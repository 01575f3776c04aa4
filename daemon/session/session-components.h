#pragma once

/* Inside daemon/session/ only: what the methods that name a component share, and those of a restore
 * that have rules of their own. */

#include "daemon/session/session-private.h"

/* Gathered, running or not. */
bool session_find_participant(const struct session *s, VSS_ID instance_id,
                              struct participant_info *ret);
/* The running writer that stands for the one that a component came from: of the gathered instances
 * of its class the one of the same name, or the only one. Instance ids change with each start. */
bool session_find_same(const struct session *s, const struct backup_component_key *key,
                       const struct backup_component *c, struct participant_info *ret);
/* The running writer that it goes to: the one that it was selected for, else that. */
bool session_find_live(const struct session *s, const struct backup_component_key *key,
                       const struct backup_component *c, struct participant_info *ret);

int refuse_component(const char *method, const struct backup_component_key *key,
                     struct vss_error *reterr);
int refuse_writer(const char *method, const struct backup_component_key *key,
                  struct vss_error *reterr);

typedef int component_apply_fn(struct session *s, const struct component_args *a,
                               struct backup_component *c, struct vss_error *reterr);
component_apply_fn restore_select, restore_set_options, restore_add_mapping,
        restore_add_subcomponent, restore_set_status, restore_add_target, restore_set_ranges,
        restore_set_roll_forward, restore_check_name;
