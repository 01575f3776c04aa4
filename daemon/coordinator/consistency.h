#pragma once

/* What was reached, for each volume and for each writer, and why not more. A volume's floor is what
 * its file system gives without any writer: "file-system" if it was mounted, so that it was flushed
 * and held, or has made the copy itself, else "crash". It is "application" if writers that took
 * part have files there and none of them failed; the reason then names what that is not true of. A
 * writer reached the least of the floors of its volumes if it failed or was left out. */

#include "common/vss-error.h"
#include "daemon/coordinator/set-writers.h"

struct volume;

struct consistency_volume {
        const struct volume *volume;
        bool mounted; /* there is a file system, and it was mounted */
        /* The provider that has made the copy beside the window; NULL: the window has. */
        const char *beside;
        bool is_own_kind; /* the copy is a snapshot that the file system itself has made */
};

/* n: of the set. w: located. context: the set's. *ret_level is a static string; *ret_reason: owned,
 * NULL if there is nothing to say. -ENOMEM */
int consistency_of_volume(const struct set_writers *w, LONG context,
                          const struct consistency_volume *volumes, size_t n, size_t i,
                          const char **ret_level, char **ret_reason);
/* The text that is kept with the set (writer-reached.h), of all that took part and of those that
 * were left out and have, or may have, files on its volumes. -ENOMEM */
int consistency_of_writers(const struct set_writers *w, const struct consistency_volume *volumes,
                           size_t n, char **ret);
