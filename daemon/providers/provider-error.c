/* The list, and the conversion of what is not in it. */

#include "daemon/providers/provider-error.h"

#include "daemon/log/log.h"

static const HRESULT legal[] = {
        E_OUTOFMEMORY,
        E_INVALIDARG,
        E_ACCESSDENIED,
        VSS_E_BAD_STATE,
        VSS_E_OBJECT_NOT_FOUND,
        VSS_E_INSUFFICIENT_STORAGE,
        VSS_E_VOLUME_NOT_SUPPORTED,
        VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
        VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED,
        VSS_E_PROVIDER_VETO,
        VSS_E_CANNOT_REVERT_DISKID,
        VSS_E_BREAK_REVERT_ID_FAILED,
        VSS_E_MISSING_DISK,
        VSS_E_MISSING_VOLUME,
        /* Ours know these, too. */
        VSS_E_NESTED_VOLUME_LIMIT,
        VSS_E_VOLUME_IN_USE,
        VSS_E_NOT_SUPPORTED,
        VSS_E_UNEXPECTED_PROVIDER_ERROR,
};

int provider_error_check(const struct provider *p, const char *method, int r,
                         struct vss_error *reterr) {
        struct vss_error odd = { 0 };

        if (p->foreign)
                return r; /* foreign_call() has looked at it, by a list for each method */
        for (size_t i = 0; i < ARRAY_SIZE(legal); i++)
                if (reterr->hr == legal[i])
                        return r;
        vss_error_move(&odd, reterr);
        log_full(LOG_WARNING,
                 (&(const struct log_fields){ .code = VSS_E_UNEXPECTED_PROVIDER_ERROR }),
                 "Provider %s, %s: %s (0x%08x)", p->name, method,
                 odd.message ? odd.message : strerror(-r), (unsigned)odd.hr);
        (void)vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, -r, "provider %s: %s", p->name,
                            odd.message ? odd.message : strerror(-r));
        vss_error_done(&odd);
        return r;
}
