/* Snapshot contexts: which bases there are, and which modifiers each takes. The rows are the
 * columns of the API's matrix; a context is legal exactly if its base is a row and every other bit
 * is one of the row's modifiers, DIFFERENTIAL and PLEX not together. */

#include "common/vss-context.h"

#define PROVIDER_MODIFIERS                                                                        \
        (VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_DIFFERENTIAL | VSS_VOLSNAP_ATTR_PLEX | \
         VSS_VOLSNAP_ATTR_TXF_RECOVERY)
#define COMMON_MODIFIERS                                                      \
        (VSS_VOLSNAP_ATTR_NO_AUTORECOVERY | VSS_VOLSNAP_ATTR_NOT_TRANSACTED | \
         VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY)
#define ALL_MODIFIERS (PROVIDER_MODIFIERS | COMMON_MODIFIERS)

static const struct context_row {
        LONG base;
        LONG modifiers;
        const char *name;
} contexts[] = {
        { .base = VSS_CTX_BACKUP, .modifiers = ALL_MODIFIERS, .name = "backup" },
        { .base = VSS_CTX_FILE_SHARE_BACKUP, .modifiers = ALL_MODIFIERS, .name = "file-share" },
        { .base = VSS_CTX_NAS_ROLLBACK, .modifiers = ALL_MODIFIERS, .name = "nas-rollback" },
        { .base = VSS_CTX_APP_ROLLBACK, .modifiers = ALL_MODIFIERS, .name = "app-rollback" },
        { .base = VSS_CTX_CLIENT_ACCESSIBLE, .modifiers = COMMON_MODIFIERS, .name = "client" },
        { .base = VSS_CTX_CLIENT_ACCESSIBLE_WRITERS,
          .modifiers = COMMON_MODIFIERS,
          .name = "client-writers" },
        { .base = VSS_CTX_ALL, .modifiers = 0, .name = "all" },
};

/* Bits that exclude each other in every context. Recovering the copy and forbidding its recovery
 * is a contradiction; so is a copy-on-write store that is a full mirror. */
static const struct context_conflict {
        LONG a, b;
        const char *text;
} conflicts[] = {
        { .a = VSS_VOLSNAP_ATTR_DIFFERENTIAL,
          .b = VSS_VOLSNAP_ATTR_PLEX,
          .text = "DIFFERENTIAL and PLEX" },
        { .a = VSS_VOLSNAP_ATTR_NO_AUTORECOVERY,
          .b = VSS_VOLSNAP_ATTR_ROLLBACK_RECOVERY,
          .text = "NO_AUTORECOVERY and ROLLBACK_RECOVERY" },
        { .a = VSS_VOLSNAP_ATTR_NO_AUTORECOVERY,
          .b = VSS_VOLSNAP_ATTR_TXF_RECOVERY,
          .text = "NO_AUTORECOVERY and TXF_RECOVERY" },
};

static const struct context_row *context_find(LONG base) {
        for (size_t i = 0; i < ARRAY_SIZE(contexts); i++)
                if (contexts[i].base == base)
                        return &contexts[i];
        return NULL;
}

LONG vss_context_base(LONG context) {
        return context == VSS_CTX_ALL ? context : context & ~ALL_MODIFIERS;
}

int vss_context_validate(LONG context, struct vss_error *reterr) {
        LONG base = vss_context_base(context), modifiers;
        const struct context_row *row = context_find(base);

        if (!row)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "0x%08x is no snapshot context: without its modifiers it is "
                                     "0x%08x, and the contexts are backup 0x00, file-share 0x10, "
                                     "app-rollback 0x09, nas-rollback 0x19, client-writers 0x0d, "
                                     "client 0x1d and all 0xffffffff",
                                     (unsigned)context, (unsigned)base);
        modifiers = context == VSS_CTX_ALL ? 0 : context & ALL_MODIFIERS;
        if (modifiers & ~row->modifiers)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "Context 0x%08x: the modifiers 0x%08x do not go with the "
                                     "context '%s'; leave them out or choose another context",
                                     (unsigned)context, (unsigned)(modifiers & ~row->modifiers),
                                     row->name);
        for (size_t i = 0; i < ARRAY_SIZE(conflicts); i++)
                if ((modifiers & conflicts[i].a) && (modifiers & conflicts[i].b))
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "Context 0x%08x: the modifiers %s exclude each "
                                             "other; set one of them",
                                             (unsigned)context, conflicts[i].text);
        return 0;
}

const char *vss_context_to_string(LONG base) {
        const struct context_row *row = context_find(vss_context_base(base));

        return row ? row->name : NULL;
}

int vss_context_from_string(LONG *ret, const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(contexts); i++)
                if (streq(contexts[i].name, name)) {
                        *ret = contexts[i].base;
                        return 0;
                }
        return -EINVAL;
}
