/* Volumes and mounts of the test daemon: see fake-storage.h. */

#include "tests/bus/fake-storage.h"

#include "daemon/providers/block.h"
#include "daemon/providers/dm-copy.h"
#include "daemon/providers/volume-hold.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define NAMED 6
#define LISTED 4 /* those of ListVolumes */
#define VOLUMES 99

static int knob_path(char path[static 512], const char *name) {
        const char *directory = getenv("VSSD_FAKE_DIR");

        if (!directory)
                return -ENOENT;
        return snprintf(path, 512, "%s/%s", directory, name) < 512 ? 0 : -ENAMETOOLONG;
}

/* The first line of a knob; "" if it is not there. */
static const char *knob_read(const char *name, char line[static 128]) {
        char path[512];
        FILE *f;

        line[0] = '\0';
        if (knob_path(path, name) < 0)
                return line;
        f = fopen(path, "re");
        if (!f)
                return line;
        if (!fgets(line, 128, f))
                line[0] = '\0';
        (void)fclose(f); /* it was only read */
        line[strcspn(line, "\n")] = '\0';
        return line;
}

bool fake_knob(const char *name) {
        char path[512];

        return knob_path(path, name) >= 0 && access(path, F_OK) == 0;
}

void fake_note(const char *name, bool there) {
        char path[512];
        FILE *f;

        if (knob_path(path, name) < 0)
                return;
        if (!there) {
                (void)unlink(path); /* or it was not there */
                return;
        }
        f = fopen(path, "we");
        if (f)
                (void)fclose(f); /* it is empty */
}

static void journal_write(const char *step, const char *what) {
        char path[512];
        FILE *f;

        if (knob_path(path, "journal") < 0)
                return;
        f = fopen(path, "ae");
        if (!f)
                return;
        fprintf(f, "%s %s\n", step, what);
        (void)fclose(f); /* a line that is missing fails the test that wants it */
}

unsigned fake_slowness(const char *step) {
        char line[128], slow_step[64];
        unsigned milliseconds;

        return sscanf(knob_read("slow", line), "%63s %u", slow_step, &milliseconds) == 2 &&
                               streq(slow_step, step)
                       ? milliseconds
                       : 0;
}

int fake_fault(const char *step, const char *what, HRESULT hr, struct vss_error *reterr) {
        char line[128], failing[64];
        int code = hr;

        if (sscanf(knob_read("fail", line), "%63s %d", failing, &code) < 1 || !streq(failing, step))
                return 0;
        return vss_error_set(reterr, code, 0, "The fake storage failed at %s of %s", step, what);
}

int fake_step(const char *step, const char *what, HRESULT hr, struct vss_error *reterr) {
        unsigned milliseconds = fake_slowness(step);
        struct timespec t = { .tv_sec = milliseconds / 1000,
                              .tv_nsec = (long)(milliseconds % 1000) * 1000000 };

        journal_write(step, what);
        (void)nanosleep(&t, NULL); /* no signal reaches a worker */
        return fake_fault(step, what, hr, reterr);
}

static const char *fake_name(unsigned i, char name[static 64]) {
        static const char *const names[] = { "/srv/data",  "/srv/mail", "/dev/fake/raw",
                                             "/srv/plain", "/srv/db",   "/proc" };

        if (i < ARRAY_SIZE(names))
                (void)snprintf(name, 64, "%s", names[i]);
        else
                (void)snprintf(name, 64, "/srv/v%u", i - (unsigned)ARRAY_SIZE(names) + 1);
        return name;
}

static int fill(struct volume *v, unsigned i, const char *spec) {
        char name[64];
        bool mounted = strncmp(fake_name(i, name), "/dev/", 5) != 0;

        v->devno = (dev_t)(0xfa00 + i);
        v->size = UINT64_C(1) << 30;
        if (str_replace(&v->display, spec) < 0 ||
            str_format(&v->name, mounted ? "%s/" : "%s", name) < 0 ||
            str_format(&v->device, mounted ? "/dev/mapper/fake-%u" : "/dev/fake/raw", i) < 0 ||
            str_format(&v->dm_name, "fake-%u", i) < 0 || str_format(&v->dm_uuid, "FAKE-%u", i) < 0)
                return -ENOMEM;
        if (!mounted)
                return 0;
        if (str_replace(&v->mount_point, name) < 0 || str_replace(&v->fs_type, "ext4") < 0)
                return -ENOMEM;
        v->mount_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return v->mount_fd < 0 ? -errno : 0;
}

static int make(struct volume **ret, unsigned i, const char *spec, struct vss_error *reterr) {
        _cleanup_(volume_freep) struct volume *v = NULL;
        int r;

        v = calloc(1, sizeof(*v));
        if (!v)
                return vss_error_from_errno(reterr, -ENOMEM, spec);
        v->mount_fd = -1;
        r = fill(v, i, spec);
        if (r < 0)
                return vss_error_from_errno(reterr, r, spec);
        r = volume_hold_check(v->dm_uuid, v->display, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}

static int fake_volume_open(struct volume **ret, const char *spec, struct vss_error *reterr) {
        size_t n = strlen(spec);
        unsigned device;
        int r;

        if (spec[0] != '/')
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "\"%s\" is a relative path: name the volume with its whole path", spec);
        r = fake_step("open", spec, VSS_E_UNEXPECTED, reterr);
        if (r < 0)
                return r;
        if (n > 1 && spec[n - 1] == '/')
                n--;
        if (sscanf(spec, "/dev/mapper/fake-%u", &device) == 1 && device < LISTED)
                return make(ret, device, spec, reterr);
        for (unsigned i = 0; i < NAMED + VOLUMES; i++) {
                char name[64];
                size_t k = strlen(fake_name(i, name));

                if (k > n || strncmp(name, spec, k) != 0)
                        continue;
                if (k == n)
                        return make(ret, i, spec, reterr);
                if (spec[k] == '/')
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "%s lies inside the volume %s: name that", spec, name);
        }
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT, "There is no volume %s", spec);
}

static int fake_volume_list(struct volume ***ret, size_t *ret_n, struct vss_error *reterr) {
        struct volume **v;
        char name[64];
        int r;

        v = calloc(LISTED, sizeof(struct volume *));
        if (!v)
                return vss_error_from_errno(reterr, -ENOMEM, "list the volumes");
        for (unsigned i = 0; i < LISTED; i++) {
                r = make(&v[i], i, fake_name(i, name), reterr);
                if (r < 0) {
                        volumes_free(v, i);
                        return r;
                }
        }
        *ret = v;
        *ret_n = LISTED;
        return 0;
}

void fake_storage_init(void) {
        static char sys[512], boot[512];

        if (fake_knob("boot") && knob_path(boot, "boot") >= 0)
                dm_copy_boot_file = boot;
        if (knob_path(sys, "sys") >= 0)
                block_sysfs = sys;
        storage_init(&fake_storage);
}

static int fake_mount(const struct snapshot_record *r, bool writable, struct vss_error *reterr) {
        return fake_step(writable ? "mount-rw" : "mount", r->device_object, VSS_E_PROVIDER_VETO,
                         reterr);
}

static int fake_mount_seal(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step("mount-seal", r->device_object, VSS_E_PROVIDER_VETO, reterr);
}

static int fake_unmount(const struct snapshot_record *r, bool force, struct vss_error *reterr) {
        if (fake_knob("busy") && !force)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "The copy %s is busy: a test holds it", r->device_object);
        return fake_step("unmount", r->device_object, VSS_E_PROVIDER_VETO, reterr);
}

/* "/taken" and a share "taken" are; there is no service for shares of NFS. */
static int fake_expose_check(const struct snapshot_record *r, uid_t owner _unused_, char **ret_name,
                             struct vss_error *reterr) {
        const char *name = r->exposed_name;
        int k;

        k = fake_step("expose-check", name, VSS_E_UNEXPECTED_PROVIDER_ERROR, reterr);
        if (k < 0)
                return k;
        if (strncmp(name, "nfs:", 4) == 0)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, ENOENT,
                                     "There is no exportfs here");
        if (streq(name, "/taken") || streq(name, "taken"))
                return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, EEXIST,
                                     "Something is at %s", name);
        return str_replace(ret_name, *name ? name : strrchr(r->device_object, '/') + 1) < 0
                       ? vss_error_from_errno(reterr, -ENOMEM, name)
                       : 0;
}

static int fake_expose(const struct snapshot_record *r, uid_t owner _unused_,
                       struct vss_error *reterr) {
        return fake_step("expose", r->exposed_name, VSS_E_UNEXPECTED_PROVIDER_ERROR, reterr);
}

static int fake_expose_again(const struct snapshot_record *r, struct vss_error *reterr) {
        return fake_step("expose-again", r->exposed_name, VSS_E_UNEXPECTED_PROVIDER_ERROR, reterr);
}

static int fake_unexpose(const struct snapshot_record *r, bool force, struct vss_error *reterr) {
        if (fake_knob("busy") && !force)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "The copy at %s is busy: a test holds it", r->exposed_name);
        return fake_step("unexpose", r->exposed_name, VSS_E_UNEXPECTED_PROVIDER_ERROR, reterr);
}

/* The volumes' mounts are called after their UUIDs. */
static int fake_origin_mounts(const char *dm_uuid, struct origin_mounts *ret,
                              struct vss_error *reterr) {
        int r;

        if (!fake_knob("revertable"))
                return vss_error_set(reterr, E_NOTIMPL, EOPNOTSUPP,
                                     "The fake storage's volumes cannot be reverted");
        r = fake_step("origin-look", dm_uuid, VSS_E_OBJECT_NOT_FOUND, reterr);
        if (r < 0)
                return r;
        if (str_format(&ret->text, "mount /%s ext4 / rw\n", dm_uuid) < 0 ||
            strv_append(&ret->names, "/called/this/too") < 0)
                return vss_error_from_errno(reterr, -ENOMEM, dm_uuid);
        ret->at_boot = fake_knob("root");
        return 0;
}

static int fake_origin_unmount(const char *dm_uuid, const char *mounts _unused_, bool force,
                               struct vss_error *reterr) {
        if (fake_knob("mounted-elsewhere") && !force)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s is in use by a test; end that, or force", dm_uuid);
        return fake_step("origin-unmount", dm_uuid, VSS_E_VOLUME_IN_USE, reterr);
}

static int fake_origin_mount(const char *dm_uuid, const char *mounts _unused_,
                             struct vss_error *reterr) {
        return fake_step("origin-mount", dm_uuid, VSS_E_UNEXPECTED, reterr);
}

static int fake_has_state(const char *dm_uuid _unused_, struct store *store _unused_, bool *ret,
                          struct vss_error *reterr _unused_) {
        *ret = false;
        return 0;
}

static int fake_sync(int fd _unused_) {
        return fake_step("sync", "a volume", VSS_E_UNEXPECTED, NULL) < 0 ? -1 : 0;
}

static int fake_adopt(const char *volume, const struct adoption_options *options, char ***ret_notes,
                      struct vss_error *reterr) {
        int r;

        r = fake_step("adopt", volume, VSS_E_VOLUME_NOT_SUPPORTED, reterr);
        if (r >= 0 && streq(volume, "/nowhere"))
                r = vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT, "There is no volume %s",
                                  volume);
        if (r < 0)
                return r;
        if (strv_append(ret_notes, options->name ? options->name : "adopted") < 0 ||
            strv_append(ret_notes, options->keep_initramfs ? "no initramfs" : "initramfs") < 0)
                return vss_error_from_errno(reterr, -ENOMEM, volume);
        return 0;
}

static int fake_release(const char *volume, const struct adoption_options *options _unused_,
                        char ***ret_notes _unused_, struct vss_error *reterr) {
        return fake_step("release", volume, VSS_E_UNEXPECTED, reterr);
}

/* /srv/plain is the adopted one, when the knob says so. */
static enum adoption_state fake_adoption(const struct volume *v) {
        return streq(v->name, "/srv/plain/") && fake_knob("adopted") ? ADOPTION_NEXT_MOUNT
                                                                     : ADOPTION_NONE;
}

const struct storage fake_storage = {
        .volume_open = fake_volume_open,
        .volume_list = fake_volume_list,
        .mount = fake_mount,
        .mount_seal = fake_mount_seal,
        .unmount = fake_unmount,
        .expose_check = fake_expose_check,
        .expose = fake_expose,
        .expose_again = fake_expose_again,
        .unexpose = fake_unexpose,
        .origin_mounts = fake_origin_mounts,
        .origin_unmount = fake_origin_unmount,
        .origin_mount = fake_origin_mount,
        .has_state = fake_has_state,
        .sync = fake_sync,
        .adopt = fake_adopt,
        .release = fake_release,
        .adoption = fake_adoption,
        .kernel = &fake_kernel,
};
