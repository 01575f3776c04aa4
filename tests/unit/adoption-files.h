#pragma once

/* A folder with the files that adoption reads and writes, for its tests: fstab, the list, a tree
 * below /sys, nodes. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/fstab.h"
#include "daemon/adoption/mapping.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define UUID "c0ffee00-1234-4321-9876-0123456789ab"

static char top[64], fstab_file[96], adopted_file[96];

static inline void setup(void) {
        (void)snprintf(top, sizeof(top), "/tmp/test-adoption.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(top));
        (void)snprintf(fstab_file, sizeof(fstab_file), "%s/fstab", top);
        (void)snprintf(adopted_file, sizeof(adopted_file), "%s/adopted", top);
        fstab_path = fstab_file;
        adopted_directory = top;
        mapping_dev = top;
}

static inline int remove_entry(const char *path, const struct stat *st, int flag,
                               struct FTW *walk) {
        (void)st;
        (void)flag;
        (void)walk;
        return remove(path);
}

static inline void teardown(void) {
        ck_assert_int_eq(nftw(top, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void put_bytes(const char *path, const char *bytes, size_t n) {
        FILE *f = fopen(path, "we");

        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
        ck_assert_int_eq(fclose(f), 0);
}

static inline void put(const char *path, const char *text) {
        put_bytes(path, text, strlen(text));
}

/* "" if it is not there. */
static inline const char *get(const char *path) {
        static char text[65536];
        FILE *f = fopen(path, "re");

        text[0] = '\0';
        if (!f)
                return text;
        text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
        (void)fclose(f);
        return text;
}

static inline const char *below(const char *name) {
        static char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        return path;
}

static inline void read_list(struct adopted_list *list) {
        struct vss_error error = { 0 };

        ck_assert_msg(adopted_list_read(list, &error) >= 0, "%s", str_or_empty(error.message));
}

static inline void read_fstab(struct fstab *f) {
        struct vss_error error = { 0 };

        ck_assert_msg(fstab_read(f, &error) >= 0, "%s", str_or_empty(error.message));
}

static inline void make(struct adopted *a, const char *name) {
        *a = (struct adopted){ .size = 4096 };
        ck_assert_int_eq(str_replace(&a->name, name), 0);
        ck_assert_int_eq(str_replace(&a->uuid, UUID), 0);
        ck_assert_int_eq(str_replace(&a->type, "ext4"), 0);
}

static inline void put_below(const char *path, const char *text) {
        char whole[512];

        (void)snprintf(whole, sizeof(whole), "%s/%s", top, path);
        for (char *slash = strchr(whole + strlen(top) + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                ck_assert(mkdir(whole, 0700) == 0 || errno == EEXIST);
                *slash = '/';
        }
        put(whole, text);
}

/* A node that nobody opens. */
static inline void make_node(const char *path, unsigned node_major, unsigned node_minor) {
        ck_assert_msg(mknod(path, S_IFBLK | 0600, makedev(node_major, node_minor)) == 0,
                      "only root can make a device's node (%s); run this test as root",
                      strerror(errno));
}
