#pragma once

/* A Writer Metadata Document: what a writer says of itself, its components,
 * their files, and how they are restored. It is made (new, add, set, print) or read (parse, and the
 * accessors). Nothing is removed from it; a refused addition leaves it as it was. Failures carry
 * the API's codes: E_INVALIDARG, E_OUTOFMEMORY, VSS_E_OBJECT_ALREADY_EXISTS,
 * VSS_E_OBJECT_NOT_FOUND. */

#include "common/vss-error.h"
#include <vss/vswriter.h>

struct writer_metadata;

#define WRITER_METADATA_MAX ((size_t)256 * 1024 * 1024) /* bytes of a document that is read */

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

/* Lists of file sets: three of a component, three of the writer (component is not looked at). */
enum writer_metadata_list {
        WRITER_METADATA_FILES, /* of a file group */
        WRITER_METADATA_DATABASE_FILES,
        WRITER_METADATA_DATABASE_LOG_FILES,
        WRITER_METADATA_EXCLUDES,
        WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT,
        WRITER_METADATA_MAPPINGS, /* alternate_path: the destination */
        _WRITER_METADATA_LIST_MAX,
};

struct writer_metadata_dependency {
        VSS_ID writer_id;
        const char *logical_path; /* NULL: none */
        const char *name;
};

int writer_metadata_new(struct writer_metadata **ret, const struct writer_metadata_identity *id,
                        struct vss_error *reterr);
struct writer_metadata *writer_metadata_free(struct writer_metadata *m);
DEFINE_CLEANUP(struct writer_metadata, writer_metadata_free);

int writer_metadata_add_component(struct writer_metadata *m,
                                  const struct writer_metadata_component *c,
                                  struct vss_error *reterr);
/* Any list; a list of a component, to that of this logical path and name. */
int writer_metadata_add(struct writer_metadata *m, enum writer_metadata_list list,
                        const char *logical_path, const char *name,
                        const struct writer_metadata_files *f, struct vss_error *reterr);
int writer_metadata_add_dependency(struct writer_metadata *m, const char *logical_path,
                                   const char *name, const struct writer_metadata_dependency *on,
                                   struct vss_error *reterr);
int writer_metadata_set_schema(struct writer_metadata *m, uint32_t schema,
                               struct vss_error *reterr);
/* Replaces what was set before. */
int writer_metadata_set_restore_method(struct writer_metadata *m,
                                       const struct writer_metadata_restore *restore,
                                       struct vss_error *reterr);

/* The document as text: UTF-8, one line, no declaration; equal documents give equal text. One that
 * was read and has elements, attributes or words that are not known here is printed as it was, on
 * one line; an addition to it loses them. */
int writer_metadata_to_xml(const struct writer_metadata *m, char **ret, struct vss_error *reterr);

/* UTF-8 or UTF-16, in one pass, in time and memory linear in size. VSS_E_INVALID_XML_DOCUMENT names
 * what and where. What is not known is accepted, and kept: writer-metadata-verbatim.h. */
int writer_metadata_parse(struct writer_metadata **ret, const char *text, size_t size,
                          struct vss_error *reterr);
/* Would it be accepted? In the same time at most, and without memory for what may be millions. */
int writer_metadata_check(const char *text, size_t size, struct vss_error *reterr);

/* What the accessors give is borrowed until m is freed or changed. An index out of range: NULL. */
const struct writer_metadata_identity *writer_metadata_identity(const struct writer_metadata *m);
uint32_t writer_metadata_schema(const struct writer_metadata *m);
/* NULL: the document has none. */
const struct writer_metadata_restore *writer_metadata_restore(const struct writer_metadata *m);

size_t writer_metadata_n_components(const struct writer_metadata *m);
const struct writer_metadata_component *writer_metadata_component(const struct writer_metadata *m,
                                                                  size_t i);
/* The component's index, in constant time; SIZE_MAX: none. */
size_t writer_metadata_find_component(const struct writer_metadata *m, const char *logical_path,
                                      const char *name);

size_t writer_metadata_n_files(const struct writer_metadata *m, enum writer_metadata_list list,
                               size_t component);
bool writer_metadata_get_files(const struct writer_metadata *m, enum writer_metadata_list list,
                               size_t component, size_t i, struct writer_metadata_files *ret);

size_t writer_metadata_n_dependencies(const struct writer_metadata *m, size_t component);
bool writer_metadata_get_dependency(const struct writer_metadata *m, size_t component, size_t i,
                                    struct writer_metadata_dependency *ret);
