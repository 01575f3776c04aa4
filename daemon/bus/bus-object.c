/* The object tree: see bus-object.h. */

#include "daemon/bus/bus-object.h"

#include "daemon/bus/bus-private.h"
#include "daemon/job/job.h"

const struct bus_kind *bus_kind_of_path(const char *path, const char **ret_name) {
        const char *rest;

        if (strncmp(path, BUS_ROOT, strlen(BUS_ROOT)) != 0)
                return NULL;
        rest = path + strlen(BUS_ROOT);
        if (*rest == '\0') {
                *ret_name = rest;
                return &bus_kind_manager;
        }
        for (const struct bus_kind *const *k = bus_kinds; *k; k++) {
                size_t n = (*k)->directory ? strlen((*k)->directory) : 0;

                /* "/directory/name", and nothing below. */
                if (n > 0 && rest[0] == '/' && strncmp(rest + 1, (*k)->directory, n) == 0 &&
                    rest[n + 1] == '/' && rest[n + 2] != '\0' && !strchr(rest + n + 2, '/')) {
                        *ret_name = rest + n + 2;
                        return *k;
                }
        }
        return NULL;
}

int bus_object_path(char **ret, const struct bus_kind *kind, const char *name) {
        if (!kind->directory)
                return str_format(ret, "%s", BUS_ROOT);
        return str_format(ret, "%s/%s/%s", BUS_ROOT, kind->directory, name);
}

char *bus_id_name(VSS_ID id, char buf[static BUS_ID_NAME_MAX]) {
        (void)vss_id_format(id, buf);
        for (char *c = buf; *c; c++)
                if (*c == '-')
                        *c = '_';
        return buf;
}

int bus_id_from_name(VSS_ID *ret, const char *name) {
        char text[VSS_ID_TEXT_MAX];
        VSS_ID id;

        if (strlen(name) != sizeof(text) - 1)
                return -EINVAL;
        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = name[i] == '_' ? '-' : name[i];
        if (vss_id_parse(&id, text) < 0 || !streq(BUS_ID_NAME(id), name))
                return -EINVAL;
        *ret = id;
        return 0;
}

static int object_find(struct bus *bus, const struct bus_kind *kind, const char *name,
                       struct bus_object *ret) {
        struct bus_object o = { .kind = kind };
        int r;

        r = bus_object_path(&o.path, kind, name);
        if (r >= 0)
                r = kind->find(bus, name, &o);
        if (r < 0) {
                bus_object_done(&o);
                return r;
        }
        *ret = o;
        return 0;
}

int bus_object_find(struct bus *bus, const char *path, struct bus_object *ret) {
        const struct bus_kind *kind;
        const char *name;

        kind = bus_kind_of_path(path, &name);
        return kind ? object_find(bus, kind, name, ret) : -ENOENT;
}

bool bus_object_is_visible(const struct bus_object *o, const struct bus_client *client) {
        return !o->owner || o->owner == client;
}

void bus_objects_done(struct bus_objects *o) {
        for (size_t i = 0; i < o->n; i++)
                bus_object_done(&o->items[i]);
        free(o->items);
        *o = (struct bus_objects){ 0 };
}

int bus_objects_add(struct bus_objects *o, struct bus_object *object) {
        struct bus_object *items;

        items = reallocarray(o->items, o->n + 1, sizeof(*items));
        if (!items) {
                bus_object_done(object);
                return -ENOMEM;
        }
        o->items = items;
        items[o->n++] = *object;
        *object = (struct bus_object){ 0 };
        return 0;
}

int bus_objects_list(struct bus_objects *o, struct bus *bus, const struct bus_kind *kind,
                     const struct bus_client *client) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = kind->list(bus, &names);
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                struct bus_object object;

                r = object_find(bus, kind, *name, &object);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                if (!bus_object_is_visible(&object, client)) {
                        bus_object_done(&object);
                        continue;
                }
                r = bus_objects_add(o, &object);
                if (r < 0)
                        return r;
        }
        return 0;
}

struct load {
        struct bus_objects objects;
        bus_loaded_fn done;
        void *userdata;
};

static int load_run(struct job *job _unused_, void *userdata, struct vss_error *reterr _unused_) {
        struct load *l = userdata;

        for (size_t i = 0; i < l->objects.n; i++)
                if (l->objects.items[i].kind->load)
                        l->objects.items[i].kind->load(l->objects.items[i].source);
        return 0;
}

static void load_done(void *userdata, int r, struct vss_error *error _unused_) {
        struct load *l = userdata;

        l->done(l->userdata, r, &l->objects);
        bus_objects_done(&l->objects);
        free(l);
}

void bus_objects_load(struct bus *bus, struct bus_objects *objects, bus_loaded_fn done,
                      void *userdata) {
        struct bus_objects mine = *objects;
        bool needed = false;
        struct load *l;
        int r = 0;

        *objects = (struct bus_objects){ 0 };
        for (size_t i = 0; i < mine.n; i++) {
                /* They are not ours beyond this turn. */
                mine.items[i].owner = NULL;
                mine.items[i].data = NULL;
                needed = needed || mine.items[i].kind->load;
        }

        if (needed) {
                l = calloc(1, sizeof(*l));
                if (l) {
                        *l = (struct load){ .objects = mine, .done = done, .userdata = userdata };
                        r = job_start(NULL, bus->event, "bus-properties", load_run, load_done, l);
                        if (r >= 0)
                                return;
                        free(l);
                } else
                        r = -ENOMEM;
        }
        done(userdata, r, &mine);
        bus_objects_done(&mine);
}
