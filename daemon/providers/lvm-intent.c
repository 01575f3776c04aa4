/* See lvm-intent.h. Stateless. */

#include "daemon/providers/lvm-intent.h"
#include "common/vss-id.h"

#define VERSION " 1\n"
#define SNAPSHOT "snapshot="

void lvm_intent_done(struct lvm_intent *i) {
        for (size_t k = 0; k < i->n; k++)
                lvm_copy_done(&i->copies[k]);
        free(i->copies);
        free(i->snapshots);
        *i = (struct lvm_intent){ 0 };
}

static int append(char **text, const char *more) {
        char *longer;

        if (str_format(&longer, "%s%s", str_or_empty(*text), more) < 0)
                return -ENOMEM;
        free(*text);
        *text = longer;
        return 0;
}

int lvm_intent_format(const char *provider, const struct lvm_intent_subject *subject, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = append(&text, provider);
        if (r >= 0)
                r = append(&text, VERSION);
        for (size_t i = 0; r >= 0 && subject->snapshots && i < subject->n; i++) {
                r = append(&text, SNAPSHOT);
                if (r >= 0)
                        r = append(&text, VSS_ID_TEXT(subject->snapshots[i]));
                if (r >= 0)
                        r = append(&text, "\n");
        }
        for (size_t i = 0; r >= 0 && i < subject->n; i++) {
                _cleanup_(freep) char *line = NULL;

                r = lvm_copy_format(subject->copies[i], &line);
                if (r >= 0)
                        r = append(&text, line);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

static int parse_snapshot(struct lvm_intent *i, const char *text) {
        VSS_ID *longer = reallocarray(i->snapshots, i->n_snapshots + 1, sizeof(*longer));
        int r;

        if (!longer)
                return -ENOMEM;
        i->snapshots = longer;
        r = vss_id_parse(&i->snapshots[i->n_snapshots], text);
        if (r >= 0)
                i->n_snapshots++;
        return r;
}

static int parse_line(struct lvm_intent *i, const char *line) {
        struct lvm_copy *longer;
        int r;

        if (strncmp(line, SNAPSHOT, strlen(SNAPSHOT)) == 0)
                return parse_snapshot(i, line + strlen(SNAPSHOT));
        longer = reallocarray(i->copies, i->n + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        i->copies = longer;
        i->copies[i->n] = (struct lvm_copy){ 0 };
        r = lvm_copy_parse(&i->copies[i->n], line);
        if (r >= 0)
                i->n++;
        return r;
}

/* The lines behind the first, NULL if that is not as it must be. */
static const char *skip_head(const char *data, const char *provider) {
        size_t length = strlen(provider);

        if (strncmp(data, provider, length) != 0 ||
            strncmp(data + length, VERSION, strlen(VERSION)) != 0)
                return NULL;
        return data + length + strlen(VERSION);
}

int lvm_intent_parse(struct lvm_intent *ret, const char *provider, const char *data) {
        _cleanup_(lvm_intent_done) struct lvm_intent i = { 0 };
        _cleanup_(freep) char *copy = NULL;
        const char *lines = skip_head(data, provider);
        char *line, *rest;

        if (!lines)
                return -EBADMSG;
        copy = strdup(lines);
        if (!copy)
                return -ENOMEM;
        rest = copy;
        while ((line = strsep(&rest, "\n")))
                if (*line) {
                        int r = parse_line(&i, line);

                        if (r < 0)
                                return r == -EINVAL ? -EBADMSG : r;
                }
        *ret = i;
        i = (struct lvm_intent){ 0 };
        return 0;
}

int lvm_intent_open(struct store *store, const char *provider, const char *kind,
                    const struct lvm_intent_subject *subject, int64_t *ret_id,
                    struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;
        int r;

        r = lvm_intent_format(provider, subject, &data);
        if (r < 0)
                return vss_error_from_errno(reterr, r, "cannot note the intent");
        return store_intent_open(store,
                                 &(struct intent_record){
                                         .set_id = subject->set_id,
                                         .provider = (char *)provider,
                                         .kind = (char *)kind,
                                         .data = data,
                                 },
                                 ret_id, reterr);
}
