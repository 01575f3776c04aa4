#pragma once

/* Inside daemon/store/ only: the store's parts. What touches the file holds `writing`; what is in
 * memory is guarded by `reading`, which is never held over disk access. */

#include "daemon/store/sql.h"
#include "daemon/store/store.h"

#include <pthread.h>

struct store {
        char *path, *guard_lock;
        pthread_mutex_t writing;
        sqlite3 *db;

        pthread_mutex_t reading;
        struct snapshot_record *snapshots; /* ordered by number */
        size_t n_snapshots;
        struct set_record **sets;
        size_t n_sets;
        struct area_record *areas;
        size_t n_areas;
        VSS_ID *hidden; /* of those, what readers are not shown */
        size_t n_hidden;
};

/* _cleanup_ form of a locked mutex. */
static inline pthread_mutex_t *lock(pthread_mutex_t *m) {
        (void)pthread_mutex_lock(m);
        return m;
}
static inline void unlockp(pthread_mutex_t **m) {
        if (*m)
                (void)pthread_mutex_unlock(*m);
}
#define WITH_LOCK(m) _cleanup_(unlockp) pthread_mutex_t *lock_ _unused_ = lock(m)

int store_out_of_memory(struct vss_error *reterr);
int store_corrupt(struct store *s, const char *why, struct vss_error *reterr);
int store_not_found(const char *what, const char *id, struct vss_error *reterr);
/* Inside the caller's lock and, if it has one, transaction. */
int store_intent_delete(struct store *s, int64_t id, struct vss_error *reterr);

/* The sets' half of a transaction under `writing`. */
int store_set_insert(struct store *s, const struct set_record *record, struct vss_error *reterr);
/* The row of a set that has no snapshot left. */
int store_set_delete_empty(struct store *s, VSS_ID id, struct vss_error *reterr);

/* Memory. A set is prepared before the commit, so that showing it cannot fail; record NULL: nothing
 * happens. show and drop: under `reading`. */
int store_set_prepare(struct store *s, const struct set_record *record, struct set_record **ret,
                      struct vss_error *reterr);
void store_set_show(struct store *s, struct set_record *record);
void store_set_drop_empty(struct store *s, VSS_ID id);
int store_sets_load(struct store *s, struct vss_error *reterr);
void store_sets_forget(struct store *s);
int store_areas_load(struct store *s, struct vss_error *reterr);
void store_areas_forget(struct store *s);
struct set_record *set_record_free(struct set_record *r);
DEFINE_CLEANUP(struct set_record, set_record_free);
