#pragma once

/* The part of a Backup Components Document that describes a transportable set, by which another
 * host finds its copies (ImportSnapshots):
 *
 *      SNAPSHOT_SET_DESCRIPTION
 *        @snapshotSetId @context @snapshotsCount
 *        SNAPSHOT_DESCRIPTION
 *          @snapshotId @providerId @providerName @timestamp @originatingMachine @originalVolume
 *          @displayName @fileSystem @mounted @consistency @consistencyReason @storage
 *
 * Microsoft documents that there is such a part, and not how it looks. Whoever reads one takes
 * nothing of it for true: it came with a file, from anywhere. What is here is as it says, and of
 * reasonable length, no more. */

#include "common/backup-document.h"

#define BACKUP_SNAPSHOTS_MAX 64 /* of a set: as many volumes as one can have */

struct backup_snapshot {
        VSS_ID id, provider_id;
        VSS_TIMESTAMP created;
        bool mounted; /* its volume was: the copy's file system is one for reading */

        /* Borrowed of the document; NULL: not there. */
        const char *provider, *machine, *volume, *display, *fs_type;
        const char *consistency, *consistency_reason;
        const char *storage; /* the provider's own text */
};

struct backup_snapshots {
        VSS_ID set_id;
        LONG context; /* with modifiers */
        LONG count;   /* volumes in the set when it was made */
        size_t n;
        struct backup_snapshot items[BACKUP_SNAPSHOTS_MAX];
};

/* In the place of what there was. Texts may be of any bytes: what a document cannot hold is
 * replaced, but in the provider's text, where it is E_INVALIDARG. */
int backup_document_set_snapshots(struct backup_document *d, const struct backup_snapshots *set,
                                  struct vss_error *reterr);
/* VSS_E_NONTRANSPORTABLE_BCD: there is no such part. VSS_E_NO_SNAPSHOTS_IMPORTED: it cannot be
 * understood, and the message says where. */
int backup_document_snapshots(const struct backup_document *d, struct backup_snapshots *ret,
                              struct vss_error *reterr);
