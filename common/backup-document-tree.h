#pragma once

/* What the files of the Backup Components Document share: the objects, and the attributes of the
 * tree that they are views of. Nobody else includes this. */

#include "common/backup-document.h"
#include "common/key-index.h"
#include "common/xml-tokens.h"
#include <libxml/tree.h>
#include <stdatomic.h>

#define BACKUP_DOCUMENT_MAX ((size_t)64 * 1024 * 1024) /* of text */
#define BACKUP_NODES_MAX ((size_t)2 * 1000 * 1000)     /* elements and attributes */
/* Of these, what one answer of a writer may add: no writer fills the document alone. */
#define BACKUP_MERGE_SHARE 4
#define BACKUP_NAMESPACE "x-schema:#VssComponentMetadata"

struct backup_entries {
        xmlNode **nodes;
        size_t n, n_allocated;
};

struct backup_component {
        struct backup_writer *writer;
        xmlNode *node;
        VSS_COMPONENT_TYPE type;
        VSS_ID recipient; /* GUID_NULL: none */
        bool has_options;
        struct backup_entries lists[_BACKUP_LIST_MAX];
        struct key_index subcomponents; /* RESTORE_SUBCOMPONENTs, by logical path and name */
};

struct backup_writer {
        struct backup_document *document;
        struct backup_writer *next;  /* of all, in document order */
        struct backup_writer *first; /* of the elements of the same instance: the one that grows */
        size_t position;             /* among all */
        xmlNode *node;
        struct backup_writer_info info;
        struct backup_component **components;
        size_t n_components, n_allocated;
};

struct backup_document {
        atomic_uint n_refs;
        xmlDoc *tree;
        xmlNode *root;
        struct backup_document_state state;
        struct backup_writer *all, *last;
        size_t n_all;
        struct backup_writer **writers; /* those with components, in document order */
        size_t n_writers, n_allocated;
        struct key_index writer_index;    /* by instance and class */
        struct key_index component_index; /* by instance, class, logical path and name */
        struct key_index class_index;     /* by class, type, logical path and name: the first */
        size_t n_nodes, n_bytes;          /* bounds of what the tree holds and prints */
        size_t n_nodes_max, n_bytes_max;  /* how far they may grow now */
};

/* The value; fallback if text is NULL or unknown. */
int32_t backup_token_value(const struct xml_tokens *tokens, const char *text, int32_t fallback);

/* Of attributes, absent and empty are one: NULL. Borrowed. */
const char *backup_attribute(const xmlNode *node, const char *name);
bool backup_attribute_yes(const xmlNode *node, const char *name);
/* Sets, or with NULL or "" removes. A new one stands where the order (NULL-terminated names) wants
 * it. value must be text that XML can carry. -ENOMEM: as it was. */
int backup_set_attribute(struct backup_document *d, xmlNode *node, const char *const *order,
                         const char *name, const char *value);
/* Namespace and encoding, as they are printed. False: no memory. */
bool backup_prepare_tree(struct backup_document *d);
/* A new element of the document, not in the tree yet: putting it there allocates nothing. */
xmlNode *backup_new_element(struct backup_document *d, const char *name);
/* Out of the tree, with what is in it. */
void backup_remove_element(struct backup_document *d, xmlNode *node);
/* Counts what is added; -ENOMEM when the document is full. */
int backup_charge(struct backup_document *d, size_t n_nodes, size_t n_bytes);

extern const struct xml_tokens backup_component_types;
extern const char *const backup_root_order[];
extern const char *const backup_writer_order[];
extern const char *const backup_component_order[];

int backup_set_state_attributes(struct backup_document *d,
                                const struct backup_document_state *state);
/* -EINVAL: the id is none. */
int backup_read_state_attributes(const xmlNode *root, struct backup_document_state *ret);
int backup_set_writer_attributes(struct backup_document *d, xmlNode *node,
                                 const struct backup_writer_info *info);

int backup_out_of_memory(struct vss_error *reterr);

/* Objects for elements that are, or will be, in the tree. */
struct backup_document *backup_document_alloc(void);
int backup_document_adopt_writer(struct backup_document *d, xmlNode *node,
                                 const struct backup_writer_info *info, struct backup_writer **ret);
/* *ret is NULL: there is one of this name already. */
int backup_writer_adopt_component(struct backup_writer *w, xmlNode *node,
                                  const struct backup_component_key *key,
                                  struct backup_component **ret);
struct backup_component *backup_component_free(struct backup_component *c);
DEFINE_CLEANUP(struct backup_component, backup_component_free);
/* An element of a list: -ENOMEM leaves the component as it was. */
int backup_component_append(struct backup_component *c, enum backup_list list, xmlNode *node);
/* _BACKUP_LIST_MAX: no list's element. */
enum backup_list backup_list_of_element(const char *element);

/* Which writer components belong to. */
bool backup_component_is_for(const struct backup_component *c,
                             const struct backup_writer_info *writer, bool selected_only);
