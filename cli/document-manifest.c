/* The elements and attributes are diskshadow's; Options is ours. */

#include "cli/document-manifest.h"

#include "cli/backup-type.h"
#include "common/utf8.h"

#include <stdio.h>

/* ` name="value"`, with what XML does not take as it is escaped; without control characters. */
static void attribute(FILE *f, const char *name, const char *value) {
        static const struct {
                char character;
                const char *escape;
        } escapes[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };
        _cleanup_(freep) char *clean = utf8_clean(str_or_empty(value));

        (void)fprintf(f, " %s=\"", name);
        for (const char *c = str_or_empty(clean); *c != '\0'; c++) {
                const char *escape = NULL;

                for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
                        if (escapes[i].character == *c)
                                escape = escapes[i].escape;
                if (escape)
                        (void)fputs(escape, f);
                else
                        (void)fputc(*c, f);
        }
        (void)fputc('"', f);
}

static void id_attribute(FILE *f, const char *name, VSS_ID id) {
        char text[VSS_ID_STRING_SIZE + 2] = "{";

        VssIdToString(id, text + 1);
        (void)strcat(text, "}");
        attribute(f, name, text);
}

#define ALIAS_MAX 32

/* VSS_SHADOW_1 for the first volume, and so on. */
static const char *alias(char buf[static ALIAS_MAX], size_t i) {
        (void)snprintf(buf, ALIAS_MAX, "VSS_SHADOW_%zu", i + 1);
        return buf;
}

static void copies(FILE *f, const struct backup_set *s) {
        const char *machine =
                s->n_copies > 0 ? s->copies[0]->properties.m_pwszOriginatingMachine : NULL;
        char name[ALIAS_MAX];

        (void)fputs("<ShadowCopySet", f);
        id_attribute(f, "GUID", s->id);
        attribute(f, "MachineName", machine);
        (void)fputs(">", f);
        for (size_t i = 0; i < s->n_copies; i++) {
                const VSS_SNAPSHOT_PROP *p = &s->copies[i]->properties;

                (void)fputs("<ShadowCopy", f);
                id_attribute(f, "GUID", p->m_SnapshotId);
                attribute(f, "Alias", alias(name, i));
                attribute(f, "OriginalVolume", p->m_pwszOriginalVolumeName);
                id_attribute(f, "Provider", p->m_ProviderId);
                (void)fputs("/>", f);
        }
        (void)fputs("</ShadowCopySet>", f);
}

static void aliases(FILE *f, const struct backup_set *s) {
        char name[ALIAS_MAX];

        (void)fputs("<Aliases><Alias Name=\"VSS_SHADOW_SET\"", f);
        id_attribute(f, "Value", s->id);
        (void)fputs("/>", f);
        for (size_t i = 0; i < s->n_copies; i++) {
                (void)fputs("<Alias", f);
                attribute(f, "Name", alias(name, i));
                id_attribute(f, "Value", s->copies[i]->properties.m_SnapshotId);
                (void)fputs("/>", f);
        }
        (void)fputs("</Aliases>", f);
}

static void writers(FILE *f, const struct backup_set *s) {
        (void)fprintf(f, "<Writers Count=\"%u\">", s->writers.n);
        for (UINT i = 0; i < s->writers.n; i++) {
                char file[32];

                (void)snprintf(file, sizeof(file), "WM%u.xml", i);
                (void)fputs("<Writer", f);
                attribute(f, "Name", s->writers.list[i].name);
                attribute(f, "MetadataFile", file);
                (void)fputs("/>", f);
        }
        (void)fputs("</Writers>", f);
}

char *document_manifest(const struct backup_set *s) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        bool failed;

        if (!f)
                return NULL;
        (void)fputs("<Manifest>", f);
        copies(f, s);
        (void)fputs("<BackupComponents File=\"BCDocument.xml\"/><Options", f);
        attribute(f, "Context", VssContextToString(s->context));
        attribute(f, "BackupType", backup_type_text(s->type));
        (void)fputs("/>", f);
        aliases(f, s);
        writers(f, s);
        (void)fputs("</Manifest>", f);
        /* What could not be written is memory that was not there. */
        failed = ferror(f) != 0;
        if (fclose(f) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}
