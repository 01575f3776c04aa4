/* All volumes of the host, for whoever wants to choose one, or to know why one cannot be chosen.
 * What is no volume of this host (a part of one, a copy of ours, memory, a network's) is left out.
 */

#include "daemon/providers/block.h"
#include "daemon/providers/file-system.h"
#include "daemon/providers/lvm-name.h"
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

static int list_append(struct list *l, struct volume *v) {
        struct volume **longer = reallocarray(l->items, l->n + 1, sizeof(*longer));

        if (!longer)
                return -ENOMEM;
        l->items = longer;
        l->items[l->n++] = v;
        return 0;
}

/* What could be a volume and is not, as far as it is known. */
struct sight {
        const char *name, *mount_point, *device, *fs_type;
        dev_t devno;
};

/* As an unmounted volume that can be opened is called. */
static int device_name(char **ret, const struct block *b, const char *otherwise) {
        _cleanup_(freep) char *vg = NULL, *lv = NULL, *layer = NULL;

        if (b->dm_uuid && lvm_uuid_is_visible(b->dm_uuid) &&
            lvm_name_split(b->dm_name, &vg, &lv, &layer) >= 0)
                return str_format(ret, "/dev/%s/%s", vg, lv);
        return str_replace(ret, otherwise);
}

static int list_add_refused(struct list *l, const struct sight *s, const char *reason) {
        _cleanup_(block_done) struct block b = { 0 };
        _cleanup_(volume_freep) struct volume *v = calloc(1, sizeof(*v));
        int r;

        if (!v)
                return -ENOMEM;
        v->mount_fd = -1;
        v->devno = s->devno;
        if (block_read(&b, s->devno) >= 0) {
                v->size = b.size;
                v->read_only = b.read_only;
        }
        if (s->mount_point)
                r = str_format(&v->name, "%s%s", s->name, streq(s->name, "/") ? "" : "/");
        else
                r = device_name(&v->name, &b, s->name);
        if (r < 0 || str_replace(&v->display, v->name) < 0 ||
            str_replace(&v->mount_point, s->mount_point) < 0 ||
            str_replace(&v->device, b.path ? b.path : s->device) < 0 ||
            str_replace(&v->fs_type, s->fs_type) < 0 || str_replace(&v->refusal, reason) < 0)
                return -ENOMEM;
        r = list_append(l, v);
        if (r >= 0)
                TAKE_PTR(v);
        return r;
}

static int list_add(struct list *l, const struct sight *s) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r;

        r = volume_open(&v, s->name, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOTBLK &&
            (error.hr == VSS_E_VOLUME_NOT_SUPPORTED || error.hr == VSS_E_PROVIDER_VETO))
                return list_add_refused(l, s, str_or_empty(error.message));
        if (r < 0 || list_has(l, v->devno))
                return 0;
        r = list_append(l, v);
        if (r >= 0)
                TAKE_PTR(v);
        return r;
}

/* Images of packages and installation media: nobody wants a copy of them. */
static bool is_image(const char *fs_type) {
        static const char *const images[] = { "squashfs", "erofs", "iso9660", "udf", "cramfs" };

        for (size_t i = 0; i < ARRAY_SIZE(images); i++)
                if (streq(fs_type, images[i]))
                        return true;
        return false;
}

static bool is_of_host(const struct sight *s) {
        const char *type = str_or_empty(s->fs_type);

        return (major(s->devno) != 0 || file_system_is_local(type)) && !is_image(type);
}

static int add_mounted(struct list *l, struct libmnt_table *mounts) {
        struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r = 0;

        if (!i)
                return -ENOMEM;
        while (r >= 0 && mnt_table_next_fs(mounts, i, &fs) == 0) {
                const struct sight s = {
                        .name = mnt_fs_get_target(fs),
                        .mount_point = mnt_fs_get_target(fs),
                        .device = mnt_fs_get_srcpath(fs),
                        .fs_type = mnt_fs_get_fstype(fs),
                        .devno = mnt_fs_get_devno(fs),
                };

                if (s.name && is_of_host(&s) && !list_has(l, s.devno))
                        r = list_add(l, &s);
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
                        r = list_add(l, &(struct sight){
                                                .name = b.path,
                                                .device = b.path,
                                                .devno = devices[i],
                                        });
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
