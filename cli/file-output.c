/* Nothing is kept of the files. What cannot be backed up is said on stderr when it is met. */

#include "cli/file-output.h"

#include "cli/component-choice.h"
#include "cli/message.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <sys/stat.h>

static const struct {
        mode_t format;
        const char *name;
} types[] = {
        { S_IFREG, "file" },
        { S_IFDIR, "directory" },
        { S_IFLNK, "link" },
        { S_IFIFO, "fifo" },
        { S_IFSOCK, "socket" },
        { S_IFBLK, "block-device" },
        { S_IFCHR, "character-device" },
};

static const char *type_text(mode_t mode) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if ((mode & S_IFMT) == types[i].format)
                        return types[i].name;
        return "unknown";
}

static bool is_utf8(const char *s) {
        while (*s != '\0') {
                uint32_t character;
                size_t n = utf8_decode(s, &character);

                if (n == 1 && character == UTF8_REPLACEMENT)
                        return false;
                s += n;
        }
        return true;
}

/* A name that JSON cannot carry is carried twice: for people, and for programs. */
static void json_path(struct json *j, const char *key, const char *hex_key, const char *path) {
        _cleanup_(freep) char *hex = NULL;
        size_t n = strlen(path);

        json_string(j, key, path);
        if (is_utf8(path))
                return;
        hex = calloc(2 * n + 1, 1);
        for (size_t i = 0; hex && i < n; i++)
                (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned)(unsigned char)path[i]);
        json_string(j, hex_key, hex); /* null without memory */
}

static void print_json(struct json *j, const VSS_FILE *file) {
        const struct stat *st = file->status;

        json_object_begin(j, NULL);
        json_path(j, "path", "path_hex", file->path);
        json_path(j, "source", "source_hex", file->source);
        json_string(j, "type", type_text(st->st_mode));
        json_uint(j, "size_bytes", S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0);
        json_int(j, "modified_unix", st->st_mtim.tv_sec);
        json_bool(j, "from_copy", file->flags & VSS_FILE_FROM_COPY);
        if (file->flags & VSS_FILE_NOT_ENTERED)
                json_bool(j, "not_entered", true);
        if (file->flags & VSS_FILE_MAY_BE_BLANK)
                json_bool(j, "may_be_blank", true);
        if (file->flags & VSS_FILE_RANGES_FILE)
                json_bool(j, "ranges_file", true);
        if (file->ranges)
                json_string(j, "ranges", file->ranges);
        json_object_end(j);
}

static void print_text(const VSS_FILE *file) {
        _cleanup_(freep) char *path = utf8_clean(file->path), *source = utf8_clean(file->source);

        if (!path || !source) {
                (void)message_out_of_memory();
                return;
        }
        printf("  %s%s", path, S_ISDIR(file->status->st_mode) && !streq(path, "/") ? "/" : "");
        if (!streq(file->path, file->source))
                printf("  <- %s", source);
        if (file->ranges) {
                _cleanup_(freep) char *ranges = utf8_clean(file->ranges);

                printf("  [%s]", str_or_empty(ranges));
        }
        printf("%s\n", file->flags & VSS_FILE_NOT_ENTERED ? "  (another volume, not entered)" : "");
}

static HRESULT on_file(void *user, const VSS_FILE *file) {
        struct file_output *o = user;

        switch (o->form) {
        case FILE_OUTPUT_JSON: print_json(&o->json, file); break;
        case FILE_OUTPUT_TEXT: print_text(file); break;
        case FILE_OUTPUT_NULL: fwrite(file->source, 1, strlen(file->source) + 1, stdout); break;
        }
        /* Whoever read it has gone, or the disk is full: main() says so. */
        return ferror(stdout) ? E_ABORT : S_OK;
}

static HRESULT on_problem(void *user, const VSS_FILE_PROBLEM *problem) {
        struct file_output *o = user;

        o->n_problems++;
        message(MESSAGE_ERROR, "%s (%s)", problem->message, MESSAGE_CODE(problem->code));
        return S_OK;
}

void file_output_begin(struct file_output *o, enum file_output_form form) {
        *o = (struct file_output){ .form = form };
        if (form != FILE_OUTPUT_JSON)
                return;
        json_init(&o->json, stdout);
        json_object_begin(&o->json, NULL);
        json_array_begin(&o->json, "components");
}

static void missing_json(struct json *j, VssSelection *selection) {
        const VSS_MISSING_COMPONENT *m;
        char id[VSS_ID_STRING_SIZE];

        json_array_begin(j, "missing");
        for (UINT i = 0; (m = VssSelection_GetMissing(selection, i)) != NULL; i++) {
                json_object_begin(j, NULL);
                json_string(j, "writer_id", VssIdToString(m->writer_id, id));
                json_string_or_null(j, "logical_path", m->logical_path);
                json_string(j, "component", m->name);
                json_bool(j, "remote", m->remote);
                json_object_end(j);
        }
        json_array_end(j);
}

void file_output_end(struct file_output *o, VssSelection *selection) {
        if (o->form != FILE_OUTPUT_JSON)
                return;
        json_array_end(&o->json);
        missing_json(&o->json, selection);
        json_uint(&o->json, "problems", o->n_problems);
        json_object_end(&o->json);
        json_done(&o->json);
}

static void begin_component(struct file_output *o, VssSelection *selection,
                            const VSS_SELECTED_COMPONENT *c) {
        char text[COMPONENT_TEXT_MAX], id[VSS_ID_STRING_SIZE];
        struct json *j = &o->json;

        if (o->form == FILE_OUTPUT_TEXT) {
                _cleanup_(freep) char *clean = utf8_clean(selected_component_text(c, text));

                printf("%s\n", str_or_empty(clean));
        }
        if (o->form != FILE_OUTPUT_JSON)
                return;
        json_object_begin(j, NULL);
        json_string(j, "writer", c->writer_name);
        json_string(j, "writer_id", VssIdToString(c->writer_id, id));
        json_string(j, "instance_id", VssIdToString(c->instance_id, id));
        json_string_or_null(j, "logical_path", c->logical_path);
        json_string(j, "component", c->name);
        json_bool(j, "explicit", c->is_explicit);
        json_string(j, "reason", selection_reason_text(c->reason));
        json_string(
                j, "because",
                selected_component_text(VssSelection_GetComponent(selection, c->because), text));
        json_array_begin(j, "files");
}

HRESULT file_output_component(struct file_output *o, VssSelection *selection, UINT component,
                              VSS_BACKUP_TYPE type) {
        const VSS_FILE_REQUEST request = {
                .size = sizeof(request),
                .type = type,
                .alone = true, /* the others have their turn */
                .OnFile = on_file,
                .OnProblem = on_problem,
                .user = o,
        };
        HRESULT hr;

        begin_component(o, selection, VssSelection_GetComponent(selection, component));
        hr = VssSelection_ListFiles(selection, component, &request);
        if (o->form == FILE_OUTPUT_JSON) {
                json_array_end(&o->json);
                json_object_end(&o->json);
        }
        return hr;
}
