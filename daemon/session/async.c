/* An asynchronous operation as its requester sees it. Two owners: the session that runs it and the
 * object on the bus. It ends once; cancelling is a wish that the operation grants by ending so. */

#include "daemon/session/async.h"

struct async {
        unsigned refs;
        const char *name;
        async_cancel_fn cancel; /* NULL: cannot be, or was asked to already */
        void *cancel_userdata;
        async_observer_fn observer;
        void *observer_userdata;

        HRESULT status;
        bool cancel_wanted;
        char *message;
        const char *phase;
        unsigned progress;
};

int async_new(struct async **ret, const char *name, async_cancel_fn cancel, void *userdata) {
        struct async *a;

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->refs = 1;
        a->name = name;
        a->cancel = cancel;
        a->cancel_userdata = userdata;
        a->status = VSS_S_ASYNC_PENDING;
        a->phase = "";
        *ret = a;
        return 0;
}

struct async *async_ref(struct async *a) {
        assert(a->refs > 0);

        a->refs++;
        return a;
}

bool async_is_shared(const struct async *a) {
        return a->refs > 1;
}

struct async *async_unref(struct async *a) {
        if (!a || --a->refs > 0)
                return NULL;
        free(a->message);
        free(a);
        return NULL;
}

void async_set_observer(struct async *a, async_observer_fn fn, void *userdata) {
        a->observer = fn;
        a->observer_userdata = userdata;
}

const char *async_name(const struct async *a) {
        return a->name;
}

HRESULT async_status(const struct async *a) {
        return a->status;
}

const char *async_message(const struct async *a) {
        return str_or_empty(a->message);
}

const char *async_phase(const struct async *a) {
        return a->phase;
}

unsigned async_progress(const struct async *a) {
        return a->progress;
}

static void async_tell(struct async *a, enum async_change change) {
        /* The observer may let go of the last reference. */
        _cleanup_(async_unrefp) struct async *held = async_ref(a);

        if (held->observer)
                held->observer(held->observer_userdata, held, change);
}

void async_set_phase(struct async *a, const char *phase, unsigned progress) {
        if (a->status != VSS_S_ASYNC_PENDING)
                return;
        if (streq(a->phase, phase) && a->progress == progress)
                return;
        a->phase = phase;
        a->progress = progress;
        async_tell(a, ASYNC_PROGRESS);
}

static void async_end(struct async *a, HRESULT status, const char *message) {
        if (a->status != VSS_S_ASYNC_PENDING)
                return;
        a->status = status;
        a->cancel = NULL; /* what it would call is over */
        if (status == VSS_S_ASYNC_FINISHED)
                a->progress = 100;
        /* Without memory the code stands without its sentence. */
        (void)str_replace(&a->message, message);
        async_tell(a, ASYNC_COMPLETED);
}

void async_complete(struct async *a, const struct vss_error *error) {
        if (!error || error->hr == S_OK)
                async_end(a, VSS_S_ASYNC_FINISHED, NULL);
        else
                async_end(a, error->hr, error->message);
}

void async_complete_cancelled(struct async *a) {
        async_end(a, VSS_S_ASYNC_CANCELLED, NULL);
}

HRESULT async_cancel(struct async *a) {
        _cleanup_(async_unrefp) struct async *held = NULL;
        async_cancel_fn cancel = a->cancel;

        if (a->status != VSS_S_ASYNC_PENDING)
                return a->status;
        /* Accepted before, and on its way. */
        if (a->cancel_wanted)
                return VSS_S_ASYNC_CANCELLED;
        if (!cancel)
                return VSS_E_UNEXPECTED;
        a->cancel_wanted = true;
        a->cancel = NULL;
        held = async_ref(a);
        cancel(a->cancel_userdata);
        return S_OK;
}
