/* What stdout and stderr are, asked of the kernel, the locale and the environment. */

#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>

static size_t columns(void) {
        const char *env = getenv("COLUMNS");
        struct winsize size;

        if (env && strspn(env, "0123456789") == strlen(env) && strlen(env) <= 5 && atoi(env) > 0)
                return (size_t)atoi(env);
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
                return size.ws_col;
        return 80;
}

bool terminal_wants_colour(bool no_colour) {
        const char *term = getenv("TERM");

        return !no_colour && str_empty(getenv("NO_COLOR")) && !str_empty(term) &&
               !streq(term, "dumb");
}

void terminal_init(struct terminal *t, bool no_colour) {
        /* Only for the width of characters and the ellipsis: output is never translated. */
        (void)setlocale(LC_CTYPE, ""); /* an unknown locale leaves "C" */

        *t = (struct terminal){
                .output = isatty(STDOUT_FILENO),
                .errors = isatty(STDERR_FILENO),
        };
        t->table = (struct table_format){
                .width = t->output ? columns() : 0,
                .colour = t->output && terminal_wants_colour(no_colour),
                .ellipsis = streq(nl_langinfo(CODESET), "UTF-8"),
        };
}
