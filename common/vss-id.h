#pragma once

/* VSS_ID (a GUID). On every wire and in every file it is its canonical text, lower case, without
 * braces, so that the mixed-endian layout in memory never leaks. Input: either case, braces
 * optional. */

#include "common/util.h"
#include <vss/vss.h>

#define VSS_ID_TEXT_MAX 37 /* 36 characters and the NUL */

/* -EINVAL if text is no GUID. The empty string and NULL give GUID_NULL. */
int vss_id_parse(VSS_ID *ret, const char *text);
/* Writes the canonical text, returns buf. */
char *vss_id_format(VSS_ID id, char buf[static VSS_ID_TEXT_MAX]);
#define VSS_ID_TEXT(id) vss_id_format((id), (char[VSS_ID_TEXT_MAX]){ 0 })
/* A fresh random (version 4) id. -errno when the kernel gives no randomness. */
int vss_id_random(VSS_ID *ret);
bool vss_id_equal(VSS_ID a, VSS_ID b);
bool vss_id_is_null(VSS_ID id);
