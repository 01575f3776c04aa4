/* See lvm-breaking.h. Owned by whoever breaks copies off, or finishes that. */

#include "daemon/providers/lvm-breaking.h"
#include "daemon/providers/lvm-intent.h"
#include "daemon/providers/lvm-name.h"
#include <stdio.h>

#define NODE_PREFIX "ShadowCopy"
#define NOTHING "-"

static void becoming_done(struct lvm_becoming *a) {
        free(a->name);
        free(a->node);
        free(a->uuid);
        volume_identity_done(&a->was);
        *a = (struct lvm_becoming){ 0 };
}

void lvm_breaking_done(struct lvm_breaking *b) {
        for (size_t i = 0; b->copies && i < b->n; i++)
                lvm_copy_done(&b->copies[i]);
        for (size_t i = 0; b->as && i < b->n; i++)
                becoming_done(&b->as[i]);
        free(b->ids);
        free(b->copies);
        free(b->as);
        *b = (struct lvm_breaking){ 0 };
}

static int allocate(struct lvm_breaking *b, size_t n) {
        b->n = n;
        b->ids = calloc(n > 0 ? n : 1, sizeof(*b->ids));
        b->copies = calloc(n > 0 ? n : 1, sizeof(*b->copies));
        b->as = calloc(n > 0 ? n : 1, sizeof(*b->as));
        return b->ids && b->copies && b->as ? 0 : -ENOMEM;
}

static bool node_is_valid(const char *node) {
        const char *number = node + strlen(NODE_PREFIX);

        return strncmp(node, NODE_PREFIX, strlen(NODE_PREFIX)) == 0 && *number &&
               strspn(number, "0123456789") == strlen(number);
}

static int take_record(struct lvm_breaking *b, size_t i, const struct snapshot_record *r) {
        const char *slash = strrchr(str_or_empty(r->device), '/');
        int k;

        if (!slash || !node_is_valid(slash + 1))
                return -EBADMSG;
        b->ids[i] = r->id;
        k = lvm_copy_parse(&b->copies[i], str_or_empty(r->provider_data));
        if (k >= 0 && !b->copies[i].copy_dm_uuid)
                k = -EBADMSG; /* it was never finished */
        return k < 0 ? k : str_replace(&b->as[i].node, slash + 1);
}

int lvm_breaking_init(struct lvm_breaking *ret, const struct snapshot_record *records, size_t n,
                      uint32_t flags, struct vss_error *reterr) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { .flags = flags };

        if (allocate(&b, n) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "cannot break the copies off");
        for (size_t i = 0; i < n; i++) {
                int r = take_record(&b, i, &records[i]);

                if (r == -EBADMSG)
                        return vss_error_set(reterr, VSS_E_UNEXPECTED_PROVIDER_ERROR, EBADMSG,
                                             "what is noted of the copy %s cannot be understood: "
                                             "'%s'",
                                             str_or_empty(records[i].device),
                                             str_or_empty(records[i].provider_data));
                if (r < 0)
                        return vss_error_from_errno(reterr, r, str_or_empty(records[i].device));
        }
        *ret = b;
        b = (struct lvm_breaking){ 0 };
        return 0;
}

void lvm_breaking_drop(struct lvm_breaking *b, size_t i) {
        size_t behind = b->n - i - 1;

        lvm_copy_done(&b->copies[i]);
        becoming_done(&b->as[i]);
        memmove(&b->ids[i], &b->ids[i + 1], behind * sizeof(*b->ids));
        memmove(&b->copies[i], &b->copies[i + 1], behind * sizeof(*b->copies));
        memmove(&b->as[i], &b->as[i + 1], behind * sizeof(*b->as));
        b->n--;
}

static const char *or_nothing(const char *text) {
        return str_empty(text) ? NOTHING : text;
}

static int format_line(char **text, const struct lvm_becoming *a) {
        const bool changes = a->uuid != NULL;
        char *longer;
        int r;

        r = str_format(&longer, "%sas name=%s node=%s shared=%d type=%s old=%s new=%s\n", *text,
                       a->name, a->node, a->shared, or_nothing(changes ? a->was.type : NULL),
                       or_nothing(changes ? a->was.uuid : NULL), or_nothing(a->uuid));
        if (r < 0)
                return r;
        free(*text);
        *text = longer;
        return 0;
}

int lvm_breaking_format(const struct lvm_breaking *b, const char *provider, char **ret) {
        _cleanup_(freep) struct lvm_copy **copies = calloc(b->n, sizeof(*copies));
        _cleanup_(freep) char *head = NULL, *rest = NULL;
        int r;

        if (!copies)
                return -ENOMEM;
        for (size_t i = 0; i < b->n; i++)
                copies[i] = &b->copies[i];
        r = str_format(&head, "break %x\n", (unsigned)b->flags);
        for (size_t i = 0; r >= 0 && i < b->n; i++)
                r = format_line(&head, &b->as[i]);
        if (r >= 0)
                r = lvm_intent_format(provider,
                                      &(struct lvm_intent_subject){
                                              .snapshots = b->ids, .copies = copies, .n = b->n },
                                      &rest);
        return r < 0 ? r : str_format(ret, "%s%s", head, rest);
}

/* One word "KEY=VALUE" of a line; NULL: it is another one. */
static const char *take_word(char **rest, const char *key) {
        char *word = strsep(rest, " ");
        size_t length = strlen(key);

        return word && strncmp(word, key, length) == 0 && word[length] == '=' &&
                               word[length + 1] != '\0'
                       ? word + length + 1
                       : NULL;
}

static int set(char **field, const char *value) {
        return streq(value, NOTHING) ? 0 : str_replace(field, value);
}

static int parse_line(struct lvm_becoming *a, char *line) {
        static const char *const keys[] = { "name", "node", "shared", "type", "old", "new" };
        const char *values[ARRAY_SIZE(keys)];
        char *rest = line;
        const char *first = strsep(&rest, " ");

        if (!streq(first, "as"))
                return -EBADMSG;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                values[i] = take_word(&rest, keys[i]);
                if (!values[i])
                        return -EBADMSG;
        }
        if (rest || !lvm_name_is_valid(values[0]) || !node_is_valid(values[1]) ||
            (!streq(values[2], "0") && !streq(values[2], "1")))
                return -EBADMSG;
        a->shared = streq(values[2], "1");
        if (set(&a->name, values[0]) < 0 || set(&a->node, values[1]) < 0 ||
            set(&a->was.type, values[3]) < 0 || set(&a->was.uuid, values[4]) < 0 ||
            set(&a->uuid, values[5]) < 0)
                return -ENOMEM;
        return !a->uuid == !a->was.uuid && !a->uuid == !a->was.type ? 0 : -EBADMSG;
}

/* How many lines there are before those of lvm-intent.h, which *ret_rest is. */
static size_t count_lines(const char *lines, const char **ret_rest) {
        size_t n = 0;

        while (strncmp(lines, "as ", 3) == 0) {
                const char *end = strchr(lines, '\n');

                if (!end)
                        break;
                lines = end + 1;
                n++;
        }
        *ret_rest = lines;
        return n;
}

/* The copies and the ids; what the first lines said of them is there. */
static int take_intent(struct lvm_breaking *b, const char *provider, const char *text) {
        _cleanup_(lvm_intent_done) struct lvm_intent i = { 0 };
        int r;

        r = lvm_intent_parse(&i, provider, text);
        if (r < 0)
                return r;
        if (i.n != b->n || i.n_snapshots != b->n)
                return -EBADMSG;
        for (size_t k = 0; k < b->n; k++) {
                if (!i.copies[k].copy_dm_uuid)
                        return -EBADMSG;
                b->ids[k] = i.snapshots[k];
                b->copies[k] = i.copies[k];
                i.copies[k] = (struct lvm_copy){ 0 };
        }
        return 0;
}

int lvm_breaking_parse(struct lvm_breaking *ret, const char *provider, const char *data) {
        _cleanup_(lvm_breaking_done) struct lvm_breaking b = { 0 };
        _cleanup_(freep) char *copy = NULL;
        const char *lines, *rest;
        unsigned flags;
        int at = 0, r;
        char *line;

        if (sscanf(data, "break %8x%n", &flags, &at) != 1 || data[at] != '\n')
                return -EBADMSG;
        lines = data + at + 1;
        r = allocate(&b, count_lines(lines, &rest));
        copy = strndup(lines, (size_t)(rest - lines));
        if (r < 0 || !copy)
                return -ENOMEM;
        b.flags = flags;
        line = copy;
        for (size_t i = 0; i < b.n; i++) {
                r = parse_line(&b.as[i], strsep(&line, "\n"));
                if (r < 0)
                        return r;
        }
        r = take_intent(&b, provider, rest);
        if (r < 0)
                return r;
        *ret = b;
        b = (struct lvm_breaking){ 0 };
        return 0;
}
