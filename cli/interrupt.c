/* A flag that a signal handler sets, and a wait that cannot miss it. */

#include "cli/interrupt.h"

#include "cli/exit-status.h"
#include "common/util.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t pending;

static void on_signal(int sig) {
        if (pending != 0)
                _exit(EXIT_SIGNAL + sig);
        pending = sig;
}

void interrupt_install(void) {
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                struct sigaction now, action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

                /* nohup: let that be. (SIGINT is ignored in the background jobs of scripts, too;
                 * but there a set would outlive the script that Ctrl-C has ended.) */
                if (signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &now) == 0 &&
                    now.sa_handler == SIG_IGN)
                        continue;
                (void)sigaction(signals[i], &action, NULL); /* cannot fail for these */
        }
}

int interrupt_pending(void) {
        return pending;
}

static bool stdin_can_end(void) {
        struct stat st;

        if (fstat(STDIN_FILENO, &st) < 0)
                return false;
        /* In the background of a terminal a read would stop us with SIGTTIN. */
        if (isatty(STDIN_FILENO))
                return tcgetpgrp(STDIN_FILENO) == getpgrp();
        return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
}

/* Has stdin ended? What is written to us until then is thrown away. */
static bool stdin_ended(void) {
        char buf[512];
        ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

        return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

enum hold_end interrupt_hold(int timeout_ms) {
        struct pollfd fd = { .fd = stdin_can_end() ? STDIN_FILENO : -1, .events = POLLIN };
        struct timespec timeout = {
                .tv_sec = timeout_ms / 1000,
                .tv_nsec = (timeout_ms % 1000) * 1000000L,
        };
        enum hold_end end = HOLD_TICK;
        sigset_t held, before;

        /* Blocked between the look at `pending` and the wait, else a signal in between would be
         * slept through. */
        sigemptyset(&held);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                sigaddset(&held, signals[i]);
        (void)sigprocmask(SIG_BLOCK, &held, &before); /* cannot fail with these arguments */

        if (pending == 0 && ppoll(&fd, 1, &timeout, &before) > 0 && stdin_ended())
                end = HOLD_EOF;
        if (pending != 0)
                end = HOLD_SIGNAL;

        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return end;
}
