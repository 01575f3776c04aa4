#pragma once

/* How copies are shown: as a row, as a page, as an object. */

#include "cli/output-json.h"
#include "cli/terminal.h"
#include <vss/vsslinux.h>

void snapshot_json(struct json *j, const char *key, const VSS_SNAPSHOT_INFO *s);
void snapshot_json_array(struct json *j, const char *key, VSS_SNAPSHOT_INFO *const *snapshots);
/* One line each. On a terminal ids are their first eight digits, enough to type, if not verbose. */
int snapshot_print_table(VSS_SNAPSHOT_INFO *const *snapshots, const struct terminal *terminal,
                         bool verbose);
/* Everything about one, a line per property. */
/* revert: of its volume to it; NULL: none. */
void snapshot_print_details(const VSS_SNAPSHOT_INFO *s, const VSS_REVERT_INFO *revert);

/* When it was made: seconds since the Unix epoch. */
int64_t snapshot_created(const VSS_SNAPSHOT_INFO *s);
/* "ShadowCopy3": the last part of its block device. */
const char *snapshot_name(const VSS_SNAPSHOT_INFO *s);

void snapshot_list_free(VSS_SNAPSHOT_INFO ***snapshots); /* for _cleanup_ */
