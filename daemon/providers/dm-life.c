/* A copy of a mapped device after its set was committed: finding it again, deleting it; and what a
 * crash left of one. Everything follows from the copy's line. Stateless. */

#include "common/vss-id.h"
#include "daemon/providers/copy-link.h"
#include "daemon/providers/cow-delta.h"
#include "daemon/providers/dm.h"

/* The lines of an intent. */
struct copies {
        struct dm_copy *items;
        struct dm_copy **pointers; /* as dm_undo() takes them */
        size_t n;
};

static void copies_done(struct copies *c) {
        for (size_t i = 0; i < c->n; i++)
                dm_copy_done(&c->items[i]);
        free(c->items);
        free(c->pointers);
}

static int copies_add(struct copies *c, const char *line) {
        struct dm_copy *longer = reallocarray(c->items, c->n + 1, sizeof(*longer));
        int r;

        if (!longer)
                return -ENOMEM;
        c->items = longer;
        c->items[c->n] = (struct dm_copy){ 0 };
        r = dm_copy_parse(&c->items[c->n], line);
        if (r >= 0)
                c->n++;
        return r;
}

static int copies_parse(struct copies *ret, const struct intent_record *intent,
                        struct vss_error *reterr) {
        _cleanup_(copies_done) struct copies c = { 0 };
        int r = 0;

        for (const char *line = str_or_empty(intent->data); r >= 0 && *line;
             line += strcspn(line, "\n"), line += *line == '\n')
                r = copies_add(&c, line);
        if (r >= 0) {
                c.pointers = calloc(c.n > 0 ? c.n : 1, sizeof(*c.pointers));
                r = c.pointers ? 0 : -ENOMEM;
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "the intent of an interrupted operation");
        for (size_t i = 0; i < c.n; i++)
                c.pointers[i] = &c.items[i];
        *ret = c;
        c = (struct copies){ 0 };
        return 0;
}

int dm_intent_open(struct store *store, const char *kind, VSS_ID set_id,
                   struct dm_copy *const *copies, size_t n, int64_t *ret_id,
                   struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *line = NULL;
                char *longer;

                r = dm_copy_format(copies[i], &line);
                if (r >= 0)
                        r = str_format(&longer, "%s%s", str_or_empty(data), line);
                if (r < 0)
                        break;
                free(data);
                data = longer;
        }
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot note the intent");
        return store_intent_open(store,
                                 &(struct intent_record){
                                         .set_id = set_id,
                                         .provider = (char *)DM_NAME,
                                         .kind = (char *)kind,
                                         .data = data,
                                 },
                                 ret_id, reterr);
}

static int parse_data(struct dm_copy *c, const struct snapshot_record *r,
                      struct vss_error *reterr) {
        int k = dm_copy_parse(c, str_or_empty(r->provider_data));

        if (k == -EBADMSG)
                return vss_error_set(reterr, VSS_E_UNEXPECTED, EBADMSG,
                                     "what is noted of the copy %s cannot be understood: '%s'",
                                     str_or_empty(r->device), str_or_empty(r->provider_data));
        return k < 0 ? vss_error_from_errno(reterr, k, str_or_empty(r->device)) : 0;
}

/* Those of the records, in their order. */
static int copies_of_records(struct copies *ret, const struct snapshot_record *records, size_t n,
                             struct vss_error *reterr) {
        _cleanup_(copies_done) struct copies c = {
                .items = calloc(n, sizeof(*c.items)),
                .pointers = calloc(n, sizeof(*c.pointers)),
        };

        if (!c.items || !c.pointers)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot delete the copies");
        for (; c.n < n; c.n++) {
                int r = parse_data(&c.items[c.n], &records[c.n], reterr);

                if (r < 0)
                        return r;
                c.pointers[c.n] = &c.items[c.n];
        }
        *ret = c;
        c = (struct copies){ 0 };
        return 0;
}

int dm_remove_all(struct store *store, const struct snapshot_record *records, size_t n, bool force,
                  struct vss_error *reterr) {
        _cleanup_(freep) VSS_ID *ids = calloc(n, sizeof(*ids));
        _cleanup_(copies_done) struct copies c = { 0 };
        int64_t intent;
        int r;

        if (!ids)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot delete the copies");
        r = copies_of_records(&c, records, n, reterr);
        if (r >= 0)
                r = dm_intent_open(store, DM_INTENT_DELETE, records[0].set_id, c.pointers, n,
                                   &intent, reterr);
        if (r < 0)
                return r;
        r = dm_undo(c.pointers, n, &(struct dm_undo){ .force = force }, reterr);
        if (r < 0) {
                /* The rows stay, and with them the way to try again: the intent is for crashes. */
                (void)store_intent_close(store, intent, NULL);
                return r;
        }
        for (size_t i = 0; i < n; i++) {
                ids[i] = records[i].id;
                if (records[i].device)
                        copy_link_remove(records[i].device);
        }
        return store_snapshots_delete(store, ids, n, intent, reterr);
}

int dm_remove(struct store *store, const struct snapshot_record *record, bool force,
              struct vss_error *reterr) {
        return dm_remove_all(store, record, 1, force, reterr);
}

/* All of that origin, whatever becomes of one. */
static int copies_rescue(const struct copies *c, const struct intent_record *intent,
                         const char *uuid, struct vss_error *reterr) {
        const bool grown = streq(str_or_empty(intent->kind), DM_INTENT_GROW);
        int r = 0;

        for (size_t i = 0; i < c->n; i++) {
                const struct snapshot_devices d = dm_copy_devices(c->pointers[i]);
                int k;

                if (!streq(uuid, str_or_empty(c->items[i].origin_uuid)))
                        continue;
                k = grown ? dm_grow_rescue(c->pointers[i], reterr)
                          : snapshot_devices_rescue(&d, reterr);
                if (k < 0)
                        r = k;
        }
        return r;
}

int dm_origins(const struct intent_record *intent, char ***uuids, char ***names,
               struct vss_error *reterr) {
        _cleanup_(copies_done) struct copies c = { 0 };
        int r;

        r = copies_parse(&c, intent, reterr);
        for (size_t i = 0; r >= 0 && i < c.n; i++) {
                r = strv_append(uuids, str_or_empty(c.items[i].origin_uuid));
                if (r >= 0)
                        r = strv_append(names, c.items[i].origin);
                if (r < 0)
                        (void)vss_error_from_errno(reterr, r, c.items[i].origin);
        }
        return r;
}

int dm_rescue(const struct intent_record *intent, const char *uuid, struct vss_error *reterr) {
        _cleanup_(copies_done) struct copies c = { 0 };
        int r;

        r = copies_parse(&c, intent, reterr);
        return r < 0 ? r : copies_rescue(&c, intent, uuid, reterr);
}

static void release_nodes(const struct copies *c, bool gone) {
        for (size_t i = 0; i < c->n; i++)
                copy_link_release(c->items[i].copy + strlen(DM_COPY_NAME_PREFIX) -
                                          strlen("ShadowCopy"),
                                  gone);
}

/* The start has resumed what was left suspended. An origin that is suspended now is another
 * program's, with its table; or a thread of the earlier run brings it back. There is no lock that
 * would tell, and this is tried again: it is waited for. The store of a growth is ours alone. */
static int copies_await(const struct copies *c, const struct intent_record *intent,
                        struct vss_error *reterr) {
        const bool grown = streq(str_or_empty(intent->kind), DM_INTENT_GROW);
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->n; i++) {
                const struct snapshot_devices d = dm_copy_devices(c->pointers[i]);

                r = grown ? dm_grow_rescue(c->pointers[i], reterr)
                          : snapshot_devices_await_origin(&d, reterr);
        }
        return r;
}

int dm_recover(struct store *store, const struct intent_record *intent, struct vss_error *reterr) {
        _cleanup_(copies_done) struct copies c = { 0 };
        int r;

        r = copies_parse(&c, intent, reterr);
        if (r >= 0)
                r = copies_await(&c, intent, reterr);
        if (r < 0)
                return r;
        if (streq(str_or_empty(intent->kind), DM_INTENT_GROW))
                return store_intent_close(store, intent->id, reterr);
        release_nodes(&c, false);
        r = dm_undo(c.pointers, c.n, &(struct dm_undo){ .force = true }, reterr);
        release_nodes(&c, true);
        for (size_t i = 0; r >= 0 && streq(intent->kind, DM_INTENT_DELETE) && i < c.n; i++) {
                _cleanup_(vss_error_done) struct vss_error error = { 0 };

                r = store_snapshot_delete(store, c.items[i].id, 0, &error);
                if (r < 0 && error.hr == VSS_E_OBJECT_NOT_FOUND)
                        r = 0;
                else if (r < 0)
                        vss_error_move(reterr, &error);
        }
        return r < 0 ? r : store_intent_close(store, intent->id, reterr);
}

/* It is gone, too, where it was not to be there any more. */
int dm_find(const struct snapshot_record *record, struct dm_copy *ret,
            struct mapper_info *ret_device, struct vss_error *reterr) {
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };
        _cleanup_(freep) char *boot = NULL;
        int r;

        r = parse_data(&c, record, reterr);
        if (r < 0)
                return r;
        r = dm_copy_read_boot(&boot);
        if (r < 0)
                return vss_error_from_errno(reterr, r, dm_copy_boot_file);
        if (!streq(boot, c.boot))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the copy %s was made before the machine started: copies of "
                                     "mapped devices that are not LVM's end with that",
                                     str_or_empty(record->device));
        r = mapper_find_uuid(c.copy_uuid, ret_device, reterr);
        if (r >= 0 && (!ret_device->exists || !ret_device->live_table))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, ENOENT,
                                     "the mapped device %s of a copy is gone", c.copy);
        if (r < 0)
                return r;
        *ret = c;
        c = (struct dm_copy){ 0 };
        return 0;
}

static int find(const struct snapshot_record *record, struct mapper_info *ret,
                struct vss_error *reterr) {
        _cleanup_(dm_copy_done) struct dm_copy c = { 0 };

        return dm_find(record, &c, ret, reterr);
}

int dm_activate(const struct snapshot_record *record, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = find(record, &info, reterr);
        return r < 0 ? r : copy_link_make(record->device, &info, reterr);
}

int dm_usage(const struct snapshot_record *record, uint64_t *ret_used, uint64_t *ret_max,
             bool *ret_overflowed, struct vss_error *reterr) {
        struct mapper_info info;
        int r;

        r = find(record, &info, reterr);
        return r < 0 ? r
                     : snapshot_devices_usage(info.name, ret_used, ret_max, ret_overflowed, reterr);
}

int dm_delta(struct delta_map *ret, struct store *store _unused_,
             const struct snapshot_record *older, const struct snapshot_record *younger,
             struct vss_error *reterr) {
        struct mapper_info copy, other = { 0 };
        int r;

        r = find(older, &copy, reterr);
        if (r >= 0 && younger)
                r = find(younger, &other, reterr);
        return r < 0 ? r : cow_delta_read(ret, copy.name, younger ? other.name : NULL, reterr);
}
