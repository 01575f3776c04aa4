/* The daemon's half of the guard: see guard.h. Owned by the window. The page, the socket and the
 * requests are made before the fork; afterwards the two processes have nothing in common but the
 * page and the socket. */

#include "daemon/window/guard.h"
#include "common/alive-lock.h"
#include "daemon/window/guard-process.h"
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A fork and a rehearsal take milliseconds; on a machine that swaps perhaps a second. */
#define READY_TIMEOUT_MSEC 10000
/* How long a guard that was told to go may take before it is killed. */
#define EXIT_TIMEOUT_USEC (500 * USEC_PER_MSEC)

struct guard {
        struct guard_process process; /* socket_fd: the daemon's end here, its own end there */
        pid_t pid;
        bool armed; /* the mutex is held */
};

static struct guard_row *rows_free(struct guard_row *rows, size_t n) {
        for (size_t i = 0; rows && i < n; i++) {
                dm_request_free(rows[i].status);
                dm_request_free(rows[i].clear);
                dm_request_free(rows[i].resume);
                other_device_free(rows[i].other);
        }
        free(rows);
        return NULL;
}

static int rows_new(struct guard_process *p, const struct guard_origin *origins, size_t n) {
        p->rows = calloc(n > 0 ? n : 1, sizeof(*p->rows));
        if (!p->rows)
                return -ENOMEM;
        p->n_rows = n;
        for (size_t i = 0; i < n; i++) {
                int r;

                p->rows[i].process = p;
                p->rows[i].clears_inactive_table = origins[i].clears_inactive_table;
                p->rows[i].other_works = origins[i].other_works;
                r = dm_request_new_status(&p->rows[i].status, origins[i].device);
                if (r >= 0)
                        r = dm_request_new_clear(&p->rows[i].clear, origins[i].device);
                if (r >= 0)
                        r = dm_request_new_resume(&p->rows[i].resume, origins[i].device);
                if (r >= 0 && origins[i].other != 0)
                        r = other_device_new(&p->rows[i].other, origins[i].other,
                                             origins[i].other_works);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool holds(const struct dl_phdr_info *object, uintptr_t address) {
        for (size_t i = 0; i < object->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

                if (segment->p_type == PT_LOAD &&
                    address - (object->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
                        return true;
        }
        return false;
}

static int note_code(struct dl_phdr_info *object, size_t size _unused_, void *userdata) {
        struct guard_process *p = userdata;

        if (!holds(object, (uintptr_t)guard_new) && !holds(object, (uintptr_t)poll))
                return 0;
        for (size_t i = 0; i < object->dlpi_phnum && p->n_code < GUARD_CODE_MAX; i++) {
                const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

                if (segment->p_type == PT_LOAD)
                        p->code[p->n_code++] = (struct guard_code){
                                .start = (const void *)(object->dlpi_addr + segment->p_vaddr),
                                .length = segment->p_memsz,
                        };
        }
        return 0;
}

static size_t page_size(size_t n) {
        return sizeof(struct guard_page) + n * sizeof(((struct guard_page *)NULL)->parts[0]);
}

static int page_new(struct guard_page **ret, size_t n) {
        struct guard_page *page;
        pthread_mutexattr_t attributes;
        int r;

        page = mmap(NULL, page_size(n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return -errno;
        r = -pthread_mutexattr_init(&attributes);
        if (r == 0) {
                /* Both take constants that exist. */
                (void)pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
                (void)pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
                r = -pthread_mutex_init(&page->alive, &attributes);
                (void)pthread_mutexattr_destroy(&attributes);
        }
        if (r < 0) {
                (void)munmap(page, page_size(n)); /* it was mapped a moment ago */
                return r;
        }
        atomic_store(&page->state, GUARD_IDLE);
        for (size_t i = 0; i < n; i++)
                atomic_store(&page->parts[i], GUARD_PART_OPEN);
        *ret = page;
        return 0;
}

/* Windows hold it, and a fork has it to itself. */
static pthread_rwlock_t forks = PTHREAD_RWLOCK_INITIALIZER;

void guard_forks_hold(void) {
        (void)pthread_rwlock_rdlock(&forks); /* it knows no failure but too many of them */
}

void guard_forks_release(void) {
        (void)pthread_rwlock_unlock(&forks); /* locked above */
}

static int guard_fork(struct guard *g) {
        int sockets[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
                return -errno;
        g->process.socket_fd = sockets[0];
        (void)pthread_rwlock_wrlock(&forks); /* nobody who holds it comes here */
        g->pid = fork();
        if (g->pid != 0)
                (void)pthread_rwlock_unlock(&forks); /* locked above; errno stays */
        if (g->pid == 0) {
                g->process.socket_fd = sockets[1];
                guard_process_run(&g->process);
        }
        if (g->pid < 0) {
                int saved = errno;

                sockets[1] = safe_close(sockets[1]);
                return -saved;
        }
        sockets[1] = safe_close(sockets[1]);
        return 0;
}

static int wait_until_ready(struct guard *g) {
        struct pollfd ready = { .fd = g->process.socket_fd, .events = POLLIN };
        ssize_t l;
        char word;
        int k;

        do
                k = poll(&ready, 1, READY_TIMEOUT_MSEC);
        while (k < 0 && errno == EINTR);
        if (k < 0)
                return -errno;
        if (k == 0)
                return -ETIMEDOUT;
        l = recv(g->process.socket_fd, &word, 1, 0);
        if (l < 0)
                return -errno;
        return l == 1 && word == GUARD_WORD_READY ? 0 : -EPIPE;
}

/* What the guard inherits; this side has no use for it once it has. */
static int open_for_guard(struct guard_process *p, const char *lock) {
        p->daemon_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        if (p->daemon_fd < 0 && errno != ENOSYS && errno != EPERM) /* a sandbox may say no */
                return -errno;
        return lock ? alive_lock_hold(lock, &p->lock_fd) : 0;
}

int guard_new(struct guard **ret, const struct dm_kernel *kernel, int control_fd, const char *lock,
              const char *list, const struct guard_origin *origins, size_t n,
              struct vss_error *reterr) {
        _cleanup_(guard_freep) struct guard *g = NULL;
        int r;

        g = calloc(1, sizeof(*g));
        if (!g)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot make the guard process");
        g->process.kernel = kernel;
        g->process.control_fd = control_fd;
        g->process.list = list; /* it outlives the fork, which copies it */
        g->process.socket_fd = g->process.daemon_fd = g->process.lock_fd = -1;
        g->pid = -1;
        (void)dl_iterate_phdr(note_code, &g->process); /* it is what that returned last: 0 */

        r = rows_new(&g->process, origins, n);
        if (r >= 0)
                r = page_new(&g->process.page, n);
        if (r >= 0)
                r = open_for_guard(&g->process, lock);
        if (r >= 0)
                r = guard_fork(g);
        g->process.daemon_fd = safe_close(g->process.daemon_fd);
        g->process.lock_fd = safe_close(g->process.lock_fd);
        if (r >= 0)
                r = wait_until_ready(g);
        if (r < 0)
                return vss_error_from_errno(
                        reterr, r,
                        "cannot start the guard process, without which writes are never held");
        *ret = TAKE_PTR(g);
        return 0;
}

/* Reaps the guard; kills it if it does not go by itself. Nothing is suspended, so it may die. */
static void reap(struct guard *g) {
        uint64_t end_usec = now_monotonic_usec() + EXIT_TIMEOUT_USEC;
        const struct timespec pause = { .tv_nsec = (long)USEC_PER_MSEC * 1000 };

        for (;;) {
                pid_t k = waitpid(g->pid, NULL, WNOHANG);

                if (k == g->pid || (k < 0 && errno != EINTR))
                        return;
                if (now_monotonic_usec() >= end_usec)
                        break;
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        (void)kill(g->pid, SIGKILL); /* it is our child and not yet reaped */
        while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

static void say(struct guard *g, char word) {
        /* A guard that is gone already needs no telling. */
        (void)send(g->process.socket_fd, &word, 1, MSG_NOSIGNAL);
}

struct guard *guard_free(struct guard *g) {
        if (!g)
                return NULL;
        if (g->process.page)
                atomic_store(&g->process.page->state, GUARD_DONE);
        if (g->pid > 0) {
                say(g, GUARD_WORD_GO);
                reap(g);
        }
        g->process.socket_fd = safe_close(g->process.socket_fd);
        if (g->process.page) /* mapped by page_new() */
                (void)munmap(g->process.page, page_size(g->process.n_rows));
        g->process.rows = rows_free(g->process.rows, g->process.n_rows);
        free(g);
        return NULL;
}

int guard_arm(struct guard *g, uint64_t deadline_usec) {
        struct guard_page *page = g->process.page;
        const char word = GUARD_WORD_ARM;
        int r;

        r = -pthread_mutex_lock(&page->alive);
        if (r < 0)
                return r;
        g->armed = true;
        atomic_store(&page->deadline_usec, deadline_usec);
        atomic_store(&page->state, GUARD_ARMED);
        if (send(g->process.socket_fd, &word, 1, MSG_NOSIGNAL) != 1) {
                r = -errno;
                guard_disarm(g, true);
                return r;
        }
        return 0;
}

bool guard_commit(struct guard *g) {
        uint32_t expected = GUARD_ARMED;

        return atomic_compare_exchange_strong(&g->process.page->state, &expected, GUARD_COMMITTED);
}

void guard_suspended(struct guard *g, size_t i) {
        uint32_t expected = GUARD_PART_OPEN;

        (void)atomic_compare_exchange_strong(&g->process.page->parts[i], &expected,
                                             GUARD_PART_SUSPENDED); /* or it is settled already */
}

bool guard_resuming(struct guard *g, size_t i) {
        uint32_t expected = GUARD_PART_SUSPENDED;

        return atomic_compare_exchange_strong(&g->process.page->parts[i], &expected,
                                              GUARD_PART_RESUMING);
}

void guard_settle(struct guard *g, size_t i) {
        guard_page_settle(g->process.page, i);
}

bool guard_is_settled(struct guard *g, size_t i) {
        return atomic_load(&g->process.page->parts[i]) == GUARD_PART_SETTLED;
}

bool guard_await_settled(struct guard *g, uint64_t deadline_usec) {
        futex_word *n_settled = &g->process.page->n_settled;

        for (;;) {
                uint32_t n = atomic_load(n_settled);

                if (n == g->process.n_rows)
                        return true;
                if (futex_wait(n_settled, n, deadline_usec) == -ETIMEDOUT)
                        return atomic_load(n_settled) == g->process.n_rows;
        }
}

bool guard_is_armed(const struct guard *g) {
        return atomic_load(&g->process.page->state) == GUARD_ARMED;
}

bool guard_has_helped(const struct guard *g) {
        return atomic_load(&g->process.page->helped);
}

bool guard_is_dead(const struct guard *g) {
        siginfo_t end = { 0 };

        /* It stays to be reaped. */
        return waitid(P_PID, (id_t)g->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               end.si_pid == g->pid;
}

static void let_go(struct guard *g) {
        if (g->armed)
                (void)pthread_mutex_unlock(&g->process.page->alive); /* locked by guard_arm() */
        g->armed = false;
}

void guard_fire(struct guard *g) {
        let_go(g); /* and the state says that it is not over */
}

void guard_disarm(struct guard *g, bool settled) {
        if (settled)
                atomic_store(&g->process.page->state, GUARD_DONE);
        let_go(g);
}

pid_t guard_pid(const struct guard *g) {
        return g->pid;
}
