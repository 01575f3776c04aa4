#pragma once

/* What each writer reached in a set, for what it has in it: kept as text with the set. */

#include <stddef.h>
#include <vss/vswriter.h>

struct writer_reached {
        VSS_ID class_id, instance_id;
        const char *name;        /* with the instance's name */
        const char *consistency; /* "application", "file-system", "crash"; "none": it has nothing in
                                    the set */
        const char *reason;      /* why not more; may be NULL */
        VSS_WRITER_STATE state;
        HRESULT failure;
        char **volumes; /* of the set, that it has files on as far as is known; NULL: none */
};

/* *ret: the text, owned; -ENOMEM. Of more than a set has in practice the last are left out. */
int writers_reached_print(const struct writer_reached *writers, size_t n, char **ret);
typedef int (*writer_reached_fn)(void *userdata, const struct writer_reached *writer);
/* text: what writers_reached_print() made, or NULL; a line that is not so is left out. -ENOMEM, or
 * what fn returned if that is negative. */
int writers_reached_parse(const char *text, writer_reached_fn fn, void *userdata);
