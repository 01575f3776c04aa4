/* Components sorted by their full names, part by part, so that what is below another follows it. */

#include "cli/component-tree.h"

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/output-json.h"

#include <stdio.h>

#define INDENT 2
#define DEPTH_MAX 32 /* deeper ones are not indented further */

struct component {
        PVSSCOMPONENTINFO info; /* freed with owner */
        IVssWMComponent *owner;
        char *full; /* with '\1' between its parts, which sorts before everything else */
};

struct components {
        struct component *list;
        UINT n;
};

static void components_done(struct components *c) {
        for (UINT i = 0; i < c->n; i++) {
                if (c->list[i].info)
                        (void)IVssWMComponent_FreeComponentInfo(c->list[i].owner, c->list[i].info);
                IVssWMComponent_Release(c->list[i].owner);
                free(c->list[i].full);
        }
        free(c->list);
        *c = (struct components){ 0 };
}

static int compare(const void *a, const void *b) {
        return strcmp(((const struct component *)a)->full, ((const struct component *)b)->full);
}

static HRESULT read_component(struct component *c, IVssExamineWriterMetadata *metadata, UINT i) {
        HRESULT hr;

        hr = IVssExamineWriterMetadata_GetComponent(metadata, i, &c->owner);
        if (SUCCEEDED(hr))
                hr = IVssWMComponent_GetComponentInfo(c->owner, &c->info);
        if (FAILED(hr))
                return hr;
        if (str_format(&c->full, "%s%s%s", str_or_empty(c->info->bstrLogicalPath),
                       str_empty(c->info->bstrLogicalPath) ? "" : "\\",
                       str_or_empty(c->info->bstrComponentName)) < 0)
                return E_OUTOFMEMORY;
        for (char *p = c->full; *p != '\0'; p++)
                if (*p == '\\')
                        *p = '\1';
        return S_OK;
}

static HRESULT read_components(struct components *ret, IVssExamineWriterMetadata *metadata) {
        struct components c = { 0 };
        UINT includes, excludes, n;
        HRESULT hr;

        hr = IVssExamineWriterMetadata_GetFileCounts(metadata, &includes, &excludes, &n);
        if (FAILED(hr))
                return hr;
        c.list = calloc(n + (size_t)1, sizeof(*c.list));
        if (!c.list)
                return E_OUTOFMEMORY;
        while (SUCCEEDED(hr) && c.n < n) {
                hr = read_component(&c.list[c.n], metadata, c.n);
                c.n++; /* half-read ones are freed, too */
        }
        if (FAILED(hr)) {
                components_done(&c);
                return hr;
        }
        if (c.n > 0)
                qsort(c.list, c.n, sizeof(*c.list), compare);
        *ret = c;
        return S_OK;
}

/* The nearest selectable one above, whose set it is in; NULL: none. */
static const struct component *set_of(const struct components *all, const struct component *c) {
        _cleanup_(freep) char *full = strdup(c->full);
        char *separator;

        while (full && (separator = strrchr(full, '\1')) != NULL) {
                const struct component *above;

                *separator = '\0';
                above = bsearch(&(const struct component){ .full = full }, all->list, all->n,
                                sizeof(*all->list), compare);
                if (above && above->info->bSelectable)
                        return above;
        }
        return NULL;
}

/* The table of 4.2 in words. */
static const char *role(const struct component *c, const struct component *set) {
        static const char *const roles[2][2] = {
                { "mandatory", "part" },
                { "optional", "optional part" },
        };

        return roles[c->info->bSelectable][set != NULL];
}

static const char *type_text(VSS_COMPONENT_TYPE type) {
        static const char *const names[] = {
                [VSS_CT_DATABASE] = "database",
                [VSS_CT_FILEGROUP] = "file-group",
        };

        return (size_t)type < ARRAY_SIZE(names) && names[type] ? names[type] : "unknown";
}

static size_t depth(const char *full) {
        size_t n = 0;

        for (; *full != '\0'; full++)
                n += *full == '\1';
        return n < DEPTH_MAX ? n : DEPTH_MAX;
}

static int add_row(struct table *table, const struct components *all, const struct component *c) {
        _cleanup_(freep) char *name = NULL, *selection = NULL;
        const struct component *set = set_of(all, c);
        const char *separator = strrchr(c->full, '\1');
        size_t above = separator ? (size_t)(separator - c->full) : 0;
        bool is_below_one = false;
        int r;

        /* Parts of the path that are no components are named in front. */
        if (separator) {
                _cleanup_(freep) char *path = strndup(c->full, above);

                if (!path)
                        return -ENOMEM;
                is_below_one = bsearch(&(const struct component){ .full = path }, all->list, all->n,
                                       sizeof(*all->list), compare) != NULL;
        }
        r = str_format(&name, "%*s%s%s%s", (int)(INDENT * (1 + depth(c->full))), "",
                       is_below_one ? "" : str_or_empty(c->info->bstrLogicalPath),
                       is_below_one || !separator ? "" : "\\", c->info->bstrComponentName);
        if (r >= 0 && set)
                r = str_format(&selection, "%s of %s", role(c, set), set->info->bstrComponentName);
        else if (r >= 0)
                r = str_format(&selection, "%s", role(c, set));
        return r < 0 ? r
                     : table_add(table, TABLE_ROW_PLAIN,
                                 (const char *const[]){
                                         name,
                                         type_text(c->info->type),
                                         selection,
                                         c->info->bSelectableForRestore ? "alone" : NULL,
                                         c->info->bstrCaption,
                                 });
}

static int add_writer(struct table *table, const struct gathered_writer *w) {
        _cleanup_(components_done) struct components components = { 0 };
        char id[VSS_ID_STRING_SIZE];
        HRESULT hr;
        int r;

        hr = read_components(&components, w->metadata);
        if (FAILED(hr))
                return message_hresult(hr, "%s", str_or_empty(w->name));
        r = table_add(table, TABLE_ROW_PLAIN,
                      (const char *const[]){ w->name, "writer", "", "",
                                             str_empty(w->instance_name)
                                                     ? VssIdToString(w->writer_id, id)
                                                     : w->instance_name });
        for (UINT i = 0; r >= 0 && i < components.n; i++)
                r = add_row(table, &components, &components.list[i]);
        return r < 0 ? message_out_of_memory() : EXIT_DONE;
}

int component_tree_print(const struct gathered_writers *writers, const struct terminal *terminal) {
        static const struct table_column columns[] = {
                { .title = "COMPONENT", .shrink = true },   { .title = "TYPE" },
                { .title = "IN A BACKUP", .shrink = true }, { .title = "RESTORED" },
                { .title = "CAPTION", .shrink = true },
        };
        _cleanup_(table_freep) struct table *table = NULL;

        if (table_new(&table, columns, ARRAY_SIZE(columns)) < 0)
                return message_out_of_memory();
        for (UINT i = 0; i < writers->n; i++) {
                int r = add_writer(table, &writers->list[i]);

                if (r != EXIT_DONE)
                        return r;
        }
        table_print(table, stdout, &terminal->table);
        return EXIT_DONE;
}

static void component_json(struct json *j, const struct components *all,
                           const struct component *c) {
        const struct component *set = set_of(all, c);

        json_object_begin(j, NULL);
        json_string_or_null(j, "logical_path", c->info->bstrLogicalPath);
        json_string(j, "component", c->info->bstrComponentName);
        json_string(j, "type", type_text(c->info->type));
        json_string_or_null(j, "caption", c->info->bstrCaption);
        json_string(j, "selection", role(c, set));
        json_bool(j, "selectable", c->info->bSelectable);
        json_bool(j, "selectable_for_restore", c->info->bSelectableForRestore);
        json_uint(j, "flags", c->info->dwComponentFlags);
        json_uint(j, "file_sets",
                  (uint64_t)c->info->cFileCount + c->info->cDatabases + c->info->cLogFiles);
        json_uint(j, "dependencies", c->info->cDependencies);
        json_object_end(j);
}

int component_tree_json(const struct gathered_writers *writers) {
        char id[VSS_ID_STRING_SIZE];
        int r = EXIT_DONE;
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_array_begin(&j, "writers");
        for (UINT i = 0; i < writers->n; i++) {
                _cleanup_(components_done) struct components components = { 0 };
                const struct gathered_writer *w = &writers->list[i];
                HRESULT hr = read_components(&components, w->metadata);

                if (FAILED(hr))
                        r = message_hresult(hr, "%s", str_or_empty(w->name));
                json_object_begin(&j, NULL);
                json_string(&j, "name", str_or_empty(w->name));
                json_string_or_null(&j, "instance_name", w->instance_name);
                json_string(&j, "writer_id", VssIdToString(w->writer_id, id));
                json_string(&j, "instance_id", VssIdToString(w->instance_id, id));
                json_array_begin(&j, "components");
                for (UINT k = 0; k < components.n; k++)
                        component_json(&j, &components, &components.list[k]);
                json_array_end(&j);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
        return r;
}
