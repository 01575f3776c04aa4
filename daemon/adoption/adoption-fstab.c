/* See adoption-fstab.h. Stateless. */

#include "daemon/adoption/adoption-fstab.h"
#include "daemon/adoption/mapping.h"
#include <sys/stat.h>

/* The device that a path leads to; 0: none. */
static dev_t device_of(const char *path, bool *ret_is_link) {
        struct stat st;

        *ret_is_link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
        return stat(path, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

/* While the mapping is there udev's links lead to that. */
static bool leads_to(const char *path, dev_t partition, bool *ret_is_link) {
        dev_t devno = device_of(path, ret_is_link), below;

        return devno == partition ||
               (devno != 0 && mapping_partition(devno, &below) >= 0 && below == partition);
}

static int note_respelling(const struct fstab *f, const struct fstab_row *row, struct adopted *a) {
        _cleanup_(freep) char *spec = NULL, *line = NULL;

        if (fstab_spec_text(f, row, &spec) < 0 || str_format(&line, "%s %s", spec, row->target) < 0)
                return -ENOMEM;
        return strv_contains(a->respelled, line) ? 0 : strv_append(&a->respelled, line);
}

int adoption_fstab_find(const struct fstab *f, dev_t partition, struct adopted *a,
                        char ***ret_targets, bool *ret_respell, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **targets = NULL;
        bool respell = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n; i++) {
                const struct fstab_row *row = &f->rows[i];
                bool is_link = false;

                if (!adopted_is_meant(a, row->spec)) {
                        if (row->spec[0] != '/' || !leads_to(row->spec, partition, &is_link))
                                continue;
                        r = is_link ? strv_append(&a->sources, row->spec)
                                    : note_respelling(f, row, a);
                        respell = respell || !is_link;
                }
                if (r >= 0)
                        r = strv_append(&targets, row->target);
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, fstab_path);
        *ret_targets = TAKE_PTR(targets);
        *ret_respell = respell;
        return 0;
}

/* Is this row, whose first field is `spec`, the one that `line` of a->respelled is about? */
static bool is_row(const struct fstab_row *row, const char *spec, const char *line) {
        return streq(row->spec, spec) && streq(row->target, strchr(line, ' ') + 1);
}

bool adoption_fstab_names_mapping(const struct fstab *f, const struct adopted *a) {
        for (size_t i = 0; i < f->n; i++)
                if (adopted_is_mapping(a, f->rows[i].spec))
                        return true;
        return false;
}

/* Writes the rows that have the first field `from(line)` with `to(line)`; without the mapping, back
 * that is, those that name it are by UUID. */
static int exchange(const struct fstab *f, const struct adopted *a, bool back, dev_t partition,
                    struct vss_error *reterr) {
        _cleanup_(strv_freep) char **texts = NULL; /* of the new fields */
        _cleanup_(freep) const char **specs = NULL;
        _cleanup_(freep) char *by_uuid = NULL;
        bool any = false;
        int left = 0;

        specs = calloc(f->n + 1, sizeof(*specs));
        if (!specs || str_format(&by_uuid, "UUID=%s", a->uuid) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
        STRV_FOREACH (line, a->respelled) {
                _cleanup_(freep) char *old = strndup(*line, strcspn(*line, " "));
                bool is_link;

                if (!old)
                        return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
                if (back && device_of(old, &is_link) != partition) {
                        left = 1;
                        continue;
                }
                if (strv_append(&texts, back ? old : by_uuid) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
                for (size_t i = 0; i < f->n; i++)
                        if (is_row(&f->rows[i], back ? by_uuid : old, *line)) {
                                specs[i] = texts[strv_length(texts) - 1];
                                any = true;
                        }
        }
        for (size_t i = 0; back && i < f->n; i++)
                if (adopted_is_mapping(a, f->rows[i].spec)) {
                        specs[i] = by_uuid;
                        any = true;
                }
        if (any) {
                int r = fstab_write(f, specs, reterr);

                if (r < 0)
                        return r;
        }
        return left;
}

int adoption_fstab_respell(const struct fstab *f, const struct adopted *a,
                           struct vss_error *reterr) {
        return exchange(f, a, false, 0, reterr);
}

int adoption_fstab_restore(const struct fstab *f, dev_t partition, const struct adopted *a,
                           struct vss_error *reterr) {
        return exchange(f, a, true, partition, reterr);
}
