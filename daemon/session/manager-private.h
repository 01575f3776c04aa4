#pragma once

/* Inside daemon/session/ only: what the machine has one of. */

#include "daemon/session/session.h"

struct area_watch;
struct reverts;
struct recovery;
struct upkeep;

struct session_manager {
        sd_event *event;
        struct store *store;
        struct writer_registry *writers;
        struct session_config config;

        struct session *sessions; /* all, also those that are being wound up */
        unsigned n_sessions;
        sd_event_source *trim_turn; /* the last of them went: what was free is given back */
        uint64_t last_number;
        struct session *builder; /* holds the one creation; NULL: nobody */
        unsigned n_adoptions;    /* volumes being adopted or released: no creation meanwhile */
        unsigned n_leaving;      /* providers being unregistered: likewise */

        unsigned n_inquiries;                   /* under way */
        struct upkeep *upkeeps, **upkeeps_tail; /* waiting; the first is running: upkeep.h */

        struct recovery *recovery; /* of the start; NULL: it is over */

        sd_event_source *expiry;
        bool expiry_pending;        /* a snapshot has an end to come */
        unsigned n_expiring;        /* deletions of expired snapshots under way */
        uint64_t expiry_pause_usec; /* one failed: no other try before, on the wall clock */

        struct area_watch *areas;
        struct reverts *reverts; /* under way */
        unsigned n_reversions;   /* being begun: meanwhile no set is */

        snapshot_changed_fn changed;
        void *userdata;
        area_changed_fn area_changed;
        void *area_userdata;
};

/* The machine's one creation: 0, or VSS_E_SNAPSHOT_SET_IN_PROGRESS naming who has it. */
int manager_claim_creation(struct session_manager *m, struct session *s, struct vss_error *reterr);
/* Nothing happens if it is not his. */
void manager_release_creation(struct session_manager *m, const struct session *s);

void manager_tell(struct session_manager *m, const struct snapshot_record *r,
                  enum snapshot_change change);
/* After every change of what is there: sets the timer to the next expiry. */
void manager_arm_expiry(struct session_manager *m);
/* A set that was to go with its requester could not: it is tried again, as the expired are. */
void manager_delete_later(struct session_manager *m);

/* Deletions, exposures and breaks wait for each other (upkeep.h). done() as of
 * session_delete_snapshots(). session may be NULL. */
int manager_delete(struct session_manager *m, struct session *session, VSS_ID id,
                   VSS_OBJECT_TYPE type, bool force, session_done_fn done, void *userdata,
                   struct vss_error *reterr);
/* Snapshots of a set. */
struct snapshot_choice {
        VSS_ID set_id;
        const VSS_ID *ids; /* these; NULL: all that there are */
        size_t n;
};

/* What is to go with its requester: from here on nobody is shown it, though its deletion takes a
 * while. Those that cannot be deleted are shown again. */
void manager_hide_set(struct session_manager *m, const struct snapshot_choice *which);
int manager_delete_hidden(struct session_manager *m, const struct snapshot_choice *which,
                          session_done_fn done, void *userdata, struct vss_error *reterr);
/* Deletes one; for workers and for start-up. */
int snapshot_delete(struct store *store, const struct snapshot_record *r, bool force,
                    struct vss_error *reterr);
/* Whether it is anybody's business to delete it; and nobody reads it from here on. Idempotent. */
int snapshot_put_away(const struct provider *p, const struct snapshot_record *r, bool force,
                      struct vss_error *reterr);
/* What was unmounted to go, and is still there: readable again, and exposed. */
void snapshot_put_back(const struct snapshot_record *r);

/* --- exposure.c --- */
/* done() as of session_expose_snapshot(); session may be NULL. */
int manager_expose(struct session_manager *m, struct session *session,
                   const struct exposure_request *request, session_done_fn done, void *userdata,
                   struct vss_error *reterr);
int manager_unexpose(struct session_manager *m, struct session *session, VSS_ID id,
                     session_done_fn done, void *userdata, struct vss_error *reterr);
/* For workers and for start-up, of a snapshot that may be exposed or not; the log says what cannot
 * be done. What is missing of it comes back; it ends, though the record still has it. */
void exposure_again(const struct snapshot_record *r);
void exposure_end(const struct snapshot_record *r);
/* An intent of ours, the volume that it is about (as a provider's origins()), and undoing it. */
bool exposure_has_intent(const struct intent_record *intent);
int exposure_origins(struct store *store, const struct intent_record *intent, char ***uuids,
                     char ***names, struct vss_error *reterr);
int exposure_recover(struct store *store, const struct intent_record *intent,
                     struct vss_error *reterr);

/* --- revert.c --- */
/* See reverts_take_state_back(). */
int manager_refuse_before_boot(struct vss_error *reterr, HRESULT hr);
/* For a worker whose turn in the queue it is (upkeep.h): the same, if it is so by what is noted. */
int revert_check_before_boot(struct store *store, HRESULT hr, struct vss_error *reterr);

/* --- revert-steps.c: at the start, of intents --- */
/* The volume is as it was, or as it is to be, or it goes on: the intent is closed, or stays open
 * and reverts_load() finds it. */
int revert_recover(struct store *store, const struct intent_record *intent,
                   struct vss_error *reterr);
/* As a provider's rescue(), of its one volume. */
int revert_rescue(const struct intent_record *intent, struct vss_error *reterr);
/* As a provider's origins(). */
int revert_origins(const struct intent_record *intent, char ***uuids, char ***names,
                   struct vss_error *reterr);
/* Another's intent, of making a copy to which its volume is being reverted: it becomes one of a
 * revert, and is closed: 1. */
int revert_find(struct store *store, const struct intent_record *intent, struct vss_error *reterr);
