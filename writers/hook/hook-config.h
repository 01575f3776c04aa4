#pragma once

/* One application as an administrator described it: an ini file under /etc/vss/writers.d/,
 * checked. Immutable once made; the writer that works from it holds it for its whole life. */

#include "writers/hook/hook-event.h"
#include "writers/hook/ini.h"
#include <vss/vss.h>
/* after vss.h */
#include <vss/vswriter.h>

#define HOOK_CONFIG_SUFFIX ".conf"
#define HOOK_CONFIG_PATHS_MAX 256

struct hook_path {
        char *directory;     /* absolute, without a trailing '/' */
        char *specification; /* "*", "*.db": names in it */
        bool recursive;
};

struct hook_config {
        char *file; /* "app.conf" */
        char *text; /* the file as it was read, to see at a reload whether it changed */
        char *name;
        VSS_ID id;
        VSS_APPLICATION_LEVEL level;
        VSS_USAGE_TYPE usage;
        char *user;                       /* NULL: as vss-hook-writer runs, root */
        bool always;                      /* also when no Include= lies on a volume of the set */
        bool partial;                     /* also when only some of them do */
        char **commands[_HOOK_EVENT_MAX]; /* argv; NULL: none */
        uint64_t deadline_usec[_HOOK_EVENT_MAX];
        uint64_t freeze_to_thaw_usec;
        struct hook_path *includes, *excludes;
        size_t n_includes, n_excludes;
};

/* text: the file's content. -EINVAL: reterr says which line and why. */
int hook_config_new(struct hook_config **ret, const char *file, const char *text, size_t length,
                    struct ini_error *reterr);
struct hook_config *hook_config_free(struct hook_config *c);
DEFINE_CLEANUP(struct hook_config, hook_config_free);

/* Has it anything to do for event? */
static inline bool hook_config_has(const struct hook_config *c, enum hook_event event) {
        return c->commands[event];
}
