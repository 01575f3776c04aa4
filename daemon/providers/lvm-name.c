/* See lvm-name.h. Stateless. */

#include "daemon/providers/lvm-name.h"
#include <stdio.h>

#define NAME_MAX_LENGTH 127 /* LVM's NAME_LEN with its NUL is 128 */

bool lvm_name_is_valid(const char *name) {
        static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
                                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789+_.-";
        size_t length = strlen(name);

        return length > 0 && length <= NAME_MAX_LENGTH && name[0] != '-' &&
               strspn(name, characters) == length && !streq(name, ".") && !streq(name, "..");
}

bool lvm_name_is_internal(const char *lv) {
        /* lvmraid(7), lvmcache(7) and lvcreate(8) say which names are reserved. */
        static const char *const prefixes[] = { "pvmove", "snapshot" };
        static const char *const parts[] = { "_cdata",   "_cmeta", "_corig",  "_cpool", "_cvol",
                                             "_imeta",   "_iorig", "_mimage", "_mlog",  "_pmspare",
                                             "_rimage",  "_rmeta", "_tdata",  "_tmeta", "_vdata",
                                             "_vorigin", "_wcorig" };

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (strncmp(lv, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (strstr(lv, parts[i]))
                        return true;
        return false;
}

static char *put_doubled(char *to, const char *part) {
        for (; *part; part++) {
                if (*part == '-')
                        *to++ = '-';
                *to++ = *part;
        }
        return to;
}

int lvm_name_join(char **ret, const char *vg, const char *lv, const char *layer) {
        char *name, *end;

        name = malloc(2 * (strlen(vg) + strlen(lv)) + (layer ? strlen(layer) : 0) + 3);
        if (!name)
                return -ENOMEM;
        end = put_doubled(name, vg);
        *end++ = '-';
        end = put_doubled(end, lv);
        *end = '\0';
        if (layer)
                (void)sprintf(end, "-%s", layer); /* it was counted above */
        *ret = name;
        return 0;
}

/* Takes one part: up to a single hyphen. Returns where the next begins, NULL at the end. */
static const char *take_part(const char *from, char *to) {
        while (*from) {
                if (*from == '-') {
                        if (from[1] != '-') {
                                *to = '\0';
                                return from + 1;
                        }
                        from++;
                }
                *to++ = *from++;
        }
        *to = '\0';
        return NULL;
}

int lvm_name_split(const char *dm_name, char **ret_vg, char **ret_lv, char **ret_layer) {
        _cleanup_(freep) char *vg = NULL, *lv = NULL, *layer = NULL;
        size_t size = strlen(dm_name) + 1;
        const char *rest;

        vg = malloc(size);
        lv = malloc(size);
        if (!vg || !lv)
                return -ENOMEM;
        rest = take_part(dm_name, vg);
        if (!rest)
                return -EINVAL;
        rest = take_part(rest, lv);
        if (!lvm_name_is_valid(vg) || !lvm_name_is_valid(lv))
                return -EINVAL;
        if (rest) {
                layer = strdup(rest);
                if (!layer)
                        return -ENOMEM;
        }
        *ret_vg = TAKE_PTR(vg);
        *ret_lv = TAKE_PTR(lv);
        *ret_layer = TAKE_PTR(layer);
        return 0;
}

/* Copies a UUID without its hyphens; false if it is none. */
static bool put_uuid(char *to, const char *uuid) {
        size_t n = 0;

        for (; *uuid; uuid++) {
                bool alphanumeric = (*uuid >= '0' && *uuid <= '9') ||
                                    (*uuid >= 'a' && *uuid <= 'z') ||
                                    (*uuid >= 'A' && *uuid <= 'Z');

                if (*uuid == '-')
                        continue;
                if (!alphanumeric || n == LVM_UUID_LENGTH)
                        return false;
                to[n++] = *uuid;
        }
        to[n] = '\0';
        return n == LVM_UUID_LENGTH;
}

int lvm_uuid_join(char **ret, const char *vg_uuid, const char *lv_uuid, const char *layer) {
        char vg[LVM_UUID_LENGTH + 1], lv[LVM_UUID_LENGTH + 1];

        if (!put_uuid(vg, vg_uuid) || !put_uuid(lv, lv_uuid))
                return -EINVAL;
        return str_format(ret, LVM_UUID_PREFIX "%s%s%s%s", vg, lv, layer ? "-" : "",
                          str_or_empty(layer));
}

bool lvm_uuid_is_visible(const char *dm_uuid) {
        size_t prefix = strlen(LVM_UUID_PREFIX);

        return strncmp(dm_uuid, LVM_UUID_PREFIX, prefix) == 0 &&
               strlen(dm_uuid) == prefix + 2 * (size_t)LVM_UUID_LENGTH;
}
