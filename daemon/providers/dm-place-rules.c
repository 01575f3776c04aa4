/* Which places the administrator wants for a volume's stores: see dm-place.h. Set once, before
 * anything else runs, and constant from then on. */

#include "common/path.h"
#include "daemon/providers/dm-place.h"
#include "daemon/providers/lvm-name.h"

#define DEFAULT_NAME "Default"
#define BLANKS " \t"

static char **rules;            /* "VOLUME=PLACE..." */
static char *default_directory; /* NULL: none */

int dm_places_init(char *const *lines, const char *directory) {
        char **copy = NULL;
        int r;

        r = strv_copy(&copy, lines);
        if (r >= 0)
                r = str_replace(&default_directory, directory);
        if (r < 0) {
                strv_free(copy);
                return r;
        }
        strv_free(rules);
        rules = copy;
        return 0;
}

static int check_place(const char *place, size_t length, struct vss_error *reterr) {
        _cleanup_(freep) char *name = strndup(place, length);

        if (!name)
                return vss_error_from_errno(reterr, -ENOMEM, "the places of stores");
        if (name[0] == '/' || lvm_name_is_valid(name))
                return 0;
        return vss_error_set(reterr, E_INVALIDARG, EINVAL,
                             "'%s' is no place for stores: give the absolute path of a directory "
                             "or of a block device, or the name of a volume group",
                             name);
}

int dm_places_check_line(const char *volume, const char *places, struct vss_error *reterr) {
        const char *p = places + strspn(places, BLANKS);

        if (!streq(volume, DEFAULT_NAME) && volume[0] != '/')
                return vss_error_set(
                        reterr, E_INVALIDARG, EINVAL,
                        "'%s' is no volume: give its mount point or its device, or " DEFAULT_NAME
                        " for all that have no line of their own",
                        volume);
        if (!*p)
                return vss_error_set(reterr, E_INVALIDARG, EINVAL, "no place is named for %s",
                                     volume);
        while (*p) {
                size_t length = strcspn(p, BLANKS);
                int r = check_place(p, length, reterr);

                if (r < 0)
                        return r;
                p += length;
                p += strspn(p, BLANKS);
        }
        return 0;
}

/* The first of them ends where its line goes on. */
static bool same_path(const char *a, size_t length, const char *b) {
        size_t b_length = b ? path_length(b, strlen(b)) : 0;

        return b_length > 0 && path_length(a, length) == b_length && strncmp(a, b, b_length) == 0;
}

const char *dm_places_of(const struct volume *v) {
        const char *fallback = str_or_empty(default_directory);

        STRV_FOREACH (line, rules) {
                size_t length = strcspn(*line, "=");
                const char *places = *line + length + 1;

                if (same_path(*line, length, v->mount_point) ||
                    same_path(*line, length, v->device) || same_path(*line, length, v->name) ||
                    same_path(*line, length, v->display))
                        return places;
                if (length == strlen(DEFAULT_NAME) && strncmp(*line, DEFAULT_NAME, length) == 0)
                        fallback = places;
        }
        return fallback;
}

int dm_places_add_groups(const struct volume *v, char ***groups) {
        _cleanup_(freep) char *places = strdup(dm_places_of(v));
        char *place, *rest = places;
        int r = places ? 0 : -ENOMEM;

        while (r >= 0 && (place = strsep(&rest, BLANKS)))
                if (*place && *place != '/')
                        r = strv_append(groups, place);
        return r;
}

bool dm_place_is_default(const char *place) {
        return default_directory && streq(place, default_directory);
}
