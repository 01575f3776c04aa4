/* Text that is fit for an XML document. */

#include "common/xml-text.h"
#include "common/utf8.h"
#include <libxml/chvalid.h>

static int check(const char *s, const char *what, bool takes_bytes, struct vss_error *reterr) {
        if (str_empty(s))
                return 0;
        while (*s >= ' ' && *s <= '~') /* nearly all of nearly all */
                s++;
        while (*s) {
                uint32_t character;
                size_t n = utf8_decode(s, &character);

                if (character == UTF8_REPLACEMENT && n == 1 && !takes_bytes)
                        return vss_error_set(reterr, E_INVALIDARG, 0, "%s is not valid UTF-8",
                                             what);
                s += n;
                if (!xmlIsCharQ(character))
                        return vss_error_set(reterr, E_INVALIDARG, 0,
                                             "%s has the character U+%04X, which an XML document "
                                             "cannot hold",
                                             what, character);
        }
        return 0;
}

static int require(const char *s, const char *what, bool takes_bytes, struct vss_error *reterr) {
        if (str_empty(s))
                return vss_error_set(reterr, E_INVALIDARG, 0, "%s is empty", what);
        return check(s, what, takes_bytes, reterr);
}

int xml_text_check(const char *s, const char *what, struct vss_error *reterr) {
        return check(s, what, false, reterr);
}

int xml_text_require(const char *s, const char *what, struct vss_error *reterr) {
        return require(s, what, false, reterr);
}

int xml_path_check(const char *s, const char *what, struct vss_error *reterr) {
        return check(s, what, true, reterr);
}

int xml_path_require(const char *s, const char *what, struct vss_error *reterr) {
        return require(s, what, true, reterr);
}
