#pragma once

/* A Writer Metadata Document (spec/writer.md, 3.1): what a writer says of itself, its components,
 * their files, and how they are restored. It is made (new, add, set, print) or read (parse, and the
 * accessors). Nothing is removed from it; a refused addition leaves it as it was. Failures carry the API's codes: E_INVALIDARG, E_OUTOFMEMORY,
 * VSS_E_OBJECT_ALREADY_EXISTS, VSS_E_OBJECT_NOT_FOUND. */

#include "common/vss-error.h"
#include <vss/vswriter.h>

struct writer_metadata;

struct writer_metadata_identity {
        VSS_ID writer_id, instance_id;
        const char *name, *instance_name; /* instance_name: NULL or empty: none */
        VSS_USAGE_TYPE usage;
        VSS_SOURCE_TYPE source;
        uint32_t major_version, minor_version;
};

struct writer_metadata_component {
        VSS_COMPONENT_TYPE type;
        const char *logical_path; /* NULL or empty: none */
        const char *name;
        const char *caption; /* NULL: none */
        const uint8_t *icon;
        size_t icon_size;
        bool restore_metadata, notify_on_backup_complete;
        bool selectable, selectable_for_restore;
        uint32_t flags; /* VSS_CF_... */
};

struct writer_metadata_files {
        const char *path;
        const char *filespec;
        bool recursive;
        const char *alternate_path; /* NULL or empty: none */
        uint32_t backup_type_mask;  /* VSS_FSBT_... */
};

struct writer_metadata_restore {
        VSS_RESTOREMETHOD_ENUM method;
        const char *service;        /* NULL or empty: none */
        const char *user_procedure; /* NULL or empty: none */
        VSS_WRITERRESTORE_ENUM writer_restore;
        bool reboot_required;
};

int writer_metadata_new(struct writer_metadata **ret, const struct writer_metadata_identity *id,
                        struct vss_error *reterr);
struct writer_metadata *writer_metadata_free(struct writer_metadata *m);
DEFINE_CLEANUP(struct writer_metadata, writer_metadata_free);

int writer_metadata_add_component(struct writer_metadata *m,
                                  const struct writer_metadata_component *c,
                                  struct vss_error *reterr);
/* To the file group of that logical path and name. */
int writer_metadata_add_files(struct writer_metadata *m, const char *logical_path, const char *name,
                              const struct writer_metadata_files *f, struct vss_error *reterr);
/* Only path, filespec and recursive matter. */
int writer_metadata_add_exclude(struct writer_metadata *m, const struct writer_metadata_files *f,
                                struct vss_error *reterr);
/* Replaces what was set before. */
int writer_metadata_set_restore_method(struct writer_metadata *m,
                                       const struct writer_metadata_restore *restore,
                                       struct vss_error *reterr);

/* The document as text: UTF-8, one line, no declaration; equal documents give equal text. */
int writer_metadata_to_xml(const struct writer_metadata *m, char **ret, struct vss_error *reterr);
