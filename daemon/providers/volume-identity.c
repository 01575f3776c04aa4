/* See volume-identity.h. That a tool has done what it was asked is seen on the device: xfs_admin
 * can fail and say so with its words alone. */

#include "daemon/providers/volume-identity.h"
#include "common/time-util.h"
#include "daemon/job/run-program.h"
#include <blkid/blkid.h>
#include <fcntl.h>
#include <stdio.h>

/* They write superblocks; a pool or a disk may be slow. */
#define TOOL_TIMEOUT_USEC (10 * 60 * USEC_PER_SEC)

const char *volume_identity_tools;

void volume_identity_done(struct volume_identity *i) {
        free(i->type);
        free(i->uuid);
        *i = (struct volume_identity){ 0 };
}

static void free_probep(blkid_probe *p) {
        blkid_free_probe(*p);
}

static int take_values(struct volume_identity *i, blkid_probe probe) {
        static const struct {
                const char *type, *uuid;
        } names[] = {
                { .type = "TYPE", .uuid = "UUID" },
                { .type = "PTTYPE", .uuid = "PTUUID" },
        };

        for (size_t k = 0; !i->type && k < ARRAY_SIZE(names); k++) {
                const char *type, *uuid;

                if (blkid_probe_lookup_value(probe, names[k].type, &type, NULL) != 0)
                        continue;
                if (blkid_probe_lookup_value(probe, names[k].uuid, &uuid, NULL) != 0)
                        uuid = NULL;
                if (str_replace(&i->type, type) < 0 || str_replace(&i->uuid, uuid) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int volume_identity_read(struct volume_identity *ret, const char *device,
                         struct vss_error *reterr) {
        _cleanup_(volume_identity_done) struct volume_identity i = { 0 };
        _cleanup_(free_probep) blkid_probe probe = NULL;
        _cleanup_(closep) int fd = -1;
        int r = 0;

        fd = open(device, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, errno,
                                     "%s cannot be read: %s", device, strerror(errno));
        probe = blkid_new_probe();
        if (!probe)
                return vss_error_from_errno(reterr, -ENOMEM, device);
        (void)blkid_probe_enable_superblocks(probe, 1); /* these have no way to fail */
        (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID);
        (void)blkid_probe_enable_partitions(probe, 1);
        /* Too small for any signature, or none, or more than one: nothing that is known of it. */
        if (blkid_probe_set_device(probe, fd, 0, 0) == 0 && blkid_do_safeprobe(probe) == 0)
                r = take_values(&i, probe);
        if (r < 0)
                return vss_error_from_errno(reterr, r, device);
        *ret = i;
        i = (struct volume_identity){ 0 };
        return 0;
}

/* A tool, called with a UUID and a device: "%u", "%d" and the rest as it is. */
#define WORDS_MAX 8
struct tool {
        const char *type, *program;
        const char *words[WORDS_MAX];
};

/* Of a file system with checksums tune2fs would write all of its metadata again, since the UUID is
 * the seed of each, and in a thin pool every block of that costs one. With the seed kept in the
 * superblock (Linux 4.4) the UUID is a matter of that alone; where there are no such checksums the
 * option is refused, and not needed. */
#define TUNE2FS(fs)                                                               \
        { .type = (fs),                                                           \
          .program = "tune2fs",                                                   \
          .words = { "-O", "metadata_csum_seed", "-U", "%u", "%d" } },            \
        {                                                                         \
                .type = (fs), .program = "tune2fs", .words = { "-U", "%u", "%d" } \
        }

static const struct tool tools[] = {
        TUNE2FS("ext4"),
        TUNE2FS("ext3"),
        TUNE2FS("ext2"),
        { .type = "xfs", .program = "xfs_admin", .words = { "-U", "%u", "%d" } },
};

static char *find_program(const char *name) {
        static const char *const directories[] = { "/usr/sbin", "/sbin" };
        char *path = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
                const char *directory =
                        volume_identity_tools ? volume_identity_tools : directories[i];

                free(path);
                if (str_format(&path, "%s/%s", directory, name) < 0)
                        return NULL;
                if (access(path, X_OK) == 0)
                        return path;
        }
        free(path);
        return NULL;
}

int volume_identity_check(const struct volume_identity *i, const char *name,
                          struct vss_error *reterr) {
        const struct tool *tool = NULL;
        _cleanup_(freep) char *path = NULL;

        if (!i->uuid)
                return 0;
        for (size_t k = 0; !tool && k < ARRAY_SIZE(tools); k++)
                if (streq(tools[k].type, i->type))
                        tool = &tools[k];
        if (!tool)
                return vss_error_set(reterr, VSS_E_BREAK_REVERT_ID_FAILED, EOPNOTSUPP,
                                     "The copy of %s is of the type %s, whose UUID (%s) this "
                                     "service cannot change; break it without asking for another "
                                     "one, and change it with its own tools",
                                     name, i->type, i->uuid);
        path = find_program(tool->program);
        return path ? 0
                    : vss_error_set(reterr, VSS_E_BREAK_REVERT_ID_FAILED, ENOENT,
                                    "The copy of %s is of the type %s, and %s, which could change "
                                    "its UUID, is not installed",
                                    name, i->type, tool->program);
}

static int run_tool(const struct tool *t, const char *device, const char *uuid,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *program = find_program(t->program);
        char *argv[WORDS_MAX + 2] = { program };

        if (!program)
                return vss_error_set(reterr, VSS_E_BREAK_REVERT_ID_FAILED, ENOENT,
                                     "%s is not installed", t->program);
        for (size_t i = 0; i < WORDS_MAX && t->words[i]; i++) {
                const char *word = t->words[i];

                if (streq(word, "%u"))
                        word = uuid;
                else if (streq(word, "%d"))
                        word = device;
                argv[i + 1] = (char *)(uintptr_t)word; /* execve() changes none */
        }
        return run_program(argv, TOOL_TIMEOUT_USEC, reterr);
}

static int has(const char *device, const char *type, const char *uuid, bool *ret,
               struct vss_error *reterr) {
        _cleanup_(volume_identity_done) struct volume_identity now = { 0 };
        int r;

        r = volume_identity_read(&now, device, reterr);
        if (r >= 0)
                *ret = streq(str_or_empty(now.type), type) &&
                       strcasecmp(str_or_empty(now.uuid), uuid) == 0;
        return r;
}

int volume_identity_write(const char *device, const char *type, const char *uuid,
                          struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        bool done;
        int r;

        r = has(device, type, uuid, &done, reterr);
        for (size_t i = 0; r >= 0 && !done && i < ARRAY_SIZE(tools); i++) {
                if (!streq(tools[i].type, type))
                        continue;
                vss_error_done(&error);
                (void)run_tool(&tools[i], device, uuid, &error); /* what it did is looked at */
                r = has(device, type, uuid, &done, reterr);
        }
        if (r < 0 || done)
                return r;
        return vss_error_set(reterr, VSS_E_BREAK_REVERT_ID_FAILED, EIO,
                             "The UUID of the file system (%s) on %s could not be changed: %s",
                             type, device,
                             error.message ? error.message : "there is no tool for that");
}
