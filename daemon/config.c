/* /etc/vss/vssd.conf: see config.h. One table says which keys there are. */

#include "daemon/config.h"

#include "common/backup-snapshots.h"
#include "common/time-util.h"
#include "daemon/providers/dm-place.h"
#include "daemon/providers/exposed-share.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define CONFIG_BYTES_MAX ((size_t)64 * 1024)
#define LINE_MAX_BYTES 512

enum value_type { VALUE_TIME, VALUE_COUNT, VALUE_SIZE };

static const struct key {
        const char *section, *name;
        enum value_type type;
        size_t offset;
        uint64_t least, most; /* seconds, a count or MiB */
} keys[] = {
#define TIME(section_name, key_name, member, from, to) \
        { section_name, key_name, VALUE_TIME, offsetof(struct config, member), from, to }
#define COUNT(section_name, key_name, member, from, to) \
        { section_name, key_name, VALUE_COUNT, offsetof(struct config, member), from, to }
#define SIZE(section_name, key_name, member, from, to) \
        { section_name, key_name, VALUE_SIZE, offsetof(struct config, member), from, to }
        /* The documented limits are also the most that can be set. */
        TIME("Timeouts", "Freeze", session.freeze_usec, 1, 60),
        TIME("Timeouts", "Flush", session.flush_usec, 1, 120),
        TIME("Timeouts", "Hold", session.hold_usec, 1, 10),
        TIME("Timeouts", "PrepareSnapshot", session.prepare_snapshot_usec, 1, 86400),
        TIME("Timeouts", "PostSnapshot", session.post_snapshot_usec, 1, 86400),
        TIME("Timeouts", "Event", session.event_usec, 1, 86400),
        /* And what is suspended, before it: less than TimeoutStartSec= of the unit at first. */
        TIME("Timeouts", "Recovery", session.recovery_usec, 1, 240),
        TIME("Timeouts", "Provider", provider_usec, 1, 180),
        COUNT("Limits", "Volumes", session.max_volumes, 1, BACKUP_SNAPSHOTS_MAX),
        COUNT("Limits", "Snapshots", session.max_snapshots, 1, 512),
        COUNT("Limits", "ClientSnapshots", session.max_client_snapshots, 1, 512),
        /* Of what a writer takes part in there are other limits: see writer-private.h. */
        COUNT("Limits", "Sessions", session.max_sessions, 1, 4096),
        TIME("Daemon", "Stop", stop_usec, 1, 3600),
        TIME("Daemon", "ExitIdle", exit_idle_usec, 1, 86400 * 365),
        SIZE("Areas", "Start", area_start_bytes, 32, UINT64_C(1) << 20),
        SIZE("Areas", "Maximum", session.area_volume_bytes, 32, UINT64_MAX),
        SIZE("Areas", "MaximumInAll", session.area_all_bytes, 32, UINT64_MAX),
#undef TIME
#undef COUNT
#undef SIZE
};

void config_defaults(struct config *c) {
        *c = (struct config){
                .provider_usec = 180 * USEC_PER_SEC,
                .stop_usec = 60 * USEC_PER_SEC,
                .exit_idle_usec = USEC_INFINITY,
        };
        session_config_defaults(&c->session);
}

void config_done(struct config *c) {
        c->stores = strv_free(c->stores);
        c->nfs_clients = strv_free(c->nfs_clients);
}

/* "90", "90s", "500ms", "5min", "2h", "infinity". */
static int parse_time(uint64_t *ret, const char *text) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "", USEC_PER_SEC },         { "s", USEC_PER_SEC },        { "ms", USEC_PER_MSEC },
                { "min", 60 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC },
        };
        unsigned long long number;
        char *end = NULL;

        if (streq(text, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }
        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0)
                return -ERANGE;
        while (*end == ' ')
                end++;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (streq(units[i].name, end)) {
                        if (number > UINT64_MAX / units[i].usec)
                                return -ERANGE;
                        *ret = number * units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

static int parse_count(unsigned *ret, const char *text) {
        unsigned long number;
        char *end = NULL;

        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno != 0 || *end != '\0' || number > UINT_MAX)
                return -EINVAL;
        *ret = (unsigned)number;
        return 0;
}

static int set_time(struct config *c, const struct key *k, const char *value, const char *path,
                    unsigned line, struct vss_error *reterr) {
        uint64_t usec;
        bool never_allowed = streq(k->name, "ExitIdle");

        if (parse_time(&usec, value) < 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s:%u: %s is no time; write it as 90, 90s, 500ms, 5min or 2h",
                                     path, line, value);
        if (!(usec == USEC_INFINITY && never_allowed) &&
            (usec < k->least * USEC_PER_SEC || usec > k->most * USEC_PER_SEC))
                return vss_error_set(
                        reterr, E_INVALIDARG, ERANGE, "%s:%u: %s can be from %llu s to %llu s%s",
                        path, line, k->name, (unsigned long long)k->least,
                        (unsigned long long)k->most, never_allowed ? ", or infinity" : "");
        *(uint64_t *)(void *)((char *)c + k->offset) = usec;
        return 0;
}

static int set_count(struct config *c, const struct key *k, const char *value, const char *path,
                     unsigned line, struct vss_error *reterr) {
        unsigned count;

        if (parse_count(&count, value) < 0 || count < k->least || count > k->most)
                return vss_error_set(reterr, E_INVALIDARG, ERANGE,
                                     "%s:%u: %s is a number from %llu to %llu", path, line, k->name,
                                     (unsigned long long)k->least, (unsigned long long)k->most);
        *(unsigned *)(void *)((char *)c + k->offset) = count;
        return 0;
}

/* "320M", "2G", "1T", "infinity"; binary. */
static int parse_size(uint64_t *ret, const char *text) {
        static const char units[] = "KMGT";
        unsigned long long number;
        const char *unit;
        unsigned shift = 0;
        char *end = NULL;

        if (streq(text, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        if (text[0] < '0' || text[0] > '9')
                return -EINVAL;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0)
                return -ERANGE;
        unit = *end ? strchr(units, *end) : NULL;
        if (unit) {
                shift = 10 * (unsigned)(unit - units + 1);
                end++;
        }
        if (*end != '\0' || number > UINT64_MAX >> shift)
                return -EINVAL;
        *ret = number << shift;
        return 0;
}

static int set_size(struct config *c, const struct key *k, const char *value, const char *path,
                    unsigned line, struct vss_error *reterr) {
        uint64_t bytes;

        if (parse_size(&bytes, value) < 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s:%u: %s is no size; write it as 320M, 2G, 1T or infinity",
                                     path, line, value);
        if (bytes >> 20 < k->least || (k->most != UINT64_MAX && bytes >> 20 > k->most))
                return vss_error_set(reterr, E_INVALIDARG, ERANGE, "%s:%u: %s is at least %lluM%s",
                                     path, line, k->name, (unsigned long long)k->least,
                                     k->most == UINT64_MAX ? "" : ", and at most 1T");
        *(uint64_t *)(void *)((char *)c + k->offset) = bytes;
        return 0;
}

static bool is_section(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (streq(keys[i].section, name))
                        return true;
        return streq(name, "Stores") || streq(name, "Shares");
}

/* A section whose names are volumes. */
static int add_store(struct config *c, const char *volume, const char *places, const char *path,
                     unsigned line, struct vss_error *reterr) {
        _cleanup_(freep) char *text = NULL;

        if (dm_places_check_line(volume, places, reterr) < 0)
                return vss_error_prefix(reterr, "%s:%u", path, line);
        if (str_format(&text, "%s=%s", volume, places) < 0 || strv_append(&c->stores, text) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        return 0;
}

/* A list, and with nothing in it an empty one. */
static int set_nfs_clients(struct config *c, const char *value, const char *path, unsigned line,
                           struct vss_error *reterr) {
        _cleanup_(freep) char *words = strdup(value);
        char *rest, *word;
        int r = 0;

        if (!words)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        c->nfs_clients = strv_free(c->nfs_clients);
        for (word = strtok_r(words, " \t", &rest); r >= 0 && word;
             word = strtok_r(NULL, " \t", &rest)) {
                if (exposed_share_check_client(word, reterr) < 0)
                        return vss_error_prefix(reterr, "%s:%u", path, line);
                r = strv_append(&c->nfs_clients, word);
        }
        return r < 0 ? vss_error_from_errno(reterr, r, path) : 0;
}

static int set_key(struct config *c, const char *section, const char *name, const char *value,
                   const char *path, unsigned line, struct vss_error *reterr) {
        if (streq(section, "Stores"))
                return add_store(c, name, value, path, line, reterr);
        if (streq(section, "Shares") && streq(name, "NfsClients"))
                return set_nfs_clients(c, value, path, line, reterr);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                if (!streq(keys[i].section, section) || !streq(keys[i].name, name))
                        continue;
                switch (keys[i].type) {
                case VALUE_TIME: return set_time(c, &keys[i], value, path, line, reterr);
                case VALUE_COUNT: return set_count(c, &keys[i], value, path, line, reterr);
                case VALUE_SIZE: return set_size(c, &keys[i], value, path, line, reterr);
                }
        }
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "%s:%u: there is no setting %s in a section [%s]; see vssd(8)", path,
                             line, name, section);
}

static char *strip(char *s) {
        size_t n;

        s += strspn(s, " \t\r");
        n = strlen(s);
        while (n > 0 && strchr(" \t\r", s[n - 1]))
                s[--n] = '\0';
        return s;
}

static int parse_line(struct config *c, char section[static LINE_MAX_BYTES], char *text,
                      const char *path, unsigned line, struct vss_error *reterr) {
        char *value;
        size_t n;

        text = strip(text);
        n = strlen(text);
        if (n == 0 || text[0] == '#' || text[0] == ';')
                return 0;
        if (n >= LINE_MAX_BYTES)
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s:%u: the line is too long", path,
                                     line);
        if (text[0] == '[' && text[n - 1] == ']') {
                text[n - 1] = '\0';
                if (!is_section(text + 1))
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "%s:%u: there is no section [%s]; see vssd(8)", path,
                                             line, text + 1);
                (void)snprintf(section, LINE_MAX_BYTES, "%s", text + 1);
                return 0;
        }
        value = strchr(text, '=');
        if (!value)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s:%u: a line is [Section], Name=Value or a # comment", path,
                                     line);
        *value++ = '\0';
        return set_key(c, section, strip(text), strip(value), path, line, reterr);
}

int config_parse(struct config *c, const char *text, const char *path, struct vss_error *reterr) {
        _cleanup_(freep) char *copy = NULL;
        char section[LINE_MAX_BYTES] = "", *rest, *line;
        unsigned n = 0;
        int r = 0;

        copy = strdup(text);
        if (!copy)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        rest = copy;
        while (r >= 0 && (line = strsep(&rest, "\n")))
                r = parse_line(c, section, line, path, ++n, reterr);
        return r;
}

int config_load(struct config *c, const char *path, bool required, struct vss_error *reterr) {
        _cleanup_(closep) int fd = -1;
        _cleanup_(freep) char *text = NULL;
        size_t n = 0;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) {
                int error = errno;

                if (error == ENOENT && !required)
                        return 0;
                return vss_error_set(reterr, E_INVALIDARG, error, "Cannot read %s: %s", path,
                                     strerror(error));
        }
        text = calloc(1, CONFIG_BYTES_MAX + 1);
        if (!text)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        while (n < CONFIG_BYTES_MAX) {
                ssize_t k = read(fd, text + n, CONFIG_BYTES_MAX - n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0) {
                        int error = errno;

                        return vss_error_set(reterr, E_INVALIDARG, error, "Cannot read %s: %s",
                                             path, strerror(error));
                }
                if (k == 0)
                        break;
                n += (size_t)k;
        }
        if (n == CONFIG_BYTES_MAX || strlen(text) != n)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s is no configuration file: it is "
                                     "larger than %zu bytes or not text",
                                     path, CONFIG_BYTES_MAX - 1);
        return config_parse(c, text, path, reterr);
}
