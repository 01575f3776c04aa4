/* All volumes of the host, for whoever wants to choose one. What cannot be opened (a hidden
 * device, swap, a file system on another machine) is no volume and is left out. */

#include "daemon/providers/block.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/volume.h"
#include <sys/sysmacros.h>

struct list {
        struct volume **items;
        size_t n;
};

void volumes_free(struct volume **v, size_t n) {
        for (size_t i = 0; i < n; i++)
                volume_free(v[i]);
        free(v);
}

static void list_done(struct list *l) {
        volumes_free(l->items, l->n);
}

static bool list_has(const struct list *l, dev_t devno) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i]->devno == devno)
                        return true;
        return false;
}

static int list_add(struct list *l, const char *spec) {
        _cleanup_(volume_freep) struct volume *v = NULL;
        struct volume **longer;
        int r;

        r = volume_open(&v, spec, NULL);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || list_has(l, v->devno))
                return 0;
        longer = reallocarray(l->items, l->n + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        l->items = longer;
        l->items[l->n++] = TAKE_PTR(v);
        return 0;
}

/* Images of packages and installation media: nobody wants a copy of them. */
static bool is_image(const char *fs_type) {
        static const char *const images[] = { "squashfs", "erofs", "iso9660", "udf", "cramfs" };

        for (size_t i = 0; i < ARRAY_SIZE(images); i++)
                if (streq(fs_type, images[i]))
                        return true;
        return false;
}

static int add_mounted(struct list *l, struct libmnt_table *mounts) {
        struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r = 0;

        if (!i)
                return -ENOMEM;
        while (r >= 0 && mnt_table_next_fs(mounts, i, &fs) == 0) {
                dev_t devno = mnt_fs_get_devno(fs);

                if (major(devno) != 0 && !list_has(l, devno) && mnt_fs_get_target(fs) &&
                    !is_image(str_or_empty(mnt_fs_get_fstype(fs))))
                        r = list_add(l, mnt_fs_get_target(fs));
        }
        mnt_free_iter(i);
        return r;
}

static int add_unmounted(struct list *l) {
        _cleanup_(freep) dev_t *devices = NULL;
        size_t n = 0;
        int r;

        r = block_list_mapped(&devices, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(block_done) struct block b = { 0 };

                if (!list_has(l, devices[i]) && block_read(&b, devices[i]) >= 0)
                        r = list_add(l, b.path);
        }
        return r;
}

static int compare(const void *a, const void *b) {
        const struct volume *const *left = a, *const *right = b;

        return strcmp((*left)->name, (*right)->name);
}

int volume_list(struct volume ***ret, size_t *ret_n, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *mounts = NULL;
        _cleanup_(list_done) struct list l = { 0 };
        int r;

        r = mount_table_read(&mounts);
        if (r >= 0)
                r = add_mounted(&l, mounts);
        if (r >= 0)
                r = add_unmounted(&l);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot list the volumes");
        if (l.n > 0)
                qsort(l.items, l.n, sizeof(*l.items), compare);
        *ret = TAKE_PTR(l.items);
        *ret_n = l.n;
        l.n = 0;
        return 0;
}
