/* --check: the same reading as in service, with its verdicts on stderr instead of in the log. */

#include "writers/hook/hook-check.h"

#include "common/vss-id.h"
#include "writers/hook/hook-command.h"
#include "writers/hook/hook-file.h"

#include <fcntl.h>
#include <stdio.h>

static void say(const char *place, const struct ini_error *e) {
        if (e->line > 0)
                fprintf(stderr, "%s:%u: %s\n", place, e->line, str_or_empty(e->message));
        else
                fprintf(stderr, "%s: %s\n", place, str_or_empty(e->message));
}

/* Beyond the text: are there the user and the programs that it names? */
static bool check_host(const char *place, const struct hook_config *c) {
        _cleanup_(hook_user_done) struct hook_user user = { 0 };
        bool good = true;
        int r;

        r = hook_user_find(&user, c->user);
        if (r < 0) {
                fprintf(stderr, "%s: User=%s: %s\n", place, str_or_empty(c->user),
                        r == -ESRCH ? "there is no such user" : strerror(-r));
                return false;
        }
        for (unsigned i = 0; i < _HOOK_EVENT_MAX; i++) {
                _cleanup_(freep) char *path = NULL;

                if (!c->commands[i])
                        continue;
                r = hook_command_find(&path, c->commands[i][0], &user);
                if (r >= 0)
                        continue;
                good = false;
                fprintf(stderr, "%s: %s=%s: %s\n", place, hook_events[i].key, c->commands[i][0],
                        r == -EPERM ? "its file must belong to root (or to User=), and nobody "
                                      "else may be able to write to it"
                                    : strerror(-r));
        }
        return good;
}

static bool check_file(int directory_fd, const char *name, const char *place) {
        _cleanup_(hook_config_freep) struct hook_config *c = NULL;
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        int r;

        r = hook_file_load(&c, directory_fd, name, &e);
        if (r == -ENOMEM)
                (void)ini_error_set(&e, 0, "out of memory");
        if (r < 0) {
                say(place, &e);
                return false;
        }
        if (!check_host(place, c))
                return false;
        printf("%s: good: writer '%s', id %s\n", place, c->name, VSS_ID_TEXT(c->id));
        return true;
}

static bool check_directory(const char *directory) {
        _cleanup_(ini_error_done) struct ini_error e = { 0 };
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_(closep) int fd = -1;
        bool good = true;

        if (hook_directory_open(&fd, directory, &e) < 0) {
                say(directory, &e);
                return false;
        }
        if (hook_directory_list(&names, fd) < 0) {
                fprintf(stderr, "%s: cannot be read\n", directory);
                return false;
        }
        STRV_FOREACH (name, names) {
                _cleanup_(freep) char *place = NULL;

                if (str_format(&place, "%s/%s", directory, *name) < 0)
                        return false;
                good = check_file(fd, *name, place) && good;
        }
        return good;
}

int hook_check(const char *directory, char *const *files) {
        bool good = true;

        if (!files[0])
                good = check_directory(directory);
        STRV_FOREACH (file, files)
                good = check_file(AT_FDCWD, *file, *file) && good;
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
