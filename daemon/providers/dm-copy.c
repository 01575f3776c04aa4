/* See dm-copy.h. Owned by a set in creation, or by whoever parsed it. */

#include "daemon/providers/dm-copy.h"
#include "common/vss-id.h"
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#define NO_UUID "-"
/* dm-ioctl.h: DM_NAME_LEN and DM_UUID_LEN, their NULs included, are 128 and 129. */
#define NAME_MAX_LENGTH 127
#define UUID_MAX_LENGTH 128
#define REAL_SUFFIX "-real"

static const char boot_file[] = "/proc/sys/kernel/random/boot_id";
const char *dm_copy_boot_file = boot_file;
/* It does not change while we run, and is asked for each second, in a write-freeze window too. */
static pthread_mutex_t boot_lock = PTHREAD_MUTEX_INITIALIZER;
static char boot_read[64]; /* "": not yet */

static const char *const kinds[] = {
        [DM_STORE_FILE] = "file",
        [DM_STORE_GROUP] = "group",
        [DM_STORE_DEVICE] = "device",
};

const char *dm_store_kind_to_string(enum dm_store_kind kind) {
        return kinds[kind];
}

int dm_store_kind_from_string(enum dm_store_kind *ret, const char *text) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(text, kinds[i])) {
                        *ret = (enum dm_store_kind)i;
                        return 0;
                }
        return -EINVAL;
}

void dm_copy_done(struct dm_copy *c) {
        free(c->boot);
        free(c->origin);
        free(c->origin_uuid);
        free(c->place);
        free(c->real);
        free(c->copy);
        free(c->store);
        free(c->real_uuid);
        free(c->copy_uuid);
        free(c->store_uuid);
        *c = (struct dm_copy){ 0 };
}

/* What libdevmapper leaves as it is. */
static bool is_plain(const char *s) {
        static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789#+-.:=@_";

        return *s && s[strspn(s, characters)] == '\0';
}

int dm_copy_check_origin(const char *name, const char *uuid) {
        if (!is_plain(name) || strlen(name) + strlen(REAL_SUFFIX) > NAME_MAX_LENGTH ||
            strlen(DM_COPY_UUID_PREFIX) + strlen(name) + strlen(REAL_SUFFIX) > UUID_MAX_LENGTH)
                return -EINVAL;
        if (!str_empty(uuid) && (!is_plain(uuid) || strlen(uuid) > UUID_MAX_LENGTH))
                return -EINVAL;
        return 0;
}

static int derive(struct dm_copy *c) {
        const char *id = VSS_ID_TEXT(c->id);

        if (str_format(&c->real, "%s" REAL_SUFFIX, c->origin) < 0 ||
            str_format(&c->copy, DM_COPY_NAME_PREFIX "%" PRIu64, c->number) < 0 ||
            str_format(&c->store, "%s-cow", c->copy) < 0 ||
            str_format(&c->real_uuid, DM_COPY_UUID_PREFIX "%s" REAL_SUFFIX, c->origin) < 0 ||
            str_format(&c->copy_uuid, DM_COPY_UUID_PREFIX "%s", id) < 0 ||
            str_format(&c->store_uuid, DM_COPY_UUID_PREFIX "%s-cow", id) < 0)
                return -ENOMEM;
        return 0;
}

int dm_copy_init(struct dm_copy *ret, const struct dm_copy *from) {
        _cleanup_(dm_copy_done) struct dm_copy c = {
                .id = from->id,
                .number = from->number,
                .store_kind = from->store_kind,
        };

        if (dm_copy_check_origin(from->origin, from->origin_uuid) < 0 || str_empty(from->place) ||
            strchr(from->place, '\n') || !is_plain(from->boot))
                return -EINVAL;
        if (str_replace(&c.boot, from->boot) < 0 || str_replace(&c.origin, from->origin) < 0 ||
            str_replace(&c.place, from->place) < 0 || derive(&c) < 0)
                return -ENOMEM;
        if (!str_empty(from->origin_uuid) && str_replace(&c.origin_uuid, from->origin_uuid) < 0)
                return -ENOMEM;
        *ret = c;
        c = (struct dm_copy){ 0 };
        return 0;
}

int dm_copy_format(const struct dm_copy *c, char **ret) {
        return str_format(
                ret, "id=%s number=%" PRIu64 " boot=%s origin=%s origin_uuid=%s store=%s:%s\n",
                VSS_ID_TEXT(c->id), c->number, c->boot, c->origin,
                c->origin_uuid ? c->origin_uuid : NO_UUID, kinds[c->store_kind], c->place);
}

static int parse_number(const char *text, uint64_t *ret) {
        char *end;

        if (*text < '0' || *text > '9')
                return -EINVAL;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return errno != 0 || *end ? -EINVAL : 0;
}

/* "KIND:PLACE" */
static int parse_store(struct dm_copy *c, char *text) {
        char *colon = strchr(text, ':');

        if (!colon)
                return -EINVAL;
        *colon = '\0';
        c->place = colon + 1;
        return dm_store_kind_from_string(&c->store_kind, text);
}

int dm_copy_parse(struct dm_copy *ret, const char *line) {
        enum { ID, NUMBER, BOOT, ORIGIN, ORIGIN_UUID, STORE, KEYS };
        static const char *const keys[KEYS] = { "id=",     "number=",      "boot=",
                                                "origin=", "origin_uuid=", "store=" };
        _cleanup_(freep) char *copy = strndup(line, strcspn(line, "\n"));
        struct dm_copy found = { 0 }; /* borrows from the line */
        char *values[KEYS], *rest = copy;
        int r;

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < KEYS; i++) {
                /* The last has the rest of the line: a path may have blanks. */
                char *word = i == STORE ? rest : strsep(&rest, " ");

                if (!word || strncmp(word, keys[i], strlen(keys[i])) != 0)
                        return -EBADMSG;
                values[i] = word + strlen(keys[i]);
        }
        if (vss_id_parse(&found.id, values[ID]) < 0 || vss_id_is_null(found.id) ||
            parse_number(values[NUMBER], &found.number) < 0 ||
            parse_store(&found, values[STORE]) < 0)
                return -EBADMSG;
        found.boot = values[BOOT];
        found.origin = values[ORIGIN];
        found.origin_uuid = streq(values[ORIGIN_UUID], NO_UUID) ? NULL : values[ORIGIN_UUID];
        r = dm_copy_init(ret, &found);
        return r == -EINVAL ? -EBADMSG : r;
}

struct snapshot_devices dm_copy_devices(const struct dm_copy *c) {
        return (struct snapshot_devices){
                .origin = c->origin,
                .real = c->real,
                .copy = c->copy,
                .store = c->store,
                .origin_uuid = c->origin_uuid,
                .real_uuid = c->real_uuid,
                .copy_uuid = c->copy_uuid,
                .store_uuid = c->store_uuid,
                .family = DM_COPY_UUID_PREFIX,
                .family_length = strlen(DM_COPY_UUID_PREFIX),
        };
}

static int read_boot(char text[static sizeof(boot_read)]) {
        _cleanup_(closep) int fd = -1;
        ssize_t l;

        fd = open(dm_copy_boot_file, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        l = read(fd, text, sizeof(boot_read) - 1);
        if (l < 0)
                return -errno;
        text[l] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return is_plain(text) ? 0 : -EBADMSG;
}

int dm_copy_read_boot(char **ret) {
        bool keep = dm_copy_boot_file == boot_file;
        char text[sizeof(boot_read)] = "";
        int r = 0;

        (void)pthread_mutex_lock(&boot_lock); /* a plain mutex of ours */
        if (keep)
                memcpy(text, boot_read, sizeof(text));
        if (!*text)
                r = read_boot(text);
        if (r >= 0 && keep)
                memcpy(boot_read, text, sizeof(boot_read));
        (void)pthread_mutex_unlock(&boot_lock);
        return r < 0 ? r : str_replace(ret, text);
}
