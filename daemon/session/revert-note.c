/* See revert-note.h. Pure, but for the intent. */

#include "daemon/session/revert-note.h"
#include "common/vss-id.h"

#include <inttypes.h>
#include <libmount/libmount.h>
#include <stdio.h>

/* The intent's provider: none has it. */
#define INTENT_OWNER "revert"
#define INTENT_KIND "revert"

#define WHEN_NOW "now"
#define WHEN_BOOT "boot"
#define WHEN_BOOT_WITH_STATE "boot-with-state"

void revert_note_done(struct revert_note *n) {
        free(n->boot);
        free(n->provider);
        free(n->origin_uuid);
        free(n->volume);
        free(n->device);
        free(n->data);
        strv_free(n->names);
        free(n->mounts);
        *n = (struct revert_note){ 0 };
}

static int append(char **text, const char *key, const char *value) {
        _cleanup_(freep) char *mangled = *value ? mnt_mangle(value) : strdup("");
        char *longer;

        if (!mangled || str_format(&longer, "%s%s %s\n", *text, key, mangled) < 0)
                return -ENOMEM;
        free(*text);
        *text = longer;
        return 0;
}

static const char *when(const struct revert_note *n) {
        if (!n->at_boot)
                return WHEN_NOW;
        return n->has_state ? WHEN_BOOT_WITH_STATE : WHEN_BOOT;
}

int revert_note_format(const struct revert_note *n, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = str_format(&text, "revert %s %" PRIu64 " %s %s\n", VSS_ID_TEXT(n->id), n->total,
                       n->boot, when(n));
        if (r >= 0)
                r = append(&text, "provider", n->provider);
        if (r >= 0)
                r = append(&text, "origin", str_or_empty(n->origin_uuid));
        if (r >= 0)
                r = append(&text, "volume", n->volume);
        if (r >= 0)
                r = append(&text, "device", str_or_empty(n->device));
        STRV_FOREACH (name, n->names)
                if (r >= 0)
                        r = append(&text, "name", *name);
        return r < 0 ? r
                     : str_format(ret, "%s%sdata %s", text, str_or_empty(n->mounts),
                                  str_or_empty(n->data));
}

static int parse_head(struct revert_note *n, const char *line) {
        char id[VSS_ID_TEXT_MAX], boot[64], word[sizeof(WHEN_BOOT_WITH_STATE)];
        int end = 0;

        if (sscanf(line, "revert %36s %" SCNu64 " %63s %15s%n", id, &n->total, boot, word, &end) !=
                    4 ||
            line[end] != '\0' || vss_id_parse(&n->id, id) < 0)
                return -EBADMSG;
        n->has_state = streq(word, WHEN_BOOT_WITH_STATE);
        n->at_boot = n->has_state || streq(word, WHEN_BOOT);
        if (!n->at_boot && !streq(word, WHEN_NOW))
                return -EBADMSG;
        return str_replace(&n->boot, boot);
}

static int take(char **field, const char *value) {
        if (*field)
                return -EBADMSG;
        *field = *value ? mnt_unmangle(value) : strdup(""); /* of nothing it makes NULL */
        return *field ? 0 : -ENOMEM;
}

static int take_name(struct revert_note *n, const char *value) {
        _cleanup_(freep) char *name = NULL;
        int r;

        r = take(&name, value);
        return r < 0 ? r : strv_append(&n->names, name);
}

/* As it stands: origin-mounts.h takes it apart. */
static int take_mount(struct revert_note *n, const char *line) {
        char *longer;

        if (str_format(&longer, "%s%s\n", str_or_empty(n->mounts), line) < 0)
                return -ENOMEM;
        free(n->mounts);
        n->mounts = longer;
        return 0;
}

static int parse_line(struct revert_note *n, const char *line) {
        const struct {
                const char *key;
                char **field;
        } fields[] = {
                { .key = "provider ", .field = &n->provider },
                { .key = "origin ", .field = &n->origin_uuid },
                { .key = "volume ", .field = &n->volume },
                { .key = "device ", .field = &n->device },
        };

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                if (strncmp(line, fields[i].key, strlen(fields[i].key)) == 0)
                        return take(fields[i].field, line + strlen(fields[i].key));
        if (strncmp(line, "name ", 5) == 0)
                return take_name(n, line + 5);
        return strncmp(line, "mount ", 6) == 0 ? take_mount(n, line) : -EBADMSG;
}

int revert_note_parse(struct revert_note *ret, const char *data) {
        _cleanup_(revert_note_done) struct revert_note n = { 0 };
        const char *at = str_or_empty(data);
        bool first = true;
        int r = 0;

        while (r >= 0 && strncmp(at, "data ", 5) != 0) {
                size_t length = strcspn(at, "\n");
                _cleanup_(freep) char *line = strndup(at, length);

                if (!line)
                        return -ENOMEM;
                if (at[length] == '\0')
                        return -EBADMSG; /* the data are missing */
                r = first ? parse_head(&n, line) : parse_line(&n, line);
                first = false;
                at += length + 1;
        }
        if (r >= 0 && (first || !n.provider || !n.origin_uuid || !n.volume || !n.device))
                r = -EBADMSG;
        if (r >= 0)
                r = str_replace(&n.data, at + 5);
        if (r >= 0 && !n.mounts)
                r = str_replace(&n.mounts, "");
        if (r < 0)
                return r;
        *ret = n;
        n = (struct revert_note){ 0 };
        return 0;
}

struct snapshot_record revert_note_record(const struct revert_note *n, VSS_ID set_id) {
        return (struct snapshot_record){
                .id = n->id,
                .set_id = set_id,
                .provider = n->provider,
                .provider_data = n->data,
                .origin_uuid = n->origin_uuid,
                .volume = n->volume,
                .device = str_empty(n->device) ? NULL : n->device,
        };
}

bool revert_has_intent(const struct intent_record *intent) {
        return streq(str_or_empty(intent->provider), INTENT_OWNER);
}

int revert_note_open(const struct revert_note *n, struct store *store, VSS_ID set_id, int64_t *ret,
                     struct vss_error *reterr) {
        _cleanup_(freep) char *data = NULL;
        struct intent_record intent = {
                .set_id = set_id,
                .provider = (char *)(uintptr_t)INTENT_OWNER,
                .kind = (char *)(uintptr_t)INTENT_KIND,
        };

        if (revert_note_format(n, &data) < 0)
                return vss_error_from_errno(reterr, -ENOMEM, "RevertToSnapshot");
        intent.data = data;
        return store_intent_open(store, &intent, ret, reterr);
}
