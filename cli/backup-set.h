#pragma once

/* A snapshot set that this process asked for, from the first call of the requester's sequence to
 * the last Release. Whoever holds it holds the copies, if their context is an auto-release one. */

#include "cli/gathered-writers.h"
#include "cli/timeline.h"

struct backup_set_request {
        char *const *volumes; /* as the user wrote them; none: those that the components are on */
        char *const *components; /* WRITER[:COMPONENT]; none: whole volumes, all writers */
        const char *previous;    /* documents of the backup that it is based on; NULL: none */
        bool documents;          /* keep what the writers say of themselves */
        LONG context;
        VSS_BACKUP_TYPE type; /* what the writers are told */
        bool partial_files;   /* the writers may name ranges of files */
        bool timeline;        /* ask the service for its phases */
        char *const *exclude_writers;
};

/* A writer that vetoed or failed; the user was told. */
struct failed_writer {
        VSS_ID instance_id, writer_id;
        char *name, *message; /* message: NULL if the application said nothing */
        VSS_WRITER_STATE state;
        HRESULT failure;
};

struct backup_set {
        IVssBackupComponents *components;
        VSS_ID id;  /* GUID_NULL before StartSnapshotSet */
        bool begun; /* DoSnapshotSet was called: there may be copies */
        LONG context;
        VSS_BACKUP_TYPE type;
        bool partial; /* something that a component depends on is missing; the user was told */
        struct gathered_writers writers;  /* if there are components, or for the documents */
        VssSelection *selection;          /* NULL: no components were asked for */
        char **volumes;                   /* owned */
        VSS_ID *snapshot_ids;             /* in the order of volumes */
        VSS_SNAPSHOT_INFO **list;         /* owned; as the service has them, once it is made */
        const VSS_SNAPSHOT_INFO **copies; /* the same in the order of volumes */
        size_t n_copies;
        struct timeline timeline;
        char *failure; /* why there is no set, as it was told; NULL: there is one */
        struct failed_writer *failed_writers;
        size_t n_failed_writers;
};

/* Makes the set: every step up to and including DoSnapshotSet. EXIT_DONE; EXIT_PARTIAL: it is made,
 * but a writer vetoed; anything else: it is not, and nothing is left of it. Has said what went
 * wrong. A signal that interrupts it ends it with EXIT_SIGNAL + its number. */
int backup_set_new(struct backup_set **ret, const struct backup_set_request *request);
/* The last Release. */
struct backup_set *backup_set_free(struct backup_set *s);
DEFINE_CLEANUP(struct backup_set, backup_set_free);

/* Says of each component that it was saved. EXIT_DONE or a failure. */
int backup_set_succeeded(struct backup_set *s);
/* Tells the writers that the backup is complete. EXIT_DONE, EXIT_PARTIAL, or a failure. */
int backup_set_complete(struct backup_set *s);
/* Deletes the copies, also those that were to stay, and waits for it: Release alone answers before
 * that is done. EXIT_DONE or a failure. */
int backup_set_delete(struct backup_set *s);
/* Do the copies still exist? */
bool backup_set_is_alive(struct backup_set *s);

bool backup_set_has_writers(const struct backup_set *s);
bool backup_set_is_persistent(const struct backup_set *s);
