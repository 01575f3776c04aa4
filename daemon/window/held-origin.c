/* See held-origin.h. */

#include "daemon/window/held-origin.h"
#include "common/time-util.h"
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct held_origin *held;

void held_origin_add(struct held_origin *h, dev_t device) {
        h->device = device;
        h->since_usec = now_monotonic_usec();
        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        h->next = held;
        held = h;
        (void)pthread_mutex_unlock(&mutex); /* as above */
}

void held_origin_remove(struct held_origin *h) {
        struct held_origin **p;

        (void)pthread_mutex_lock(&mutex); /* as above */
        p = &held;
        while (*p != h)
                p = &(*p)->next;
        *p = h->next;
        (void)pthread_mutex_unlock(&mutex); /* as above */
}

bool held_origin_find(dev_t device, uint64_t *ret_since_usec) {
        const struct held_origin *h;

        (void)pthread_mutex_lock(&mutex); /* as above */
        for (h = held; h && h->device != device; h = h->next)
                ;
        if (h)
                *ret_since_usec = h->since_usec;
        (void)pthread_mutex_unlock(&mutex); /* as above */
        return h != NULL;
}
