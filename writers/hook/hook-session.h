#pragma once

/* What a writer remembers of the requesters' sessions that it takes part in: a few at a time, each
 * from its first event to BackupShutdown. Belongs to the writer's thread. */

#include "common/util.h"
#include <vss/vss.h>

#define HOOK_SESSIONS_MAX 64

struct hook_session {
        VSS_ID id;
        bool affected; /* the set has a volume of ours: commands run */
        bool engaged;  /* a command was started, so BackupShutdown is for us */
        bool undo;     /* a command was started since the last Abort, if there was one */
        bool frozen;   /* Freeze was started, and no Thaw has succeeded since */
};

struct hook_sessions {
        struct hook_session items[HOOK_SESSIONS_MAX];
        size_t n; /* oldest first */
};

/* NULL if it is not known. */
struct hook_session *hook_sessions_find(struct hook_sessions *s, VSS_ID id);
/* Known or new. When there is no room, the oldest that has nothing to undo goes, or else the oldest
 * that is not frozen: its requester was lost. NULL: they are all frozen. */
struct hook_session *hook_sessions_open(struct hook_sessions *s, VSS_ID id);
void hook_sessions_close(struct hook_sessions *s, VSS_ID id);
