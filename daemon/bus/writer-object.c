/* .../writer/ID: see writer-object.h. */

#include "daemon/bus/writer-object.h"

#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/bus-signal.h"

/* What the table describes; the strings are borrowed from the writer. */
static VSS_WRITER_INFO writer_info(const struct writer *w) {
        const struct writer_identity *id = writer_identity(w);

        return (VSS_WRITER_INFO){
                .instance_id = id->instance_id,
                .writer_id = id->class_id,
                .name = id->name,
                .instance_name = id->instance_name,
                .usage = id->usage,
                .source = id->source,
                .level = id->level,
                .freeze_timeout_ms = id->freeze_timeout_ms,
                .state = writer_state(w),
                .failure = writer_failure(w),
                .failure_message = (char *)writer_failure_message(w),
                .uid = id->uid,
                .pid = (uint32_t)id->pid,
        };
}

static void writer_release(void *source) {
        wire_clear(&wire_writer_table, source);
        free(source);
}

static int writer_find(struct bus *bus, const char *name, struct bus_object *ret) {
        VSS_WRITER_INFO *info, borrowed;
        struct writer *w;
        VSS_ID id;

        if (bus_id_from_name(&id, name) < 0)
                return -ENOENT;
        w = writer_registry_find(bus->options.writers, id);
        if (!w)
                return -ENOENT;

        /* The writer may go while the object waits for a worker. */
        borrowed = writer_info(w);
        info = malloc(sizeof(*info));
        if (!info)
                return -ENOMEM;
        *info = borrowed;
        info->name = info->instance_name = info->failure_message = NULL;
        if (str_replace(&info->name, borrowed.name) < 0 ||
            str_replace(&info->instance_name, borrowed.instance_name) < 0 ||
            str_replace(&info->failure_message, borrowed.failure_message) < 0) {
                writer_release(info);
                return -ENOMEM;
        }
        ret->source = info;
        return 0;
}

static int writer_list(struct bus *bus, char ***names) {
        for (size_t i = 0; i < writer_registry_count(bus->options.writers); i++) {
                struct writer *w = writer_registry_get(bus->options.writers, i);

                if (strv_append(names, BUS_ID_NAME(writer_identity(w)->instance_id)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

void writer_object_reply(struct bus_call *call) {
        struct writer_registry *writers = call->bus->options.writers;
        struct bus_out *out = bus_call_answer(call);

        bus_out_open_array(out, "a{sv}");
        for (size_t i = 0; i < writer_registry_count(writers); i++) {
                VSS_WRITER_INFO info = writer_info(writer_registry_get(writers, i));

                bus_out_dict(out, &wire_writer_table, &info);
        }
        bus_out_close(out);
        bus_call_reply(call);
}

void writer_object_on_change(void *userdata, struct writer *w, enum writer_change change) {
        static const char *const state[] = { "State", "Failure", "FailureMessage", NULL };
        VSS_ID id = writer_identity(w)->instance_id;
        struct bus *bus = userdata;

        switch (change) {
        case WRITER_ADDED: bus_signal_added(bus, &bus_kind_writer, BUS_ID_NAME(id)); return;
        case WRITER_REMOVED:
                bus_signal_removed(bus, &bus_kind_writer, BUS_ID_NAME(id), NULL);
                return;
        case WRITER_STATE_CHANGED:
                bus_signal_changed(bus, &bus_kind_writer, BUS_ID_NAME(id), state);
                return;
        }
}

static const struct bus_emits_row writer_emits[] = {
        { .property = "State", .emits = BUS_EMITS_TRUE },
        { .property = "Failure", .emits = BUS_EMITS_TRUE },
        { .property = "FailureMessage", .emits = BUS_EMITS_TRUE },
};
static const struct bus_interface writer_interface = {
        .name = BUS_NAME ".Writer",
        .properties = &wire_writer_table,
        .emits = BUS_EMITS_CONST,
        BUS_EMITS(writer_emits),
};

const struct bus_kind bus_kind_writer = {
        .directory = "writer",
        .interface = &writer_interface,
        .find = writer_find,
        .list = writer_list,
        .release = writer_release,
};
