#pragma once

/* What text an XML 1.0 document can hold: UTF-8 without NUL, most control characters and the
 * non-characters. */

#include "common/vss-error.h"

/* NULL and "" pass. what: names the text in the message. E_INVALIDARG. */
int xml_text_check(const char *s, const char *what, struct vss_error *reterr);
/* The same, and not empty. */
int xml_text_require(const char *s, const char *what, struct vss_error *reterr);
/* The same two for names of files where these may be bytes (path-escape.h). */
int xml_path_check(const char *s, const char *what, struct vss_error *reterr);
int xml_path_require(const char *s, const char *what, struct vss_error *reterr);
