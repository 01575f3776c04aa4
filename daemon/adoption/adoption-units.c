/* See adoption-units.h. Stateless. */

#include "daemon/adoption/adoption-units.h"
#include "daemon/adoption/unit-name.h"
#include <stdio.h>
#include <sys/stat.h>

#define TEMPLATE "vss-adopted@.service"

static int say(struct vss_error *reterr, const char *path, int error) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED, error, "cannot write %s: %s", path,
                             strerror(error));
}

/* DIRECTORY/UNIT.d/ADOPTION_DROP_IN */
static int write_drop_in(const char *directory, const char *unit, const char *text,
                         struct vss_error *reterr) {
        _cleanup_(freep) char *folder = NULL, *path = NULL;
        FILE *f;
        bool bad;

        if (str_format(&folder, "%s/%s.d", directory, unit) < 0 ||
            str_format(&path, "%s/" ADOPTION_DROP_IN, folder) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, unit);
        if (mkdir(folder, 0755) < 0 && errno != EEXIST)
                return say(reterr, folder, errno);
        /* One file system may be mounted in several places, and one place be that of several. */
        f = fopen(path, "ae");
        if (!f)
                return say(reterr, path, errno);
        bad = fputs(text, f) < 0;
        bad = fclose(f) != 0 || bad;
        return bad ? say(reterr, path, EIO) : 0;
}

/* The device pulls the service in when it appears. */
static int write_want(const char *directory, const char *device, const char *service,
                      struct vss_error *reterr) {
        _cleanup_(freep) char *unit = NULL, *folder = NULL, *path = NULL;

        if (unit_name_of_path(&unit, device, ".device.wants") < 0 ||
            str_format(&folder, "%s/%s", directory, unit) < 0 ||
            str_format(&path, "%s/%s", folder, service) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, device);
        if (mkdir(folder, 0755) < 0 && errno != EEXIST)
                return say(reterr, folder, errno);
        if (symlink(DIR_UNIT "/" TEMPLATE, path) < 0 && errno != EEXIST)
                return say(reterr, path, errno);
        return 0;
}

/* The mount waits for the service, and the service for the device that the mount waits for; but for
 * the partition if that is the mapping, which the service is to make, and for a multipath map if it
 * is one: what the mount waits for may be one of the paths. */
static int write_row(const char *directory, const struct adopted *a, const char *service,
                     const char *partition, const struct fstab_row *row, struct vss_error *reterr) {
        bool other = a->map || adopted_is_mapping(a, row->spec);
        _cleanup_(freep) char *device = NULL, *device_unit = NULL, *check = NULL, *mount = NULL;
        _cleanup_(freep) char *of_mount = NULL, *of_service = NULL, *place = NULL;
        int r;

        if (unit_device_of_spec(&device, row->spec) < 0 ||
            unit_name_of_path(&device_unit, other ? partition : device, ".device") < 0 ||
            unit_name_of_path(&check, device, "") < 0 ||
            unit_mount_point(&place, row->target) < 0 ||
            unit_name_of_path(&mount, place, ".mount") < 0 ||
            str_format(&of_mount, "[Unit]\nWants=%s\nAfter=%s\n", service, service) < 0 ||
            str_format(&of_service,
                       "[Unit]\n%s%s%sAfter=%s\nBefore=systemd-fsck@%s.service\nBefore=%s\n",
                       other ? "Wants=" : "", other ? device_unit : "", other ? "\n" : "",
                       device_unit, check, mount) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, row->target);
        r = write_drop_in(directory, mount, of_mount, reterr);
        if (r >= 0)
                r = write_drop_in(directory, service, of_service, reterr);
        return r;
}

static int write_volume(const char *directory, const struct adopted *a, const struct fstab *fstab,
                        struct vss_error *reterr) {
        _cleanup_(freep) char *service = NULL, *partition = NULL;
        int r = 0;

        if (str_format(&service, "vss-adopted@%s.service", a->name) < 0 ||
            str_format(&partition, "/dev/disk/%s%s", a->map ? "by-id/dm-uuid-" : "by-uuid/",
                       a->map ? a->map : a->uuid) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        for (size_t i = 0; r >= 0 && i < fstab->n; i++)
                if (adopted_is_meant(a, fstab->rows[i].spec))
                        r = write_row(directory, a, service, partition, &fstab->rows[i], reterr);
        /* Last: the service must not run beside a mount that could not be ordered. */
        return r < 0 ? r : write_want(directory, partition, service, reterr);
}

int adoption_units_write(const char *directory, const struct adopted_list *list,
                         const struct fstab *fstab, struct vss_error *reterr) {
        int result = 0;

        for (size_t i = 0; i < list->n; i++) {
                const struct adopted *a = &list->items[i];
                int r;

                /* The root's mapping is there since the initramfs, or not at all. */
                if (a->pending || a->root)
                        continue;
                /* One that fails must not keep the others from being mounted as they should. */
                r = write_volume(directory, a, fstab, reterr);
                if (r < 0)
                        result = r;
        }
        return result;
}
