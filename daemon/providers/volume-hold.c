/* See volume-hold.h. The list is short: what is in it has waited since the start. */

#include "daemon/providers/volume-hold.h"
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

int volume_hold_check(const char *dm_uuid, const char *name, struct vss_error *reterr) {
        if (!volume_is_held(dm_uuid))
                return 0;
        return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                             "%s: what an earlier run of the service left there is still being put "
                             "right, because the storage takes its time or does not answer (the "
                             "service's log has more); try again when it does",
                             name);
}
