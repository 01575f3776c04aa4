/* See activation.h. Stateless. */

#include "daemon/adoption/activation.h"
#include "daemon/adoption/fstab.h"
#include "daemon/adoption/mapping.h"
#include "daemon/adoption/whole-file.h"
#include <sys/stat.h>

#define CMDLINE_MAX ((size_t)64 * 1024)

const char *activation_cmdline = "/proc/cmdline";

static bool is_forbidden(void) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *word;
        size_t size;

        if (whole_file_read(activation_cmdline, CMDLINE_MAX, &text, &size, NULL) < 0)
                return false;
        rest = text;
        while ((word = strsep(&rest, " \t\n")))
                if (streq(word, "vss.adopt=no") || streq(word, "vss.adopt=0"))
                        return true;
        return false;
}

/* A line of fstab that names the partition as the kernel does could not be mounted any more. */
static int check_fstab(const struct identity *i, struct vss_error *reterr) {
        _cleanup_(fstab_done) struct fstab f = { 0 };
        int r;

        r = fstab_read(&f, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; k < f.n; k++) {
                struct stat st;

                if (f.rows[k].spec[0] == '/' && lstat(f.rows[k].spec, &st) == 0 &&
                    S_ISBLK(st.st_mode) && st.st_rdev == i->devno)
                        return vss_error_set(
                                reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                "%s has %s as it is on %s; write UUID=%s there, or run 'vssctl "
                                "volumes adopt %s'",
                                fstab_path, f.rows[k].spec, f.rows[k].target, str_or_empty(i->uuid),
                                f.rows[k].target);
        }
        return 0;
}

int activation_run(const char *name, struct vss_error *reterr) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(identity_done) struct identity i = { 0 };
        const struct adopted *a;
        struct mapper_info device;
        int r;

        r = adopted_list_read(&list, reterr);
        if (r < 0)
                return r;
        a = adopted_list_find(&list, name);
        if (!a)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "no partition is adopted as '%s'", name);
        if (a->pending || is_forbidden())
                return 0;
        r = mapping_find_partition(a, &i, reterr);
        if (r >= 0)
                r = check_fstab(&i, reterr);
        if (r >= 0)
                r = mapping_make(a, &i, true, &device, reterr);
        return r < 0 ? r : 1;
}

static int run_root(const struct adopted *a, const struct identity *i, char **ret,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *name = NULL, *node = NULL;
        struct mapper_info device;
        int r;

        r = mapping_check_identity(a, i, reterr);
        if (r >= 0)
                r = mapping_make(a, i, false, &device, reterr);
        if (r < 0)
                return r;
        if (adopted_mapping_name(&name, a) < 0 ||
            str_format(&node, "%s/mapper/%s", mapping_dev, name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        /* udev makes the node; in an initramfs without its rules somebody else has to. */
        if (!mapping_await(node, device.devno)) {
                r = mapper_make_node(name, reterr);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(node);
        return 1;
}

int activation_run_root(const char *device, char **ret, struct vss_error *reterr) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(identity_done) struct identity i = { 0 };
        struct stat st;
        int r;

        r = adopted_list_read(&list, reterr);
        if (r < 0 || is_forbidden())
                return r < 0 ? r : 0;
        for (size_t k = 0; k < list.n; k++) {
                if (!list.items[k].root || list.items[k].pending)
                        continue;
                if (stat(device, &st) < 0 || !S_ISBLK(st.st_mode))
                        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                             "%s is no block device", device);
                r = identity_read(&i, st.st_rdev, reterr);
                return r < 0 ? r : run_root(&list.items[k], &i, ret, reterr);
        }
        return 0;
}
