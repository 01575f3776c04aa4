/* Masks and paths. */

#include "libvssclient/files/file-set.h"

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/wildcard.h"

#define FILETIME_UNIX_EPOCH UINT64_C(116444736000000000)
#define FILETIME_PER_SEC UINT64_C(10000000)

/* A copy backup takes what a full one takes; so does what the enumeration calls other. */
static const struct {
        VSS_BACKUP_TYPE type;
        uint32_t schema; /* the writer must say that it does this type; 0: every writer does */
        uint32_t backup, snapshot;
} types[] = {
        { VSS_BT_FULL, 0, VSS_FSBT_FULL_BACKUP_REQUIRED, VSS_FSBT_FULL_SNAPSHOT_REQUIRED },
        { VSS_BT_COPY, 0, VSS_FSBT_FULL_BACKUP_REQUIRED, VSS_FSBT_FULL_SNAPSHOT_REQUIRED },
        { VSS_BT_INCREMENTAL, VSS_BS_INCREMENTAL, VSS_FSBT_INCREMENTAL_BACKUP_REQUIRED,
          VSS_FSBT_INCREMENTAL_SNAPSHOT_REQUIRED },
        { VSS_BT_DIFFERENTIAL, VSS_BS_DIFFERENTIAL, VSS_FSBT_DIFFERENTIAL_BACKUP_REQUIRED,
          VSS_FSBT_DIFFERENTIAL_SNAPSHOT_REQUIRED },
        { VSS_BT_LOG, VSS_BS_LOG, VSS_FSBT_LOG_BACKUP_REQUIRED, VSS_FSBT_LOG_SNAPSHOT_REQUIRED },
};

static size_t find(VSS_BACKUP_TYPE type) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (types[i].type == type)
                        return i;
        return 0;
}

VSS_BACKUP_TYPE file_set_backup_type(uint32_t schema, VSS_BACKUP_TYPE asked) {
        size_t i = find(asked);

        return (schema & types[i].schema) == types[i].schema ? types[i].type : VSS_BT_FULL;
}

bool file_set_is_in_backup(enum writer_metadata_list list, uint32_t mask, VSS_BACKUP_TYPE type) {
        /* The default mask says "also in a log backup" of data files, too. */
        if (type == VSS_BT_LOG && list != WRITER_METADATA_DATABASE_LOG_FILES)
                return false;
        return mask & types[find(type)].backup;
}

bool file_set_needs_copy(uint32_t mask, VSS_BACKUP_TYPE type) {
        return mask & types[find(type)].snapshot;
}

void file_set_done(struct file_set *s) {
        free(s->path);
        free(s->source);
        free(s->spec);
        *s = (struct file_set){ 0 };
}

int file_set_init(struct file_set *ret, const struct writer_metadata_files *files,
                  VSS_BACKUP_TYPE type, struct vss_error *reterr) {
        struct file_set s = {
                .recursive = files->recursive,
                .copy_required = file_set_needs_copy(files->backup_type_mask, type),
                .may_be_absent = files->backup_type_mask & VSS_FSBT_CREATED_DURING_BACKUP,
        };
        int r;

        if (str_empty(files->filespec) || strchr(files->filespec, '/'))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "'%s' in '%s' is no file spec: it is one name, with '*' and "
                                     "'?', without '/'",
                                     str_or_empty(files->filespec), str_or_empty(files->path));
        r = file_path_expand(&s.path, str_or_empty(files->path), reterr);
        if (r >= 0)
                r = file_path_expand(&s.source,
                                     str_empty(files->alternate_path) ? files->path
                                                                      : files->alternate_path,
                                     reterr);
        if (r >= 0 && str_replace(&s.spec, files->filespec) < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, files->path);
        if (r < 0) {
                file_set_done(&s);
                return r;
        }
        *ret = s;
        return 0;
}

void file_set_limit(struct file_set *s, uint64_t filetime) {
        s->has_since = filetime > FILETIME_UNIX_EPOCH;
        if (!s->has_since)
                return;
        filetime -= FILETIME_UNIX_EPOCH;
        s->since = (struct timespec){
                .tv_sec = (time_t)(filetime / FILETIME_PER_SEC),
                .tv_nsec = (long)(filetime % FILETIME_PER_SEC) * 100,
        };
}

bool file_set_reaches(const struct file_set *s, const char *directory) {
        const char *rest;

        return file_path_is_below(directory, s->path, &rest) && (s->recursive || *rest == '\0');
}
