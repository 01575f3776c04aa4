/* Writers of a set, as lines and as objects. The keys of the objects are documented in vssctl(8).
 */

#include "cli/set-writers.h"

#include "cli/failure-output.h"
#include "common/utf8.h"

void set_writers_release(VSS_SET_WRITER_INFO ***writers) {
        VssFreeSetWriters(*writers);
}

/* Text from elsewhere, in the place where it stands. */
static void put(FILE *stream, const char *before, const char *text) {
        _cleanup_(freep) char *clean = utf8_clean(text);

        fprintf(stream, "%s%s", before, clean ? clean : "(out of memory)");
}

void set_writers_print(VSS_SET_WRITER_INFO *const *writers, FILE *stream) {
        for (VSS_SET_WRITER_INFO *const *w = writers; w && *w; w++) {
                const char *before = " on ";

                put(stream, w == writers ? "\nWriter " : "Writer ", (*w)->name);
                put(stream, ": ", streq((*w)->consistency, "none") ? "nothing" : (*w)->consistency);
                STRV_FOREACH (volume, (*w)->volumes) {
                        put(stream, before, *volume);
                        before = ", ";
                }
                if (!str_empty((*w)->reason))
                        put(stream, "; ", (*w)->reason);
                fputc('\n', stream);
        }
}

void set_writers_json(struct json *j, VSS_SET_WRITER_INFO *const *writers) {
        json_array_begin(j, "writers");
        for (VSS_SET_WRITER_INFO *const *w = writers; w && *w; w++) {
                char text[VSS_ID_STRING_SIZE];

                json_object_begin(j, NULL);
                json_string(j, "name", (*w)->name);
                json_string(j, "writer_id", VssIdToString((*w)->writer_id, text));
                json_string(j, "instance_id", VssIdToString((*w)->instance_id, text));
                json_string(j, "consistency", (*w)->consistency);
                json_string_or_null(j, "reason", (*w)->reason);
                json_array_begin(j, "volumes");
                STRV_FOREACH (volume, (*w)->volumes)
                        json_string(j, NULL, *volume);
                json_array_end(j);
                json_int(j, "state", (*w)->state);
                json_string(j, "state_name", str_or_empty(VssWriterStateToString((*w)->state)));
                failure_json(j, (*w)->failure);
                json_object_end(j);
        }
        json_array_end(j);
}
