/* See consistency.h. Sentences have no full stop: they stand behind the level. */

#include "daemon/coordinator/consistency.h"

#include "common/vss-context.h"
#include "daemon/providers/volume.h"
#include "daemon/store/writer-reached.h"

#include <stdio.h>

enum level { LEVEL_CRASH, LEVEL_FILE_SYSTEM, LEVEL_APPLICATION, _LEVEL_MAX };

static const char *const level_names[_LEVEL_MAX] = {
        [LEVEL_CRASH] = "crash",
        [LEVEL_FILE_SYSTEM] = "file-system",
        [LEVEL_APPLICATION] = "application",
};

/* Nobody holds the file system while blocks are copied beside the window. */
static enum level floor_of(const struct consistency_volume *v) {
        return v->mounted && (!v->beside || v->is_own_kind) ? LEVEL_FILE_SYSTEM : LEVEL_CRASH;
}

static const char *floor_sentence(const struct consistency_volume *v) {
        if (v->mounted && v->beside)
                return v->is_own_kind ? "its file system was flushed, and has made the copy itself"
                                      : "its file system was flushed, but not held while its "
                                        "provider made the copy";
        if (v->mounted)
                return v->volume->read_only ? "its file system was mounted read-only"
                                            : "its file system was flushed and held";
        return v->volume->fs_type ? "it was not mounted, so that there was nothing to flush"
                                  : "it has no file system that could be flushed";
}

static const struct {
        VSS_WRITER_STATE state;
        const char *where;
} failed_at[] = {
        { VSS_WS_FAILED_AT_IDENTIFY, "when it was asked to identify itself" },
        { VSS_WS_FAILED_AT_PREPARE_BACKUP, "in PrepareBackup" },
        { VSS_WS_FAILED_AT_PREPARE_SNAPSHOT, "in PrepareSnapshot" },
        { VSS_WS_FAILED_AT_FREEZE, "in Freeze" },
        { VSS_WS_FAILED_AT_THAW, "in Thaw" },
        { VSS_WS_FAILED_AT_POST_SNAPSHOT, "in PostSnapshot" },
};

/* "failed in Freeze: the disk is full (VSS_E_WRITERERROR_RETRYABLE)". NULL: out of memory. */
static char *failure_sentence(const struct set_writer *w) {
        const struct vss_hresult_info *info = vss_hresult_find(w->failure);
        const char *where = "before the set was there", *message = w->message;
        char *text;

        for (size_t i = 0; i < ARRAY_SIZE(failed_at); i++)
                if (failed_at[i].state == w->state)
                        where = failed_at[i].where;
        if (str_empty(message))
                message = info ? info->text : "";
        if (str_format(&text, "failed %s%s%s (%s)", where, str_empty(message) ? "" : ": ", message,
                       info ? info->symbol : "an unknown error") < 0)
                return NULL;
        return text;
}

/* What there is to say of the writers of one volume: the first of each kind, and how many. */
struct survey {
        const struct set_writer *failed, *left_out, *maybe;
        size_t n_failed, n_left_out, n_good, n_located, n_took_part;
};

static void survey_volume(struct survey *s, const struct set_writers *w, size_t i) {
        *s = (struct survey){ 0 };
        for (size_t k = 0; k < w->n; k++) {
                const struct set_writer *item = &w->items[k];

                if (!item->left_out)
                        s->n_took_part++;
                if (!item->on[i])
                        continue;
                if (item->left_out && !item->located) {
                        s->maybe = s->maybe ? s->maybe : item;
                } else if (item->left_out) {
                        s->left_out = s->left_out ? s->left_out : item;
                        s->n_left_out++;
                } else if (item->failure != S_OK) {
                        s->failed = s->failed ? s->failed : item;
                        s->n_failed++;
                } else {
                        s->n_good++;
                        s->n_located += item->located;
                }
        }
}

/* "", " (and so 2 others)" */
static const char *others(size_t n, char buf[static 48]) {
        buf[0] = '\0';
        if (n > 1)
                (void)snprintf(buf, 48, " (and so %zu other%s)", n - 1, n > 2 ? "s" : "");
        return buf;
}

static int say_failed(const struct survey *s, char **ret) {
        _cleanup_(freep) char *sentence = failure_sentence(s->failed);
        char more[48];

        if (!sentence)
                return -ENOMEM;
        return str_format(ret, "writer %s, which %s, %s%s", s->failed->name,
                          s->failed->located ? "has files on it"
                                             : "does not say where its files are",
                          sentence, others(s->n_failed, more));
}

static int say_left_out(const struct survey *s, char **ret) {
        char more[48];

        return str_format(ret, "writer %s, which has files on it, did not take part: %s%s",
                          s->left_out->name, s->left_out->left_out, others(s->n_left_out, more));
}

static int say_nobody(const struct survey *s, LONG context, char **ret) {
        if (!vss_context_has_writers(context))
                return str_format(ret, "no writer was asked, because the context has none");
        if (s->maybe)
                return str_format(ret, "%s; writer %s, which may have, did not take part: %s",
                                  s->n_took_part > 0 ? "no writer that took part has files on it"
                                                     : "no writer took part",
                                  s->maybe->name, s->maybe->left_out);
        return str_format(ret, "%s",
                          s->n_took_part > 0 ? "no writer that took part has files on it"
                                             : "no writer took part");
}

static int reason_of_volume(const struct set_writers *w, LONG context,
                            const struct consistency_volume *volumes, size_t i,
                            const char **ret_level, char **ret_reason) {
        _cleanup_(freep) char *why = NULL;
        struct survey s;
        int r = 0;

        *ret_reason = NULL;
        survey_volume(&s, w, i);
        if (s.n_good > 0 && s.n_failed == 0) {
                *ret_level = level_names[LEVEL_APPLICATION];
                if (s.left_out)
                        return say_left_out(&s, ret_reason);
                if (s.n_located == 0)
                        return str_format(ret_reason,
                                          "the writers that took part do not say where their files "
                                          "are, and are counted for every volume");
                return 0;
        }
        if (s.failed)
                r = say_failed(&s, &why);
        else if (s.left_out)
                r = say_left_out(&s, &why);
        else
                r = say_nobody(&s, context, &why);
        if (r < 0)
                return r;
        *ret_level = level_names[floor_of(&volumes[i])];
        return str_format(ret_reason, "%s; %s", why, floor_sentence(&volumes[i]));
}

int consistency_of_volume(const struct set_writers *w, LONG context,
                          const struct consistency_volume *volumes, size_t n, size_t i,
                          const char **ret_level, char **ret_reason) {
        _cleanup_(freep) char *reason = NULL;
        int r;

        r = reason_of_volume(w, context, volumes, i, ret_level, &reason);
        if (r < 0 || n < 2 || !volumes[i].beside) {
                *ret_reason = r < 0 ? NULL : TAKE_PTR(reason);
                return r;
        }
        /* With the writers frozen it is the same to them; to who writes besides, it is not. */
        return str_format(ret_reason,
                          "%s%sthe provider %s made the copy while the writers were frozen, not in "
                          "the instant of the other volumes",
                          str_or_empty(reason), reason ? "; " : "", volumes[i].beside);
}

/* The least of what the volumes with its files give; _LEVEL_MAX: it has none there. */
static enum level least_floor(const struct set_writer *w, const struct consistency_volume *volumes,
                              size_t n) {
        enum level least = _LEVEL_MAX;

        for (size_t i = 0; i < n; i++)
                if (w->on[i] && floor_of(&volumes[i]) < least)
                        least = floor_of(&volumes[i]);
        return least;
}

/* *ret: owned; NULL: there is nothing to say. */
static int reason_of_writer(const struct set_writer *w, enum level least, char **ret) {
        _cleanup_(freep) char *sentence = NULL;

        *ret = NULL;
        if (w->left_out)
                return str_format(ret, "it did not take part: %s", w->left_out);
        if (w->failure != S_OK) {
                sentence = failure_sentence(w);
                return sentence ? str_format(ret, "it %s", sentence) : -ENOMEM;
        }
        if (least == _LEVEL_MAX)
                return str_format(ret, "none of its files are on the volumes of the set");
        if (!w->located)
                return str_format(ret, "it does not say where its files are, and is counted for "
                                       "every volume");
        if (w->outside)
                return str_format(ret, "what it has in %s is on no volume of the set", w->outside);
        return 0;
}

static int reach(struct writer_reached *ret, const struct set_writer *w,
                 const struct consistency_volume *volumes, size_t n, char **reason) {
        enum level least = least_floor(w, volumes, n);
        int r;

        r = reason_of_writer(w, least, reason);
        *ret = (struct writer_reached){
                .class_id = w->class_id,
                .instance_id = w->instance_id,
                .name = w->name,
                .consistency = least == _LEVEL_MAX ? "none" : level_names[LEVEL_APPLICATION],
                .reason = *reason,
                .state = w->state,
                .failure = w->failure,
        };
        if (least != _LEVEL_MAX && (w->left_out || w->failure != S_OK))
                ret->consistency = level_names[least];
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (w->on[i])
                        r = strv_append(&ret->volumes, volumes[i].volume->name);
        return r;
}

int consistency_of_writers(const struct set_writers *w, const struct consistency_volume *volumes,
                           size_t n, char **ret) {
        struct writer_reached *all = calloc(w->n + 1, sizeof(*all));
        char **reasons = calloc(w->n + 1, sizeof(char *));
        size_t n_all = 0;
        int r = all && reasons ? 0 : -ENOMEM;

        for (size_t k = 0; r >= 0 && k < w->n; k++) {
                const struct set_writer *item = &w->items[k];

                /* One that was not wanted and has nothing there concerns nobody. */
                if (item->left_out && least_floor(item, volumes, n) == _LEVEL_MAX)
                        continue;
                r = reach(&all[n_all], item, volumes, n, &reasons[n_all]);
                n_all++;
        }
        if (r >= 0)
                r = writers_reached_print(all, n_all, ret);
        for (size_t k = 0; k < n_all; k++) {
                strv_free(all[k].volumes);
                free(reasons[k]);
        }
        free(all);
        free(reasons);
        return r;
}
