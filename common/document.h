#pragma once

/* A document on its way: text that is not looked at, counted by reference. Up to 1 MiB it travels
 * in a message as a string, beyond (and what is no UTF-8 at all) as a sealed memfd, which is handed
 * on without being copied. The text is not trusted: whoever reads it, parses it. */

#include "common/vss-error.h"
#include <dbus/dbus.h>

#define DOCUMENT_INLINE_MAX (1024u * 1024u)
#define DOCUMENT_MAX (256u * 1024u * 1024u)

struct document;

/* Takes text (malloc'ed) over, on failure too: E_OUTOFMEMORY, E_INVALIDARG beyond DOCUMENT_MAX. */
int document_new(struct document **ret, char *text, size_t size, struct vss_error *reterr);
struct document *document_ref(struct document *d);
struct document *document_unref(struct document *d); /* NULL is allowed; returns NULL */
DEFINE_CLEANUP(struct document, document_unref);

size_t document_size(const struct document *d);
/* The bytes, followed by a 0; borrowed. A memfd is mapped at the first call: NULL without memory.
 */
const char *document_text(struct document *d);
/* Nobody looks at the text any more, for now: a mapping goes. */
void document_unmap(struct document *d);

/* If it is to go out as a memfd, it becomes one now: on whatever thread has it. 0 or -errno. */
int document_prepare(struct document *d);
/* As one variant, v: s, or h. NULL goes out as an empty string. 0, -ENOMEM, or why no memfd could
 * be made. */
int document_append(DBusMessageIter *iter, struct document *d);
/* An empty string comes in as NULL. what: names it in messages. An h must be a regular sealed memfd
 * (F_SEAL_WRITE, _SHRINK, _GROW) without holes, of at most max bytes: E_INVALIDARG. */
int document_read(DBusMessageIter *iter, const char *what, size_t max, struct document **ret,
                  struct vss_error *reterr);
