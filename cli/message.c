/* Lines on stderr. The only place that writes there, but for the progress line. */

#include "cli/message.h"

#include "cli/exit-status.h"
#include "cli/progress.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <vss/vsslinux.h>

static struct { bool quiet, verbose, colour; } state;

static const char *const colours[] = {
        [MESSAGE_ERROR] = "\033[31m",
        [MESSAGE_WARNING] = "\033[33m",
        [MESSAGE_NOTICE] = "",
        [MESSAGE_DETAIL] = "",
};

void message_init(bool quiet, bool verbose, bool colour) {
        state.quiet = quiet;
        state.verbose = verbose;
        state.colour = colour;
}

static bool is_shown(enum message_level level) {
        switch (level) {
        case MESSAGE_ERROR:
        case MESSAGE_WARNING: return true;
        case MESSAGE_NOTICE: return !state.quiet;
        case MESSAGE_DETAIL: return state.verbose;
        }
        return true;
}

static void print(enum message_level level, const char *text) {
        _cleanup_(freep) char *clean = utf8_clean(text);
        bool coloured = state.colour && colours[level][0] != '\0';

        progress_clear();
        fprintf(stderr, "vssctl: %s%s%s\n", coloured ? colours[level] : "",
                clean ? clean : "out of memory", coloured ? "\033[0m" : "");
}

void message(enum message_level level, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list args;

        if (!is_shown(level))
                return;
        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                text = NULL;
        va_end(args);
        print(level, text ? text : "out of memory");
}

char *message_code(HRESULT hr, char buf[static 96]) {
        const char *name = VssHresultName(hr);

        snprintf(buf, 96, "%s%s0x%08" PRIx32, str_or_empty(name), name ? " " : "", (uint32_t)hr);
        return buf;
}

int message_hresult(HRESULT hr, const char *what, ...) {
        /* Copied first: composing must not depend on what the library keeps. */
        _cleanup_(freep) char *why = strdup(VssLastErrorMessage()), *prefix = NULL;
        const char *sentence = str_empty(why) ? VssHresultMessage(hr) : why;
        size_t length = strlen(sentence);
        va_list args;

        if (what) {
                va_start(args, what);
                if (vasprintf(&prefix, what, args) < 0)
                        prefix = NULL;
                va_end(args);
        }
        if (length > 0 && sentence[length - 1] == '.')
                length--;
        message(MESSAGE_ERROR, "%s%s%.*s (%s)", str_or_empty(prefix), prefix ? ": " : "",
                (int)length, sentence, MESSAGE_CODE(hr));
        return exit_status_from_hresult(hr);
}

int message_out_of_memory(void) {
        message(MESSAGE_ERROR, "out of memory");
        return EXIT_NO_RESOURCES;
}
