/* vssctl import: the copies of a transportable set, made by another host whose disks this one sees.
 * As vssctl create: what goes with its requester is held until it is told to let go; or as vssctl
 * run, until a command has ended. */

#include "cli/command-beside.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/progress.h"
#include "cli/run-command.h"
#include "cli/saved-documents.h"
#include "cli/snapshot-output.h"
#include "cli/tar-archive.h"
#include "cli/verb.h"

#include <stdio.h>
#include <sys/stat.h>

#define LOOK_MSEC 100        /* for the progress line */
#define LOOK_AFTER_MSEC 2000 /* is the set still there? */
#define SIZE_MAX_READ ((uint64_t)256 * 1024 * 1024)

struct imported {
        IVssBackupComponents *components;
        VSS_ID set;
        VSS_SNAPSHOT_INFO **before, **after, **found; /* of the set; found: borrowed of after */
        size_t n;
};

static void imported_done(struct imported *i) {
        IVssBackupComponents_Release(i->components);
        VssFreeSnapshots(i->before);
        VssFreeSnapshots(i->after);
        free(i->found);
}

static void release_async(IVssAsync **async) {
        IVssAsync_Release(*async);
}

/* --- the document --- */

/* The file alone, as SaveAsXML gave it: 1; something else: 0. */
static int read_plain(char **ret, const char *path) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        struct stat st;
        int first, r;

        if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
                return 0; /* who reads archives says what is wrong */
        first = getc(f);
        if (first != '<' && first != 0xef)
                return 0;
        rewind(f);
        r = (uint64_t)st.st_size > SIZE_MAX_READ
                    ? -EFBIG
                    : tar_archive_read_text(f, (uint64_t)st.st_size, ret);
        return r < 0 ? r : 1;
}

static int read_document(char **ret, const char *path) {
        _cleanup_(saved_documents_done) struct saved_documents saved = { 0 };
        int r;

        r = read_plain(ret, path);
        if (r > 0)
                return EXIT_DONE;
        if (r == -ENOMEM)
                return message_out_of_memory();
        if (r < 0) {
                message(MESSAGE_ERROR, "%s cannot be read: %s", path,
                        r == -EBADMSG ? "it is no text" : strerror(-r));
                return EXIT_FAILED;
        }
        r = saved_documents_read(&saved, path);
        if (r == EXIT_DONE)
                *ret = TAKE_PTR(saved.components);
        return r;
}

/* --- the import --- */

/* What this host has of the set. */
static HRESULT list(const struct imported *i, VSS_SNAPSHOT_INFO ***ret) {
        char id[VSS_ID_STRING_SIZE], condition[sizeof("set=") + VSS_ID_STRING_SIZE];

        snprintf(condition, sizeof(condition), "set=%s", VssIdToString(i->set, id));
        return VssListSnapshots((const LPCWSTR[]){ condition, NULL }, ret, NULL);
}

static bool is_imported(const VSS_SNAPSHOT_INFO *s) {
        return s->properties.m_lSnapshotAttributes & VSS_VOLSNAP_ATTR_IMPORTED;
}

static bool has(VSS_SNAPSHOT_INFO *const *list, const VSS_SNAPSHOT_INFO *s) {
        for (; list && *list; list++)
                if (memcmp(&(*list)->properties.m_SnapshotId, &s->properties.m_SnapshotId,
                           sizeof(VSS_ID)) == 0 &&
                    is_imported(*list))
                        return true;
        return false;
}

/* What has come, or is readable now. */
static int find_new(struct imported *i) {
        size_t n = 0;
        HRESULT hr;

        hr = list(i, &i->after);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        while (i->after[n])
                n++;
        i->found = calloc(n + 1, sizeof(struct VSS_SNAPSHOT_INFO *));
        if (!i->found)
                return message_out_of_memory();
        for (size_t k = 0; k < n; k++)
                if (is_imported(i->after[k]) && !has(i->before, i->after[k]))
                        i->found[i->n++] = i->after[k];
        return EXIT_DONE;
}

static HRESULT wait_for(IVssAsync *async) {
        for (;;) {
                HRESULT hr, status = S_OK;

                hr = IVssAsync_Wait(async, LOOK_MSEC);
                if (SUCCEEDED(hr))
                        hr = IVssAsync_QueryStatus(async, &status, NULL);
                if (FAILED(hr) || status != VSS_S_ASYNC_PENDING)
                        return FAILED(hr) ? hr : status;
                progress_show("Importing", 0);
        }
}

static HRESULT initialize(struct imported *i, const char *xml) {
        HRESULT hr;

        hr = VssGetTransportableSet(xml, &i->set);
        if (SUCCEEDED(hr))
                hr = list(i, &i->before);
        if (SUCCEEDED(hr))
                hr = CreateVssBackupComponents(&i->components);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_InitializeForBackup(i->components, xml);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_SetContext(i->components, VSS_CTX_ALL);
        return hr;
}

/* EXIT_DONE, EXIT_PARTIAL, or how vssctl ends. */
static int import(struct imported *i, const char *xml, const char *path) {
        _cleanup_(release_async) IVssAsync *async = NULL;
        HRESULT hr;
        int r;

        hr = initialize(i, xml);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_ImportSnapshots(i->components, &async);
        if (SUCCEEDED(hr))
                hr = wait_for(async);
        progress_clear();
        if (FAILED(hr))
                return message_hresult(hr, "%s", path);
        if (hr == VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED)
                message(MESSAGE_WARNING, "%s: %s (%s)", path, VssLastErrorMessage(),
                        MESSAGE_CODE(hr));
        r = find_new(i);
        return r == EXIT_DONE && hr == VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED ? EXIT_PARTIAL : r;
}

/* --- what becomes of them --- */

static bool goes_with_us(const struct imported *i) {
        return i->n > 0 && !(i->found[0]->context & VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE);
}

static void print_json(const struct imported *i, FILE *to) {
        struct json j;

        json_init(&j, to);
        json_object_begin(&j, NULL);
        snapshot_json_array(&j, "snapshots", i->found);
        json_object_end(&j);
        json_done(&j);
}

static int print(const struct imported *i, const struct cli *cli) {
        const struct option_values *options = &cli->line.options;

        if (options->json)
                print_json(i, stdout);
        else if (options->quiet)
                for (size_t k = 0; k < i->n; k++)
                        printf("%s\n", i->found[k]->properties.m_pwszSnapshotDeviceObject);
        else if (snapshot_print_table(i->found, &cli->terminal, options->verbose) < 0)
                return message_out_of_memory();
        fflush(stdout);
        return EXIT_DONE;
}

static bool is_alive(const struct imported *i) {
        for (size_t k = 0; k < i->n; k++) {
                VSS_SNAPSHOT_PROP prop = { 0 };

                if (FAILED(IVssBackupComponents_GetSnapshotProperties(
                            i->components, i->found[k]->properties.m_SnapshotId, &prop)))
                        return false;
                VssFreeSnapshotProperties(&prop);
        }
        return true;
}

/* Release alone answers before they are deleted. One by one: others may have the rest. */
static int let_go(const struct imported *i) {
        int result = EXIT_DONE;
        LONG deleted;
        VSS_ID failed;
        HRESULT hr;

        for (size_t k = 0; k < i->n; k++) {
                hr = IVssBackupComponents_DeleteSnapshots(
                        i->components, i->found[k]->properties.m_SnapshotId, VSS_OBJECT_SNAPSHOT,
                        TRUE, &deleted, &failed);
                if (FAILED(hr))
                        result = message_hresult(hr, "cannot release %s",
                                                 snapshot_name(i->found[k]));
        }
        return result;
}

static int hold(const struct imported *i, const struct cli *cli) {
        if (cli->terminal.errors)
                message(MESSAGE_NOTICE, "holding the copies; Ctrl-C%s deletes them",
                        isatty(STDIN_FILENO) ? " or Ctrl-D" : "");
        while (interrupt_hold(LOOK_AFTER_MSEC) == HOLD_TICK)
                if (!is_alive(i)) {
                        message(MESSAGE_ERROR, "the copies are gone: they were deleted by somebody "
                                               "else, or the service was stopped");
                        return EXIT_FAILED;
                }
        return let_go(i);
}

/* stdout is the command's. */
static int run(const struct imported *i, const struct cli *cli) {
        const struct command_beside beside = {
                .set = i->set,
                .copies = (const VSS_SNAPSHOT_INFO *const *)i->found,
                .n = i->n,
                .document = cli->line.arguments[0],
        };
        int result, r = EXIT_DONE;

        if (cli->line.options.json)
                print_json(i, stderr);
        result = interrupt_pending() != 0 ? EXIT_SIGNAL + interrupt_pending()
                                          : command_beside_run(&beside, cli->line.command);
        if (goes_with_us(i))
                r = let_go(i);
        if (result != EXIT_DONE)
                return result;
        return r != EXIT_DONE ? EXIT_PARTIAL : EXIT_DONE;
}

static int check_command(char *const *command) {
        int r = command ? run_command_check(command[0]) : 0;

        if (r >= 0)
                return EXIT_DONE;
        message(MESSAGE_ERROR, "cannot run %s: %s", command[0], strerror(-r));
        return EXIT_USAGE;
}

int verb_import(const struct cli *cli) {
        _cleanup_(imported_done) struct imported i = { 0 };
        const char *path = cli->line.arguments[0];
        _cleanup_(freep) char *xml = NULL;
        int r, partial;

        r = check_command(cli->line.command);
        if (r == EXIT_DONE)
                r = read_document(&xml, path);
        if (r != EXIT_DONE)
                return r;
        interrupt_install();
        partial = import(&i, xml, path);
        if (partial != EXIT_DONE && partial != EXIT_PARTIAL)
                return partial;
        if (cli->line.command)
                r = run(&i, cli);
        else
                r = print(&i, cli);
        if (r == EXIT_DONE && !cli->line.command && goes_with_us(&i))
                r = hold(&i, cli);
        return r != EXIT_DONE ? r : partial;
}
