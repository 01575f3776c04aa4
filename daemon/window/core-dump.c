/* See core-dump.h. All it keeps is how many forbid it. (What else comes with it, that the files of
 * this process in /proc are root's, changes nothing for a service of root.) */

#include "daemon/window/core-dump.h"
#include "common/util.h"
#include <pthread.h>
#include <sys/prctl.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned n_forbid;
static bool was_allowed;

void core_dump_forbid(void) {
        (void)pthread_mutex_lock(&mutex); /* a plain mutex of ours */
        if (n_forbid++ == 0) {
                was_allowed = prctl(PR_GET_DUMPABLE) == 1;
                (void)prctl(PR_SET_DUMPABLE, 0); /* it knows no failure for this value */
        }
        (void)pthread_mutex_unlock(&mutex); /* as above */
}

void core_dump_allow(void) {
        (void)pthread_mutex_lock(&mutex); /* as above */
        assert(n_forbid > 0);
        if (--n_forbid == 0 && was_allowed)
                (void)prctl(PR_SET_DUMPABLE, 1); /* as above */
        (void)pthread_mutex_unlock(&mutex);      /* as above */
}
