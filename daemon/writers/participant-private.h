#pragma once

/* Inside daemon/writers/ only: what participants and rounds know of each other. */

#include "common/document.h"
#include "daemon/writers/participant.h"
#include "daemon/writers/writer-private.h"
#include "daemon/writers/writer-state.h"

struct participant {
        struct participants *owner;
        struct writer_link link; /* link.writer is NULL once the writer is gone */
        VSS_ID instance_id, class_id;
        char *name, *instance_name; /* name: with the instance name, if it has one */
        char *writer_name;          /* without */
        size_t index;               /* in the owner's items, and of its call in a round */
        uint32_t subscribe;         /* VSS_SM_..._FLAG: the kinds of events it takes */
        struct document *metadata;
        VSS_APPLICATION_LEVEL level;
        uint64_t freeze_usec;
        struct writer_session_state state;
        bool identified; /* else it is only asked to Identify as yet */
        bool involved;   /* the operation concerns it */
        bool took_part;  /* was sent an event of the operation: it is owed Abort and the like */
        bool told;       /* was sent any event but Identify: its state is this session's */
        bool late;       /* did not answer in time, and nothing since */
        bool frozen;     /* was sent Freeze and neither Thaw nor Abort since */
        uint64_t frozen_since_usec; /* monotonic */
        bool parallel;              /* it takes several restores at a time */
        enum writer_slot slot;      /* it is counted among the writer's sessions */
        struct participant_times times[_WRITER_EVENT_MAX];
};

/* One that does not take part. */
struct absent {
        VSS_ID instance_id, class_id;
        char *name;
        enum participant_absence why;
};

struct participants {
        struct writer_registry *registry;
        struct participant **items;
        size_t n;
        struct absent *absent;
        size_t n_absent;
        bool identified;     /* the round of Identify is over: items are those that answered */
        struct round *round; /* running; NULL: none */
        struct round *abort_spare; /* for an Abort that must not fail */
        participants_lost_fn lost;
        void *userdata;
        const struct participants_components *components; /* NULL: events carry none */
        void *components_userdata;
};

int participant_new(struct participant **ret, struct participants *owner, struct writer *w);
struct participant *participant_free(struct participant *p);
DEFINE_CLEANUP(struct participant, participant_free);

void participant_info(const struct participant *p, struct participant_info *ret);
/* Remembers that it, or the writer, does not take part; without memory nobody hears of it. */
void participant_dismiss(struct participant *p, enum participant_absence why);
void participants_note_absent(struct participants *p, const struct writer *w,
                              enum participant_absence why);
/* Did it subscribe to events of this type's kind? Identify is of both. */
bool participant_takes(const struct participant *p, enum writer_event_type type);
/* The writer keeps something for this session from its first event on, which is of this type;
 * -EBUSY: it has *ret_max sessions of this kind, as many as it can. */
int participant_take_slot(struct participant *p, enum writer_event_type type, unsigned *ret_max);
void participant_drop_slot(struct participant *p);
/* Gives the state to the registry, for those without a session. */
void participant_publish(const struct participant *p);
/* The sentence for a failure of type: "writer NAME failed to freeze: ...". */
void participant_explain(const struct participant *p, enum writer_event_type type,
                         const struct writer_reply *reply, uint64_t waited_usec,
                         struct vss_error *reterr);
struct round *round_free(struct round *r);
/* Does the round wait for its answer? */
bool round_is_asking(const struct round *r, const struct participant *p);
/* The round's half of a lost writer; true if a call of it was running. */
bool round_lose(struct round *r, struct participant *p);
