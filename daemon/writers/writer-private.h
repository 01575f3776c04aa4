#pragma once

/* Inside daemon/writers/ only: how a session's participant hangs on its writer, and how a writer's
 * latest state is noted for those that have no session with it. */

#include "daemon/writers/writer.h"

/* A participant's hold on a writer. lost() is called once when the writer goes; link->writer is
 * still whole during the call and NULL afterwards. */
struct writer_link {
        struct writer *writer; /* NULL: gone */
        struct writer_link *next, **pprev;
        void (*lost)(struct writer_link *link);
};

void writer_link_attach(struct writer_link *link, struct writer *w);
void writer_link_detach(struct writer_link *link);

/* The latest of this writer, whichever session it comes from. */
void writer_note_state(struct writer *w, VSS_WRITER_STATE state, HRESULT failure,
                       const char *message);

/* The sessions that it keeps something for. Restores are counted beside backups. */
enum writer_slot { WRITER_SLOT_NONE, WRITER_SLOT_BACKUP, WRITER_SLOT_RESTORE, _WRITER_SLOT_MAX };
#define WRITER_BACKUPS_MAX 64U
#define WRITER_RESTORES_MAX 8U /* with VSS_BS_WRITER_SUPPORTS_PARALLEL_RESTORES; without it 1 */
/* One more; -EBUSY: it has max of them. */
int writer_take_slot(struct writer *w, enum writer_slot slot, unsigned max);
void writer_drop_slot(struct writer *w, enum writer_slot slot);

const struct writer_transport *writer_transport(const struct writer *w);
void *writer_peer(const struct writer *w);
sd_event *writer_registry_event(struct writer_registry *r);
