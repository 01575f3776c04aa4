/* The text of an intent: a line with its version, for a deletion the snapshot's id, and a line for
 * each copy. */

#include "common/vss-id.h"
#include "daemon/providers/lvm-thick.h"

#define HEAD "lvm-thick 1\n"
#define SNAPSHOT "snapshot="

void thick_intent_done(struct thick_intent *i) {
        for (size_t k = 0; k < i->n; k++)
                thick_copy_done(&i->copies[k]);
        free(i->copies);
        *i = (struct thick_intent){ 0 };
}

static int append(char **text, const char *more) {
        char *longer;

        if (str_format(&longer, "%s%s", str_or_empty(*text), more) < 0)
                return -ENOMEM;
        free(*text);
        *text = longer;
        return 0;
}

int thick_intent_format(VSS_ID snapshot_id, struct thick_copy *const *copies, size_t n,
                        char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = append(&text, HEAD);
        if (r >= 0 && !vss_id_is_null(snapshot_id)) {
                r = append(&text, SNAPSHOT);
                if (r >= 0)
                        r = append(&text, VSS_ID_TEXT(snapshot_id));
                if (r >= 0)
                        r = append(&text, "\n");
        }
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *line = NULL;

                r = thick_copy_format(copies[i], &line);
                if (r >= 0)
                        r = append(&text, line);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}

static int parse_line(struct thick_intent *i, const char *line) {
        struct thick_copy *longer;
        int r;

        if (strncmp(line, SNAPSHOT, strlen(SNAPSHOT)) == 0)
                return vss_id_parse(&i->snapshot_id, line + strlen(SNAPSHOT));
        longer = reallocarray(i->copies, i->n + 1, sizeof(*longer));
        if (!longer)
                return -ENOMEM;
        i->copies = longer;
        i->copies[i->n] = (struct thick_copy){ 0 };
        r = thick_copy_parse(&i->copies[i->n], line);
        if (r >= 0)
                i->n++;
        return r;
}

int thick_intent_parse(struct thick_intent *ret, const char *data) {
        _cleanup_(thick_intent_done) struct thick_intent i = { 0 };
        _cleanup_(freep) char *copy = NULL;
        char *line, *rest;

        if (strncmp(data, HEAD, strlen(HEAD)) != 0)
                return -EBADMSG;
        copy = strdup(data + strlen(HEAD));
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
        i = (struct thick_intent){ 0 };
        return 0;
}
