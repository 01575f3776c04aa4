#pragma once

/* Calling a provider of somebody else's: which calls there are, how long each may take, and which
 * codes each may answer (provider-mgmt.md, rules 4 and 5, and sections 8 and 9). Whatever else
 * comes is logged with provider and method, and is VSS_E_UNEXPECTED_PROVIDER_ERROR from there on.
 * Blocking, for workers. */

#include "daemon/providers/volume.h"

enum foreign_method {
        FOREIGN_IS_VOLUME_SUPPORTED,
        FOREIGN_BEGIN_PREPARE_SNAPSHOT,
        FOREIGN_END_PREPARE_SNAPSHOTS,
        FOREIGN_PRE_COMMIT_SNAPSHOTS,
        FOREIGN_COMMIT_SNAPSHOTS,
        FOREIGN_POST_COMMIT_SNAPSHOTS,
        FOREIGN_PRE_FINAL_COMMIT_SNAPSHOTS,
        FOREIGN_POST_FINAL_COMMIT_SNAPSHOTS,
        FOREIGN_ABORT_SNAPSHOTS,
        FOREIGN_GET_SNAPSHOT_PROPERTIES,
        FOREIGN_DELETE_SNAPSHOT,
        _FOREIGN_METHOD_MAX,
};
const char *foreign_method_to_string(enum foreign_method m);

/* Each method takes some of them: its row in the interface has the names. */
struct foreign_args {
        VSS_ID set_id, snapshot_id;
        const struct volume *volume;
        const char *volume_name; /* of a copy that is there */
        const char *data;        /* the provider's own text of it */
        LONG context;
        int32_t count;
        bool force;
};

/* What came, owned; of another method's nothing. */
struct foreign_reply {
        bool supported;
        char *reason;
        char *device; /* a directory, or a block device */
        char *data;
        uint32_t attributes;
};
void foreign_reply_done(struct foreign_reply *r);

/* How they are reached; daemon/bus has it, a test its own. open() may start the process. Both wait
 * so long at most, and fail with -ETIMEDOUT; -EPIPE: there is nobody, or not any more; -EBADMSG: it
 * is no answer; or as the provider said, with its HRESULT. The sentence is in reterr. */
struct foreign_transport {
        int (*open)(void **ret, const char *bus_name, const char *path, uint64_t timeout_usec,
                    struct vss_error *reterr);
        int (*call)(void *peer, enum foreign_method m, const struct foreign_args *args,
                    uint64_t timeout_usec, struct foreign_reply *ret, struct vss_error *reterr);
        void (*close)(void *peer);
};

struct foreign;

/* One process: if it goes, another in its place is no peer of the same set. */
struct foreign_link;
/* It is somebody's turn with it until the link closes, or rests: foreign_turn_begin(), for which
 * this is the time. */
int foreign_link_open(struct foreign_link **ret, struct foreign *f, uint64_t turn_usec,
                      struct vss_error *reterr);
/* Its further calls may stand behind others. NULL is fine. */
void foreign_link_rest(struct foreign_link *l);
struct foreign_link *foreign_link_close(struct foreign_link *l);
DEFINE_CLEANUP(struct foreign_link, foreign_link_close);
/* limit_usec: less than the method may take by itself; USEC_INFINITY: no less. ret NULL: of no
 * interest. */
int foreign_call(struct foreign_link *l, enum foreign_method m, const struct foreign_args *args,
                 uint64_t limit_usec, struct foreign_reply *ret, struct vss_error *reterr);
