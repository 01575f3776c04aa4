#pragma once

/* What the tests of the window and of its guard share, over the fake device-mapper. */

#include "fake-dm-kernel.h"

#define LONG_USEC (10 * USEC_PER_SEC)
#define SHORT_USEC (200 * USEC_PER_MSEC)

static inline void prepare(struct window *w) {
        struct vss_error error = { 0 };

        ck_assert_msg(window_prepare(w, &error) == 0, "%s", error.message);
}

static inline void assert_no_children_left(void) {
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
}

/* The guard of a daemon that died, and its helpers, all ours now: that they end. */
static inline void reap_orphans(void) {
        unsigned n = 0;

        while (waitpid(-1, NULL, 0) > 0)
                n++;
        ck_assert_uint_gt(n, 0);
        assert_no_children_left();
}

/* Runs the window and expects it to fail so. */
static inline void assert_run_fails(struct window *w, HRESULT hr, const char *word) {
        struct window_result result = { .start_usec = 1234 };
        struct vss_error error = { 0 };

        ck_assert_int_lt(window_run(w, &result, &error), 0);
        ck_assert_msg(error.hr == hr, "%#x: %s", (unsigned)error.hr, error.message);
        ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
        ck_assert_uint_eq(result.start_usec, 1234);
        vss_error_done(&error);
}

static inline void init_others(size_t n, bool work) {
        fake_init(n);
        fake->has_others = true;
        fake->others_work = work;
        for (size_t i = 0; i < n; i++) {
                atomic_store(&fake->origins[i].other_live_table, work);
                atomic_store(&fake->origins[i].other_inactive_table, !work);
        }
}

static inline void guard_lock_make(char path[static 32]) {
        strcpy(path, "/tmp/test-window-XXXXXX");
        ck_assert_int_eq(close(mkstemp(path)), 0);
        fake_guard_lock = path;
}

/* A window's guard. */
static _unused_ pid_t only_child(void) {
        char path[64], line[64] = "";
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
        f = fopen(path, "re");
        if (!f)
                return -1; /* a kernel without it */
        if (!fgets(line, sizeof(line), f))
                line[0] = '\0';
        (void)fclose(f);
        return (pid_t)atoi(line);
}
