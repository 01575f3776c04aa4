/* Component mode, from the metadata of a writer to files: vssctl and the example requester against
 * the real daemon over fake storage. The copies that the fake storage makes have no files, so the
 * test puts some where they would be, in a mount name space of its own. */

#include "tests/bus/harness.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <vss/vsslinux.h>

static struct harness h;
static CVssWriter *writer;

static struct {
        atomic_uint components, completes, succeeded, restoring, restored, stamps;
        bool veto;      /* PrepareSnapshot, PreRestore */
        bool no_copies; /* the writer needs none */
} heard;

static bool add(IVssCreateWriterMetadata *m, const char *path, const char *name, bool selectable,
                const char *spec, bool recursive) {
        return SUCCEEDED(IVssCreateWriterMetadata_AddComponent(m, VSS_CT_FILEGROUP, path, name,
                                                               NULL, NULL, 0, false, false,
                                                               selectable, false, 0)) &&
               (!spec || SUCCEEDED(IVssCreateWriterMetadata_AddFilesToFileGroup(
                                 m, path, name, "/srv/data", spec, recursive, NULL,
                                 VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)));
}

static bool on_identify(CVssWriter *w _unused_, void *user _unused_, IVssCreateWriterMetadata *m) {
        if (heard.no_copies)
                return add(m, NULL, "plain", true, NULL, false) &&
                       SUCCEEDED(IVssCreateWriterMetadata_AddFilesToFileGroup(
                               m, NULL, "plain", "/srv/data", "a.dat", false, NULL,
                               VSS_FSBT_ALL_BACKUP_REQUIRED));
        return add(m, NULL, "config", false, "*.conf", false) &&
               add(m, NULL, "main", true, NULL, false) &&
               add(m, "main", "data", false, "*.dat", true) &&
               add(m, "main", "extra", true, "*.extra", false) &&
               add(m, NULL, "odd", true, "must-be-there", false) &&
               add(m, NULL, "bytes", true, "*.\xff", false) &&
               SUCCEEDED(
                       IVssCreateWriterMetadata_AddExcludeFiles(m, "/srv/data/cache", "*", true)) &&
               SUCCEEDED(IVssCreateWriterMetadata_SetRestoreMethod(
                       m, VSS_RME_RESTORE_IF_CAN_REPLACE, NULL, NULL, VSS_WRE_ALWAYS, false));
}

static bool on_prepare_backup(CVssWriter *w _unused_, void *user _unused_,
                              IVssWriterComponents *components) {
        UINT n = 0;

        if (components)
                (void)IVssWriterComponents_GetComponentCount(components, &n);
        heard.components = n;
        heard.stamps = 0;
        for (UINT i = 0; i < n; i++) {
                IVssComponent *c = NULL;
                BSTR stamp = NULL;

                if (SUCCEEDED(IVssWriterComponents_GetComponent(components, i, &c)) &&
                    IVssComponent_GetPreviousBackupStamp(c, &stamp) == S_OK)
                        heard.stamps += streq(stamp, "first");
                SysFreeString(stamp);
                /* A stamp for each but one. */
                if (i > 0)
                        (void)IVssComponent_SetBackupStamp(c, "first");
                IVssComponent_Release(c);
        }
        return true;
}

static bool nothing(CVssWriter *w _unused_, void *user _unused_) {
        return true;
}

static bool veto(CVssWriter *w) {
        (void)CVssWriterEx2_SetWriterFailureEx(w, VSS_E_WRITERERROR_NONRETRYABLE, S_OK,
                                               "the mail is being sorted");
        return false;
}

/* One of two vetoes that do not end a set. */
static bool on_prepare_snapshot(CVssWriter *w, void *user _unused_) {
        return !heard.veto || veto(w);
}

/* Of a.dat only some bytes changed. */
static bool on_post_snapshot(CVssWriter *w, void *user _unused_, IVssWriterComponents *components) {
        IVssComponent *c = NULL;
        bool ok = true;
        UINT n = 0;

        if (!components || !CVssWriter_IsPartialFileSupportEnabled(w))
                return true;
        (void)IVssWriterComponents_GetComponentCount(components, &n);
        for (UINT i = 0; ok && i < n; i++) {
                BSTR name = NULL;

                ok = SUCCEEDED(IVssWriterComponents_GetComponent(components, i, &c)) &&
                     SUCCEEDED(IVssComponent_GetComponentName(c, &name)) &&
                     (!streq(name, "main") || SUCCEEDED(IVssComponent_AddPartialFile(
                                                      c, "/srv/data", "a.dat", "0:2", NULL)));
                SysFreeString(name);
                IVssComponent_Release(c);
        }
        return ok;
}

static bool on_pre_restore(CVssWriter *w, void *user _unused_, IVssWriterComponents *components) {
        UINT n = 0;

        if (components)
                (void)IVssWriterComponents_GetComponentCount(components, &n);
        heard.restoring = n;
        return !heard.veto || veto(w);
}

static bool on_post_restore(CVssWriter *w _unused_, void *user _unused_,
                            IVssWriterComponents *components) {
        VSS_FILE_RESTORE_STATUS status = VSS_RS_UNDEFINED;
        IVssComponent *c = NULL;

        if (FAILED(IVssWriterComponents_GetComponent(components, 0, &c)) ||
            FAILED(IVssComponent_GetFileRestoreStatus(c, &status)))
                return false;
        IVssComponent_Release(c);
        heard.restored = status;
        return true;
}

static bool on_complete(CVssWriter *w _unused_, void *user _unused_,
                        IVssWriterComponents *components) {
        UINT n = 0;

        heard.completes++;
        if (components)
                (void)IVssWriterComponents_GetComponentCount(components, &n);
        for (UINT i = 0; i < n; i++) {
                IVssComponent *c = NULL;
                bool succeeded = false;

                if (SUCCEEDED(IVssWriterComponents_GetComponent(components, i, &c)) &&
                    IVssComponent_GetBackupSucceeded(c, &succeeded) == S_OK && succeeded)
                        heard.succeeded++;
                IVssComponent_Release(c);
        }
        return true;
}

static void start_writer(void) {
        static const VSS_WRITER_CALLBACKS callbacks = {
                .size = sizeof(callbacks),
                .OnIdentify = on_identify,
                .OnPrepareBackup = on_prepare_backup,
                .OnPrepareSnapshot = on_prepare_snapshot,
                .OnPostSnapshot = on_post_snapshot,
                .OnFreeze = nothing,
                .OnThaw = nothing,
                .OnAbort = nothing,
                .OnBackupComplete = on_complete,
                .OnPreRestore = on_pre_restore,
                .OnPostRestore = on_post_restore,
        };

        ck_assert_int_eq(CVssWriter_Create(&callbacks, NULL, &writer), S_OK);
        ck_assert_int_eq(CVssWriter_Initialize(writer, (VSS_ID){ .Data1 = 0x5affb034 },
                                               "Test: files", VSS_UT_USERDATA, VSS_ST_OTHER,
                                               VSS_APP_FRONT_END, 0, VSS_AWS_NO_ALTERNATE_WRITER,
                                               false, NULL),
                         S_OK);
        ck_assert_msg(CVssWriter_Subscribe(writer, 0,
                                           VSS_SM_BACKUP_EVENTS_FLAG |
                                                   VSS_SM_RESTORE_EVENTS_FLAG) == S_OK,
                      "%s", VssLastErrorMessage());
}

static void write_file(const char *path, const char *text) {
        FILE *f = fopen(path, "we");

        ck_assert_msg(f != NULL, "%s", path);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
}

static void make_directory(const char *path) {
        ck_assert_msg(mkdir(path, 0755) == 0, "%s", path);
}

static void map_id(const char *file, unsigned id) {
        char line[32];

        (void)snprintf(line, sizeof(line), "0 %u 1\n", id);
        write_file(file, line);
}

/* What cannot be shown has not passed. */
static void refuse(const char *what) {
        ck_abort_msg("This test has to %s, and cannot: %s. Run it as root, or where users may "
                     "have name spaces of their own",
                     what, strerror(errno));
}

static void mount_tmpfs(const char *path) {
        if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0)
                refuse("mount a tmpfs");
}

/* /srv/data with files of now, and where the first copy's files would be, those of then. */
static void make_files(void) {
        unsigned uid = geteuid(), gid = getegid();

        if (unshare(CLONE_NEWNS) < 0) {
                if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        refuse("unshare a mount name space");
                write_file("/proc/self/setgroups", "deny");
                map_id("/proc/self/uid_map", uid);
                map_id("/proc/self/gid_map", gid);
        }
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                refuse("make mounts private");
        mount_tmpfs("/srv");
        mount_tmpfs("/run");
        make_directory("/srv/data");
        mount_tmpfs("/srv/data");
        write_file("/srv/data/a.conf", "now");
        write_file("/srv/data/a.dat", "now");
        write_file("/srv/data/later.dat", "now");
        make_directory("/srv/data/cache");
        write_file("/srv/data/cache/c.dat", "now");
        make_directory("/run/vss");
        make_directory("/run/vss/ShadowCopy1");
        write_file("/run/vss/ShadowCopy1/a.conf", "then");
        write_file("/run/vss/ShadowCopy1/a.dat", "then");
        make_directory("/run/vss/ShadowCopy1/sub");
        write_file("/run/vss/ShadowCopy1/sub/b\nb.dat", "then");
        make_directory("/run/vss/ShadowCopy1/cache");
        write_file("/run/vss/ShadowCopy1/cache/c.dat", "then");
}

static void set_up(void) {
        make_files();
        harness_start(&h, NULL);
        ck_assert_int_eq(setenv("VSSD_BUS_ADDRESS", h.address, 1), 0);
        start_writer();
}

static void tear_down(void) {
        CVssWriter_Release(writer);
        harness_stop(&h);
}

/* What a command printed on both streams; static. */
static struct {
        char text[32768];
        size_t length;
        int status;
} printed;

static void run(const char *command) {
        FILE *f = popen(command, "re");
        size_t n;
        int status;

        ck_assert_ptr_nonnull(f);
        printed.length = 0;
        while ((n = fread(printed.text + printed.length, 1,
                          sizeof(printed.text) - 1 - printed.length, f)) > 0)
                printed.length += n;
        printed.text[printed.length] = '\0';
        status = pclose(f);
        printed.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define vssctl(arguments) run(VSSCTL " " arguments " 2>&1 </dev/null")
#define expect_status(want) \
        ck_assert_msg(printed.status == (want), "ended with %d: %s", printed.status, printed.text)
#define expect_text(want) \
        ck_assert_msg(strstr(printed.text, (want)), "'%s' is not in '%s'", (want), printed.text)
#define expect_no_text(text_) \
        ck_assert_msg(!strstr(printed.text, (text_)), "'%s' is in '%s'", (text_), printed.text)

START_TEST(the_tree_of_components_is_shown) {
        set_up();
        vssctl("writers --components");
        expect_status(0);
        expect_text("Test: files");
        expect_text("  config");
        expect_text("mandatory");
        expect_text("    data");
        expect_text("part of main");
        expect_text("optional part of main");
        vssctl("writers --components --json");
        expect_status(0);
        expect_text("\"selection\": \"optional\"");
        expect_text("\"logical_path\": \"main\",\n          \"component\": \"data\"");
        tear_down();
}
END_TEST

START_TEST(files_are_listed_from_the_originals) {
        set_up();
        vssctl("files 'Test: files:main'");
        expect_status(0);
        expect_text("with 'Test: files:config': its writer allows no backup without it");
        expect_text("Test: files:main\\data\n");
        expect_text("  /srv/data/a.conf\n");
        expect_text("  /srv/data/later.dat\n");
        expect_no_text("c.dat");
        expect_no_text(".extra");
        /* By class, and with the other separator; a part cannot be chosen. */
        vssctl("files 5affb034-0000-0000-0000-000000000000:main/extra");
        expect_status(0);
        expect_no_text("later.dat");
        vssctl("files 'Test: files:main/data'");
        expect_status(2);
        expect_text("is part of 'main'");
        /* All of it: what is named must be there. */
        vssctl("files 'Test: files'");
        expect_status(5);
        expect_text("There is no file 'must-be-there' in /srv/data");
        /* A name that is no text goes through the documents and comes out whole. */
        write_file("/srv/data/a.\xff", "now");
        run(VSSCTL " -q files -0 'Test: files:bytes' | tr '\\0' '\\n'");
        expect_text("/srv/data/a.\xff\n");
        vssctl("files --json 'Test: files:bytes'");
        expect_text("\"path_hex\": \"2f7372762f646174612f612eff\"");
        vssctl("files 'Nobody'");
        expect_status(2);
        expect_text("no writer has this name");
        vssctl("files 'Test: files:none'");
        expect_status(2);
        expect_text("has no component 'none'");
        tear_down();
}
END_TEST

START_TEST(files_are_listed_from_a_copy) {
        set_up();
        vssctl("create --keep --quiet /srv/data");
        expect_status(0);
        vssctl("files --set ShadowCopy1 'Test: files:main'");
        expect_status(0);
        expect_text("  /srv/data/a.dat  <- /run/vss/ShadowCopy1/a.dat\n");
        expect_text("  /srv/data/sub/  <- /run/vss/ShadowCopy1/sub\n");
        expect_no_text("later.dat");
        expect_no_text("c.dat");
        expect_no_text("b\nb.dat"); /* what would break the lines is shown otherwise */

        run(VSSCTL " --quiet files -0 --set ShadowCopy1 'Test: files:main' | tr '\\n\\0' '@\\n'");
        expect_text("/run/vss/ShadowCopy1/sub/b@b.dat\n");
        expect_no_text("Test: files");

        run(VSSCTL " --json files --set ShadowCopy1 'Test: files:main' 2>/dev/null");
        expect_status(0);
        expect_text("\"path\": \"/srv/data/sub/b\\nb.dat\"");
        expect_text("\"from_copy\": true");
        expect_text("\"reason\": \"mandatory\"");
        expect_text("\"problems\": 0");
        /* What has to be read from a copy is not read from elsewhere. */
        vssctl("create --keep --quiet /srv/mail");
        expect_status(0);
        vssctl("files --set ShadowCopy2 'Test: files:main'");
        expect_status(5);
        expect_text("which is not in the set");
        expect_no_text("a.dat");
        tear_down();
}
END_TEST

START_TEST(run_backs_up_components) {
        set_up();
        vssctl("run --component 'Test: files:main' --document /run/documents.tar -- "
               "sh -c 'cat $VSS_COPY_1/a.dat'");
        expect_status(0);
        expect_text("then");
        expect_text("with the volume /srv/data");
        ck_assert_uint_eq(heard.components, 2); /* config and main; data is part of it */
        ck_assert_uint_eq(heard.completes, 1);
        ck_assert_uint_eq(heard.succeeded, 2);
        run("tar -tf /run/documents.tar");
        ck_assert_str_eq(printed.text, "Manifest.xml\nBCDocument.xml\nWM0.xml\n");
        run("tar -xOf /run/documents.tar Manifest.xml | xmllint --noout - 2>&1");
        ck_assert_str_eq(printed.text, "");
        run("tar -xOf /run/documents.tar Manifest.xml");
        expect_text("<ShadowCopySet GUID=\"{");
        expect_text("Alias=\"VSS_SHADOW_1\" OriginalVolume=\"/srv/data/\" Provider=\"{");
        expect_text("<BackupComponents File=\"BCDocument.xml\"/>"
                    "<Options Context=\"backup\" BackupType=\"full\"/>"
                    "<Aliases><Alias Name=\"VSS_SHADOW_SET\" Value=\"{");
        expect_text("<Writers Count=\"1\"><Writer Name=\"Test: files\" MetadataFile=\"WM0.xml\"/>");
        run("tar -xOf /run/documents.tar BCDocument.xml");
        expect_text("componentName=\"config\"");
        expect_text("backupSucceeded=\"yes\"");
        expect_no_text("componentName=\"data\"");
        run("tar -xOf /run/documents.tar WM0.xml");
        expect_text("must-be-there");

        /* A command finds the files of its own set, as the manual shows it. */
        ck_assert_int_eq(symlink("ShadowCopy1", "/run/vss/ShadowCopy2"), 0);
        vssctl("-q run --component 'Test: files:main' -- sh -c '" VSSCTL
               " -q files -0 --set $VSS_SET_ID --document $VSS_DOCUMENT | "
               "tar --null --no-recursion -T - -cf /run/backup.tar "
               "--transform \"s,^/*${VSS_COPY_1#/},${VSS_VOLUME_1#/},S\"' 2>&1");
        expect_status(0);
        expect_no_text("Cannot");
        run("tar -tPf /run/backup.tar | sed 's,^,= ,'");
        expect_text("= srv/data/a.dat\n");

        /* A command that fails has saved nothing. */
        vssctl("run --component 'Test: files:main' --document /run/other.tar -- false");
        expect_status(11);
        ck_assert_uint_eq(heard.completes, 2);
        ck_assert_int_eq(access("/run/other.tar", F_OK), -1);
        tear_down();
}
END_TEST

START_TEST(writers_of_a_copy_are_shown) {
        set_up();
        vssctl("create --keep --quiet /srv/data /srv/mail");
        expect_status(0);
        vssctl("show ShadowCopy1");
        expect_text("Writer: Test: files\n");
        vssctl("show ShadowCopy2"); /* where it has no files */
        expect_no_text("Test: files");
        heard.veto = true;
        vssctl("create --keep --quiet /srv/data");
        expect_status(5);
        vssctl("show ShadowCopy3");
        expect_text("Writer: Test: files: failed, its files are not consistent "
                    "(VSS_E_WRITERERROR_NONRETRYABLE 0x800423f4)\n");
        vssctl("show --json ShadowCopy3");
        expect_text("\"writers\": [\n        {\n          \"name\": \"Test: files\"");
        expect_text("\"failure_name\": \"VSS_E_WRITERERROR_NONRETRYABLE\"");
        tear_down();
}
END_TEST

/* What the writers said of a backup, its command knows, and so does who has its documents. */
START_TEST(a_document_tells_the_ranges_of_files) {
        set_up();
        vssctl("run --partial-files --component 'Test: files:main' --document /run/documents.tar "
               "-- sh -c 'test -s $VSS_DOCUMENT && echo $VSS_DOCUMENT >/run/name && " VSSCTL
               " files --document $VSS_DOCUMENT --set $VSS_SET_ID'");
        expect_status(0);
        expect_text("Test: files:config\n  /srv/data/a.conf  <- /run/vss/ShadowCopy1/a.conf\n");
        expect_text("  /srv/data/a.dat  <- /run/vss/ShadowCopy1/a.dat  [0:2]\n");
        run("ls $(cat /run/name) 2>&1"); /* it was for the command alone */
        ck_assert_int_ne(printed.status, 0);

        vssctl("files --json --document /run/documents.tar");
        expect_status(0);
        expect_text("\"ranges\": \"0:2\"");
        expect_text("\"reason\": \"chosen\"");
        /* The parts lie in a directory, and nobody has to be there to be asked. */
        run("mkdir /run/documents && tar -C /run/documents -xf /run/documents.tar");
        CVssWriter_Release(writer);
        vssctl("files --document /run/documents");
        expect_status(0);
        expect_text("  /srv/data/a.dat  [0:2]\n");
        expect_no_text("a.extra");
        start_writer();

        /* Who does not ask for ranges gets none; a copy of volumes has no components. */
        vssctl("run --component 'Test: files:main' -- sh -c '" VSSCTL
               " files --document $VSS_DOCUMENT'");
        expect_status(0);
        expect_no_text("[0:2]");
        vssctl("run --document /run/volumes.tar /srv/data -- sh -c 'test -z $VSS_DOCUMENT'");
        expect_status(0);
        vssctl("files --document /run/volumes.tar");
        expect_status(0);
        expect_text("it has no components");
        tear_down();
}
END_TEST

START_TEST(writers_get_their_stamps_back) {
        set_up();
        vssctl("run --component 'Test: files' --document /run/full.tar -- true");
        expect_status(0);
        ck_assert_uint_eq(heard.components, 4); /* config, main, odd, bytes */
        ck_assert_uint_eq(heard.stamps, 0);
        vssctl("run --type incremental --previous /run/full.tar --component 'Test: files' -- true");
        expect_status(0);
        ck_assert_uint_eq(heard.stamps, 3);
        /* What is not in this backup needs none. */
        vssctl("run --type incremental --previous /run/full.tar --component 'Test: files:odd' "
               "-- true");
        expect_status(0);
        ck_assert_uint_eq(heard.components, 2);
        ck_assert_uint_eq(heard.stamps, 1);
        vssctl("run --previous /run/full.tar /srv/data -- true");
        expect_status(1);
        vssctl("run --previous /nowhere.tar --component 'Test: files' -- true");
        expect_status(2);
        expect_text("/nowhere.tar: No such file");
        tear_down();
}
END_TEST

START_TEST(create_says_nothing_of_success) {
        set_up();
        vssctl("create --keep --component 'Test: files:main/extra' --type full /srv/data");
        expect_status(0);
        ck_assert_uint_eq(heard.components, 2);
        ck_assert_uint_eq(heard.completes, 1);
        ck_assert_uint_eq(heard.succeeded, 0);
        tear_down();
}
END_TEST

START_TEST(wrong_usage_is_told) {
        set_up();
        vssctl("run -- true");
        expect_status(1);
        expect_text("neither a VOLUME nor a --component");
        vssctl("create --context file-share --component x /srv/data");
        expect_status(1);
        expect_text("no writers take part");
        vssctl("files --type quick x");
        expect_status(1);
        vssctl("files --json -0 x");
        expect_status(1);
        vssctl("files");
        expect_status(1);
        expect_text("neither a WRITER nor a --document");
        vssctl("files --document x.tar 'Test: files'");
        expect_status(1);
        vssctl("files --document /nowhere.tar");
        expect_status(2);
        expect_text("/nowhere.tar: No such file or directory");
        vssctl("create --keep --component Nobody /srv/data");
        expect_status(2);
        vssctl("run --document /nowhere/x.tar /srv/data -- true");
        expect_status(2);
        expect_text("cannot write the documents to /nowhere/x.tar");
        run("cd /srv && " VSSCTL " create data/cache 2>&1");
        expect_status(2);
        expect_text("write './data/cache'");
        tear_down();
}
END_TEST

START_TEST(the_example_saves_the_files_of_then) {
        set_up();
        write_file("/run/vss/ShadowCopy1/must-be-there", "then");
        make_directory("/run/backup");
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        expect_status(0);
        ck_assert_str_eq(printed.text, "");
        run("cd /run/backup && find . -type f | sort && cat files/srv/data/a.dat");
        ck_assert_str_eq(printed.text, "./BCDocument.xml\n./WM0.xml\n./files/srv/data/a.conf\n"
                                       "./files/srv/data/a.dat\n"
                                       "./files/srv/data/must-be-there\n"
                                       "./files/srv/data/sub/b\nb.dat\nthen");
        ck_assert_uint_eq(heard.succeeded, 4); /* config, main, odd, bytes */
        /* Nothing is left. */
        vssctl("list --json");
        ck_assert_str_eq(printed.text, "{\n  \"snapshots\": [],\n  \"reverts\": []\n}\n");
        tear_down();
}
END_TEST

/* The walk of docs/restore.md, with real files. */
START_TEST(the_examples_back_up_and_restore) {
        set_up();
        write_file("/run/vss/ShadowCopy1/must-be-there", "then");
        make_directory("/run/backup");
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        expect_status(0);

        /* A file is changed, one and a directory are lost, one is new. */
        run("cd /srv/data && echo changed >a.conf && rm a.dat && ls");
        ck_assert_str_eq(printed.text, "a.conf\ncache\nlater.dat\n");
        run(EXAMPLE_RESTORE " /run/backup 2>&1");
        expect_status(0);
        ck_assert_str_eq(printed.text, "");
        ck_assert_uint_eq(heard.restoring, 4); /* config, main, odd, bytes */
        ck_assert_uint_eq(heard.restored, VSS_RS_ALL);
        run("cd /srv/data && find . -type f | sort && cat a.conf a.dat sub/*");
        ck_assert_str_eq(printed.text, "./a.conf\n./a.dat\n./cache/c.dat\n./later.dat\n"
                                       "./must-be-there\n./sub/b\nb.dat\nthenthenthen");

        vssctl("files --document /run/backup");
        expect_status(0);
        expect_text("  /srv/data/a.dat\n");

        /* A veto, and a file that cannot be replaced, leave everything as it is. */
        write_file("/srv/data/a.conf", "changed");
        heard.veto = true;
        run(EXAMPLE_RESTORE " /run/backup 2>&1");
        expect_status(1);
        ck_assert_str_eq(printed.text, "Test: files: the mail is being sorted\n");
        ck_assert_uint_eq(heard.restored, VSS_RS_NONE);
        heard.veto = false;
        heard.restored = 0;
        run("cd /srv/data && rm a.dat && mkdir a.dat && cd / && " EXAMPLE_RESTORE
            " /run/backup 2>&1");
        expect_status(1);
        ck_assert_str_eq(printed.text, "/srv/data/a.dat: Is a directory\n");
        ck_assert_uint_eq(heard.restored, VSS_RS_NONE);
        run("cat /srv/data/a.conf");
        ck_assert_str_eq(printed.text, "changed");

        /* Nobody is there to be told. */
        CVssWriter_Release(writer);
        run(EXAMPLE_RESTORE " /run/backup 2>&1");
        expect_status(1);
        expect_text("not restored: ");
        start_writer();
        tear_down();
}
END_TEST

/* The negative control of the_example_saves_the_files_of_then. */
START_TEST(the_example_tells_when_a_file_is_missing) {
        set_up();
        make_directory("/run/backup");
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        expect_status(1);
        expect_text("odd: There is no file 'must-be-there'");
        ck_assert_uint_eq(heard.succeeded, 3);
        tear_down();
}
END_TEST

START_TEST(the_example_tells_of_a_file_that_it_cannot_write) {
        set_up();
        write_file("/run/vss/ShadowCopy1/must-be-there", "then");
        run("mkdir -p /run/backup/files/srv/data/a.dat");
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        expect_status(1);
        ck_assert_str_eq(printed.text, "/srv/data/a.dat: Is a directory\n");
        ck_assert_uint_eq(heard.succeeded, 3);
        tear_down();
}
END_TEST

START_TEST(the_example_tells_of_a_veto) {
        set_up();
        write_file("/run/vss/ShadowCopy1/must-be-there", "then");
        make_directory("/run/backup");
        heard.veto = true;
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        expect_status(1);
        ck_assert_str_eq(printed.text, "Test: files: the mail is being sorted\n");
        run("cat /run/backup/BCDocument.xml");
        expect_text("backupSucceeded=\"no\"");
        expect_no_text("backupSucceeded=\"yes\"");
        tear_down();
}
END_TEST

START_TEST(the_example_needs_no_copy_where_nobody_does) {
        set_up();
        heard.no_copies = true;
        make_directory("/run/backup");
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        ck_assert_str_eq(printed.text, "");
        expect_status(0);
        run("cat /run/backup/files/srv/data/a.dat");
        ck_assert_str_eq(printed.text, "now");
        ck_assert_uint_eq(heard.succeeded, 1);
        tear_down();
}
END_TEST

START_TEST(the_example_says_that_nobody_has_anything) {
        set_up();
        make_directory("/run/backup");
        CVssWriter_Release(writer);
        run(EXAMPLE_REQUESTER " /run/backup 2>&1");
        expect_status(1);
        ck_assert_str_eq(printed.text, "no writer has anything to save\n");
        start_writer();
        run(EXAMPLE_REQUESTER " 2>&1");
        expect_status(2);
        ck_assert_str_eq(printed.text, "name a directory\n");
        run(EXAMPLE_RESTORE " 2>&1");
        expect_status(2);
        ck_assert_str_eq(printed.text, "name a directory\n");
        tear_down();
}
END_TEST

int main(void) {
        Suite *s = suite_create("files");
        TCase *c = tcase_create("files");
        SRunner *runner;
        int failed;

        tcase_set_timeout(c, 60);
        tcase_add_test(c, the_tree_of_components_is_shown);
        tcase_add_test(c, files_are_listed_from_the_originals);
        tcase_add_test(c, files_are_listed_from_a_copy);
        tcase_add_test(c, run_backs_up_components);
        tcase_add_test(c, writers_of_a_copy_are_shown);
        tcase_add_test(c, a_document_tells_the_ranges_of_files);
        tcase_add_test(c, writers_get_their_stamps_back);
        tcase_add_test(c, create_says_nothing_of_success);
        tcase_add_test(c, wrong_usage_is_told);
        tcase_add_test(c, the_example_saves_the_files_of_then);
        tcase_add_test(c, the_examples_back_up_and_restore);
        tcase_add_test(c, the_example_tells_when_a_file_is_missing);
        tcase_add_test(c, the_example_tells_of_a_file_that_it_cannot_write);
        tcase_add_test(c, the_example_tells_of_a_veto);
        tcase_add_test(c, the_example_needs_no_copy_where_nobody_does);
        tcase_add_test(c, the_example_says_that_nobody_has_anything);
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
