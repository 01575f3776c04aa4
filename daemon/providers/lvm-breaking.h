#pragma once

/* Copies that LVM holds on their way to ordinary volumes: what becomes of each, and the intent that
 * says so: a line with the flags, a line for each copy, and what lvm-intent.h has of them:
 *
 *      break FLAGS
 *      as name=NAME node=ShadowCopyN shared=0 type=TYPE old=UUID new=UUID
 *
 * "-" stands for what there is not. */

#include "daemon/providers/lvm-copy.h"
#include "daemon/providers/volume-identity.h"
#include "daemon/store/store.h"

#define LVM_INTENT_BREAK "break"

struct lvm_becoming {
        char *name; /* of the logical volume */
        char *node; /* "ShadowCopy7": what it had as a copy */
        /* Its file system has the UUID of its origin's, and keeps it. */
        bool shared;
        struct volume_identity was; /* uuid NULL: it keeps what it has */
        char *uuid;                 /* what it gets; NULL with that */
};

struct lvm_breaking {
        uint32_t flags; /* VSS_BREAKEX_FLAG_* */
        size_t n;
        VSS_ID *ids;
        struct lvm_copy *copies;
        struct lvm_becoming *as;
};

void lvm_breaking_done(struct lvm_breaking *b);
/* The copies of some records, and nothing yet of what they become. */
int lvm_breaking_init(struct lvm_breaking *ret, const struct snapshot_record *records, size_t n,
                      uint32_t flags, struct vss_error *reterr);
/* Takes one out, whose record is not there any more. */
void lvm_breaking_drop(struct lvm_breaking *b, size_t i);
int lvm_breaking_format(const struct lvm_breaking *b, const char *provider, char **ret);
/* -EBADMSG: not such a text, or another provider's. */
int lvm_breaking_parse(struct lvm_breaking *ret, const char *provider, const char *data);
