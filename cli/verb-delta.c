/* vssctl delta: which blocks differ between two copies, or between a copy and its volume; as
 * ranges of bytes, as a bitmap, as a document. */

#include "cli/delta-compare.h"
#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/resolve-id.h"
#include "cli/snapshot-output.h"
#include "cli/verb.h"

#include <inttypes.h>

static void free_delta(VSS_SNAPSHOT_DELTA **d) {
        VssFreeSnapshotDelta(*d);
}

static void print_ranges(const VSS_SNAPSHOT_DELTA *d) {
        uint64_t offset, length;

        for (uint64_t from = 0; VssNextDeltaRange(d, from, &offset, &length) == S_OK;
             from = offset + length)
                printf("%" PRIu64 " %" PRIu64 "\n", offset, length);
}

static void print_bitmap(const VSS_SNAPSHOT_DELTA *d) {
        /* What could not be written is seen at the end. */
        (void)fwrite(d->bitmap, 1, (size_t)(d->block_count / 8 + (d->block_count % 8 != 0)),
                     stdout);
}

static const char *id_or_null(VSS_ID id, char buffer[static VSS_ID_STRING_SIZE]) {
        static const VSS_ID null_id;

        return memcmp(&id, &null_id, sizeof(id)) == 0 ? NULL : VssIdToString(id, buffer);
}

static void print_json(const VSS_SNAPSHOT_DELTA *d, VSS_ID older, VSS_ID younger) {
        char text[VSS_ID_STRING_SIZE];
        uint64_t offset, length;
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "older_snapshot_id", VssIdToString(older, text));
        json_string(&j, "younger_snapshot_id", id_or_null(younger, text));
        json_uint(&j, "volume_size", d->volume_size);
        json_uint(&j, "block_size", d->block_size);
        json_uint(&j, "blocks", d->block_count);
        json_uint(&j, "changed_blocks", d->changed_count);
        json_bool(&j, "exact", d->exact);
        json_array_begin(&j, "ranges");
        for (uint64_t from = 0; VssNextDeltaRange(d, from, &offset, &length) == S_OK;
             from = offset + length) {
                json_object_begin(&j, NULL);
                json_uint(&j, "offset", offset);
                json_uint(&j, "length", length);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

/* The copy that was meant; that of a set if it has only one. */
static int find_copy(const VSS_SNAPSHOT_INFO **ret, const char *text,
                     VSS_SNAPSHOT_INFO *const *snapshots) {
        const VSS_SNAPSHOT_INFO *found = NULL;
        struct resolved what;
        int r;

        r = resolve_id_or_say(&what, text, snapshots);
        if (r != EXIT_DONE)
                return r;
        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++) {
                const VSS_ID *id = what.type == VSS_OBJECT_SNAPSHOT
                                           ? &(*s)->properties.m_SnapshotId
                                           : &(*s)->properties.m_SnapshotSetId;

                if (memcmp(id, &what.id, sizeof(*id)) != 0)
                        continue;
                if (found) {
                        message(MESSAGE_ERROR, "'%s' is a set of several copies; name one of them",
                                text);
                        return EXIT_USAGE;
                }
                found = *s;
        }
        *ret = found; /* the list has what was resolved by it */
        return EXIT_DONE;
}

static void free_volumes(VSS_VOLUME_INFO ***v) {
        VssFreeVolumes(*v);
}

/* The block device of the volume that s is a copy of, to be freed; NULL: it is not there. */
static char *find_device(const VSS_SNAPSHOT_INFO *s) {
        _cleanup_(free_volumes) VSS_VOLUME_INFO **volumes = NULL;

        if (FAILED(VssListVolumes(&volumes, NULL)))
                return NULL;
        for (VSS_VOLUME_INFO **v = volumes; *v; v++)
                if (streq((*v)->name, s->properties.m_pwszOriginalVolumeName))
                        return strdup((*v)->device);
        return NULL;
}

static int read_both(VSS_SNAPSHOT_DELTA *d, const VSS_SNAPSHOT_INFO *older,
                     const VSS_SNAPSHOT_INFO *younger) {
        _cleanup_(freep) char *volume = younger ? NULL : find_device(older);
        const char *other = younger ? younger->block_device : volume, *device;
        int r;

        if (str_empty(older->block_device) || (younger && str_empty(other))) {
                message(MESSAGE_ERROR, "the %s copy has no block device to compare",
                        str_empty(older->block_device) ? "older" : "younger");
                return EXIT_FAILED;
        }
        if (!other) {
                message(MESSAGE_ERROR, "%s: the volume's device cannot be found",
                        older->properties.m_pwszOriginalVolumeName);
                return EXIT_FAILED;
        }
        r = delta_compare(d, older->block_device, other, &device);
        if (r == -ENOMEM)
                return message_out_of_memory();
        if (r >= 0)
                return EXIT_DONE;
        message(MESSAGE_ERROR, "cannot read %s: %s", device, strerror(-r));
        return r == -EACCES || r == -EPERM ? EXIT_ACCESS_DENIED : EXIT_FAILED;
}

enum form { FORM_RANGES, FORM_BITMAP, FORM_JSON };

static int find_form(enum form *ret, const struct cli *cli) {
        static const struct {
                const char *name;
                enum form form;
        } forms[] = {
                { "ranges", FORM_RANGES },
                { "extents", FORM_RANGES },
                { "bitmap", FORM_BITMAP },
                { "json", FORM_JSON },
        };
        const char *name = cli->line.options.format;

        *ret = cli->line.options.json ? FORM_JSON : FORM_RANGES;
        if (!name)
                return EXIT_DONE;
        for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
                if (streq(name, forms[i].name)) {
                        *ret = forms[i].form;
                        return EXIT_DONE;
                }
        message(MESSAGE_ERROR, "there is no format '%s'; there are ranges, bitmap and json", name);
        return EXIT_USAGE;
}

int verb_delta(const struct cli *cli) {
        _cleanup_(snapshot_list_free) VSS_SNAPSHOT_INFO **snapshots = NULL;
        const VSS_SNAPSHOT_INFO *older = NULL, *younger = NULL;
        _cleanup_(free_delta) VSS_SNAPSHOT_DELTA *d = NULL;
        char *const *words = cli->line.arguments;
        VSS_ID younger_id = { 0 };
        enum form form;
        HRESULT hr;
        int r;

        r = find_form(&form, cli);
        if (r != EXIT_DONE)
                return r;
        if (form == FORM_BITMAP && isatty(STDOUT_FILENO)) {
                message(MESSAGE_ERROR, "a bitmap is nothing for a terminal; write it to a file");
                return EXIT_USAGE;
        }
        hr = VssListSnapshots(NULL, &snapshots, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        r = find_copy(&older, words[0], snapshots);
        if (r == EXIT_DONE && words[1])
                r = find_copy(&younger, words[1], snapshots);
        if (r != EXIT_DONE)
                return r;
        if (younger)
                younger_id = younger->properties.m_SnapshotId;
        hr = VssQuerySnapshotDelta(older->properties.m_SnapshotId, younger_id, &d);
        if (FAILED(hr))
                return message_hresult(hr, "%s", words[0]);
        if (cli->line.options.compare) {
                r = read_both(d, older, younger);
                if (r != EXIT_DONE)
                        return r;
        }
        switch (form) {
        case FORM_RANGES: print_ranges(d); break;
        case FORM_BITMAP: print_bitmap(d); break;
        case FORM_JSON: print_json(d, older->properties.m_SnapshotId, younger_id); break;
        }
        return EXIT_DONE;
}
