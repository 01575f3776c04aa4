/* See lvm-transport.h. Stateless. */

#include "daemon/providers/lvm-transport.h"
#include "common/vss-id.h"
#include "daemon/log/log.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/lvm-life.h"
#include "daemon/providers/lvm-name.h"
#include <inttypes.h>
#include <stdio.h>

#define WORD "transport"
#define NOTHING "-"
#define TAG "vss.copy="

#define COLUMNS                                                                            \
        "vg_name,vg_uuid,lv_name,lv_attr,lv_size,origin,origin_uuid,pool_lv_uuid,thin_id," \
        "lv_tags"
#define ATTR_LENGTH 10
#define ATTR_PERMISSION 1 /* its place (lvs(8)) */

/* What is put between spaces, on a line; UUIDs of file systems are of such characters. */
#define CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-"
#define LENGTH_MAX 64

void lvm_transport_done(struct lvm_transport *t) {
        free(t->pool);
        free(t->type);
        free(t->uuid);
        *t = (struct lvm_transport){ 0 };
}

static bool is_word(const char *text) {
        size_t length = strlen(text);

        return length > 0 && length <= LENGTH_MAX && strspn(text, CHARACTERS) == length &&
               !streq(text, NOTHING);
}

/* What cannot be written is not known. */
static const char *known(const char *text) {
        return text && is_word(text) ? text : NULL;
}

static const char *or_nothing(const char *text) {
        return known(text) ? text : NOTHING;
}

int lvm_transport_format(const struct lvm_transport *t, const char *copy, char **ret) {
        return str_format(
                ret, "%s" WORD " sectors=%" PRIu64 " pool=%s thin=%" PRIu64 " type=%s uuid=%s\n",
                copy, t->sectors, or_nothing(t->pool), t->thin_id, or_nothing(t->type),
                or_nothing(t->uuid));
}

static int take_text(char **field, const char *value) {
        if (streq(value, NOTHING))
                return 0;
        return is_word(value) ? str_replace(field, value) : -EBADMSG;
}

static int take_values(struct lvm_transport *t, const char *const values[static 5]) {
        int r;

        r = lvm_number(values[0], &t->sectors);
        if (r >= 0 && t->sectors == 0)
                r = -EBADMSG;
        if (r >= 0)
                r = take_text(&t->pool, values[1]);
        if (r >= 0)
                r = lvm_number(values[2], &t->thin_id);
        if (r >= 0)
                r = take_text(&t->type, values[3]);
        if (r >= 0)
                r = take_text(&t->uuid, values[4]);
        return r;
}

int lvm_transport_parse(struct lvm_transport *ret, const char *provider_data) {
        static const char *const keys[] = { "sectors", "pool", "thin", "type", "uuid" };
        const char *values[ARRAY_SIZE(keys)], *second = strchr(provider_data, '\n');
        _cleanup_(lvm_transport_done) struct lvm_transport t = { 0 };
        _cleanup_(freep) char *copy = NULL;
        char *line, *rest;
        int r;

        if (!second)
                return -EBADMSG;
        copy = strdup(second + 1);
        if (!copy)
                return -ENOMEM;
        rest = copy;
        line = strsep(&rest, "\n");
        if (!rest || *rest) /* one line, and its end */
                return -EBADMSG;
        if (!streq(str_or_empty(strsep(&line, " ")), WORD))
                return -EBADMSG;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                char *word = strsep(&line, " ");
                size_t length = strlen(keys[i]);

                if (!word || strncmp(word, keys[i], length) != 0 || word[length] != '=')
                        return -EBADMSG;
                values[i] = word + length + 1;
        }
        if (line)
                return -EBADMSG;
        r = take_values(&t, values);
        if (r < 0)
                return r;
        *ret = t;
        t = (struct lvm_transport){ 0 };
        return 0;
}

bool lvm_transport_has_identity(const struct lvm_transport *t, const struct volume_identity *i) {
        return streq(or_nothing(t->type), or_nothing(i->type)) &&
               streq(or_nothing(t->uuid), or_nothing(i->uuid));
}

int lvm_transport_find(struct lvm_report *ret, struct lvm *l, const struct lvm_copy *c,
                       struct vss_error *reterr) {
        int r;

        r = lvm_copy_ask(ret, l, c, COLUMNS, TRANSPORT_FIELDS, reterr);
        if (r < 0)
                return r;
        return ret->n == 0 || strlen(ret->rows[0].fields[TRANSPORT_ATTR]) >= ATTR_LENGTH
                       ? 0
                       : vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
}

/* All that decides whose the copy is and how long it stays. */
static int tag_of(const struct snapshot_record *r, char **ret) {
        return str_format(ret, TAG "%s:%s:%08x", VSS_ID_TEXT(r->id), VSS_ID_TEXT(r->set_id),
                          (unsigned)r->context);
}

int lvm_transport_is_tagged(char *const *fields, const struct snapshot_record *record) {
        _cleanup_(freep) char *tag = NULL;
        int r = tag_of(record, &tag);

        return r < 0 ? r : str_has_word(fields[TRANSPORT_TAGS], ",", tag);
}

int lvm_transport_is_copy(char *const *fields, const struct snapshot_record *record,
                          const char **ret_what) {
        int r = lvm_transport_is_tagged(fields, record);

        if (r < 0)
                return r;
        /* By its name udev knows that it is not to be found by its origin's UUID. */
        if (strncmp(fields[TRANSPORT_LV], LVM_COPY_PREFIX, strlen(LVM_COPY_PREFIX)) != 0)
                *ret_what = "it was given a name that copies do not have (lvrename)";
        else if (r == 0)
                *ret_what = "it is not marked as that";
        else if (fields[TRANSPORT_ATTR][ATTR_PERMISSION] != 'r')
                *ret_what = "it can be written, and may have been";
        else
                return 1;
        return 0;
}

static int say_gone(const struct lvm_copy *c, struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                             "the logical volume %s/%s of a copy is gone", c->vg, c->lv);
}

static int say_refused(const char *verb, char *const *f, const char *words,
                       struct vss_error *reterr) {
        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EIO,
                             "LVM did not %s the copy %s/%s: %s", verb, f[TRANSPORT_VG],
                             f[TRANSPORT_LV], str_empty(words) ? "it gave no reason" : words);
}

/* That it was done is seen in what LVM reports. */
static int add_tag(struct lvm *l, const struct lvm_copy *c, const struct snapshot_record *record,
                   char *const *f, struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report after = { 0 };
        _cleanup_(freep) char *words = NULL, *tag = NULL;
        int r;

        r = tag_of(record, &tag);
        if (r < 0)
                return vss_error_from_errno(reterr, r, str_or_empty(record->device));
        r = lvm_tell(l, reterr, "lvchange -y --addtag %s %s/%s", tag, f[TRANSPORT_VG],
                     f[TRANSPORT_LV]);
        words = strdup(lvm_complaint(l)); /* without memory it is not said */
        if (r >= 0)
                r = lvm_transport_find(&after, l, c, reterr);
        if (r < 0)
                return r;
        r = after.n == 1 ? lvm_transport_is_tagged(after.rows[0].fields, record) : 0;
        if (r < 0)
                return vss_error_from_errno(reterr, r, str_or_empty(record->device));
        return r > 0 ? 0 : say_refused("mark", f, words, reterr);
}

/* The tags of this kind that it has; NULL: none. */
static int tags_of_transport(char *const *f, char ***ret) {
        _cleanup_(strv_freep) char **found = NULL;
        _cleanup_(freep) char *copy = strdup(f[TRANSPORT_TAGS]);
        char *rest = copy, *tag;
        int r = copy ? 0 : -ENOMEM;

        while (r >= 0 && (tag = strsep(&rest, ",")))
                if (strncmp(tag, TAG, strlen(TAG)) == 0)
                        r = strv_append(&found, tag);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(found);
        return 0;
}

int lvm_transport_untag(struct lvm *l, const struct lvm_copy *c, struct vss_error *reterr) {
        _cleanup_(strv_freep) char **tags = NULL, **left = NULL;
        _cleanup_(lvm_report_done) struct lvm_report before = { 0 }, after = { 0 };
        _cleanup_(freep) char *words = NULL;
        int r;

        r = lvm_transport_find(&before, l, c, reterr);
        if (r < 0)
                return r;
        if (before.n == 0)
                return say_gone(c, reterr);
        r = tags_of_transport(before.rows[0].fields, &tags);
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->lv);
        if (!tags)
                return 0;
        STRV_FOREACH (tag, tags)
                if (r >= 0)
                        r = lvm_tell(l, reterr, "lvchange -y --deltag %s %s/%s", *tag,
                                     before.rows[0].fields[TRANSPORT_VG],
                                     before.rows[0].fields[TRANSPORT_LV]);
        words = strdup(lvm_complaint(l)); /* without memory it is not said */
        if (r >= 0)
                r = lvm_transport_find(&after, l, c, reterr);
        if (r < 0)
                return r;
        r = after.n == 1 ? tags_of_transport(after.rows[0].fields, &left) : 0;
        if (r < 0)
                return vss_error_from_errno(reterr, r, c->lv);
        return left ? say_refused("unmark", before.rows[0].fields, words, reterr) : 0;
}

static int parse_copy(struct lvm_copy *c, const struct snapshot_record *record,
                      struct vss_error *reterr) {
        int r = lvm_copy_parse(c, str_or_empty(record->provider_data));

        if (r >= 0 && !c->lv_uuid)
                r = -EBADMSG; /* it was never finished */
        if (r == -EBADMSG)
                return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBADMSG,
                                     "what is noted of the copy %s cannot be understood: '%s'",
                                     str_or_empty(record->device),
                                     str_or_empty(record->provider_data));
        return r < 0 ? vss_error_from_errno(reterr, r, str_or_empty(record->device)) : 0;
}

/* Of the tag the id is enough: it says that this host has a row of it. */
static bool is_tag_of_any(const char *tag, const struct snapshot_record *known, size_t n) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *start = NULL;

                if (str_format(&start, TAG "%s:", VSS_ID_TEXT(known[i].id)) >= 0 &&
                    strncmp(tag, start, strlen(start)) == 0)
                        return true;
        }
        return false;
}

static int check_row_known(char *const *f, const struct snapshot_record *record,
                           const struct snapshot_record *known, size_t n,
                           struct vss_error *reterr) {
        _cleanup_(strv_freep) char **tags = NULL;
        int r;

        r = tags_of_transport(f, &tags);
        if (r < 0)
                return vss_error_from_errno(reterr, r, f[TRANSPORT_LV]);
        STRV_FOREACH (tag, tags)
                if (!is_tag_of_any(*tag, known, n))
                        return vss_error_set(
                                reterr, VSS_E_VOLUME_NOT_SUPPORTED, EBUSY,
                                "%s/%s is a transportable copy of %s that another host made, and "
                                "was not imported here (%s); import it first, or remove it "
                                "(lvremove) if nobody wants it",
                                f[TRANSPORT_VG], f[TRANSPORT_LV], str_or_empty(record->volume),
                                *tag);
        return 0;
}

int lvm_transport_check_known(const struct snapshot_record *record,
                              const struct snapshot_record *known, size_t n,
                              struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = parse_copy(&c, record, reterr);
        if (r >= 0)
                r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_report_ask(&found, l, TRANSPORT_FIELDS, reterr,
                                   "lvs " LVM_REPORT_OPTIONS " -o " COLUMNS
                                   " -S vg_uuid=%s&&origin_uuid=%s",
                                   c.vg_uuid, c.origin_uuid);
        for (size_t i = 0; r >= 0 && i < found.n; i++)
                r = check_row_known(found.rows[i].fields, record, known, n, reterr);
        return r;
}

/* f: LVM's report of it. */
static int learn(struct lvm_transport *t, const struct snapshot_record *record,
                 const struct mapper_info *info, char *const *f, struct vss_error *reterr) {
        _cleanup_(volume_identity_done) struct volume_identity identity = { 0 };
        _cleanup_(mapper_table_done) struct mapper_table table = { 0 };
        int r;

        r = mapper_read_table(info->name, &table, reterr);
        if (r >= 0)
                r = volume_identity_read(&identity, record->device, reterr);
        if (r < 0)
                return r;
        t->sectors = mapper_table_length(&table);
        if (*f[TRANSPORT_POOL_UUID] && lvm_number(f[TRANSPORT_THIN_ID], &t->thin_id) < 0)
                return vss_error_from_errno(reterr, -EBADMSG, "lvm's report");
        if (str_replace(&t->pool, known(f[TRANSPORT_POOL_UUID])) < 0 ||
            str_replace(&t->type, known(identity.type)) < 0 ||
            str_replace(&t->uuid, known(identity.uuid)) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, record->device);
        return 0;
}

/* A thick one is the origin's as long as that is active, and loses its node: LVM takes both or
 * none. */
static int let_go(const struct snapshot_record *record, const struct mapper_info *info, bool thin,
                  struct vss_error *reterr) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        int r;

        if (!thin) {
                copy_link_drop(record->device, info);
                return 0;
        }
        mapper_let_udev_finish(); /* it has it open after each event, for a moment */
        r = mapper_remove(info->name, false, &error);
        if (r == -EBUSY)
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EBUSY,
                                     "the copy of %s is in use and cannot be handed over; end the "
                                     "programs that use it (lsof /dev/mapper/%s)",
                                     str_or_empty(record->volume), info->name);
        if (r < 0)
                vss_error_move(reterr, &error);
        else
                copy_link_remove(record->device);
        return r;
}

static int hand_over_one(struct snapshot_record *record, struct lvm *l, struct vss_error *reterr) {
        _cleanup_(lvm_transport_done) struct lvm_transport t = { 0 };
        _cleanup_(freep) char *line = NULL, *data = NULL;
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        struct mapper_info info;
        int r;

        r = parse_copy(&c, record, reterr);
        if (r >= 0)
                r = lvm_life_find(record, &info, reterr);
        if (r >= 0)
                r = lvm_transport_find(&found, l, &c, reterr);
        if (r >= 0 && found.n == 0)
                r = say_gone(&c, reterr);
        if (r >= 0)
                r = learn(&t, record, &info, found.rows[0].fields, reterr);
        if (r >= 0)
                r = add_tag(l, &c, record, found.rows[0].fields, reterr);
        if (r < 0)
                return r;
        if (lvm_copy_format(&c, &line) < 0 || lvm_transport_format(&t, line, &data) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, record->device);
        free(record->provider_data);
        record->provider_data = TAKE_PTR(data);
        return let_go(record, &info, t.pool != NULL, reterr);
}

int lvm_hand_over(struct snapshot_record *records, size_t n, struct vss_error *reterr) {
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = lvm_open(&l, reterr);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = hand_over_one(&records[i], l, reterr);
        return r;
}

/* 1: it is the copy still. 0: *ret_what is what is to be said of it: it is something else, or is
 * not seen, which can also be that LVM did not look, and is no word for a removal. */
static int is_copy(const struct snapshot_record *record, const char **ret_what,
                   struct vss_error *reterr) {
        _cleanup_(lvm_report_done) struct lvm_report found = { 0 };
        _cleanup_(lvm_copy_done) struct lvm_copy c = { 0 };
        _cleanup_(lvm_closep) struct lvm *l = NULL;
        int r;

        r = parse_copy(&c, record, reterr);
        if (r >= 0)
                r = lvm_open(&l, reterr);
        if (r >= 0)
                r = lvm_transport_find(&found, l, &c, reterr);
        if (r < 0)
                return r;
        if (found.n == 0) {
                *ret_what = "LVM does not show it here";
                return 0;
        }
        r = lvm_transport_is_copy(found.rows[0].fields, record, ret_what);
        return r < 0 ? vss_error_from_errno(reterr, r, str_or_empty(record->device)) : r;
}

int lvm_transport_remove(const struct lvm_kind *kind, struct store *store,
                         const struct snapshot_record *records, size_t n, bool force,
                         struct vss_error *reterr) {
        const char *what = NULL;
        bool away = false;
        int r;

        for (size_t i = 0; i < n; i++)
                away = away || snapshot_is_away(&records[i]);
        if (!away)
                return lvm_life_remove(kind, store, records, n, force, reterr);
        if (n > 1) /* they are asked for one by one then */
                return vss_error_set(reterr, VSS_E_PROVIDER_VETO, EAGAIN,
                                     "copies that were handed over are deleted one by one");
        r = is_copy(records, &what, reterr);
        if (r > 0)
                return lvm_life_remove(kind, store, records, 1, force, reterr);
        if (r < 0)
                return r;
        log_full(LOG_NOTICE,
                 (&(const struct log_fields){ .set_id = &records->set_id,
                                              .snapshot_id = &records->id }),
                 "Snapshot %s of %s was handed over, and what there is of it stays: %s",
                 VSS_ID_TEXT(records->id), str_or_empty(records->volume), what);
        return store_snapshot_delete(store, records->id, 0, reterr);
}
