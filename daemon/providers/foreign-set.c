/* The copies of one set in creation, made by somebody else's process. The phases are those of
 * provider-mgmt.md, section 7; what each does to the process:
 *
 *   stage    BeginPrepareSnapshot of each volume, EndPrepareSnapshots      everything runs
 *   commit   PreCommitSnapshots, CommitSnapshots                           writers frozen
 *   settle   PostCommitSnapshots                                           writers frozen
 *   finish   PreFinalCommitSnapshots, GetSnapshotProperties of each copy   everything runs
 *   seal     PostFinalCommitSnapshots
 *   abort    AbortSnapshots, from anywhere
 *
 * No row of the window is its: while origins are suspended nobody waits for a process that may be
 * in need of one of them. */

#include "common/time-util.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/foreign-copies.h"
#include "daemon/providers/foreign.h"
#include <fcntl.h>
#include <sys/stat.h>

#define DATA_MAX_BYTES 4096U
/* Those that a provider may say of its copies. */
#define ATTRIBUTES (VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_PLEX)

/* What is at a path, by whichever of its names: a directory, or a block device (inode 0). */
struct place {
        dev_t device;
        ino_t inode;
};

/* A volume goes on: no copy is its directory or its device. */
struct origin {
        struct place directory, device; /* device 0: there is none */
        bool has_no_block_copy;         /* as struct volume has it */
};

struct provider_set {
        struct foreign *foreign;
        struct foreign_link *link;
        struct store *store;
        VSS_ID set_id;
        struct snapshot_record *records; /* borrowed */
        struct origin *origins;
        struct place *copies; /* as the provider has said */
        size_t n;
        int64_t intent;
        bool has_intent;
        bool gone; /* nothing of it is left */
};

static struct provider_set *set_free(struct provider_set *s) {
        if (!s)
                return NULL;
        foreign_link_close(s->link);
        free(s->origins);
        free(s->copies);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(struct provider_set, set_free);

static void note_origin(struct origin *o, const struct volume *v) {
        struct stat st;

        o->device.device = v->devno;
        o->has_no_block_copy = v->has_no_block_copy;
        if (v->mount_fd >= 0 && fstat(v->mount_fd, &st) >= 0)
                o->directory = (struct place){ .device = st.st_dev, .inode = st.st_ino };
}

static int set_new(struct provider_set **ret, struct foreign *f, struct store *store,
                   const struct volume *const *volumes, struct snapshot_record *records, size_t n) {
        _cleanup_(set_freep) struct provider_set *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->foreign = f;
        s->store = store;
        s->set_id = records[0].set_id;
        s->records = records;
        s->n = n;
        s->origins = calloc(n, sizeof(*s->origins));
        s->copies = calloc(n, sizeof(*s->copies));
        if (!s->origins || !s->copies)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                note_origin(&s->origins[i], volumes[i]);
        *ret = TAKE_PTR(s);
        return 0;
}

/* "ID NUMBER VOLUME", a line each; the number is that of ShadowCopyN. */
static int intent_text(char **ret, const struct provider_set *s) {
        _cleanup_(freep) char *text = NULL;

        for (size_t i = 0; i < s->n; i++) {
                char *longer;

                if (str_format(&longer, "%s%s %llu %s\n", str_or_empty(text),
                               VSS_ID_TEXT(s->records[i].id),
                               (unsigned long long)s->records[i].number, s->records[i].volume) < 0)
                        return -ENOMEM;
                free(text);
                text = longer;
        }
        *ret = TAKE_PTR(text);
        return 0;
}

static int open_intent(struct provider_set *s, struct vss_error *reterr) {
        struct intent_record intent = {
                .set_id = s->set_id,
                .provider = foreign_record(s->foreign)->name,
                .kind = (char *)(uintptr_t) "create",
        };
        int r;

        r = intent_text(&intent.data, s);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "Describing the set");
        r = store_intent_open(s->store, &intent, &s->intent, reterr);
        free(intent.data);
        s->has_intent = r >= 0;
        return r;
}

static int call_set(struct provider_set *s, enum foreign_method m, uint64_t limit_usec,
                    struct vss_error *reterr) {
        const struct foreign_args args = { .set_id = s->set_id, .count = s->records[0].count };

        return foreign_call(s->link, m, &args, limit_usec, NULL, reterr);
}

static int prepare(struct provider_set *s, const struct volume *const *volumes,
                   struct vss_error *reterr) {
        for (size_t i = 0; i < s->n; i++) {
                const struct foreign_args args = {
                        .set_id = s->set_id,
                        .snapshot_id = s->records[i].id,
                        .volume = volumes[i],
                        .context = s->records[i].context,
                };
                int r = foreign_call(s->link, FOREIGN_BEGIN_PREPARE_SNAPSHOT, &args, USEC_INFINITY,
                                     NULL, reterr);

                if (r < 0)
                        return r;
        }
        /* Who cancels waits for it: it carries out calls in their order, so that an AbortSnapshots
         * behind this is answered no earlier, and would be late by its own limit. */
        return call_set(s, FOREIGN_END_PREPARE_SNAPSHOTS, USEC_INFINITY, reterr);
}

static int take_back(struct provider_set *s, struct vss_error *reterr) {
        _cleanup_(freep) struct foreign_copy *copies = NULL;
        int r;

        if (s->gone)
                return 0;
        copies = calloc(s->n, sizeof(*copies));
        if (!copies)
                return vss_error_from_errno(reterr, -ENOMEM, "AbortSnapshots");
        for (size_t i = 0; i < s->n; i++)
                copies[i] = (struct foreign_copy){ .id = s->records[i].id,
                                                   .volume = s->records[i].volume };
        r = foreign_take_back(s->foreign, s->link, s->set_id, copies, s->n, reterr);
        s->gone = r >= 0;
        return r;
}

int foreign_stage(const struct provider *p, struct provider_set **ret, struct store *store,
                  const struct volume *const *volumes, struct snapshot_record *records, size_t n,
                  struct vss_error *reterr) {
        _cleanup_(set_freep) struct provider_set *s = NULL;
        _cleanup_(vss_error_done) struct vss_error undo = { 0 };
        int r;

        r = set_new(&s, p->foreign, store, volumes, records, n);
        if (r < 0)
                return vss_error_from_errno(reterr, r, p->name);
        foreign_clear_up(p->foreign, store);
        r = foreign_link_open(&s->link, p->foreign, USEC_INFINITY, reterr);
        if (r >= 0)
                r = open_intent(s, reterr);
        if (r < 0)
                return r;
        r = prepare(s, volumes, reterr);
        if (r < 0) {
                if (take_back(s, &undo) < 0)
                        log_set_failure(LOG_ERR, s->set_id, &undo,
                                        "Provider %s may still have something of the set, the next "
                                        "set with it, or the next start, tries again: %s",
                                        p->name, str_or_empty(undo.message));
                else if (store_intent_close(store, s->intent, &undo) < 0)
                        log_set_failure(LOG_WARNING, s->set_id, &undo, "%s",
                                        str_or_empty(undo.message));
                return r;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

static int set_add_window_rows(struct provider_set *s _unused_, struct window *w _unused_,
                               struct vss_error *reterr _unused_) {
        return 0;
}

static int set_commit(struct provider_set *s, uint64_t timeout_usec, struct vss_error *reterr) {
        const uint64_t end_usec = now_monotonic_usec() + timeout_usec;
        uint64_t now;
        int r;

        r = call_set(s, FOREIGN_PRE_COMMIT_SNAPSHOTS, timeout_usec, reterr);
        if (r < 0)
                return r;
        now = now_monotonic_usec();
        return call_set(s, FOREIGN_COMMIT_SNAPSHOTS, now < end_usec ? end_usec - now : 0, reterr);
}

static int set_settle(struct provider_set *s, uint64_t timeout_usec, struct vss_error *reterr) {
        int r = call_set(s, FOREIGN_POST_COMMIT_SNAPSHOTS, timeout_usec, reterr);

        foreign_link_rest(s->link); /* nobody is frozen any more for what follows */
        return r;
}

static bool is_same(struct place a, struct place b) {
        return a.device == b.device && a.inode == b.inode;
}

static bool is_origin(const struct provider_set *s, struct place p) {
        for (size_t i = 0; i < s->n; i++)
                if (is_same(s->origins[i].directory, p) || is_same(s->origins[i].device, p))
                        return true;
        return false;
}

/* A device is opened so that it fails where the kernel has it in use: mounted a second time it
 * would be the file system that is mounted there, and sealing the copy would seal that. */
static int find_place(struct place *ret, const char *device, bool is_block) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        if (!is_block) {
                if (stat(device, &st) < 0)
                        return -errno;
                *ret = (struct place){ .device = st.st_dev, .inode = st.st_ino };
                return 0;
        }
        fd = open(device, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        *ret = (struct place){ .device = st.st_rdev };
        return 0;
}

static int refuse(const struct provider_set *s, const char *why, struct vss_error *reterr) {
        const char *name = foreign_record(s->foreign)->name;

        log_set(LOG_WARNING, s->set_id, "Provider %s, GetSnapshotProperties: %s", name, why);
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EPROTO,
                             "The provider %s says of its copy what cannot be: %s", name, why);
}

/* As it is drafted, and afterwards. */
static bool has_directory(const struct snapshot_record *r) {
        return !streq(r->device, str_or_empty(r->device_object));
}

/* Whether a copy of that kind can be used as that of its volume: one that was not mounted is copied
 * as a device, and beside some file systems no block-level copy may be seen. NULL: it can. */
static const char *find_kind_fault(const struct origin *o, const struct snapshot_record *record,
                                   bool is_block) {
        if (o->has_no_block_copy && is_block)
                return "it is a block device, and a copy of such a file system is a directory";
        if (!has_directory(record) && !is_block)
                return "it is a directory, and a copy of a volume that is not mounted is a block "
                       "device";
        return NULL;
}

static int check_place(struct provider_set *s, size_t i, const char *device,
                       struct vss_error *reterr) {
        const bool is_block = strncmp(device, "/dev/", strlen("/dev/")) == 0; /* it was looked at */
        const char *fault = find_kind_fault(&s->origins[i], &s->records[i], is_block);
        int r;

        if (fault)
                return refuse(s, fault, reterr);
        r = find_place(&s->copies[i], device, is_block);
        if (r < 0)
                return refuse(s, r == -EBUSY ? "it is a device that is in use" : strerror(-r),
                              reterr);
        if (is_origin(s, s->copies[i]))
                return refuse(s, "it is a volume itself, not a copy", reterr);
        for (size_t k = 0; k < i; k++)
                if (is_same(s->copies[k], s->copies[i]))
                        return refuse(s, "two copies are one", reterr);
        return 0;
}

static int take_properties(struct provider_set *s, size_t i, struct foreign_reply *reply,
                           struct vss_error *reterr) {
        struct snapshot_record *record = &s->records[i];
        int r;

        if (str_empty(reply->device))
                return refuse(s, "it has neither a directory nor a device", reterr);
        if (strlen(str_or_empty(reply->data)) > DATA_MAX_BYTES)
                return refuse(s, "its own text of it is too long", reterr);
        r = foreign_check_device(s->foreign, reply->device, reterr);
        if (r >= 0)
                r = check_place(s, i, reply->device, reterr);
        if (r < 0)
                return r;
        /* What is not mounted is to be read where it is. */
        if (!has_directory(record) && str_replace(&record->device_object, reply->device) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, reply->device);
        record->attributes |= (LONG)(reply->attributes & ATTRIBUTES);
        free(record->device);
        record->device = TAKE_PTR(reply->device);
        free(record->provider_data);
        record->provider_data = TAKE_PTR(reply->data);
        return 0;
}

static int set_finish(struct provider_set *s, struct vss_error *reterr) {
        int r;

        r = call_set(s, FOREIGN_PRE_FINAL_COMMIT_SNAPSHOTS, USEC_INFINITY, reterr);
        for (size_t i = 0; r >= 0 && i < s->n; i++) {
                _cleanup_(foreign_reply_done) struct foreign_reply reply = { 0 };
                const struct foreign_args args = {
                        .snapshot_id = s->records[i].id,
                        .volume_name = s->records[i].volume,
                };

                r = foreign_call(s->link, FOREIGN_GET_SNAPSHOT_PROPERTIES, &args, USEC_INFINITY,
                                 &reply, reterr);
                if (r >= 0)
                        r = take_properties(s, i, &reply, reterr);
        }
        return r;
}

static int set_seal(struct provider_set *s, struct vss_error *reterr) {
        return call_set(s, FOREIGN_POST_FINAL_COMMIT_SNAPSHOTS, USEC_INFINITY, reterr);
}

static size_t set_intents(struct provider_set *s, const int64_t **ret_ids) {
        *ret_ids = &s->intent;
        return s->has_intent;
}

static void set_release(struct provider_set *s) {
        set_free(s);
}

const struct provider foreign_copies = {
        .add_window_rows = set_add_window_rows,
        .commit = set_commit,
        .settle = set_settle,
        .finish = set_finish,
        .seal = set_seal,
        .abort = take_back,
        .intents = set_intents,
        .release = set_release,
        .remove = foreign_remove,
        .bound = "what its copies are is known to their provider alone",
        .no_revert =
                "what its copies are is known to their provider alone, which is not called for it; "
                "copy what is wanted back from the copy's directory or block device",
        .recover = foreign_recover,
        .activate = foreign_activate,
};
