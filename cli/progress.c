/* One line on stderr, overwritten in place; whoever prints something else clears it first. */

#include "cli/progress.h"

#include "cli/output-text.h"
#include "common/time-util.h"
#include "common/util.h"

#include <stdio.h>

static struct {
        bool shown;   /* on a terminal, and not --quiet */
        bool visible; /* the line stands there now */
        uint64_t begin_usec;
} state;

void progress_init(bool shown) {
        state.shown = shown;
        state.begin_usec = now_monotonic_usec();
}

void progress_show(const char *phase, unsigned percent) {
        if (!state.shown || str_empty(phase))
                return;
        /* Written over the old line and the rest cut off, so that it does not flicker. */
        fprintf(stderr, "\r%s  %u%%  %s\033[K", phase, percent,
                TEXT_DURATION(now_monotonic_usec() - state.begin_usec));
        fflush(stderr);
        state.visible = true;
}

void progress_clear(void) {
        if (!state.visible)
                return;
        fputs("\r\033[K", stderr);
        fflush(stderr);
        state.visible = false;
}
