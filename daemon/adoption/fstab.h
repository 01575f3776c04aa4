#pragma once

/* /etc/fstab: its lines as read, and the one change that is made to it, another spelling of the
 * device in the first field. Every other byte stays. */

#include "common/vss-error.h"

/* "/etc/fstab"; a test puts a file of its own there. */
extern const char *fstab_path;

struct fstab_row {
        char *spec, *target, *options; /* decoded; options: "" if there are none */
        size_t spec_at, spec_length;   /* of the first field in the text */
};

struct fstab {
        char *text;
        size_t size;
        struct fstab_row *rows; /* those of file systems that can be mounted somewhere */
        size_t n;
};

/* Lines that are not right are no rows. No file is no rows. */
int fstab_read(struct fstab *ret, struct vss_error *reterr);
void fstab_done(struct fstab *f);
/* Whether the device of a first field is named by a link, which udev may lead elsewhere. */
bool fstab_is_link(const char *path);
/* The first field of a row, as it is written. */
int fstab_spec_text(const struct fstab *f, const struct fstab_row *row, char **ret);
/* specs[i]: the new first field of row i, as it is to be written; NULL: as it is. */
int fstab_write(const struct fstab *f, const char *const *specs, struct vss_error *reterr);
