#pragma once

/* The daemon's log: structured lines to the journal when it reads our stderr, text on stderr
 * otherwise. Log once, where an error stops travelling.
 *
 * From log_hold() to log_release() (while a writer is frozen, and in the write-freeze window) lines
 * wait in memory that was allocated and touched beforehand and nothing is written: journald may
 * itself be waiting for the volume that is suspended, and its full socket would then block whoever
 * logs. Holds nest. */

#include "common/vss-error.h"
#include "common/vss-id.h"
#include <syslog.h>

/* What a line is about, as journal fields. NULL and GUID_NULL: not said. */
struct log_fields {
        const VSS_ID *session_id;  /* VSS_SESSION_ID= */
        const VSS_ID *set_id;      /* VSS_SET_ID= */
        const VSS_ID *snapshot_id; /* VSS_SNAPSHOT_ID= */
        const char *writer;        /* VSS_WRITER= */
        HRESULT code;              /* of a failure: VSS_HRESULT=, and MESSAGE_ID= by it */
};
/* The id of messages of a failure: these 24 digits and the eight of its code. */
#define LOG_MESSAGE_ID_PREFIX "7c2f19d4a6b84e0fb1d35e92"

/* Before the first thread is started. Lines of a lower urgency than max_priority are dropped
 * (LOG_INFO unless $VSSD_LOG_LEVEL names a syslog level, "debug" for instance). */
void log_init(void);
int log_max_priority(void);

void log_write(int priority, const struct log_fields *fields, const char *file, int line,
               const char *function, const char *format, ...) _printf_(6, 7);

void log_hold(void);
void log_release(void);

/* Is there a hold? Whoever could begin something heavy now can wait for the end of it. */
bool log_is_held(void);

#define log_full(priority, fields, ...) \
        log_write((priority), (fields), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_debug(...) log_full(LOG_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, NULL, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, NULL, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, NULL, __VA_ARGS__)

/* A line that belongs to a failure: error is a struct vss_error *. */
#define log_failure(priority, error, ...) \
        log_full((priority), (&(const struct log_fields){ .code = (error)->hr }), __VA_ARGS__)
#define log_set_failure(priority, id, error, ...)                                                  \
        log_full((priority), (&(const struct log_fields){ .set_id = &(id), .code = (error)->hr }), \
                 __VA_ARGS__)
/* "log_set(LOG_INFO, set_id, "...")": a line that belongs to a set. */
#define log_set(priority, id, ...) \
        log_full((priority), (&(const struct log_fields){ .set_id = &(id) }), __VA_ARGS__)
