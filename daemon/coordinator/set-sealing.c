/* The last step of a set's storage: what was reached is judged, the copies become read-only, and
 * the set is written down in one transaction with the ends of its intents. */

#include "common/time-util.h"
#include "daemon/coordinator/consistency.h"
#include "daemon/coordinator/set-storage-private.h"
#include "daemon/coordinator/set-writers.h"
#include "daemon/providers/provider-error.h"
#include "daemon/store/set-steps.h"

static int seal_copy(struct set_storage *s, size_t i, struct vss_error *reterr) {
        return storage_table()->mount_seal(&s->records[i], reterr);
}

/* volumes: in the order of the request. */
static int set_storage_judge_volumes(struct set_storage *s,
                                     const struct consistency_volume *volumes) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n; i++) {
                struct snapshot_record *record = &s->records[s->index[i]];
                const char *level = "";

                free(TAKE_PTR(record->consistency_reason));
                free(TAKE_PTR(record->writers));
                r = consistency_of_volume(s->writers, s->request->context, volumes, s->n, i, &level,
                                          &record->consistency_reason);
                if (r >= 0)
                        r = str_replace(&record->consistency, level);
                if (r >= 0)
                        r = set_writers_describe(s->writers, i, &record->writers);
        }
        return r;
}

/* The provider that has made the copy at an instant of its own; NULL: the window has. */
static const char *set_storage_made_beside(const struct set_storage *s, size_t i) {
        const struct group *g = set_storage_group_of(s, i);

        return g->provider->commit ? g->provider->name : NULL;
}

/* What was reached, on each volume and by each writer. */
static int set_storage_judge(struct set_storage *s) {
        _cleanup_(freep) struct consistency_volume *volumes = calloc(s->n + 1, sizeof(*volumes));
        _cleanup_(freep) const struct volume **bare = calloc(s->n + 1, sizeof(struct volume *));
        int r;

        if (!volumes || !bare)
                return -ENOMEM;
        for (size_t i = 0; i < s->n; i++) {
                bare[i] = s->volumes[s->index[i]];
                volumes[i] = (struct consistency_volume){
                        .volume = bare[i],
                        .mounted = s->mounted[s->index[i]],
                        .beside = set_storage_made_beside(s, s->index[i]),
                        .is_own_kind = bare[i]->has_no_block_copy,
                };
        }
        r = set_writers_locate(s->writers, bare, s->n);
        if (r >= 0)
                r = set_storage_judge_volumes(s, volumes);
        free(TAKE_PTR(s->made.writers));
        if (r >= 0)
                r = consistency_of_writers(s->writers, volumes, s->n, &s->made.writers);
        return r;
}

/* Another host is to find them: nobody reads them here from now on. */
static int set_storage_hand_over(struct set_storage *s, struct vss_error *reterr) {
        int r;

        for (size_t i = 0; i < s->n; i++) {
                if (!s->mounted[i])
                        continue;
                r = storage_table()->unmount(&s->records[i], false, reterr);
                if (r < 0)
                        return r;
                s->mounted[i] = false;
        }
        for (size_t i = 0; i < s->n_groups; i++) {
                struct group *g = &s->groups[i];
                uint64_t begin_usec = now_monotonic_usec();

                if (!g->provider->hand_over) /* its probe() has refused, or it is wrong */
                        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                             "The provider %s makes no transportable copies",
                                             g->provider->name);
                r = g->provider->hand_over(&s->records[g->first], g->n, reterr);
                set_storage_note_provider(s, g, "HandOver", begin_usec, r);
                if (r < 0)
                        return provider_error_check(g->provider, "hand_over", r, reterr);
        }
        return 0;
}

/* Everything that makes the copies final, short of the commit. */
static int set_storage_seal_copies(struct set_storage *s, struct vss_error *reterr) {
        uint64_t begin_usec;
        int r;

        r = set_storage_judge(s);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Finding the writers of each volume");
        for (size_t i = 0; i < s->n; i++)
                s->records[i].state = VSS_SS_CREATED;
        r = set_storage_each_copy(s, NULL, "Seal", seal_copy, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < s->n_groups; i++) {
                struct group *g = &s->groups[i];

                begin_usec = now_monotonic_usec();
                r = g->provider->seal(g->set, reterr);
                set_storage_note_provider(s, g, "Seal", begin_usec, r);
                if (r < 0)
                        return provider_error_check(g->provider, "seal", r, reterr);
        }
        return s->request->context & VSS_VOLSNAP_ATTR_TRANSPORTABLE
                       ? set_storage_hand_over(s, reterr)
                       : 0;
}

/* How the set was made: all but the commit, which writes it down. */
static int set_storage_describe_making(struct set_storage *s, uint64_t seal_usec) {
        const uint64_t origin_usec = set_steps_origin(s->steps);
        char *text;
        int r;

        s->made.id = s->request->set_id;
        s->made.window_usec = set_storage_window_usec(s);
        r = str_format(&text, "%s%sSeal %llu %llu", str_or_empty(s->made.timeline),
                       str_empty(s->made.timeline) ? "" : ";",
                       (unsigned long long)(seal_usec - origin_usec),
                       (unsigned long long)(now_monotonic_usec() - origin_usec));
        if (r < 0)
                return r;
        free(s->made.timeline);
        s->made.timeline = text;
        free(TAKE_PTR(s->made.steps));
        return set_steps_print(s->steps, &s->made.steps);
}

static int set_storage_intents(const struct set_storage *s, int64_t **ret, size_t *ret_n) {
        _cleanup_(freep) int64_t *all = NULL;
        size_t n_all = 0;

        for (size_t i = 0; i < s->n_groups; i++) {
                const int64_t *ids = NULL;
                size_t n = s->groups[i].provider->intents(s->groups[i].set, &ids);
                int64_t *grown;

                if (n == 0)
                        continue;
                grown = reallocarray(all, n_all + n, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                all = grown;
                memcpy(all + n_all, ids, n * sizeof(*ids));
                n_all += n;
        }
        *ret = TAKE_PTR(all);
        *ret_n = n_all;
        return 0;
}

static void set_storage_release(struct set_storage *s) {
        for (size_t i = 0; i < s->n_groups; i++)
                s->groups[i].provider->release(TAKE_PTR(s->groups[i].set));
}

/* After the commit: the order of the providers becomes the order of the request. */
static void set_storage_restore_order(struct set_storage *s, struct snapshot_record *scratch) {
        for (size_t i = 0; i < s->n; i++)
                scratch[i] = s->records[s->index[i]];
        free(s->records);
        s->records = scratch;
        for (size_t i = 0; i < s->n; i++)
                s->index[i] = i;
}

int set_storage_seal(struct job *job, void *userdata, struct vss_error *reterr) {
        struct set_storage *s = userdata;
        _cleanup_(freep) struct snapshot_record *scratch = NULL;
        _cleanup_(freep) int64_t *intents = NULL;
        const uint64_t begin_usec = now_monotonic_usec();
        size_t n_intents = 0;
        int r;

        r = set_storage_seal_copies(s, reterr);
        if (r < 0)
                return r;
        r = set_storage_intents(s, &intents, &n_intents);
        scratch = calloc(s->n > 0 ? s->n : 1, sizeof(*scratch));
        if (r >= 0)
                r = set_storage_describe_making(s, begin_usec);
        if (r < 0 || !scratch)
                return vss_error_from_errno(reterr, -ENOMEM, "Committing the set");
        if (job_is_cancelled(job))
                return -ECANCELED;

        s->commit.begin_usec = now_monotonic_usec();
        r = store_set_commit(s->request->store, &s->made, s->records, s->n, intents, n_intents,
                             reterr);
        s->commit.end_usec = now_monotonic_usec();
        if (r < 0)
                return r;
        set_storage_release(s);
        set_storage_restore_order(s, TAKE_PTR(scratch));
        return 0;
}
