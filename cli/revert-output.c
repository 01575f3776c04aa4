/* See revert-output.h. The keys of the objects are documented in vssctl(8). */

#include "cli/revert-output.h"
#include "common/path.h"
#include "common/util.h"
#include <sys/stat.h>

void revert_list_free(VSS_REVERT_INFO ***reverts) {
        VssFreeReverts(*reverts);
}

const VSS_REVERT_INFO *revert_find(VSS_REVERT_INFO *const *reverts, VSS_ID snapshot) {
        for (; reverts && *reverts; reverts++)
                if (memcmp(&(*reverts)->snapshot, &snapshot, sizeof(snapshot)) == 0)
                        return *reverts;
        return NULL;
}

/* A device has many names. */
static bool is_same_device(const char *name, const char *volume) {
        struct stat a, b;

        return stat(name, &a) == 0 && stat(volume, &b) == 0 && S_ISBLK(a.st_mode) &&
               S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev;
}

bool revert_is_of(const VSS_REVERT_INFO *r, const char *volume) {
        if (!volume || path_is_same(str_or_empty(r->volume), volume))
                return true;
        for (char *const *name = r->names; name && *name; name++)
                if (path_is_same(*name, volume) || is_same_device(*name, volume))
                        return true;
        return false;
}

void revert_json(struct json *j, const char *key, const VSS_REVERT_INFO *r) {
        char text[VSS_ID_STRING_SIZE];

        json_object_begin(j, key);
        json_string(j, "snapshot_id", VssIdToString(r->snapshot, text));
        json_string(j, "snapshot_set_id", VssIdToString(r->snapshot_set, text));
        json_string_or_null(j, "volume", r->volume);
        json_array_begin(j, "names");
        for (char *const *name = r->names; name && *name; name++)
                json_string(j, NULL, *name);
        json_array_end(j);
        json_string_or_null(j, "provider", r->provider);
        json_string_or_null(j, "state", r->state);
        json_string_or_null(j, "message", r->message);
        json_uint(j, "progress", r->per_cent);
        json_uint(j, "total_bytes", r->total_bytes);
        json_uint(j, "left_bytes", r->left_bytes);
        json_object_end(j);
}

void revert_json_array(struct json *j, const char *key, VSS_REVERT_INFO *const *reverts,
                       const char *volume) {
        json_array_begin(j, key);
        for (; reverts && *reverts; reverts++)
                if (revert_is_of(*reverts, volume))
                        revert_json(j, NULL, *reverts);
        json_array_end(j);
}

const char *revert_text(const VSS_REVERT_INFO *r, char buf[static REVERT_TEXT_MAX]) {
        if (streq(str_or_empty(r->state), "waiting"))
                return "is reverted at the next boot";
        if (streq(str_or_empty(r->state), "beginning"))
                return "is about to be reverted";
        if (streq(str_or_empty(r->state), "failed"))
                return "is being reverted, which does not go on";
        (void)snprintf(buf, REVERT_TEXT_MAX, "is being reverted, %u%%", (unsigned)r->per_cent);
        return buf;
}
