#pragma once

/* The providers of others: each is a process of a storage vendor's that the service calls, and a
 * struct provider here like ours. Which there are is in the store (daemon/store/provider-record.h);
 * they are in the table of providers while they are registered.
 *
 * What was once registered stays in memory until the end, as a worker may be asking it just then:
 * some hundred bytes for each registration, which is root's to make. */

#include "daemon/providers/foreign-call.h"
#include "daemon/store/provider-record.h"

struct provider;

#define FOREIGN_MAX 16U /* registered at a time */

struct foreign;

typedef int (*foreign_unmount_fn)(const struct snapshot_record *r, bool force,
                                  struct vss_error *reterr);

/* Before anything else runs: how they are reached, how a copy is unmounted of which there is no
 * record yet, and the most that any call may take. */
void foreign_init(const struct foreign_transport *transport, foreign_unmount_fn unmount,
                  uint64_t limit_usec);
foreign_unmount_fn foreign_unmount(void);
const struct foreign_transport *foreign_transport(void);
uint64_t foreign_limit_usec(void);

/* At the start: those that the store has. What cannot be read is logged: the others are there. */
void foreign_load(struct store *store);
/* Is it fit to be registered? E_INVALIDARG, VSS_E_PROVIDER_ALREADY_REGISTERED (also: one of ours).
 */
int foreign_check(const struct provider_record *r, struct vss_error *reterr);
/* Into the store, and from then on among the providers; and out of both. */
int foreign_register(struct store *store, const struct provider_record *r,
                     struct vss_error *reterr);
int foreign_unregister(struct store *store, VSS_ID id, struct vss_error *reterr);

/* One at a time speaks to a provider: a set, until its copies are made, or who asks it something or
 * has it delete something; for it does one thing after the other, and nothing of ours is to stand
 * before a commit. -EBUSY: it was not this one's turn within that time. */
int foreign_turn_begin(struct foreign *f, uint64_t timeout_usec);
void foreign_turn_end(struct foreign *f);

const struct provider_record *foreign_record(const struct foreign *f);
const struct provider *foreign_provider(const struct foreign *f);
/* One that has not answered is not asked about volumes and copies for a while. */
void foreign_set_mute(struct foreign *f, uint64_t until_usec);
bool foreign_is_mute(const struct foreign *f);

/* By record or intent. NULL: it is not registered. */
struct foreign *foreign_by_name(const char *name);
