/* Lists are read range by range; nothing is kept. */

#include "libvssclient/range-list.h"
#include "libvssclient/check-path.h"
#include <ctype.h>

struct range {
        uint64_t offset, length;
};

static bool read_number(const char **s, uint64_t *ret) {
        bool hexadecimal = (*s)[0] == '0' && ((*s)[1] == 'x' || (*s)[1] == 'X');
        char *end;

        /* strtoull() would take signs and blanks, too. */
        if (!isdigit((unsigned char)(*s)[0]) || (hexadecimal && !isxdigit((unsigned char)(*s)[2])))
                return false;
        errno = 0;
        *ret = strtoull(*s, &end, hexadecimal ? 16 : 10);
        *s = end;
        return errno == 0 && *ret <= INT64_MAX;
}

/* The range at *s, which is left before the next one, or at the end. */
static bool read_range(const char **s, struct range *ret) {
        if (!read_number(s, &ret->offset) || *(*s)++ != ':' || !read_number(s, &ret->length) ||
            ret->length > INT64_MAX - ret->offset)
                return false;
        if (**s == '\0')
                return true;
        if (*(*s)++ != ',')
                return false;
        while (**s == ' ')
                (*s)++;
        return **s != '\0';
}

bool range_list_is(const char *text) {
        struct range range;

        do
                if (!read_range(&text, &range))
                        return false;
        while (*text);
        return true;
}

int range_list_check(const char *text, const char *what, const char **ret,
                     struct vss_error *reterr) {
        static const char prefix[] = "File=";

        if (str_empty(text))
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s: there are no ranges", what);
        if (range_list_is(text)) {
                *ret = text;
                return 0;
        }
        if (strncmp(text, prefix, strlen(prefix)) == 0)
                text += strlen(prefix);
        if (check_path(text, what, NULL) < 0)
                return vss_error_set(reterr, E_INVALIDARG, 0,
                                     "%s are neither a list, such as \"0:512, 0x1000:0x200\", nor "
                                     "the absolute path of a file",
                                     what);
        *ret = text;
        return 0;
}

bool range_lists_match(const char *a, const char *b) {
        while (*a && *b) {
                struct range x, y;

                if (!read_range(&a, &x) || !read_range(&b, &y) || x.length != y.length)
                        return false;
        }
        return *a == *b;
}
