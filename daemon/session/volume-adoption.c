/* Adopting a plain partition, and releasing it: the files and devices are daemon/adoption's, what
 * is known of copies is known here. */

#include "daemon/coordinator/storage.h"
#include "daemon/log/log.h"
#include "daemon/session/inquiry.h"
#include "daemon/session/manager-private.h"
#include "daemon/session/volume-facts.h"

struct change {
        struct inquiry inquiry;
        struct store *store;
        char *volume, *name;
        bool keep_initramfs;
        bool counted; /* in manager->n_adoptions */
        char **notes;
        struct adoption_result result;
};

static void change_free(struct inquiry *q) {
        struct change *c = (struct change *)q;

        if (c->counted)
                q->manager->n_adoptions--;
        free(c->volume);
        free(c->name);
        strv_free(c->notes);
}

static const void *change_answer(struct inquiry *q, int *r, struct vss_error *error _unused_) {
        struct change *c = (struct change *)q;

        if (*r < 0)
                return NULL;
        c->result.notes = c->notes;
        return &c->result;
}

static int run(struct change *c, bool adopt, struct vss_error *reterr) {
        const struct storage *storage = storage_table();
        const struct adoption_options options = {
                .name = c->name,
                .keep_initramfs = c->keep_initramfs,
        };
        int r;

        r = adopt ? storage->adopt(c->volume, &options, &c->notes, reterr)
                  : storage->release(c->volume, &options, &c->notes, reterr);
        /* It outlasts a boot: whoever wonders some day finds it in the log. */
        if (r >= 0)
                STRV_FOREACH (note, c->notes)
                        log_notice("%s %s: %s", adopt ? "Adopting" : "Releasing", c->volume, *note);
        return r;
}

static int adopt_run(struct inquiry *q, struct vss_error *reterr) {
        return run((struct change *)q, true, reterr);
}

/* Copies are of the mapping; without it they could not be activated again. */
static int check_copies(struct change *c, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        _cleanup_(volume_freep) struct volume *v = NULL;
        unsigned n = 0;
        int r;

        r = storage_table()->volume_open(&v, c->volume, &error);
        if (r < 0 && error.hr == VSS_E_PROVIDER_VETO) { /* it is held */
                vss_error_move(reterr, &error);
                return r;
        }
        /* What is not mounted, or not even there, has a name that is looked for elsewhere. */
        if (r < 0)
                return 0;
        r = volume_count_snapshots(c->store, v, &n, reterr);
        if (r >= 0 && n > 0)
                return vss_error_set(reterr, VSS_E_VOLUME_IN_USE, EBUSY,
                                     "%s has %u shadow %s, which would be lost; delete %s first",
                                     v->name, n, n == 1 ? "copy" : "copies",
                                     n == 1 ? "it" : "them");
        return r;
}

static int release_run(struct inquiry *q, struct vss_error *reterr) {
        struct change *c = (struct change *)q;
        int r;

        r = check_copies(c, reterr);
        return r < 0 ? r : run(c, false, reterr);
}

static const struct inquiry_type adopt_type = {
        .name = "vss-adopt",
        .run = adopt_run,
        .answer = change_answer,
        .free = change_free,
};

static const struct inquiry_type release_type = {
        .name = "vss-release",
        .run = release_run,
        .answer = change_answer,
        .free = change_free,
};

static int start(struct session_manager *m, const struct inquiry_type *type, const char *volume,
                 const struct adoption_options *options, session_done_fn done, void *userdata,
                 struct vss_error *reterr) {
        _cleanup_(inquiry_freep) struct inquiry *q = NULL;
        struct change *c;
        int r;

        r = volume_check_name(volume, reterr);
        if (r < 0)
                return r;
        if (m->builder)
                return vss_error_set(reterr, VSS_E_SNAPSHOT_SET_IN_PROGRESS, EALREADY,
                                     "a set is being made, and volumes must not change below it; "
                                     "try again");
        r = inquiry_new(&q, sizeof(*c), type, m, NULL, done, userdata, reterr);
        if (r < 0)
                return r;
        c = (struct change *)q;
        c->store = m->store;
        c->keep_initramfs = options->keep_initramfs;
        if (str_replace(&c->volume, volume) < 0 || str_replace(&c->name, options->name) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, volume);
        r = inquiry_start(q, reterr);
        if (r < 0)
                return r;
        c->counted = true;
        m->n_adoptions++;
        TAKE_PTR(q);
        return 0;
}

int manager_adopt_volume(struct session_manager *m, const char *volume,
                         const struct adoption_options *options, session_done_fn done,
                         void *userdata, struct vss_error *reterr) {
        return start(m, &adopt_type, volume, options, done, userdata, reterr);
}

int manager_release_volume(struct session_manager *m, const char *volume,
                           const struct adoption_options *options, session_done_fn done,
                           void *userdata, struct vss_error *reterr) {
        return start(m, &release_type, volume, options, done, userdata, reterr);
}
