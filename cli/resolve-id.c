/* Looks through a list for what somebody typed; asks nobody. */

#include "cli/resolve-id.h"

#include "cli/exit-status.h"
#include "cli/message.h"
#include "cli/snapshot-output.h"

#include <strings.h>
#include <vss/vsserror.h>

struct search {
        const char *digits; /* what was typed, without braces */
        size_t length;
        struct resolved found;
        unsigned matches;
};

static void consider(struct search *s, VSS_ID id, VSS_OBJECT_TYPE type) {
        char text[VSS_ID_STRING_SIZE];

        if (strncasecmp(VssIdToString(id, text), s->digits, s->length) != 0)
                return;
        if (s->matches > 0 && s->found.type == type && memcmp(&s->found.id, &id, sizeof(id)) == 0)
                return; /* another copy of the same set */
        s->found = (struct resolved){ .id = id, .type = type };
        s->matches++;
}

static bool find_name(struct resolved *ret, const char *text, VSS_SNAPSHOT_INFO *const *snapshots) {
        const char *slash = strrchr(text, '/'), *name = slash ? slash + 1 : text;

        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++) {
                if (strcasecmp(snapshot_name(*s), name) != 0)
                        continue;
                *ret = (struct resolved){
                        .id = (*s)->properties.m_SnapshotId,
                        .type = VSS_OBJECT_SNAPSHOT,
                };
                return true;
        }
        return false;
}

enum resolve_result resolve_id(struct resolved *ret, const char *text,
                               VSS_SNAPSHOT_INFO *const *snapshots) {
        struct search search = { .digits = text, .length = strlen(text) };

        if (find_name(ret, text, snapshots))
                return RESOLVE_FOUND;

        if (text[0] == '{') {
                search.digits++;
                search.length--;
                if (search.length > 0 && search.digits[search.length - 1] == '}')
                        search.length--;
        }
        if (strspn(search.digits, "0123456789abcdefABCDEF-") < search.length)
                return RESOLVE_NOT_FOUND;
        if (search.length < RESOLVE_PREFIX_MIN)
                return RESOLVE_TOO_SHORT;

        for (VSS_SNAPSHOT_INFO *const *s = snapshots; *s; s++) {
                consider(&search, (*s)->properties.m_SnapshotId, VSS_OBJECT_SNAPSHOT);
                consider(&search, (*s)->properties.m_SnapshotSetId, VSS_OBJECT_SNAPSHOT_SET);
        }
        if (search.matches != 1)
                return search.matches == 0 ? RESOLVE_NOT_FOUND : RESOLVE_AMBIGUOUS;
        *ret = search.found;
        return RESOLVE_FOUND;
}

int resolve_id_or_say(struct resolved *ret, const char *text, VSS_SNAPSHOT_INFO *const *snapshots) {
        switch (resolve_id(ret, text, snapshots)) {
        case RESOLVE_FOUND: return EXIT_DONE;
        case RESOLVE_NOT_FOUND:
                message(MESSAGE_ERROR,
                        "no snapshot or set is called '%s'; 'vssctl list' shows what there is (%s)",
                        text, MESSAGE_CODE(VSS_E_OBJECT_NOT_FOUND));
                return EXIT_FAILED;
        case RESOLVE_AMBIGUOUS:
                message(MESSAGE_ERROR,
                        "more than one id begins with '%s'; give more of it, 'vssctl list "
                        "--verbose' shows ids in full",
                        text);
                return EXIT_USAGE;
        case RESOLVE_TOO_SHORT:
                message(MESSAGE_ERROR, "'%s' is too little of an id: at least %d digits", text,
                        RESOLVE_PREFIX_MIN);
                return EXIT_USAGE;
        }
        return EXIT_FAILED;
}
