/* A const table of keys; each takes its value or says what is wrong with it. */

#include "writers/hook/hook-config.h"

#include "common/time-util.h"
#include "common/vss-id.h"
#include "writers/hook/words.h"

#include <inttypes.h>
#include <uuid/uuid.h>

#define FREEZE_TO_THAW_DEFAULT (60 * USEC_PER_SEC)
#define NAME_MAX_LENGTH 128

/* The name space of the ids that are derived from names; made once, never to change: an id says
 * which application a backup belongs to. */
static const unsigned char id_name_space[16] = { 0x5b, 0x0e, 0x3f, 0x1c, 0x8d, 0x3a, 0x4c, 0x57,
                                                 0x9a, 0x61, 0x2f, 0x74, 0xc0, 0x9b, 0x6e, 0x15 };

struct parse {
        struct hook_config *config;
        char **seen; /* "Section" and "Section.Key": each may stand once, but for lists */
        unsigned freeze_line, budget_line; /* where Freeze= and the last deadline of it stand */
};

/* One key: takes its value into the config. */
typedef int (*key_fn)(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr);

struct key {
        const char *section, *key; /* key NULL: any event's name */
        key_fn take;
        bool list; /* may stand more than once */
};

static int take_name(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr) {
        if (*e->value == '\0' || strlen(e->value) > NAME_MAX_LENGTH || strchr(e->value, '\\'))
                return ini_error_set(reterr, e->line,
                                     "Name= must have 1 to %d bytes and no backslash",
                                     NAME_MAX_LENGTH);
        return str_replace(&c->name, e->value);
}

static int take_id(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr) {
        if (vss_id_parse(&c->id, e->value) < 0 || vss_id_is_null(c->id))
                return ini_error_set(reterr, e->line,
                                     "Id=%s is no GUID like 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                                     e->value);
        return 0;
}

static int take_level(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr) {
        static const struct {
                const char *word;
                VSS_APPLICATION_LEVEL level;
        } levels[] = {
                { "front-end", VSS_APP_FRONT_END },
                { "back-end", VSS_APP_BACK_END },
                { "system", VSS_APP_SYSTEM },
        };

        for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
                if (streq(e->value, levels[i].word)) {
                        c->level = levels[i].level;
                        return 0;
                }
        return ini_error_set(reterr, e->line, "Level=%s is none of front-end, back-end, system",
                             e->value);
}

static int take_usage(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr) {
        static const struct {
                const char *word;
                VSS_USAGE_TYPE usage;
        } usages[] = {
                { "user-data", VSS_UT_USERDATA },
                { "system-service", VSS_UT_SYSTEMSERVICE },
                { "bootable-system-state", VSS_UT_BOOTABLESYSTEMSTATE },
                { "other", VSS_UT_OTHER },
        };

        for (size_t i = 0; i < ARRAY_SIZE(usages); i++)
                if (streq(e->value, usages[i].word)) {
                        c->usage = usages[i].usage;
                        return 0;
                }
        return ini_error_set(
                reterr, e->line,
                "Usage=%s is none of user-data, system-service, bootable-system-state, other",
                e->value);
}

static int take_user(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr) {
        if (*e->value == '\0')
                return ini_error_set(reterr, e->line, "User= names nobody");
        return str_replace(&c->user, e->value);
}

static int take_bool(bool *ret, const struct ini_entry *e, struct ini_error *reterr) {
        if (!streq(e->value, "yes") && !streq(e->value, "no"))
                return ini_error_set(reterr, e->line, "%s=%s is neither yes nor no", e->key,
                                     e->value);
        *ret = streq(e->value, "yes");
        return 0;
}

static int take_always(struct hook_config *c, const struct ini_entry *e, struct ini_error *reterr) {
        return take_bool(&c->always, e, reterr);
}

static int take_partial(struct hook_config *c, const struct ini_entry *e,
                        struct ini_error *reterr) {
        return take_bool(&c->partial, e, reterr);
}

static int take_command(struct hook_config *c, const struct ini_entry *e,
                        struct ini_error *reterr) {
        enum hook_event event = hook_event_from_key(e->key);
        const char *why = NULL;
        char **argv;
        int r;

        r = words_split(&argv, e->value, WORDS_COMMAND, &why);
        if (r == -EINVAL)
                return ini_error_set(reterr, e->line, "%s=: %s", e->key, why);
        if (r < 0)
                return r;

        c->commands[event] = argv;
        if (!argv)
                return ini_error_set(reterr, e->line, "%s= has no command", e->key);
        if (argv[0][0] != '/' && strchr(argv[0], '/'))
                return ini_error_set(reterr, e->line,
                                     "%s=%s: the program must be an absolute path, or a name "
                                     "without '/' that is looked up in the fixed PATH",
                                     e->key, argv[0]);
        if (argv[0][0] == '\0')
                return ini_error_set(reterr, e->line, "%s= names an empty program", e->key);
        return 0;
}

/* "20s", "500ms", "2min", "20" (seconds). */
static int parse_time(uint64_t *ret, const char *text) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "", USEC_PER_SEC },
                { "s", USEC_PER_SEC },
                { "ms", USEC_PER_MSEC },
                { "min", 60 * USEC_PER_SEC },
        };
        size_t digits = strspn(text, "0123456789");
        uint64_t n;

        if (digits == 0 || digits > 9)
                return -EINVAL;
        n = strtoull(text, NULL, 10);
        text += digits;
        text += strspn(text, " ");

        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (streq(text, units[i].name)) {
                        *ret = n * units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

static int take_time(uint64_t *ret, const struct ini_entry *e, uint64_t max_usec,
                     struct ini_error *reterr) {
        uint64_t usec;

        if (parse_time(&usec, e->value) < 0)
                return ini_error_set(reterr, e->line, "%s=%s is no time like 500ms, 20s or 2min",
                                     e->key, e->value);
        if (usec == 0 || usec > max_usec)
                return ini_error_set(reterr, e->line,
                                     "%s=%s must be more than 0 and at most %" PRIu64 "s", e->key,
                                     e->value, max_usec / USEC_PER_SEC);
        *ret = usec;
        return 0;
}

static int take_deadline(struct hook_config *c, const struct ini_entry *e,
                         struct ini_error *reterr) {
        enum hook_event event = hook_event_from_key(e->key);

        return take_time(&c->deadline_usec[event], e, hook_events[event].max_usec, reterr);
}

static int take_freeze_to_thaw(struct hook_config *c, const struct ini_entry *e,
                               struct ini_error *reterr) {
        return take_time(&c->freeze_to_thaw_usec, e, FREEZE_TO_THAW_DEFAULT, reterr);
}

static void path_done(struct hook_path *p) {
        free(p->directory);
        free(p->specification);
}

/* "." and ".." would make two names of one place. */
static bool path_is_plain(const char *path) {
        for (const char *s = path; s; s = strchr(s, '/')) {
                size_t n;

                s += strspn(s, "/");
                n = strcspn(s, "/");
                if ((n == 1 && s[0] == '.') || (n == 2 && strncmp(s, "..", 2) == 0))
                        return false;
                if (n == 0)
                        break;
        }
        return path[0] == '/';
}

/* DIRECTORY [SPECIFICATION] [recursive] */
static int take_path(struct hook_path **array, size_t *n, const struct ini_entry *e,
                     struct ini_error *reterr) {
        _cleanup_(strv_freep) char **words = NULL;
        struct hook_path path = { 0 }, *grown;
        const char *why = NULL;
        size_t count, length;
        int r;

        r = words_split(&words, e->value, WORDS_PATHS, &why);
        if (r == -EINVAL)
                return ini_error_set(reterr, e->line, "%s=: %s", e->key, why);
        if (r < 0)
                return r;

        count = strv_length(words);
        if (count > 1 && streq(words[count - 1], "recursive")) {
                path.recursive = true;
                count--;
        }
        if (count < 1 || count > 2)
                return ini_error_set(reterr, e->line,
                                     "%s= takes DIRECTORY [SPECIFICATION] [recursive]", e->key);
        if (!path_is_plain(words[0]) || strpbrk(words[0], "*?"))
                return ini_error_set(reterr, e->line,
                                     "%s=%s must be an absolute path without '.', '..', '*' and "
                                     "'?'; names with '*' go behind it",
                                     e->key, words[0]);
        if (count == 2 && (strchr(words[1], '/') || words[1][0] == '\0'))
                return ini_error_set(reterr, e->line,
                                     "%s=: the specification '%s' must be a name, without '/'",
                                     e->key, words[1]);
        if (*n >= HOOK_CONFIG_PATHS_MAX)
                return ini_error_set(reterr, e->line, "more than %d %s= lines",
                                     HOOK_CONFIG_PATHS_MAX, e->key);

        length = strlen(words[0]);
        while (length > 1 && words[0][length - 1] == '/')
                words[0][--length] = '\0';

        grown = reallocarray(*array, *n + 1, sizeof(**array));
        if (!grown)
                return -ENOMEM;
        *array = grown;
        r = str_replace(&path.directory, words[0]);
        if (r >= 0)
                r = str_replace(&path.specification, count == 2 ? words[1] : "*");
        if (r < 0) {
                path_done(&path);
                return r;
        }
        (*array)[(*n)++] = path;
        return 0;
}

static int take_include(struct hook_config *c, const struct ini_entry *e,
                        struct ini_error *reterr) {
        return take_path(&c->includes, &c->n_includes, e, reterr);
}

static int take_exclude(struct hook_config *c, const struct ini_entry *e,
                        struct ini_error *reterr) {
        return take_path(&c->excludes, &c->n_excludes, e, reterr);
}

static const struct key keys[] = {
        { .section = "Writer", .key = "Name", .take = take_name },
        { .section = "Writer", .key = "Id", .take = take_id },
        { .section = "Writer", .key = "Level", .take = take_level },
        { .section = "Writer", .key = "Usage", .take = take_usage },
        { .section = "Writer", .key = "User", .take = take_user },
        { .section = "Writer", .key = "Always", .take = take_always },
        { .section = "Commands", .take = take_command },
        { .section = "Deadlines", .key = "FreezeToThaw", .take = take_freeze_to_thaw },
        { .section = "Deadlines", .take = take_deadline },
        { .section = "Paths", .key = "Include", .take = take_include, .list = true },
        { .section = "Paths", .key = "Exclude", .take = take_exclude, .list = true },
        { .section = "Paths", .key = "Partial", .take = take_partial },
};

static bool section_exists(const char *section) {
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (streq(keys[i].section, section))
                        return true;
        return false;
}

static const struct key *find_key(const struct ini_entry *e) {
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                if (!streq(keys[i].section, e->section))
                        continue;
                if (keys[i].key ? streq(keys[i].key, e->key)
                                : hook_event_from_key(e->key) != _HOOK_EVENT_MAX)
                        return &keys[i];
        }
        return NULL;
}

static int see_once(struct parse *p, const struct ini_entry *e, struct ini_error *reterr) {
        _cleanup_(freep) char *what = NULL;
        int r;

        r = str_format(&what, "%s.%s", e->section, str_or_empty(e->key));
        if (r < 0)
                return r;
        if (strv_contains(p->seen, what)) {
                if (e->key)
                        return ini_error_set(reterr, e->line, "%s= stands here for the second time",
                                             e->key);
                return ini_error_set(reterr, e->line, "[%s] stands here for the second time",
                                     e->section);
        }
        return strv_append(&p->seen, what);
}

static int take_entry(void *userdata, const struct ini_entry *e, struct ini_error *reterr) {
        struct parse *p = userdata;
        const struct key *key;
        int r;

        if (!e->key) {
                if (!section_exists(e->section))
                        return ini_error_set(
                                reterr, e->line,
                                "unknown section [%s]; there are [Writer], [Commands], "
                                "[Deadlines] and [Paths]",
                                e->section);
                return see_once(p, e, reterr);
        }

        key = find_key(e);
        if (!key)
                return ini_error_set(reterr, e->line, "unknown key %s= in [%s]", e->key,
                                     e->section);
        if (!key->list) {
                r = see_once(p, e, reterr);
                if (r < 0)
                        return r;
        }
        if (key->take == take_command && streq(e->key, hook_events[HOOK_FREEZE].key))
                p->freeze_line = e->line;
        if (key->take == take_freeze_to_thaw ||
            (key->take == take_deadline && streq(e->key, hook_events[HOOK_FREEZE].key)))
                p->budget_line = e->line;
        return key->take(p->config, e, reterr);
}

/* What cannot be seen in one line alone. */
static int check_whole(struct parse *p, struct ini_error *reterr) {
        const struct hook_config *c = p->config;

        if (hook_config_has(c, HOOK_FREEZE) && !hook_config_has(c, HOOK_THAW))
                return ini_error_set(reterr, p->freeze_line,
                                     "Freeze= without Thaw=: what was frozen would stay so");
        if (hook_config_has(c, HOOK_FREEZE) &&
            c->deadline_usec[HOOK_FREEZE] >= c->freeze_to_thaw_usec)
                return ini_error_set(reterr, p->budget_line,
                                     "the deadline of Freeze must be below FreezeToThaw (%" PRIu64
                                     "s), which it is a part of",
                                     c->freeze_to_thaw_usec / USEC_PER_SEC);
        if (c->n_includes == 0 && !c->always)
                return ini_error_set(reterr, 0,
                                     "neither an Include= in [Paths] nor Always=yes in [Writer]: "
                                     "this writer would never have anything to do");
        return 0;
}

/* A GUID of version 5 (RFC 9562) from the name: the same on every host and after every restart. */
static VSS_ID id_from_name(const char *name) {
        char text[UUID_STR_LEN];
        uuid_t uuid;
        VSS_ID id;
        int r;

        uuid_generate_sha1(uuid, id_name_space, name, strlen(name));
        uuid_unparse_lower(uuid, text);
        r = vss_id_parse(&id, text);
        assert(r >= 0);
        (void)r; /* with NDEBUG */
        return id;
}

static int default_name(struct hook_config *c, struct ini_error *reterr) {
        size_t length = strlen(c->file), suffix = strlen(HOOK_CONFIG_SUFFIX);

        if (length > suffix && streq(c->file + length - suffix, HOOK_CONFIG_SUFFIX))
                length -= suffix;
        if (strchr(c->file, '\\'))
                return ini_error_set(reterr, 0,
                                     "the file's name has a backslash, so Name= is needed");
        return str_format(&c->name, "%.*s", (int)length, c->file);
}

int hook_config_new(struct hook_config **ret, const char *file, const char *text, size_t length,
                    struct ini_error *reterr) {
        _cleanup_(hook_config_freep) struct hook_config *c = NULL;
        _cleanup_(strv_freep) char **seen = NULL;
        struct parse p = { 0 };
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->level = VSS_APP_FRONT_END;
        c->usage = VSS_UT_USERDATA;
        c->freeze_to_thaw_usec = FREEZE_TO_THAW_DEFAULT;
        for (unsigned i = 0; i < _HOOK_EVENT_MAX; i++)
                c->deadline_usec[i] = hook_events[i].default_usec;
        r = str_replace(&c->file, file);
        if (r < 0)
                return r;

        p.config = c;
        r = ini_parse(text, length, take_entry, &p, reterr);
        seen = p.seen;
        if (r < 0)
                return r;
        r = check_whole(&p, reterr);
        if (r < 0)
                return r;

        if (!c->name) {
                r = default_name(c, reterr);
                if (r < 0)
                        return r;
        }
        if (vss_id_is_null(c->id))
                c->id = id_from_name(c->name);
        /* No NUL inside: the reader has seen to that. */
        c->text = strndup(text, length);
        if (!c->text)
                return -ENOMEM;

        *ret = TAKE_PTR(c);
        return 0;
}

static void paths_free(struct hook_path *paths, size_t n) {
        for (size_t i = 0; i < n; i++)
                path_done(&paths[i]);
        free(paths);
}

struct hook_config *hook_config_free(struct hook_config *c) {
        if (!c)
                return NULL;
        free(c->file);
        free(c->text);
        free(c->name);
        free(c->user);
        for (unsigned i = 0; i < _HOOK_EVENT_MAX; i++)
                strv_free(c->commands[i]);
        paths_free(c->includes, c->n_includes);
        paths_free(c->excludes, c->n_excludes);
        free(c);
        return NULL;
}
