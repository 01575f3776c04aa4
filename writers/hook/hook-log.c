/* Lines to stderr, or to memory while something is frozen. */

#include "writers/hook/hook-log.h"

#include "common/utf8.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#define HELD_MAX (64U * 1024U)

/* Static, and touched by the loader as little as by us: what is written here while a volume is
 * suspended must not wait for that volume. Zeroed pages come from memory alone. */
static struct {
        pthread_mutex_t mutex;
        unsigned holds;
        size_t length;
        bool lost;
        char held[HELD_MAX];
} state = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void write_out(const char *text, size_t length) {
        while (length > 0) {
                ssize_t n = write(STDERR_FILENO, text, length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return; /* nobody listens, and whom could we tell */
                text += n;
                length -= (size_t)n;
        }
}

static void emit(const char *line) {
        size_t length = strlen(line);

        (void)pthread_mutex_lock(&state.mutex); /* cannot fail: neither recursive nor robust */
        if (state.holds == 0)
                write_out(line, length);
        else if (state.length + length <= HELD_MAX) {
                memcpy(state.held + state.length, line, length);
                state.length += length;
        } else
                state.lost = true;
        (void)pthread_mutex_unlock(&state.mutex);
}

void hook_log(int priority, const char *format, ...) {
        _cleanup_(freep) char *text = NULL, *clean = NULL, *line = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                text = NULL;
        va_end(args);
        clean = text ? utf8_clean(text) : NULL;
        if (!clean || str_format(&line, "<%d>%s\n", priority, clean) < 0) {
                emit("<3>out of memory\n");
                return;
        }
        emit(line);
}

void hook_log_lines(int priority, const char *prefix, const char *text) {
        while (*text != '\0') {
                size_t n = strcspn(text, "\r\n");

                if (n > 0)
                        hook_log(priority, "%s%.*s", prefix, (int)n, text);
                text += n;
                text += strspn(text, "\r\n");
        }
}

void hook_log_hold(void) {
        (void)pthread_mutex_lock(&state.mutex);
        state.holds++;
        (void)pthread_mutex_unlock(&state.mutex);
}

void hook_log_release(void) {
        (void)pthread_mutex_lock(&state.mutex);
        assert(state.holds > 0);
        if (--state.holds == 0) {
                write_out(state.held, state.length);
                state.length = 0;
                if (state.lost) {
                        static const char lost[] = "<4>more was printed while applications were "
                                                   "frozen than could be kept\n";

                        write_out(lost, sizeof(lost) - 1);
                        state.lost = false;
                }
        }
        (void)pthread_mutex_unlock(&state.mutex);
}
