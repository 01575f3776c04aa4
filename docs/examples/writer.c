/* An application that takes part in snapshots: each line that it reads goes into DIRECTORY/journal;
 * now and then, and before a copy is made, the journal is added to DIRECTORY/ledger.
 *      cc writer.c $(pkg-config --cflags --libs libvssclient) && ./a.out /srv/ledger */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <vss/vsslinux.h>

static struct {
        const char *directory;
        FILE *journal, *ledger;
        unsigned lines; /* in the journal */
        bool frozen;
        pthread_mutex_t lock;
        pthread_cond_t thawed;
} app = { .lock = PTHREAD_MUTEX_INITIALIZER, .thawed = PTHREAD_COND_INITIALIZER };

static bool flush(FILE *f) {
        return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

/* Moves the journal into the ledger. Crashing on the way repeats lines, and loses none. */
static bool checkpoint(void) {
        char buffer[4096];
        size_t n;

        rewind(app.journal);
        while ((n = fread(buffer, 1, sizeof(buffer), app.journal)) > 0)
                if (fwrite(buffer, 1, n, app.ledger) != n)
                        return false;
        if (ferror(app.journal) || !flush(app.ledger) || ftruncate(fileno(app.journal), 0) < 0)
                return false;
        rewind(app.journal);
        app.lines = 0;
        return true;
}

static bool write_line(const char *line) {
        bool ok;

        (void)pthread_mutex_lock(&app.lock);
        while (app.frozen)
                (void)pthread_cond_wait(&app.thawed, &app.lock);
        ok = fputs(line, app.journal) >= 0 && flush(app.journal) &&
             (++app.lines < 1000 || checkpoint());
        (void)pthread_mutex_unlock(&app.lock);
        return ok;
}

static bool on_identify(CVssWriter *w, void *user, IVssCreateWriterMetadata *m) {
        const DWORD always = VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED;
        HRESULT hr;

        (void)w, (void)user;
        hr = IVssCreateWriterMetadata_AddComponent(m, VSS_CT_FILEGROUP, NULL, "ledger", "Ledger",
                                                   NULL, 0, false, false, true, true, 0);
        if (SUCCEEDED(hr))
                hr = IVssCreateWriterMetadata_AddFilesToFileGroup(m, NULL, "ledger", app.directory,
                                                                  "*", false, NULL, always);
        if (SUCCEEDED(hr))
                hr = IVssCreateWriterMetadata_SetRestoreMethod(m, VSS_RME_RESTORE_IF_CAN_REPLACE,
                                                               NULL, NULL, VSS_WRE_NEVER, false);
        return SUCCEEDED(hr);
}

/* A note for whoever restores: components is NULL if the requester just copies volumes. */
static bool on_prepare_backup(CVssWriter *w, void *user, IVssWriterComponents *components) {
        IVssComponent *c = NULL;
        bool ok = true;

        (void)w, (void)user;
        if (components) /* there is but one */
                ok = IVssWriterComponents_GetComponent(components, 0, &c) == S_OK &&
                     IVssComponent_SetBackupMetadata(c, "format=1") == S_OK;
        (void)IVssComponent_Release(c);
        return ok;
}

/* There is time here, and the application goes on writing: what can be done before, is. */
static bool on_prepare_snapshot(CVssWriter *w, void *user) {
        bool ok;

        (void)user;
        (void)pthread_mutex_lock(&app.lock);
        ok = !CVssWriter_IsPathAffected(w, app.directory) || checkpoint();
        (void)pthread_mutex_unlock(&app.lock);
        if (!ok)
                (void)CVssWriterEx2_SetWriterFailureEx(w, VSS_E_WRITERERROR_RETRYABLE, 0,
                                                       "The ledger cannot be written");
        return ok;
}

/* The lock waits for a line that is being written. */
static bool set_frozen(bool frozen) {
        (void)pthread_mutex_lock(&app.lock);
        app.frozen = frozen;
        (void)pthread_cond_broadcast(&app.thawed);
        (void)pthread_mutex_unlock(&app.lock);
        return true;
}

static bool on_freeze(CVssWriter *w, void *user) {
        (void)user;
        return set_frozen(CVssWriter_IsPathAffected(w, app.directory));
}

/* Also OnAbort: it may come twice, or without a Freeze. */
static bool on_thaw(CVssWriter *w, void *user) {
        (void)w, (void)user;
        return set_frozen(false);
}

static FILE *open_file(const char *name) {
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/%s", app.directory, name);
        return fopen(path, "a+e");
}

int main(int argc, char *argv[]) {
        static const VSS_WRITER_CALLBACKS callbacks = {
                .size = sizeof(callbacks),
                .OnIdentify = on_identify,
                .OnPrepareBackup = on_prepare_backup,
                .OnPrepareSnapshot = on_prepare_snapshot,
                .OnFreeze = on_freeze,
                .OnThaw = on_thaw,
                .OnAbort = on_thaw,
        };
        CVssWriter *writer = NULL;
        char line[4096];
        VSS_ID id;

        if (argc != 2)
                return fputs("usage: writer DIRECTORY\n", stderr), 2;
        app.directory = argv[1];
        if (!(app.journal = open_file("journal")) || !(app.ledger = open_file("ledger")))
                return perror(app.directory), 1;
        if (FAILED(VssIdFromString("a3c0b94e-6f7e-4b5e-9a57-0d4f2d7f3b11", &id)) ||
            FAILED(CVssWriter_Create(&callbacks, NULL, &writer)) ||
            FAILED(CVssWriter_Initialize(writer, id, "Ledger", VSS_UT_USERDATA, VSS_ST_OTHER,
                                         VSS_APP_FRONT_END, 10000, VSS_AWS_NO_ALTERNATE_WRITER,
                                         false, NULL)) ||
            FAILED(CVssWriter_Subscribe(writer, 0, VSS_SM_BACKUP_EVENTS_FLAG)))
                fprintf(stderr, "Snapshots are made without us: %s\n", VssLastErrorMessage());
        while (fgets(line, sizeof(line), stdin) && write_line(line))
                ;
        CVssWriter_Release(writer);
        return ferror(stdin) || ferror(app.journal) || ferror(app.ledger);
}
