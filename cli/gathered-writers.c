/* Metadata, gathered and kept. */

#include "cli/gathered-writers.h"

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/progress.h"

static bool id_equal(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

void gathered_writers_done(struct gathered_writers *w) {
        for (UINT i = 0; i < w->n; i++) {
                IVssExamineWriterMetadata_Release(w->list[i].metadata);
                VssFreeString(w->list[i].name);
                VssFreeString(w->list[i].instance_name);
        }
        free(w->list);
        *w = (struct gathered_writers){ 0 };
}

static HRESULT read_identity(struct gathered_writer *g) {
        return IVssExamineWriterMetadataEx_GetIdentityEx(g->metadata, &g->instance_id,
                                                         &g->writer_id, &g->name, &g->instance_name,
                                                         &g->usage, &g->source);
}

HRESULT gathered_writers_read(struct gathered_writers *ret, IVssBackupComponents *backup) {
        struct gathered_writers w = { 0 };
        UINT n;
        HRESULT hr;

        hr = IVssBackupComponents_GetWriterMetadataCount(backup, &n);
        if (FAILED(hr))
                return hr;
        w.list = calloc(n + (size_t)1, sizeof(*w.list));
        if (!w.list)
                return E_OUTOFMEMORY;
        while (SUCCEEDED(hr) && w.n < n) {
                struct gathered_writer *g = &w.list[w.n];
                VSS_ID instance;

                hr = IVssBackupComponents_GetWriterMetadata(backup, w.n, &instance, &g->metadata);
                if (FAILED(hr))
                        break;
                w.n++;
                hr = read_identity(g);
                g->instance_id = instance;
        }
        if (FAILED(hr)) {
                gathered_writers_done(&w);
                return hr;
        }
        *ret = w;
        return S_OK;
}

static void release_backup(IVssBackupComponents **backup) {
        IVssBackupComponents_Release(*backup);
}

static void release_async(IVssAsync **async) {
        IVssAsync_Release(*async);
}

/* Nothing is frozen and nothing made: Ctrl-C may end it anywhere. */
static HRESULT gather(struct gathered_writers *ret, IVssBackupComponents *backup) {
        _cleanup_(release_async) IVssAsync *async = NULL;
        HRESULT hr, status = S_OK;

        hr = IVssBackupComponents_InitializeForBackup(backup, NULL);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_SetBackupState(backup, true, false, VSS_BT_COPY, true);
        if (SUCCEEDED(hr))
                hr = IVssBackupComponents_GatherWriterMetadata(backup, &async);
        if (SUCCEEDED(hr))
                hr = IVssAsync_Wait(async, INFINITE);
        if (SUCCEEDED(hr))
                hr = IVssAsync_QueryStatus(async, &status, NULL);
        if (SUCCEEDED(hr))
                hr = status;
        return FAILED(hr) ? hr : gathered_writers_read(ret, backup);
}

int gathered_writers_ask(struct gathered_writers *ret) {
        _cleanup_(release_backup) IVssBackupComponents *backup = NULL;
        HRESULT hr;

        *ret = (struct gathered_writers){ 0 };
        progress_show("GatherMetadata", 0);
        hr = CreateVssBackupComponents(&backup);
        if (SUCCEEDED(hr))
                hr = gather(ret, backup);
        progress_clear();
        return FAILED(hr) ? message_hresult(hr, "cannot ask the writers what they have")
                          : EXIT_DONE;
}

int gathered_writers_parse(struct gathered_writers *ret, char *const *texts) {
        struct gathered_writers w = { 0 };
        HRESULT hr = S_OK;

        w.list = calloc(strv_length(texts) + 1, sizeof(*w.list));
        if (!w.list)
                return message_out_of_memory();
        STRV_FOREACH (text, texts) {
                struct gathered_writer *g = &w.list[w.n];

                hr = CreateVssExamineWriterMetadata(*text, &g->metadata);
                w.n++; /* without metadata it is empty */
                if (SUCCEEDED(hr))
                        hr = read_identity(g);
                if (FAILED(hr))
                        break;
        }
        if (FAILED(hr)) {
                int r = message_hresult(hr, "WM%u.xml", w.n - 1);

                gathered_writers_done(&w);
                return r;
        }
        *ret = w;
        return EXIT_DONE;
}

HRESULT gathered_writers_selection(const struct gathered_writers *w, VssSelection **ret) {
        _cleanup_(freep) IVssExamineWriterMetadata **list = NULL;

        *ret = NULL;
        list = calloc(w->n + (size_t)1, sizeof(*list));
        if (!list)
                return E_OUTOFMEMORY;
        for (UINT i = 0; i < w->n; i++)
                list[i] = w->list[i].metadata;
        return VssSelection_Create(list, w->n, ret);
}

bool gathered_writer_is(const struct gathered_writer *w, const char *word, size_t n) {
        _cleanup_(freep) char *text = strndup(word, n);
        VSS_ID id;

        if (!text || n == 0)
                return false;
        if (streq(text, str_or_empty(w->name)) || streq(text, str_or_empty(w->instance_name)))
                return true;
        return SUCCEEDED(VssIdFromString(text, &id)) &&
               (id_equal(id, w->writer_id) || id_equal(id, w->instance_id));
}
