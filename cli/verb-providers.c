/* vssctl providers: who makes the copies. */

#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/verb.h"

#include <vss/vsslinux.h>

static const char *const types[] = {
        [VSS_PROV_UNKNOWN] = "unknown",      [VSS_PROV_SYSTEM] = "system",
        [VSS_PROV_SOFTWARE] = "software",    [VSS_PROV_HARDWARE] = "hardware",
        [VSS_PROV_FILESHARE] = "file-share",
};

static const char *type_text(VSS_PROVIDER_TYPE type) {
        return (size_t)type < ARRAY_SIZE(types) ? types[type] : "unknown";
}

static void free_providers(VSS_PROVIDER_INFO ***p) {
        VssFreeProviders(*p);
}

static void print_json(VSS_PROVIDER_INFO *const *providers) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_array_begin(&j, "providers");
        for (VSS_PROVIDER_INFO *const *p = providers; *p; p++) {
                const VSS_PROVIDER_PROP *prop = &(*p)->properties;
                char id[VSS_ID_STRING_SIZE];

                json_object_begin(&j, NULL);
                json_string(&j, "name", (*p)->name);
                json_string_or_null(&j, "description", prop->m_pwszProviderName);
                json_string(&j, "provider_id", VssIdToString(prop->m_ProviderId, id));
                json_string(&j, "type", type_text(prop->m_eProviderType));
                json_string_or_null(&j, "version", prop->m_pwszProviderVersion);
                json_string(&j, "version_id", VssIdToString(prop->m_ProviderVersionId, id));
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

int verb_providers(const struct cli *cli) {
        static const struct table_column columns[] = {
                { .title = "PROVIDER" },
                { .title = "TYPE" },
                { .title = "VERSION" },
                { .title = "ID" },
                { .title = "DESCRIPTION", .shrink = true },
        };
        _cleanup_(free_providers) VSS_PROVIDER_INFO **providers = NULL;
        _cleanup_(table_freep) struct table *table = NULL;
        HRESULT hr;
        int r;

        hr = VssListProviders(&providers, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (cli->line.options.json) {
                print_json(providers);
                return EXIT_DONE;
        }

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (VSS_PROVIDER_INFO *const *p = providers; r >= 0 && *p; p++) {
                const VSS_PROVIDER_PROP *prop = &(*p)->properties;
                char id[VSS_ID_STRING_SIZE];

                r = table_add(table, TABLE_ROW_PLAIN,
                              (const char *const[]){
                                      (*p)->name,
                                      type_text(prop->m_eProviderType),
                                      prop->m_pwszProviderVersion,
                                      VssIdToString(prop->m_ProviderId, id),
                                      prop->m_pwszProviderName,
                              });
        }
        if (r < 0)
                return message_out_of_memory();
        table_print(table, stdout, &cli->terminal.table);
        return EXIT_DONE;
}
