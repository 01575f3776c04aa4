/* The one way into the model, for calls and for the parser, which have checked what they put. Every
 * allocation comes before the first change that shows. */

#include "common/writer-metadata-model.h"

/* Doubles an array of n elements of this size when it is full. */
static int reserve(void *array, size_t size, size_t n, size_t *n_allocated) {
        size_t more = n == 0 ? 1 : 2 * n;
        void *grown;

        if (n < *n_allocated)
                return 0;
        grown = reallocarray(*(void **)array, more, size);
        if (!grown)
                return -ENOMEM;
        *(void **)array = grown;
        *n_allocated = more;
        return 0;
}

/* Replaces the text by a copy, an empty one by NULL. */
static int keep(struct writer_metadata *m, const char **text) {
        const char *copy = NULL;

        if (!str_empty(*text)) {
                copy = text_arena_add(&m->texts, *text, strlen(*text));
                if (!copy)
                        return -ENOMEM;
        }
        *text = copy;
        return 0;
}

int metadata_put_identity(struct writer_metadata *m, const struct writer_metadata_identity *id) {
        struct writer_metadata_identity own = *id;

        if (keep(m, &own.name) < 0 || keep(m, &own.instance_name) < 0)
                return -ENOMEM;
        m->identity = own;
        return 0;
}

int metadata_put_restore(struct writer_metadata *m, const struct writer_metadata_restore *restore) {
        struct writer_metadata_restore own = *restore;

        if (keep(m, &own.service) < 0 || keep(m, &own.user_procedure) < 0)
                return -ENOMEM;
        m->restore = own;
        m->has_restore = true;
        return 0;
}

int metadata_put_icon(struct metadata_component *c, const uint8_t *icon, size_t size) {
        uint8_t *copy = NULL;

        if (size > 0) {
                copy = malloc(size);
                if (!copy)
                        return -ENOMEM;
                memcpy(copy, icon, size);
        }
        free((uint8_t *)c->info.icon);
        c->info.icon = copy;
        c->info.icon_size = size;
        return 0;
}

static struct metadata_component *component_free(struct metadata_component *c) {
        if (c)
                free((uint8_t *)c->info.icon);
        free(c);
        return NULL;
}
DEFINE_CLEANUP(struct metadata_component, component_free);

int metadata_put_component(struct writer_metadata *m, const struct writer_metadata_component *info,
                           struct metadata_component **ret) {
        _cleanup_(component_freep) struct metadata_component *c = calloc(1, sizeof(*c));

        if (!c)
                return -ENOMEM;
        c->info = *info;
        c->info.icon = NULL;
        c->position = m->n_components;
        if (metadata_put_icon(c, info->icon, info->icon_size) < 0 ||
            keep(m, &c->info.logical_path) < 0 || keep(m, &c->info.name) < 0 ||
            keep(m, &c->info.caption) < 0 || key_index_reserve(&m->index) < 0 ||
            reserve(&m->components, sizeof(*m->components), m->n_components, &m->n_allocated) < 0)
                return -ENOMEM;
        key_index_add(&m->index, metadata_hash(c->info.logical_path, c->info.name), c);
        m->components[m->n_components++] = c;
        m->recent = c;
        if (ret)
                *ret = c;
        (void)TAKE_PTR(c);
        return 0;
}

static int keep_again(struct writer_metadata *m, const struct metadata_text *text,
                      const char *before, const char **ret) {
        *ret = NULL;
        if (text->size == 0)
                return 0;
        *ret = text_arena_add_again(&m->texts, before, text->text, text->size);
        return *ret ? 0 : -ENOMEM;
}

int metadata_put_set(struct writer_metadata *m, struct metadata_component *c,
                     enum writer_metadata_list list, const struct metadata_text texts[static 3],
                     bool recursive, uint32_t mask) {
        struct metadata_list *own = c ? &c->lists[list] : &m->lists[list - METADATA_WRITER_LISTS];
        static const struct metadata_set none;
        const struct metadata_set *before;
        struct metadata_set *set;

        if (reserve(&own->sets, sizeof(*own->sets), own->n, &own->n_allocated) < 0)
                return -ENOMEM;
        before = own->n > 0 ? &own->sets[own->n - 1] : &none;
        set = &own->sets[own->n];
        *set = (struct metadata_set){ .recursive = recursive, .backup_type_mask = mask };
        if (keep_again(m, &texts[0], before->path, &set->path) < 0 ||
            keep_again(m, &texts[1], before->filespec, &set->filespec) < 0 ||
            keep_again(m, &texts[2], before->alternate_path, &set->alternate_path) < 0)
                return -ENOMEM;
        own->n++;
        return 0;
}

int metadata_put_dependency(struct writer_metadata *m, struct metadata_component *c,
                            const struct writer_metadata_dependency *on) {
        struct writer_metadata_dependency own = *on;

        if (reserve(&c->dependencies, sizeof(*c->dependencies), c->n_dependencies,
                    &c->n_allocated) < 0 ||
            keep(m, &own.logical_path) < 0 || keep(m, &own.name) < 0)
                return -ENOMEM;
        c->dependencies[c->n_dependencies++] = own;
        return 0;
}
