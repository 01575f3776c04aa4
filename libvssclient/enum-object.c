/* IVssEnumObject: everything happens here, nothing at the service. */

#include "libvssclient/enum-object.h"
#include "common/wire-rows.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>

struct list {
        atomic_uint refs;
        VSS_OBJECT_TYPE type;
        const struct wire_table *table;
        VSS_OBJECT_UNION *items;
        size_t n;
};

struct IVssEnumObject {
        atomic_uint refs;
        struct list *list;
        size_t next;
};

static struct list *list_unref(struct list *l) {
        if (!l || atomic_fetch_sub(&l->refs, 1) > 1)
                return NULL;
        wire_rows_free(l->table, l->items, l->n, sizeof(*l->items));
        free(l);
        return NULL;
}
DEFINE_CLEANUP(struct list, list_unref);

static IVssEnumObject *enum_new(struct list *l, size_t next) {
        IVssEnumObject *objects = calloc(1, sizeof(*objects));

        if (!objects)
                return NULL;
        atomic_init(&objects->refs, 1);
        atomic_fetch_add(&l->refs, 1);
        objects->list = l;
        objects->next = next;
        return objects;
}

int enum_object_read(IVssEnumObject **ret, DBusMessageIter *iter, VSS_OBJECT_TYPE type,
                     size_t *ret_n, struct vss_error *reterr) {
        _cleanup_(list_unrefp) struct list *l = calloc(1, sizeof(*l));
        void *items;
        int r;

        if (!l)
                return vss_error_from_errno(reterr, -ENOMEM, "Query");
        atomic_init(&l->refs, 1);
        l->type = type;
        l->table =
                type == VSS_OBJECT_PROVIDER ? &wire_provider_prop_table : &wire_snapshot_prop_table;
        r = wire_read_rows(iter, l->table, "Query", sizeof(*l->items), &items, &l->n, reterr);
        if (r < 0)
                return r;
        l->items = items;
        *ret = enum_new(l, 0);
        if (!*ret)
                return vss_error_from_errno(reterr, -ENOMEM, "Query");
        *ret_n = l->n;
        return 0;
}

ULONG IVssEnumObject_AddRef(IVssEnumObject *objects) {
        return objects ? atomic_fetch_add(&objects->refs, 1) + 1 : 0;
}

ULONG IVssEnumObject_Release(IVssEnumObject *objects) {
        unsigned left;

        if (!objects)
                return 0;
        left = atomic_fetch_sub(&objects->refs, 1) - 1;
        if (left > 0)
                return left;
        list_unref(objects->list);
        free(objects);
        return 0;
}

static HRESULT fail(HRESULT hr, const char *function, const char *problem) {
        struct vss_error error = { 0 };

        (void)vss_error_set(&error, hr, 0, "%s: %s", function, problem);
        return last_error_raise(&error);
}

/* A deep copy of an element: its strings become the caller's. */
static int copy_strings(const struct wire_table *table, VSS_OBJECT_UNION *item) {
        int r = 0;

        for (size_t i = 0; i < table->n; i++) {
                const struct wire_field *f = &table->fields[i];
                char **string = (char **)(void *)((char *)item + f->offset);

                if ((f->type != WIRE_STRING && f->type != WIRE_TEXT) || !*string)
                        continue;
                /* After a failure the rest only loses the pointers that are the list's. */
                *string = r == 0 ? strdup(*string) : NULL;
                if (!*string)
                        r = -ENOMEM;
        }
        if (r < 0)
                wire_clear(table, item);
        return r;
}

HRESULT IVssEnumObject_Next(IVssEnumObject *objects, ULONG celt, VSS_OBJECT_PROP *rgelt,
                            ULONG *pceltFetched) {
        const struct list *l;
        ULONG n = 0;

        if (!objects)
                return last_error_argument(__func__, "the IVssEnumObject is NULL");
        if (pceltFetched)
                *pceltFetched = 0;
        if (!pceltFetched || (!rgelt && celt > 0))
                return fail(E_POINTER, __func__, "an output pointer is NULL");
        for (l = objects->list; n < celt && objects->next + n < l->n; n++) {
                rgelt[n].Type = l->type;
                rgelt[n].Obj = l->items[objects->next + n];
                if (copy_strings(l->table, &rgelt[n].Obj) < 0) {
                        while (n-- > 0)
                                wire_clear(l->table, &rgelt[n].Obj);
                        return fail(E_OUTOFMEMORY, __func__, "out of memory");
                }
        }
        objects->next += n;
        *pceltFetched = n;
        return n == celt ? S_OK : S_FALSE;
}

HRESULT IVssEnumObject_Skip(IVssEnumObject *objects, ULONG celt) {
        size_t left;

        if (!objects)
                return last_error_argument(__func__, "the IVssEnumObject is NULL");
        left = objects->list->n - objects->next;
        objects->next += celt < left ? celt : left;
        return celt <= left ? S_OK : S_FALSE;
}

HRESULT IVssEnumObject_Reset(IVssEnumObject *objects) {
        if (!objects)
                return last_error_argument(__func__, "the IVssEnumObject is NULL");
        objects->next = 0;
        return S_OK;
}

HRESULT IVssEnumObject_Clone(IVssEnumObject *objects, IVssEnumObject **ppEnum) {
        if (!objects)
                return last_error_argument(__func__, "the IVssEnumObject is NULL");
        if (!ppEnum)
                return fail(E_POINTER, __func__, "ppEnum is NULL");
        *ppEnum = enum_new(objects->list, objects->next);
        if (!*ppEnum)
                return fail(E_OUTOFMEMORY, __func__, "out of memory");
        return S_OK;
}
