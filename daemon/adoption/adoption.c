/* See adoption.h. The order of the changes, and what a crash after each leaves:
 *
 *   adopt    a line that says "pending"    nothing comes of it
 *            fstab, if it must be changed  UUID= is right without a mapping, too
 *            the line without "pending"    the next boot makes the mapping
 *            the initramfs (root only)     until then it lacks the line, and the root is plain
 *   release  fstab as it was               with a kernel's name in it no mapping is made
 *            the line says "pending"       nothing comes of it
 *            the initramfs (root only)     until then it makes the mapping: what it always did
 *            the line goes
 */

#include "daemon/adoption/adoption.h"
#include "common/time-util.h"
#include "daemon/adoption/activation.h"
#include "daemon/adoption/adoption-check.h"
#include "daemon/adoption/adoption-fstab.h"
#include "daemon/adoption/adoption-target.h"
#include "daemon/adoption/whole-file.h"
#include "daemon/job/run-program.h"
#include "daemon/providers/multipath.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define INITRAMFS_TOOLS "/usr/share/initramfs-tools/"
#define UPDATE_INITRAMFS "/usr/sbin/update-initramfs"
#define SYSTEMCTL "/bin/systemctl"
#define SYSTEMD_RUNS "/run/systemd/system"

#define INITRAMFS_TIMEOUT_USEC (12 * 60 * USEC_PER_SEC)
#define RELOAD_TIMEOUT_USEC (2 * 60 * USEC_PER_SEC)

/* dmsetup's hook has the rules that make the mapping's node. */
static const char *const initramfs_parts[] = {
        UPDATE_INITRAMFS,
        "/usr/sbin/mkinitramfs",
        INITRAMFS_TOOLS "hooks/dmsetup",
        INITRAMFS_TOOLS "hooks/vss-adopted",
        INITRAMFS_TOOLS "scripts/local-premount/vss-adopted",
};

static int note(char ***notes, const char *format, ...) _printf_(2, 3);

static int note(char ***notes, const char *format, ...) {
        _cleanup_(freep) char *text = NULL;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return strv_append(notes, text);
}

/* Only the daemon changes these files, but it may be there twice. */
static int lock(int *ret, struct vss_error *reterr) {
        int fd;

        if (mkdir(adopted_directory, 0755) < 0 && errno != EEXIST)
                return vss_error_from_errno(reterr, -errno, adopted_directory);
        fd = open(adopted_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX) < 0) {
                int r = -errno;

                safe_close(fd);
                return vss_error_from_errno(reterr, r, adopted_directory);
        }
        *ret = fd;
        return 0;
}

static int reload_systemd(char ***notes) {
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        char *const argv[] = { (char[]){ SYSTEMCTL }, (char[]){ "daemon-reload" }, NULL };

        if (access(SYSTEMD_RUNS, F_OK) < 0 || run_program(argv, RELOAD_TIMEOUT_USEC, &why) >= 0)
                return 0;
        return note(notes,
                    "systemd has not read its units anew (%s): run 'systemctl daemon-reload'",
                    str_or_empty(why.message));
}

static int update_initramfs(const struct adoption_options *options, char ***notes,
                            struct vss_error *reterr) {
        char *const argv[] = { (char[]){ UPDATE_INITRAMFS }, (char[]){ "-u" }, (char[]){ "-k" },
                               (char[]){ "all" }, NULL };

        if (options->keep_initramfs)
                return note(notes,
                            "the initramfs is as it was: run 'update-initramfs -u -k all' before "
                            "the next boot") < 0
                               ? vss_error_from_errno(reterr, -ENOMEM, UPDATE_INITRAMFS)
                               : 0;
        return run_program(argv, INITRAMFS_TIMEOUT_USEC, reterr);
}

static int refuse_root(struct vss_error *reterr, const char *reason, const char *what) {
        return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                             "the root cannot be adopted: %s%s", reason, what);
}

/* All that makes an initramfs with the mapping, looked for before anything is changed. */
static int check_initramfs(struct vss_error *reterr) {
        for (size_t i = 0; i < ARRAY_SIZE(initramfs_parts); i++)
                if (access(initramfs_parts[i], F_OK) < 0)
                        return refuse_root(reterr,
                                           "its mapping is made in the initramfs, and of those "
                                           "that make one only initramfs-tools is known to vssd, "
                                           "of which there is no ",
                                           initramfs_parts[i]);
        return 0;
}

static int check_root(const struct adoption_target *t, char *const *targets,
                      struct vss_error *reterr) {
        if (strv_contains(targets, "/usr") && !t->root)
                return vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                     "%s cannot be adopted: /usr is mounted by the initramfs, "
                                     "which makes a mapping for the root only",
                                     t->volume->name);
        if (t->root && t->partition.map)
                return refuse_root(reterr, "it is on a multipath map, ", t->partition.map);
        return t->root ? check_initramfs(reterr) : 0;
}

/* 1: nobody has it. */
static int name_is_free(const struct adoption_target *t, const char *name,
                        struct vss_error *reterr) {
        const struct adopted a = { .name = (char *)(uintptr_t)name };
        _cleanup_(freep) char *mapping = NULL;
        struct mapper_info device;
        int r;

        if (adopted_list_find(&t->list, name))
                return 0;
        if (adopted_mapping_name(&mapping, &a) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, name);
        r = mapper_find_name(mapping, &device, reterr);
        return r < 0 ? r : !device.exists;
}

static int choose_name(const struct adoption_target *t, char *const *targets, char **ret,
                       struct vss_error *reterr) {
        const char *from = t->volume->mount_point;
        _cleanup_(freep) char *base = NULL;

        if (!from)
                from = targets ? targets[0] : t->partition.label;
        if (!from || t->root)
                from = t->root ? "root" : t->partition.device;
        if (adopted_name_suggest(&base, from) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, from);
        for (unsigned i = 1; i < 2 * ADOPTED_MAX; i++) {
                _cleanup_(freep) char *name = NULL;
                int r;

                if (i == 1 ? str_format(&name, "%s", base) < 0
                           : str_format(&name, "%s-%u", base, i) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, base);
                r = name_is_free(t, name, reterr);
                if (r < 0)
                        return r;
                if (r > 0) {
                        *ret = TAKE_PTR(name);
                        return 0;
                }
        }
        return vss_error_set(reterr, VSS_E_UNEXPECTED, EEXIST, "no name is free for %s",
                             t->volume->name);
}

static int take_name(const struct adoption_target *t, const char *wanted, char **ret,
                     struct vss_error *reterr) {
        int r;

        if (!adopted_name_is_valid(wanted))
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "'%s' is no name for a mapping: it has 1 to %d letters, "
                                     "digits, '.', '_' and '-', begins with one of the first, and "
                                     "with \"vss-\" before it does not end with -real or -cow",
                                     wanted, ADOPTED_NAME_MAX);
        if (t->line && !streq(t->line->name, wanted))
                return vss_error_set(reterr, E_INVALIDARG, EEXIST,
                                     "%s is adopted as %s; release it to give it another name",
                                     t->volume->name, t->line->name);
        r = t->line ? 1 : name_is_free(t, wanted, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                return vss_error_set(reterr, E_INVALIDARG, EEXIST,
                                     "there is a mapping or an adopted volume '%s' already",
                                     wanted);
        r = str_replace(ret, wanted);
        return r < 0 ? vss_error_from_errno(reterr, r, wanted) : 0;
}

static int fill_identity(struct adopted *a, const struct adoption_target *t,
                         struct vss_error *reterr) {
        const struct identity *i = &t->partition;

        a->size = i->size;
        a->root = t->root;
        if (str_replace(&a->uuid, i->uuid) < 0 || str_replace(&a->type, i->type) < 0 ||
            str_replace(&a->partuuid, i->partuuid) < 0 || str_replace(&a->label, i->label) < 0 ||
            str_replace(&a->partlabel, i->partlabel) < 0 || str_replace(&a->map, i->map) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, t->volume->name);
        return 0;
}

/* The line as it is to be. */
static int compose(const struct adoption_target *t, const struct adoption_options *options,
                   struct adopted *a, char ***targets, bool *respell, struct vss_error *reterr) {
        int r = 0;

        if (t->line && adopted_copy(a, t->line) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, t->line->name);
        a->pending = false;
        a->sources = strv_free(a->sources);
        r = fill_identity(a, t, reterr);
        if (r >= 0)
                r = adoption_fstab_find(&t->fstab, t->partition.devno, a, targets, respell, reterr);
        if (r >= 0)
                r = check_root(t, *targets, reterr);
        if (r >= 0 && options->name)
                r = take_name(t, options->name, &a->name, reterr);
        else if (r >= 0 && !t->line)
                r = choose_name(t, *targets, &a->name, reterr);
        return r;
}

static int backup_path(char **ret, const struct adopted *a) {
        return str_format(ret, "%s/fstab.before-%s", adopted_directory, a->name);
}

static int respell_fstab(const struct adoption_target *t, struct adopted *a, char ***notes,
                         struct vss_error *reterr) {
        _cleanup_(freep) char *backup = NULL;
        int r;

        if (backup_path(&backup, a) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, a->name);
        a->pending = true;
        r = adopted_put(a, reterr);
        a->pending = false;
        if (r >= 0)
                r = whole_file_write(backup, t->fstab.text, t->fstab.size, reterr);
        if (r >= 0)
                r = adoption_fstab_respell(&t->fstab, a, reterr);
        if (r < 0)
                return r;
        if (note(notes, "%s has UUID=%s now instead of the kernel's name; %s is as it was before",
                 fstab_path, a->uuid, backup) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
        return 0;
}

/* The root's line, and the initramfs that knows it. */
static int write_line(const struct adoption_target *t, const struct adoption_options *options,
                      struct adopted *a, char ***notes, struct vss_error *reterr) {
        int r;

        r = adopted_put(a, reterr);
        /* The initramfs that has made the mapping needs no other. */
        if (r < 0 || !a->root || (t->line && !t->line->pending && t->mapping.exists))
                return r;
        r = update_initramfs(options, notes, reterr);
        if (r < 0) {
                a->pending = true;
                (void)adopted_put(a, NULL); /* r says why */
                return vss_error_prefix(reterr, "the root is not adopted");
        }
        return 0;
}

static int note_next_mount(const struct adoption_target *t, const struct adopted *a,
                           char *const *targets, char ***notes) {
        if (t->root)
                return note(notes, "/ is mounted through /dev/mapper/%s%s from the next boot on",
                            ADOPTED_NAME_PREFIX, a->name);
        if (targets)
                return note(notes,
                            "%s is mounted through /dev/mapper/%s%s from the next boot on, or at "
                            "once with: umount %s && vssctl volumes adopt %s && mount %s",
                            t->volume->mount_point, ADOPTED_NAME_PREFIX, a->name,
                            t->volume->mount_point, t->volume->mount_point, targets[0]);
        return note(notes,
                    "%s stays as it is until it is unmounted; run 'vssctl volumes adopt %s' then",
                    t->volume->mount_point, t->partition.device);
}

static int note_mapped(const struct adoption_target *t, const struct adopted *a,
                       char *const *targets, char ***notes) {
        int r = 0;

        if (adoption_target_is_mounted(t))
                return note(notes, "%s is mounted through /dev/mapper/%s%s", t->volume->mount_point,
                            ADOPTED_NAME_PREFIX, a->name);
        r = note(notes, "/dev/mapper/%s%s is there", ADOPTED_NAME_PREFIX, a->name);
        if (r >= 0 && !targets)
                r = note(notes, "%s does not mount it: mount it by UUID=%s", fstab_path, a->uuid);
        return r;
}

/* Now, if it can be. */
static int map(const struct adoption_target *t, const struct adopted *a, char *const *targets,
               char ***notes) {
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        struct mapper_info device;
        bool plain = adoption_target_is_mounted(t) && !adoption_target_is_mapped(t);

        if (plain && !t->mapping.exists)
                return note_next_mount(t, a, targets, notes);
        if (mapping_make(a, &t->partition, true, &device, &why) < 0)
                return note(notes, "the mapping cannot be made now: %s", str_or_empty(why.message));
        (void)mapping_keep(device.name, NULL); /* of a release that waits for the unmounting */
        return note_mapped(t, a, targets, notes);
}

int adoption_adopt(const char *volume, const struct adoption_options *options, char ***ret_notes,
                   struct vss_error *reterr) {
        _cleanup_(adoption_target_done) struct adoption_target t = { 0 };
        _cleanup_(strv_freep) char **targets = NULL, **notes = NULL;
        _cleanup_(adopted_done) struct adopted a = { 0 };
        _cleanup_(closep) int lock_fd = -1;
        bool respell = false;
        int r;

        r = lock(&lock_fd, reterr);
        if (r >= 0)
                r = adoption_target_find(&t, volume, false, reterr);
        if (r >= 0)
                r = adoption_check(&t.partition, t.volume->name, t.mapping.exists, reterr);
        if (r >= 0)
                r = compose(&t, options, &a, &targets, &respell, reterr);
        if (r >= 0 && !t.line && t.list.n >= ADOPTED_MAX)
                r = vss_error_set(reterr, VSS_E_UNEXPECTED, ENOSPC,
                                  "%zu volumes are adopted; there is no room for more", t.list.n);
        if (r >= 0 && respell)
                r = respell_fstab(&t, &a, &notes, reterr);
        if (r >= 0)
                r = write_line(&t, options, &a, &notes, reterr);
        if (r < 0)
                return r;
        r = reload_systemd(&notes);
        if (r >= 0)
                r = map(&t, &a, targets, &notes);
        if (r < 0)
                return vss_error_from_errno(reterr, r, t.volume->name);
        *ret_notes = TAKE_PTR(notes);
        return 0;
}

static int restore_fstab(const struct adoption_target *t, char ***notes, struct vss_error *reterr) {
        int r;

        r = adoption_fstab_restore(&t->fstab, t->partition.devno, t->line, reterr);
        if (r > 0)
                r = note(notes, "%s keeps UUID=%s: the device's old name %s", fstab_path,
                         t->line->uuid,
                         t->partition.devno ? "does not mean it by now"
                                            : "may mean another one when it is there again") < 0
                            ? vss_error_from_errno(reterr, -ENOMEM, fstab_path)
                            : 0;
        if (r >= 0 && adoption_fstab_names_mapping(&t->fstab, t->line) &&
            note(notes, "%s has UUID=%s now instead of the mapping's name", fstab_path,
                 t->line->uuid) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, fstab_path);
        return r;
}

static int drop_line(const struct adoption_target *t, const struct adoption_options *options,
                     char ***notes, struct vss_error *reterr) {
        _cleanup_(adopted_done) struct adopted a = { 0 };
        _cleanup_(freep) char *backup = NULL;
        int r = 0;

        if (adopted_copy(&a, t->line) < 0 || backup_path(&backup, t->line) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, t->line->name);
        if (a.root) {
                a.pending = true;
                r = adopted_put(&a, reterr);
                if (r >= 0)
                        r = update_initramfs(options, notes, reterr);
        }
        if (r >= 0)
                r = adopted_drop(a.name, reterr);
        if (r >= 0)
                r = whole_file_remove(backup, reterr);
        return r;
}

static int unmap(const struct adoption_target *t, char ***notes, struct vss_error *reterr) {
        const char *name = t->volume ? t->volume->name : t->line->name;
        _cleanup_(freep) char *link = NULL;
        int r;

        if (!t->mapping.exists)
                return note(notes, "%s is released", name);
        r = mapping_remove(t->mapping.name, reterr);
        if (r < 0)
                return r;
        if (r == 0 && t->root)
                return note(notes, "/ is released: it is mounted as it is from the next boot on");
        if (r == 0)
                return note(notes,
                            "%s is released: the mapping goes when it is unmounted, and the next "
                            "mount is of the partition itself",
                            name);
        /* So that who mounts it next does not meet a link to what has gone. */
        if (t->volume && t->line && mapping_link(&link, t->line) >= 0)
                (void)mapping_await(link, t->partition.devno);
        return note(notes, "%s is released: the next mount is of the partition itself", name);
}

/* The initramfs would wait for what it does not make any more: at the next boot, as it was told at
 * this one or will be at that one. */
static int check_command_line(const struct adoption_target *t, struct vss_error *reterr) {
        _cleanup_(freep) char *word = NULL;
        int r;

        if (!t->line || !t->line->root)
                return 0;
        r = activation_find_root(&word, reterr);
        if (r < 0)
                return r;
        if (r == 0 || !adopted_is_mapping(t->line, word)) {
                r = activation_boot_loader_names(t->line, reterr);
                if (r <= 0)
                        return r;
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s tells the kernel that the mapping is the root, and it "
                                     "will not be there once the root is released; have it say "
                                     "root=UUID=%s (for GRUB: no GRUB_DISABLE_LINUX_UUID in "
                                     "/etc/default/grub, then update-grub)",
                                     activation_boot_loader, t->line->uuid);
        }
        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                             "the kernel was told root=%s, which will not be there once the root "
                             "is released; have the boot loader say root=UUID=%s, boot, and "
                             "release it then",
                             word, t->line->uuid);
}

/* Copies are of the mapping; without it they would be lost. */
static int check_copies(const struct adoption_target *t, struct vss_error *reterr) {
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        int r;

        if (!t->mapping.exists)
                return 0;
        r = mapper_read_table(t->mapping.name, &table, reterr);
        if (r < 0)
                return r;
        if (table.n > 0 && streq(table.targets[0].type, "snapshot-origin"))
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "/dev/mapper/%s has shadow copies, which would be lost; "
                                     "delete them first",
                                     t->mapping.name);
        return 0;
}

int adoption_release(const char *volume, const struct adoption_options *options, char ***ret_notes,
                     struct vss_error *reterr) {
        _cleanup_(adoption_target_done) struct adoption_target t = { 0 };
        _cleanup_(strv_freep) char **notes = NULL;
        _cleanup_(closep) int lock_fd = -1;
        int r;

        r = lock(&lock_fd, reterr);
        if (r >= 0)
                r = adoption_target_find(&t, volume, true, reterr);
        if (r >= 0)
                r = check_copies(&t, reterr);
        if (r >= 0)
                r = check_command_line(&t, reterr);
        if (r < 0)
                return r;
        if (!t.line && !t.mapping.exists)
                r = note(&notes, "%s is not adopted: there is nothing to release", t.volume->name);
        if (r >= 0 && t.line) {
                r = restore_fstab(&t, &notes, reterr);
                if (r >= 0)
                        r = drop_line(&t, options, &notes, reterr);
                if (r >= 0)
                        r = reload_systemd(&notes);
        }
        if (r >= 0 && (t.line || t.mapping.exists))
                r = unmap(&t, &notes, reterr);
        if (r < 0)
                return reterr->hr == S_OK ? vss_error_from_errno(reterr, r, volume) : r;
        *ret_notes = TAKE_PTR(notes);
        return 0;
}

static const char *const state_names[_ADOPTION_STATE_MAX] = {
        [ADOPTION_NONE] = "",
        [ADOPTION_ACTIVE] = "active",
        [ADOPTION_NEXT_MOUNT] = "next-mount",
        [ADOPTION_UNTIL_UNMOUNT] = "until-unmount",
};

const char *adoption_state_to_string(enum adoption_state s) {
        return state_names[s];
}

enum adoption_state adoption_look(const struct volume *v) {
        bool ours = v->dm_uuid &&
                    strncmp(v->dm_uuid, ADOPTED_UUID_PREFIX, strlen(ADOPTED_UUID_PREFIX)) == 0;
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(identity_done) struct identity i = { 0 };

        if ((v->dm_uuid && !ours && multipath_look(v->dm_uuid) == MULTIPATH_NONE) ||
            adopted_list_read(&list, NULL) < 0)
                return ADOPTION_NONE;
        if (ours) {
                const struct adopted *a =
                        adopted_list_find(&list, v->dm_uuid + strlen(ADOPTED_UUID_PREFIX));

                return a && !a->pending ? ADOPTION_ACTIVE : ADOPTION_UNTIL_UNMOUNT;
        }
        if (list.n == 0 || identity_read(&i, v->devno, NULL) < 0)
                return ADOPTION_NONE;
        for (size_t k = 0; k < list.n; k++)
                if (!list.items[k].pending && mapping_check_identity(&list.items[k], &i, NULL) >= 0)
                        return ADOPTION_NEXT_MOUNT;
        return ADOPTION_NONE;
}
