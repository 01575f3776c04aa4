#pragma once

/* A Backup Components Document: the state of one backup or restore, and for
 * each writer the components that were included explicitly. What its readers do not know (unknown
 * elements and attributes) survives parsing and printing. Components are found in constant time.
 * Used by the service, which owns the document, and by the library, for which it is a view.
 *
 * What a component holds beside its key comes in four shapes, each a table of what there is:
 * texts, flags, numbers, and lists of entries. Setters refuse text that XML cannot carry
 * (E_INVALIDARG) and else only fail with E_OUTOFMEMORY; when they may be called is their callers'
 * knowledge. */

#include "common/vss-error.h"
#include <vss/vswriter.h>

struct backup_document;
struct backup_writer;    /* a WRITER_COMPONENTS element; valid until the document changes hands */
struct backup_component; /* a COMPONENT element */

struct backup_document_state {
        bool select_components, bootable_system_state, partial_files;
        VSS_BACKUP_TYPE backup_type;   /* VSS_BT_UNDEFINED: not set */
        VSS_RESTORE_TYPE restore_type; /* VSS_RTYPE_UNDEFINED: not set */
        VSS_ID set_id;                 /* GUID_NULL: none */
};

int backup_document_new(struct backup_document **ret, struct vss_error *reterr);
/* UTF-8 or UTF-16; VSS_E_INVALID_XML_DOCUMENT, or VSS_E_CORRUPT_XML_DOCUMENT, names what and where.
 */
int backup_document_parse(struct backup_document **ret, const char *text, size_t size,
                          struct vss_error *reterr);
/* Counted, by any thread; changed by one at a time, with nobody reading meanwhile. */
struct backup_document *backup_document_ref(struct backup_document *d);
struct backup_document *backup_document_free(struct backup_document *d);
DEFINE_CLEANUP(struct backup_document, backup_document_free);
/* UTF-8, one line, no declaration, attributes in the specification's order; 0-terminated. */
int backup_document_to_xml(const struct backup_document *d, char **ret, size_t *ret_size,
                           struct vss_error *reterr);

/* About how much memory it takes, for those who keep accounts. */
size_t backup_document_memory(const struct backup_document *d);

const struct backup_document_state *backup_document_state(const struct backup_document *d);
int backup_document_set_state(struct backup_document *d, const struct backup_document_state *state,
                              struct vss_error *reterr);

struct backup_writer_info {
        VSS_ID instance_id, writer_id;
        const char *instance_name; /* NULL: none */
        uint32_t schema;           /* VSS_BS_... */
};

struct backup_component_key {
        VSS_ID instance_id; /* GUID_NULL: the first writer of the class that has the component */
        VSS_ID writer_id;
        VSS_COMPONENT_TYPE type;  /* VSS_CT_UNDEFINED: any */
        const char *logical_path; /* NULL or empty: none */
        const char *name;
};

/* Only writers with at least one component; in document order. NULL out of range. */
size_t backup_document_n_writers(const struct backup_document *d);
struct backup_writer *backup_document_writer(const struct backup_document *d, size_t i);
void backup_writer_info(const struct backup_writer *w,
                        struct backup_writer_info *ret); /* borrowed */
size_t backup_writer_n_components(const struct backup_writer *w);
struct backup_component *backup_writer_component(const struct backup_writer *w, size_t i);

/* NULL: not there. */
struct backup_component *backup_document_find(const struct backup_document *d,
                                              const struct backup_component_key *key);
/* VSS_E_OBJECT_ALREADY_EXISTS: one of this path and name was added already, of whatever type, of
 * any instance of the class. The writer's element is made with its first component. */
int backup_document_add(struct backup_document *d, const struct backup_writer_info *writer,
                        const struct backup_component_key *key, struct backup_component **ret,
                        struct vss_error *reterr);

/* The running writer that this restore hands the component to; GUID_NULL: nobody, as at first. No
 * part of the document, whose attributes of a selection may be of an earlier restore. */
VSS_ID backup_component_recipient(const struct backup_component *c);
void backup_component_set_recipient(struct backup_component *c, VSS_ID instance_id);
/* Were this restore's options set? No part of the document either. */
bool backup_component_has_options(const struct backup_component *c);
void backup_component_note_options(struct backup_component *c);

VSS_COMPONENT_TYPE backup_component_type(const struct backup_component *c);
const char *backup_component_logical_path(const struct backup_component *c); /* NULL: none */
const char *backup_component_name(const struct backup_component *c);

enum backup_text {
        BACKUP_TEXT_BACKUP_OPTIONS,
        BACKUP_TEXT_BACKUP_STAMP,
        BACKUP_TEXT_PREVIOUS_BACKUP_STAMP,
        BACKUP_TEXT_BACKUP_METADATA,
        BACKUP_TEXT_RESTORE_METADATA,
        BACKUP_TEXT_RESTORE_OPTIONS,
        BACKUP_TEXT_RESTORE_NAME,
        BACKUP_TEXT_ROLL_FORWARD_POINT,
        BACKUP_TEXT_PREPARE_FAILURE,       /* prepareForBackupFailureMsg */
        BACKUP_TEXT_POST_SNAPSHOT_FAILURE, /* postSnapshotFailureMsg */
        BACKUP_TEXT_PRE_RESTORE_FAILURE,
        BACKUP_TEXT_POST_RESTORE_FAILURE,
        BACKUP_TEXT_APPLICATION_MESSAGE, /* of SetFailure */
        BACKUP_TEXT_SELECTED_INSTANCE,   /* selectedForRestoreInstanceId, a GUID */
        _BACKUP_TEXT_MAX,
};
/* Borrowed until the component changes; NULL: not set. Setting NULL or an empty text removes it. */
const char *backup_component_text(const struct backup_component *c, enum backup_text what);
int backup_component_set_text(struct backup_component *c, enum backup_text what, const char *text,
                              struct vss_error *reterr);

enum backup_flag {
        BACKUP_FLAG_SUCCEEDED,
        BACKUP_FLAG_SELECTED_FOR_RESTORE,
        BACKUP_FLAG_ADDITIONAL_RESTORES,
        BACKUP_FLAG_AUTHORITATIVE_RESTORE,
        _BACKUP_FLAG_MAX,
};
/* 1, 0, or -1: not set. */
int backup_component_flag(const struct backup_component *c, enum backup_flag what);
int backup_component_set_flag(struct backup_component *c, enum backup_flag what, bool value,
                              struct vss_error *reterr);

enum backup_number {
        BACKUP_NUMBER_RESTORE_TARGET,      /* VSS_RESTORE_TARGET; not set: VSS_RT_ORIGINAL */
        BACKUP_NUMBER_FILE_RESTORE_STATUS, /* VSS_FILE_RESTORE_STATUS */
        BACKUP_NUMBER_ROLL_FORWARD,        /* VSS_ROLLFORWARD_TYPE */
        BACKUP_NUMBER_FAILURE,             /* HRESULT of SetFailure */
        BACKUP_NUMBER_APPLICATION_FAILURE, /* its hrApplication */
        _BACKUP_NUMBER_MAX,
};
/* Not set: the default. */
int32_t backup_component_number(const struct backup_component *c, enum backup_number what);
int backup_component_set_number(struct backup_component *c, enum backup_number what, int32_t value,
                                struct vss_error *reterr);

enum backup_list {
        BACKUP_LIST_ALTERNATE_LOCATION_MAPPING, /* path, filespec, alternate path; recursive */
        BACKUP_LIST_NEW_TARGET,                 /* the same */
        BACKUP_LIST_PARTIAL_FILE,               /* path, file name, ranges, metadata */
        BACKUP_LIST_DIFFERENCED_FILES,          /* path, filespec, lsn; recursive; time */
        BACKUP_LIST_DIRECTED_TARGET,            /* source path, file name, ranges; the same of the
                                                   destination */
        BACKUP_LIST_RESTORE_SUBCOMPONENT,       /* logical path, name; repair */
        _BACKUP_LIST_MAX,
};
#define BACKUP_ENTRY_TEXTS 6
struct backup_entry {
        const char *texts[BACKUP_ENTRY_TEXTS]; /* in the order named above; NULL: none */
        bool flag;                             /* recursive, repair */
        uint64_t time;                         /* a FILETIME: 100 ns since 1601 */
};
size_t backup_component_n_entries(const struct backup_component *c, enum backup_list list);
/* False out of range; the texts are borrowed until the component changes. */
bool backup_component_entry(const struct backup_component *c, enum backup_list list, size_t i,
                            struct backup_entry *ret);
/* Of the RESTORE_SUBCOMPONENTs: is one of these? In constant time. */
bool backup_component_has_subcomponent(const struct backup_component *c, const char *logical_path,
                                       const char *name);
int backup_component_add_entry(struct backup_component *c, enum backup_list list,
                               const struct backup_entry *entry, struct vss_error *reterr);
/* All entries of the list. */
void backup_component_remove_entries(struct backup_component *c, enum backup_list list);
/* Replaces one text of entry i (SetRangesFilePath). */
int backup_component_set_entry_text(struct backup_component *c, enum backup_list list, size_t i,
                                    unsigned text, const char *value, struct vss_error *reterr);

/* What a writer is shown: a document that has the state, and of the components only its own, by
 * class and instance id; in a restore (selected_only) those of its class that it is the recipient
 * of. *ret_xml is NULL when there is none. */
int backup_document_extract(const struct backup_document *d,
                            const struct backup_writer_info *writer, bool selected_only,
                            char **ret_xml, size_t *ret_size, struct vss_error *reterr);

/* Would there be one? In less time. */
bool backup_document_has_part(const struct backup_document *d,
                              const struct backup_writer_info *writer, bool selected_only);

/* What a writer may change in an event; the table that says so is here, for both sides. */
enum backup_phase {
        BACKUP_PHASE_PREPARE_BACKUP,
        BACKUP_PHASE_POST_SNAPSHOT,
        BACKUP_PHASE_BACKUP_COMPLETE,
        BACKUP_PHASE_PRE_RESTORE,
        BACKUP_PHASE_POST_RESTORE,
        _BACKUP_PHASE_MAX,
};
bool backup_phase_may_set_text(enum backup_phase phase, enum backup_text what);
bool backup_phase_may_set_number(enum backup_phase phase, enum backup_number what);
bool backup_phase_may_add(enum backup_phase phase, enum backup_list list);

/* Takes what a writer changed from the document that it gave back, as far as it may in this phase;
 * components that are not in d, or not the writer's, and everything else that it may not touch are
 * ignored. A text that only one call may set (backup and restore metadata) stays as it was set
 * first. VSS_E_INVALID_XML_DOCUMENT leaves d as it was; with E_OUTOFMEMORY, also for more than a
 * quarter of what a document may hold, a part may have been taken. */
int backup_document_merge(struct backup_document *d, const struct backup_writer_info *writer,
                          enum backup_phase phase, const char *text, size_t size,
                          struct vss_error *reterr);
