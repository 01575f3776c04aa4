/* See file-system.h. The superblocks are read here because libblkid tells of ext4's journal only,
 * and not of XFS's log and realtime devices; their layouts are the kernel's on-disk formats. */

#include "daemon/providers/file-system.h"
#include <endian.h>

/* Why a file system is refused. A name with a dot at its end stands for all that begin so. */
static const struct refused {
        const char *type;
        const char *reason;
        bool local;
        bool has_snapshots; /* of its own making; and it can be mounted */
} refused[] = {
        { .type = "overlay",
          .reason = "it is an overlay; name the volume that its upper directory lies on" },
        { .type = "btrfs",
          .reason = "a block-level copy of btrfs has the identity of its origin and must not be "
                    "seen beside it, and other devices may be parts of it; register the provider "
                    "for it (vss-btrfs-provider --register), or make a snapshot of its own (btrfs "
                    "subvolume snapshot)",
          .local = true,
          .has_snapshots = true },
        { .type = "zfs",
          .reason = "ZFS keeps its own snapshots and has no block device to copy; use them (zfs "
                    "snapshot)",
          .local = true,
          .has_snapshots = true },
        { .type = "zfs_member",
          .reason = "it is a part of a ZFS pool, which keeps its own snapshots; use them (zfs "
                    "snapshot)",
          .local = true },
        { .type = "bcachefs",
          .reason = "it can span several devices, and a copy of one is not a copy of it; make a "
                    "snapshot of its own (bcachefs subvolume snapshot)",
          .local = true,
          .has_snapshots = true },
        { .type = "gfs2",
          .reason = "other hosts write to it at the same time, and this one cannot stop them" },
        { .type = "ocfs2",
          .reason = "other hosts write to it at the same time, and this one cannot stop them" },
        { .type = "jbd",
          .reason = "it is the journal of an ext4 file system on another device, of no use without "
                    "it; give that a journal of its own (tune2fs -J)",
          .local = true },
        { .type = "xfs_external_log",
          .reason = "it is the log of an XFS file system on another device, of no use without it",
          .local = true },
        { .type = "tmpfs", .reason = "its contents are in memory only" },
        { .type = "ramfs", .reason = "its contents are in memory only" },
        { .type = "devtmpfs", .reason = "its contents are in memory only" },
        { .type = "nfs", .reason = "it is on another machine; make the snapshot there" },
        { .type = "nfs4", .reason = "it is on another machine; make the snapshot there" },
        { .type = "cifs", .reason = "it is on another machine; make the snapshot there" },
        { .type = "smb3", .reason = "it is on another machine; make the snapshot there" },
        { .type = "ceph", .reason = "it is on other machines; make the snapshot there" },
        { .type = "9p", .reason = "it is on another machine; make the snapshot there" },
        { .type = "virtiofs", .reason = "it is on the host; make the snapshot there" },
        { .type = "fuse",
          .reason = "a FUSE file system cannot be frozen; name the volume below it" },
        { .type = "fuse.",
          .reason = "a FUSE file system cannot be frozen; name the volume below it" },
        { .type = "fuseblk",
          .reason = "a FUSE file system cannot be frozen: what its process keeps in memory would "
                    "be missing; unmount it, and name its device",
          .local = true },
        { .type = "autofs", .reason = "nothing is mounted there until somebody looks into it" },
};

static bool type_matches(const char *pattern, const char *type) {
        size_t length = strlen(pattern);

        if (pattern[length - 1] == '.')
                return strncmp(pattern, type, length) == 0;
        return streq(pattern, type);
}

static const struct refused *find(const char *type) {
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
                if (type_matches(refused[i].type, type))
                        return &refused[i];
        return NULL;
}

int file_system_check_type(const char *type, const char *name, const char *detail,
                           struct vss_error *reterr) {
        const struct refused *f = find(type);

        if (!f)
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "%s cannot be copied: %s (file system %s%s%s)", name, f->reason, type,
                             detail ? ", " : "", str_or_empty(detail));
}

bool file_system_has_own_snapshots(const char *type) {
        const struct refused *f = find(type);

        return f && f->has_snapshots;
}

bool file_system_is_local(const char *type) {
        const struct refused *f = find(type);

        return f && f->local;
}

#define EXT_SUPERBLOCK 1024
#define EXT_MAGIC 0xEF53
#define EXT_HAS_JOURNAL 0x4U

struct ext_superblock {
        uint8_t unused_1[0x38];
        uint16_t magic;
        uint8_t unused_2[0x5C - 0x3A];
        uint32_t feature_compat;
        uint8_t unused_3[0xE0 - 0x60];
        uint32_t journal_inode; /* 0: it is on another device */
};

static const char *ext_part(int fd) {
        struct ext_superblock s;

        if (pread(fd, &s, sizeof(s), EXT_SUPERBLOCK) != (ssize_t)sizeof(s) ||
            le16toh(s.magic) != EXT_MAGIC || !(le32toh(s.feature_compat) & EXT_HAS_JOURNAL) ||
            s.journal_inode != 0)
                return NULL;
        return "its journal is on another device; give it one of its own (tune2fs -O ^has_journal, "
               "then tune2fs -j)";
}

struct xfs_superblock {
        char magic[4];
        uint8_t unused_1[12];
        uint64_t realtime_blocks;
        uint8_t unused_2[24];
        uint64_t log_start; /* 0: it is on another device */
};

static const char *xfs_part(int fd) {
        struct xfs_superblock s;

        if (pread(fd, &s, sizeof(s), 0) != (ssize_t)sizeof(s) || memcmp(s.magic, "XFSB", 4) != 0)
                return NULL;
        if (s.log_start == 0)
                return "its log is on another device, which the copy would lack";
        if (s.realtime_blocks != 0)
                return "a part of its data is on a realtime device, which the copy would lack";
        return NULL;
}

int file_system_check_parts(int fd, const char *type, const char *name, struct vss_error *reterr) {
        static const struct {
                const char *type;
                const char *(*part)(int fd);
        } known[] = {
                { .type = "ext3", .part = ext_part },
                { .type = "ext4", .part = ext_part },
                { .type = "xfs", .part = xfs_part },
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                const char *part = streq(type, known[i].type) ? known[i].part(fd) : NULL;

                if (part)
                        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                             "%s cannot be copied: %s (file system %s)", name, part,
                                             type);
        }
        return 0;
}
