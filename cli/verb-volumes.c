/* vssctl volumes: which volumes of this host can be copied, and why the others cannot. What else it
 * does with one is in verb-volumes-adopt.c. */

#include "cli/copy-lifetime.h"
#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/output-text.h"
#include "cli/verb.h"

#include <inttypes.h>
#include <vss/vsslinux.h>

static void free_volumes(VSS_VOLUME_INFO ***v) {
        VssFreeVolumes(*v);
}

static void print_json(VSS_VOLUME_INFO *const *volumes) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_array_begin(&j, "volumes");
        for (VSS_VOLUME_INFO *const *v = volumes; *v; v++) {
                json_object_begin(&j, NULL);
                json_string(&j, "name", (*v)->name);
                json_string_or_null(&j, "device", (*v)->device);
                json_string_or_null(&j, "mount_point", (*v)->mount_point);
                json_string_or_null(&j, "file_system", (*v)->file_system);
                json_uint(&j, "size_bytes", (*v)->size);
                json_bool(&j, "supported", (*v)->supported);
                json_string_or_null(&j, "provider", (*v)->provider);
                json_string_or_null(&j, "reason", (*v)->reason);
                json_uint(&j, "snapshots_count", (*v)->snapshots);
                json_string_or_null(&j, "adopted", (*v)->adopted);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

static const char *adopted_text(const char *adopted) {
        static const struct {
                const char *word, *text;
        } texts[] = {
                { .word = "active", .text = "; adopted" },
                { .word = "next-mount", .text = "; adopted, from the next mount on" },
                { .word = "until-unmount", .text = "; released, from the next mount on" },
        };

        for (size_t i = 0; adopted && i < ARRAY_SIZE(texts); i++)
                if (streq(adopted, texts[i].word))
                        return texts[i].text;
        return "";
}

int verb_volumes(const struct cli *cli) {
        static const struct table_column columns[] = {
                { .title = "VOLUME", .shrink = true },
                { .title = "DEVICE", .shrink = true },
                { .title = "TYPE" },
                { .title = "SIZE", .right = true },
                { .title = "COPIES", .right = true },
                { .title = "CAN BE COPIED", .shrink = true },
        };
        _cleanup_(free_volumes) VSS_VOLUME_INFO **volumes = NULL;
        _cleanup_(table_freep) struct table *table = NULL;
        HRESULT hr;
        int r;

        if (strv_length(cli->line.arguments) > 0)
                return verb_volumes_change(cli);
        if (cli->line.options.name || cli->line.options.no_initramfs) {
                message(MESSAGE_ERROR, "'volumes' alone has no option '%s'; it goes with 'adopt'",
                        cli->line.options.name ? "--name" : "--no-initramfs");
                return EXIT_USAGE;
        }
        hr = VssListVolumes(&volumes, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (cli->line.options.json) {
                print_json(volumes);
                return EXIT_DONE;
        }
        if (!volumes[0]) {
                message(MESSAGE_NOTICE, "there are no volumes");
                return EXIT_DONE;
        }

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (VSS_VOLUME_INFO *const *v = volumes; r >= 0 && *v; v++) {
                _cleanup_(freep) char *answer = NULL;
                char copies[16];

                snprintf(copies, sizeof(copies), "%" PRIu32, (*v)->snapshots);
                if ((*v)->supported)
                        r = str_format(&answer, "yes, by %s%s%s", str_or_empty((*v)->provider),
                                       copy_ends_with_boot((*v)->provider)
                                               ? ", until the machine stops"
                                               : "",
                                       adopted_text((*v)->adopted));
                else
                        r = str_format(&answer, "no: %s%s", str_or_empty((*v)->reason),
                                       adopted_text((*v)->adopted));
                if (r >= 0)
                        r = table_add(table, TABLE_ROW_PLAIN,
                                      (const char *const[]){
                                              (*v)->name,
                                              (*v)->device,
                                              (*v)->file_system,
                                              TEXT_SIZE((*v)->size),
                                              copies,
                                              answer,
                                      });
        }
        if (r < 0)
                return message_out_of_memory();
        table_print(table, stdout, &cli->terminal.table);
        return EXIT_DONE;
}
