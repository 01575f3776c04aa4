/* Which writers there are: the directory, compared with what runs. */

#include "writers/hook/hook-service.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "writers/hook/hook-command.h"
#include "writers/hook/hook-file.h"
#include "writers/hook/hook-log.h"
#include "writers/hook/hook-record.h"

#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <vss/vsslinux.h>

#define SUBSCRIBE_MSEC 10000U /* to wait for the service, which the bus starts if need be */
#define RETRY_USEC (15 * USEC_PER_SEC)

struct hook_service {
        sd_event *event;
        const char *directory;
        struct hook_writer **writers; /* sorted by their files' names */
        size_t n_writers;
        bool wants_reload; /* put off: a writer is busy */
        bool retrying;
        int stop_fd, idle_fd;
        sd_event_source *idle_source, *retry_source;
        struct hook_writer_host host;
};

/* From a writer's thread: an eventfd is all that crosses over. */
static void on_writer_idle(void *userdata) {
        struct hook_service *s = userdata;

        /* Fails when the counter is full, and then the loop is awake anyway. */
        (void)eventfd_write(s->idle_fd, 1);
}

static int on_idle(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct hook_service *s = userdata;
        eventfd_t count;

        (void)source;
        (void)revents;
        (void)eventfd_read(fd, &count); /* readable, so this takes the count */
        if (s->wants_reload)
                hook_service_reload(s);
        return 0;
}

static void log_config_error(const struct hook_service *s, const char *file,
                             const struct ini_error *e) {
        if (e->line > 0)
                hook_log(LOG_ERR, "%s/%s:%u: %s", s->directory, file, e->line,
                         str_or_empty(e->message));
        else
                hook_log(LOG_ERR, "%s/%s: %s", s->directory, file, str_or_empty(e->message));
}

static void notify_status(const struct hook_service *s) {
        size_t registered = 0;

        for (size_t i = 0; i < s->n_writers; i++)
                if (hook_writer_is_subscribed(s->writers[i]))
                        registered++;
        /* Nobody may be listening. */
        (void)sd_notifyf(false, "STATUS=%zu of %zu writers registered", registered, s->n_writers);
}

static void subscribe_all(struct hook_service *s) {
        bool missing = false;

        for (size_t i = 0; i < s->n_writers; i++) {
                struct hook_writer *w = s->writers[i];
                const char *name = hook_writer_config(w)->name;
                HRESULT hr;

                if (hook_writer_is_subscribed(w))
                        continue;
                hr = hook_writer_subscribe(w, SUBSCRIBE_MSEC);
                if (SUCCEEDED(hr)) {
                        hook_log(LOG_INFO, "%s: registered", name);
                        continue;
                }
                missing = true;
                if (!s->retrying)
                        hook_log(LOG_WARNING, "%s: cannot register, trying again later: %s", name,
                                 VssLastErrorMessage());
                /* The others would wait as long for what is not there. */
                if (hr == VSS_E_UNEXPECTED)
                        break;
        }

        s->retrying = missing;
        if (missing) {
                uint64_t now = now_monotonic_usec();

                if (sd_event_source_set_time(s->retry_source, now + RETRY_USEC) < 0 ||
                    sd_event_source_set_enabled(s->retry_source, SD_EVENT_ONESHOT) < 0)
                        hook_log(LOG_ERR, "cannot set the timer for the next try");
        }
        notify_status(s);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        subscribe_all(userdata);
        return 0;
}

static struct hook_writer *find_writer(const struct hook_service *s, const char *file) {
        for (size_t i = 0; i < s->n_writers; i++)
                if (streq(hook_writer_config(s->writers[i])->file, file))
                        return s->writers[i];
        return NULL;
}

/* What the directory says now, before anything is done about it. */
struct wanted {
        char **files;
        struct hook_config **configs; /* in the order of files; NULL: unchanged, or unusable */
};

static void wanted_done(struct wanted *w) {
        for (size_t i = 0; w->configs && w->files && w->files[i]; i++)
                hook_config_free(w->configs[i]);
        free(w->configs);
        strv_free(w->files);
}

static int read_directory(struct hook_service *s, struct wanted *ret) {
        _cleanup_(ini_error_done) struct ini_error error = { 0 };
        _cleanup_(closep) int fd = -1;
        int r;

        r = hook_directory_open(&fd, s->directory, &error);
        if (r < 0) {
                hook_log(LOG_ERR, "%s: %s", s->directory, str_or_empty(error.message));
                return r;
        }
        r = hook_directory_list(&ret->files, fd);
        if (r < 0)
                return r;
        ret->configs = calloc(strv_length(ret->files) + 1, sizeof(*ret->configs));
        if (!ret->configs)
                return -ENOMEM;

        for (size_t i = 0; ret->files && ret->files[i]; i++) {
                _cleanup_(ini_error_done) struct ini_error e = { 0 };
                _cleanup_(hook_config_freep) struct hook_config *c = NULL;
                const struct hook_writer *old = find_writer(s, ret->files[i]);

                r = hook_file_load(&c, fd, ret->files[i], &e);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        log_config_error(s, ret->files[i], &e);
                        continue;
                }
                if (!old || !streq(hook_writer_config(old)->text, c->text))
                        ret->configs[i] = TAKE_PTR(c);
        }
        return 0;
}

/* The application is told by its id which backups are its own: two with one would be mixed up. */
static bool id_is_taken(const struct hook_service *s, const struct hook_config *c) {
        for (size_t i = 0; i < s->n_writers; i++) {
                const struct hook_config *other = hook_writer_config(s->writers[i]);

                if (!vss_id_equal(other->id, c->id))
                        continue;
                hook_log(LOG_ERR,
                         "%s/%s: it has the id of %s (the same Name=, or the same Id=): give it "
                         "another",
                         s->directory, c->file, other->file);
                return true;
        }
        return false;
}

/* Takes over *config on success. */
static void add_writer(struct hook_service *s, struct hook_config **config) {
        _cleanup_(hook_writer_freep) struct hook_writer *w = NULL;
        const struct hook_config *c = *config;
        struct hook_writer **grown;
        int r;

        if (id_is_taken(s, c))
                return;
        r = hook_writer_new(&w, *config, &s->host);
        if (r < 0) {
                hook_log(LOG_ERR, "%s/%s: %s%s", s->directory, c->file,
                         r == -ESRCH ? "there is no user " : strerror(-r),
                         r == -ESRCH ? str_or_empty(c->user) : "");
                return;
        }
        *config = NULL;

        grown = reallocarray(s->writers, s->n_writers + 1, sizeof(*grown));
        if (!grown) {
                hook_log(LOG_ERR, "out of memory");
                return;
        }
        s->writers = grown;
        s->writers[s->n_writers++] = TAKE_PTR(w);
}

static void drop_writer(struct hook_service *s, size_t i) {
        hook_log(LOG_INFO, "%s: unregistered", hook_writer_config(s->writers[i])->name);
        hook_writer_free(s->writers[i]);
        s->n_writers--;
        memmove(&s->writers[i], &s->writers[i + 1], (s->n_writers - i) * sizeof(*s->writers));
}

/* Is the writer to go, because its file is not there any more or says something else? */
static bool is_outdated(const struct wanted *wanted, const struct hook_writer *w) {
        for (size_t i = 0; wanted->files && wanted->files[i]; i++)
                if (streq(wanted->files[i], hook_writer_config(w)->file))
                        return wanted->configs[i];
        return true;
}

void hook_service_reload(struct hook_service *s) {
        _cleanup_(wanted_done) struct wanted wanted = { 0 };
        int r;

        s->wants_reload = false;
        r = read_directory(s, &wanted);
        if (r < 0) {
                hook_log(LOG_ERR, "%s: cannot be read, everything stays as it is: %s", s->directory,
                         strerror(-r));
                return;
        }

        for (size_t i = 0; i < s->n_writers; i++)
                if (is_outdated(&wanted, s->writers[i]) && hook_writer_is_busy(s->writers[i])) {
                        hook_log(LOG_INFO, "%s is part of a snapshot just now: reloading after it",
                                 hook_writer_config(s->writers[i])->name);
                        s->wants_reload = true;
                        return;
                }

        for (size_t i = s->n_writers; i > 0; i--)
                if (is_outdated(&wanted, s->writers[i - 1]))
                        drop_writer(s, i - 1);
        for (size_t i = 0; wanted.files && wanted.files[i]; i++)
                if (wanted.configs[i])
                        add_writer(s, &wanted.configs[i]);
        subscribe_all(s);
}

/* What an earlier process could not undo. */
static void rescue_all(struct hook_service *s) {
        _cleanup_(strv_freep) char **files = NULL;
        int r;

        r = hook_record_list(&files);
        if (r < 0) {
                hook_log(LOG_ERR, "cannot see whether an application was left frozen: %s",
                         strerror(-r));
                return;
        }
        STRV_FOREACH (file, files) {
                struct hook_writer *w = find_writer(s, *file);

                if (w)
                        hook_writer_rescue(w);
                else
                        hook_log(LOG_CRIT,
                                 "%s: the application was frozen when an earlier vss-hook-writer "
                                 "ended, and its file is not there, or not understood, to say how "
                                 "it is thawed; mend the file and restart vss-hook-writer",
                                 *file);
        }
}

struct hook_service *hook_service_free(struct hook_service *s) {
        if (!s)
                return NULL;
        while (s->n_writers > 0)
                hook_writer_free(s->writers[--s->n_writers]);
        free(s->writers);
        sd_event_source_disable_unref(s->idle_source);
        sd_event_source_disable_unref(s->retry_source);
        sd_event_unref(s->event);
        safe_close(s->stop_fd);
        safe_close(s->idle_fd);
        free(s);
        return NULL;
}

int hook_service_new(struct hook_service **ret, sd_event *event, const char *directory,
                     const char *record_directory) {
        _cleanup_(hook_service_freep) struct hook_service *s = NULL;
        _cleanup_(wanted_done) struct wanted wanted = { 0 };
        int r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->stop_fd = s->idle_fd = -1;
        s->event = sd_event_ref(event);
        s->directory = directory;

        s->stop_fd = eventfd(0, EFD_CLOEXEC);
        s->idle_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (s->stop_fd < 0 || s->idle_fd < 0)
                return -errno;
        s->host = (struct hook_writer_host){
                .stop_fd = s->stop_fd,
                .idle = on_writer_idle,
                .userdata = s,
        };
        r = sd_event_add_io(event, &s->idle_source, s->idle_fd, EPOLLIN, on_idle, s);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &s->retry_source, CLOCK_MONOTONIC, 0, USEC_PER_SEC, on_retry,
                              s);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->retry_source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        r = hook_record_open(record_directory);
        if (r < 0) {
                hook_log(LOG_ERR, "%s: %s", record_directory, strerror(-r));
                return r;
        }
        r = read_directory(s, &wanted);
        if (r < 0)
                return r;
        for (size_t i = 0; wanted.files && wanted.files[i]; i++)
                if (wanted.configs[i])
                        add_writer(s, &wanted.configs[i]);
        rescue_all(s);
        subscribe_all(s);

        *ret = TAKE_PTR(s);
        return 0;
}

void hook_service_stop(struct hook_service *s) {
        /* Fails when the counter is full, and then it is readable as it should be. */
        (void)eventfd_write(s->stop_fd, 1);
}
