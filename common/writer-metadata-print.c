/* The document as text, in the format's order. */

#include "common/base64.h"
#include "common/path-escape.h"
#include "common/vss-id.h"
#include "common/writer-metadata-model.h"
#include "common/xml-printer.h"
#include <inttypes.h>
#include <stdio.h>

static void print_optional(struct xml_printer *p, const char *markup, const char *value) {
        if (value)
                xml_printer_attribute(p, markup, value);
}

static void print_yes_no(struct xml_printer *p, const char *markup, bool value) {
        xml_printer_markup(p, markup);
        xml_printer_markup(p, value ? "yes\"" : "no\"");
}

static void print_number(struct xml_printer *p, const char *markup, uint32_t value) {
        char buf[16];

        xml_printer_markup(p, markup);
        (void)snprintf(buf, sizeof(buf), "%" PRIu32 "\"", value);
        xml_printer_markup(p, buf);
}

static void print_id(struct xml_printer *p, const char *name, VSS_ID id) {
        char buf[VSS_ID_TEXT_MAX];

        xml_printer_attribute(p, name, vss_id_format(id, buf));
}

static void print_identity(struct xml_printer *p, const struct writer_metadata_identity *id) {
        xml_printer_markup(p, "<IDENTIFICATION");
        print_id(p, "writerId", id->writer_id);
        print_id(p, "instanceId", id->instance_id);
        print_optional(p, "instanceName", id->instance_name);
        xml_printer_attribute(p, "friendlyName", id->name);
        xml_printer_attribute(p, "usage", xml_token(&metadata_usages, (int64_t)id->usage));
        xml_printer_attribute(p, "dataSource", xml_token(&metadata_sources, (int64_t)id->source));
        print_number(p, " majorVersion=\"", id->major_version);
        print_number(p, " minorVersion=\"", id->minor_version);
        xml_printer_markup(p, "/>");
}

/* How the sets of a list are printed. */
static const struct list_format {
        const char *start; /* with the name of the first attribute */
        bool recursive;    /* also when it is not */
        bool mask;
} formats[] = {
        [WRITER_METADATA_FILES] = { .start = "<FILE_LIST", .mask = true },
        [WRITER_METADATA_DATABASE_FILES] = { .start = "<DATABASE_FILES", .mask = true },
        [WRITER_METADATA_DATABASE_LOG_FILES] = { .start = "<DATABASE_LOGFILES", .mask = true },
        [WRITER_METADATA_EXCLUDES] = { .start = "<EXCLUDE_FILES", .recursive = true },
        [WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT] = { .start = "<EXCLUDE_FILES_FROM_SNAPSHOT",
                                                     .recursive = true },
        [WRITER_METADATA_MAPPINGS] = { .start = "<ALTERNATE_LOCATION_MAPPING", .recursive = true },
};
_Static_assert(ARRAY_SIZE(formats) == _WRITER_METADATA_LIST_MAX, "a format for each list");

/* A name of files, or what can be shown of it. */
static void print_name(struct xml_printer *p, const char *markup, const char *value) {
        _cleanup_(freep) char *shown = NULL;

        if (!value || !path_escape_is_needed(value)) {
                print_optional(p, markup, value);
                return;
        }
        shown = path_escape_shown(value);
        p->failed = p->failed || !shown;
        print_optional(p, markup, shown);
}

/* All of it, where that could not be shown. */
static void print_escape(struct xml_printer *p, const char *markup, const char *value) {
        _cleanup_(freep) char *escaped = NULL;

        if (!path_escape_is_needed(value))
                return;
        escaped = path_escape(value);
        p->failed = p->failed || !escaped;
        print_optional(p, markup, escaped);
}

static void print_list(struct xml_printer *p, enum writer_metadata_list list,
                       const struct metadata_list *own) {
        const struct list_format *format = &formats[list];

        for (size_t i = 0; i < own->n && !p->failed; i++) {
                const struct metadata_set *set = &own->sets[i];

                xml_printer_markup(p, format->start);
                print_name(p, "path", str_or_empty(set->path));
                print_name(p, "filespec", str_or_empty(set->filespec));
                if (set->recursive || format->recursive)
                        print_yes_no(p, " recursive=\"", set->recursive);
                print_name(p, "alternatePath", set->alternate_path);
                if (format->mask)
                        print_number(p, " filespecBackupType=\"", set->backup_type_mask);
                print_escape(p, "escapedPath", set->path);
                print_escape(p, "escapedFilespec", set->filespec);
                print_escape(p, "escapedAlternatePath", set->alternate_path);
                xml_printer_markup(p, "/>");
        }
}

static void print_restore(struct xml_printer *p, const struct writer_metadata *m) {
        const struct writer_metadata_restore *restore = &m->restore;
        const struct metadata_list *mappings =
                &m->lists[WRITER_METADATA_MAPPINGS - METADATA_WRITER_LISTS];

        xml_printer_markup(p, "<RESTORE_METHOD");
        xml_printer_attribute(p, "method", xml_token(&metadata_methods, (int64_t)restore->method));
        print_optional(p, "service", restore->service);
        print_optional(p, "userProcedure", restore->user_procedure);
        print_optional(p, "writerRestore",
                       xml_token(&metadata_writer_restores, (int64_t)restore->writer_restore));
        print_yes_no(p, " rebootRequired=\"", restore->reboot_required);
        if (mappings->n == 0) {
                xml_printer_markup(p, "/>");
                return;
        }
        xml_printer_markup(p, ">");
        print_list(p, WRITER_METADATA_MAPPINGS, mappings);
        xml_printer_markup(p, "</RESTORE_METHOD>");
}

static void print_icon(struct xml_printer *p, const struct writer_metadata_component *info) {
        _cleanup_(freep) char *text = NULL;

        if (info->icon_size == 0)
                return;
        if (base64_encode(&text, info->icon, info->icon_size) < 0)
                p->failed = true;
        else
                xml_printer_attribute(p, "icon", text);
}

static void print_dependency(struct xml_printer *p, const struct writer_metadata_dependency *on) {
        xml_printer_markup(p, "<DEPENDENCY");
        print_id(p, "writerId", on->writer_id);
        print_optional(p, "logicalPath", on->logical_path);
        print_optional(p, "componentName", on->name);
        xml_printer_markup(p, "/>");
}

static void print_component(struct xml_printer *p, const struct metadata_component *c) {
        const struct writer_metadata_component *info = &c->info;
        const char *element = xml_token(&metadata_component_types, (int64_t)info->type);
        bool empty = c->n_dependencies == 0;

        xml_printer_markup(p, "<");
        xml_printer_markup(p, element);
        print_optional(p, "logicalPath", info->logical_path);
        xml_printer_attribute(p, "componentName", info->name);
        print_optional(p, "caption", info->caption);
        print_yes_no(p, " restoreMetadata=\"", info->restore_metadata);
        print_yes_no(p, " notifyOnBackupComplete=\"", info->notify_on_backup_complete);
        print_yes_no(p, " selectable=\"", info->selectable);
        print_yes_no(p, " selectableForRestore=\"", info->selectable_for_restore);
        print_number(p, " componentFlags=\"", info->flags);
        print_icon(p, info);
        for (size_t i = 0; i < METADATA_N_LISTS; i++)
                empty = empty && c->lists[i].n == 0;
        if (empty) {
                xml_printer_markup(p, "/>");
                return;
        }
        xml_printer_markup(p, ">");
        for (enum writer_metadata_list list = 0; list < METADATA_WRITER_LISTS; list++)
                print_list(p, list, &c->lists[list]);
        for (size_t i = 0; i < c->n_dependencies; i++)
                print_dependency(p, &c->dependencies[i]);
        xml_printer_markup(p, "</");
        xml_printer_markup(p, element);
        xml_printer_markup(p, ">");
}

static void print_locations(struct xml_printer *p, const struct writer_metadata *m) {
        static const enum writer_metadata_list excludes[] = {
                WRITER_METADATA_EXCLUDES,
                WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT,
        };
        bool empty = m->n_components == 0;

        for (size_t i = 0; i < ARRAY_SIZE(excludes); i++)
                empty = empty && m->lists[excludes[i] - METADATA_WRITER_LISTS].n == 0;
        if (empty) {
                xml_printer_markup(p, "<BACKUP_LOCATIONS/>");
                return;
        }
        xml_printer_markup(p, "<BACKUP_LOCATIONS>");
        for (size_t i = 0; i < m->n_components && !p->failed; i++)
                print_component(p, m->components[i]);
        for (size_t i = 0; i < ARRAY_SIZE(excludes); i++)
                print_list(p, excludes[i], &m->lists[excludes[i] - METADATA_WRITER_LISTS]);
        xml_printer_markup(p, "</BACKUP_LOCATIONS>");
}

int writer_metadata_to_xml(const struct writer_metadata *m, char **ret, struct vss_error *reterr) {
        struct xml_printer printer;

        if (m->verbatim) {
                *ret = strdup(m->verbatim);
                return *ret ? 0 : metadata_out_of_memory(reterr);
        }
        xml_printer_init(&printer);
        xml_printer_markup(&printer, "<WRITER_METADATA xmlns=\"" WRITER_METADATA_NAMESPACE
                                     "\" version=\"1.2\"");
        if (m->schema != 0)
                print_number(&printer, " backupSchema=\"", m->schema);
        xml_printer_markup(&printer, ">");
        print_identity(&printer, &m->identity);
        if (m->has_restore)
                print_restore(&printer, m);
        print_locations(&printer, m);
        xml_printer_markup(&printer, "</WRITER_METADATA>");
        return xml_printer_finish(&printer, WRITER_METADATA_WHAT, ret, NULL, reterr);
}
