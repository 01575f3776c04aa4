/* Names of the main states, for logs and refusals. */

#include "daemon/session/session-state.h"

#include "common/util.h"

static const struct {
        const char *name, *description;
} states[_SESSION_STATE_MAX] = {
        [SESSION_NEW] = { "N", "the object is not initialised" },
        [SESSION_BACKUP] = { "B0", "the object is initialised for a backup" },
        [SESSION_GATHERED] = { "BM", "the writers' metadata was gathered" },
        [SESSION_SET_OPEN] = { "BS", "a snapshot set is open" },
        [SESSION_PREPARED] = { "BP", "PrepareForBackup is done" },
        [SESSION_CREATING] = { "BC", "DoSnapshotSet is running" },
        [SESSION_CREATED] = { "BD", "the snapshot set was created" },
        [SESSION_COMPLETE] = { "BE", "the backup is complete" },
        [SESSION_ABORTED] = { "BA", "the backup was aborted or its snapshot set failed" },
        [SESSION_IMPORTED] = { "BI", "a snapshot set was imported" },
        [SESSION_RESTORE] = { "R0", "the object is initialised for a restore" },
        [SESSION_RESTORE_GATHERED] = { "RM", "the writers' metadata was gathered" },
        [SESSION_RESTORE_PREPARED] = { "RP", "PreRestore is done" },
        [SESSION_RESTORED] = { "RD", "PostRestore is done" },
};

const char *session_state_to_string(enum session_state s) {
        return (unsigned)s < _SESSION_STATE_MAX ? states[s].name : NULL;
}

int session_state_from_string(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                if (streq(states[i].name, name))
                        return (int)i;
        return -EINVAL;
}

const char *session_state_describe(enum session_state s) {
        return (unsigned)s < _SESSION_STATE_MAX ? states[s].description : NULL;
}
