/* See foreign.h. */

#include "daemon/providers/foreign.h"
#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/foreign-copies.h"
#include "daemon/providers/provider.h"
#include <pthread.h>
#include <stdatomic.h>

#define NAME_MAX_BYTES 32
#define TEXT_MAX_BYTES 256
#define LIMIT_USEC (180 * USEC_PER_SEC)

struct foreign {
        struct provider provider;
        struct provider_record record;
        _Atomic uint64_t mute_usec; /* until then it is not asked about volumes and copies */
        bool has_turn;              /* somebody has; under `turns` */
        struct foreign *next;
};

static const struct foreign_transport *transport;
static foreign_unmount_fn unmount;
static uint64_t limit = LIMIT_USEC;

/* Nobody who has it waits for anything. */
static pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_over = PTHREAD_COND_INITIALIZER;

/* All that were ever registered. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct foreign *all;

void foreign_init(const struct foreign_transport *table, foreign_unmount_fn unmount_copy,
                  uint64_t limit_usec) {
        transport = table;
        unmount = unmount_copy;
        limit = limit_usec;
}

const struct foreign_transport *foreign_transport(void) {
        return transport;
}

foreign_unmount_fn foreign_unmount(void) {
        return unmount;
}

uint64_t foreign_limit_usec(void) {
        return limit;
}

const struct provider_record *foreign_record(const struct foreign *f) {
        return &f->record;
}

const struct provider *foreign_provider(const struct foreign *f) {
        return &f->provider;
}

void foreign_set_mute(struct foreign *f, uint64_t until_usec) {
        atomic_store(&f->mute_usec, until_usec);
}

bool foreign_is_mute(const struct foreign *f) {
        return now_monotonic_usec() < atomic_load(&f->mute_usec);
}

int foreign_turn_begin(struct foreign *f, uint64_t timeout_usec) {
        const uint64_t end_usec = now_monotonic_usec() + timeout_usec;
        const struct timespec end = {
                .tv_sec = (time_t)(end_usec / USEC_PER_SEC),
                .tv_nsec = (long)(end_usec % USEC_PER_SEC) * 1000L,
        };
        int r = 0;

        (void)pthread_mutex_lock(&turns); /* a plain mutex of ours */
        while (f->has_turn && r == 0)
                r = pthread_cond_clockwait(&turn_over, &turns, CLOCK_MONOTONIC, &end);
        r = f->has_turn ? -EBUSY : 0;
        f->has_turn = true;
        (void)pthread_mutex_unlock(&turns);
        return r;
}

void foreign_turn_end(struct foreign *f) {
        (void)pthread_mutex_lock(&turns); /* as above */
        f->has_turn = false;
        (void)pthread_cond_broadcast(&turn_over);
        (void)pthread_mutex_unlock(&turns);
}

struct foreign *foreign_by_name(const char *name) {
        const struct provider *p = provider_by_name(name);

        return p ? p->foreign : NULL;
}

static struct foreign *foreign_free(struct foreign *f) {
        provider_record_done(&f->record);
        free(f);
        return NULL;
}
DEFINE_CLEANUP(struct foreign, foreign_free);

/* The strings of its struct provider are those of its record. */
static int foreign_new(struct foreign **ret, const struct provider_record *r) {
        _cleanup_(foreign_freep) struct foreign *f = calloc(1, sizeof(*f));

        if (!f || provider_record_copy(&f->record, r) < 0)
                return -ENOMEM;
        f->provider = foreign_copies;
        f->provider.name = f->record.name;
        f->provider.display_name = f->record.display_name;
        f->provider.version = f->record.version;
        f->provider.id = f->record.id;
        f->provider.version_id = f->record.version_id;
        f->provider.type = VSS_PROV_SOFTWARE;
        f->provider.priority = (unsigned)f->record.priority;
        f->provider.foreign = f;
        *ret = TAKE_PTR(f);
        return 0;
}

/* Under the mutex. */
static int foreign_add(const struct provider_record *r) {
        _cleanup_(foreign_freep) struct foreign *f = NULL;
        int k;

        k = foreign_new(&f, r);
        if (k >= 0)
                k = providers_add(&f->provider);
        if (k < 0)
                return k;
        f->next = all;
        all = TAKE_PTR(f);
        return 0;
}

static bool is_name(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static bool is_text(const char *text) {
        size_t n = strlen(text);

        for (const char *c = text; *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        return false;
        return n > 0 && n <= TEXT_MAX_BYTES;
}

/* What is noted in the store under a provider's name is looked for by it. */
static bool is_reserved(const struct provider_record *r) {
        static const char *const names[] = { "exposure", "import", "revert", "vssd" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i], r->name))
                        return true;
        return provider_id_is_alias(r->id);
}

int foreign_check(const struct provider_record *r, struct vss_error *reterr) {
        unsigned n = 0;

        if (vss_id_is_null(r->id))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "A provider needs an id, which stays the same over its "
                                     "versions");
        if (!is_name(r->name))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "The name of a provider is up to %d small letters, digits and "
                                     "'-', and begins with a letter",
                                     NAME_MAX_BYTES);
        if (!is_text(r->display_name) || !is_text(r->version))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "The display name and the version of a provider are up to %d "
                                     "bytes of text each",
                                     TEXT_MAX_BYTES);
        if (is_reserved(r))
                return vss_error_set(reterr, VSS_E_PROVIDER_ALREADY_REGISTERED, EEXIST,
                                     "The name %s, or the id, is the service's own; choose another",
                                     r->name);
        for (const struct provider *const *p = providers_all(); *p; p++) {
                if (vss_id_equal((*p)->id, r->id) || streq((*p)->name, r->name))
                        return vss_error_set(reterr, VSS_E_PROVIDER_ALREADY_REGISTERED, EEXIST,
                                             "There is a provider %s (%s) already; unregister it "
                                             "first",
                                             (*p)->name, VSS_ID_TEXT((*p)->id));
                n += (*p)->foreign != NULL;
        }
        if (n >= FOREIGN_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, ENOSPC,
                                     "There are %u providers of others; unregister one first", n);
        return 0;
}

void foreign_load(struct store *store) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct provider_record *records = NULL;
        size_t n = 0;

        if (store_provider_list(store, &records, &n, &error) < 0)
                log_failure(LOG_ERR, &error, "The providers of others are not there: %s",
                            str_or_empty(error.message));
        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        for (size_t i = 0; i < n; i++) {
                _cleanup_(vss_error_done) struct vss_error why = { 0 };

                if (foreign_check(&records[i], &why) >= 0 && foreign_add(&records[i]) < 0)
                        (void)vss_error_from_errno(&why, -ENOMEM, records[i].name);
                if (why.hr != S_OK)
                        log_failure(LOG_ERR, &why, "The provider %s is not there: %s",
                                    records[i].name, str_or_empty(why.message));
        }
        (void)pthread_mutex_unlock(&mutex);
        provider_records_free(records, n);
}

static int register_locked(struct store *store, const struct provider_record *r,
                           struct vss_error *reterr) {
        int k;

        k = foreign_check(r, reterr);
        if (k >= 0)
                k = store_provider_add(store, r, reterr);
        if (k < 0)
                return k;
        k = foreign_add(r);
        if (k < 0) {
                (void)store_provider_delete(store, r->id, NULL); /* else the next start has it */
                return vss_error_from_errno(reterr, k, r->name);
        }
        return 0;
}

int foreign_register(struct store *store, const struct provider_record *r,
                     struct vss_error *reterr) {
        int k;

        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        k = register_locked(store, r, reterr);
        (void)pthread_mutex_unlock(&mutex);
        if (k >= 0)
                log_notice("The provider %s (%s, %s at %s) was registered", r->name,
                           VSS_ID_TEXT(r->id), r->version, r->bus_name);
        return k;
}

static int unregister_locked(struct store *store, VSS_ID id, struct vss_error *reterr) {
        const struct provider *p = provider_by_id(id);
        int k;

        if (!p || !p->foreign || !vss_id_equal(p->id, id))
                return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, ENOENT,
                                     p ? "The provider %s is a part of the service"
                                       : "There is no provider %s",
                                     p ? p->name : VSS_ID_TEXT(id));
        k = store_provider_delete(store, id, reterr);
        if (k < 0)
                return k;
        k = providers_remove(p);
        return k < 0 ? vss_error_from_errno(reterr, k, p->name) : 0;
}

int foreign_unregister(struct store *store, VSS_ID id, struct vss_error *reterr) {
        int k;

        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        k = unregister_locked(store, id, reterr);
        (void)pthread_mutex_unlock(&mutex);
        if (k >= 0)
                log_notice("The provider %s was unregistered", VSS_ID_TEXT(id));
        return k;
}
