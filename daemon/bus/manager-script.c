/* The verbs for scripts: see manager-script.h. Their options are text, for dbus-send. */

#include "daemon/bus/manager-script.h"

#include "common/time-util.h"
#include "common/vss-context.h"
#include "common/wire-rows.h"
#include "daemon/bus/bus-private.h"
#include "daemon/log/log.h"

/* A century: nobody means more, and sums stay far from their limits. */
#define EXPIRE_SECONDS_MAX UINT64_C(3155760000)
#define NSEC_PER_SEC INT64_C(1000000000)

/* text NULL: *ret stays. */
static int parse_yes_no(bool *ret, const char *text, const char *option, struct vss_error *reterr) {
        if (!text)
                return 0;
        if (!streq(text, "yes") && !streq(text, "no"))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The option %s is \"%s\"; it can be yes or no", option, text);
        *ret = streq(text, "yes");
        return 0;
}

static int parse_context(LONG *ret, const char *text, struct vss_error *reterr) {
        LONG context;

        if (!text)
                return 0;
        if (vss_context_from_string(&context, text) < 0 || context == VSS_CTX_ALL)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "There is no context \"%s\" to make copies in; there are "
                                     "app-rollback, nas-rollback, client and client-writers",
                                     text);
        if (vss_context_auto_release(context))
                return vss_error_set(
                        reterr, E_INVALIDARG, 0,
                        "The copies of the context \"%s\" would go with the end of this "
                        "call; use app-rollback or nas-rollback, or a program that holds "
                        "a session",
                        text);
        *ret = context;
        return 0;
}

static int parse_expire(uint64_t *ret, const char *text, struct vss_error *reterr) {
        unsigned long long seconds;
        char *end = NULL;

        if (!text)
                return 0;
        errno = 0;
        seconds = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
        if (errno != 0 || !end || *end != '\0' || seconds == 0 || seconds > EXPIRE_SECONDS_MAX)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The option expire is \"%s\"; it is a number of seconds from "
                                     "now, from 1 to %llu",
                                     text, (unsigned long long)EXPIRE_SECONDS_MAX);
        *ret = (uint64_t)(now_realtime_nsec() / NSEC_PER_SEC) + seconds;
        return 0;
}

/* "A,B": class ids, instance ids or names. */
static int parse_list(char ***ret, const char *text) {
        _cleanup_(freep) char *copy = NULL;
        char *rest, *item;

        if (!text)
                return 0;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        rest = copy;
        while ((item = strsep(&rest, ",")))
                if (*item != '\0' && strv_append(ret, item) < 0)
                        return -ENOMEM;
        return 0;
}

static int parse_options(struct script_options *ret, const struct wire_create_options *text,
                         struct vss_error *reterr) {
        int r;

        *ret = (struct script_options){ .context = VSS_CTX_APP_ROLLBACK, .require_writers = true };
        r = parse_context(&ret->context, text->context, reterr);
        if (r >= 0)
                r = parse_expire(&ret->expire_unix, text->expire, reterr);
        if (r >= 0)
                r = parse_yes_no(&ret->require_writers, text->require_writers, "require-writers",
                                 reterr);
        if (r >= 0)
                r = parse_list(&ret->exclude_writers, text->exclude_writers);
        return r;
}

static int strv_append_id(char ***v, VSS_ID id) {
        return strv_append(v, VSS_ID_TEXT(id));
}

static void set_created(void *userdata, int r, const void *result, struct vss_error *error) {
        _cleanup_(strv_freep) char **ids = NULL, **devices = NULL;
        const struct script_result *set = result;
        struct bus_call *call = userdata;
        struct vss_error here = { 0 };
        struct bus_out *out;

        call->cancel = NULL; /* the run has ended */
        if (call->orphan)
                log_notice("The caller of CreateSnapshotSet has gone; %s%s",
                           r < 0 ? "it failed: " : "the set is there: ",
                           r < 0 ? str_or_empty(error->message) : VSS_ID_TEXT(set->set_id));
        if (r < 0) {
                bus_call_fail(call, error);
                return;
        }
        for (size_t i = 0; r >= 0 && i < set->n; i++) {
                r = strv_append_id(&ids, set->snapshots[i].id);
                if (r >= 0)
                        r = strv_append(&devices,
                                        snapshot_is_away(&set->snapshots[i])
                                                ? ""
                                                : str_or_empty(set->snapshots[i].device_object));
        }
        if (r >= 0) {
                out = bus_call_answer(call);
                bus_out_id(out, set->set_id);
                bus_out_strv(out, ids);
                bus_out_strv(out, devices);
        }
        bus_call_finish(call, r, &here);
}

static void set_cancelled(struct bus_call *call, void *userdata) {
        struct vss_error error = { 0 };

        script_cancel(userdata);
        (void)vss_error_set(&error, VSS_E_UNEXPECTED, ECANCELED,
                            "The creation was cancelled: the service is stopping");
        bus_call_fail(call, &error);
        vss_error_done(&error);
}

void manager_on_create_snapshot_set(struct bus_call *call, const struct bus_value *args) {
        struct script_options options;
        struct script_run *run = NULL;
        struct vss_error error = { 0 };
        int r;

        r = parse_options(&options, args[1].dict, &error);
        if (r >= 0 && strv_length(args[0].strv) == 0)
                r = vss_error_set(&error, E_INVALIDARG, 0,
                                  "No volume was named; name at least one");
        if (r >= 0)
                r = script_create_snapshot_set(&run, call->bus->options.sessions, call->client->uid,
                                               args[0].strv, &options, NULL, set_created, call,
                                               &error);
        strv_free(options.exclude_writers);
        if (r < 0) {
                bus_call_finish(call, r, &error);
                return;
        }
        /* Not tied to the connection: what a script began is finished, or fails by itself. */
        call->outlives_caller = true;
        call->cancel = set_cancelled;
        call->userdata = run;
}

/* One after the other, to the end or the first error. */
struct deletion {
        struct bus_call *call;
        VSS_ID *ids;
        size_t n, next;
        bool force;
        uint32_t deleted;
};

static void deletion_free(struct deletion *d) {
        free(d->ids);
        free(d);
}

static void deletion_fail(struct deletion *d, struct vss_error *error) {
        if (d->deleted > 0)
                (void)vss_error_prefix(error, "After %u copies were deleted", d->deleted);
        bus_call_fail(d->call, error);
        vss_error_done(error);
        deletion_free(d);
}

/* An id names a snapshot or a set; it is looked at when its turn comes. */
static int deletion_type(const struct deletion *d, VSS_ID id, VSS_OBJECT_TYPE *ret,
                         struct vss_error *reterr) {
        struct store *store = d->call->bus->options.store;
        struct snapshot_record record = { 0 }, *records = NULL;
        size_t n = 0;
        int r;

        r = store_snapshot_get(store, id, &record, NULL);
        if (r >= 0) {
                snapshot_record_done(&record);
                *ret = VSS_OBJECT_SNAPSHOT;
                return 0;
        }
        r = store_snapshot_list(store, id, &records, &n, reterr);
        snapshot_records_free(records, n);
        if (r < 0)
                return r;
        if (n == 0)
                return vss_error_set(reterr, VSS_E_OBJECT_NOT_FOUND, 0,
                                     "There is no snapshot and no set %s; see ListSnapshots",
                                     VSS_ID_TEXT(id));
        *ret = VSS_OBJECT_SNAPSHOT_SET;
        return 0;
}

static void deletion_step(struct deletion *d);

static void deletion_stepped(void *userdata, int r, const void *result, struct vss_error *error) {
        const struct delete_result *deleted = result;
        struct deletion *d = userdata;
        struct vss_error mine = { 0 };

        if (deleted)
                d->deleted += (uint32_t)deleted->deleted;
        if (r < 0) {
                vss_error_move(&mine, error);
                deletion_fail(d, &mine);
        } else
                deletion_step(d);
}

static void deletion_step(struct deletion *d) {
        VSS_OBJECT_TYPE type = VSS_OBJECT_NONE;
        struct vss_error error = { 0 };
        VSS_ID id;
        int r;

        /* Who has gone waits for nothing more to be deleted. */
        if (d->next == d->n || d->call->orphan) {
                bus_out_uint32(bus_call_answer(d->call), d->deleted);
                bus_call_reply(d->call);
                deletion_free(d);
                return;
        }
        id = d->ids[d->next++];
        r = deletion_type(d, id, &type, &error);
        if (r >= 0)
                r = manager_delete_snapshots(d->call->bus->options.sessions, id, type, d->force,
                                             deletion_stepped, d, &error);
        if (r < 0)
                deletion_fail(d, &error);
}

static int deletion_parse(struct deletion *d, const struct bus_value *args,
                          struct vss_error *reterr) {
        const struct wire_delete_options *options = args[1].dict;
        int r;

        d->n = strv_length(args[0].strv);
        d->ids = calloc(d->n > 0 ? d->n : 1, sizeof(*d->ids));
        if (!d->ids)
                return -ENOMEM;
        r = parse_yes_no(&d->force, options->force, "force", reterr);
        /* All of them before the first is touched. */
        for (size_t i = 0; r >= 0 && i < d->n; i++) {
                r = wire_parse_id(&d->ids[i], args[0].strv[i], "ids", reterr);
                if (r >= 0 && vss_id_is_null(d->ids[i]))
                        r = vss_error_set(reterr, E_INVALIDARG, 0,
                                          "The null id names no snapshot and no set");
        }
        return r;
}

void manager_on_delete_snapshots(struct bus_call *call, const struct bus_value *args) {
        struct vss_error error = { 0 };
        struct deletion *d;
        int r;

        d = calloc(1, sizeof(*d));
        if (!d) {
                bus_call_finish(call, -ENOMEM, &error);
                return;
        }
        d->call = call;
        r = deletion_parse(d, args, &error);
        if (r < 0) {
                deletion_free(d);
                bus_call_finish(call, r, &error);
        } else
                deletion_step(d);
}
