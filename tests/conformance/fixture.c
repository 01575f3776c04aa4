/* See fixture.h. */

#include "tests/conformance/fixture.h"

#include "common/vss-id.h"
#include "tests/bus/bus-writer.h"
#include "tests/bus/fake-memory.h"
#include "tests/bus/harness.h"
#include "tests/conformance/machine.h"
#include "tests/conformance/values.h"
#include <vss/vsslinux.h>

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define CONFIG "[Timeouts]\nFreeze=3s\nEvent=20s\n[Limits]\nSnapshots=6\n"
#define MUTE_MS 4000
#define NOBODY 65534
#define PATIENCE_MS 30000
#define SHUTDOWN_MS 5000
#define DAMAGED_CLASS "c0f0c0f0-c0f3-4000-8000-000000000005"

static const VSS_ID writer_class = { 0xc0f0c0f0, 0xc0f0, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 1 } };

static const VSS_ID express_class = { 0xc0f0c0f0, 0xc0f1, 0x4000, { 0x80, 0, 0, 0, 0, 0, 0, 2 } };

/* A document that lacks what may be lacking. */
static const char small_metadata[] =
        "<WRITER_METADATA xmlns=\"x-schema:#VssWriterMetadataInfo\" version=\"1.2\">"
        "<IDENTIFICATION writerId=\"c0f0c0f0-c0f2-4000-8000-000000000003\""
        " instanceId=\"c0f0c0f0-c0f2-4000-8000-000000000004\" friendlyName=\"Small\""
        " usage=\"OTHER\" dataSource=\"OTHER\" majorVersion=\"3\" minorVersion=\"1\"/>"
        "<BACKUP_LOCATIONS><FILE_GROUP componentName=\"c\" selectable=\"yes\">"
        "<DEPENDENCY writerId=\"c0f0c0f0-c0f0-4000-8000-000000000001\" logicalPath=\"a\\b\""
        " componentName=\"d\"/></FILE_GROUP></BACKUP_LOCATIONS></WRITER_METADATA>";

/* What was saved of a writer whose metadata is no document. */
static const char damaged_backup[] =
        "<BACKUP_COMPONENTS xmlns=\"x-schema:#VssComponentMetadata\" version=\"1.2\" "
        "bootableSystemStateBackup=\"no\" selectComponents=\"yes\" backupType=\"full\" "
        "partialFileSupport=\"no\"><WRITER_COMPONENTS "
        "instanceId=\"c0f0c0f0-c0f3-4000-8000-000000000006\" writerId=\"" DAMAGED_CLASS
        "\" backupSchema=\"256\"><COMPONENT componentName=\"files\" componentType=\"filegroup\" "
        "selectedForRestore=\"yes\"/></WRITER_COMPONENTS></BACKUP_COMPONENTS>";

static struct {
        struct harness harness;
        bool private_bus, lost, reverts;
        CVssWriter *writer;
        char veto[32], mute[32];
        atomic_bool muted;         /* the handler that is mute was entered */
        struct bus_writer damaged; /* runs while it has a connection */
        char blocking[160];        /* the file that lists the writer; "": none */
        pthread_t leaver;
        bool leaving;
} f;

static void rest(unsigned milliseconds) {
        struct timespec t = { .tv_sec = milliseconds / 1000,
                              .tv_nsec = (long)(milliseconds % 1000) * 1000000 };

        (void)nanosleep(&t, NULL);
}

static bool handle(const char *handler, CVssWriter *writer, const char *slot, void *object) {
        machine_handler(handler, writer, slot, object);
        if (streq(f.mute, handler)) {
                f.muted = true;
                rest(MUTE_MS);
        }
        if (!streq(f.veto, handler))
                return true;
        (void)CVssWriter_SetWriterFailure(writer, VSS_E_WRITERERROR_RETRYABLE);
        return false;
}

/* Its document stands in states.rows, as the calls that make it. */
static bool on_identify(CVssWriter *w, void *user _unused_, IVssCreateWriterMetadata *metadata) {
        return handle("OnIdentifyBegin", w, "IVssCreateWriterMetadata", metadata) &&
               machine_document(w, metadata) &&
               handle("OnIdentify", w, "IVssCreateWriterMetadata", metadata);
}

#define COMPONENTS_HANDLER(function, name)                                                  \
        static bool function(CVssWriter *w, void *user _unused_, IVssWriterComponents *c) { \
                return handle(name, w, "IVssWriterComponents", c);                          \
        }                                                                                   \
        _Static_assert(true, "swallow the semicolon")
COMPONENTS_HANDLER(on_prepare_backup, "OnPrepareBackup");
COMPONENTS_HANDLER(on_post_snapshot, "OnPostSnapshot");
COMPONENTS_HANDLER(on_backup_complete, "OnBackupComplete");
COMPONENTS_HANDLER(on_pre_restore, "OnPreRestore");
COMPONENTS_HANDLER(on_post_restore, "OnPostRestore");

#define PLAIN_HANDLER(function, name)                              \
        static bool function(CVssWriter *w, void *user _unused_) { \
                return handle(name, w, NULL, NULL);                \
        }                                                          \
        _Static_assert(true, "swallow the semicolon")
PLAIN_HANDLER(on_prepare_snapshot, "OnPrepareSnapshot");
PLAIN_HANDLER(on_freeze, "OnFreeze");
PLAIN_HANDLER(on_thaw, "OnThaw");
PLAIN_HANDLER(on_abort, "OnAbort");

static bool on_backup_shutdown(CVssWriter *w, void *user _unused_, VSS_ID set _unused_) {
        return handle("OnBackupShutdown", w, NULL, NULL);
}

static const VSS_WRITER_CALLBACKS callbacks = {
        .size = sizeof(callbacks),
        .OnIdentify = on_identify,
        .OnPrepareBackup = on_prepare_backup,
        .OnPrepareSnapshot = on_prepare_snapshot,
        .OnFreeze = on_freeze,
        .OnThaw = on_thaw,
        .OnPostSnapshot = on_post_snapshot,
        .OnAbort = on_abort,
        .OnBackupComplete = on_backup_complete,
        .OnBackupShutdown = on_backup_shutdown,
        .OnPreRestore = on_pre_restore,
        .OnPostRestore = on_post_restore,
};

const VSS_WRITER_CALLBACKS *argument_callbacks(struct call *c, unsigned i) {
        static const VSS_WRITER_CALLBACKS incomplete = { .size = sizeof(incomplete) };

        if (streq(c->arguments[i], "NULL"))
                return NULL;
        return streq(c->arguments[i], "incomplete") ? &incomplete : &callbacks;
}

void *argument_user(struct call *c _unused_, unsigned i _unused_) {
        return NULL;
}

static _Noreturn void give_up(const char *what) {
        (void)fprintf(stderr, "%s: %s\n", what, VssLastErrorMessage());
        exit(EXIT_FAILURE);
}

/* The service knows the writer, for the first time or again, and on a bus of our own no other. */
static void await_writers(void) {
        for (unsigned waited = 0; waited < PATIENCE_MS; waited += 5) {
                VSS_WRITER_INFO **writers = NULL;
                UINT n = 0, k = 0;

                if (VssListWriters(&writers, &n) == S_OK) {
                        for (UINT i = 0; i < n; i++)
                                k += memcmp(&writers[i]->writer_id, &writer_class,
                                            sizeof(writer_class)) == 0;
                        VssFreeWriters(writers);
                        if (f.private_bus ? k == 1 && n == 1 : k > 0)
                                return;
                }
                rest(5);
        }
        give_up("the writer has not come");
}

static void subscribe(void) {
        if (CVssWriter_Subscribe(f.writer, 0,
                                 VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG) != S_OK)
                give_up("the writer");
        await_writers();
}

static void set_id(const char *name, const char *text) {
        VSS_ID id = GUID_NULL;

        if (vss_id_parse(&id, text) < 0)
                give_up(name);
        variable_set_id(name, id);
}

static VSS_ID first_provider(void) {
        VSS_PROVIDER_INFO **providers = NULL;
        VSS_ID id = GUID_NULL;
        UINT n = 0;

        if (VssListProviders(&providers, &n) != S_OK || n == 0)
                give_up("no provider");
        id = providers[0]->properties.m_ProviderId;
        VssFreeProviders(providers);
        return id;
}

void fixture_start(const char *address) {
        f.private_bus = !address;
        if (f.private_bus)
                harness_start(&f.harness, CONFIG);
        if (VssSetBusAddress(f.private_bus              ? f.harness.address
                             : streq(address, "system") ? NULL
                                                        : address) != S_OK)
                give_up("the bus");
        variable_set_id("provider", first_provider());
        variable_set_id("null", GUID_NULL);
        variable_set_id("unknown", (VSS_ID){ 0xdeadbeef, 1, 0x4002, { 0x80, 3 } });
        variable_set_id("writer", writer_class);
        variable_set_id("express", express_class);
        set_id("damaged_writer", DAMAGED_CLASS);
        variable_set_text("small_metadata", small_metadata);
        variable_set_text("damaged_backup", damaged_backup);
        if (CVssWriter_Create(&callbacks, NULL, &f.writer) != S_OK ||
            CVssWriter_Initialize(f.writer, writer_class, "Conformance writer", VSS_UT_USERDATA,
                                  VSS_ST_OTHER, VSS_APP_FRONT_END, 0, VSS_AWS_NO_ALTERNATE_WRITER,
                                  false, "one") != S_OK)
                give_up("the writer");
        subscribe();
}

void fixture_stop(void) {
        CVssWriter_Release(TAKE_PTR(f.writer));
        if (f.private_bus)
                harness_stop(&f.harness);
        (void)VssSetBusAddress(NULL);
}

const char *fixture_address(void) {
        return f.harness.address;
}

bool fixture_is_private(void) {
        return f.private_bus;
}

bool fixture_fail(const char *step, HRESULT hr) {
        char text[80];

        (void)snprintf(text, sizeof(text), hr == S_OK ? "%s" : "%s %d", step, (int)hr);
        if (f.private_bus)
                harness_knob(&f.harness, "fail", text);
        return f.private_bus;
}

bool fixture_slow(const char *step, unsigned milliseconds) {
        char text[80];

        (void)snprintf(text, sizeof(text), "%s %u", step, milliseconds);
        if (f.private_bus)
                harness_knob(&f.harness, "slow", text);
        return f.private_bus;
}

bool fixture_busy(void) {
        if (f.private_bus)
                harness_knob(&f.harness, "busy", "");
        return f.private_bus;
}

bool fixture_breakable(void) {
        if (f.private_bus)
                harness_knob(&f.harness, "breakable", "");
        return f.private_bus;
}

bool fixture_revertable(void) {
        if (f.private_bus)
                harness_knob(&f.harness, "revertable", "");
        f.reverts = f.private_bus;
        return f.private_bus;
}

bool fixture_reverted(void) {
        if (f.private_bus)
                harness_knob(&f.harness, "reverted", "");
        return f.private_bus;
}

/* The volume is the next row's. */
static void mend_reverts(void) {
        const struct timespec pause = { .tv_nsec = 20L * 1000 * 1000 };
        VSS_REVERT_INFO **reverts;
        UINT n = 1;

        harness_knob(&f.harness, "revertable", NULL);
        harness_knob(&f.harness, "reverted", "");
        while (n > 0) {
                if (FAILED(VssListReverts(&reverts, &n)))
                        give_up("ListReverts");
                VssFreeReverts(reverts);
                if (n > 0)
                        (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
        }
        harness_knob(&f.harness, "reverted", NULL);
        f.reverts = false;
}

bool fixture_lose(void) {
        if (!f.private_bus)
                return false;
        harness_kill_daemon(&f.harness);
        f.lost = true;
        return true;
}

bool fixture_stranger(void) {
        return geteuid() == 0 && seteuid(NOBODY) == 0;
}

bool fixture_remote_memory(unsigned n) {
        if (!f.private_bus || f.lost)
                return false;
        return fake_memory_arm(f.harness.vssd, (int)n) == 0;
}

/* Into one of the harness's directories, with the directories on the way. */
static void put(const char *path, const char *text) {
        char part[256];
        FILE *file;

        for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
                (void)snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
                if (mkdir(part, 0755) < 0 && errno != EEXIST)
                        give_up(part);
        }
        file = fopen(path, "we");
        if (!file || fputs(text, file) < 0 || fclose(file) != 0)
                give_up(path);
}

/* An attribute of a device in what the service takes for /sys. */
static void put_attribute(const char *device, const char *name, const char *value) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/sys/dev/block/%s/%s", f.harness.directory, device,
                       name);
        put(path, value);
}

/* The numbers of /srv/mail and /srv/data: fake-storage.h. */
bool fixture_nest(void) {
        if (f.private_bus)
                put_attribute("250:1", "slaves/below/dev", "250:0\n");
        return f.private_bus;
}

bool fixture_deep(void) {
        if (!f.private_bus)
                return false;
        put_attribute("250:1", "loop/backing_file", "/gone/inner\n");
        put_attribute("250:1", "slaves/below/dev", "7:1\n");
        put_attribute("7:1", "loop/backing_file", "/gone/outer\n");
        return true;
}

bool fixture_block(void) {
        (void)snprintf(f.blocking, sizeof(f.blocking), "%s/revert-block.d/conformance.conf",
                       f.private_bus ? f.harness.directory : "/etc/vss");
        put(f.blocking, "c0f0c0f0-c0f0-4000-8000-000000000001  # the suite's writer\n");
        return true;
}

bool fixture_damaged(const char *event) {
        if (!f.private_bus)
                return false;
        f.damaged = (struct bus_writer){
                .label = "damaged",
                .name = "Damaged writer",
                .class_id = DAMAGED_CLASS,
                .metadata = event[0] ? NULL : "<WRITER_METADATA",
        };
        if (event[0]) {
                static char copy[32]; /* as long as the writer runs */

                (void)snprintf(copy, sizeof(copy), "%s", event);
                f.damaged.special_event = copy;
                f.damaged.special = ANSWER_NONSENSE;
        }
        bus_writer_start(&f.damaged, &f.harness);
        set_id("damaged_instance", f.damaged.instance_id);
        return true;
}

static void *leave(void *userdata) {
        (void)CVssWriter_Unsubscribe(userdata); /* IsWriterShuttingDown() tells whether it came */
        return NULL;
}

bool fixture_leave(void) {
        if (pthread_create(&f.leaver, NULL, leave, f.writer) != 0)
                return false;
        f.leaving = true;
        for (unsigned waited = 0; waited < SHUTDOWN_MS; waited += 5) {
                if (CVssWriterEx2_IsWriterShuttingDown(f.writer))
                        return true;
                rest(5);
        }
        return false;
}

static bool set(char to[static 32], const char *handler) {
        (void)snprintf(to, 32, "%s", handler);
        return true;
}

bool fixture_veto(const char *handler) {
        return set(f.veto, handler);
}

bool fixture_mute(const char *handler) {
        f.muted = false;
        return set(f.mute, handler);
}

bool fixture_muted(void) {
        for (unsigned waited = 0; !f.muted && waited < SHUTDOWN_MS; waited += 5)
                rest(5);
        return f.muted;
}

static int remove_one(const char *path, const struct stat *st _unused_, int flag _unused_,
                      struct FTW *ftw _unused_) {
        return remove(path);
}

static void mend_writers(void) {
        if (f.damaged.connection) {
                bus_writer_stop(&f.damaged);
                if (!f.lost)
                        await_writers();
        }
        if (!f.leaving)
                return;
        (void)pthread_join(f.leaver, NULL); /* it is joined once */
        f.leaving = false;
        subscribe();
}

static void mend_files(void) {
        char sys[128];

        if (f.blocking[0] && unlink(f.blocking) < 0)
                give_up(f.blocking);
        f.blocking[0] = '\0';
        (void)snprintf(sys, sizeof(sys), "%s/sys", f.harness.directory);
        if (f.private_bus && access(sys, F_OK) == 0 &&
            nftw(sys, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
                give_up(sys);
}

void fixture_mend(void) {
        f.veto[0] = f.mute[0] = '\0';
        if (geteuid() == NOBODY && seteuid(0) != 0)
                give_up("root again");
        mend_files();
        mend_writers();
        if (!f.private_bus)
                return;
        harness_knob(&f.harness, "fail", NULL);
        harness_knob(&f.harness, "slow", NULL);
        harness_knob(&f.harness, "busy", NULL);
        harness_knob(&f.harness, "breakable", NULL);
        if (f.reverts)
                mend_reverts();
        if (!f.lost)
                return;
        harness_start_daemon(&f.harness, CONFIG);
        f.lost = false;
        await_writers();
}
