/* See volume-hold.h. The list is short: what is in it has waited since the start. */

#include "daemon/providers/volume-hold.h"
#include "common/vss-id.h"
#include "daemon/providers/lvm-name.h"
#include <pthread.h>

/* Of an LVM volume's UUID: its group's part. */
#define GROUP_LENGTH (strlen(LVM_UUID_PREFIX) + LVM_UUID_LENGTH)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct hold {
        struct hold *next;
        char dm_uuid[];
} * holds;

bool volume_hold_is_same(const char *dm_uuid, const char *other) {
        const char *a = str_or_empty(dm_uuid), *b = str_or_empty(other);

        if (strncmp(a, LVM_UUID_PREFIX, strlen(LVM_UUID_PREFIX)) == 0)
                return strncmp(a, b, GROUP_LENGTH) == 0;
        return streq(a, b);
}

int volume_hold_add(const char *dm_uuid) {
        const char *text = str_or_empty(dm_uuid);
        struct hold *h = calloc(1, sizeof(*h) + strlen(text) + 1);

        if (!h)
                return -ENOMEM;
        strcpy(h->dm_uuid, text);
        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        h->next = holds;
        holds = h;
        (void)pthread_mutex_unlock(&mutex);
        return 0;
}

void volume_hold_remove(const char *dm_uuid) {
        (void)pthread_mutex_lock(&mutex);
        for (struct hold **h = &holds; *h; h = &(*h)->next)
                if (streq((*h)->dm_uuid, str_or_empty(dm_uuid))) {
                        struct hold *gone = *h;

                        *h = gone->next;
                        free(gone);
                        break;
                }
        (void)pthread_mutex_unlock(&mutex);
}

bool volume_is_held(const char *dm_uuid) {
        bool held = false;

        (void)pthread_mutex_lock(&mutex);
        for (const struct hold *h = holds; h && !held; h = h->next)
                held = volume_hold_is_same(h->dm_uuid, dm_uuid);
        (void)pthread_mutex_unlock(&mutex);
        return held;
}

static struct revert {
        struct revert *next;
        VSS_ID snapshot;
        char dm_uuid[];
} * reverts;

/* With the lock held. */
static struct revert **find_revert(VSS_ID snapshot) {
        struct revert **r = &reverts;

        while (*r && !vss_id_equal((*r)->snapshot, snapshot))
                r = &(*r)->next;
        return r;
}

int volume_revert_add(const char *dm_uuid, VSS_ID snapshot) {
        const char *text = str_or_empty(dm_uuid);
        struct revert *added = calloc(1, sizeof(*added) + strlen(text) + 1);
        struct revert **at;

        if (!added)
                return -ENOMEM;
        strcpy(added->dm_uuid, text);
        added->snapshot = snapshot;
        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        at = find_revert(snapshot);
        if (!*at) {
                *at = added;
                added = NULL;
        }
        (void)pthread_mutex_unlock(&mutex);
        free(added);
        return 0;
}

void volume_revert_remove(VSS_ID snapshot) {
        struct revert **at, *gone;

        (void)pthread_mutex_lock(&mutex);
        at = find_revert(snapshot);
        gone = *at;
        if (gone)
                *at = gone->next;
        (void)pthread_mutex_unlock(&mutex);
        free(gone);
}

bool volume_is_reverting(const char *dm_uuid, VSS_ID *ret) {
        const struct revert *r;

        (void)pthread_mutex_lock(&mutex);
        r = reverts;
        while (r && !streq(r->dm_uuid, str_or_empty(dm_uuid)))
                r = r->next;
        if (r && ret)
                *ret = r->snapshot;
        (void)pthread_mutex_unlock(&mutex);
        return r;
}

bool volume_any_is_reverting(void) {
        bool any;

        (void)pthread_mutex_lock(&mutex);
        any = reverts;
        (void)pthread_mutex_unlock(&mutex);
        return any;
}

int volume_hold_check(const char *dm_uuid, const char *name, struct vss_error *reterr) {
        VSS_ID snapshot;

        if (!str_empty(dm_uuid) && volume_is_reverting(dm_uuid, &snapshot))
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "%s is being reverted to its copy %s; wait for the end of it "
                                     "(vssctl revert --status)",
                                     name, VSS_ID_TEXT(snapshot));
        if (!volume_is_held(dm_uuid))
                return 0;
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                             "%s: what an earlier run of the service left there is still being put "
                             "right, because the storage takes its time or does not answer (the "
                             "service's log has more); try again when it does",
                             name);
}
