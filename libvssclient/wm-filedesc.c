/* A set of files. */

#include "libvssclient/wm-filedesc.h"
#include "libvssclient/last-error.h"
#include <stdatomic.h>

struct IVssWMFiledesc {
        atomic_uint refs;
        struct writer_metadata_files files;
        struct wm_document *document;           /* whose the texts are, or NULL: */
        char *path, *filespec, *alternate_path; /* its own */
};

static IVssWMFiledesc *filedesc_free(IVssWMFiledesc *f) {
        if (!f)
                return NULL;
        wm_document_unref(f->document);
        free(f->path);
        free(f->filespec);
        free(f->alternate_path);
        free(f);
        return NULL;
}
DEFINE_CLEANUP(IVssWMFiledesc, filedesc_free);

int filedesc_new(IVssWMFiledesc **ret, const struct writer_metadata_files *files,
                 struct wm_document *document, struct vss_error *reterr) {
        IVssWMFiledesc *f = calloc(1, sizeof(*f));

        if (!f)
                return vss_error_from_errno(reterr, -ENOMEM, "A set of files");
        atomic_init(&f->refs, 1);
        f->files = *files;
        f->document = document ? wm_document_ref(document) : NULL;
        *ret = f;
        return 0;
}

int filedesc_new_copy(IVssWMFiledesc **ret, const struct writer_metadata_files *files,
                      struct vss_error *reterr) {
        _cleanup_(filedesc_freep) IVssWMFiledesc *f = NULL;
        int r;

        r = filedesc_new(&f, files, NULL, reterr);
        if (r < 0)
                return r;
        f->path = strdup(str_or_empty(files->path));
        f->filespec = strdup(str_or_empty(files->filespec));
        if (!f->path || !f->filespec || !wm_copy_text(files->alternate_path, &f->alternate_path))
                return vss_error_from_errno(reterr, -ENOMEM, "A set of files");
        f->files.path = f->path;
        f->files.filespec = f->filespec;
        f->files.alternate_path = f->alternate_path;
        *ret = TAKE_PTR(f);
        return 0;
}

ULONG IVssWMFiledesc_AddRef(IVssWMFiledesc *files) {
        return files ? atomic_fetch_add(&files->refs, 1) + 1 : 0;
}

ULONG IVssWMFiledesc_Release(IVssWMFiledesc *files) {
        unsigned left;

        if (!files)
                return 0;
        left = atomic_fetch_sub(&files->refs, 1) - 1;
        if (left == 0)
                filedesc_free(files);
        return left;
}

#define NO_OBJECT "the IVssWMFiledesc is NULL"

static HRESULT copy_out(const char *function, const char *text, BSTR *ret) {
        struct vss_error error = { 0 };

        *ret = strdup(str_or_empty(text));
        if (*ret)
                return S_OK;
        (void)vss_error_from_errno(&error, -ENOMEM, function);
        return last_error_raise(&error);
}

HRESULT IVssWMFiledesc_GetPath(IVssWMFiledesc *files, BSTR *pbstrPath) {
        if (!pbstrPath)
                return last_error_argument(__func__, "pbstrPath is NULL");
        *pbstrPath = NULL;
        if (!files)
                return last_error_argument(__func__, NO_OBJECT);
        return copy_out(__func__, files->files.path, pbstrPath);
}

HRESULT IVssWMFiledesc_GetFilespec(IVssWMFiledesc *files, BSTR *pbstrFilespec) {
        if (!pbstrFilespec)
                return last_error_argument(__func__, "pbstrFilespec is NULL");
        *pbstrFilespec = NULL;
        if (!files)
                return last_error_argument(__func__, NO_OBJECT);
        return copy_out(__func__, files->files.filespec, pbstrFilespec);
}

HRESULT IVssWMFiledesc_GetRecursive(IVssWMFiledesc *files, bool *pbRecursive) {
        if (!pbRecursive)
                return last_error_argument(__func__, "pbRecursive is NULL");
        *pbRecursive = false;
        if (!files)
                return last_error_argument(__func__, NO_OBJECT);
        *pbRecursive = files->files.recursive;
        return S_OK;
}

HRESULT IVssWMFiledesc_GetAlternateLocation(IVssWMFiledesc *files, BSTR *pbstrAlternateLocation) {
        if (!pbstrAlternateLocation)
                return last_error_argument(__func__, "pbstrAlternateLocation is NULL");
        *pbstrAlternateLocation = NULL;
        if (!files)
                return last_error_argument(__func__, NO_OBJECT);
        if (str_empty(files->files.alternate_path))
                return S_FALSE;
        return copy_out(__func__, files->files.alternate_path, pbstrAlternateLocation);
}

HRESULT IVssWMFiledesc_GetBackupTypeMask(IVssWMFiledesc *files, DWORD *pdwTypeMask) {
        if (!pdwTypeMask)
                return last_error_argument(__func__, "pdwTypeMask is NULL");
        *pdwTypeMask = 0;
        if (!files)
                return last_error_argument(__func__, NO_OBJECT);
        *pdwTypeMask = files->files.backup_type_mask;
        return S_OK;
}
