/* See foreign-copies.h: whether a volume can be copied, and copies that are there. */

#include "common/time-util.h"
#include "common/utf8.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/foreign-copies.h"
#include "daemon/providers/foreign.h"
#include "daemon/providers/snapshot-mount.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A list of volumes asks about each of them, a start about each copy: one that hangs is waited for
 * once. */
#define MUTE_USEC (60 * USEC_PER_SEC)
/* A question about a volume is not worth a longer wait for another's turn. */
#define QUESTION_TURN_USEC (10 * USEC_PER_SEC)

/* Not for a set's own calls, which have their times: there the requester waits. */
static int open_link(struct foreign_link **ret, struct foreign *f, uint64_t turn_usec,
                     struct vss_error *reterr) {
        if (foreign_is_mute(f))
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                                     "The provider %s has not answered, and is left alone for up "
                                     "to a minute",
                                     foreign_record(f)->name);
        return foreign_link_open(ret, f, turn_usec, reterr);
}

/* What one of these has ended with. It is not for the start to try again until it answers, which
 * has other volumes' copies to look at: what is left is looked at with the next set, or start. */
static int note_silence(struct foreign *f, int r) {
        if (r != -ETIMEDOUT)
                return r;
        foreign_set_mute(f, now_monotonic_usec() + MUTE_USEC);
        return -EIO;
}

static int ask(struct foreign *f, const struct volume *v, LONG context, struct foreign_reply *ret,
               struct vss_error *reterr) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        const struct foreign_args args = { .volume = v, .context = context };
        int r;

        r = open_link(&l, f, QUESTION_TURN_USEC, reterr);
        if (r >= 0)
                r = foreign_call(l, FOREIGN_IS_VOLUME_SUPPORTED, &args, USEC_INFINITY, ret, reterr);
        return note_silence(f, r);
}

/* The name is what a copy is found by later, and goes over the bus and into an intent's lines. */
static bool is_tellable(const char *name) {
        while (*name) {
                uint32_t character;
                const size_t n = utf8_decode(name, &character);

                if (character == '\n' || (character == UTF8_REPLACEMENT && n == 1))
                        return false;
                name += n;
        }
        return true;
}

int foreign_probe(const struct provider *p, const struct volume *v, LONG context,
                  struct vss_error *reterr) {
        _cleanup_(foreign_reply_done) struct foreign_reply reply = { 0 };
        int r;

        if (!is_tellable(v->name)) {
                (void)vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                                    "%s has a name that is no UTF-8, or has a line break, and "
                                    "cannot be told to the provider %s",
                                    v->name, p->name);
                return PROVIDER_OTHER_KIND;
        }
        r = ask(p->foreign, v, context, &reply, reterr);
        if (r < 0 || reply.supported)
                return r;
        (void)vss_error_set(reterr, VSS_E_VOLUME_NOT_SUPPORTED, EOPNOTSUPP,
                            "%s cannot be copied by the provider %s: %s", v->name, p->name,
                            str_empty(reply.reason) ? "it does not say why" : reply.reason);
        /* What others can copy, too, is others' to explain. */
        return v->has_no_block_copy ? -EOPNOTSUPP : PROVIDER_OTHER_KIND;
}

static bool is_not_found(int r, const struct vss_error *error) {
        return r < 0 && error->hr == VSS_E_OBJECT_NOT_FOUND;
}

static int delete_copy(struct foreign_link *l, const struct foreign_args *args,
                       struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        r = foreign_call(l, FOREIGN_DELETE_SNAPSHOT, args, USEC_INFINITY, NULL, &error);
        if (is_not_found(r, &error))
                return 0; /* gone is gone */
        vss_error_move(reterr, &error);
        return r;
}

/* What is left is deleted in any case: of one that does not know the set, of one that fails in
 * this, and of one for which the set is over, and which has said so. */
static int take_back_through(struct foreign_link *l, VSS_ID set_id,
                             const struct foreign_copy *copies, size_t n,
                             struct vss_error *reterr) {
        const struct foreign_args set = { .set_id = set_id };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        r = foreign_call(l, FOREIGN_ABORT_SNAPSHOTS, &set, USEC_INFINITY, NULL, &error);
        if (r == -ETIMEDOUT) {
                vss_error_move(reterr, &error);
                return r;
        }
        r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const struct foreign_args args = {
                        .snapshot_id = copies[i].id,
                        .volume_name = copies[i].volume,
                        .force = true,
                };

                r = delete_copy(l, &args, reterr);
        }
        return r;
}

int foreign_take_back(struct foreign *f, struct foreign_link *set_link, VSS_ID set_id,
                      const struct foreign_copy *copies, size_t n, struct vss_error *reterr) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        int r;

        if (take_back_through(set_link, set_id, copies, n, NULL) >= 0)
                return 0;
        foreign_link_rest(set_link);
        r = foreign_link_open(&l, f, USEC_INFINITY, reterr);
        return r < 0 ? r : take_back_through(l, set_id, copies, n, reterr);
}

static int not_registered(const char *name, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_PROVIDER_NOT_REGISTERED, ENODEV,
                             "The provider %s is not registered", str_or_empty(name));
}

int foreign_remove(struct store *store, const struct snapshot_record *r, bool force,
                   struct vss_error *reterr) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        struct foreign *f = foreign_by_name(str_or_empty(r->provider));
        const struct foreign_args args = {
                .snapshot_id = r->id,
                .volume_name = r->volume,
                .data = r->provider_data,
                .force = force,
        };
        int k;

        if (!f)
                return not_registered(r->provider, reterr);
        k = open_link(&l, f, USEC_INFINITY, reterr);
        if (k >= 0)
                k = delete_copy(l, &args, reterr);
        k = note_silence(f, k);
        /* A crash in between leaves a row whose storage is gone: the next start takes it away. */
        return k < 0 ? k : store_snapshot_delete(store, r->id, 0, reterr);
}

int foreign_activate(const struct snapshot_record *r, struct vss_error *reterr) {
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        _cleanup_(foreign_reply_done) struct foreign_reply reply = { 0 };
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct foreign *f = foreign_by_name(str_or_empty(r->provider));
        const struct foreign_args args = {
                .snapshot_id = r->id,
                .volume_name = r->volume,
                .data = r->provider_data,
        };
        int k;

        if (!f)
                return not_registered(r->provider, reterr);
        k = open_link(&l, f, USEC_INFINITY, &error);
        if (k >= 0)
                k = foreign_call(l, FOREIGN_GET_SNAPSHOT_PROPERTIES, &args, USEC_INFINITY, &reply,
                                 &error);
        k = note_silence(f, k);
        if (k < 0) {
                /* Only the provider can say that a copy is gone: its file system may come later. */
                bool gone = is_not_found(k, &error);

                vss_error_move(reterr, &error);
                return gone ? -ENOENT : k == -ENOENT ? -EIO : k;
        }
        if (!streq(str_or_empty(reply.device), str_or_empty(r->device)))
                return vss_error_set(reterr, VSS_E_BAD_STATE, EIO,
                                     "its provider has it at %s, and it was made at %s",
                                     str_or_empty(reply.device), str_or_empty(r->device));
        k = foreign_check_device(f, reply.device, reterr);
        return k == -ENOENT ? -EIO : k;
}

/* The lines of intent_text(), which are cut up. */
static int read_intent(char *text, struct foreign_copy **ret, size_t *ret_n) {
        _cleanup_(freep) struct foreign_copy *copies = NULL;
        size_t n = 0;

        for (char *line = text, *next; *line; line = next) {
                struct foreign_copy *longer = reallocarray(copies, n + 1, sizeof(*longer));
                char *number, *volume, *end = strchr(line, '\n');

                if (!longer)
                        return -ENOMEM;
                copies = longer;
                if (!end)
                        return -EBADMSG;
                next = end + 1;
                *end = '\0';
                number = strchr(line, ' ');
                if (!number)
                        return -EBADMSG;
                *number++ = '\0';
                copies[n].number = strtoull(number, &volume, 10);
                if (volume == number || *volume != ' ' || vss_id_parse(&copies[n].id, line) < 0 ||
                    vss_id_is_null(copies[n].id))
                        return -EBADMSG;
                copies[n].volume = volume + 1;
                n++;
        }
        *ret = TAKE_PTR(copies);
        *ret_n = n;
        return 0;
}

/* What was mounted of it already would stay, of a copy that is gone. */
static int unmount(const struct foreign_copy *c, struct vss_error *reterr) {
        struct snapshot_record record = { .id = c->id, .number = c->number };
        int r;

        r = str_format(&record.device_object, SNAPSHOT_MOUNT_ROOT "/ShadowCopy%llu",
                       (unsigned long long)c->number);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Unmounting a copy");
        r = foreign_unmount()(&record, true, reterr);
        free(record.device_object);
        return r;
}

int foreign_recover(struct store *store _unused_, const struct intent_record *intent,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *text = strdup(str_or_empty(intent->data));
        _cleanup_(freep) struct foreign_copy *copies = NULL;
        _cleanup_(foreign_link_closep) struct foreign_link *l = NULL;
        struct foreign *f = foreign_by_name(str_or_empty(intent->provider));
        size_t n = 0;
        int r;

        if (!f)
                return not_registered(intent->provider, reterr);
        r = text ? read_intent(text, &copies, &n) : -ENOMEM;
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Reading what was begun");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = unmount(&copies[i], reterr);
        if (r < 0)
                return r;
        r = open_link(&l, f, USEC_INFINITY, reterr);
        if (r >= 0)
                r = take_back_through(l, intent->set_id, copies, n, reterr);
        return note_silence(f, r);
}

static void clear_up_one(struct store *store, const struct intent_record *intent) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (foreign_recover(store, intent, &error) < 0 ||
            (store_intent_close(store, intent->id, &error) < 0 &&
             error.hr != VSS_E_OBJECT_NOT_FOUND)) /* a start has done it just now */
                log_set_failure(LOG_WARNING, intent->set_id, &error,
                                "What the provider %s had begun is still to be taken back: %s",
                                intent->provider, str_or_empty(error.message));
        else
                log_set(LOG_NOTICE, intent->set_id, "What the provider %s had begun was taken back",
                        intent->provider);
}

void foreign_clear_up(struct foreign *f, struct store *store) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        struct intent_record *intents = NULL;
        size_t n = 0;

        /* Who wants a set, or the provider's end, waits for it: once. */
        foreign_set_mute(f, 0);
        if (store_intent_list(store, &intents, &n, &error) < 0)
                log_failure(LOG_WARNING, &error, "%s", str_or_empty(error.message));
        for (size_t i = 0; i < n; i++)
                if (streq(str_or_empty(intents[i].provider), foreign_record(f)->name))
                        clear_up_one(store, &intents[i]);
        intent_records_free(intents, n);
}

static int odd_device(const struct foreign *f, const char *device, int cause, const char *why,
                      struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, cause,
                             "The copy of the provider %s, %s, cannot be used: %s",
                             foreign_record(f)->name, device, why);
}

static int open_directory(const char *path) {
        struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
        long fd;

        do
                fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
        while (fd < 0 && errno == EAGAIN); /* something was renamed on the way */
        return fd < 0 ? -errno : (int)fd;
}

/* "/a/b", each part a name. */
static bool is_plain_path(const char *path) {
        if (path[0] != '/' || strlen(path) >= PATH_MAX)
                return false;
        for (const char *c = path; *c; c++) {
                const size_t dots = *c == '/' ? strspn(c + 1, ".") : 0;
                const bool is_part_over = *c == '/' && (c[1 + dots] == '/' || !c[1 + dots]);

                if ((unsigned char)*c < 0x20 || *c == 0x7f || (is_part_over && dots <= 2))
                        return false;
        }
        return true;
}

/* The directory, or what is below it. */
static bool is_in(const char *path, const char *directory) {
        const size_t n = strlen(directory);

        return strncmp(path, directory, n) == 0 && (path[n] == '/' || !path[n]);
}

int foreign_check_device(const struct foreign *f, const char *device, struct vss_error *reterr) {
        const bool is_node = strncmp(device, "/dev/", 5) == 0;
        _cleanup_(closep) int fd = -1;
        struct stat st;

        if (!is_plain_path(device))
                return odd_device(f, "(a path)", EINVAL,
                                  "it is no full path, or one with odd parts", reterr);
        if (is_in(device, SNAPSHOT_MOUNT_ROOT) || is_in(device, SNAPSHOT_DEVICE_ROOT))
                return odd_device(f, device, EINVAL, "that is where copies are mounted", reterr);
        if (is_in(device, "/proc") || is_in(device, "/sys") || streq(device, "/dev"))
                return odd_device(f, device, EINVAL, "that is the kernel's", reterr);
        /* A node may be known by a link that stays while its number changes. */
        fd = is_node ? open(device, O_PATH | O_CLOEXEC) : open_directory(device);
        if (fd < 0 && is_node)
                fd = -errno;
        if (fd < 0)
                return odd_device(f, device, -fd,
                                  fd == -ELOOP ? "there is a symbolic link in its path"
                                               : strerror(-fd),
                                  reterr);
        if (fstat(fd, &st) < 0)
                return odd_device(f, device, errno, strerror(errno), reterr);
        if (is_node ? !S_ISBLK(st.st_mode) : !S_ISDIR(st.st_mode))
                return odd_device(f, device, ENOTBLK,
                                  "it is neither a directory nor a block device", reterr);
        return 0;
}
