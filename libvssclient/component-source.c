/* Where the files of a selection lie: the mounts of this machine, the copies of a set, and the
 * volumes that have to be in one. */

#include "libvssclient/component-source.h"

#include "libvssclient/files/file-path.h"
#include "libvssclient/files/file-set.h"
#include "libvssclient/last-error.h"
#include <stdio.h>
#include <vss/vsslinux.h>

#define MOUNTINFO "/proc/self/mountinfo"

static int read_mounts(struct mount_table **ret, struct vss_error *reterr) {
        _cleanup_(fclosep) FILE *f = fopen(MOUNTINFO, "re");

        if (!f)
                return vss_error_from_errno(reterr, -errno, "Reading " MOUNTINFO);
        return mount_table_new(ret, f, reterr);
}

int selection_need_mounts(VssSelection *s, struct vss_error *reterr) {
        return s->mounts ? 0 : read_mounts(&s->mounts, reterr);
}

static void free_snapshots(VSS_SNAPSHOT_INFO ***list) {
        VssFreeSnapshots(*list);
}

/* "/srv/data/" and its directory; a volume without files has a block device for both. */
static int add_copy(struct mount_table *mounts, const VSS_SNAPSHOT_INFO *copy,
                    struct vss_error *reterr) {
        const char *volume = str_or_empty(copy->properties.m_pwszOriginalVolumeName);
        const char *directory = str_or_empty(copy->properties.m_pwszSnapshotDeviceObject);
        size_t n = strlen(volume);

        if (n == 0 || volume[n - 1] != '/' || *directory == '\0' || copy->overflowed)
                return 0;
        return mount_table_add_copy(mounts, volume, directory, reterr);
}

static HRESULT read_set(struct mount_table *mounts, VSS_ID set) {
        _cleanup_(free_snapshots) VSS_SNAPSHOT_INFO **list = NULL;
        char filter[VSS_ID_STRING_SIZE + 4] = "set=";
        struct vss_error error = { 0 };
        HRESULT hr;

        VssIdToString(set, filter + strlen(filter));
        hr = VssListSnapshots((const LPCWSTR[]){ filter, NULL }, &list, NULL);
        if (FAILED(hr))
                return hr;
        if (!list[0]) {
                (void)vss_error_set(&error, VSS_E_OBJECT_NOT_FOUND, 0,
                                    "There is no snapshot set %s; 'vssctl list' shows those that "
                                    "exist",
                                    filter + 4);
                return last_error_raise(&error);
        }
        mount_table_set_of_copies(mounts);
        for (VSS_SNAPSHOT_INFO **copy = list; *copy; copy++)
                if (add_copy(mounts, *copy, &error) < 0)
                        return last_error_raise(&error);
        return S_OK;
}

HRESULT VssSelection_SetSource(VssSelection *selection, VSS_ID set) {
        _cleanup_(mount_table_freep) struct mount_table *mounts = NULL;
        struct vss_error error = { 0 };

        if (!selection)
                return last_error_argument(__func__, "the VssSelection is NULL");
        if (read_mounts(&mounts, &error) < 0)
                return last_error_raise(&error);
        if (memcmp(&set, &GUID_NULL, sizeof(set)) != 0) {
                HRESULT hr = read_set(mounts, set);

                if (FAILED(hr))
                        return hr;
        }
        mount_table_free(selection->mounts);
        selection->mounts = TAKE_PTR(mounts);
        return S_OK;
}

void VssFreeStrings(char **strings) {
        strv_free(strings);
}

/* File systems in files, which nobody writes to: what is mounted below a directory that is backed
 * up has no volume to copy. */
static bool is_image(const struct mount *m) {
        static const char *const types[] = { "cramfs", "erofs",    "iso9660",
                                             "romfs",  "squashfs", "udf" };

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (streq(m->fs_type, types[i]))
                        return true;
        return false;
}

/* Where the whole of the file system is mounted, if it is. */
static const struct mount *whole(const struct mount_table *t, const struct mount *m) {
        const struct mount *other;

        for (size_t i = 0; *m->root != '\0' && (other = mount_table_get(t, i)) != NULL; i++)
                if (*other->root == '\0' && other->major == m->major && other->minor == m->minor)
                        return other;
        return m;
}

static int add_volume(char ***volumes, const struct mount_table *t, const struct mount *m) {
        const char *path = whole(t, m)->path;

        if (*path == '\0')
                path = "/";
        return strv_contains(*volumes, path) ? 0 : strv_append(volumes, path);
}

/* The volumes of one file set. Paths that cannot be used are skipped. */
static int add_volumes(char ***volumes, const struct mount_table *t, enum writer_metadata_list list,
                       const struct writer_metadata_files *files, VSS_BACKUP_TYPE type) {
        struct vss_error error = { 0 };
        const struct mount *m;
        struct file_set set;
        int r;

        if (!file_set_is_in_backup(list, files->backup_type_mask, type) ||
            !file_set_needs_copy(files->backup_type_mask, type))
                return 0;
        r = file_set_init(&set, files, type, &error);
        vss_error_done(&error);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        m = mount_table_find(t, set.source);
        r = m && m->kind == MOUNT_LOCAL ? add_volume(volumes, t, m) : 0;
        for (size_t i = 0; r >= 0 && set.recursive && (m = mount_table_get(t, i)) != NULL; i++)
                if (m->kind == MOUNT_LOCAL && m->major != 0 && !is_image(m) &&
                    file_path_is_below(m->path, set.source, NULL))
                        r = add_volume(volumes, t, m);
        file_set_done(&set);
        return r;
}

HRESULT VssSelection_ListVolumes(VssSelection *selection, VSS_BACKUP_TYPE type, char ***volumes) {
        _cleanup_(strv_freep) char **list = NULL;
        struct vss_error error = { 0 };
        HRESULT hr;
        int r = 0;

        if (!volumes)
                return last_error_argument(__func__, "volumes is NULL");
        *volumes = NULL;
        hr = selection_enter(selection, __func__);
        if (FAILED(hr))
                return hr;
        if (selection_need_mounts(selection, &error) < 0)
                return last_error_raise(&error);
        list = calloc(1, sizeof(*list));
        if (!list)
                r = -ENOMEM;
        for (UINT i = 0; i < selection->n_components; i++) {
                const VSS_SELECTED_COMPONENT *c = &selection->components[i];
                const struct writer_metadata *m = selection_metadata(selection, c->writer);
                VSS_BACKUP_TYPE its = file_set_backup_type(writer_metadata_schema(m), type);

                for (enum writer_metadata_list l = 0; l <= WRITER_METADATA_DATABASE_LOG_FILES;
                     l++) {
                        struct writer_metadata_files files;

                        for (size_t k = 0;
                             r >= 0 && writer_metadata_get_files(m, l, c->position, k, &files); k++)
                                r = add_volumes(&list, selection->mounts, l, &files, its);
                }
        }
        if (r < 0) {
                (void)vss_error_from_errno(&error, r, __func__);
                return last_error_raise(&error);
        }
        *volumes = TAKE_PTR(list);
        return S_OK;
}
