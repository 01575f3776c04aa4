/* The table of events. */

#include "writers/hook/hook-event.h"

#include "common/time-util.h"

#define EVENT(key_, word_, default_sec, max_sec, stop)                                      \
        {                                                                                   \
                .key = (key_), .word = (word_), .default_usec = (default_sec)*USEC_PER_SEC, \
                .max_usec = (max_sec)*USEC_PER_SEC, .can_be_stopped = (stop),               \
        }

#define DAY 86400 /* as vssd.conf lets the service wait */

/* The defaults leave time for SIGTERM, SIGKILL and the answer. */
const struct hook_event_info hook_events[_HOOK_EVENT_MAX] = {
        [HOOK_PREPARE_BACKUP] = EVENT("PrepareBackup", "prepare-backup", 170, DAY, true),
        [HOOK_PREPARE_SNAPSHOT] = EVENT("PrepareSnapshot", "prepare-snapshot", 170, DAY, true),
        [HOOK_FREEZE] = EVENT("Freeze", "freeze", 20, 60, true),
        [HOOK_THAW] = EVENT("Thaw", "thaw", 20, 60, false),
        [HOOK_POST_SNAPSHOT] = EVENT("PostSnapshot", "post-snapshot", 290, DAY, true),
        [HOOK_ABORT] = EVENT("Abort", "abort", 60, DAY, false),
        [HOOK_BACKUP_COMPLETE] = EVENT("BackupComplete", "backup-complete", 170, DAY, true),
        [HOOK_BACKUP_SHUTDOWN] = EVENT("BackupShutdown", "backup-shutdown", 60, DAY, false),
        [HOOK_PRE_RESTORE] = EVENT("PreRestore", "pre-restore", 170, DAY, true),
        [HOOK_POST_RESTORE] = EVENT("PostRestore", "post-restore", 170, DAY, false),
};

enum hook_event hook_event_from_key(const char *key) {
        for (unsigned i = 0; i < _HOOK_EVENT_MAX; i++)
                if (streq(hook_events[i].key, key))
                        return (enum hook_event)i;
        return _HOOK_EVENT_MAX;
}
