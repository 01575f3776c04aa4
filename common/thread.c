/* See thread.h. Stateless. */

#include "common/thread.h"
#include <signal.h>

int thread_start(pthread_t *ret, size_t stack_bytes, void *(*run)(void *), void *userdata) {
        pthread_attr_t attributes;
        sigset_t all;
        int r;

        r = -pthread_attr_init(&attributes);
        if (r < 0)
                return r;
        (void)pthread_attr_setstacksize(&attributes, stack_bytes);
        (void)sigfillset(&all);
        r = -pthread_attr_setsigmask_np(&attributes, &all);
        if (r == 0)
                r = -pthread_create(ret, &attributes, run, userdata);
        (void)pthread_attr_destroy(&attributes);
        return r;
}

int thread_start_detached(size_t stack_bytes, void *(*run)(void *), void *userdata) {
        pthread_t thread;
        int r;

        r = thread_start(&thread, stack_bytes, run, userdata);
        if (r == 0)
                (void)pthread_detach(thread);
        return r;
}
