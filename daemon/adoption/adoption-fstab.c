/* See adoption-fstab.h. Stateless. */

#include "daemon/adoption/adoption-fstab.h"
#include "daemon/adoption/mapping.h"
#include "daemon/providers/block.h"

/* While the mapping is there udev's links lead to that. */
static bool names_partition(const char *path, dev_t partition) {
        dev_t devno = block_of_path(path), below;

        return devno == partition ||
               (devno != 0 && mapping_partition(devno, &below) >= 0 && below == partition);
}

/* What device-mapper has of a multipath map stays that: udev does not let it lead to the mapping.
 */
static bool is_link_of_map(const char *path) {
        static const char *const prefixes[] = {
                "/mapper/",
                "/disk/by-id/dm-name-",
                "/disk/by-id/dm-uuid-",
        };
        size_t n = strlen(mapping_dev);

        if (strncmp(path, mapping_dev, n) != 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (strncmp(path + n, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
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

                if (!adopted_is_meant(a, row->spec)) {
                        bool is_link = fstab_is_link(row->spec) && !is_link_of_map(row->spec);

                        if (row->spec[0] != '/' || !names_partition(row->spec, partition))
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

                if (!old)
                        return vss_error_from_errno(reterr, -ENOMEM, fstab_path);
                if (back && (partition == 0 || block_of_path(old) != partition)) {
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
