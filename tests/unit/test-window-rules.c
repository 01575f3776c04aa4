/* The rules inside the window, tested and not remembered: the window runs under a system-call
 * filter that kills, and with malloc and mmap of this program counting. For each there is a
 * control in which a request breaks the rule and is caught. */

#include "fake-dm-kernel.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* A sanitizer's own system calls and allocations cannot be told from ours. */
#ifdef SANITIZED
#define FILTERED false
#else
#define FILTERED true
#endif

#define LONG_USEC (10 * USEC_PER_SEC)
#define N_ORIGINS 8

/* Allocations since the first suspend; counting ends with the last resume. */
static _Atomic bool counting;
static _Atomic unsigned n_allocations;

#ifndef SANITIZED
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static void count(void) {
        if (atomic_load(&counting))
                atomic_fetch_add(&n_allocations, 1);
}

void *malloc(size_t size) {
        count();
        return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
        count();
        return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size) {
        count();
        return __libc_realloc(p, size);
}

void free(void *p) {
        count();
        __libc_free(p);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
        count();
        return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}
#endif

/* What the window may use, what its beginning (arming the guard) and the end of its threads add,
 * and what this test needs to report. */
static const unsigned allowed_calls[] = {
        /* The window itself. */
        SYS_ioctl,
        SYS_futex,
        SYS_clock_gettime,
        /* Arming the guard, before the first suspend, and no core dump until the last resume. */
        SYS_sendto,
        SYS_prctl,
        /* The threads' end, after the last resume. */
        SYS_exit,
        SYS_rt_sigprocmask,
        /* The fake kernel notes who resumes; the test reports. */
        SYS_getpid,
        SYS_exit_group,
};

static void install_filter(void) {
        struct sock_filter code[2 * ARRAY_SIZE(allowed_calls) + 8];
        struct sock_fprog program = { .filter = code };
        unsigned n = 0;

        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                 offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < ARRAY_SIZE(allowed_calls); i++) {
                code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                         allowed_calls[i], 0, 1);
                code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        }
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        program.len = (unsigned short)n;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
                _exit(100);
}

/* One of these is called inside every ioctl of the window. */
static void keep_the_rules(void) {
        (void)ioctl(-1, 0);
}

static void break_the_call_rule(void) {
        (void)syscall(SYS_getppid);
}

static void break_the_allocation_rule(void) {
        void *volatile p = malloc(10);

        free(p);
}

static _Atomic unsigned n_ioctls;

static int counting_ioctl(int fd, unsigned long command, struct dm_ioctl *arg) {
        bool suspend = command == DM_DEV_SUSPEND && arg->flags & DM_SUSPEND_FLAG;
        int r;

        if (suspend)
                atomic_store(&counting, true);
        r = fake_ioctl(fd, command, arg);
        atomic_fetch_add(&n_ioctls, 1);
        if (fake_nothing_suspended() && !suspend)
                atomic_store(&counting, false);
        return r;
}

/* In a child: window_run(), under the filter. Returns the child's wait status. */
static int run_in_child(void (*in_ioctl)(void), int suspend_error, bool filtered) {
        static struct dm_kernel kernel;
        int status;
        pid_t child;

        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                struct window_result result;
                struct window *w;
                int r;

                kernel = fake_kernel;
                kernel.ioctl = counting_ioctl;
                w = fake_window_over(&kernel, LONG_USEC, LONG_USEC);
                if (window_prepare(w, NULL) < 0)
                        _exit(103);
                fake->origins[N_ORIGINS - 1].suspend_error = suspend_error;
                fake->in_ioctl = in_ioctl;
                if (filtered)
                        install_filter();
                r = window_run(w, &result, NULL);
                fake->in_ioctl = NULL;
                if (!fake_nothing_suspended() || fake->too_early || atomic_load(&n_ioctls) < 2)
                        _exit(104);
                if (atomic_load(&n_allocations) != 0)
                        _exit(105);
                _exit(r == (suspend_error ? -suspend_error : 0) ? 0 : 106);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        return status;
}

START_TEST(the_window_keeps_the_rules) {
        int status;

        fake_init(N_ORIGINS);
        status = run_in_child(keep_the_rules, 0, FILTERED);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x",
                      (unsigned)status);
        for (size_t i = 0; i < N_ORIGINS; i++)
                ck_assert(fake->origins[i].committed);
}
END_TEST

START_TEST(the_way_back_keeps_the_rules) {
        int status;

        fake_init(N_ORIGINS);
        status = run_in_child(keep_the_rules, EIO, FILTERED);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x",
                      (unsigned)status);
}
END_TEST

START_TEST(the_filter_bites) {
        int status;

        fake_init(N_ORIGINS);
        status = run_in_child(break_the_call_rule, 0, true);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "wait status %#x",
                      (unsigned)status);
        /* And the guard, which the filter does not bind, cleans up behind it. */
        ck_assert(FAKE_WAIT_FOR(fake_nothing_suspended()));
}
END_TEST

START_TEST(the_allocation_count_counts) {
        int status;

        fake_init(N_ORIGINS);
        status = run_in_child(break_the_allocation_rule, 0, false);
#ifdef SANITIZED
        (void)status; /* the sanitizer's allocator cannot be counted */
#else
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 105, "wait status %#x",
                      (unsigned)status);
#endif
}
END_TEST

int main(void) {
        Suite *s = suite_create("window-rules");
        TCase *t = tcase_create("window-rules");
        SRunner *runner;
        int n_failed;

        tcase_set_timeout(t, 60);
        tcase_add_test(t, the_window_keeps_the_rules);
        tcase_add_test(t, the_way_back_keeps_the_rules);
        tcase_add_test(t, the_filter_bites);
        tcase_add_test(t, the_allocation_count_counts);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_NORMAL);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
