/* One owned string per thread, under a pthread key so that a thread's end frees it. */

#include "libvssclient/last-error.h"
#include <pthread.h>
#include <vss/vsslinux.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool have_key;

static void make_key(void) {
        have_key = pthread_key_create(&key, free) == 0;
}

static char *kept_message(void) {
        (void)pthread_once(&once, make_key); /* fails only for a bad argument */
        return have_key ? pthread_getspecific(key) : NULL;
}

/* Takes message. Without memory for the key's slot there is no message: the HRESULT remains. */
static void keep(char *message) {
        char *old = kept_message();

        if (have_key && pthread_setspecific(key, message) == 0)
                free(old);
        else
                free(message);
}

HRESULT last_error_raise(struct vss_error *e) {
        HRESULT hr = e->hr == E_UNEXPECTED ? VSS_E_UNEXPECTED : e->hr;
        const struct vss_hresult_info *info = vss_hresult_find(hr);

        assert(FAILED(hr));

        if (e->message)
                keep(TAKE_PTR(e->message));
        else
                last_error_note(info ? info->text : "");
        vss_error_done(e);
        return hr;
}

HRESULT last_error_argument(const char *function, const char *problem) {
        struct vss_error error = { 0 };

        (void)vss_error_set(&error, E_INVALIDARG, 0, "%s: %s", function, problem);
        return last_error_raise(&error);
}

void last_error_note(const char *message) {
        char *copy = strdup(message);

        if (copy)
                keep(copy);
}

const char *VssLastErrorMessage(void) {
        return str_or_empty(kept_message());
}
