#pragma once

/* The diff areas as they are: those that were set down, and those that copies have. */

#include "daemon/session/diff-areas.h"

struct area_rows {
        struct area_row *items;
        size_t n;
};
void area_rows_done(struct area_rows *a);
/* Of what the filter takes; v: its volume, opened, or NULL. */
int area_rows_read(struct area_rows *ret, struct store *store, const struct area_filter *filter,
                   const struct volume *v, uint64_t fallback, struct vss_error *reterr);
