#pragma once

/* The writers that take part in one session: each with its state machine (spec/writer.md, 1.10),
 * its last failure, its metadata. Events go out in rounds: to all that the event is for, in
 * parallel, each with its own deadline; the round ends when each answered or ran out of time. */

#include "daemon/writers/writer.h"

struct participants; /* of one session */
struct round;

int participants_new(struct participants **ret, struct writer_registry *r);
struct participants *participants_free(struct participants *p);
DEFINE_CLEANUP(struct participants, participants_free);

/* Who is asked to Identify: filter(userdata, writer). Those that answer well become participants. */
typedef bool (*writer_filter_fn)(void *userdata, const struct writer *w);
struct round_result {
        unsigned asked, failed;
        bool fatal;             /* Freeze or Thaw failed or came late, or a frozen one vanished */
        struct vss_error error; /* the first fatal (else the first) failure, naming the writer */
};
typedef void (*round_done_fn)(void *userdata, const struct round_result *result);

int participants_identify(struct participants *p, const struct writer_event *event,
                          uint64_t timeout_usec, writer_filter_fn filter, void *filter_userdata,
                          round_done_fn done, void *userdata, struct round **ret);
/* Runs one event over those participants whose state takes it. For FREEZE: level front end, then
 * back end, then system, stopping at the first level with a failure; THAW in reverse order. */
int participants_send(struct participants *p, const struct writer_event *event,
                      uint64_t timeout_usec, round_done_fn done, void *userdata,
                      struct round **ret);
void round_cancel(struct round *r);

size_t participants_count(const struct participants *p);
struct participant_info {
        VSS_ID instance_id, class_id;
        const char *name, *metadata, *message;
        VSS_WRITER_STATE state;
        HRESULT failure, application;
        bool gone; /* its connection went */
};
void participants_get(const struct participants *p, size_t i, struct participant_info *ret);
/* The smallest freeze timeout of all, for the coordinator's deadline. */
uint64_t participants_freeze_usec(const struct participants *p, uint64_t at_most_usec);
