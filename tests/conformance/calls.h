#pragma once

/* A call of one function of the library with arguments that are text, as a row has them:
 *
 *      12, -1, VSS_CT_FILEGROUP, VSS_CTX_BACKUP|VSS_VOLSNAP_ATTR_TRANSPORTABLE, true
 *      "text", NULL
 *      @name             the value of a variable (an id, a text or a number); @null is GUID_NULL
 *      [@a @b], "0xff"   ids, bytes
 *      &name, &          an output, kept in a variable or not
 *      -                 as the function's own object: that of its interface in the bank
 *
 * An object is not written down: a bank holds one object of each interface, a call is one of the
 * bank's object, and what it hands out takes the old one's place there. calls.c is made from the
 * public headers (generate-calls) and needs the argument_...() below, which values.c has.
 *
 * After a call outputs are examined: what failed must have set them to nothing. */

#include "common/util.h"

#include <vss/vsbackup.h>
#include <vss/vsslinux.h>
#include <vss/vswriter.h>

#define ARGUMENTS_MAX 14
#define SLOTS_MAX 24
#define ARGUMENT_BYTES 1024

enum output_kind {
        OUTPUT_NONE,
        OUTPUT_NUMBER,
        OUTPUT_ID,
        OUTPUT_TEXT,
        OUTPUT_TEXT_LENT,
        OUTPUT_OBJECT,
        OUTPUT_SNAPSHOT,
        OUTPUT_OBJECTS,
        OUTPUT_PLAIN,
        OUTPUT_INFO,
};

enum output_struct { STRUCT_SNAPSHOT, STRUCT_OBJECT, STRUCT_PLAIN };

/* Where a function puts a result. */
struct output {
        enum output_kind kind;
        size_t size; /* of a number */
        int slot;    /* of an object */
        union {
                uint64_t number;
                uint8_t bytes[sizeof(VSS_OBJECT_PROP) * 4];
                VSS_ID id;
                char *text;
                const char *lent;
                void *object;
                VSS_SNAPSHOT_PROP snapshot;
                VSS_OBJECT_PROP objects[4];
                PVSSCOMPONENTINFO info;
        };
};

struct bank {
        void *objects[SLOTS_MAX];
        bool borrowed[SLOTS_MAX]; /* handed to a handler: not ours to release */
        PVSSCOMPONENTINFO info;   /* of GetComponentInfo, for FreeComponentInfo */
};

struct call {
        struct bank *bank;
        char arguments[ARGUMENTS_MAX][ARGUMENT_BYTES];
        unsigned n_arguments;
        struct output outputs[ARGUMENTS_MAX];
        VSS_ID ids[4];
        const char *problem; /* what is wrong with the arguments; static */
};

struct call_row {
        const char *name; /* "IVssBackupComponents_SetContext" */
        HRESULT (*function)(struct call *c);
        unsigned n_arguments;
        int slot;  /* of the object that it is a method of; -1: none */
        int makes; /* the slot of an object that it hands out; -1: none */
};
extern const struct call_row call_rows[];

struct slot_row {
        const char *name;
        void (*release)(void *object); /* NULL: objects of this kind are not ours */
};
extern const struct slot_row slot_rows[];

struct constant_row {
        const char *name;
        int64_t value;
};
extern const struct constant_row constant_rows[];

int64_t argument_number(struct call *c, unsigned i);
void *argument_number_out(struct call *c, unsigned i, size_t size);
char *argument_text(struct call *c, unsigned i);
char **argument_text_out(struct call *c, unsigned i);
const char **argument_text_lent(struct call *c, unsigned i);
VSS_ID argument_id(struct call *c, unsigned i);
VSS_ID *argument_id_out(struct call *c, unsigned i);
const VSS_ID *argument_ids(struct call *c, unsigned i);
const BYTE *argument_bytes(struct call *c, unsigned i);
FILETIME argument_filetime(struct call *c, unsigned i);
void *argument_struct_out(struct call *c, unsigned i, enum output_struct kind);
PVSSCOMPONENTINFO *argument_info_out(struct call *c, unsigned i);
PVSSCOMPONENTINFO argument_info(struct call *c, unsigned i);
void *argument_object(struct call *c, unsigned i, int slot);
void *argument_object_out(struct call *c, unsigned i, int slot);
/* The fixture's (fixture-writer.h). */
const VSS_WRITER_CALLBACKS *argument_callbacks(struct call *c, unsigned i);
void *argument_user(struct call *c, unsigned i);
