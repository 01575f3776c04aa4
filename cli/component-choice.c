/* Words into choices. */

#include "cli/component-choice.h"

#include "cli/exit-status.h"
#include "cli/message.h"

#include <stdio.h>

static const char *const reasons[] = {
        [VSS_SR_CHOSEN] = "chosen",
        [VSS_SR_MANDATORY] = "mandatory",
        [VSS_SR_DEPENDENCY] = "dependency",
        [VSS_SR_SUBCOMPONENT] = "subcomponent",
};

const char *selection_reason_text(VSS_SELECTION_REASON reason) {
        return (size_t)reason < ARRAY_SIZE(reasons) && reasons[reason] ? reasons[reason]
                                                                       : "unknown";
}

const char *component_text(const char *writer, const char *logical_path, const char *name,
                           char buf[static COMPONENT_TEXT_MAX]) {
        (void)snprintf(buf, COMPONENT_TEXT_MAX, "%s:%s%s%s", writer, str_or_empty(logical_path),
                       str_empty(logical_path) ? "" : "\\", name);
        return buf;
}

const char *selected_component_text(const VSS_SELECTED_COMPONENT *c,
                                    char buf[static COMPONENT_TEXT_MAX]) {
        return component_text(c->writer_name, c->logical_path, c->name, buf);
}

/* A full name, parted at its last separator. */
static HRESULT choose_path(VssSelection *selection, VSS_ID instance, const char *path,
                           char separator) {
        _cleanup_(freep) char *text = strdup(path);
        char *name;

        if (!text)
                return E_OUTOFMEMORY;
        for (char *c = text; *c != '\0'; c++)
                if (*c == separator)
                        *c = '\\';
        name = strrchr(text, '\\');
        if (name)
                *name++ = '\0';
        return VssSelection_Choose(selection, instance, name ? text : NULL, name ? name : text);
}

/* path NULL: the whole writer. */
static HRESULT choose(VssSelection *selection, VSS_ID instance, const char *path) {
        HRESULT hr;

        if (!path)
                return VssSelection_Choose(selection, instance, NULL, NULL);
        path += *path == '\\' || *path == '/';
        hr = choose_path(selection, instance, path, '\\');
        if (hr == VSS_E_OBJECT_NOT_FOUND && strchr(path, '/'))
                hr = choose_path(selection, instance, path, '/');
        return hr;
}

/* Every writer of this name, for the whole; for a component the first that has it. */
static HRESULT choose_of(VssSelection *selection, const struct gathered_writers *writers,
                         const char *word, size_t n, const char *path, bool *ret_found) {
        HRESULT hr = VSS_E_OBJECT_NOT_FOUND;

        for (UINT i = 0; i < writers->n; i++) {
                if (!gathered_writer_is(&writers->list[i], word, n))
                        continue;
                *ret_found = true;
                hr = choose(selection, writers->list[i].instance_id, path);
                if (path ? hr != VSS_E_OBJECT_NOT_FOUND : FAILED(hr))
                        break;
        }
        return hr;
}

static int choose_word(VssSelection *selection, const struct gathered_writers *writers,
                       const char *word) {
        bool found = false;
        HRESULT hr;

        /* A writer's name may hold colons. */
        hr = choose_of(selection, writers, word, strlen(word), NULL, &found);
        for (const char *colon = word; !found && (colon = strchr(colon, ':')) != NULL; colon++)
                hr = choose_of(selection, writers, word, (size_t)(colon - word), colon + 1, &found);
        if (found)
                return FAILED(hr) ? message_hresult(hr, "%s", word) : EXIT_DONE;
        message(MESSAGE_ERROR,
                "%s: no writer has this name or id; 'vssctl writers' lists those that are "
                "registered (%s)",
                word, MESSAGE_CODE(VSS_E_OBJECT_NOT_FOUND));
        return EXIT_FAILED;
}

/* True: something of this machine is missing. */
static bool tell_missing(VssSelection *selection) {
        char needs[COMPONENT_TEXT_MAX], needed[COMPONENT_TEXT_MAX], id[VSS_ID_STRING_SIZE];
        const VSS_MISSING_COMPONENT *m;
        bool partial = false;

        for (UINT i = 0; (m = VssSelection_GetMissing(selection, i)) != NULL; i++) {
                selected_component_text(VssSelection_GetComponent(selection, m->because), needs);
                component_text(VssIdToString(m->writer_id, id), m->logical_path, m->name, needed);
                if (m->remote)
                        message(MESSAGE_NOTICE,
                                "'%s' depends on '%s' on another machine, which has to be backed "
                                "up there",
                                needs, needed);
                else
                        message(MESSAGE_WARNING,
                                "'%s' depends on '%s', which no writer has: it cannot be backed "
                                "up with it",
                                needs, needed);
                partial = partial || !m->remote;
        }
        return partial;
}

int component_choice_apply(VssSelection *selection, const struct gathered_writers *writers,
                           char *const *words) {
        HRESULT hr;

        STRV_FOREACH (word, words) {
                int r = choose_word(selection, writers, *word);

                if (r != EXIT_DONE)
                        return r;
        }
        hr = VssSelection_Complete(selection, NULL, NULL);
        if (FAILED(hr))
                return message_hresult(hr, NULL);
        return tell_missing(selection) ? EXIT_PARTIAL : EXIT_DONE;
}

void component_choice_tell(VssSelection *selection) {
        char text[COMPONENT_TEXT_MAX], because[COMPONENT_TEXT_MAX];
        const VSS_SELECTED_COMPONENT *c;

        for (UINT i = 0; (c = VssSelection_GetComponent(selection, i)) != NULL; i++) {
                selected_component_text(c, text);
                selected_component_text(VssSelection_GetComponent(selection, c->because), because);
                if (c->reason == VSS_SR_MANDATORY)
                        message(MESSAGE_NOTICE, "with '%s': its writer allows no backup without it",
                                text);
                else if (c->reason == VSS_SR_DEPENDENCY)
                        message(MESSAGE_NOTICE, "with '%s': '%s' depends on it", text, because);
                else if (c->reason == VSS_SR_SUBCOMPONENT)
                        message(MESSAGE_DETAIL, "with '%s': it is part of '%s'", text, because);
        }
}
