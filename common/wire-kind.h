#pragma once

/* One wire type: how a struct's member of it is read, written, judged absent and released. Private
 * to the wire codec; everybody else names types by enum wire_type. */

#include "common/wire.h"

struct wire_kind {
        const char *signature;
        int dbus_type;
        /* Takes the value that iter stands at, whose type was checked. */
        int (*read)(DBusMessageIter *iter, const char *what, void *member,
                    struct vss_error *reterr);
        int (*append)(DBusMessageIter *iter, const void *member);
        bool (*is_absent)(const void *member);
        void (*clear)(void *member);
};

const struct wire_kind *wire_kind(enum wire_type type);
