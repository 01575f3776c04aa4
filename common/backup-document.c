/* The document owns the tree and the objects, which are views of its elements. Writers without a
 * component exist in the tree only. The state is kept beside the tree, and its attributes are set
 * with it. */

#include "common/backup-document-tree.h"
#include "common/vss-id.h"
#include "common/xml-text.h"
#include <stdio.h>

/* Of the root element beside its attributes, its namespace among them. */
#define ROOT_BYTES strlen("<BACKUP_COMPONENTS xmlns=\"\"></BACKUP_COMPONENTS>")

struct backup_document *backup_document_alloc(void) {
        struct backup_document *d = calloc(1, sizeof(*d));

        if (d) {
                atomic_init(&d->n_refs, 1);
                d->n_nodes_max = BACKUP_NODES_MAX;
                d->n_bytes_max = BACKUP_DOCUMENT_MAX;
        }
        return d;
}

struct backup_component *backup_component_free(struct backup_component *c) {
        for (size_t i = 0; c && i < _BACKUP_LIST_MAX; i++)
                free(c->lists[i].nodes);
        if (c)
                key_index_done(&c->subcomponents);
        free(c);
        return NULL;
}

static struct backup_writer *backup_writer_free(struct backup_writer *w) {
        for (size_t i = 0; w && i < w->n_components; i++)
                (void)backup_component_free(w->components[i]);
        if (w)
                free(w->components);
        free(w);
        return NULL;
}

struct backup_document *backup_document_ref(struct backup_document *d) {
        (void)atomic_fetch_add_explicit(&d->n_refs, 1, memory_order_relaxed);
        return d;
}

struct backup_document *backup_document_free(struct backup_document *d) {
        if (!d || atomic_fetch_sub_explicit(&d->n_refs, 1, memory_order_acq_rel) != 1)
                return NULL;
        while (d->all) {
                struct backup_writer *next = d->all->next;

                (void)backup_writer_free(d->all);
                d->all = next;
        }
        free(d->writers);
        key_index_done(&d->writer_index);
        key_index_done(&d->component_index);
        key_index_done(&d->class_index);
        xmlFreeDoc(d->tree);
        free(d);
        return NULL;
}

int backup_document_new(struct backup_document **ret, struct vss_error *reterr) {
        _cleanup_(backup_document_freep) struct backup_document *d = backup_document_alloc();

        if (!d)
                return backup_out_of_memory(reterr);
        xmlInitParser(); /* once; documents are made on several threads */
        d->tree = xmlNewDoc(BAD_CAST "1.0");
        d->root = d->tree ? backup_new_element(d, "BACKUP_COMPONENTS") : NULL;
        if (!d->root)
                return backup_out_of_memory(reterr);
        (void)xmlDocSetRootElement(d->tree, d->root); /* gives back the old root: none */
        if (!backup_prepare_tree(d) ||
            backup_charge(d, 2, strlen(BACKUP_NAMESPACE) + ROOT_BYTES) < 0 ||
            backup_set_attribute(d, d->root, backup_root_order, "version", "1.2") < 0 ||
            backup_set_state_attributes(d, &d->state) < 0)
                return backup_out_of_memory(reterr);
        *ret = TAKE_PTR(d);
        return 0;
}

size_t backup_document_memory(const struct backup_document *d) {
        /* libxml2 has a node for each element, and two for each attribute. */
        return sizeof(*d) + d->n_bytes + d->n_nodes * (sizeof(xmlNode) + sizeof(xmlAttr));
}

const struct backup_document_state *backup_document_state(const struct backup_document *d) {
        return &d->state;
}

int backup_document_set_state(struct backup_document *d, const struct backup_document_state *state,
                              struct vss_error *reterr) {
        if (backup_set_state_attributes(d, state) < 0)
                return backup_out_of_memory(reterr);
        d->state = *state;
        return 0;
}

size_t backup_document_n_writers(const struct backup_document *d) {
        return d->n_writers;
}

struct backup_writer *backup_document_writer(const struct backup_document *d, size_t i) {
        return i < d->n_writers ? d->writers[i] : NULL;
}

void backup_writer_info(const struct backup_writer *w, struct backup_writer_info *ret) {
        *ret = w->info;
}

size_t backup_writer_n_components(const struct backup_writer *w) {
        return w->n_components;
}

struct backup_component *backup_writer_component(const struct backup_writer *w, size_t i) {
        return i < w->n_components ? w->components[i] : NULL;
}

/* Which parts of a key count differs between the indexes. */

static uint64_t hash_writer(VSS_ID instance_id, VSS_ID writer_id) {
        return key_hash(key_hash(0, &instance_id, sizeof(instance_id)), &writer_id,
                        sizeof(writer_id));
}

static uint64_t hash_component(const struct backup_component_key *key) {
        return key_hash_text(
                key_hash_text(hash_writer(key->instance_id, key->writer_id), key->logical_path),
                key->name);
}

static uint64_t hash_class(const struct backup_component_key *key) {
        return key_hash_text(key_hash_text(key_hash((uint64_t)key->type, &key->writer_id,
                                                    sizeof(key->writer_id)),
                                           key->logical_path),
                             key->name);
}

static bool match_writer(const void *item, const void *wanted) {
        const struct backup_writer *w = item;
        const struct backup_component_key *key = wanted;

        return vss_id_equal(w->info.instance_id, key->instance_id) &&
               vss_id_equal(w->info.writer_id, key->writer_id);
}

static bool match_name(const struct backup_component *c, const struct backup_component_key *key) {
        return streq(str_or_empty(backup_component_name(c)), str_or_empty(key->name)) &&
               streq(str_or_empty(backup_component_logical_path(c)),
                     str_or_empty(key->logical_path));
}

static bool match_component(const void *item, const void *wanted) {
        const struct backup_component *c = item;

        return match_writer(c->writer, wanted) && match_name(c, wanted);
}

static bool match_class(const void *item, const void *wanted) {
        const struct backup_component *c = item;
        const struct backup_component_key *key = wanted;

        return c->type == key->type && vss_id_equal(c->writer->info.writer_id, key->writer_id) &&
               match_name(c, key);
}

static struct backup_component *find_class(const struct backup_document *d,
                                           const struct backup_component_key *key,
                                           VSS_COMPONENT_TYPE type) {
        struct backup_component_key typed = *key;

        typed.type = type;
        return key_index_find(&d->class_index, hash_class(&typed), match_class, &typed);
}

struct backup_component *backup_document_find(const struct backup_document *d,
                                              const struct backup_component_key *key) {
        struct backup_component *c, *other;

        if (!vss_id_is_null(key->instance_id)) {
                c = key_index_find(&d->component_index, hash_component(key), match_component, key);
                return c && (key->type == VSS_CT_UNDEFINED || key->type == c->type) ? c : NULL;
        }
        if (key->type != VSS_CT_UNDEFINED)
                return find_class(d, key, key->type);
        c = find_class(d, key, VSS_CT_DATABASE);
        other = find_class(d, key, VSS_CT_FILEGROUP);
        if (!c || (other && other->writer->position < c->writer->position))
                c = other;
        return c;
}

/* Doubles an array of pointers when it is full. */
static int reserve(void *array, size_t n, size_t *n_allocated) {
        void **items = *(void ***)array;
        size_t more = n == 0 ? 4 : 2 * n;

        if (n < *n_allocated)
                return 0;
        items = reallocarray(items, more, sizeof(*items));
        if (!items)
                return -ENOMEM;
        *(void ***)array = items;
        *n_allocated = more;
        return 0;
}

static uint64_t hash_subcomponent(const char *logical_path, const char *name) {
        return key_hash_text(key_hash_text(0, logical_path), name);
}

static bool match_subcomponent(const void *item, const void *wanted) {
        const struct backup_component_key *key = wanted;
        const xmlNode *node = item;

        return streq(str_or_empty(backup_attribute(node, "logicalPath")),
                     str_or_empty(key->logical_path)) &&
               streq(str_or_empty(backup_attribute(node, "componentName")),
                     str_or_empty(key->name));
}

bool backup_component_has_subcomponent(const struct backup_component *c, const char *logical_path,
                                       const char *name) {
        const struct backup_component_key key = { .logical_path = logical_path, .name = name };

        return key_index_find(&c->subcomponents, hash_subcomponent(logical_path, name),
                              match_subcomponent, &key);
}

int backup_component_append(struct backup_component *c, enum backup_list list, xmlNode *node) {
        struct backup_entries *entries = &c->lists[list];

        if (reserve(&entries->nodes, entries->n, &entries->n_allocated) < 0)
                return -ENOMEM;
        if (list == BACKUP_LIST_RESTORE_SUBCOMPONENT) {
                const char *path = backup_attribute(node, "logicalPath"),
                           *name = backup_attribute(node, "componentName");

                if (!backup_component_has_subcomponent(c, path, name)) {
                        if (key_index_reserve(&c->subcomponents) < 0)
                                return -ENOMEM;
                        key_index_add(&c->subcomponents, hash_subcomponent(path, name), node);
                }
        }
        entries->nodes[entries->n++] = node;
        return 0;
}

int backup_document_adopt_writer(struct backup_document *d, xmlNode *node,
                                 const struct backup_writer_info *info,
                                 struct backup_writer **ret) {
        const struct backup_component_key key = { .instance_id = info->instance_id,
                                                  .writer_id = info->writer_id };
        uint64_t hash = hash_writer(info->instance_id, info->writer_id);
        struct backup_writer *w;

        if (key_index_reserve(&d->writer_index) < 0)
                return -ENOMEM;
        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->document = d;
        w->node = node;
        w->info = *info;
        w->info.instance_name = backup_attribute(node, "instanceName");
        w->position = d->n_all++;
        if (d->last)
                d->last->next = w;
        else
                d->all = w;
        d->last = w;
        w->first = key_index_find(&d->writer_index, hash, match_writer, &key);
        if (!w->first) {
                w->first = w;
                key_index_add(&d->writer_index, hash, w);
        }
        *ret = w;
        return 0;
}

/* Among those with components, where its element is. */
static void list_writer(struct backup_document *d, struct backup_writer *w) {
        size_t i = d->n_writers++;

        for (; i > 0 && d->writers[i - 1]->position > w->position; i--)
                d->writers[i] = d->writers[i - 1];
        d->writers[i] = w;
}

/* Every allocation comes before the first change. */
int backup_writer_adopt_component(struct backup_writer *w, xmlNode *node,
                                  const struct backup_component_key *key,
                                  struct backup_component **ret) {
        struct backup_document *d = w->document;
        uint64_t hash = hash_component(key);
        struct backup_component *c, *first;

        if (key_index_find(&d->component_index, hash, match_component, key)) {
                *ret = NULL;
                return 0;
        }
        if (key_index_reserve(&d->component_index) < 0 || key_index_reserve(&d->class_index) < 0 ||
            reserve(&d->writers, d->n_writers, &d->n_allocated) < 0 ||
            reserve(&w->components, w->n_components, &w->n_allocated) < 0)
                return -ENOMEM;
        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->writer = w;
        c->node = node;
        c->type = key->type;
        if (w->n_components == 0)
                list_writer(d, w);
        w->components[w->n_components++] = c;
        key_index_add(&d->component_index, hash, c);
        hash = hash_class(key);
        first = key_index_find(&d->class_index, hash, match_class, key);
        if (!first)
                key_index_add(&d->class_index, hash, c);
        else if (w->position < first->writer->position)
                key_index_replace(&d->class_index, hash, first, c);
        *ret = c;
        return 0;
}

static const char *const type_names[] = {
        [VSS_CT_DATABASE] = "database",
        [VSS_CT_FILEGROUP] = "filegroup",
};
const struct xml_tokens backup_component_types = XML_TOKENS(type_names);

static int check_addition(const struct backup_writer_info *writer,
                          const struct backup_component_key *key, struct vss_error *reterr) {
        int r;

        if (!xml_token(&backup_component_types, (int32_t)key->type))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "A component is of type VSS_CT_DATABASE or VSS_CT_FILEGROUP, "
                                     "not %u",
                                     (unsigned)key->type);
        r = xml_text_require(key->name, "The component's name", reterr);
        if (r >= 0)
                r = xml_text_check(key->logical_path, "The logical path", reterr);
        if (r >= 0)
                r = xml_text_check(writer->instance_name, "The writer's instance name", reterr);
        return r;
}

/* The calls that name a component name the class alone, so that a name is taken by all instances of
 * it, and by both types. */
static int check_name(const struct backup_document *d, struct backup_component_key key,
                      struct vss_error *reterr) {
        const struct backup_component *c;

        key.instance_id = GUID_NULL;
        key.type = VSS_CT_UNDEFINED;
        c = backup_document_find(d, &key);
        if (!c)
                return 0;
        return vss_error_set(reterr, VSS_E_OBJECT_ALREADY_EXISTS, 0,
                             "Component '%s' with logical path '%s' was added before, of the "
                             "writer instance %s; names are unique among all instances of a class",
                             key.name, str_or_empty(key.logical_path),
                             VSS_ID_TEXT(c->writer->info.instance_id));
}

static xmlNode *new_component_element(struct backup_document *d,
                                      const struct backup_component_key *key) {
        xmlNode *node = backup_new_element(d, "COMPONENT");
        const struct {
                const char *name, *value;
        } attributes[] = {
                { "logicalPath", key->logical_path },
                { "componentName", key->name },
                { "componentType", xml_token(&backup_component_types, (int32_t)key->type) },
        };

        for (size_t i = 0; node && i < ARRAY_SIZE(attributes); i++)
                if (backup_set_attribute(d, node, backup_component_order, attributes[i].name,
                                         attributes[i].value) < 0) {
                        xmlFreeNode(node);
                        node = NULL;
                }
        return node;
}

/* An element without components, if it remains one, is as none. */
static struct backup_writer *get_writer(struct backup_document *d,
                                        const struct backup_writer_info *info) {
        const struct backup_component_key key = { .instance_id = info->instance_id,
                                                  .writer_id = info->writer_id };
        struct backup_writer *w;
        xmlNode *node;

        w = key_index_find(&d->writer_index, hash_writer(info->instance_id, info->writer_id),
                           match_writer, &key);
        if (w)
                return w;
        node = backup_new_element(d, "WRITER_COMPONENTS");
        if (!node)
                return NULL;
        if (backup_charge(d, 1, strlen("<WRITER_COMPONENTS></WRITER_COMPONENTS>")) < 0 ||
            backup_set_writer_attributes(d, node, info) < 0 ||
            backup_document_adopt_writer(d, node, info, &w) < 0) {
                xmlFreeNode(node);
                return NULL;
        }
        (void)xmlAddChild(d->root, node); /* cannot fail */
        return w;
}

int backup_document_add(struct backup_document *d, const struct backup_writer_info *writer,
                        const struct backup_component_key *key, struct backup_component **ret,
                        struct vss_error *reterr) {
        struct backup_component_key own = *key;
        struct backup_component *c = NULL;
        struct backup_writer *w;
        xmlNode *node;
        int r;

        own.instance_id = writer->instance_id;
        own.writer_id = writer->writer_id;
        r = check_addition(writer, &own, reterr);
        if (r >= 0)
                r = check_name(d, own, reterr);
        if (r < 0)
                return r;
        w = get_writer(d, writer);
        node = w ? new_component_element(d, &own) : NULL;
        if (!node)
                return backup_out_of_memory(reterr);
        if (backup_charge(d, 1, strlen("<COMPONENT></COMPONENT>")) < 0 ||
            backup_writer_adopt_component(w, node, &own, &c) < 0) {
                xmlFreeNode(node);
                return backup_out_of_memory(reterr);
        }
        assert(c);
        (void)xmlAddChild(w->node, node); /* cannot fail */
        if (ret)
                *ret = c;
        return 0;
}
