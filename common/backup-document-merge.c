/* The part of the document that one writer sees, and what it may change in it. What comes back is
 * taken over piece by piece by a table: everything that is not in the table stays as it is here,
 * whatever the writer sent. */

#include "common/backup-document-tree.h"
#include "common/vss-id.h"
#include "common/xml-printer.h"

#define IN(phase) (1u << BACKUP_PHASE_##phase)
#define EVERY_PHASE ((1u << _BACKUP_PHASE_MAX) - 1)

/* In BackupComplete the document is closed for writers, in
 * PostRestore it is for all but the messages; SetFailure works in each handler. */
static const unsigned text_phases[_BACKUP_TEXT_MAX] = {
        [BACKUP_TEXT_BACKUP_STAMP] = IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT),
        [BACKUP_TEXT_BACKUP_METADATA] = IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT),
        [BACKUP_TEXT_RESTORE_METADATA] = IN(PRE_RESTORE),
        [BACKUP_TEXT_PREPARE_FAILURE] = IN(PREPARE_BACKUP),
        [BACKUP_TEXT_POST_SNAPSHOT_FAILURE] = IN(POST_SNAPSHOT),
        [BACKUP_TEXT_PRE_RESTORE_FAILURE] = IN(PRE_RESTORE),
        [BACKUP_TEXT_POST_RESTORE_FAILURE] = IN(POST_RESTORE),
        [BACKUP_TEXT_APPLICATION_MESSAGE] = EVERY_PHASE,
};

static const unsigned number_phases[_BACKUP_NUMBER_MAX] = {
        [BACKUP_NUMBER_RESTORE_TARGET] = IN(PRE_RESTORE),
        [BACKUP_NUMBER_FAILURE] = EVERY_PHASE,
        [BACKUP_NUMBER_APPLICATION_FAILURE] = EVERY_PHASE,
};

static const unsigned list_phases[_BACKUP_LIST_MAX] = {
        [BACKUP_LIST_PARTIAL_FILE] = IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT),
        [BACKUP_LIST_DIFFERENCED_FILES] = IN(PREPARE_BACKUP) | IN(POST_SNAPSHOT),
        [BACKUP_LIST_DIRECTED_TARGET] = IN(PRE_RESTORE),
};

/* Opaque texts that are set once for a component: a second call is refused by the API. */
static const bool set_once[_BACKUP_TEXT_MAX] = {
        [BACKUP_TEXT_BACKUP_METADATA] = true,
        [BACKUP_TEXT_RESTORE_METADATA] = true,
};

bool backup_phase_may_set_text(enum backup_phase phase, enum backup_text what) {
        return text_phases[what] & 1u << phase;
}

bool backup_phase_may_set_number(enum backup_phase phase, enum backup_number what) {
        return number_phases[what] & 1u << phase;
}

bool backup_phase_may_add(enum backup_phase phase, enum backup_list list) {
        return list_phases[list] & 1u << phase;
}

bool backup_component_is_for(const struct backup_component *c,
                             const struct backup_writer_info *writer, bool selected_only) {
        const struct backup_writer_info *own = &c->writer->info;

        return vss_id_equal(own->writer_id, writer->writer_id) &&
               vss_id_equal(selected_only ? c->recipient : own->instance_id, writer->instance_id);
}

bool backup_document_has_part(const struct backup_document *d,
                              const struct backup_writer_info *writer, bool selected_only) {
        for (size_t i = 0; i < d->n_writers; i++) {
                const struct backup_writer *w = d->writers[i];

                if (!vss_id_equal(w->info.writer_id, writer->writer_id))
                        continue;
                for (size_t k = 0; k < w->n_components; k++)
                        if (backup_component_is_for(w->components[k], writer, selected_only))
                                return true;
        }
        return false;
}

static void print_attribute(struct xml_printer *p, const xmlNs *ns, const xmlAttr *attribute) {
        if (ns && ns->prefix) {
                xml_printer_markup(p, " ");
                xml_printer_markup(p, (const char *)ns->prefix);
                xml_printer_markup(p, ":");
        } else
                xml_printer_markup(p, " ");
        xml_printer_value(p, (const char *)attribute->name,
                          attribute->children ? (const char *)attribute->children->content : "");
}

static void print_start(struct xml_printer *p, const xmlNode *node) {
        xml_printer_markup(p, "<");
        xml_printer_markup(p, (const char *)node->name);
        for (const xmlNs *ns = node->nsDef; ns; ns = ns->next) {
                xml_printer_markup(p, ns->prefix ? " xmlns:" : " ");
                xml_printer_value(p, ns->prefix ? (const char *)ns->prefix : "xmlns",
                                  str_or_empty((const char *)ns->href));
        }
        for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
                print_attribute(p, attribute->ns, attribute);
        xml_printer_markup(p, ">");
}

/* Without copying any of the tree: libxml2 does not always say when a copy ran out of memory. */
static bool print_writer(struct xml_printer *p, const struct backup_document *d,
                         const struct backup_writer *w, const struct backup_writer_info *writer,
                         bool selected_only) {
        bool any = false;

        for (size_t i = 0; i < w->n_components; i++) {
                const struct backup_component *c = w->components[i];

                if (!backup_component_is_for(c, writer, selected_only))
                        continue;
                if (!any)
                        print_start(p, w->node);
                any = true;
                xml_printer_tree(p, d->tree, c->node);
        }
        if (any)
                xml_printer_markup(p, "</WRITER_COMPONENTS>");
        return any;
}

int backup_document_extract(const struct backup_document *d,
                            const struct backup_writer_info *writer, bool selected_only,
                            char **ret_xml, size_t *ret_size, struct vss_error *reterr) {
        struct xml_printer printer;
        char *text = NULL;
        size_t size = 0;
        bool any = false;
        int r;

        xml_printer_init(&printer);
        print_start(&printer, d->root);
        for (size_t i = 0; i < d->n_writers; i++)
                if (vss_id_equal(d->writers[i]->info.writer_id, writer->writer_id))
                        any |= print_writer(&printer, d, d->writers[i], writer, selected_only);
        xml_printer_markup(&printer, "</BACKUP_COMPONENTS>");
        r = xml_printer_finish(&printer, "The writer's components", &text, &size, reterr);
        if (r < 0)
                return r;
        if (!any) {
                free(text);
                text = NULL;
                size = 0;
        }
        *ret_xml = text;
        if (ret_size)
                *ret_size = size;
        return 0;
}

static int merge_texts(struct backup_component *c, const struct backup_component *given,
                       enum backup_phase phase, struct vss_error *reterr) {
        int r = 0;

        for (enum backup_text what = 0; r >= 0 && what < _BACKUP_TEXT_MAX; what++) {
                const char *old = backup_component_text(c, what);
                const char *new = backup_component_text(given, what);

                if (!backup_phase_may_set_text(phase, what) || (old && set_once[what]))
                        continue;
                /* A text that is not there was not set, but for that of a failure: it goes with the
                 * numbers, which say that there is none any more. */
                if (!new &&what != BACKUP_TEXT_APPLICATION_MESSAGE)
                        continue;
                if (!streq(str_or_empty(old), str_or_empty(new)))
                        r = backup_component_set_text(c, what, new, reterr);
        }
        return r;
}

static bool may_be_failure(int32_t hr) {
        static const HRESULT codes[] = {
                VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT,
                VSS_E_WRITERERROR_OUTOFRESOURCES,
                VSS_E_WRITERERROR_TIMEOUT,
                VSS_E_WRITERERROR_RETRYABLE,
                VSS_E_WRITERERROR_NONRETRYABLE,
        };

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (hr == codes[i])
                        return true;
        return hr == S_OK;
}

static int merge_numbers(struct backup_component *c, const struct backup_component *given,
                         enum backup_phase phase, struct vss_error *reterr) {
        int r = 0;

        for (enum backup_number what = 0; r >= 0 && what < _BACKUP_NUMBER_MAX; what++) {
                int32_t value = backup_component_number(given, what);

                if (!backup_phase_may_set_number(phase, what) ||
                    value == backup_component_number(c, what) ||
                    (what == BACKUP_NUMBER_FAILURE && !may_be_failure(value)))
                        continue;
                r = backup_component_set_number(c, what, value, reterr);
        }
        return r;
}

/* Entries are only ever appended: those behind the ones we have are new. */
static int merge_lists(struct backup_component *c, const struct backup_component *given,
                       enum backup_phase phase, struct vss_error *reterr) {
        int r = 0;

        for (enum backup_list list = 0; list < _BACKUP_LIST_MAX; list++) {
                struct backup_entry entry;

                if (!backup_phase_may_add(phase, list) ||
                    (list == BACKUP_LIST_PARTIAL_FILE && !c->writer->document->state.partial_files))
                        continue;
                for (size_t i = backup_component_n_entries(c, list);
                     r >= 0 && backup_component_entry(given, list, i, &entry); i++)
                        if (entry.texts[0] && entry.texts[1])
                                r = backup_component_add_entry(c, list, &entry, reterr);
        }
        return r;
}

static int merge_component(struct backup_document *d, const struct backup_writer_info *writer,
                           enum backup_phase phase, const struct backup_component *given,
                           struct vss_error *reterr) {
        const struct backup_component_key key = {
                .instance_id = given->writer->info.instance_id,
                .writer_id = given->writer->info.writer_id,
                .type = given->type,
                .logical_path = backup_component_logical_path(given),
                .name = backup_component_name(given),
        };
        struct backup_component *c = backup_document_find(d, &key);
        int r;

        if (!c || !backup_component_is_for(c, writer, phase >= BACKUP_PHASE_PRE_RESTORE))
                return 0;
        r = merge_texts(c, given, phase, reterr);
        if (r >= 0)
                r = merge_numbers(c, given, phase, reterr);
        if (r >= 0)
                r = merge_lists(c, given, phase, reterr);
        return r;
}

static size_t smaller(size_t a, size_t b) {
        return a < b ? a : b;
}

int backup_document_merge(struct backup_document *d, const struct backup_writer_info *writer,
                          enum backup_phase phase, const char *text, size_t size,
                          struct vss_error *reterr) {
        _cleanup_(backup_document_freep) struct backup_document *given = NULL;
        int r;

        r = backup_document_parse(&given, text, size, reterr);
        d->n_nodes_max =
                smaller(BACKUP_NODES_MAX, d->n_nodes + BACKUP_NODES_MAX / BACKUP_MERGE_SHARE);
        d->n_bytes_max =
                smaller(BACKUP_DOCUMENT_MAX, d->n_bytes + BACKUP_DOCUMENT_MAX / BACKUP_MERGE_SHARE);
        for (size_t i = 0; r >= 0 && i < given->n_writers; i++) {
                const struct backup_writer *w = given->writers[i];

                for (size_t k = 0; r >= 0 && k < w->n_components; k++)
                        r = merge_component(d, writer, phase, w->components[k], reterr);
        }
        d->n_nodes_max = BACKUP_NODES_MAX;
        d->n_bytes_max = BACKUP_DOCUMENT_MAX;
        return r;
}
