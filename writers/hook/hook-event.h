#pragma once

/* The events a hook can have a command for, and how long each may take. */

#include "common/util.h"

enum hook_event {
        HOOK_PREPARE_BACKUP,
        HOOK_PREPARE_SNAPSHOT,
        HOOK_FREEZE,
        HOOK_THAW,
        HOOK_POST_SNAPSHOT,
        HOOK_ABORT,
        HOOK_BACKUP_COMPLETE,
        HOOK_BACKUP_SHUTDOWN,
        HOOK_PRE_RESTORE,
        HOOK_POST_RESTORE,
        _HOOK_EVENT_MAX,
};

struct hook_event_info {
        const char *key;  /* "PrepareSnapshot": in [Commands] and [Deadlines] */
        const char *word; /* "prepare-snapshot": VSS_EVENT of the command */
        uint64_t default_usec;
        uint64_t max_usec;   /* a longer deadline could never be used */
        bool can_be_stopped; /* when the process is to end; what undoes, or brings back, is run to
                                its end */
};
extern const struct hook_event_info hook_events[_HOOK_EVENT_MAX];

/* _HOOK_EVENT_MAX if there is none. */
enum hook_event hook_event_from_key(const char *key);
