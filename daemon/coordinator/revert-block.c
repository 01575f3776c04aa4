/* See revert-block.h. A job opens the volume and reads the list; if there is one, those writers are
 * asked to Identify; a second job looks for the volume in what they said. */

#include "daemon/coordinator/revert-block.h"

#include "common/document.h"
#include "common/vss-id.h"
#include "daemon/coordinator/storage.h"
#include "daemon/coordinator/writer-volumes.h"
#include "daemon/job/job.h"
#include "daemon/log/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#define CLASSES_MAX 4096U

struct question {
        sd_event *event;
        struct writer_registry *writers;
        char *spec;
        const char *directory;
        uint64_t timeout_usec;
        revert_block_done_fn done;
        void *userdata;

        struct volume *volume;
        VSS_ID *classes;
        size_t n_classes;
        struct participants *participants;
        struct document **metadata;
        size_t n_metadata;
        bool blocked;
};

static struct question *question_free(struct question *q) {
        if (!q)
                return NULL;
        participants_free(q->participants);
        for (size_t i = 0; i < q->n_metadata; i++)
                document_unref(q->metadata[i]);
        free(q->metadata);
        volume_free(q->volume);
        free(q->classes);
        free(q->spec);
        sd_event_unref(q->event);
        free(q);
        return NULL;
}
DEFINE_CLEANUP(struct question, question_free);

struct id_list {
        VSS_ID *ids;
        size_t n;
};

static int read_lines(FILE *f, const char *name, struct id_list *list) {
        _cleanup_(freep) char *line = NULL;
        size_t allocated = 0;

        while (getline(&line, &allocated, f) >= 0 && list->n < CLASSES_MAX) {
                char *text = line + strspn(line, " \t");
                VSS_ID id, *grown;

                text[strcspn(text, "#\r\n")] = '\0';
                for (size_t n = strlen(text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t');)
                        text[--n] = '\0';
                if (*text == '\0')
                        continue;
                if (vss_id_parse(&id, text) < 0) {
                        log_warning("%s: \"%s\" is no writer id; it is left out", name, text);
                        continue;
                }
                grown = reallocarray(list->ids, list->n + 1, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                list->ids = grown;
                list->ids[list->n++] = id;
        }
        return 0;
}

static int read_entry(int directory_fd, const char *name, struct id_list *list) {
        int fd = openat(directory_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        _cleanup_(fclosep) FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;

        if (!f) {
                log_warning("Cannot read %s: %s", name, strerror(errno));
                safe_close(fd);
                return 0;
        }
        return read_lines(f, name, list);
}

int revert_block_read(const char *directory, VSS_ID **ret, size_t *ret_n,
                      struct vss_error *reterr) {
        struct id_list list = { 0 };
        struct dirent *entry;
        _cleanup_(closedirp) DIR *dir = opendir(directory);
        int r = 0;

        if (!dir && errno != ENOENT)
                return vss_error_from_errno(reterr, -errno, directory);
        while (dir && r >= 0 && (entry = readdir(dir))) {
                size_t n = strlen(entry->d_name);

                if (entry->d_name[0] != '.' && n > 5 && streq(entry->d_name + n - 5, ".conf"))
                        r = read_entry(dirfd(dir), entry->d_name, &list);
        }
        if (r < 0) {
                free(list.ids);
                return vss_error_from_errno(reterr, r, directory);
        }
        *ret = list.ids;
        *ret_n = list.n;
        return 0;
}

static void question_answer(struct question *q, int r, struct vss_error *error) {
        struct vss_error none = { 0 };

        q->done(q->userdata, r, q->blocked, error ? error : &none);
        question_free(q);
}

static int match_run(struct job *job _unused_, void *userdata, struct vss_error *reterr) {
        struct question *q = userdata;
        const struct volume *volume = q->volume;
        _cleanup_(volume_map_freep) struct volume_map *map = NULL;
        int r;

        r = volume_map_new(&map, &volume, 1);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "ShouldBlockRevert");
        for (size_t i = 0; i < q->n_metadata && !q->blocked; i++)
                (void)volume_map_find(map, q->metadata[i], &q->blocked, NULL);
        return 0;
}

static void match_done(void *userdata, int r, struct vss_error *error) {
        question_answer(userdata, r, error);
}

static void question_on_identified(void *userdata, const struct round_result *result _unused_) {
        struct question *q = userdata;
        size_t n = participants_count(q->participants);
        struct vss_error error = { 0 };
        struct job *job;
        int r = 0;

        q->metadata = calloc(n > 0 ? n : 1, sizeof(struct document *));
        if (!q->metadata)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                struct participant_info info;

                participants_get(q->participants, i, &info);
                q->metadata[q->n_metadata++] = document_ref(info.metadata);
        }
        if (r >= 0 && n > 0)
                r = job_start(&job, q->event, "vss-revert", match_run, match_done, q);
        if (r >= 0 && n > 0)
                return;
        if (r < 0)
                (void)vss_error_from_errno(&error, r, "ShouldBlockRevert");
        question_answer(q, r, &error);
        vss_error_done(&error);
}

static bool question_asks(void *userdata, const struct writer *w) {
        const struct question *q = userdata;

        for (size_t i = 0; i < q->n_classes; i++)
                if (vss_id_equal(q->classes[i], writer_identity(w)->class_id))
                        return true;
        return false;
}

static int question_run(struct job *job _unused_, void *userdata, struct vss_error *reterr) {
        struct question *q = userdata;
        int r;

        r = storage_table()->volume_open(&q->volume, q->spec, reterr);
        if (r < 0) {
                /* Its documentation has one code for a volume that is none. */
                if (reterr->hr == VSS_E_OBJECT_NOT_FOUND ||
                    reterr->hr == VSS_E_VOLUME_NOT_SUPPORTED)
                        reterr->hr = E_INVALIDARG;
                return r;
        }
        return revert_block_read(q->directory, &q->classes, &q->n_classes, reterr);
}

static int question_identify(struct question *q, struct vss_error *reterr) {
        struct writer_event event = { .type = WRITER_EVENT_IDENTIFY };
        struct round *round;
        int r;

        r = vss_id_random(&event.session_id);
        if (r >= 0)
                r = participants_new(&q->participants, q->writers);
        if (r >= 0)
                r = participants_identify(q->participants, &event, q->timeout_usec, question_asks,
                                          q, question_on_identified, q, &round);
        return r < 0 ? vss_error_from_errno(reterr, r, "ShouldBlockRevert") : 0;
}

static void question_on_read(void *userdata, int r, struct vss_error *error) {
        struct question *q = userdata;

        if (r >= 0 && q->n_classes > 0) {
                r = question_identify(q, error);
                if (r >= 0)
                        return;
        }
        question_answer(q, r, error);
}

int revert_block_ask(const struct revert_block_request *request, revert_block_done_fn done,
                     void *userdata, struct vss_error *reterr) {
        _cleanup_(question_freep) struct question *q = NULL;
        struct job *job;
        int r;

        if (str_empty(request->volume))
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "The volume is empty; give a mount point or a block device");
        q = calloc(1, sizeof(*q));
        if (!q || str_replace(&q->spec, request->volume) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "ShouldBlockRevert");
        q->event = sd_event_ref(request->event);
        q->writers = request->writers;
        q->directory = request->directory ? request->directory : REVERT_BLOCK_DIRECTORY;
        q->timeout_usec = request->timeout_usec;
        q->done = done;
        q->userdata = userdata;
        r = job_start(&job, q->event, "vss-revert", question_run, question_on_read, q);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "ShouldBlockRevert");
        TAKE_PTR(q);
        return 0;
}
