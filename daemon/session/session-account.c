/* What a session's documents take, charged to the client that made the session. The figure is that
 * of what is kept, made anew after every change: nothing is added up that could drift. */

#include "daemon/session/session-private.h"

static size_t session_memory(const struct session *s) {
        return session_document_memory(s) + s->metadata_bytes + session_models_memory(s);
}

void session_charge(struct session *s) {
        size_t now = session_memory(s);

        if (s->account)
                s->account->used = s->account->used - s->charged + now;
        s->charged = now;
}

void session_set_account(struct session *s, struct session_account *account) {
        if (s->account)
                s->account->used -= s->charged;
        s->account = account;
        s->charged = 0;
        session_charge(s);
}

int session_check_room_for(const struct session *s, size_t more, struct vss_error *reterr) {
        if (!s->account ||
            (s->account->used <= s->account->max && more <= s->account->max - s->account->used))
                return 0;
        return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                             "The documents of this client's sessions take %zu bytes, and %zu is "
                             "the most; call FreeWriterMetadata, or release a session",
                             s->account->used, s->account->max);
}
