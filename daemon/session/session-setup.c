/* What a requester says about its backup before it begins: initialisation, context, backup state,
 * and which writers it wants. */

#include "common/vss-context.h"
#include "daemon/log/log.h"
#include "daemon/session/session-private.h"

int session_initialize_for_backup(struct session *s, struct vss_error *reterr) {
        enum session_state next;
        int r;

        r = session_enter(s, METHOD_INITIALIZE_FOR_BACKUP, &next, reterr);
        if (r < 0)
                return r;
        r = backup_document_new(&s->document, reterr);
        if (r < 0)
                return r;
        session_charge(s);
        session_set_state(s, next);
        return 0;
}

int session_set_context(struct session *s, LONG context, struct vss_error *reterr) {
        int r;

        r = session_enter(s, METHOD_SET_CONTEXT, NULL, reterr);
        if (r < 0)
                return r;
        r = vss_context_validate(context, reterr);
        if (r < 0)
                return r;
        s->context = context;
        session_consume_context(s);
        return 0;
}

int session_set_backup_state(struct session *s, bool select_components, bool bootable,
                             VSS_BACKUP_TYPE type, bool partial_files, struct vss_error *reterr) {
        struct backup_document_state state;
        int r;

        r = session_enter(s, METHOD_SET_BACKUP_STATE, NULL, reterr);
        if (r < 0)
                return r;
        if (type <= VSS_BT_UNDEFINED || type > VSS_BT_OTHER)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%d is no backup type; they go from 1 (full) to 6 (other)",
                                     (int)type);
        state = *backup_document_state(s->document);
        state.select_components = select_components;
        state.bootable_system_state = bootable;
        state.backup_type = type;
        state.partial_files = partial_files;
        r = backup_document_set_state(s->document, &state, reterr);
        if (r >= 0)
                s->backup_state_set = true;
        return r;
}

typedef int (*filter_fn)(struct writer_filter *f, const VSS_ID *ids, size_t n,
                         struct vss_error *reterr);

static int session_filter(struct session *s, enum session_method m, filter_fn apply,
                          const VSS_ID *ids, size_t n, struct vss_error *reterr) {
        int r;

        r = session_enter(s, m, NULL, reterr);
        if (r < 0)
                return r;
        /* As documented: once GatherWriterMetadata was called it has no effect, and succeeds. */
        if (r > 0 || s->gather_begun) {
                log_info("Session %llu: %s after GatherWriterMetadata has no effect",
                         (unsigned long long)s->number, session_method_to_string(m));
                return 0;
        }
        return apply(&s->filter, ids, n, reterr);
}

int session_enable_writer_classes(struct session *s, const VSS_ID *ids, size_t n,
                                  struct vss_error *reterr) {
        return session_filter(s, METHOD_ENABLE_WRITER_CLASSES, writer_filter_enable_classes, ids, n,
                              reterr);
}

int session_disable_writer_classes(struct session *s, const VSS_ID *ids, size_t n,
                                   struct vss_error *reterr) {
        return session_filter(s, METHOD_DISABLE_WRITER_CLASSES, writer_filter_disable_classes, ids,
                              n, reterr);
}

int session_disable_writer_instances(struct session *s, const VSS_ID *ids, size_t n,
                                     struct vss_error *reterr) {
        return session_filter(s, METHOD_DISABLE_WRITER_INSTANCES, writer_filter_disable_instances,
                              ids, n, reterr);
}
