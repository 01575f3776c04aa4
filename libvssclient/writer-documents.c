/* Documents of an event, as the objects of the public API. */

#include "libvssclient/writer-documents.h"
#include "libvssclient/examine-metadata.h"
#include "libvssclient/writer-components.h"

static const enum backup_phase phases[_PHASE_MAX] = {
        [PHASE_PREPARE_BACKUP] = BACKUP_PHASE_PREPARE_BACKUP,
        [PHASE_POST_SNAPSHOT] = BACKUP_PHASE_POST_SNAPSHOT,
        [PHASE_BACKUP_COMPLETE] = BACKUP_PHASE_BACKUP_COMPLETE,
        [PHASE_PRE_RESTORE] = BACKUP_PHASE_PRE_RESTORE,
        [PHASE_POST_RESTORE] = BACKUP_PHASE_POST_RESTORE,
};

int writer_event_open_components(struct writer_event *e, struct vss_error *reterr) {
        struct document *d = e->components_document;
        const char *text;

        if (!d || !event_phase_has(e->phase, PHASE_HAS_COMPONENTS))
                return 0;
        text = document_text(d);
        if (!text)
                return vss_error_from_errno(reterr, -ENOMEM, "The writer's components");
        return writer_components_new_for_writer(&e->components, phases[e->phase], text,
                                                document_size(d), reterr);
}

int writer_event_close_components(struct writer_event *e, struct document **ret,
                                  struct vss_error *reterr) {
        char *xml = NULL;
        size_t size = 0;
        int r;

        if (!e->components)
                return 0;
        r = writer_components_finish(e->components, &xml, &size, reterr);
        if (r < 0 || !xml)
                return r;
        return document_new(ret, xml, size, reterr);
}

int writer_event_examine(struct writer_event *e, struct IVssExamineWriterMetadata **ret,
                         struct vss_error *reterr) {
        const char *text;
        int r;

        if (!e->examined) {
                text = document_text(e->identity);
                if (!text)
                        return vss_error_from_errno(reterr, -ENOMEM, "The writer's metadata");
                r = examine_metadata_parse(&e->examined, text, document_size(e->identity), reterr);
                if (r < 0)
                        return r;
        }
        *ret = e->examined;
        return 0;
}

void writer_event_drop_documents(struct writer_event *e) {
        (void)IVssWriterComponentsExt_Release(e->components); /* NULL is allowed */
        e->components = NULL;
        if (e->examined)
                (void)IVssExamineWriterMetadata_Release(e->examined);
        e->examined = NULL;
}
