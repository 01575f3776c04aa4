/* Memory that runs out when a test says so: SIGRTMIN with a number N (fake_memory_arm) makes the
 * N-th allocation of the daemon's own code from then on fail, once; 0 disarms. libdbus' and the
 * other libraries' allocations are not touched. The signal is one that queues: of two that come
 * before the daemon had a turn, another kind would keep the first, and the second is what the test
 * wants.
 */

#include "tests/bus/fake-memory.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* What --wrap calls, and what it has hidden. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *format, va_list ap)
        __attribute__((__format__(__printf__, 2, 0)));
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
int __real_vasprintf(char **ret, const char *format, va_list ap)
        __attribute__((__format__(__printf__, 2, 0)));

static atomic_int left;

static void on_signal(int signal, siginfo_t *info, void *context) {
        (void)signal;
        (void)context;
        atomic_store(&left, info->si_value.sival_int);
}

void fake_memory_init(void) {
        struct sigaction action = { .sa_sigaction = on_signal,
                                    .sa_flags = SA_SIGINFO | SA_RESTART };

        (void)sigaction(SIGRTMIN, &action, NULL); /* a known signal and a valid handler */
}

static int fails(void) {
        int n = atomic_load(&left);

        while (n > 0)
                if (atomic_compare_exchange_weak(&left, &n, n - 1)) {
                        if (n > 1)
                                return 0;
                        errno = ENOMEM;
                        return 1;
                }
        return 0;
}

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

int __wrap_vasprintf(char **ret, const char *format, va_list ap) {
        return fails() ? -1 : __real_vasprintf(ret, format, ap);
}
