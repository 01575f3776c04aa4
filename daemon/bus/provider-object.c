/* .../provider/NAME: see provider-object.h. */

#include "daemon/bus/provider-object.h"

#include "common/wire-rows.h"
#include "daemon/bus/bus-signal.h"
#include "daemon/providers/provider.h"

#include <stdio.h>

/* A path has no '-'. */
static const char *path_name(const char *name, char buf[static 64]) {
        (void)snprintf(buf, 64, "%s", name);
        for (char *c = buf; *c; c++)
                if (*c == '-')
                        *c = '_';
        return buf;
}

static const char *provider_path_name(const struct provider *p, char buf[static 64]) {
        return path_name(p->name, buf);
}

/* Its strings are those of the provider's table, which never goes. */
static VSS_PROVIDER_INFO provider_info(const struct provider *p) {
        return (VSS_PROVIDER_INFO){
                .properties = {
                        .m_ProviderId = p->id,
                        .m_pwszProviderName = (char *)p->display_name,
                        .m_eProviderType = p->type,
                        .m_pwszProviderVersion = (char *)p->version,
                        .m_ProviderVersionId = p->version_id,
                        .m_ClassId = GUID_NULL,
                },
                .name = (char *)p->name,
        };
}

static int provider_find(struct bus *bus _unused_, const char *name, struct bus_object *ret) {
        for (const struct provider *const *p = providers_all(); *p; p++) {
                VSS_PROVIDER_INFO *info;
                char buf[64];

                if (!streq(provider_path_name(*p, buf), name))
                        continue;
                info = malloc(sizeof(*info));
                if (!info)
                        return -ENOMEM;
                *info = provider_info(*p);
                ret->source = info;
                return 0;
        }
        return -ENOENT;
}

static int provider_list(struct bus *bus _unused_, char ***names) {
        for (const struct provider *const *p = providers_all(); *p; p++) {
                char buf[64];

                if (strv_append(names, provider_path_name(*p, buf)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

void provider_object_reply(struct bus_call *call) {
        struct bus_out *out = bus_call_answer(call);

        bus_out_open_array(out, "a{sv}");
        for (const struct provider *const *p = providers_all(); *p; p++) {
                VSS_PROVIDER_INFO info = provider_info(*p);

                bus_out_dict(out, &wire_provider_table, &info);
        }
        bus_out_close(out);
        bus_call_reply(call);
}

void provider_object_announce(struct bus *bus, const char *name, bool came) {
        char buf[64];

        if (came)
                bus_signal_added(bus, &bus_kind_provider, path_name(name, buf));
        else
                bus_signal_removed(bus, &bus_kind_provider, path_name(name, buf), NULL);
}

static const struct bus_interface provider_interface = {
        .name = BUS_NAME ".Provider",
        .properties = &wire_provider_table,
        .emits = BUS_EMITS_CONST,
};

const struct bus_kind bus_kind_provider = {
        .directory = "provider",
        .interface = &provider_interface,
        .find = provider_find,
        .list = provider_list,
        .release = free,
};
