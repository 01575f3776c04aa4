/* What is kept out of backups, and out of copies: by the writer, and by the machine. Read once for
 * a selection. */

#include "libvssclient/component-listing.h"
#include "libvssclient/files/file-path.h"

#include <dirent.h>

#define NOT_TO_BACKUP "/etc/vss/files-not-to-backup.d"
#define NOT_TO_SNAPSHOT "/etc/vss/files-not-to-snapshot.d"

/* A list of the writer's, as rules. */
static int read_rules(struct listing *l, enum writer_metadata_list list, struct file_rules **ret) {
        _cleanup_(file_rules_freep) struct file_rules *rules = NULL;
        struct writer_metadata_files files;
        int r;

        if (*ret)
                return 0;
        r = file_rules_new(&rules, &l->error);
        for (size_t i = 0; r >= 0 && writer_metadata_get_files(l->metadata, list, 0, i, &files);
             i++) {
                struct vss_error error = { 0 };
                struct file_set set;

                if (file_set_init(&set, &files, l->type, &error) < 0) {
                        r = listing_tell(l, files.path, &error);
                        continue;
                }
                r = file_rules_add(rules, set.path, set.spec, set.recursive, &l->error);
                file_set_done(&set);
        }
        if (r < 0)
                return r;
        file_rules_seal(rules);
        *ret = TAKE_PTR(rules);
        return 0;
}

struct list_problem {
        struct listing *listing;
        const char *directory;
        int result;
};

static void on_list_problem(void *userdata, const char *sentence) {
        struct list_problem *p = userdata;

        if (p->result >= 0)
                p->result = listing_problem(p->listing, &(const VSS_FILE_PROBLEM){
                                                                .path = p->directory,
                                                                .code = E_INVALIDARG,
                                                                .message = sentence,
                                                        });
}

/* Local ones, as "$AllVolumes$" means. */
static int list_volumes(const struct mount_table *mounts, char ***ret) {
        const struct mount *m;
        int r = 0;

        for (size_t i = 0; r >= 0 && (m = mount_table_get(mounts, i)) != NULL; i++)
                if (m->kind == MOUNT_LOCAL)
                        r = strv_append(ret, m->path);
        return r;
}

/* The directories in that of the users' homes, and root's. */
static int list_profiles(char ***ret, struct vss_error *reterr) {
        _cleanup_(freep) char *homes = NULL;
        struct dirent *e;
        _cleanup_(closedirp) DIR *d = NULL;
        int r;

        r = file_path_expand(&homes, "${homedir}", reterr);
        if (r >= 0 && strv_append(ret, "/root") < 0)
                r = vss_error_from_errno(reterr, -ENOMEM, "The home directories");
        d = r >= 0 ? opendir(homes) : NULL;
        while (d && r >= 0 && (e = readdir(d)) != NULL) {
                _cleanup_(freep) char *home = NULL;

                if (e->d_name[0] == '.')
                        continue;
                if (file_path_join(&home, homes, e->d_name) < 0 || strv_append(ret, home) < 0)
                        r = vss_error_from_errno(reterr, -ENOMEM, "The home directories");
        }
        return r;
}

static int list_writers(const VssSelection *s, char ***ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n_documents; i++) {
                const struct writer_metadata *m = selection_metadata(s, i);

                r = strv_append(ret, str_or_empty(writer_metadata_identity(m)->name));
        }
        return r;
}

/* A list of the machine's. */
static int read_machine_rules(struct listing *l, const char *directory, struct file_rules **ret) {
        struct list_problem problem = { .listing = l, .directory = directory };
        _cleanup_(file_rules_freep) struct file_rules *rules = NULL;
        _cleanup_(strv_freep) char **volumes = NULL, **profiles = NULL, **writers = NULL;
        int r;

        if (*ret)
                return 0;
        if (list_volumes(l->selection->mounts, &volumes) < 0 ||
            list_writers(l->selection, &writers) < 0)
                return vss_error_from_errno(&l->error, -ENOMEM, directory);
        r = list_profiles(&profiles, &l->error);
        if (r >= 0)
                r = file_rules_new(&rules, &l->error);
        if (r >= 0)
                r = file_rules_read(rules, directory,
                                    &(const struct file_rules_places){
                                            .volumes = volumes,
                                            .profiles = profiles,
                                            .writers = writers,
                                    },
                                    on_list_problem, &problem, &l->error);
        if (r >= 0)
                r = problem.result;
        if (r < 0)
                return r;
        file_rules_seal(rules);
        *ret = TAKE_PTR(rules);
        return 0;
}

int listing_read_rules(struct listing *l) {
        struct selected_writer_rules *rules = &l->selection->rules[l->component->writer];
        int r;

        r = read_rules(l, WRITER_METADATA_EXCLUDES, &rules->excludes);
        if (r >= 0)
                r = read_rules(l, WRITER_METADATA_EXCLUDES_FROM_SNAPSHOT, &rules->blanks);
        if (r >= 0)
                r = read_machine_rules(l, NOT_TO_BACKUP, &l->selection->machine_excludes);
        if (r >= 0)
                r = read_machine_rules(l, NOT_TO_SNAPSHOT, &l->selection->machine_blanks);
        if (r < 0)
                return r;
        l->walk.excludes = rules->excludes;
        l->walk.machine_excludes = l->selection->machine_excludes;
        l->walk.blanks = rules->blanks;
        l->walk.machine_blanks = l->selection->machine_blanks;
        return 0;
}
