/* See manager-reverts.h. RevertToSnapshot of a session does as it is told, as it does in Windows;
 * the snapshot's own method asks first what a careful requester would ask. */

#include "daemon/bus/manager-reverts.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "common/wire-reverts.h"
#include "daemon/bus/bus-private.h"
#include "daemon/bus/snapshot-object.h"
#include "daemon/coordinator/revert-block.h"

/* As of ShouldBlockRevert. */
#define IDENTIFY_USEC (30 * USEC_PER_SEC)

void manager_on_list_reverts(struct bus_call *call, const struct bus_value *args _unused_) {
        struct vss_error error = { 0 };
        struct revert_row *rows;
        struct bus_out *out;
        size_t n;
        int r;

        r = manager_list_reverts(call->bus->options.sessions, &rows, &n);
        if (r >= 0) {
                out = bus_call_answer(call);
                bus_out_open_array(out, "a{sv}");
                for (size_t i = 0; i < n; i++) {
                        const VSS_REVERT_INFO info = {
                                .snapshot = rows[i].id,
                                .snapshot_set = rows[i].set_id,
                                .volume = (char *)(uintptr_t)rows[i].volume,
                                .names = rows[i].names,
                                .provider = (char *)(uintptr_t)rows[i].provider,
                                .state = (char *)(uintptr_t)rows[i].state,
                                .message = (char *)(uintptr_t)rows[i].message,
                                .per_cent = rows[i].per_cent,
                                .total_bytes = rows[i].total,
                                .left_bytes = rows[i].left,
                        };

                        bus_out_dict(out, &wire_revert_table, &info);
                }
                bus_out_close(out);
        }
        bus_call_finish(call, r, &error);
}

/* A call that asks the writers first. */
struct asking {
        struct bus_call *call;
        VSS_ID id;
        char *volume;
        bool force;
};

static struct asking *asking_free(struct asking *a) {
        if (!a)
                return NULL;
        free(a->volume);
        free(a);
        return NULL;
}
DEFINE_CLEANUP(struct asking, asking_free);

static void on_begun(void *userdata, int r, const void *result _unused_, struct vss_error *error) {
        bus_call_finish(userdata, r, error);
}

static void begin(const struct asking *a) {
        struct vss_error error = { 0 };
        int r;

        r = manager_revert(a->call->bus->options.sessions, a->id, a->force, on_begun, a->call,
                           &error);
        if (r < 0)
                bus_call_finish(a->call, r, &error);
}

static void on_block_known(void *userdata, int r, bool blocked, struct vss_error *error) {
        _cleanup_(asking_freep) struct asking *a = userdata;

        if (r >= 0 && blocked)
                r = vss_error_set(
                        error, VSS_E_PROVIDER_VETO, EPERM,
                        "%s has files of a writer that the administrator has listed as "
                        "one that blocks reverts (/etc/vss/revert-block.d); restore these "
                        "with their writer, or say that it is to be reverted all the same",
                        a->volume);
        if (r < 0)
                bus_call_finish(a->call, r, error);
        else
                begin(a);
}

static int asking_new(struct asking **ret, struct bus_call *call, const char *volume, VSS_ID id,
                      bool force) {
        _cleanup_(asking_freep) struct asking *a = calloc(1, sizeof(*a));

        if (!a || str_replace(&a->volume, volume) < 0)
                return -ENOMEM;
        a->call = call;
        a->id = id;
        a->force = force;
        *ret = TAKE_PTR(a);
        return 0;
}

/* Of a volume that is not there nobody can be asked, and it cannot be reverted either. */
static int ask(struct asking *a, struct vss_error *reterr) {
        const struct revert_block_request request = {
                .event = a->call->bus->event,
                .writers = a->call->bus->options.writers,
                .volume = a->volume,
                .directory = a->call->bus->options.revert_block_directory,
                .timeout_usec = IDENTIFY_USEC,
        };

        return revert_block_ask(&request, on_block_known, a, reterr);
}

void snapshot_on_revert(struct bus_call *call, const struct bus_value *args) {
        const uint32_t all = VSS_REVERT_FORCE_DISMOUNT | VSS_REVERT_IGNORE_WRITERS;
        _cleanup_(asking_freep) struct asking *a = NULL;
        const struct snapshot_record *record = snapshot_object_record(call);
        const uint32_t flags = args[0].u;
        struct vss_error error = { 0 };
        int r = 0;

        if (flags & ~all)
                r = vss_error_set(&error, E_INVALIDARG, 0, "Revert has no flag in 0x%x",
                                  (unsigned)(flags & ~all));
        if (r >= 0)
                r = snapshot_check_reverting(record, &error);
        if (r >= 0)
                r = asking_new(&a, call, str_or_empty(record->volume), record->id,
                               flags & VSS_REVERT_FORCE_DISMOUNT);
        if (r >= 0 && flags & VSS_REVERT_IGNORE_WRITERS)
                begin(a);
        else if (r >= 0) {
                r = ask(a, &error);
                if (r >= 0)
                        a = NULL; /* the question's */
        }
        if (r < 0)
                bus_call_finish(call, r, &error);
}
