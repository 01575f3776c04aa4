/* See origin-mounts.h. Stateless: the mount table is the state. */

#include "daemon/providers/origin-mounts.h"
#include "common/time-util.h"
#include "daemon/log/log.h"
#include "daemon/providers/lvm-name.h"
#include "daemon/providers/mapper.h"
#include "daemon/providers/mount-table.h"
#include "daemon/providers/mount-users.h"
#include "daemon/store/store.h"
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <vss/vss.h>

#define FIELDS 4
#define WORDS_SIZE 256
/* How long a program may take to end when it is asked to, and when it is not asked. */
#define TERM_USEC (5 * USEC_PER_SEC)
#define KILL_USEC (3 * USEC_PER_SEC)
#define POLL_NSEC (50L * 1000 * 1000)

/* What the system runs from; the service cannot do without it, nor can who would mount it again. */
static const char *const system_places[] = { "/", "/usr" };

void origin_mounts_done(struct origin_mounts *m) {
        free(m->text);
        strv_free(m->names);
        *m = (struct origin_mounts){ 0 };
}

static void mount_done(struct origin_mount *m) {
        free(m->target);
        free(m->type);
        free(m->root);
        free(m->options);
}

void origin_mount_list_done(struct origin_mount_list *l) {
        for (size_t i = 0; i < l->n; i++)
                mount_done(&l->items[i]);
        free(l->items);
        *l = (struct origin_mount_list){ 0 };
}

static int parse_line(char *line, struct origin_mount *ret) {
        char **fields[FIELDS] = { &ret->target, &ret->type, &ret->root, &ret->options };
        char *word = strsep(&line, " ");

        if (!word || !streq(word, "mount"))
                return -EBADMSG;
        for (size_t i = 0; i < FIELDS; i++) {
                word = strsep(&line, " ");
                if (!word || !*word)
                        return -EBADMSG;
                *fields[i] = mnt_unmangle(word);
                if (!*fields[i])
                        return -ENOMEM;
        }
        return line || ret->target[0] != '/' || ret->root[0] != '/' ? -EBADMSG : 0;
}

int origin_mounts_parse(const char *text, struct origin_mount_list *ret) {
        _cleanup_(origin_mount_list_done) struct origin_mount_list l = { 0 };
        _cleanup_(freep) char *copy = strdup(text);
        char *line, *rest = copy;

        if (!copy)
                return -ENOMEM;
        while ((line = strsep(&rest, "\n"))) {
                struct origin_mount *longer;
                int r;

                if (!*line)
                        continue;
                longer = reallocarray(l.items, l.n + 1, sizeof(*longer));
                if (!longer)
                        return -ENOMEM;
                l.items = longer;
                l.items[l.n++] = (struct origin_mount){ 0 };
                r = parse_line(line, &l.items[l.n - 1]);
                if (r < 0)
                        return r;
        }
        *ret = l;
        l = (struct origin_mount_list){ 0 };
        return 0;
}

static bool is_whole(const char *root) {
        return streq(root, "/");
}

static int append_mount(char **text, struct libmnt_fs *fs) {
        const char *values[FIELDS - 1] = { mnt_fs_get_target(fs), mnt_fs_get_fstype(fs),
                                           mnt_fs_get_root(fs) };
        _cleanup_(freep) char *options = NULL;
        char *mangled[FIELDS] = { 0 }, *longer = NULL;
        int r;

        r = str_format(&options, "%s,%s", str_or_empty(mnt_fs_get_vfs_options(fs)),
                       str_or_empty(mnt_fs_get_fs_options(fs)));
        for (size_t i = 0; r >= 0 && i < FIELDS; i++) {
                mangled[i] = mnt_mangle(i < FIELDS - 1 ? str_or_empty(values[i]) : options);
                if (!mangled[i])
                        r = -ENOMEM;
        }
        if (r >= 0)
                r = str_format(&longer, "%smount %s %s %s %s\n", str_or_empty(*text), mangled[0],
                               mangled[1], mangled[2], mangled[3]);
        for (size_t i = 0; i < FIELDS; i++)
                free(mangled[i]);
        if (r < 0)
                return r;
        free(*text);
        *text = longer;
        return 0;
}

static void iter_freep(struct libmnt_iter **i) {
        mnt_free_iter(*i);
}

int origin_mounts_collect(dev_t devno, struct origin_mounts *ret, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *t = NULL;
        _cleanup_(origin_mounts_done) struct origin_mounts m = { 0 };
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        bool whole = false;
        struct libmnt_fs *fs;
        int r;

        r = i ? mount_table_read(&t) : -ENOMEM;
        while (r >= 0 && mnt_table_next_fs(t, i, &fs) == 0) {
                const char *target = str_or_empty(mnt_fs_get_target(fs));

                if (mnt_fs_get_devno(fs) != devno)
                        continue;
                if (is_whole(str_or_empty(mnt_fs_get_root(fs))))
                        whole = true;
                else if (!whole)
                        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                             "a part of the volume alone is mounted, at %s; end "
                                             "that (umount)",
                                             target);
                for (size_t k = 0; k < ARRAY_SIZE(system_places); k++)
                        m.at_boot = m.at_boot || streq(target, system_places[k]);
                r = append_mount(&m.text, fs);
                if (r >= 0)
                        r = strv_append(&m.names, target);
        }
        if (r >= 0 && !m.text)
                r = str_replace(&m.text, "");
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the mount table");
        *ret = m;
        m = (struct origin_mounts){ 0 };
        return 0;
}

static int find_device(const char *dm_uuid, struct mapper_info *ret, struct vss_error *reterr) {
        int r;

        r = mapper_find_uuid(dm_uuid, ret, reterr);
        if (r >= 0 && (!ret->exists || !ret->live_table))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENODEV,
                                     "the volume (%s) is not active", dm_uuid);
        return r;
}

static int add_nodes(char ***names, const char *dm_name) {
        _cleanup_(freep) char *node = NULL, *vg = NULL, *lv = NULL, *layer = NULL, *link = NULL;
        int r;

        r = str_format(&node, "/dev/mapper/%s", dm_name);
        if (r >= 0)
                r = strv_append(names, node);
        if (r < 0 || lvm_name_split(dm_name, &vg, &lv, &layer) < 0 || layer)
                return r;
        r = str_format(&link, "/dev/%s/%s", vg, lv);
        if (r >= 0)
                r = strv_append(names, link);
        return r < 0 ? r : strv_append(names, link + strlen("/dev/"));
}

int origin_mounts_read(const char *dm_uuid, struct origin_mounts *ret, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = find_device(dm_uuid, &info, reterr);
        if (r >= 0)
                r = origin_mounts_collect(info.devno, ret, reterr);
        if (r < 0)
                return r;
        r = add_nodes(&ret->names, info.name);
        if (r >= 0)
                return 0;
        origin_mounts_done(ret);
        return vss_error_from_errno(reterr, r, info.name);
}

static bool is_mounted(struct libmnt_table *t, const char *target, dev_t devno) {
        _cleanup_(iter_freep) struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;

        while (i && mnt_table_next_fs(t, i, &fs) == 0)
                if (mnt_fs_get_devno(fs) == devno &&
                    streq(str_or_empty(mnt_fs_get_target(fs)), target))
                        return true;
        return false;
}

int origin_mounts_check_top(const char *target, dev_t devno, bool *ret, struct vss_error *reterr) {
        _cleanup_(mount_table_freep) struct libmnt_table *t = NULL;
        struct libmnt_fs *fs;
        int r;

        r = mount_table_read(&t);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the mount table");
        fs = mnt_table_find_target(t, target, MNT_ITER_BACKWARD);
        *ret = fs && mnt_fs_get_devno(fs) == devno;
        if (!fs || *ret || !is_mounted(t, target, devno))
                return 0;
        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                             "another file system is mounted over it at %s; end that (umount)",
                             target);
}

static int try_unmount(const char *target) {
        if (umount2(target, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
                return 0; /* or somebody else was faster */
        return -errno;
}

/* Until it works, or for so long. */
static int keep_unmounting(const char *target, uint64_t usec) {
        const struct timespec pause = { .tv_nsec = POLL_NSEC };
        uint64_t end_usec = now_monotonic_usec() + usec;
        int r;

        while ((r = try_unmount(target)) == -EBUSY && now_monotonic_usec() < end_usec)
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        return r;
}

static int say_busy(const char *target, bool force, struct vss_error *reterr) {
        _cleanup_(freep) char *users = mount_users(target);

        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY, "%s is in use by %s; %s", target,
                             users ? users
                                   : "something that is no program (another mount below "
                                     "it, a file that is a disk)",
                             force ? "end that" : "end that, or force");
}

static int end_one(const char *target, dev_t devno, bool force, struct vss_error *reterr) {
        static const struct {
                int signal;
                uint64_t usec;
        } ways[] = { { SIGTERM, TERM_USEC }, { SIGKILL, KILL_USEC } };
        bool there;
        int r;

        r = origin_mounts_check_top(target, devno, &there, reterr);
        if (r < 0 || !there) /* somebody else was faster */
                return r;
        r = keep_unmounting(target, 0);
        for (size_t i = 0; r == -EBUSY && force && i < ARRAY_SIZE(ways); i++) {
                if (mount_users_end(target, devno, ways[i].signal) == 0)
                        break;
                r = keep_unmounting(target, ways[i].usec);
        }
        if (r == -EBUSY)
                return say_busy(target, force, reterr);
        return r < 0 ? vss_error_from_errno(reterr, r, target) : 0;
}

int origin_mounts_end(const char *dm_uuid, const char *text, bool force, struct vss_error *reterr) {
        _cleanup_(origin_mount_list_done) struct origin_mount_list l = { 0 };
        struct mapper_info info;
        int r;

        r = origin_mounts_parse(text, &l);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the volume's mounts");
        r = find_device(dm_uuid, &info, reterr);
        for (size_t i = l.n; r >= 0 && i-- > 0;)
                r = end_one(l.items[i].target, info.devno, force, reterr);
        if (r < 0)
                (void)origin_mounts_again(dm_uuid, text, NULL); /* the failure is told already */
        return r;
}

static void context_freep(struct libmnt_context **c) {
        mnt_free_context(*c);
}

/* source: the device, or for a part of the file system where the whole of it is mounted. Positive:
 * what mount(2) says, and words are libmount's. */
static int try_mount(const struct origin_mount *m, const char *source, const char *more_options,
                     char words[static WORDS_SIZE]) {
        _cleanup_(context_freep) struct libmnt_context *c = mnt_new_context();
        _cleanup_(freep) char *options = strdup(more_options);
        int r;

        /* The kernel shows it and does not take it. */
        if (!options || mnt_optstr_remove_option(&options, "seclabel") < 0)
                return -ENOMEM;
        if (!is_whole(m->root) && mnt_optstr_prepend_option(&options, "bind", NULL) < 0)
                return -ENOMEM;
        /* fstab(5) may say something else; what counts is how it was. */
        if (!c || mnt_context_set_optsmode(c, MNT_OMODE_NOTAB) < 0 ||
            mnt_context_set_source(c, source) < 0 || mnt_context_set_target(c, m->target) < 0 ||
            mnt_context_set_options(c, options) < 0 ||
            (is_whole(m->root) && mnt_context_set_fstype(c, m->type) < 0))
                return -ENOMEM;
        r = mnt_context_mount(c);
        if (r == 0)
                return 0;
        words[0] = '\0';
        (void)mnt_context_get_excode(c, r, words, WORDS_SIZE);
        r = mnt_context_get_syscall_errno(c);
        return r > 0 ? r : EIO;
}

static int begin_one(const struct origin_mount *m, const char *source, struct vss_error *reterr) {
        _cleanup_(freep) char *own = NULL;
        char words[WORDS_SIZE] = "";
        int r;

        r = try_mount(m, source, m->options, words);
        if (r == EINVAL && mnt_split_optstr(m->options, NULL, &own, NULL, 0, 0) == 0 && own) {
                /* What file systems show is not always what they take. */
                r = try_mount(m, source, own, words);
                if (r == 0)
                        log_warning(
                                "%s is mounted at %s again with the options %s only, as %s does "
                                "not take all that it shows (%s)",
                                source, m->target, own, m->type, m->options);
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, m->target);
        return r == 0 ? 0
                      : vss_error_set(reterr, VSS_E_UNEXPECTED, r,
                                      "cannot mount %s at %s again: %s", source, m->target,
                                      *words ? words : "mount(2) failed");
}

static int source_of(const struct origin_mount_list *l, const struct origin_mount *m,
                     const char *device, char **ret) {
        if (is_whole(m->root))
                return str_replace(ret, device);
        for (size_t i = 0; i < l->n; i++)
                if (is_whole(l->items[i].root))
                        return str_format(ret, "%s%s", l->items[i].target, m->root);
        return -EBADMSG;
}

int origin_mounts_again(const char *dm_uuid, const char *text, struct vss_error *reterr) {
        _cleanup_(origin_mount_list_done) struct origin_mount_list l = { 0 };
        _cleanup_(freep) char *device = NULL;
        struct mapper_info info;
        int r, failed = 0;

        r = origin_mounts_parse(text, &l);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the volume's mounts");
        if (l.n == 0)
                return 0;
        r = find_device(dm_uuid, &info, reterr);
        if (r < 0)
                return r;
        if (str_format(&device, "/dev/mapper/%s", info.name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, info.name);
        for (size_t i = 0; i < l.n; i++) {
                _cleanup_(mount_table_freep) struct libmnt_table *t = NULL;
                _cleanup_(freep) char *source = NULL;

                r = mount_table_read(&t);
                if (r >= 0 && is_mounted(t, l.items[i].target, info.devno))
                        continue;
                if (r >= 0)
                        r = source_of(&l, &l.items[i], device, &source);
                r = r < 0 ? vss_error_from_errno(reterr, r, l.items[i].target)
                          : begin_one(&l.items[i], source, reterr);
                if (r < 0)
                        failed = r;
        }
        return failed;
}

int origin_has_state(const char *dm_uuid, struct store *store, bool *ret,
                     struct vss_error *reterr) {
        _cleanup_(freep) char *directory = strdup(store_guard_lock(store));
        struct mapper_info info;
        struct stat st;
        int r;

        if (!directory)
                return vss_error_from_errno(reterr, -ENOMEM, dm_uuid);
        *strrchr(directory, '/') = '\0'; /* it is a file in it */
        if (stat(directory, &st) < 0)
                return vss_error_from_errno(reterr, -errno, directory);
        r = find_device(dm_uuid, &info, reterr);
        if (r >= 0)
                *ret = st.st_dev == info.devno;
        return r;
}
