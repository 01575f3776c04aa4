#pragma once

/* Adopting a plain partition and releasing it again, for the daemon. Each change of a file is one
 * step after which the machine boots, with or without the mapping: a line in /etc/vss/adopted has
 * an effect only when everything that it needs is in place, and loses it before anything is undone.
 * Blocking; for workers; one at a time. */

#include "daemon/providers/volume.h"

struct adoption_options {
        const char *name;    /* of the mapping; NULL: of the mount point */
        bool keep_initramfs; /* the administrator will see to it */
};

/* Sentences for the administrator: what was done, and what takes effect when. */
int adoption_adopt(const char *volume, const struct adoption_options *options, char ***ret_notes,
                   struct vss_error *reterr);
/* Undoes it. What is not adopted is fine, too. */
int adoption_release(const char *volume, const struct adoption_options *options, char ***ret_notes,
                     struct vss_error *reterr);

enum adoption_state {
        ADOPTION_NONE,
        ADOPTION_ACTIVE,        /* it is the mapping */
        ADOPTION_NEXT_MOUNT,    /* it will be */
        ADOPTION_UNTIL_UNMOUNT, /* it still is */
        _ADOPTION_STATE_MAX,
};
/* "active", "next-mount", "until-unmount"; "" of ADOPTION_NONE. */
const char *adoption_state_to_string(enum adoption_state s);
/* What cannot be found out is ADOPTION_NONE. */
enum adoption_state adoption_look(const struct volume *v);
