#pragma once

/* What the files of the Writer Metadata Document share. Nobody else includes this. */

#include "common/key-index.h"
#include "common/text-arena.h"
#include "common/writer-metadata.h"
#include "common/xml-tokens.h"

#define WRITER_METADATA_NODES_MAX ((size_t)24 * 1000 * 1000) /* elements and attributes */
#define WRITER_METADATA_COMPONENTS_MAX ((size_t)1000 * 1000)
#define WRITER_METADATA_NAMESPACE "x-schema:#VssWriterMetadataInfo"
#define WRITER_METADATA_WHAT "The writer's metadata"

/* As struct writer_metadata_files, without its gaps: there may be millions. */
struct metadata_set {
        const char *path, *filespec;
        const char *alternate_path; /* NULL: none */
        uint32_t backup_type_mask;
        bool recursive;
};

struct metadata_list {
        struct metadata_set *sets;
        size_t n, n_allocated;
};

/* The first of enum writer_metadata_list that the writer has, not a component. */
#define METADATA_WRITER_LISTS WRITER_METADATA_EXCLUDES
#define METADATA_N_LISTS 3

struct metadata_component {
        struct writer_metadata_component info;
        size_t position;
        struct metadata_list lists[METADATA_N_LISTS];
        struct writer_metadata_dependency *dependencies;
        size_t n_dependencies, n_allocated;
};

struct writer_metadata {
        struct text_arena texts; /* of all that follows */
        struct writer_metadata_identity identity;
        uint32_t schema;
        struct writer_metadata_restore restore;
        bool has_restore;
        struct metadata_component **components;
        size_t n_components, n_allocated;
        struct key_index index;            /* of components, by logical path and name */
        struct metadata_component *recent; /* the last that was looked for, or NULL */
        struct metadata_list lists[METADATA_N_LISTS];
        char *verbatim; /* NULL, or what was read: it has things that the model has not */
};

extern const struct xml_tokens metadata_usages, metadata_sources, metadata_component_types;
extern const struct xml_tokens metadata_methods, metadata_writer_restores;

struct writer_metadata *metadata_alloc(void);
int metadata_out_of_memory(struct vss_error *reterr);

/* What is added is copied. -ENOMEM leaves it as it was. */
struct metadata_component *metadata_find(const struct writer_metadata *m, const char *logical_path,
                                         const char *name);
uint64_t metadata_hash(const char *logical_path, const char *name);
int metadata_put_component(struct writer_metadata *m, const struct writer_metadata_component *c,
                           struct metadata_component **ret);
int metadata_put_icon(struct metadata_component *c, const uint8_t *icon, size_t size);
/* c: NULL for the lists of the writer. Sizes of texts; a NULL text is none. */
struct metadata_text {
        const char *text;
        size_t size;
};
int metadata_put_set(struct writer_metadata *m, struct metadata_component *c,
                     enum writer_metadata_list list, const struct metadata_text texts[static 3],
                     bool recursive, uint32_t mask);
int metadata_put_dependency(struct writer_metadata *m, struct metadata_component *c,
                            const struct writer_metadata_dependency *on);
int metadata_put_restore(struct writer_metadata *m, const struct writer_metadata_restore *restore);
int metadata_put_identity(struct writer_metadata *m, const struct writer_metadata_identity *id);
