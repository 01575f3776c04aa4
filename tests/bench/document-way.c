/* See document-way.h. */

#include "tests/bench/document-way.h"

#include <stdio.h>
#include <time.h>
#include <vss/vsslinux.h>

#define COMPONENT_MASK (VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED)

double document_way_now_ms(void) {
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t); /* every kernel has this clock */
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool good(HRESULT hr, const char *what) {
        if (FAILED(hr))
                (void)fprintf(stderr, "%s: %#x: %s\n", what, (unsigned)hr, VssLastErrorMessage());
        return SUCCEEDED(hr);
}

/* --- the writer --- */

static bool add_component(IVssCreateWriterMetadata *m, char name[static 32], size_t number) {
        (void)snprintf(name, 32, "component-%zu", number);
        return good(IVssCreateWriterMetadata_AddComponent(m, VSS_CT_FILEGROUP, "bench", name, NULL,
                                                          NULL, 0, false, false, true, true, 0),
                    "AddComponent");
}

static bool add_entries(IVssCreateWriterMetadata *m, size_t n) {
        char name[32] = "", path[64] = "", filespec[32];
        size_t n_files = 0;

        for (size_t i = 0; i < n; i++) {
                HRESULT hr;

                if (i % 16 == 0)
                        (void)snprintf(path, sizeof(path), "/var/lib/application/data/%08zu", i);
                (void)snprintf(filespec, sizeof(filespec), "file-%08zu.dat", i);
                if (i % DOCUMENT_WAY_EXCLUDES == DOCUMENT_WAY_EXCLUDES - 1)
                        hr = IVssCreateWriterMetadata_AddExcludeFiles(m, path, filespec, false);
                else {
                        if (n_files % DOCUMENT_WAY_OF_A_COMPONENT == 0 &&
                            !add_component(m, name, n_files / DOCUMENT_WAY_OF_A_COMPONENT))
                                return false;
                        n_files++;
                        hr = IVssCreateWriterMetadata_AddFilesToFileGroup(
                                m, "bench", name, path, filespec, false, NULL, COMPONENT_MASK);
                }
                if (!good(hr, "an entry"))
                        return false;
        }
        return true;
}

static bool on_identify(CVssWriter *writer _unused_, void *user,
                        IVssCreateWriterMetadata *metadata) {
        struct document_way_writer *w = user;
        double begin = document_way_now_ms();
        bool ok = add_entries(metadata, w->n);

        w->made_ms = document_way_now_ms() - begin;
        return ok;
}

static bool on_event(CVssWriter *w _unused_, void *user _unused_) {
        return true;
}

bool document_way_start_writer(struct document_way_writer *w, size_t n) {
        static const VSS_WRITER_CALLBACKS callbacks = {
                .size = sizeof(callbacks),
                .OnIdentify = on_identify,
                .OnPrepareSnapshot = on_event,
                .OnFreeze = on_event,
                .OnThaw = on_event,
                .OnAbort = on_event,
        };
        static const VSS_ID class = { 0xd0c0, 0, 0x4000, { 0x80 } };

        *w = (struct document_way_writer){ .n = n };
        return good(CVssWriter_Create(&callbacks, w, &w->writer), "CVssWriter_Create") &&
               good(CVssWriter_Initialize(w->writer, class, "Large", VSS_UT_USERDATA, VSS_ST_OTHER,
                                          VSS_APP_FRONT_END, 0, VSS_AWS_NO_ALTERNATE_WRITER, false,
                                          NULL),
                    "CVssWriter_Initialize") &&
               good(CVssWriter_Subscribe(w->writer, 0,
                                         VSS_SM_BACKUP_EVENTS_FLAG | VSS_SM_RESTORE_EVENTS_FLAG),
                    "CVssWriter_Subscribe");
}

void document_way_stop_writer(struct document_way_writer *w) {
        if (w->writer)
                (void)CVssWriter_Release(w->writer);
        w->writer = NULL;
}

/* --- the requester --- */

/* All that it has to say. */
static bool read_files(IVssWMFiledesc *f) {
        BSTR path = NULL, filespec = NULL, alternate = NULL;
        bool recursive = true, ok;
        DWORD mask = 0;

        ok = IVssWMFiledesc_GetPath(f, &path) == S_OK && path[0] == '/' &&
             IVssWMFiledesc_GetFilespec(f, &filespec) == S_OK &&
             strncmp(filespec, "file-", strlen("file-")) == 0 &&
             IVssWMFiledesc_GetRecursive(f, &recursive) == S_OK && !recursive &&
             IVssWMFiledesc_GetAlternateLocation(f, &alternate) == S_FALSE &&
             IVssWMFiledesc_GetBackupTypeMask(f, &mask) == S_OK;
        SysFreeString(path);
        SysFreeString(filespec);
        (void)IVssWMFiledesc_Release(f);
        if (!ok)
                (void)fprintf(stderr, "an entry is not as it was added\n");
        return ok;
}

static bool read_component(IVssExamineWriterMetadata *m, UINT i, size_t *n) {
        PVSSCOMPONENTINFO info = NULL;
        IVssWMComponent *c = NULL;
        IVssWMFiledesc *f;
        bool ok;

        ok = good(IVssExamineWriterMetadata_GetComponent(m, i, &c), "GetComponent") &&
             good(IVssWMComponent_GetComponentInfo(c, &info), "GetComponentInfo");
        for (UINT k = 0; ok && k < info->cFileCount; k++, (*n)++)
                ok = good(IVssWMComponent_GetFile(c, k, &f), "GetFile") && read_files(f);
        if (info)
                (void)IVssWMComponent_FreeComponentInfo(c, info);
        if (c)
                (void)IVssWMComponent_Release(c);
        return ok;
}

static bool examine(IVssExamineWriterMetadata *m, size_t n_wanted) {
        UINT n_includes, n_excludes = 0, n_components = 0;
        size_t n = 0;
        bool ok;

        ok = good(
                IVssExamineWriterMetadata_GetFileCounts(m, &n_includes, &n_excludes, &n_components),
                "GetFileCounts");
        for (UINT i = 0; ok && i < n_components; i++)
                ok = read_component(m, i, &n);
        for (UINT i = 0; ok && i < n_excludes; i++, n++) {
                IVssWMFiledesc *f;

                ok = good(IVssExamineWriterMetadata_GetExcludeFile(m, i, &f), "GetExcludeFile") &&
                     read_files(f);
        }
        if (ok && n != n_wanted) {
                (void)fprintf(stderr, "%zu of %zu entries came\n", n, n_wanted);
                ok = false;
        }
        return ok;
}

static bool gather(IVssBackupComponents *b) {
        HRESULT status = S_OK;
        IVssAsync *a = NULL;
        UINT n = 0;
        bool ok;

        ok = good(IVssBackupComponents_GatherWriterMetadata(b, &a), "GatherWriterMetadata") &&
             good(IVssAsync_Wait(a, INFINITE), "Wait") &&
             good(IVssAsync_QueryStatus(a, &status, NULL), "QueryStatus") &&
             good(status, "GatherWriterMetadata") &&
             good(IVssBackupComponents_GetWriterMetadataCount(b, &n), "GetWriterMetadataCount");
        if (a)
                (void)IVssAsync_Release(a);
        if (ok && n != 1) {
                (void)fprintf(stderr, "%u writers were gathered, not one\n", n);
                ok = false;
        }
        return ok;
}

static bool go(IVssBackupComponents *b, size_t n, struct document_way_times *ret, BSTR *ret_xml,
               IVssExamineWriterMetadata **m) {
        double at[5];
        VSS_ID instance;

        at[0] = document_way_now_ms();
        if (!gather(b))
                return false;
        at[1] = document_way_now_ms();
        if (!good(IVssBackupComponents_GetWriterMetadata(b, 0, &instance, m), "GetWriterMetadata"))
                return false;
        at[2] = document_way_now_ms();
        if (!examine(*m, n))
                return false;
        at[3] = document_way_now_ms();
        if (!good(IVssExamineWriterMetadata_SaveAsXML(*m, ret_xml), "SaveAsXML"))
                return false;
        at[4] = document_way_now_ms();
        *ret = (struct document_way_times){
                .gather = at[1] - at[0],
                .get = at[2] - at[1],
                .examine = at[3] - at[2],
                .save = at[4] - at[3],
        };
        return true;
}

bool document_way_go(size_t n, struct document_way_times *ret, BSTR *ret_xml) {
        IVssExamineWriterMetadata *m = NULL;
        IVssBackupComponents *b = NULL;
        bool ok;

        *ret_xml = NULL;
        ok = good(CreateVssBackupComponents(&b), "CreateVssBackupComponents") &&
             good(IVssBackupComponents_InitializeForBackup(b, NULL), "InitializeForBackup") &&
             good(IVssBackupComponents_SetBackupState(b, true, false, VSS_BT_FULL, false),
                  "SetBackupState") &&
             go(b, n, ret, ret_xml, &m);
        if (m)
                (void)IVssExamineWriterMetadata_Release(m);
        if (b)
                (void)IVssBackupComponents_Release(b);
        return ok;
}
