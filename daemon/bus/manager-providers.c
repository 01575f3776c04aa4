/* See manager-providers.h. What was begun is finished, whether the caller waits for it or not. */

#include "daemon/bus/manager-providers.h"

#include "daemon/bus/bus-private.h"
#include "daemon/bus/provider-object.h"
#include "daemon/session/session.h"
#include "daemon/store/provider-record.h"

static const struct wire_field options_fields[] = {
        WIRE_OPTIONAL(struct provider_options, display_name, "display_name", WIRE_STRING),
        WIRE_OPTIONAL(struct provider_options, priority, "priority", WIRE_INT32),
};
const struct wire_table provider_options_table = WIRE_TABLE(options_fields);

static void finish(struct bus_call *call, int r, const char *name, bool came,
                   struct vss_error *error) {
        struct bus *bus = call->bus;

        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        bus_call_reply(call);
        provider_object_announce(bus, name, came);
}

static void registered(void *userdata, int r, const void *result, struct vss_error *error) {
        finish(userdata, r, result, true, error);
}

static void unregistered(void *userdata, int r, const void *result, struct vss_error *error) {
        finish(userdata, r, result, false, error);
}

static int check(const struct bus_value *args, const struct provider_options *options,
                 struct vss_error *reterr) {
        if (args[2].u != VSS_PROV_SOFTWARE)
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "The type of a provider that is registered is %u, that of a "
                                     "software provider; those of the system are a part of the "
                                     "service, and hardware providers and those of file shares are "
                                     "not called",
                                     (unsigned)VSS_PROV_SOFTWARE);
        if (!dbus_validate_bus_name(args[5].s, NULL) || args[5].s[0] == ':')
                return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                                     "%s is no well-known name on the bus, by which the provider's "
                                     "process could be found",
                                     args[5].s);
        if (options->priority < 0 || options->priority > 1000)
                return vss_error_set(reterr, E_INVALIDARG, ERANGE,
                                     "The priority of a provider is from 0 to 1000");
        return 0;
}

void manager_on_register_provider(struct bus_call *call, const struct bus_value *args) {
        const struct provider_options *options = args[7].dict;
        struct provider_record record = {
                .name = args[1].s,
                .display_name = options->display_name ? options->display_name : args[1].s,
                .version = args[3].s,
                .priority = options->priority,
                .bus_name = args[5].s,
                .path = args[6].s,
        };
        struct vss_error error = { 0 };
        int r;

        r = wire_parse_id(&record.id, args[0].s, "provider_id", &error);
        if (r >= 0)
                r = wire_parse_id(&record.version_id, args[4].s, "version_id", &error);
        if (r >= 0)
                r = check(args, options, &error);
        if (r >= 0)
                r = manager_register_provider(call->bus->options.sessions, &record, registered,
                                              call, &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}

void manager_on_unregister_provider(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        r = wire_parse_id(&id, args[0].s, "provider_id", &error);
        if (r >= 0)
                r = manager_unregister_provider(call->bus->options.sessions, id, unregistered, call,
                                                &error);
        if (r < 0)
                bus_call_finish(call, r, &error);
}
