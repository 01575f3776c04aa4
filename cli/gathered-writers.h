#pragma once

/* What all writers said of themselves in one session, and finding one of them by what somebody
 * typed. */

#include "common/util.h"
#include <vss/vsslinux.h>

struct gathered_writer {
        IVssExamineWriterMetadata *metadata; /* owned */
        VSS_ID instance_id, writer_id;
        char *name, *instance_name; /* instance_name: NULL: none */
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
};

struct gathered_writers {
        struct gathered_writer *list;
        UINT n;
};

/* After GatherWriterMetadata has ended. S_OK, or a failure that was not told of. */
HRESULT gathered_writers_read(struct gathered_writers *ret, IVssBackupComponents *backup);
/* The same with a session of its own. EXIT_DONE, or how vssctl ends; has said why. */
int gathered_writers_ask(struct gathered_writers *ret);
/* The same from documents that were saved; texts ends with NULL. */
int gathered_writers_parse(struct gathered_writers *ret, char *const *texts);
void gathered_writers_done(struct gathered_writers *w);

/* An empty selection over them. *ret is released by the caller. */
HRESULT gathered_writers_selection(const struct gathered_writers *w, VssSelection **ret);

/* Is the first n bytes of word its class, its instance, or a name of it? */
bool gathered_writer_is(const struct gathered_writer *w, const char *word, size_t n);
