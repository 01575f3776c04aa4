/* The part of the start that cannot wait: every origin of an open intent that is still suspended is
 * resumed, on a thread of its own, before anything is done that could need what lies on one. */

#include "common/thread.h"
#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/providers/volume-hold.h"
#include "daemon/session/recovery-private.h"

#include <time.h>

/* In the order of the intents: two may be about one origin. */
static void *rescue_thread(void *p) {
        const struct rescue *s = p;
        const struct recovery *r = s->recovery;

        for (size_t i = 0; i < r->n; i++)
                if (strv_contains(r->left[i].uuids, s->uuid))
                        recovery_rescue_intent(r->left[i].intent, s->uuid, s->name);
        return NULL;
}

/* Each origin once. */
int recovery_find_rescues(struct recovery *r) {
        size_t room = 0;

        for (size_t i = 0; i < r->n; i++)
                room += strv_length(r->left[i].uuids);
        r->rescues = calloc(room > 0 ? room : 1, sizeof(*r->rescues));
        if (!r->rescues)
                return -ENOMEM;
        for (size_t i = 0; i < r->n; i++)
                for (size_t k = 0; r->left[i].uuids[k]; k++) {
                        const char *uuid = r->left[i].uuids[k];
                        bool known = false;

                        for (size_t other = 0; !known && other < r->n_rescues; other++)
                                known = streq(r->rescues[other].uuid, uuid);
                        if (!known)
                                r->rescues[r->n_rescues++] = (struct rescue){
                                        .recovery = r,
                                        .uuid = uuid,
                                        .name = r->left[i].names[k],
                                };
                }
        return 0;
}

void recovery_rescue(struct recovery *r, uint64_t timeout_usec) {
        const uint64_t end_usec = r->begin_usec + timeout_usec;
        const struct timespec end = { .tv_sec = (time_t)(end_usec / USEC_PER_SEC),
                                      .tv_nsec = (long)(end_usec % USEC_PER_SEC) * 1000 };

        for (size_t i = 0; i < r->n_rescues; i++) {
                struct rescue *s = &r->rescues[i];

                s->running = thread_start(&s->thread, THREAD_STACK_BYTES, rescue_thread, s) >= 0;
                if (!s->running)
                        (void)rescue_thread(s);
        }
        for (size_t i = 0; i < r->n_rescues; i++) {
                struct rescue *s = &r->rescues[i];

                if (!s->running)
                        continue;
                s->running = pthread_clockjoin_np(s->thread, NULL, CLOCK_MONOTONIC, &end) != 0;
                if (s->running)
                        log_error("%s may still be suspended: its resume has not ended after "
                                  "%llu s, as its storage may not answer. It goes on when that "
                                  "does ('dmsetup info -u %s' shows it)",
                                  s->name, (unsigned long long)(timeout_usec / USEC_PER_SEC),
                                  s->uuid);
        }
}

bool lane_await_rescues(struct lane *l) {
        bool late = false;

        for (size_t i = 0; i < l->recovery->n_rescues; i++) {
                struct rescue *s = &l->recovery->rescues[i];

                if (!lane_has(l, s->uuid) || !s->running) /* others are other lanes' */
                        continue;
                (void)pthread_join(s->thread, NULL);
                s->running = false;
                late = true;
        }
        return late;
}
