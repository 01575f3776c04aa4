#pragma once

/* Reverts under way, as lines and objects. */

#include "cli/output-json.h"
#include <vss/vsslinux.h>

void revert_list_free(VSS_REVERT_INFO ***reverts);
/* The revert to this copy; NULL: none. */
const VSS_REVERT_INFO *revert_find(VSS_REVERT_INFO *const *reverts, VSS_ID snapshot);
/* Whether it is the revert of that volume, or of any (NULL). */
bool revert_is_of(const VSS_REVERT_INFO *r, const char *volume);
void revert_json(struct json *j, const char *key, const VSS_REVERT_INFO *r);
void revert_json_array(struct json *j, const char *key, VSS_REVERT_INFO *const *reverts,
                       const char *volume);
/* "is being reverted, 40%", "is reverted at the next boot", ... */
#define REVERT_TEXT_MAX 64
const char *revert_text(const VSS_REVERT_INFO *r, char buf[static REVERT_TEXT_MAX]);
