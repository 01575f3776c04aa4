/* IVssEnumMgmtObject: everything happens here, nothing at the service. */

#include "libvssclient/enum-mgmt.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>

struct list {
        atomic_uint refs;
        VSS_MGMT_OBJECT_PROP *items;
        size_t n;
};

struct IVssEnumMgmtObject {
        atomic_uint refs;
        struct list *list;
        size_t next;
};

/* The two strings that each kind begins with. */
static VSS_PWSZ *strings_of(VSS_MGMT_OBJECT_PROP *p, size_t i) {
        switch (p->Type) {
        case VSS_MGMT_OBJECT_VOLUME:
                return i == 0 ? &p->Obj.Vol.m_pwszVolumeName : &p->Obj.Vol.m_pwszVolumeDisplayName;
        case VSS_MGMT_OBJECT_DIFF_VOLUME:
                return i == 0 ? &p->Obj.DiffVol.m_pwszVolumeName
                              : &p->Obj.DiffVol.m_pwszVolumeDisplayName;
        case VSS_MGMT_OBJECT_DIFF_AREA:
                return i == 0 ? &p->Obj.DiffArea.m_pwszVolumeName
                              : &p->Obj.DiffArea.m_pwszDiffAreaVolumeName;
        case VSS_MGMT_OBJECT_UNKNOWN: break;
        }
        return NULL;
}

static void item_clear(VSS_MGMT_OBJECT_PROP *p) {
        for (size_t i = 0; i < 2; i++) {
                VSS_PWSZ *s = strings_of(p, i);

                if (s)
                        free(*s);
        }
        *p = (VSS_MGMT_OBJECT_PROP){ 0 };
}

static void items_free(VSS_MGMT_OBJECT_PROP *items, size_t n) {
        for (size_t i = 0; items && i < n; i++)
                item_clear(&items[i]);
        free(items);
}

static struct list *list_unref(struct list *l) {
        if (!l || atomic_fetch_sub(&l->refs, 1) > 1)
                return NULL;
        items_free(l->items, l->n);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(struct list, list_unref);

static IVssEnumMgmtObject *enum_new(struct list *l, size_t next) {
        IVssEnumMgmtObject *objects = calloc(1, sizeof(*objects));

        if (!objects)
                return NULL;
        atomic_init(&objects->refs, 1);
        atomic_fetch_add(&l->refs, 1);
        objects->list = l;
        objects->next = next;
        return objects;
}

int enum_mgmt_new(IVssEnumMgmtObject **ret, VSS_MGMT_OBJECT_PROP *items, size_t n,
                  struct vss_error *reterr) {
        _cleanup_(list_unrefp) struct list *l = calloc(1, sizeof(*l));

        if (!l) {
                items_free(items, n);
                return vss_error_from_errno(reterr, -ENOMEM, "Query");
        }
        atomic_init(&l->refs, 1);
        l->items = items;
        l->n = n;
        *ret = enum_new(l, 0);
        return *ret ? 0 : vss_error_from_errno(reterr, -ENOMEM, "Query");
}

ULONG IVssEnumMgmtObject_AddRef(IVssEnumMgmtObject *objects) {
        return objects ? atomic_fetch_add(&objects->refs, 1) + 1 : 0;
}

ULONG IVssEnumMgmtObject_Release(IVssEnumMgmtObject *objects) {
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

/* The strings become the receiver's. */
static int copy_item(VSS_MGMT_OBJECT_PROP *ret, VSS_MGMT_OBJECT_PROP *item) {
        int r = 0;

        *ret = *item;
        for (size_t i = 0; i < 2; i++) {
                VSS_PWSZ *s = strings_of(ret, i);

                /* After a failure the rest only loses the pointers that are the list's. */
                if (s && *s) {
                        *s = r == 0 ? strdup(*s) : NULL;
                        if (!*s)
                                r = -ENOMEM;
                }
        }
        if (r < 0)
                item_clear(ret);
        return r;
}

HRESULT IVssEnumMgmtObject_Next(IVssEnumMgmtObject *objects, ULONG celt,
                                VSS_MGMT_OBJECT_PROP *rgelt, ULONG *pceltFetched) {
        const struct list *l;
        ULONG n = 0;

        if (!objects)
                return last_error_argument(__func__, "the IVssEnumMgmtObject is NULL");
        if (pceltFetched)
                *pceltFetched = 0;
        if (!pceltFetched || (!rgelt && celt > 0))
                return fail(E_POINTER, __func__, "an output pointer is NULL");
        for (l = objects->list; n < celt && objects->next + n < l->n; n++)
                if (copy_item(&rgelt[n], &l->items[objects->next + n]) < 0) {
                        while (n-- > 0)
                                item_clear(&rgelt[n]);
                        return fail(E_OUTOFMEMORY, __func__, "out of memory");
                }
        objects->next += n;
        *pceltFetched = n;
        return n == celt ? S_OK : S_FALSE;
}

HRESULT IVssEnumMgmtObject_Skip(IVssEnumMgmtObject *objects, ULONG celt) {
        size_t left;

        if (!objects)
                return last_error_argument(__func__, "the IVssEnumMgmtObject is NULL");
        left = objects->list->n - objects->next;
        objects->next += celt < left ? celt : left;
        return celt <= left ? S_OK : S_FALSE;
}

HRESULT IVssEnumMgmtObject_Reset(IVssEnumMgmtObject *objects) {
        if (!objects)
                return last_error_argument(__func__, "the IVssEnumMgmtObject is NULL");
        objects->next = 0;
        return S_OK;
}

HRESULT IVssEnumMgmtObject_Clone(IVssEnumMgmtObject *objects, IVssEnumMgmtObject **ppEnum) {
        if (!objects)
                return last_error_argument(__func__, "the IVssEnumMgmtObject is NULL");
        if (!ppEnum)
                return fail(E_POINTER, __func__, "ppEnum is NULL");
        *ppEnum = enum_new(objects->list, objects->next);
        return *ppEnum ? S_OK : fail(E_OUTOFMEMORY, __func__, "out of memory");
}
