/* See adopted.h. */

#include "daemon/adoption/adopted.h"
#include "daemon/adoption/mount-word.h"
#include "daemon/adoption/unit-name.h"
#include "daemon/adoption/whole-file.h"
#include "daemon/providers/multipath.h"
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#define FILE_MAX ((size_t)1024 * 1024)
#define BLANK " \t"
#define ID_MAX 64
#define TYPE_MAX 32
#define SUFFIX_MAX 5 /* "_", and the "-511" of who finds a name taken */

#define HEAD                                                                                       \
        "# Partitions that vssd has mounted through a mapping. Written by 'vssctl volumes adopt' " \
        "and\n# 'release'; see vss-adopted(5).\n"

const char *adopted_directory = "/etc/vss";

enum adopted_key {
        KEY_UUID,
        KEY_TYPE,
        KEY_SIZE,
        KEY_PARTUUID,
        KEY_LABEL,
        KEY_PARTLABEL,
        KEY_MAP,
        KEY_SOURCE,
        KEY_RESPELLED,
        KEY_ROOT,
        KEY_STATE,
        _KEY_MAX,
};

static const char *const keys[_KEY_MAX] = {
        [KEY_UUID] = "uuid",     [KEY_TYPE] = "type",
        [KEY_SIZE] = "size",     [KEY_PARTUUID] = "partuuid",
        [KEY_LABEL] = "label",   [KEY_PARTLABEL] = "partlabel",
        [KEY_SOURCE] = "source", [KEY_RESPELLED] = "respelled",
        [KEY_ROOT] = "root",     [KEY_STATE] = "state",
        [KEY_MAP] = "map",
};

void adopted_done(struct adopted *a) {
        free(a->name);
        free(a->uuid);
        free(a->type);
        free(a->partuuid);
        free(a->label);
        free(a->partlabel);
        free(a->map);
        strv_free(a->sources);
        strv_free(a->respelled);
        *a = (struct adopted){ 0 };
}

int adopted_copy(struct adopted *ret, const struct adopted *a) {
        _cleanup_(adopted_done) struct adopted c = {
                .size = a->size,
                .root = a->root,
                .pending = a->pending,
        };

        if (str_replace(&c.name, a->name) < 0 || str_replace(&c.uuid, a->uuid) < 0 ||
            str_replace(&c.type, a->type) < 0 || str_replace(&c.partuuid, a->partuuid) < 0 ||
            str_replace(&c.label, a->label) < 0 || str_replace(&c.partlabel, a->partlabel) < 0 ||
            str_replace(&c.map, a->map) < 0 || strv_copy(&c.sources, a->sources) < 0 ||
            strv_copy(&c.respelled, a->respelled) < 0)
                return -ENOMEM;
        *ret = c;
        c = (struct adopted){ 0 };
        return 0;
}

static bool consists_of(const char *text, const char *others, size_t max) {
        size_t n = 0;

        for (; text[n]; n++)
                if (!isascii((unsigned char)text[n]) ||
                    (!isalnum((unsigned char)text[n]) && !strchr(others, text[n])))
                        return false;
        return n > 0 && n <= max;
}

/* With the prefix before it: "vss-real" is one, too. */
static bool is_of_layer(const char *name) {
        static const char *const layers[] = { "real", "cow" };
        size_t n = strlen(name);

        for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
                size_t m = strlen(layers[i]);

                if (n >= m && streq(name + n - m, layers[i]) && (n == m || name[n - m - 1] == '-'))
                        return true;
        }
        return false;
}

bool adopted_name_is_valid(const char *name) {
        return consists_of(name, "._-", ADOPTED_NAME_MAX) && name[0] != '.' && name[0] != '-' &&
               !is_of_layer(name);
}

int adopted_name_suggest(char **ret, const char *from) {
        char *name = malloc(ADOPTED_NAME_MAX + 1), *to = name;

        if (!name)
                return -ENOMEM;
        for (; *from && to - name < ADOPTED_NAME_MAX - SUFFIX_MAX; from++) {
                bool good = isascii((unsigned char)*from) && isalnum((unsigned char)*from);

                if (good || (to > name && (*from == '.' || *from == '_')))
                        *to++ = *from;
                else if (to > name && to[-1] != '-')
                        *to++ = '-';
        }
        while (to > name && to[-1] == '-')
                to--;
        *to = '\0';
        if (to == name)
                (void)strcpy(name, "volume"); /* there is room */
        else if (is_of_layer(name))
                (void)strcpy(to, "_"); /* likewise */
        *ret = name;
        return 0;
}

static bool parse_size(uint64_t *ret, const char *text) {
        char *end;

        if (!consists_of(text, "", 19) || !isdigit((unsigned char)text[0]))
                return false;
        *ret = strtoull(text, &end, 10);
        return *end == '\0';
}

static int take_text(char **field, const char *value) {
        if (*field)
                return -EINVAL;
        return str_replace(field, value);
}

/* -EINVAL: not as it must be. */
static int take_value(struct adopted *a, enum adopted_key key, const char *value) {
        switch (key) {
        case KEY_UUID:
                return consists_of(value, "-", ID_MAX) ? take_text(&a->uuid, value) : -EINVAL;
        case KEY_TYPE:
                return consists_of(value, "_-", TYPE_MAX) ? take_text(&a->type, value) : -EINVAL;
        case KEY_SIZE: return a->size == 0 && parse_size(&a->size, value) ? 0 : -EINVAL;
        case KEY_PARTUUID:
                return consists_of(value, "-", ID_MAX) ? take_text(&a->partuuid, value) : -EINVAL;
        case KEY_LABEL: return take_text(&a->label, value);
        case KEY_PARTLABEL: return take_text(&a->partlabel, value);
        case KEY_MAP:
                return multipath_look(value) != MULTIPATH_NONE ? take_text(&a->map, value)
                                                               : -EINVAL;
        case KEY_SOURCE: return strv_append(&a->sources, value);
        case KEY_RESPELLED: return strchr(value, ' ') ? strv_append(&a->respelled, value) : -EINVAL;
        case KEY_ROOT: a->root = streq(value, "yes"); return a->root ? 0 : -EINVAL;
        case KEY_STATE: a->pending = streq(value, "pending"); return a->pending ? 0 : -EINVAL;
        case _KEY_MAX: break;
        }
        return -EINVAL;
}

static int take_word(struct adopted *a, char *word) {
        char *value = strchr(word, '=');

        if (!value)
                return -EINVAL;
        *value++ = '\0';
        if (mount_word_decode(value) < 0)
                return -EINVAL;
        for (size_t i = 0; i < _KEY_MAX; i++)
                if (streq(keys[i], word))
                        return take_value(a, (enum adopted_key)i, value);
        return -EINVAL;
}

/* A line without its end, taken apart in place. */
static int read_line(char *line, struct adopted *ret) {
        _cleanup_(adopted_done) struct adopted a = { 0 };
        char *rest = line, *word;
        int r;

        word = strsep(&rest, BLANK);
        if (!adopted_name_is_valid(word))
                return -EINVAL;
        r = str_replace(&a.name, word);
        while (r >= 0 && (word = strsep(&rest, BLANK)))
                if (*word)
                        r = take_word(&a, word);
        if (r < 0)
                return r;
        if (!a.uuid || !a.type)
                return -EINVAL;
        *ret = a;
        a = (struct adopted){ 0 };
        return 0;
}

static bool is_comment(const char *line, size_t length) {
        size_t blank = 0;

        while (blank < length && (line[blank] == ' ' || line[blank] == '\t'))
                blank++;
        return blank == length || line[blank] == '#';
}

static int list_add(struct adopted_list *list, const char *line, size_t length, unsigned number) {
        _cleanup_(freep) char *copy = strndup(line, length), *complaint = NULL;
        struct adopted a = { 0 }, *longer;
        int r;

        if (!copy)
                return -ENOMEM;
        /* strndup() ends at a NUL: such a line is nothing that we wrote. */
        r = strlen(copy) == length && list->n < ADOPTED_MAX ? read_line(copy, &a) : -EINVAL;
        if (r >= 0 && adopted_list_find(list, a.name)) {
                adopted_done(&a);
                r = -EINVAL;
        }
        if (r == -EINVAL) {
                if (str_format(&complaint, "%s/adopted: line %u is not understood and left out",
                               adopted_directory, number) < 0)
                        return -ENOMEM;
                return strv_append(&list->complaints, complaint);
        }
        if (r < 0)
                return r;
        longer = reallocarray(list->items, list->n + 1, sizeof(*longer));
        if (!longer) {
                adopted_done(&a);
                return -ENOMEM;
        }
        list->items = longer;
        list->items[list->n++] = a;
        return 0;
}

static int file_path(char **ret) {
        return str_format(ret, "%s/adopted", adopted_directory);
}

static int read_file(char **ret_path, char **ret, size_t *ret_size, struct vss_error *reterr) {
        if (file_path(ret_path) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, adopted_directory);
        return whole_file_read(*ret_path, FILE_MAX, ret, ret_size, reterr);
}

/* The line at *at, without its end; *at goes on to the next. False: there is none. */
static bool next_line(const char **at, const char *end, const char **ret, size_t *ret_length) {
        const char *newline;

        if (*at >= end)
                return false;
        newline = memchr(*at, '\n', (size_t)(end - *at));
        *ret = *at;
        *ret_length = (size_t)((newline ? newline : end) - *at);
        *at = newline ? newline + 1 : end;
        return true;
}

int adopted_list_read(struct adopted_list *ret, struct vss_error *reterr) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        _cleanup_(freep) char *path = NULL, *text = NULL;
        const char *at, *line;
        size_t size = 0, length;
        int r;

        r = read_file(&path, &text, &size, reterr);
        if (r < 0)
                return r;
        at = text;
        for (unsigned i = 1; next_line(&at, text + size, &line, &length); i++) {
                r = is_comment(line, length) ? 0 : list_add(&list, line, length, i);
                if (r < 0)
                        return vss_error_from_errno(reterr, r, path);
        }
        *ret = list;
        list = (struct adopted_list){ 0 };
        return 0;
}

void adopted_list_done(struct adopted_list *list) {
        for (size_t i = 0; i < list->n; i++)
                adopted_done(&list->items[i]);
        free(list->items);
        strv_free(list->complaints);
        *list = (struct adopted_list){ 0 };
}

const struct adopted *adopted_list_find(const struct adopted_list *list, const char *name) {
        for (size_t i = 0; i < list->n; i++)
                if (streq(list->items[i].name, name))
                        return &list->items[i];
        return NULL;
}

static int print_word(FILE *f, enum adopted_key key, const char *value) {
        _cleanup_(freep) char *word = NULL;

        if (!value)
                return 0;
        if (mount_word_encode(&word, value) < 0)
                return -ENOMEM;
        (void)fprintf(f, " %s=%s", keys[key], word); /* into memory; asked at the end */
        return 0;
}

static int print_line(FILE *f, const struct adopted *a) {
        char size[32];
        int r;

        (void)snprintf(size, sizeof(size), "%llu", (unsigned long long)a->size);
        (void)fputs(a->name, f);
        r = print_word(f, KEY_UUID, a->uuid);
        if (r >= 0)
                r = print_word(f, KEY_TYPE, a->type);
        if (r >= 0)
                r = print_word(f, KEY_SIZE, size);
        if (r >= 0)
                r = print_word(f, KEY_PARTUUID, a->partuuid);
        if (r >= 0)
                r = print_word(f, KEY_LABEL, a->label);
        if (r >= 0)
                r = print_word(f, KEY_PARTLABEL, a->partlabel);
        if (r >= 0)
                r = print_word(f, KEY_MAP, a->map);
        STRV_FOREACH (source, a->sources)
                if (r >= 0)
                        r = print_word(f, KEY_SOURCE, *source);
        STRV_FOREACH (line, a->respelled)
                if (r >= 0)
                        r = print_word(f, KEY_RESPELLED, *line);
        if (r >= 0 && a->root)
                r = print_word(f, KEY_ROOT, "yes");
        if (r >= 0 && a->pending)
                r = print_word(f, KEY_STATE, "pending");
        (void)fputc('\n', f);
        return r;
}

static bool line_has_name(const char *line, size_t length, const char *name) {
        size_t n = strlen(name);

        return length >= n && memcmp(line, name, n) == 0 &&
               (length == n || line[n] == ' ' || line[n] == '\t');
}

/* The file with the line of `name` replaced by that of a, or without it. */
static int compose(const char *text, size_t size, const char *name, const struct adopted *a,
                   FILE *out) {
        const char *at = text, *line;
        bool printed = false;
        size_t length;
        int r = 0;

        if (size == 0)
                (void)fputs(HEAD, out);
        while (r >= 0 && next_line(&at, text + size, &line, &length)) {
                if (!line_has_name(line, length, name)) {
                        (void)fwrite(line, 1, length, out);
                        (void)fputc('\n', out);
                } else if (a && !printed) {
                        r = print_line(out, a);
                        printed = true;
                }
        }
        return r >= 0 && a && !printed ? print_line(out, a) : r;
}

static int change(const char *name, const struct adopted *a, struct vss_error *reterr) {
        _cleanup_(freep) char *path = NULL, *text = NULL, *fresh = NULL;
        size_t size = 0, fresh_size = 0;
        FILE *out;
        int r;

        r = read_file(&path, &text, &size, reterr);
        if (r < 0)
                return r;
        out = open_memstream(&fresh, &fresh_size);
        if (!out)
                return vss_error_from_errno(reterr, -ENOMEM, path);
        r = compose(text, size, name, a, out);
        if (ferror(out))
                r = -ENOMEM;
        if (fclose(out) != 0)
                r = -ENOMEM;
        if (r < 0)
                return vss_error_from_errno(reterr, r, path);
        if (fresh_size == size && memcmp(fresh, text, size) == 0)
                return 0;
        return whole_file_write(path, fresh, fresh_size, reterr);
}

int adopted_put(const struct adopted *a, struct vss_error *reterr) {
        assert(adopted_name_is_valid(a->name));

        return change(a->name, a, reterr);
}

int adopted_drop(const char *name, struct vss_error *reterr) {
        _cleanup_(adopted_list_done) struct adopted_list list = { 0 };
        int r;

        r = adopted_list_read(&list, reterr);
        if (r < 0)
                return r;
        return adopted_list_find(&list, name) ? change(name, NULL, reterr) : 0;
}

static bool same_path(const char *link, const char *spec) {
        _cleanup_(freep) char *path = NULL;

        return unit_device_of_spec(&path, link) >= 0 && streq(path, spec);
}

/* Its node, and the links that udev's rules for device-mapper give it. */
bool adopted_is_mapping(const struct adopted *a, const char *spec) {
        static const char *const names[] = {
                "/dev/mapper/" ADOPTED_NAME_PREFIX,
                "/dev/disk/by-id/dm-name-" ADOPTED_NAME_PREFIX,
                "/dev/disk/by-id/dm-uuid-" ADOPTED_UUID_PREFIX,
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                size_t n = strlen(names[i]);

                if (strncmp(spec, names[i], n) == 0 && streq(spec + n, str_or_empty(a->name)))
                        return true;
        }
        return false;
}

bool adopted_is_meant(const struct adopted *a, const char *spec) {
        const struct {
                const char *tag, *value;
                bool any_case;
        } tags[] = {
                { .tag = "UUID", .value = a->uuid, .any_case = true },
                { .tag = "PARTUUID", .value = a->partuuid, .any_case = true },
                { .tag = "LABEL", .value = a->label },
                { .tag = "PARTLABEL", .value = a->partlabel },
        };
        _cleanup_(freep) char *device = NULL;

        if (strv_contains(a->sources, spec) || adopted_is_mapping(a, spec))
                return true;
        if (unit_device_of_spec(&device, spec) < 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
                _cleanup_(freep) char *tag = NULL;

                if (!tags[i].value || str_format(&tag, "%s=%s", tags[i].tag, tags[i].value) < 0)
                        continue;
                if (tags[i].any_case && strcasecmp(tag, spec) == 0)
                        return true;
                if (same_path(tag, device))
                        return true;
        }
        return false;
}

int adopted_mapping_name(char **ret, const struct adopted *a) {
        return str_format(ret, "%s%s", ADOPTED_NAME_PREFIX, a->name);
}

int adopted_mapping_uuid(char **ret, const struct adopted *a) {
        return str_format(ret, "%s%s", ADOPTED_UUID_PREFIX, a->name);
}
