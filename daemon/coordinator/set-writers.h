#pragma once

/* The writers of a set in creation as they stand when it is sealed: those that took part, and those
 * that did not and why; and on which of its volumes each has files. */

#include "common/vss-error.h"
#include <stddef.h>
#include <vss/vswriter.h>

struct document;
struct participants;
struct set_steps;
struct volume;

struct set_writer {
        VSS_ID class_id, instance_id;
        char *name;
        VSS_WRITER_STATE state;
        HRESULT failure;
        char *message;        /* the application's; "" or NULL: it said nothing */
        const char *left_out; /* why it did not take part; NULL: it did */
        struct document *metadata;

        /* After set_writers_locate(). */
        bool *on;      /* of each volume: it has files there, or it cannot be ruled out */
        bool located;  /* its metadata says where its files are */
        char *outside; /* a directory of it that is on none of the volumes; NULL: there is none */
};

struct set_writers {
        struct set_writer *items;
        size_t n, n_volumes;
};

/* component_mode: those without a component are left out. participants NULL: nobody is there. */
int set_writers_new(struct set_writers **ret, const struct participants *participants,
                    bool component_mode);
struct set_writers *set_writers_free(struct set_writers *w);
DEFINE_CLEANUP(struct set_writers, set_writers_free);

/* Reads their metadata: for workers. -ENOMEM */
int set_writers_locate(struct set_writers *w, const struct volume *const *volumes, size_t n);
/* A line for each of those that took part and have files on volume i, the failed first: "WRITER-ID
 * INSTANCE-ID 0xHRESULT NAME". *ret is NULL without any. */
int set_writers_describe(const struct set_writers *w, size_t i, char **ret);
/* When each writer was told which event of the set. */
void set_writers_note_steps(const struct participants *participants, struct set_steps *steps);
