/* conformance [OPTION...] STATES FILE... : runs the rows of the files (README.md) through the C
 * library and names those that do not hold. Of another service than the test's own: --address BUS
 * ("system"), --volume, --other-volume, --unsupported-volume PATH, --sets N (so many rows may make
 * a set).
 *
 * "conformance --constants" prints the constants of the headers; "conformance --serve STATES
 * COMMAND..." starts what the rows meet, and COMMAND (busctl-suite) on it. With --all-broken all is
 * well if no row holds: the suite's own negative control (wrong.rows).
 *
 * A row: METHOD[, METHOD...] | CODE[ CODE...] | SETUP | ARGUMENTS | AFTER. Words in place of SETUP:
 *
 *      never        cannot be provoked; ARGUMENTS says why
 *      no memory    each allocation of the call fails in turn, the library's, then the service's,
 *                   until the code comes; setup and arguments are those of the method's OK row
 *      no service   as its OK row, with the service killed before the call
 *      no allocation, no question
 *                   the code cannot come, and it is shown why: as its OK row, the call allocates
 *                   nothing, or goes well with the service killed before
 *      another connection
 *                   as its OK row, from a connection that is not the session's: busctl-suite has
 *                   two, the library one
 *      no memory, SETUP; no service, SETUP; another connection, SETUP
 *                   the same with a setup and arguments of their own
 *
 * ARGUMENTS "=": as in the OK row. A file whose sections are "order": a table, see orders_run(). */

#include "tests/conformance/fixture.h"
#include "tests/conformance/holder.h"
#include "tests/conformance/machine.h"
#include "tests/conformance/memory.h"
#include "tests/conformance/values.h"

#include "common/vss-error.h"

#include <check.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define LIBRARY_ALLOCATIONS 60
#define SERVICE_ALLOCATIONS 60
#define SERVICE_ROUNDS 3

static const struct {
        const char *name;
        HRESULT hr;
} codes[] = {
        { "OK", S_OK },
        { "FALSE", S_FALSE },
        { "ACC", E_ACCESSDENIED },
        { "ARG", E_INVALIDARG },
        { "PTR", E_POINTER },
        { "OOM", E_OUTOFMEMORY },
        { "FAIL", E_FAIL },
        { "NIM", E_NOTIMPL },
        { "BAD", VSS_E_BAD_STATE },
        { "UNX", VSS_E_UNEXPECTED },
        { "PNR", VSS_E_PROVIDER_NOT_REGISTERED },
        { "VETO", VSS_E_PROVIDER_VETO },
        { "NF", VSS_E_OBJECT_NOT_FOUND },
        { "VNS", VSS_E_VOLUME_NOT_SUPPORTED },
        { "EXI", VSS_E_OBJECT_ALREADY_EXISTS },
        { "VNSP", VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER },
        { "UPE", VSS_E_UNEXPECTED_PROVIDER_ERROR },
        { "XML", VSS_E_INVALID_XML_DOCUMENT },
        { "IPR", VSS_E_SNAPSHOT_SET_IN_PROGRESS },
        { "INF", VSS_E_WRITER_INFRASTRUCTURE },
        { "NEST", VSS_E_NESTED_VOLUME_LIMIT },
        { "PEND", VSS_S_ASYNC_PENDING },
        { "FIN", VSS_S_ASYNC_FINISHED },
        { "CAN", VSS_S_ASYNC_CANCELLED },
};

static struct rows states;

static struct {
        const char *address, *volume, *other_volume, *unsupported_volume;
        char **command;
        unsigned sets; /* rows that may still make one */
} what = { .volume = "/srv/data",
           .other_volume = "/srv/mail",
           .unsupported_volume = "/srv/plain",
           .sets = UINT_MAX };

static struct {
        unsigned held, broken, never, elsewhere, another, left;
        bool verbose;
} count;

/* A short name or a symbol; static. */
static const char *code_name(HRESULT hr) {
        static char text[2][16];
        static unsigned next;
        const struct vss_hresult_info *info;

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (codes[i].hr == hr)
                        return codes[i].name;
        info = vss_hresult_find(hr);
        if (info)
                return info->symbol;
        next = !next;
        (void)snprintf(text[next], sizeof(text[next]), "%#x", (unsigned)hr);
        return text[next];
}

static bool code_parse(const char *text, HRESULT *ret) {
        int64_t value;

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (streq(codes[i].name, text)) {
                        *ret = codes[i].hr;
                        return true;
                }
        if (!constant_parse(text, &value))
                return false;
        *ret = (HRESULT)value;
        return true;
}

static void broken(const struct row *row, const char *method, const char *code, const char *why) {
        count.broken++;
        (void)printf("%s:%u: %s %s: %s\n", row->file, row->line, method, code, why);
}

static void judge(const struct row *row, const struct attempt *a, const char *code,
                  const struct outcome *o) {
        HRESULT expected;
        char why[1024];

        if (o->problem[0])
                (void)snprintf(why, sizeof(why), "%s", o->problem);
        else if (!code_parse(code, &expected))
                (void)snprintf(why, sizeof(why), "%s is no code", code);
        else if (o->hr != expected)
                (void)snprintf(why, sizeof(why), "(%s) after %s is %s: %s", a->arguments, a->setup,
                               code_name(o->hr), o->message);
        else {
                count.held++;
                if (count.verbose)
                        (void)printf("%s:%u: %s %s holds\n", row->file, row->line, a->method, code);
                return;
        }
        broken(row, a->method, code, why);
}

/* The code cannot come if the call goes well all the same. */
static void proven(const struct row *row, const struct attempt *a, const char *code,
                   const struct outcome *o) {
        char why[1024];

        if (!o->problem[0] && SUCCEEDED(o->hr)) {
                count.held++;
                if (count.verbose)
                        (void)printf("%s:%u: %s %s holds\n", row->file, row->line, a->method, code);
                return;
        }
        (void)snprintf(why, sizeof(why), "(%s) after %s is %s: %s", a->arguments, a->setup,
                       code_name(o->hr), o->problem[0] ? o->problem : o->message);
        broken(row, a->method, code, why);
}

static bool has_word(const char *list, const char *word) {
        size_t n = strlen(word);

        for (const char *p = list; (p = strstr(p, word)); p += n)
                if ((p == list || strchr(" ,", p[-1])) && (!p[n] || strchr(" ,", p[n])))
                        return true;
        return false;
}

/* The row of a method that says how it goes well. */
static const struct row *good_row(const struct rows *rows, const struct row *like,
                                  const char *method) {
        for (size_t i = 0; i < rows->n; i++) {
                const struct row *row = &rows->rows[i];

                if (streq(row->section, like->section) && has_word(row->columns[0], method) &&
                    has_word(str_or_empty(row_column(row, 1)), "OK") &&
                    !streq(str_or_empty(row_column(row, 2)), "never"))
                        return row;
        }
        return NULL;
}

/* The others are of documents in this process. */
static bool asks_service(const struct attempt *a) {
        return strncmp(a->setup, "in ", 3) != 0 &&
               (streq(a->section, "IVssBackupComponents") || streq(a->section, "exported") ||
                streq(a->section, "CVssWriter"));
}

/* Takes away one allocation after the other until the call says so. */
static void without_memory(const struct row *row, struct attempt *a, const char *code) {
        struct outcome o = { .hr = S_OK };
        unsigned limit = memory_is_ours() ? LIBRARY_ALLOCATIONS : 0;

        for (unsigned n = 1; n <= limit; n++) {
                a->fail_allocation = n;
                machine_perform(a, &o);
                if (o.problem[0] || o.hr == E_OUTOFMEMORY) {
                        judge(row, a, code, &o);
                        return;
                }
                if (!o.armed)
                        break;
        }
        if (!asks_service(a)) {
                broken(row, a->method, code, "no allocation of the call could be made to fail");
                return;
        }
        /* A timer of the daemon's, too, may take the allocation that was meant for the call. */
        a->remote = true;
        for (unsigned n = 0; n < SERVICE_ROUNDS * SERVICE_ALLOCATIONS; n++) {
                a->fail_allocation = n % SERVICE_ALLOCATIONS + 1;
                machine_perform(a, &o);
                if (o.problem[0] || o.hr == E_OUTOFMEMORY)
                        break;
        }
        judge(row, a, code, &o);
}

/* "in OnFreeze" runs on the writer's thread, which the service's end does not hurt. */
static void without_service(const struct row *row, struct attempt *a, const char *code) {
        _cleanup_(freep) char *setup = NULL;
        struct outcome o;

        if (!fixture_is_private()) {
                count.elsewhere++;
                return;
        }
        if (str_format(&setup, "%s; lose()", a->setup) < 0)
                abort();
        a->setup = setup;
        machine_perform(a, &o);
        judge(row, a, code, &o);
}

/* Words of a list, one after the other; the list is copied. */
static char *next_word(char **list, const char *divisors) {
        return strtok_r(NULL, divisors, list);
}

/* Nothing that could fail for want of memory. */
static void allocates_nothing(const struct row *row, struct attempt *a, const char *code) {
        struct outcome o;

        if (!memory_is_ours()) {
                count.elsewhere++;
                return;
        }
        a->fail_allocation = 1;
        machine_perform(a, &o);
        if (!o.problem[0] && o.armed)
                (void)snprintf(o.problem, sizeof(o.problem), "the call allocates memory");
        proven(row, a, code, &o);
}

/* Nobody whom it could not reach. */
static void asks_nobody(const struct row *row, struct attempt *a, const char *code) {
        _cleanup_(freep) char *setup = NULL;
        struct outcome o;

        if (!fixture_is_private()) {
                count.elsewhere++;
                return;
        }
        if (str_format(&setup, "%s; lose()", a->setup) < 0)
                abort();
        a->setup = setup;
        machine_perform(a, &o);
        proven(row, a, code, &o);
}

/* Does a setup, or a recipe that it names, call one of these? */
static bool calls_any(const char *setup, const char *const *verbs, size_t n, unsigned depth) {
        _cleanup_(freep) char *copy = strdup(setup);
        char *left = copy;

        if (!copy)
                abort();
        for (char *one = next_word(&left, ";"); one; one = next_word(&left, ";")) {
                while (*one == ' ')
                        one++;
                for (size_t i = 0; i < n; i++)
                        if (strstr(one, verbs[i]))
                                return true;
                if (strchr(one, '(') || depth == 0)
                        continue;
                for (size_t i = 0; i < states.n; i++)
                        if (streq(states.rows[i].columns[0], one) &&
                            calls_any(str_or_empty(row_column(&states.rows[i], 1)), verbs, n,
                                      depth - 1))
                                return true;
        }
        return false;
}
#define RECIPES_DEEP 8

/* What a real storage cannot be made to do, and other people's limits, are left to the other. So is
 * what a failing allocation does: in the library that is the same there, and an installed service
 * has its own memory. */
static bool needs_fake(const char *setup) {
        static const char *const verbs[] = { "fail(", "slow(", "busy(", "lose(", "many(",
                                             "copy",  "nest(", "deep(", "mute(", "damaged(" };

        return calls_any(setup, verbs, ARRAY_SIZE(verbs), RECIPES_DEEP);
}

/* A set takes its time where the storage is real: so many rows may make one. */
static bool takes_too_long(const char *setup, const char *method) {
        static const char *const verbs[] = { "DoSnapshotSet(" };

        if (!streq(method, "DoSnapshotSet") &&
            !calls_any(setup, verbs, ARRAY_SIZE(verbs), RECIPES_DEEP))
                return false;
        if (what.sets == 0)
                return true;
        what.sets--;
        return false;
}

static void row_run(const struct rows *rows, const struct row *row, const char *method,
                    const char *code) {
        struct attempt a = { .section = row->section,
                             .method = method,
                             .setup = str_or_empty(row_column(row, 2)),
                             .arguments = str_or_empty(row_column(row, 3)),
                             .after = row_column(row, 4) };
        bool memory = strncmp(a.setup, "no memory", 9) == 0;
        bool service = strncmp(a.setup, "no service", 10) == 0;
        bool no_allocation = strncmp(a.setup, "no allocation", 13) == 0;
        bool no_question = strncmp(a.setup, "no question", 11) == 0;
        bool special = memory || service || no_allocation || no_question;
        const char *comma = special ? strchr(a.setup, ',') : NULL;
        struct outcome o;

        if (streq(a.setup, "never")) {
                if (a.arguments[0])
                        count.never++;
                else
                        broken(row, method, code, "never, and not why");
                return;
        }
        if (strncmp(a.setup, "another connection", 18) == 0) {
                count.another++;
                return;
        }
        if (comma)
                a.setup = comma + 1;
        else if (special || streq(a.arguments, "=")) {
                const struct row *good = good_row(rows, row, method);

                if (!good || streq(str_or_empty(row_column(good, 3)), "=")) {
                        broken(row, method, code, "there is no OK row with arguments");
                        return;
                }
                a.arguments = str_or_empty(row_column(good, 3));
                if (special)
                        a.setup = str_or_empty(row_column(good, 2));
        }
        if (!fixture_is_private() && (memory || needs_fake(a.setup))) {
                count.elsewhere++;
                return;
        }
        if (what.sets != UINT_MAX && takes_too_long(a.setup, method)) {
                count.left++;
                return;
        }
        if (memory)
                without_memory(row, &a, code);
        else if (service)
                without_service(row, &a, code);
        else if (no_allocation)
                allocates_nothing(row, &a, code);
        else if (no_question)
                asks_nobody(row, &a, code);
        else {
                machine_perform(&a, &o);
                judge(row, &a, code, &o);
        }
}

static void row_run_all(const struct rows *rows, const struct row *row) {
        _cleanup_(freep) char *methods = strdup(row->columns[0]);
        char *methods_left = methods, *codes_left;

        if (!methods)
                abort();
        for (char *m = next_word(&methods_left, ", "); m; m = next_word(&methods_left, ", ")) {
                _cleanup_(freep) char *list = strdup(str_or_empty(row_column(row, 1)));

                if (!list)
                        abort();
                codes_left = list;
                for (char *c = next_word(&codes_left, ", "); c; c = next_word(&codes_left, ", "))
                        row_run(rows, row, m, c);
        }
}

/* "Method(arguments)"; false: it is none. */
static bool call_split(const char *text, char method[static 80], char arguments[static 400]) {
        size_t n = strlen(text), k = strcspn(text, "(");

        if (n < k + 2 || n - k > 400 || k >= 80 || text[n - 1] != ')')
                return false;
        (void)snprintf(method, 80, "%.*s", (int)k, text);
        (void)snprintf(arguments, 400, "%.*s", (int)(n - k - 2), text + k + 1);
        return true;
}

static void cell_judge(const struct row *row, const char *state, const char *code,
                       const struct outcome *o, const char *call) {
        const struct attempt a = { .method = call, .setup = state, .arguments = "" };

        judge(row, &a, code, o);
}

/* A call of a column, in the session that there is. */
static void cell_run(const struct row *row, const char *state, const char *code) {
        char method[80], arguments[400];
        struct outcome o;

        if (!call_split(row->columns[0], method, arguments)) {
                broken(row, row->columns[0], code, "no call");
                return;
        }
        machine_call("IVssBackupComponents", method, arguments, &o);
        cell_judge(row, state, code, &o, row->columns[0]);
}

static bool session_begin(const struct row *row, const char *state, const char *code) {
        char problem[512];

        if (machine_begin("IVssBackupComponents", state, problem))
                return true;
        broken(row, row->columns[0], code, problem);
        return false;
}

/* A column of a table of the order of calls: what is refused leaves the state as it was, so one
 * object meets all that; what is allowed gets an object each, but where a creation runs, which
 * takes its time. "-": the combination cannot be. */
static void column_run(const struct rows *table, size_t head, size_t end, unsigned column) {
        const char *state = table->rows[head].columns[column];
        bool one = strncmp(state, "BC", 2) == 0, begun = false;

        for (int allowed = 0; allowed <= 1; allowed++)
                for (size_t i = head + 1; i < end; i++) {
                        const struct row *row = &table->rows[i];
                        const char *code = row_column(row, column);

                        if (!code || streq(code, "-") || streq(code, "OK") != allowed)
                                continue;
                        if (allowed && begun && !one)
                                machine_end();
                        if ((!begun || (allowed && !one)) && !session_begin(row, state, code))
                                return;
                        begun = true;
                        cell_run(row, state, code);
                }
        if (begun)
                machine_end();
}

/* Tables of the order of calls. A row whose first column is "call" is the head of one: its other
 * columns are states (recipes). In the rows below, first the call, then a code for each state. */
static void orders_run(const struct rows *rows, size_t first) {
        for (size_t head = first; head < rows->n;) {
                size_t end = head + 1;

                while (end < rows->n && !streq(rows->rows[end].columns[0], "call"))
                        end++;
                for (unsigned column = 1; column < rows->rows[head].n_columns; column++) {
                        if (!fixture_is_private() &&
                            strncmp(rows->rows[head].columns[column], "BC", 2) == 0) {
                                count.elsewhere++; /* a real creation is over too soon */
                                continue;
                        }
                        column_run(rows, head, end, column);
                }
                head = end;
        }
}

static void constants_print(void) {
        for (const struct constant_row *c = constant_rows; c->name; c++)
                (void)printf("%s %lld\n", c->name, (long long)c->value);
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                (void)printf("%s %lld\n", codes[i].name, (long long)codes[i].hr);
}

static void functions_print(void) {
        for (const struct call_row *c = call_rows; c->name; c++)
                (void)printf("%s\n", c->name);
}

static struct rows rows;

/* The address that the busctl suite calls, and the bus's own. */
static void serve(char **command) {
        char held[160];
        pid_t holder, child;
        int status = 0;

        (void)snprintf(held, sizeof(held), "%s.held", fixture_address());
        holder = holder_start(fixture_address(), held);
        ck_assert_int_eq(setenv("CONFORMANCE_BUS", fixture_address(), 1), 0);
        ck_assert_int_eq(setenv("CONFORMANCE_HELD", held, 1), 0);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                execv(command[0], command);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(kill(holder, SIGKILL), 0); /* it has Check's handlers for the others */
        ck_assert_int_eq(waitpid(holder, NULL, 0), holder);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                count.held++;
        else
                count.broken++;
}

/* One test of Check's, whose assertions the harness uses, in this process. */
START_TEST(every_row_holds) {
        variable_set_text("volume", what.volume);
        variable_set_text("other_volume", what.other_volume);
        variable_set_text("unsupported_volume", what.unsupported_volume);
        variable_set_text("real_volume", what.address ? what.volume : "/proc");
        fixture_start(what.address);
        variables_keep();
        if (what.command) {
                serve(what.command);
                fixture_stop();
                return;
        }
        machine_prepare();
        for (size_t i = 0; i < rows.n; i++) {
                if (streq(rows.rows[i].section, "order")) {
                        orders_run(&rows, i);
                        break;
                }
                row_run_all(&rows, &rows.rows[i]);
        }
        fixture_stop();
}
END_TEST

static bool all_run(void) {
        Suite *s = suite_create("conformance");
        TCase *t = tcase_create("conformance");
        SRunner *runner;
        bool good;

        tcase_add_test(t, every_row_holds);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_set_fork_status(runner, CK_NOFORK);
        srunner_run_all(runner, CK_SILENT);
        good = srunner_ntests_failed(runner) == 0;
        if (!good)
                srunner_print(runner, CK_NORMAL);
        srunner_free(runner);
        return good;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "address", required_argument, NULL, 'a' },
                { "volume", required_argument, NULL, 'v' },
                { "other-volume", required_argument, NULL, 'o' },
                { "unsupported-volume", required_argument, NULL, 'u' },
                { "sets", required_argument, NULL, 'n' },
                { "serve", no_argument, NULL, 's' },
                { "all-broken", no_argument, NULL, 'b' },
                { "verbose", no_argument, NULL, 'V' },
                { "constants", no_argument, NULL, 'c' },
                { "functions", no_argument, NULL, 'f' },
                { 0 },
        };
        bool serves = false, all_broken = false;
        int option;

        while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
                switch (option) {
                case 'a': what.address = optarg; break;
                case 'v': what.volume = optarg; break;
                case 'o': what.other_volume = optarg; break;
                case 'u': what.unsupported_volume = optarg; break;
                case 'n': what.sets = (unsigned)strtoul(optarg, NULL, 10); break;
                case 's': serves = true; break;
                case 'b': all_broken = true; break;
                case 'V': count.verbose = true; break;
                case 'c': constants_print(); return EXIT_SUCCESS;
                case 'f': functions_print(); return EXIT_SUCCESS;
                default: return 2;
                }
        if (argc - optind < 2) {
                (void)fprintf(stderr, "usage: conformance [OPTION...] STATES FILE...\n");
                return 2;
        }
        memory_init();
        rows_read(&states, argv[optind]);
        if (serves)
                what.command = argv + optind + 1;
        for (int i = optind + 1; !serves && i < argc; i++)
                rows_read(&rows, argv[i]);
        machine_init(&states);
        if (!all_run())
                return EXIT_FAILURE;
        rows_done(&rows);
        rows_done(&states);
        if (serves)
                return count.broken == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        (void)printf(
                "%u rows hold, %u do not; %u cannot be provoked, %u only by busctl, %u only with "
                "storage that is not there, %u take too long\n",
                count.held, count.broken, count.never, count.another, count.elsewhere, count.left);
        if (all_broken)
                return count.held == 0 && count.broken > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        return count.broken == 0 && count.held > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
