/* See adoption-target.h. */

#include "daemon/adoption/adoption-target.h"
#include "common/path.h"
#include "daemon/adoption/adoption-check.h"
#include "daemon/providers/block.h"
#include "daemon/providers/multipath.h"
#include <sys/stat.h>

void adoption_target_done(struct adoption_target *t) {
        volume_free(t->volume);
        identity_done(&t->partition);
        adopted_list_done(&t->list);
        fstab_done(&t->fstab);
        *t = (struct adoption_target){ 0 };
}

static bool is_ours(const struct volume *v) {
        return v->dm_uuid &&
               strncmp(v->dm_uuid, ADOPTED_UUID_PREFIX, strlen(ADOPTED_UUID_PREFIX)) == 0;
}

static const char *spec_of_place(const struct fstab *f, const char *place) {
        for (size_t i = 0; i < f->n; i++)
                if (path_is_same(f->rows[i].target, place))
                        return f->rows[i].spec;
        return NULL;
}

/* What is not mounted is asked of fstab. */
static int open_volume(struct adoption_target *t, const char *spec, struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        const char *other;
        int r;

        r = volume_open(&t->volume, spec, &why);
        if (r < 0 && (why.hr == VSS_E_OBJECT_NOT_FOUND || why.hr == E_INVALIDARG)) {
                other = spec_of_place(&t->fstab, spec);
                if (other)
                        return volume_open(&t->volume, other, reterr);
        }
        if (r < 0)
                vss_error_move(reterr, &why);
        return r;
}

static void find_line_of_absent(struct adoption_target *t, const char *spec) {
        const char *other = spec_of_place(&t->fstab, spec);

        for (size_t i = 0; i < t->list.n && !t->line; i++)
                if (adopted_is_meant(&t->list.items[i], spec) ||
                    (other && adopted_is_meant(&t->list.items[i], other)))
                        t->line = &t->list.items[i];
}

/* A partition that got a new file system since is still the one of its line. */
static void find_line(struct adoption_target *t) {
        const struct identity *i = &t->partition;

        if (is_ours(t->volume))
                t->line = adopted_list_find(&t->list,
                                            t->volume->dm_name + strlen(ADOPTED_NAME_PREFIX));
        for (size_t k = 0; k < t->list.n && !t->line; k++) {
                const struct adopted *a = &t->list.items[k];

                if (a->partuuid ? streq(a->partuuid, str_or_empty(i->partuuid))
                                : streq(a->uuid, str_or_empty(i->uuid)))
                        t->line = a;
        }
}

static int find_mapping(struct adoption_target *t, struct vss_error *reterr) {
        _cleanup_(freep) char *name = NULL;
        dev_t below;
        int r;

        if (is_ours(t->volume))
                return mapper_find_name(t->volume->dm_name, &t->mapping, reterr);
        if (!t->line)
                return 0;
        if (adopted_mapping_name(&name, t->line) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, t->line->name);
        r = mapper_find_name(name, &t->mapping, reterr);
        if (r < 0)
                return r;
        if (t->mapping.exists &&
            (mapping_partition(t->mapping.devno, &below) < 0 || below != t->partition.devno))
                t->mapping.exists = false; /* another's */
        return 0;
}

static int look_at(struct adoption_target *t, struct vss_error *reterr) {
        struct stat root;
        dev_t devno;
        int r;

        if (t->volume->dm_name && !is_ours(t->volume) &&
            multipath_look(t->volume->dm_uuid) == MULTIPATH_NONE)
                return adoption_check_mapped(t->volume, reterr);
        r = mapping_partition(t->volume->devno, &devno);
        if (r < 0)
                return vss_error_from_errno(reterr, r, t->volume->name);
        r = identity_read(&t->partition, devno, reterr);
        if (r < 0)
                return r;
        t->root = stat("/", &root) == 0 && root.st_dev == t->volume->devno;
        find_line(t);
        return find_mapping(t, reterr);
}

int adoption_target_find(struct adoption_target *ret, const char *spec, bool absent,
                         struct vss_error *reterr) {
        _cleanup_(adoption_target_done) struct adoption_target t = { 0 };
        _cleanup_(vss_error_done) struct vss_error why = { 0 };
        int r;

        r = adopted_list_read(&t.list, reterr);
        if (r >= 0)
                r = fstab_read(&t.fstab, reterr);
        if (r < 0)
                return r;
        r = open_volume(&t, spec, &why);
        if (r >= 0)
                r = look_at(&t, &why);
        else if (absent)
                find_line_of_absent(&t, spec);
        if (r < 0 && !t.line) {
                vss_error_move(reterr, &why);
                return r;
        }
        /* What it lay on may have gone without it. */
        if (r < 0) {
                _cleanup_(freep) char *name = NULL;

                if (adopted_mapping_name(&name, t.line) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, spec);
                r = mapper_find_name(name, &t.mapping, reterr);
                if (r < 0)
                        return r;
        }
        *ret = t;
        t = (struct adoption_target){ 0 };
        return 0;
}

bool adoption_target_is_mounted(const struct adoption_target *t) {
        return t->volume && t->volume->mount_point;
}

bool adoption_target_is_mapped(const struct adoption_target *t) {
        return t->volume && is_ours(t->volume);
}
