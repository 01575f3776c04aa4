/* See client-limit.h. Stateless: what there is of a volume the store knows. */

#include "daemon/session/client-limit.h"

#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/session/volume-facts.h"

static bool is_for_clients(const struct snapshot_record *r) {
        return r->context & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE;
}

static void on_deleted(void *userdata _unused_, int r, const void *result _unused_,
                       struct vss_error *error) {
        /* Somebody else, or an earlier set, was quicker. */
        if (r < 0 && error->hr != VSS_E_OBJECT_NOT_FOUND)
                log_failure(LOG_WARNING, error,
                            "A client-accessible snapshot that was to make place for a newer one "
                            "stays: %s",
                            str_or_empty(error->message));
}

/* In use or not, as where room is wanted: there is always a client that looks at one. */
static void delete_oldest(struct session_manager *m, const struct snapshot_record *r, unsigned n) {
        struct vss_error error = { 0 };

        log_full(LOG_NOTICE,
                 (&(const struct log_fields){ .set_id = &r->set_id, .snapshot_id = &r->id }),
                 "Snapshot %s of %s is deleted: it is the oldest of %u client-accessible ones, and "
                 "%u are the most (ClientSnapshots)",
                 VSS_ID_TEXT(r->id), str_or_empty(r->volume), n, m->config.max_client_snapshots);
        if (manager_delete(m, NULL, r->id, VSS_OBJECT_SNAPSHOT, true, on_deleted, NULL, &error) < 0)
                on_deleted(NULL, -EAGAIN, NULL, &error);
        vss_error_done(&error);
}

/* all: by age. */
static void apply_to_volume(struct session_manager *m, const struct snapshot_record *made,
                            const struct snapshot_record *all, size_t n_all) {
        unsigned n = 0;

        for (size_t i = 0; i < n_all; i++)
                n += is_for_clients(&all[i]) && snapshots_have_one_origin(&all[i], made);
        for (size_t i = 0; i < n_all && n > m->config.max_client_snapshots; i++)
                if (is_for_clients(&all[i]) && snapshots_have_one_origin(&all[i], made))
                        delete_oldest(m, &all[i], n--);
}

void client_limit_apply(struct session_manager *m, const struct snapshot_record *records,
                        size_t n) {
        struct snapshot_record *all = NULL;
        struct vss_error error = { 0 };
        size_t n_all = 0;

        if (n == 0 || !is_for_clients(records)) /* a set has one context */
                return;
        if (store_snapshot_list(m->store, GUID_NULL, &all, &n_all, &error) < 0)
                log_failure(LOG_WARNING, &error, "Client-accessible snapshots are not counted: %s",
                            str_or_empty(error.message));
        for (size_t i = 0; i < n; i++)
                apply_to_volume(m, &records[i], all, n_all);
        snapshot_records_free(all, n_all);
        vss_error_done(&error);
}
