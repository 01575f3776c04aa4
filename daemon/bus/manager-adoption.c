/* See manager-adoption.h. What was begun is finished, whether the caller waits for it or not. */

#include "daemon/bus/manager-adoption.h"

#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/session/session.h"

typedef int (*change_fn)(struct session_manager *m, const char *volume,
                         const struct adoption_options *options, session_done_fn done,
                         void *userdata, struct vss_error *reterr);

static void changed(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct adoption_result *adoption = result;
        struct bus_call *call = userdata;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_out_strv(bus_call_answer(call), adoption->notes);
        bus_call_reply(call);
}

static void change(struct bus_call *call, const struct bus_value *args, change_fn function) {
        const struct wire_adoption_options *text = args[1].dict;
        struct adoption_options options = { .name = text->name };
        struct vss_error error = { 0 };
        int r = 0;

        if (text->name && function == manager_release_volume)
                r = vss_error_set(&error, E_INVALIDARG, 0,
                                  "The option name is of AdoptVolume; a mapping is released by its "
                                  "volume");
        else if (text->initramfs && !streq(text->initramfs, "yes") && !streq(text->initramfs, "no"))
                r = vss_error_set(&error, E_INVALIDARG, 0,
                                  "The option initramfs is \"%s\"; it can be yes or no",
                                  text->initramfs);
        options.keep_initramfs = text->initramfs && streq(text->initramfs, "no");
        if (r >= 0)
                r = function(call->bus->options.sessions, args[0].s, &options, changed, call,
                             &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void manager_on_adopt_volume(struct bus_call *call, const struct bus_value *args) {
        change(call, args, manager_adopt_volume);
}

void manager_on_release_volume(struct bus_call *call, const struct bus_value *args) {
        change(call, args, manager_release_volume);
}
