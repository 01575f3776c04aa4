/* See block.h. */

#include "daemon/providers/block.h"
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define ATTRIBUTE_MAX 4096 /* sysfs gives a page at most */
#define SECTOR_SIZE 512

const char *block_sysfs = "/sys";

static int read_attribute(const char *path, char **ret) {
        _cleanup_(closep) int fd = -1;
        char text[ATTRIBUTE_MAX];
        ssize_t l;
        char *copy;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        l = read(fd, text, sizeof(text) - 1);
        if (l < 0)
                return -errno;
        text[l] = '\0';
        text[strcspn(text, "\n")] = '\0';
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

dev_t block_of_path(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

int block_open(const char *path, dev_t devno, int flags, int *ret_fd) {
        _cleanup_(closep) int fd = open(path, flags | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode) || st.st_rdev != devno)
                return -ESTALE;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int device_path(char **ret, dev_t devno, const char *name) {
        return str_format(ret, "%s/dev/block/%u:%u%s%s", block_sysfs, major(devno), minor(devno),
                          *name ? "/" : "", name);
}

int block_attribute(dev_t devno, const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = device_path(&path, devno, name);
        if (r < 0)
                return r;
        return read_attribute(path, ret);
}

/* Like block_attribute(), but what is not there leaves *ret alone and is no error. */
static int optional_attribute(dev_t devno, const char *name, char **ret) {
        int r = block_attribute(devno, name, ret);

        return r == -ENOENT || r == -ENXIO ? 0 : r;
}

static int number_attribute(dev_t devno, const char *name, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;
        char *end;
        int r;

        r = block_attribute(devno, name, &text);
        if (r < 0)
                return r;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return errno != 0 || end == text || *end ? -EINVAL : 0;
}

/* The kernel's own name in its uevent file, where slashes are slashes ("cciss/c0d0"). */
static int kernel_path(dev_t devno, char **ret) {
        _cleanup_(freep) char *path = NULL, *line = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        size_t size = 0;
        int r = -ENOENT;

        if (device_path(&path, devno, "uevent") < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (r == -ENOENT && getline(&line, &size, f) > 0) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, "DEVNAME=", 8) == 0)
                        r = str_format(ret, "/dev/%s", line + 8);
        }
        return r;
}

void block_done(struct block *b) {
        free(b->path);
        free(b->dm_name);
        free(b->dm_uuid);
        free(b->backing_file);
        *b = (struct block){ 0 };
}

int block_read(struct block *ret, dev_t devno) {
        _cleanup_(block_done) struct block b = { .devno = devno };
        uint64_t sectors, read_only = 0;
        int r;

        r = number_attribute(devno, "size", &sectors);
        if (r == -ENOENT)
                return -ENODEV;
        if (r < 0)
                return r;
        b.size = sectors * SECTOR_SIZE;
        r = number_attribute(devno, "ro", &read_only);
        if (r < 0 && r != -ENOENT)
                return r;
        b.read_only = read_only != 0;

        r = optional_attribute(devno, "dm/name", &b.dm_name);
        if (r >= 0)
                r = optional_attribute(devno, "dm/uuid", &b.dm_uuid);
        if (r >= 0)
                r = optional_attribute(devno, "loop/backing_file", &b.backing_file);
        if (r >= 0)
                r = b.dm_name ? str_format(&b.path, "/dev/mapper/%s", b.dm_name)
                              : kernel_path(devno, &b.path);
        if (r < 0)
                return r;
        *ret = b;
        b = (struct block){ 0 };
        return 0;
}

static int parse_devno(const char *text, dev_t *ret) {
        unsigned major_number, minor_number;
        char rest;

        if (sscanf(text, "%u:%u%c", &major_number, &minor_number, &rest) != 2)
                return -EINVAL;
        *ret = makedev(major_number, minor_number);
        return 0;
}

/* The device numbers of all entries of a folder whose names begin with `prefix`. */
static int read_folder(const char *path, const char *prefix, dev_t **ret, size_t *ret_n) {
        _cleanup_(freep) dev_t *devices = NULL;
        _cleanup_(closedirp) DIR *folder = NULL;
        size_t n = 0;
        struct dirent *entry;

        folder = opendir(path);
        if (!folder && errno != ENOENT)
                return -errno;
        while (folder && (entry = readdir(folder))) {
                _cleanup_(freep) char *attribute = NULL, *text = NULL;
                dev_t *longer;
                dev_t devno;
                int r;

                if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
                        continue;
                r = str_format(&attribute, "%s/%s/dev", path, entry->d_name);
                if (r < 0)
                        return r;
                r = read_attribute(attribute, &text);
                if (r == -ENOENT)
                        continue; /* it went away meanwhile */
                if (r >= 0)
                        r = parse_devno(text, &devno);
                if (r < 0)
                        return r;
                longer = reallocarray(devices, n + 1, sizeof(*devices));
                if (!longer)
                        return -ENOMEM;
                devices = longer;
                devices[n++] = devno;
        }
        *ret = TAKE_PTR(devices);
        *ret_n = n;
        return 0;
}

int block_relatives(dev_t devno, const char *folder, dev_t **ret, size_t *ret_n) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = device_path(&path, devno, folder);
        if (r < 0)
                return r;
        return read_folder(path, "", ret, ret_n);
}

dev_t block_disk(dev_t devno) {
        _cleanup_(freep) char *partition = NULL, *text = NULL;
        dev_t disk;

        if (block_attribute(devno, "partition", &partition) < 0 ||
            block_attribute(devno, "../dev", &text) < 0 || parse_devno(text, &disk) < 0)
                return devno;
        return disk;
}

/* The devices of one group, if devno is among them; it leaves the list then. */
static int read_group(const char *groups, const char *name, dev_t devno, dev_t **ret,
                      size_t *ret_n) {
        _cleanup_(freep) dev_t *devices = NULL;
        _cleanup_(freep) char *path = NULL;
        size_t n = 0;
        int r;

        r = str_format(&path, "%s/%s/devices", groups, name);
        if (r >= 0)
                r = read_folder(path, "", &devices, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (devices[i] == devno) {
                        devices[i] = devices[n - 1];
                        *ret = TAKE_PTR(devices);
                        *ret_n = n - 1;
                        return 1;
                }
        return 0;
}

int block_companions(dev_t devno, const char *folder, dev_t **ret, size_t *ret_n) {
        _cleanup_(closedirp) DIR *groups = NULL;
        _cleanup_(freep) char *path = NULL;
        struct dirent *entry;
        int r;

        r = str_format(&path, "%s/%s", block_sysfs, folder);
        if (r < 0)
                return r;
        groups = opendir(path);
        if (!groups && errno != ENOENT)
                return -errno;
        while (r == 0 && groups && (entry = readdir(groups)))
                if (entry->d_name[0] != '.')
                        r = read_group(path, entry->d_name, devno, ret, ret_n);
        if (r == 0) {
                *ret = NULL;
                *ret_n = 0;
        }
        return r < 0 ? r : 0;
}

int block_list_mapped(dev_t **ret, size_t *ret_n) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = str_format(&path, "%s/class/block", block_sysfs);
        if (r < 0)
                return r;
        return read_folder(path, "dm-", ret, ret_n);
}
