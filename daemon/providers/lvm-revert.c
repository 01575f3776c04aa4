/* See lvm-revert.h. Stateless. */

#include "daemon/providers/lvm-revert.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-undo.h"
#include <fcntl.h>
#include <time.h>

/* As long as a device that is to be removed is waited for. */
#define ALONE_ATTEMPTS 20
#define ALONE_PAUSE_NSEC (100L * 1000 * 1000)

void lvm_merge_state_done(struct lvm_merge_state *s) {
        free(s->vg);
        free(s->origin);
        free(s->lv);
        free(s->lv_uuid);
        *s = (struct lvm_merge_state){ 0 };
}

/* What is hidden LVM shows in brackets. */
static int copy_name(char **ret, const char *name) {
        size_t n = strlen(name);
        bool hidden = n > 2 && name[0] == '[' && name[n - 1] == ']';

        *ret = hidden ? strndup(name + 1, n - 2) : strdup(name);
        return *ret ? 0 : -ENOMEM;
}

/* By UUID where it is known: names can have been changed. */
static bool is_copy(const struct lvm_copy *c, char *const *f, const char *name) {
        return c->lv_uuid ? streq(f[LVM_MERGE_UUID], c->lv_uuid) : streq(name, c->lv);
}

static int take_row(struct lvm_merge_state *s, bool *marked, const struct lvm_copy *c,
                    char *const *f) {
        _cleanup_(freep) char *name = NULL;
        int r;

        r = copy_name(&name, f[LVM_MERGE_LV]);
        if (r < 0)
                return r;
        if (streq(f[LVM_MERGE_UUID], c->origin_uuid)) {
                r = str_replace(&s->vg, f[LVM_MERGE_VG]);
                free(s->origin);
                s->origin = TAKE_PTR(name);
        } else if (is_copy(c, f, name)) {
                r = str_replace(&s->lv_uuid, f[LVM_MERGE_UUID]);
                free(s->lv);
                s->lv = TAKE_PTR(name);
                /* lvs(8): "(S)napshot merging", of both kinds. */
                *marked = f[LVM_MERGE_ATTR][0] == 'S';
                s->linked = streq(f[LVM_MERGE_ORIGIN_UUID], c->origin_uuid);
        }
        return r;
}

int lvm_merge_parse(struct lvm_merge_state *ret, const struct lvm_copy *c,
                    const struct lvm_report *report) {
        _cleanup_(lvm_merge_state_done) struct lvm_merge_state s = { .state = LVM_MERGE_LOST };
        bool marked = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < report->n; i++)
                r = take_row(&s, &marked, c, report->rows[i].fields);
        if (r < 0)
                return r;
        if (s.origin)
                s.state = !s.lv ? LVM_MERGE_GONE : marked ? LVM_MERGE_MARKED : LVM_MERGE_COPY;
        *ret = s;
        s = (struct lvm_merge_state){ 0 };
        return 0;
}

int lvm_merge_ask(struct lvm_merge_state *ret, struct lvm *l, const struct lvm_copy *c,
                  struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        int r;

        r = lvm_report_ask(&found, l, LVM_MERGE_FIELDS, reterr,
                           "lvs -a " LVM_REPORT_OPTIONS " --nolocking -o " LVM_MERGE_COLUMNS
                           " -S vg_uuid=%s",
                           c->vg_uuid);
        if (r < 0)
                return r;
        r = lvm_merge_parse(ret, c, &found);
        return r < 0 ? vss_error_from_errno(reterr, r, "lvm's report") : 0;
}

int lvm_revert_parse(struct lvm_copy *ret, const struct snapshot_record *r,
                     struct vss_error *reterr) {
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        int k;

        k = lvm_copy_parse(&c, str_or_empty(r->provider_data));
        if (k >= 0 && !c.lv_uuid)
                k = -EBADMSG;
        if (k < 0)
                return vss_error_from_errno(reterr, k, str_or_empty(r->device));
        k = lvm_refresh_names(&c, reterr);
        if (k < 0)
                return k;
        *ret = c;
        c = (struct lvm_copy){ 0 };
        return 0;
}

int lvm_revert_open(struct lvm **ret, struct vss_error *reterr) {
        int r;

        r = lvm_await_orphans(LVM_ORPHANS_TIMEOUT_USEC, reterr);
        return r < 0 ? r : lvm_open(ret, reterr);
}

/* What reads or writes the device itself claims nothing, and is in the count alone: a virtual
 * machine's disk, for instance. udev is, too, for a moment after each event. */
static int check_alone(const struct lvm_copy *c, struct vss_error *reterr) {
        const struct timespec pause = { .tv_nsec = ALONE_PAUSE_NSEC };
        struct mapper_info info = { .open_count = 0 };
        int r;

        for (unsigned i = 0; i < ALONE_ATTEMPTS; i++) {
                r = mapper_find_name(c->origin_device, &info, reterr);
                if (r < 0 || info.open_count <= 1) /* ourselves */
                        return r;
                (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                             "the device %s is open; end the programs that use it (lsof "
                             "/dev/mapper/%s)",
                             c->origin_device, c->origin_device);
}

int lvm_revert_claim(const struct lvm_copy *c, int *ret_fd, struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL;
        int fd, r;

        if (str_format(&path, "/dev/mapper/%s", c->origin_device) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, c->origin_device);
        mapper_let_udev_finish();
        fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
        if (fd < 0 && errno == EBUSY)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s is in use: it is mounted in another namespace (a "
                                     "container), or a mapping or an array lies on it",
                                     path);
        if (fd < 0)
                return vss_error_from_errno(reterr, -errno, path);
        r = check_alone(c, reterr);
        if (r < 0) {
                (void)safe_close(fd); /* it was only read */
                return r;
        }
        *ret_fd = fd;
        return 0;
}

void lvm_revert_state(enum lvm_merge state, struct revert_progress *ret) {
        static const enum revert_state states[] = {
                [LVM_MERGE_COPY] = REVERT_NONE,
                [LVM_MERGE_MARKED] = REVERT_WAITING,
                [LVM_MERGE_GONE] = REVERT_OVER,
                [LVM_MERGE_LOST] = REVERT_LOST,
        };

        *ret = (struct revert_progress){ .state = states[state] };
}

/* What the intent knows of the copy, as a record would have it. */
static int describe(const struct lvm_merge_state *state, struct lvm_copy *c,
                    struct snapshot_record *ret) {
        _cleanup_(snapshot_record_done) struct snapshot_record record = { 0 };

        if (lvm_copy_set_lv_uuid(c, state->lv_uuid) < 0 ||
            lvm_copy_format(c, &record.provider_data) < 0 ||
            str_replace(&record.origin_uuid, c->origin_dm_uuid) < 0 ||
            str_format(&record.volume, "/dev/%s/%s", state->vg, state->origin) < 0)
                return -ENOMEM;
        *ret = record;
        record = (struct snapshot_record){ 0 };
        return 0;
}

static int find_copy(struct lvm_copy *c, struct snapshot_record *ret, struct vss_error *reterr) {
        _cleanup_(lvm_merge_state_done) struct lvm_merge_state state = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = lvm_revert_open(&l, reterr);
        if (r >= 0)
                r = lvm_merge_ask(&state, l, c, reterr);
        if (r < 0 || state.state != LVM_MERGE_MARKED)
                return r < 0 ? r : 0;
        r = describe(&state, c, ret);
        return r < 0 ? vss_error_from_errno(reterr, r, c->lv) : 1;
}

/* It is a set of one volume: session/revert.c reverts the volume of the state to no other. */
int lvm_revert_find(const char *provider, const struct intent_record *intent,
                    struct snapshot_record *ret, struct vss_error *reterr) {
        struct lvm_intent noted = { 0 };
        int r;

        if (!streq(str_or_empty(intent->kind), LVM_INTENT_CREATE) ||
            lvm_intent_parse(&noted, provider, str_or_empty(intent->data)) < 0)
                return 0; /* undoing it says what is wrong with it */
        r = noted.n == 1 ? find_copy(&noted.copies[0], ret, reterr) : 0;
        lvm_intent_done(&noted);
        return r;
}
