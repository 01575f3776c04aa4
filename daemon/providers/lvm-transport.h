#pragma once

/* A copy that LVM holds and another host is to find: what it is known by beside its names, as a
 * second line of provider_data, and a tag of LVM's on it:
 *
 *      vg=NAME vg_uuid=UUID origin=NAME origin_uuid=UUID cow=NAME cow_uuid=UUID
 *      transport sectors=N pool=UUID thin=ID type=TYPE uuid=UUID
 *
 * "-" stands for what there is not. A document may say anything; the tag says which snapshot of
 * which set the volume is, and of which context, and only who may change the volume group can set
 * it:
 *
 *      vss.copy=ID:SET-ID:CONTEXT
 */

#include "daemon/providers/lvm-import-intent.h"
#include "daemon/providers/lvm-undo.h"
#include "daemon/providers/volume-identity.h"
#include "daemon/store/store.h"

struct lvm_transport {
        uint64_t sectors;
        char *pool; /* of a thin copy: LVM's UUID of its pool; NULL: it is a thick one */
        uint64_t thin_id;
        char *type, *uuid; /* of what is on it; NULL: not known, or not to be written here */
};

void lvm_transport_done(struct lvm_transport *t);
/* Of provider_data's first line, with this as its second one. */
int lvm_transport_format(const struct lvm_transport *t, const char *copy, char **ret);
/* -EBADMSG: there is no such line, or it makes no sense. */
int lvm_transport_parse(struct lvm_transport *t, const char *provider_data);
/* Whether that is what it is known by. */
bool lvm_transport_has_identity(const struct lvm_transport *t, const struct volume_identity *i);

/* What LVM says of a copy, by its UUID. */
enum {
        TRANSPORT_VG,
        TRANSPORT_VG_UUID,
        TRANSPORT_LV,
        TRANSPORT_ATTR,
        TRANSPORT_SIZE,
        TRANSPORT_ORIGIN,
        TRANSPORT_ORIGIN_UUID,
        TRANSPORT_POOL_UUID,
        TRANSPORT_THIN_ID,
        TRANSPORT_TAGS,
        TRANSPORT_FIELDS
};
/* No row: LVM does not have it. */
int lvm_transport_find(struct lvm_report *ret, struct lvm *l, const struct lvm_copy *c,
                       struct vss_error *reterr);
/* 1: as this snapshot; 0: it is something else; -ENOMEM. */
int lvm_transport_is_tagged(char *const *fields, const struct snapshot_record *record);
/* 1: it is that snapshot still; 0: it is something else, and *ret_what says why, a clause; -ENOMEM.
 * Who makes a volume of a copy takes its tag last, and may die before that. */
int lvm_transport_is_copy(char *const *fields, const struct snapshot_record *record,
                          const char **ret_what);
/* Takes its tag away, if there is one: it is no copy any more. */
int lvm_transport_untag(struct lvm *l, const struct lvm_copy *c, struct vss_error *reterr);

/* See struct provider. A thin copy loses its device; a thick one is the origin's as long as that is
 * active, and loses its node. */
int lvm_hand_over(struct snapshot_record *records, size_t n, struct vss_error *reterr);
/* lvm_life_remove(), with a look at those that were handed over: what another host has made
 * something else of is not the copy any more, and only our row of it goes. */
int lvm_transport_remove(const struct lvm_kind *kind, struct store *store,
                         const struct snapshot_record *records, size_t n, bool force,
                         struct vss_error *reterr);

/* See struct provider, revert_check_known: by the tags of all that LVM has of the volume. */
int lvm_transport_check_known(const struct snapshot_record *r, const struct snapshot_record *known,
                              size_t n, struct vss_error *reterr);

/* lvm-import.c; see struct provider. */
int lvm_import(const struct lvm_kind *kind, struct store *store, struct snapshot_record *r,
               int64_t *ret_intent, struct vss_error *reterr);
/* Of its intents. */
int lvm_import_origins(const struct lvm_kind *kind, const struct intent_record *intent,
                       char ***uuids, char ***names, struct vss_error *reterr);
int lvm_import_recover(const struct lvm_kind *kind, struct store *store,
                       const struct intent_record *intent, struct vss_error *reterr);
