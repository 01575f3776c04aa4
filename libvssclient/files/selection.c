/* A queue of components that came in: each brings its subcomponents, its writer's mandatory ones,
 * and what it depends on. */

#include "libvssclient/files/selection.h"

#include "common/vss-id.h"

#define SEPARATOR '\\'

struct selected_writer {
        const struct writer_metadata *metadata; /* borrowed */
        size_t n;
        struct selection_entry *entries;
        /* The sets: ancestors, and for each its first child and the next of the same. SIZE_MAX:
         * none. */
        size_t *ancestor, *child, *sibling;
        bool takes_part;
};

struct selection {
        struct selected_writer *writers;
        size_t n_writers;
        struct selection_place *queue;
        size_t queue_begin, queue_end, queue_size;
        struct selection_missing *missing;
        size_t n_missing;
        bool complete;
};

int component_ancestor(const struct writer_metadata *m, size_t component, size_t *ret) {
        const struct writer_metadata_component *c = writer_metadata_component(m, component);
        _cleanup_(freep) char *path = strdup(str_or_empty(c->logical_path));

        if (!path)
                return -ENOMEM;
        *ret = SIZE_MAX;
        /* "A\B\C": is there a component C in A\B, B in A, A? */
        while (*path != '\0') {
                char *separator = strrchr(path, SEPARATOR);
                const char *name = separator ? separator + 1 : path;
                size_t i;

                if (separator)
                        *separator = '\0';
                i = writer_metadata_find_component(m, separator ? path : NULL, name);
                if (i != SIZE_MAX && i != component &&
                    writer_metadata_component(m, i)->selectable) {
                        *ret = i;
                        break;
                }
                if (!separator)
                        break;
        }
        return 0;
}

static void writer_done(struct selected_writer *w) {
        free(w->entries);
        free(w->ancestor);
        free(w->child);
        free(w->sibling);
}

struct selection *selection_free(struct selection *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_writers; i++)
                writer_done(&s->writers[i]);
        free(s->writers);
        free(s->queue);
        free(s->missing);
        free(s);
        return NULL;
}

static int writer_init(struct selected_writer *w, const struct writer_metadata *m) {
        size_t n = writer_metadata_n_components(m);

        *w = (struct selected_writer){
                .metadata = m,
                .n = n,
                .entries = calloc(n + 1, sizeof(*w->entries)),
                .ancestor = calloc(n + 1, sizeof(size_t)),
                .child = calloc(n + 1, sizeof(size_t)),
                .sibling = calloc(n + 1, sizeof(size_t)),
        };
        if (!w->entries || !w->ancestor || !w->child || !w->sibling)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                w->child[i] = w->sibling[i] = SIZE_MAX;
        for (size_t i = n; i-- > 0;) {
                size_t above;

                if (component_ancestor(m, i, &w->ancestor[i]) < 0)
                        return -ENOMEM;
                above = w->ancestor[i];
                if (above == SIZE_MAX)
                        continue;
                w->sibling[i] = w->child[above];
                w->child[above] = i;
        }
        return 0;
}

int selection_new(struct selection **ret, const struct writer_metadata *const *writers, size_t n,
                  struct vss_error *reterr) {
        _cleanup_(selection_freep) struct selection *s = calloc(1, sizeof(*s));

        if (s)
                s->writers = calloc(n + 1, sizeof(*s->writers));
        if (!s || !s->writers)
                return vss_error_from_errno(reterr, -ENOMEM, "The selection of components");
        for (size_t i = 0; i < n; i++) {
                s->n_writers++;
                s->queue_size += writer_metadata_n_components(writers[i]);
                if (writer_init(&s->writers[i], writers[i]) < 0)
                        return vss_error_from_errno(reterr, -ENOMEM, "The selection of components");
        }
        /* Each component comes in once. */
        s->queue = calloc(s->queue_size + 1, sizeof(*s->queue));
        if (!s->queue)
                return vss_error_from_errno(reterr, -ENOMEM, "The selection of components");
        *ret = TAKE_PTR(s);
        return 0;
}

static struct selection_entry *entry(const struct selection *s, struct selection_place p) {
        return &s->writers[p.writer].entries[p.component];
}

static bool id_equal(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

static void enqueue(struct selection *s, struct selection_place p) {
        assert(s->queue_end < s->queue_size);
        s->queue[s->queue_end++] = p;
}

/* What is below top comes in with it. What was explicit is no longer: never both. */
static void include_below(struct selection *s, struct selection_place top) {
        const struct selected_writer *w = &s->writers[top.writer];
        size_t i = w->child[top.component];

        /* A walk without a stack: down, else to the side, else up and to the side. */
        while (i != SIZE_MAX) {
                struct selection_place p = { top.writer, i };
                struct selection_entry *e = entry(s, p);

                if (e->reason == SELECTION_NONE)
                        enqueue(s, p);
                *e = (struct selection_entry){
                        .reason = SELECTION_SUBCOMPONENT,
                        .because = { top.writer, w->ancestor[i] },
                        .carrier = top,
                };
                if (w->child[i] != SIZE_MAX) {
                        i = w->child[i];
                        continue;
                }
                while (i != top.component && w->sibling[i] == SIZE_MAX)
                        i = w->ancestor[i];
                i = i == top.component ? SIZE_MAX : w->sibling[i];
        }
}

static void include(struct selection *s, struct selection_place p, enum selection_reason reason,
                    struct selection_place because) {
        struct selection_entry *e = entry(s, p);

        if (e->reason != SELECTION_NONE)
                return;
        *e = (struct selection_entry){
                .reason = reason,
                .is_explicit = true,
                .because = because,
                .carrier = p,
        };
        enqueue(s, p);
        include_below(s, p);
}

/* May it be added explicitly? */
static bool is_part(const struct selected_writer *w, size_t component) {
        return !writer_metadata_component(w->metadata, component)->selectable &&
               w->ancestor[component] != SIZE_MAX;
}

static void choose_all(struct selection *s, size_t writer) {
        const struct selected_writer *w = &s->writers[writer];

        for (size_t i = 0; i < w->n; i++)
                if (w->ancestor[i] == SIZE_MAX) {
                        struct selection_place p = { writer, i };

                        include(s, p,
                                writer_metadata_component(w->metadata, i)->selectable
                                        ? SELECTION_CHOSEN
                                        : SELECTION_MANDATORY,
                                p);
                }
}

static bool is_named(const struct selected_writer *w, VSS_ID id) {
        const struct writer_metadata_identity *identity = writer_metadata_identity(w->metadata);

        return id_equal(id, GUID_NULL) || id_equal(identity->instance_id, id) ||
               id_equal(identity->writer_id, id);
}

static int refuse_part(const struct selected_writer *w, size_t component,
                       struct vss_error *reterr) {
        const struct writer_metadata_component *c, *above;

        c = writer_metadata_component(w->metadata, component);
        above = writer_metadata_component(w->metadata, w->ancestor[component]);
        return vss_error_set(reterr, E_INVALIDARG, 0,
                             "The component '%s\\%s' is part of '%s%s%s' and cannot be chosen "
                             "alone; choose that",
                             c->logical_path, c->name, str_or_empty(above->logical_path),
                             str_empty(above->logical_path) ? "" : "\\", above->name);
}

int selection_choose(struct selection *s, VSS_ID writer, const char *logical_path, const char *name,
                     struct vss_error *reterr) {
        char text[VSS_ID_TEXT_MAX];
        bool found = false;

        if (s->complete)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0,
                                     "The selection is complete; nothing can be chosen any more");
        for (size_t i = 0; i < s->n_writers; i++) {
                const struct selected_writer *w = &s->writers[i];
                struct selection_place p = { .writer = i };

                if (!is_named(w, writer))
                        continue;
                found = true;
                if (!name) {
                        choose_all(s, i);
                        continue;
                }
                p.component = writer_metadata_find_component(w->metadata, logical_path, name);
                if (p.component == SIZE_MAX)
                        continue;
                if (is_part(w, p.component))
                        return refuse_part(w, p.component, reterr);
                include(s, p, SELECTION_CHOSEN, p);
                return 0;
        }
        if (!found && !(id_equal(writer, GUID_NULL) && !name))
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "No writer whose metadata was gathered has the id %s",
                                     vss_id_format(writer, text));
        if (!name)
                return 0;
        return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                             "The writer %s has no component '%s%s%s'", vss_id_format(writer, text),
                             str_or_empty(logical_path), str_empty(logical_path) ? "" : "\\", name);
}

static void include_mandatory(struct selection *s, struct selection_place because) {
        struct selected_writer *w = &s->writers[because.writer];

        if (w->takes_part)
                return;
        w->takes_part = true;
        for (size_t i = 0; i < w->n; i++)
                if (w->ancestor[i] == SIZE_MAX &&
                    !writer_metadata_component(w->metadata, i)->selectable)
                        include(s, (struct selection_place){ because.writer, i },
                                SELECTION_MANDATORY, because);
}

/* The reference has the host in the logical path on one page, in the name on another. */
static bool is_remote(const struct writer_metadata_dependency *d) {
        return strncmp(str_or_empty(d->logical_path), "\\\\", 2) == 0 ||
               strncmp(d->name, "\\\\", 2) == 0;
}

/* Of several instances of the class one that has it; rather one that has it in already. */
static bool find_target(const struct selection *s, const struct writer_metadata_dependency *d,
                        struct selection_place *ret) {
        bool found = false;

        for (size_t i = 0; i < s->n_writers; i++) {
                const struct selected_writer *w = &s->writers[i];
                struct selection_place p = { .writer = i };

                if (!id_equal(writer_metadata_identity(w->metadata)->writer_id, d->writer_id))
                        continue;
                p.component = writer_metadata_find_component(w->metadata, d->logical_path, d->name);
                if (p.component == SIZE_MAX)
                        continue;
                if (!found || entry(s, p)->reason != SELECTION_NONE)
                        *ret = p;
                found = true;
                if (entry(s, p)->reason != SELECTION_NONE)
                        break;
        }
        return found;
}

static int add_missing(struct selection *s, struct selection_place because,
                       const struct writer_metadata_dependency *d, bool remote,
                       struct vss_error *reterr) {
        struct selection_missing *grown;

        grown = reallocarray(s->missing, s->n_missing + 1, sizeof(*grown));
        if (!grown)
                return vss_error_from_errno(reterr, -ENOMEM, "The selection of components");
        s->missing = grown;
        s->missing[s->n_missing++] = (struct selection_missing){
                .because = because,
                .on = *d,
                .remote = remote,
        };
        return 0;
}

static int follow(struct selection *s, struct selection_place p, struct vss_error *reterr) {
        const struct writer_metadata *m = s->writers[p.writer].metadata;
        size_t n = writer_metadata_n_dependencies(m, p.component);

        for (size_t i = 0; i < n; i++) {
                struct writer_metadata_dependency d;
                struct selection_place target;
                bool remote;

                if (!writer_metadata_get_dependency(m, p.component, i, &d))
                        continue;
                remote = is_remote(&d);
                if (remote || !find_target(s, &d, &target)) {
                        int r = add_missing(s, p, &d, remote, reterr);

                        if (r < 0)
                                return r;
                        continue;
                }
                /* A part comes with what it is part of. */
                if (is_part(&s->writers[target.writer], target.component) &&
                    entry(s, target)->reason == SELECTION_NONE)
                        target.component = s->writers[target.writer].ancestor[target.component];
                include(s, target, SELECTION_DEPENDENCY, p);
        }
        return 0;
}

int selection_complete(struct selection *s, struct vss_error *reterr) {
        if (s->complete)
                return vss_error_set(reterr, VSS_E_BAD_STATE, 0, "The selection is complete");
        s->complete = true;
        while (s->queue_begin < s->queue_end) {
                struct selection_place p = s->queue[s->queue_begin++];
                int r;

                include_mandatory(s, p);
                r = follow(s, p, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

void selection_choose_exactly(struct selection *s, struct selection_place p) {
        assert(!s->complete);
        include(s, p, SELECTION_CHOSEN, p);
        if (!entry(s, p)->is_explicit)
                *entry(s, p) = (struct selection_entry){
                        .reason = SELECTION_CHOSEN,
                        .is_explicit = true,
                        .because = p,
                        .carrier = p,
                };
}

void selection_complete_exactly(struct selection *s) {
        s->complete = true;
}

bool selection_is_complete(const struct selection *s) {
        return s->complete;
}

const struct selection_entry *selection_entry(const struct selection *s, size_t writer,
                                              size_t component) {
        if (writer >= s->n_writers || component >= s->writers[writer].n)
                return NULL;
        return &s->writers[writer].entries[component];
}

size_t selection_n_missing(const struct selection *s) {
        return s->n_missing;
}

const struct selection_missing *selection_missing(const struct selection *s, size_t i) {
        return i < s->n_missing ? &s->missing[i] : NULL;
}
