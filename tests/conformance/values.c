/* Arguments and variables: see values.h and calls.h. */

#include "tests/conformance/values.h"

#include "common/vss-id.h"

#include <ctype.h>
#include <stdio.h>

#define VARIABLES_MAX 64

enum variable_kind { VARIABLE_ID, VARIABLE_TEXT, VARIABLE_NUMBER };

static struct variable {
        char name[32];
        enum variable_kind kind;
        VSS_ID id;
        char *text;
        int64_t number;
} variables[VARIABLES_MAX];
static size_t n_variables, n_kept;

static struct variable *variable_find(const char *name) {
        for (size_t i = 0; i < n_variables; i++)
                if (streq(variables[i].name, name))
                        return &variables[i];
        return NULL;
}

static struct variable *variable_make(const char *name, enum variable_kind kind) {
        struct variable *v = variable_find(name);

        if (!v) {
                if (n_variables == VARIABLES_MAX || strlen(name) >= sizeof(v->name)) {
                        (void)fprintf(stderr, "no room for the variable %s\n", name);
                        abort();
                }
                v = &variables[n_variables++];
                *v = (struct variable){ 0 };
                memcpy(v->name, name, strlen(name) + 1);
        }
        v->kind = kind;
        return v;
}

void variable_set_id(const char *name, VSS_ID id) {
        variable_make(name, VARIABLE_ID)->id = id;
}

void variable_set_text(const char *name, const char *text) {
        struct variable *v = variable_make(name, VARIABLE_TEXT);
        char *copy = text ? strdup(text) : NULL;

        free(v->text);
        v->text = copy;
}

void variable_set_number(const char *name, int64_t number) {
        variable_make(name, VARIABLE_NUMBER)->number = number;
}

void variables_forget(void) {
        while (n_variables > n_kept) {
                struct variable *v = &variables[--n_variables];

                free(v->text);
                *v = (struct variable){ 0 };
        }
}

void variables_keep(void) {
        n_kept = n_variables;
}

static void complain(struct call *c, const char *problem) {
        if (!c->problem)
                c->problem = problem;
}

/* Commas inside quotes and brackets do not count. */
void arguments_split(struct call *c, const char *text) {
        bool quoted = false, bracketed = false;
        size_t n = 0;

        c->n_arguments = 0;
        while (isspace((unsigned char)*text))
                text++;
        if (!*text)
                return;
        for (;; text++) {
                char *argument = c->arguments[c->n_arguments];

                if (*text == '"')
                        quoted = !quoted;
                else if (!quoted && (*text == '[' || *text == ']'))
                        bracketed = *text == '[';
                if (*text && (*text != ',' || quoted || bracketed)) {
                        if ((n > 0 || !isspace((unsigned char)*text)) && n + 1 < ARGUMENT_BYTES)
                                argument[n++] = *text;
                        continue;
                }
                while (n > 0 && isspace((unsigned char)argument[n - 1]))
                        n--;
                argument[n] = '\0';
                n = 0;
                c->n_arguments++;
                if (!*text)
                        return;
                if (c->n_arguments == ARGUMENTS_MAX) {
                        complain(c, "too many arguments");
                        return;
                }
        }
}

static bool number_parse(const char *text, int64_t *ret) {
        char *end = NULL;
        long long value;

        errno = 0;
        value = strtoll(text, &end, 0);
        if (errno || end == text || *end)
                return false;
        *ret = value;
        return true;
}

bool constant_parse(const char *text, int64_t *ret) {
        int64_t all = 0;

        for (;;) {
                size_t n = strcspn(text, "|");
                char word[80];
                int64_t one = 0;
                bool known;

                if (n >= sizeof(word))
                        return false;
                memcpy(word, text, n);
                word[n] = '\0';
                known = number_parse(word, &one);
                if (streq(word, "true") || streq(word, "false")) {
                        one = streq(word, "true");
                        known = true;
                }
                for (size_t i = 0; !known && constant_rows[i].name; i++)
                        if (streq(constant_rows[i].name, word)) {
                                one = constant_rows[i].value;
                                known = true;
                        }
                if (!known)
                        return false;
                all |= one;
                if (!text[n])
                        break;
                text += n + 1;
        }
        *ret = all;
        return true;
}

/* The variable that the argument names; NULL: none. */
static struct variable *named(struct call *c, const char *argument) {
        struct variable *v;

        if (argument[0] != '@')
                return NULL;
        v = variable_find(argument + 1);
        if (!v)
                complain(c, "an unknown variable");
        return v;
}

int64_t argument_number(struct call *c, unsigned i) {
        struct variable *v = named(c, c->arguments[i]);
        int64_t value = 0;

        if (v && v->kind == VARIABLE_NUMBER)
                return v->number;
        if (v || !constant_parse(c->arguments[i], &value))
                complain(c, "no number and no constant");
        return value;
}

/* Quotes are taken off in place; "\xHH" makes a byte. */
char *argument_text(struct call *c, unsigned i) {
        char *text = c->arguments[i], *to = text;
        struct variable *v = named(c, text);
        size_t n = strlen(text);

        if (v && v->kind == VARIABLE_TEXT)
                return v->text;
        if (v && v->kind == VARIABLE_ID)
                return VssIdToString(v->id, text);
        if (streq(text, "NULL"))
                return NULL;
        if (n < 2 || text[0] != '"' || text[n - 1] != '"') {
                complain(c, "no text");
                return text;
        }
        text[n - 1] = '\0';
        for (const char *from = text + 1; *from; from++) {
                unsigned byte;

                if (from[0] == '\\' && from[1] == 'x' && sscanf(from + 2, "%2x", &byte) == 1) {
                        *to++ = (char)byte;
                        from += 3;
                } else
                        *to++ = *from;
        }
        *to = '\0';
        return text;
}

static VSS_ID id_of(struct call *c, const char *text) {
        struct variable *v = named(c, text);
        VSS_ID id = GUID_NULL;

        if (v && v->kind == VARIABLE_ID)
                return v->id;
        if (v || vss_id_parse(&id, text) < 0)
                complain(c, "no id");
        return id;
}

VSS_ID argument_id(struct call *c, unsigned i) {
        return id_of(c, c->arguments[i]);
}

const VSS_ID *argument_ids(struct call *c, unsigned i) {
        char *text = c->arguments[i], *rest = NULL;
        size_t n = 0;

        if (streq(text, "NULL"))
                return NULL;
        for (char *word = strtok_r(text, "[ ]", &rest); word; word = strtok_r(NULL, "[ ]", &rest)) {
                if (n == ARRAY_SIZE(c->ids)) {
                        complain(c, "too many ids");
                        break;
                }
                c->ids[n++] = id_of(c, word);
        }
        return c->ids;
}

const BYTE *argument_bytes(struct call *c, unsigned i) {
        return (const BYTE *)argument_text(c, i);
}

/* As one number. */
FILETIME argument_filetime(struct call *c, unsigned i) {
        uint64_t time = (uint64_t)argument_number(c, i);

        return (FILETIME){ .dwLowDateTime = (DWORD)time, .dwHighDateTime = (DWORD)(time >> 32) };
}

static struct output *output_make(struct call *c, unsigned i, enum output_kind kind) {
        struct output *o = &c->outputs[i];

        if (streq(c->arguments[i], "NULL"))
                return NULL;
        if (c->arguments[i][0] != '&')
                complain(c, "no output");
        o->kind = kind;
        /* Nothing, or what a failing call must take away. */
        memset(o->bytes, kind == OUTPUT_ID || kind == OUTPUT_NUMBER ? 0x5a : 0, sizeof(o->bytes));
        return o;
}

void *argument_number_out(struct call *c, unsigned i, size_t size) {
        struct output *o = output_make(c, i, OUTPUT_NUMBER);

        if (!o)
                return NULL;
        o->size = size;
        return o->bytes;
}

VSS_ID *argument_id_out(struct call *c, unsigned i) {
        struct output *o = output_make(c, i, OUTPUT_ID);

        return o ? &o->id : NULL;
}

char **argument_text_out(struct call *c, unsigned i) {
        struct output *o = output_make(c, i, OUTPUT_TEXT);

        return o ? &o->text : NULL;
}

const char **argument_text_lent(struct call *c, unsigned i) {
        struct output *o = output_make(c, i, OUTPUT_TEXT_LENT);

        return o ? &o->lent : NULL;
}

void *argument_struct_out(struct call *c, unsigned i, enum output_struct kind) {
        struct output *o = output_make(c, i,
                                       kind == STRUCT_SNAPSHOT ? OUTPUT_SNAPSHOT
                                       : kind == STRUCT_OBJECT ? OUTPUT_OBJECTS
                                                               : OUTPUT_PLAIN);

        return o ? o->bytes : NULL;
}

PVSSCOMPONENTINFO *argument_info_out(struct call *c, unsigned i) {
        struct output *o = output_make(c, i, OUTPUT_INFO);

        return o ? &o->info : NULL;
}

PVSSCOMPONENTINFO argument_info(struct call *c, unsigned i) {
        return streq(c->arguments[i], "NULL") ? NULL : TAKE_PTR(c->bank->info);
}

/* "-": that of the bank. */
void *argument_object(struct call *c, unsigned i, int slot) {
        if (streq(c->arguments[i], "NULL"))
                return NULL;
        if (!streq(c->arguments[i], "-"))
                complain(c, "an object is written -");
        if (!c->bank->objects[slot])
                complain(c, "there is no such object yet");
        return c->bank->objects[slot];
}

void *argument_object_out(struct call *c, unsigned i, int slot) {
        struct output *o = output_make(c, i, OUTPUT_OBJECT);

        if (!o)
                return NULL;
        o->slot = slot;
        return &o->object;
}

const char *outputs_examine(const struct call *c) {
        for (unsigned i = 0; i < ARGUMENTS_MAX; i++) {
                const struct output *o = &c->outputs[i];

                switch (o->kind) {
                case OUTPUT_NONE:
                case OUTPUT_SNAPSHOT:
                case OUTPUT_OBJECTS:
                case OUTPUT_PLAIN: break;
                case OUTPUT_NUMBER:
                        for (size_t k = 0; k < o->size; k++)
                                if (o->bytes[k])
                                        return "an output number that is not 0";
                        break;
                case OUTPUT_ID:
                        if (!vss_id_is_null(o->id))
                                return "an output id that is not GUID_NULL";
                        break;
                case OUTPUT_TEXT:
                case OUTPUT_TEXT_LENT:
                case OUTPUT_OBJECT:
                case OUTPUT_INFO:
                        if (o->object)
                                return "an output pointer that is not NULL";
                        break;
                }
        }
        return NULL;
}

static void output_keep(struct output *o, const char *name) {
        switch (o->kind) {
        case OUTPUT_NUMBER: {
                int64_t number = 0;

                memcpy(&number, o->bytes, o->size); /* little-endian, not negative */
                variable_set_number(name, number);
                break;
        }
        case OUTPUT_ID: variable_set_id(name, o->id); break;
        case OUTPUT_TEXT: variable_set_text(name, o->text); break;
        case OUTPUT_TEXT_LENT: variable_set_text(name, o->lent); break;
        case OUTPUT_NONE:
        case OUTPUT_OBJECT:
        case OUTPUT_SNAPSHOT:
        case OUTPUT_OBJECTS:
        case OUTPUT_PLAIN:
        case OUTPUT_INFO: break;
        }
}

static void bank_put(struct bank *bank, int slot, void *object) {
        if (bank->objects[slot] && !bank->borrowed[slot] && slot_rows[slot].release)
                slot_rows[slot].release(bank->objects[slot]);
        bank->objects[slot] = object;
        bank->borrowed[slot] = false;
}

/* Any component may free it. */
static void bank_put_info(struct bank *bank, PVSSCOMPONENTINFO info) {
        for (int i = 0; bank->info && slot_rows[i].name; i++)
                if (streq(slot_rows[i].name, "IVssWMComponent") && bank->objects[i]) {
                        (void)IVssWMComponent_FreeComponentInfo(bank->objects[i], bank->info);
                        bank->info = NULL;
                }
        bank->info = info;
}

static void free_object(VSS_OBJECT_PROP *o) {
        if (o->Type == VSS_OBJECT_SNAPSHOT)
                VssFreeSnapshotProperties(&o->Obj.Snap);
        if (o->Type == VSS_OBJECT_PROVIDER) {
                SysFreeString(o->Obj.Prov.m_pwszProviderName);
                SysFreeString(o->Obj.Prov.m_pwszProviderVersion);
        }
}

void outputs_take(struct call *c) {
        for (unsigned i = 0; i < ARGUMENTS_MAX; i++) {
                struct output *o = &c->outputs[i];

                if (o->kind != OUTPUT_NONE && c->arguments[i][0] == '&' && c->arguments[i][1])
                        output_keep(o, c->arguments[i] + 1);
                if (o->kind == OUTPUT_TEXT)
                        SysFreeString(o->text);
                else if (o->kind == OUTPUT_OBJECT && o->object)
                        bank_put(c->bank, o->slot, o->object);
                else if (o->kind == OUTPUT_SNAPSHOT)
                        VssFreeSnapshotProperties(&o->snapshot);
                else if (o->kind == OUTPUT_OBJECTS)
                        for (size_t k = 0; k < ARRAY_SIZE(o->objects); k++)
                                free_object(&o->objects[k]);
                else if (o->kind == OUTPUT_INFO && o->info)
                        bank_put_info(c->bank, o->info);
                o->kind = OUTPUT_NONE;
        }
}

/* What came last goes first: an object may need the one that it is of. */
void bank_clear(struct bank *bank) {
        static const char *const first[] = { "IVssAsync", "IVssEnumObject", "IVssComponent",
                                             "IVssWriterComponents" };

        bank_put_info(bank, NULL);
        for (size_t k = 0; k < ARRAY_SIZE(first); k++)
                for (int i = 0; slot_rows[i].name; i++)
                        if (streq(slot_rows[i].name, first[k]))
                                bank_put(bank, i, NULL);
        for (int i = 0; slot_rows[i].name; i++)
                bank_put(bank, i, NULL);
}
