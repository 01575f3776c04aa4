#pragma once

/* The writers that take part in one session: each with its state machine,
 * its last failure, its metadata. Events go out in rounds: to all that the event is for, in
 * parallel, each with its own deadline; the round ends when each answered or ran out of time.
 * One round at a time. */

#include "daemon/writers/writer.h"

struct participants; /* of one session */
struct round;

int participants_new(struct participants **ret, struct writer_registry *r);
struct participants *participants_free(struct participants *p);
DEFINE_CLEANUP(struct participants, participants_free);

/* Who is asked to Identify: filter(userdata, writer). Those that answer well become participants.
 */
typedef bool (*writer_filter_fn)(void *userdata, const struct writer *w);
struct round_result {
        unsigned asked, failed;
        unsigned nonsense;      /* of those that failed: answered with what is no answer */
        bool fatal;             /* Freeze or Thaw failed or came late, or a frozen one vanished */
        struct vss_error error; /* the first fatal (else the first) failure, naming the writer */
};
typedef void (*round_done_fn)(void *userdata, const struct round_result *result);

int participants_identify(struct participants *p, const struct writer_event *event,
                          uint64_t timeout_usec, writer_filter_fn filter, void *filter_userdata,
                          round_done_fn done, void *userdata, struct round **ret);
/* Runs one event over those participants whose state takes it. For FREEZE: level front end, then
 * back end, then system, stopping at the first level with a failure; THAW in reverse order. done()
 * comes from the loop, never before the call returned. */
int participants_send(struct participants *p, const struct writer_event *event,
                      uint64_t timeout_usec, round_done_fn done, void *userdata,
                      struct round **ret);
/* Makes what a round of ABORT needs: the next one then cannot fail for want of memory. */
int participants_prepare_abort(struct participants *p);
/* The round is over and its done() is not called; what is still to be answered is not read. The
 * states stay where they were: Abort follows. */
void round_cancel(struct round *r);
/* Time is up: whoever has not answered is late, and the round ends with that. */
void round_expire(struct round *r);

/* When it was told an event, and when it had answered; monotonic, 0: it was not (yet). */
struct participant_times {
        uint64_t begin_usec, end_usec;
        HRESULT failure; /* what it failed at it with; S_OK: it did not */
};

/* Those that answered Identify, once that round is over. */
size_t participants_count(const struct participants *p);
struct participant_info {
        VSS_ID instance_id, class_id;
        const char *name;          /* with the instance name, if it has one */
        const char *writer_name;   /* without */
        const char *instance_name; /* NULL: none */
        const char *message;
        struct document *metadata; /* NULL: an empty one, or let go of */
        VSS_WRITER_STATE state;
        HRESULT failure, application;
        bool gone;                             /* its connection went */
        bool involved;                         /* participants_involve() chose it */
        bool took_part;                        /* it was told an event of a backup */
        const struct participant_times *times; /* of each event, the last time it was told */
};
void participants_get(const struct participants *p, size_t i, struct participant_info *ret);
/* What they said of themselves was looked at: the others are as if they had not answered. Between
 * rounds; in the order of participants_get(). */
typedef bool (*participant_filter_fn)(void *userdata, const struct participant_info *info);
void participants_keep(struct participants *p, participant_filter_fn filter, void *userdata);
/* Those that are registered and do not take part, and why; in no order. */
enum participant_absence {
        PARTICIPANT_NOT_ASKED,    /* filtered out before Identify */
        PARTICIPANT_NO_IDENTITY,  /* failed to identify itself, or did not answer */
        PARTICIPANT_NOT_ACCEPTED, /* filtered out by what it said of itself */
        _PARTICIPANT_ABSENCE_MAX,
};
struct absent_info {
        VSS_ID instance_id, class_id;
        const char *name; /* with the instance name, if it has one */
        enum participant_absence why;
};
size_t participants_count_absent(const struct participants *p);
void participants_get_absent(const struct participants *p, size_t i, struct absent_info *ret);
/* The smallest freeze timeout of those that are to be frozen: what storage has at least. */
uint64_t participants_freeze_usec(const struct participants *p, uint64_t at_most_usec);
/* When the first of the frozen reaches its limit, counted from its own Freeze, and at_usec, the
 * limit of all, at the latest: monotonic. Whom a round waits for has its deadline there. */
uint64_t participants_freeze_deadline(const struct participants *p, uint64_t at_usec);

/* From PrepareBackup or PreRestore on events go to those that are involved: all of them unless
 * chosen otherwise (component mode: those with a component of their own; a restore: those with a
 * component that is selected), and of these to those that subscribed to this kind of event. */
void participants_involve(struct participants *p, participant_filter_fn filter, void *userdata);
/* A writer takes part in one restore at a time, and the next is refused, unless it says of itself
 * that it takes several. */
void participants_allow_parallel_restores(struct participants *p, participant_filter_fn filter,
                                          void *userdata);
/* Those that get the events of a backup. */
size_t participants_involved(const struct participants *p);

/* Does one of the involved have a failure recorded? Names the first in reterr. */
bool participants_any_failed(const struct participants *p, struct vss_error *reterr);
/* Is there one that was asked to freeze and told neither Thaw nor Abort since? */
bool participants_any_frozen(const struct participants *p);

/* The components' part in the events that have one, asked and told from the loop for each writer:
 * what it is shown (*ret is the caller's to drop; NULL: none; failing: it cannot be asked), and
 * what it made of them, whatever it answered besides. Not set: no event has components. */
struct participants_components {
        int (*give)(void *userdata, const struct participant_info *info,
                    enum writer_event_type type, struct document **ret);
        void (*take)(void *userdata, const struct participant_info *info,
                     enum writer_event_type type, struct document *components);
};
void participants_set_components(struct participants *p,
                                 const struct participants_components *components, void *userdata);

/* Nobody asks for the metadata documents any more: lets go of them, but for small ones, by which
 * it is still known where a writer's files are. */
void participants_free_metadata(struct participants *p);

/* lost(userdata, error): a participant vanished between PrepareSnapshot and Thaw while no round
 * asked it; the set is to be aborted. In a round it shows in the round's result. */
typedef void (*participants_lost_fn)(void *userdata, const struct vss_error *error);
void participants_set_lost(struct participants *p, participants_lost_fn lost, void *userdata);
/* That deadline passed: the frozen whose limit, or the limit at_usec of all, is over are late.
 * Returns whether there was one; the first is named in reterr. */
bool participants_expire(struct participants *p, uint64_t now_usec, uint64_t at_usec,
                         struct vss_error *reterr);
