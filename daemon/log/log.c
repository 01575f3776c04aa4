/* The log. One mutex serialises writers of lines and the ring; it is held over the write to the
 * journal or stderr, so that lines keep their order, and it is never needed inside the window
 * itself (nothing there logs). The ring is static: always there, touched by log_init(). What does
 * not fit while held is counted, and the count is said at the release. */

#include "daemon/log/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* ours is the caller's */
#include <systemd/sd-journal.h>

#define LINE_MAX_BYTES 1024
#define FIELD_MAX_BYTES 256
#define RING_LINES 256

struct line {
        int priority;
        int source_line;
        const char *file, *function; /* static strings of the caller */
        bool has_session_id, has_set_id, has_snapshot_id;
        VSS_ID session_id, set_id, snapshot_id;
        HRESULT code;
        char writer[FIELD_MAX_BYTES];
        char message[LINE_MAX_BYTES];
};

static struct {
        pthread_mutex_t mutex;
        bool to_journal;
        int max_priority;
        unsigned held;
        size_t n_lines, n_lost;
        struct line ring[RING_LINES];
} logger = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .max_priority = LOG_INFO,
};

static const char *const priority_names[] = {
        [LOG_EMERG] = "emerg", [LOG_ALERT] = "alert",     [LOG_CRIT] = "crit",
        [LOG_ERR] = "err",     [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
};

/* systemd sets JOURNAL_STREAM=DEVICE:INODE of the stream it connected to stderr; when stderr was
 * redirected since, they no longer agree and text is wanted. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
                return false;
        return fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(void) {
        const char *level = getenv("VSSD_LOG_LEVEL");

        logger.to_journal = stderr_is_journal();
        for (size_t i = 0; level && i < ARRAY_SIZE(priority_names); i++)
                if (streq(level, priority_names[i]))
                        logger.max_priority = (int)i;
        /* Every page of the ring is ours from here on. */
        memset(logger.ring, 0, sizeof(logger.ring));
}

int log_max_priority(void) {
        return logger.max_priority;
}

static void line_to_journal(const struct line *l) {
        char message[LINE_MAX_BYTES + 16], priority[16], file[FIELD_MAX_BYTES], line[32];
        char function[FIELD_MAX_BYTES], set[64], snapshot[64], writer[FIELD_MAX_BYTES + 16];
        char session[64], code[128], id[64];
        const struct vss_hresult_info *info = vss_hresult_find(l->code);
        struct iovec fields[11];
        int n = 0;

#define FIELD(buffer, ...)                                                                     \
        do {                                                                                   \
                (void)snprintf(buffer, sizeof(buffer), __VA_ARGS__);                           \
                fields[n++] = (struct iovec){ .iov_base = buffer, .iov_len = strlen(buffer) }; \
        } while (false)
        FIELD(message, "MESSAGE=%s", l->message);
        FIELD(priority, "PRIORITY=%i", l->priority);
        FIELD(file, "CODE_FILE=%s", l->file);
        FIELD(line, "CODE_LINE=%i", l->source_line);
        FIELD(function, "CODE_FUNC=%s", l->function);
        if (l->has_session_id)
                FIELD(session, "VSS_SESSION_ID=%s", VSS_ID_TEXT(l->session_id));
        if (l->has_set_id)
                FIELD(set, "VSS_SET_ID=%s", VSS_ID_TEXT(l->set_id));
        if (l->has_snapshot_id)
                FIELD(snapshot, "VSS_SNAPSHOT_ID=%s", VSS_ID_TEXT(l->snapshot_id));
        if (l->writer[0])
                FIELD(writer, "VSS_WRITER=%s", l->writer);
        if (FAILED(l->code)) {
                if (info)
                        FIELD(code, "VSS_HRESULT=%s", info->symbol);
                else
                        FIELD(code, "VSS_HRESULT=0x%08x", (unsigned)l->code);
                FIELD(id, "MESSAGE_ID=" LOG_MESSAGE_ID_PREFIX "%08x", (unsigned)l->code);
        }
        assert((size_t)n <= ARRAY_SIZE(fields));
#undef FIELD

        /* There is nowhere left to report a log line that could not be written. */
        (void)sd_journal_sendv(fields, n);
}

static void line_to_stderr(const struct line *l) {
        (void)fprintf(stderr, "vssd: %s%s\n",
                      l->priority <= LOG_ERR       ? "error: "
                      : l->priority == LOG_WARNING ? "warning: "
                                                   : "",
                      l->message);
}

static void line_write(const struct line *l) {
        if (logger.to_journal)
                line_to_journal(l);
        else
                line_to_stderr(l);
}

_printf_(3, 0) static void line_format(struct line *l, const struct log_fields *fields,
                                       const char *format, va_list ap) {
        l->has_session_id = fields && fields->session_id && !vss_id_is_null(*fields->session_id);
        if (l->has_session_id)
                l->session_id = *fields->session_id;
        l->code = fields ? fields->code : S_OK;
        l->has_set_id = fields && fields->set_id && !vss_id_is_null(*fields->set_id);
        if (l->has_set_id)
                l->set_id = *fields->set_id;
        l->has_snapshot_id = fields && fields->snapshot_id && !vss_id_is_null(*fields->snapshot_id);
        if (l->has_snapshot_id)
                l->snapshot_id = *fields->snapshot_id;
        (void)snprintf(l->writer, sizeof(l->writer), "%s",
                       fields ? str_or_empty(fields->writer) : "");
        (void)vsnprintf(l->message, sizeof(l->message), format, ap);

        /* Names come from clients: a line stays one line. */
        for (char *c = l->message; *c; c++)
                if ((unsigned char)*c < ' ')
                        *c = ' ';
}

void log_write(int priority, const struct log_fields *fields, const char *file, int line,
               const char *function, const char *format, ...) {
        struct line here, *l = &here;
        int saved = errno;
        va_list ap;

        if (priority > logger.max_priority)
                return;

        (void)pthread_mutex_lock(&logger.mutex);
        if (logger.held > 0 && logger.n_lines == RING_LINES) {
                logger.n_lost++;
                l = NULL;
        } else if (logger.held > 0)
                l = &logger.ring[logger.n_lines++];

        if (l) {
                l->priority = priority;
                l->file = file;
                l->source_line = line;
                l->function = function;
                va_start(ap, format);
                line_format(l, fields, format, ap);
                va_end(ap);
                if (logger.held == 0)
                        line_write(l);
        }
        (void)pthread_mutex_unlock(&logger.mutex);
        errno = saved;
}

void log_hold(void) {
        (void)pthread_mutex_lock(&logger.mutex);
        logger.held++;
        (void)pthread_mutex_unlock(&logger.mutex);
}

bool log_is_held(void) {
        bool held;

        (void)pthread_mutex_lock(&logger.mutex);
        held = logger.held > 0;
        (void)pthread_mutex_unlock(&logger.mutex);
        return held;
}

void log_release(void) {
        size_t lost = 0;

        (void)pthread_mutex_lock(&logger.mutex);
        assert(logger.held > 0);
        if (--logger.held == 0) {
                for (size_t i = 0; i < logger.n_lines; i++)
                        line_write(&logger.ring[i]);
                lost = logger.n_lost;
                logger.n_lines = logger.n_lost = 0;
        }
        (void)pthread_mutex_unlock(&logger.mutex);

        if (lost > 0)
                log_warning("%zu log lines were lost while writes or writers were held: more than "
                            "%d came",
                            lost, RING_LINES);
}
