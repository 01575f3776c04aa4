/* vssctl storage: the diff areas of volumes: where the stores of their copies are, and how much
 * they may take. */

#include "cli/local-path.h"
#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/output-text.h"
#include "cli/verb.h"

#include <vss/vsmgmt.h>
#include <vss/vsslinux.h>

static void free_areas(VSS_DIFF_AREA_INFO ***a) {
        VssFreeDiffAreas(*a);
}

static void release_mgmt(IVssSnapshotMgmt **m) {
        IVssSnapshotMgmt_Release(*m);
}

static void release_areas(IVssDifferentialSoftwareSnapshotMgmt **m) {
        IVssDifferentialSoftwareSnapshotMgmt_Release(*m);
}

static void release_list(IVssEnumMgmtObject **l) {
        IVssEnumMgmtObject_Release(*l);
}

/* --- list ------------------------------------------------------------------------------------- */

static void json_maximum(struct json *j, LONGLONG maximum) {
        if (maximum == VSS_ASSOC_NO_MAX_SPACE)
                json_null(j, "maximum_bytes");
        else
                json_int(j, "maximum_bytes", maximum);
}

static void print_json(VSS_DIFF_AREA_INFO *const *areas) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_array_begin(&j, "diff_areas");
        for (VSS_DIFF_AREA_INFO *const *a = areas; *a; a++) {
                const VSS_DIFF_AREA_PROP *p = &(*a)->area;

                json_object_begin(&j, NULL);
                json_string(&j, "volume", p->m_pwszVolumeName);
                json_string(&j, "store", p->m_pwszDiffAreaVolumeName);
                json_int(&j, "used_bytes", p->m_llUsedDiffSpace);
                json_int(&j, "allocated_bytes", p->m_llAllocatedDiffSpace);
                json_maximum(&j, p->m_llMaximumDiffSpace);
                json_bool(&j, "set_down", (*a)->set_down);
                json_bool(&j, "until_boot", (*a)->until_boot);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

static const char *maximum_text(const VSS_DIFF_AREA_PROP *p, char buf[static TEXT_SHORT_MAX]) {
        return p->m_llMaximumDiffSpace == VSS_ASSOC_NO_MAX_SPACE
                       ? "unbounded"
                       : text_size((uint64_t)p->m_llMaximumDiffSpace, buf);
}

static int print_table(const struct cli *cli, VSS_DIFF_AREA_INFO *const *areas) {
        static const struct table_column columns[] = {
                { .title = "VOLUME", .shrink = true }, { .title = "STORE", .shrink = true },
                { .title = "USED", .right = true },    { .title = "ALLOCATED", .right = true },
                { .title = "MAXIMUM", .right = true }, { .title = "KIND" },
        };
        _cleanup_(table_freep) struct table *table = NULL;
        int r;

        r = table_new(&table, columns, ARRAY_SIZE(columns));
        for (VSS_DIFF_AREA_INFO *const *a = areas; r >= 0 && *a; a++) {
                const VSS_DIFF_AREA_PROP *p = &(*a)->area;

                r = table_add(table, TABLE_ROW_PLAIN,
                              (const char *const[]){
                                      p->m_pwszVolumeName,
                                      p->m_pwszDiffAreaVolumeName,
                                      TEXT_SIZE((uint64_t)p->m_llUsedDiffSpace),
                                      TEXT_SIZE((uint64_t)p->m_llAllocatedDiffSpace),
                                      maximum_text(p, (char[TEXT_SHORT_MAX]){ 0 }),
                                      (*a)->until_boot ? "until boot"
                                      : (*a)->set_down ? "set down"
                                                       : "automatic",
                              });
        }
        if (r < 0)
                return message_out_of_memory();
        table_print(table, stdout, &cli->terminal.table);
        return EXIT_DONE;
}

static int list(const struct cli *cli) {
        _cleanup_(freep) char *of_volume = NULL, *in_store = NULL;
        _cleanup_(free_areas) VSS_DIFF_AREA_INFO **areas = NULL;
        const struct option_values *o = &cli->line.options;
        LPCWSTR filter[3] = { NULL };
        size_t n = 0;
        HRESULT hr;

        if (o->max || o->until_boot) {
                message(MESSAGE_ERROR, "'storage list' takes --for and --on alone");
                return EXIT_USAGE;
        }
        if ((o->for_volume && str_format(&of_volume, "volume=%s", o->for_volume) < 0) ||
            (o->on_store && str_format(&in_store, "store=%s", o->on_store) < 0))
                return message_out_of_memory();
        if (of_volume)
                filter[n++] = of_volume;
        if (in_store)
                filter[n++] = in_store;
        hr = VssListDiffAreas(filter, &areas, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (o->json) {
                print_json(areas);
                return EXIT_DONE;
        }
        if (!areas[0]) {
                message(MESSAGE_NOTICE, "there are no diff areas");
                return EXIT_DONE;
        }
        return print_table(cli, areas);
}

/* --- changes ---------------------------------------------------------------------------------- */

static int open_areas(IVssDifferentialSoftwareSnapshotMgmt **ret) {
        static const VSS_ID any = {
                0xb5946137, 0x7b9f, 0x4925, { 0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5 }
        };
        _cleanup_(release_mgmt) IVssSnapshotMgmt *mgmt = NULL;
        HRESULT hr;

        hr = CreateVssSnapshotMgmt(&mgmt);
        if (SUCCEEDED(hr))
                hr = IVssSnapshotMgmt_GetProviderMgmtInterface(mgmt, any, ret);
        return FAILED(hr) ? message_hresult(hr, NULL) : EXIT_DONE;
}

/* "40G", "320MB", "1TiB", 1024 each; "512B" and "512" are bytes. */
static int parse_size(const char *text, LONGLONG *ret) {
        static const char units[] = "KMGTPE";
        unsigned long long number;
        const char *unit;
        unsigned shift = 0;
        char *end;

        if (*text < '0' || *text > '9')
                return -EINVAL;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0)
                return -ERANGE;
        unit = *end ? strchr(units, *end) : NULL;
        if (unit) {
                shift = 10 * (unsigned)(unit - units + 1);
                end++;
                if (streq(end, "B") || streq(end, "iB"))
                        end += strlen(end);
        } else if (streq(end, "B"))
                end++;
        if (*end || number > (unsigned long long)(INT64_MAX >> shift))
                return -EINVAL;
        *ret = (LONGLONG)(number << shift);
        return 0;
}

/* All of a place; negative: the volume's copies cannot go there. *ret_names is "a or b". */
static int find_total(IVssDifferentialSoftwareSnapshotMgmt *areas, const char *volume,
                      const char *store, LONGLONG *ret, char **ret_names) {
        _cleanup_(release_list) IVssEnumMgmtObject *places = NULL;
        _cleanup_(freep) char *names = NULL;
        VSS_MGMT_OBJECT_PROP place;
        LONGLONG total = -1;
        int r = 0;
        HRESULT hr;
        ULONG n;

        hr = IVssDifferentialSoftwareSnapshotMgmt_QueryVolumesSupportedForDiffAreas(areas, volume,
                                                                                    &places);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        while (r >= 0 && (hr = IVssEnumMgmtObject_Next(places, 1, &place, &n)) == S_OK) {
                const char *name = place.Obj.DiffVol.m_pwszVolumeName;
                char *longer = NULL;

                if (streq(name, store))
                        total = place.Obj.DiffVol.m_llVolumeTotalSpace;
                r = str_format(&longer, "%s%s%s", str_or_empty(names), names ? " or " : "", name);
                if (r >= 0) {
                        free(names);
                        names = longer;
                }
                VssFreeString(place.Obj.DiffVol.m_pwszVolumeName);
                VssFreeString(place.Obj.DiffVol.m_pwszVolumeDisplayName);
        }
        if (r < 0)
                return message_out_of_memory();
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        *ret = total;
        *ret_names = TAKE_PTR(names);
        return EXIT_DONE;
}

/* A part of nothing would be 0, which is the service's word for "forget it". */
static int take_part(const struct option_values *o, IVssDifferentialSoftwareSnapshotMgmt *areas,
                     long percent, LONGLONG *ret) {
        _cleanup_(freep) char *names = NULL;
        LONGLONG total = -1, part;
        int r;

        r = find_total(areas, o->for_volume, o->on_store, &total, &names);
        if (r != EXIT_DONE)
                return r;
        part = total / 100 * percent;
        if (part > 0) {
                *ret = part;
                return EXIT_DONE;
        }
        if (total >= 0)
                message(MESSAGE_ERROR, "%s of %s, which has %lld bytes, is no maximum", o->max,
                        o->on_store, (long long)total);
        else
                message(MESSAGE_ERROR,
                        "no part of %s can be set down: stores of copies of %s cannot go there; "
                        "they go to %s",
                        o->on_store, o->for_volume, names ? names : "no place at all");
        return EXIT_FAILED;
}

static int parse_maximum(const struct option_values *o, IVssDifferentialSoftwareSnapshotMgmt *areas,
                         LONGLONG *ret) {
        size_t n = o->max ? strlen(o->max) : 0;
        char *end = NULL;
        long percent;

        *ret = VSS_ASSOC_NO_MAX_SPACE;
        if (!o->max || strcasecmp(o->max, "unbounded") == 0)
                return EXIT_DONE;
        if (n > 1 && o->max[n - 1] == '%') {
                percent = strtol(o->max, &end, 10);
                if (o->max[0] < '0' || o->max[0] > '9' || end != o->max + n - 1 || percent < 1 ||
                    percent > 100) {
                        message(MESSAGE_ERROR, "'%s' is no part of a store; 1%% to 100%% are",
                                o->max);
                        return EXIT_USAGE;
                }
                return take_part(o, areas, percent, ret);
        }
        if (parse_size(o->max, ret) >= 0 && *ret > 0)
                return EXIT_DONE;
        message(MESSAGE_ERROR, "'%s' is no size; write 40G, 320M, 10%% or unbounded", o->max);
        return EXIT_USAGE;
}

/* What was asked for and is so now. */
static void print_change(const struct option_values *o, bool set_down, LONGLONG maximum) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "volume", o->for_volume);
        json_string(&j, "store", o->on_store);
        json_maximum(&j, maximum);
        json_bool(&j, "set_down", set_down);
        json_bool(&j, "until_boot", o->until_boot);
        json_object_end(&j);
        json_done(&j);
}

static int change(const struct cli *cli, const char *verb) {
        _cleanup_(release_areas) IVssDifferentialSoftwareSnapshotMgmt *areas = NULL;
        const struct option_values *o = &cli->line.options;
        LONGLONG maximum;
        HRESULT hr;
        int r;

        if (!o->for_volume || !o->on_store) {
                message(MESSAGE_ERROR, "'storage %s' needs --for VOLUME and --on STORE", verb);
                return EXIT_USAGE;
        }
        if ((streq(verb, "delete") && (o->max || o->until_boot)) ||
            (streq(verb, "add") && o->until_boot)) {
                message(MESSAGE_ERROR, "'storage %s' has no such option; see vssctl help storage",
                        verb);
                return EXIT_USAGE;
        }
        r = open_areas(&areas);
        if (r == EXIT_DONE)
                r = parse_maximum(o, areas, &maximum);
        if (r != EXIT_DONE)
                return r;
        if (streq(verb, "add"))
                hr = IVssDifferentialSoftwareSnapshotMgmt_AddDiffArea(areas, o->for_volume,
                                                                      o->on_store, maximum);
        else if (streq(verb, "delete"))
                hr = IVssDifferentialSoftwareSnapshotMgmt_ChangeDiffAreaMaximumSize(
                        areas, o->for_volume, o->on_store, VSS_ASSOC_REMOVE);
        else
                hr = IVssDifferentialSoftwareSnapshotMgmt2_ChangeDiffAreaMaximumSizeEx(
                        areas, o->for_volume, o->on_store, maximum, o->until_boot);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        if (o->json)
                print_change(o, !streq(verb, "delete"), maximum);
        return EXIT_DONE;
}

/* What begins with a dot is here: "./data", as volumes are named elsewhere. */
static int find_here(const char **word, char **ret) {
        int r;

        if (!*word)
                return EXIT_DONE;
        r = local_path_or_say(ret, *word);
        if (r == EXIT_DONE)
                *word = *ret;
        return r;
}

int verb_storage(const struct cli *cli) {
        static const char *const changes[] = { "add", "resize", "delete" };
        const char *verb = cli->line.arguments ? cli->line.arguments[0] : "list";
        _cleanup_(freep) char *volume = NULL, *store = NULL;
        struct cli here = *cli;
        int r;

        r = find_here(&here.line.options.for_volume, &volume);
        if (r == EXIT_DONE)
                r = find_here(&here.line.options.on_store, &store);
        if (r != EXIT_DONE)
                return r;
        if (streq(verb, "list"))
                return list(&here);
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
                if (streq(verb, changes[i]))
                        return change(&here, verb);
        message(MESSAGE_ERROR, "'storage' has no '%s'; it has list, add, resize and delete", verb);
        return EXIT_USAGE;
}
