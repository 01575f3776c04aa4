/* See machine.h. */

#include "tests/conformance/machine.h"

#include "tests/conformance/fixture.h"
#include "tests/conformance/memory.h"
#include "tests/conformance/values.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define WAIT_MS 60000
#define HANDLER_MS 5000
#define IN_PROGRESS_MS 50
#define NESTING_MAX 12

static const struct rows *states;

/* One chain of statements: whose objects it uses, and where it stands. */
struct run {
        const char *section;
        struct bank banks[2];
        unsigned bank;
        bool no_object; /* for the next call */
        unsigned nesting;
        char problem[512];
};

static struct run main_run, handler_run;

/* Sets that were begun; those that outlive their object are deleted with the row. */
static struct {
        VSS_ID ids[32];
        size_t n;
} sets;

/* What is to be done in a handler; the main thread reads it again when done is set. */
static struct {
        char handler[32];
        const char *statements;
        const struct attempt *attempt;
        struct outcome outcome;
        atomic_bool waits, done;
} pending;

void machine_init(const struct rows *rows) {
        states = rows;
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct run *r, const char *format, ...) {
        va_list ap;

        if (r->problem[0])
                return false;
        va_start(ap, format);
        (void)vsnprintf(r->problem, sizeof(r->problem), format, ap);
        va_end(ap);
        return false;
}

static bool same_interface(const char *function, size_t n, const char *interface) {
        size_t k = strlen(interface);

        if (n < k || strncmp(function, interface, k) != 0)
                return false;
        /* IVssComponentEx2 is an IVssComponent. */
        return n == k || (strncmp(function + k, "Ex", 2) == 0 && n - k <= 3);
}

/* of NULL: any interface, if one alone has the method. */
static const struct call_row *find_in(const char *of, const char *method) {
        const struct call_row *found = NULL;

        for (const struct call_row *row = call_rows; row->name; row++) {
                size_t n = strcspn(row->name, "_");

                if (row->name[n] && streq(row->name + n + 1, method)) {
                        if (of && same_interface(row->name, n, of))
                                return row;
                        if (!of && found)
                                return NULL;
                        found = row;
                } else if (!of && streq(row->name, method))
                        return row;
        }
        return of ? NULL : found;
}

static const struct call_row *find(const struct run *r, const char *method) {
        const char *dot = strchr(method, '.');
        const struct call_row *row;

        if (dot) {
                char interface[64];

                (void)snprintf(interface, sizeof(interface), "%.*s", (int)(dot - method), method);
                return find_in(interface, dot + 1);
        }
        row = find_in(r->section, method);
        if (!row)
                row = find_in("IVssBackupComponents", method);
        return row ? row : find_in(NULL, method);
}

static void *async_of(struct bank *bank) {
        for (int i = 0; slot_rows[i].name; i++)
                if (streq(slot_rows[i].name, "IVssAsync"))
                        return bank->objects[i];
        return NULL;
}

/* What became of the operation that a call began. */
static HRESULT operation_end(struct run *r) {
        IVssAsync *async = async_of(&r->banks[r->bank]);
        HRESULT hr, status = S_OK;

        hr = IVssAsync_Wait(async, WAIT_MS);
        if (hr == S_OK)
                hr = IVssAsync_QueryStatus(async, &status, NULL);
        if (hr != S_OK)
                return hr;
        if (status == VSS_S_ASYNC_PENDING)
                (void)refuse(r, "the operation has not ended in %u s", WAIT_MS / 1000);
        return status == VSS_S_ASYNC_FINISHED ? S_OK : status;
}

/* Calls; again, where the set before is still being put back. */
static HRESULT invoke(const struct call_row *row, struct call *c, const struct attempt *attempt,
                      bool *ret_armed) {
        HRESULT hr = S_OK;

        for (unsigned n = 0; n < IN_PROGRESS_MS; n++) {
                /* A memory that fails in the service is disarmed by what asked for it. */
                if (attempt && attempt->fail_allocation && attempt->remote)
                        (void)fixture_remote_memory(attempt->fail_allocation);
                else if (attempt && attempt->fail_allocation)
                        memory_arm(attempt->fail_allocation);
                hr = row->function(c);
                *ret_armed = memory_disarm();
                if (hr != VSS_E_SNAPSHOT_SET_IN_PROGRESS)
                        break;
                (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        }
        return hr;
}

static void set_note(const struct call *c, const char *method, HRESULT hr) {
        if (streq(method, "StartSnapshotSet") && hr == S_OK && sets.n < ARRAY_SIZE(sets.ids))
                sets.ids[sets.n++] = c->outputs[1].id;
}

/* These give outputs on failure, too. */
static bool fails_with_news(const char *method) {
        return streq(method, "DeleteSnapshots") || streq(method, "QueryStatus");
}

/* What every failure owes: outputs that are nothing, and a sentence. */
static bool failure_check(struct run *r, const char *method, HRESULT hr, const struct call *c) {
        const char *left = fails_with_news(method) ? NULL : outputs_examine(c);

        if (left)
                return refuse(r, "%s fails with %#x and leaves %s", method, (unsigned)hr, left);
        if (hr != E_OUTOFMEMORY && str_empty(VssLastErrorMessage()))
                return refuse(r, "%s fails with %#x and no sentence", method, (unsigned)hr);
        return true;
}

/* false: it could not be called; S_FALSE is a result. */
static bool call(struct run *r, const char *method, const char *text, bool wait,
                 const struct attempt *attempt, struct outcome *ret) {
        _cleanup_(freep) struct call *c = calloc(1, sizeof(*c));
        const struct call_row *row = find(r, method);
        char arguments[ARGUMENT_BYTES];

        if (!c)
                abort();
        if (!row)
                return refuse(r, "there is no function %s of %s", method, r->section);
        (void)snprintf(arguments, sizeof(arguments), "%s%s%s",
                       row->slot < 0  ? ""
                       : r->no_object ? "NULL"
                                      : "-",
                       row->slot >= 0 && text[0] ? ", " : "", text);
        r->no_object = false;
        c->bank = &r->banks[r->bank];
        arguments_split(c, arguments);
        if (row->slot >= 0 && row->n_arguments == 1)
                c->n_arguments = text[0] ? 2 : 1;
        if (c->n_arguments != row->n_arguments)
                return refuse(r, "%s takes %u arguments, not \"%s\"", row->name,
                              row->n_arguments - (row->slot >= 0), text);
        if (row->slot >= 0 && !streq(c->arguments[0], "NULL") && !c->bank->objects[row->slot])
                return refuse(r, "%s: there is no such object yet", row->name);
        ret->hr = invoke(row, c, attempt, &ret->armed);
        if (c->problem)
                return refuse(r, "%s(%s): %s", method, text, c->problem);
        if (FAILED(ret->hr) && !failure_check(r, method, ret->hr, c))
                return false;
        set_note(c, method, ret->hr);
        outputs_take(c);
        /* The one object that stays the library's. */
        if (streq(method, "GetIdentifyInformation") && ret->hr == S_OK)
                c->bank->borrowed[row->makes] = true;
        if (ret->hr == S_OK && wait && row->makes >= 0 &&
            streq(slot_rows[row->makes].name, "IVssAsync"))
                ret->hr = operation_end(r);
        (void)snprintf(ret->message, sizeof(ret->message), "%s",
                       FAILED(ret->hr) ? VssLastErrorMessage() : "");
        if (attempt && attempt->remote)
                (void)fixture_remote_memory(0);
        return !r->problem[0];
}

static bool state_run(struct run *r, const char *section, const char *statements);

static const struct row *state_find(const char *name) {
        for (size_t i = 0; i < states->n; i++)
                if (streq(states->rows[i].columns[0], name))
                        return &states->rows[i];
        return NULL;
}

static bool recipe(struct run *r, const char *name) {
        const struct row *row = state_find(name);
        bool ok;

        if (!row)
                return refuse(r, "there is no state %s", name);
        if (++r->nesting > NESTING_MAX)
                return refuse(r, "the recipe %s comes back to itself", name);
        ok = state_run(r, row->section, str_or_empty(row_column(row, 1)));
        r->nesting--;
        return ok;
}

static bool compare(struct run *r, const char *text) {
        _cleanup_(freep) struct call *c = calloc(1, sizeof(*c));
        int64_t a, b;

        if (!c)
                abort();
        arguments_split(c, text);
        if (c->n_arguments != 2)
                return refuse(r, "is(%s) takes two values", text);
        if (constant_parse(c->arguments[1], &b)) {
                a = argument_number(c, 0);
                if (c->problem)
                        return refuse(r, "is(%s): %s", text, c->problem);
                return a == b || (uint32_t)a == (uint32_t)b ||
                       refuse(r, "%s is %#llx", text, (unsigned long long)a);
        } else {
                const char *one = argument_text(c, 0), *two = argument_text(c, 1);

                if (c->problem)
                        return refuse(r, "is(%s): %s", text, c->problem);
                return streq(str_or_empty(one), str_or_empty(two)) ||
                       refuse(r, "is(%s): it is \"%s\"", text, str_or_empty(one));
        }
}

/* So many volumes more in the set; of the storage that is not there. */
static bool many(struct run *r, unsigned n) {
        for (unsigned i = 1; i <= n; i++) {
                struct outcome outcome = { .hr = S_OK };
                char text[64];

                (void)snprintf(text, sizeof(text), "\"/srv/v%u\", @null, &", i);
                if (!call(r, "AddToSnapshotSet", text, false, NULL, &outcome))
                        return false;
                if (outcome.hr != S_OK)
                        return refuse(r, "volume %u is %#x: %s", i, (unsigned)outcome.hr,
                                      VssLastErrorMessage());
        }
        return true;
}

/* 1: done, 0: it is none of these, -1: problem. */
static int command(struct run *r, const char *verb, const char *text) {
        char word[64] = "", second[64] = "0";
        int64_t number = 0;
        bool ok;

        (void)sscanf(text, "\"%63[^\"]\" , %63s", word, second);
        if (streq(verb, "other") || streq(verb, "self")) {
                r->bank = streq(verb, "other");
                return 1;
        }
        if (streq(verb, "null")) {
                r->no_object = true;
                return 1;
        }
        if (streq(verb, "is"))
                return compare(r, text) ? 1 : -1;
        if (streq(verb, "drop")) { /* all objects of the set */
                bank_clear(&r->banks[r->bank]);
                return 1;
        }
        if (streq(verb, "many"))
                return many(r, (unsigned)strtoul(text, NULL, 10)) ? 1 : -1;
        if (streq(verb, "stranger"))
                ok = fixture_stranger();
        else if (streq(verb, "fail"))
                ok = constant_parse(second, &number) && fixture_fail(word, (HRESULT)number);
        else if (streq(verb, "slow"))
                ok = constant_parse(second, &number) && fixture_slow(word, (unsigned)number);
        else if (streq(verb, "busy"))
                ok = fixture_busy();
        else if (streq(verb, "breakable"))
                ok = fixture_breakable();
        else if (streq(verb, "revertable"))
                ok = fixture_revertable();
        else if (streq(verb, "reverted"))
                ok = fixture_reverted();
        else if (streq(verb, "lose"))
                ok = fixture_lose();
        else if (streq(verb, "veto"))
                ok = fixture_veto(word);
        else if (streq(verb, "mute"))
                ok = fixture_mute(word);
        else if (streq(verb, "damaged"))
                ok = fixture_damaged(word);
        else if (streq(verb, "muted"))
                ok = fixture_muted();
        else if (streq(verb, "nest"))
                ok = fixture_nest();
        else if (streq(verb, "deep"))
                ok = fixture_deep();
        else if (streq(verb, "block"))
                ok = fixture_block();
        else if (streq(verb, "leave"))
                ok = fixture_leave();
        else
                return 0;
        if (!ok)
                (void)refuse(r, "%s(%s) is not possible here", verb, text);
        return ok ? 1 : -1;
}

static bool statement(struct run *r, char *text) {
        struct outcome outcome = { .hr = S_OK };
        char *open = strchr(text, '('), *method = text;
        bool wait = true;
        size_t n;
        int k;

        if (!open)
                return recipe(r, text);
        n = strlen(open);
        if (open[n - 1] != ')')
                return refuse(r, "\"%s\" has no closing bracket", text);
        open[n - 1] = '\0';
        *open++ = '\0';
        if (strncmp(method, "start ", 6) == 0) {
                method += 6;
                wait = false;
        }
        k = command(r, method, open);
        if (k != 0)
                return k > 0;
        if (!call(r, method, open, wait, NULL, &outcome))
                return false;
        return SUCCEEDED(outcome.hr) || refuse(r, "%s(%s) is %#x: %s", method, open,
                                               (unsigned)outcome.hr, VssLastErrorMessage());
}

/* The end of a statement: a ';' outside quotes. */
static size_t statement_length(const char *text) {
        bool quoted = false;
        size_t n;

        for (n = 0; text[n] && (quoted || text[n] != ';'); n++)
                if (text[n] == '"')
                        quoted = !quoted;
        return n;
}

static bool statements_run(struct run *r, const char *text) {
        while (*text) {
                size_t n = statement_length(text), first = strspn(text, " \t"), last = n;
                char *one;
                bool ok;

                while (last > first && text[last - 1] == ' ')
                        last--;
                one = strndup(text + first, last - first);
                if (!one)
                        abort();
                ok = !one[0] || statement(r, one);
                free(one);
                if (!ok)
                        return false;
                text += n + (text[n] == ';');
        }
        return true;
}

static bool state_run(struct run *r, const char *section, const char *statements) {
        const char *before = r->section;
        bool ok;

        r->section = section;
        ok = statements_run(r, statements);
        r->section = before;
        return ok;
}

static void run_begin(struct run *r, const char *section) {
        *r = (struct run){ .section = section };
}

static void run_end(struct run *r) {
        for (size_t i = ARRAY_SIZE(r->banks); i-- > 0;)
                bank_clear(&r->banks[i]);
}

static void finish(struct run *r, const struct attempt *a, struct outcome *ret) {
        if (call(r, a->method, a->arguments, true, a, ret) && a->after)
                (void)statements_run(r, a->after);
        memcpy(ret->problem, r->problem, sizeof(ret->problem));
}

static void lend(struct run *r, const char *slot, void *object) {
        for (int i = 0; slot_rows[i].name; i++)
                if (slot && streq(slot_rows[i].name, slot)) {
                        r->banks[0].objects[i] = object;
                        r->banks[0].borrowed[i] = true;
                }
}

bool machine_document(CVssWriter *writer, IVssCreateWriterMetadata *metadata) {
        struct run r;
        bool ok;

        run_begin(&r, "IVssCreateWriterMetadata");
        lend(&r, "CVssWriter", writer);
        lend(&r, "IVssCreateWriterMetadata", metadata);
        ok = recipe(&r, "document");
        if (!ok)
                (void)fprintf(stderr, "the writer's document: %s\n", r.problem);
        run_end(&r);
        return ok;
}

/* What the suite's writer always does there: the recipe "do OnFreeze". */
static void writer_work(const char *handler, CVssWriter *writer, const char *slot, void *object) {
        struct run r;
        char name[40];

        (void)snprintf(name, sizeof(name), "do %.32s", handler);
        if (!object || !state_find(name))
                return;
        run_begin(&r, "IVssComponent");
        lend(&r, "CVssWriter", writer);
        lend(&r, slot, object);
        if (!recipe(&r, name))
                (void)printf("%s: %s\n", name, r.problem);
        run_end(&r);
}

void machine_handler(const char *handler, CVssWriter *writer, const char *slot, void *object) {
        writer_work(handler, writer, slot, object);
        if (!pending.waits || !streq(pending.handler, handler))
                return;
        pending.waits = false;
        run_begin(&handler_run, pending.attempt->section);
        lend(&handler_run, "CVssWriter", writer);
        lend(&handler_run, slot, object);
        if (statements_run(&handler_run, pending.statements))
                finish(&handler_run, pending.attempt, &pending.outcome);
        else
                memcpy(pending.outcome.problem, handler_run.problem, sizeof(handler_run.problem));
        run_end(&handler_run);
        pending.done = true;
}

/* "in OnFreeze; REST": the recipe of that name runs, and the handler has the rest to do. */
static void perform_in_handler(const struct attempt *a, struct outcome *ret) {
        size_t n = statement_length(a->setup);
        char name[sizeof(pending.handler)];
        bool ok;

        (void)snprintf(name, sizeof(name), "%.*s", (int)n, a->setup);
        pending.outcome = (struct outcome){ .hr = S_OK };
        (void)snprintf(pending.handler, sizeof(pending.handler), "%.24s", strchr(name, ' ') + 1);
        pending.statements = a->setup + n + (a->setup[n] == ';');
        pending.attempt = a;
        pending.done = false;
        pending.waits = true;
        ok = recipe(&main_run, name);
        /* Some events come after the requester's call, and some handlers outlast it. */
        for (unsigned waited = 0; (ok || !pending.waits) && !pending.done && waited < HANDLER_MS;
             waited += 5)
                (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
        if (!ok && !pending.done)
                memcpy(ret->problem, main_run.problem, sizeof(ret->problem));
        else if (!pending.done)
                (void)snprintf(ret->problem, sizeof(ret->problem), "the writer was not asked");
        pending.waits = false;
        if (pending.done)
                *ret = pending.outcome;
}

void machine_perform(const struct attempt *a, struct outcome *ret) {
        *ret = (struct outcome){ .hr = S_OK };
        run_begin(&main_run, a->section);
        if (strncmp(a->setup, "in", 2) == 0 && (a->setup[2] == ' ' || a->setup[2] == '/'))
                perform_in_handler(a, ret);
        else if (statements_run(&main_run, a->setup))
                finish(&main_run, a, ret);
        else
                memcpy(ret->problem, main_run.problem, sizeof(ret->problem));
        machine_end();
}

bool machine_begin(const char *section, const char *setup, char problem[static 512]) {
        run_begin(&main_run, section);
        if (statements_run(&main_run, setup))
                return true;
        memcpy(problem, main_run.problem, sizeof(main_run.problem));
        machine_end();
        return false;
}

void machine_prepare(void) {
        run_begin(&main_run, "IVssBackupComponents");
        if (!recipe(&main_run, "documents"))
                (void)printf("documents: %s\n", main_run.problem);
        variables_keep();
        machine_end();
}

void machine_call(const char *section, const char *method, const char *arguments,
                  struct outcome *ret) {
        *ret = (struct outcome){ .hr = S_OK };
        main_run.section = section;
        main_run.problem[0] = '\0';
        (void)call(&main_run, method, arguments, true, NULL, ret);
        memcpy(ret->problem, main_run.problem, sizeof(ret->problem));
}

/* What outlives its object would be in the next row's way. */
static void sets_delete(void) {
        IVssBackupComponents *b = NULL;

        if (sets.n == 0)
                return;
        if (CreateVssBackupComponents(&b) == S_OK &&
            IVssBackupComponents_InitializeForBackup(b, NULL) == S_OK) {
                VSS_ID set;

                /* A creation that was left may still be being put back. */
                (void)IVssBackupComponents_SetContext(b, VSS_CTX_NAS_ROLLBACK); /* no writers */
                for (unsigned n = 0; IVssBackupComponents_StartSnapshotSet(b, &set) ==
                                             VSS_E_SNAPSHOT_SET_IN_PROGRESS &&
                                     n < WAIT_MS;
                     n++)
                        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
                for (size_t i = 0; i < sets.n; i++) {
                        LONG deleted;
                        VSS_ID id;

                        (void)IVssBackupComponents_DeleteSnapshots(
                                b, sets.ids[i], VSS_OBJECT_SNAPSHOT_SET, true, &deleted,
                                &id); /* most went with their object */
                }
        }
        (void)IVssBackupComponents_Release(b);
        sets.n = 0;
}

void machine_end(void) {
        fixture_mend();
        run_end(&main_run);
        sets_delete();
        variables_forget();
}
