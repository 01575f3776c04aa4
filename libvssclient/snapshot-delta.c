/* Which blocks differ between two copies, or between a copy and its volume. The answer is checked
 * here once, so that who walks through it needs not. */

#include "common/vss-id.h"
#include "libvssclient/argument.h"
#include "libvssclient/call.h"
#include "libvssclient/last-error.h"
#include <vss/vsmgmt.h>
#include <vss/vsslinux.h>

#define MANAGER_INTERFACE VSS_BUS_NAME ".Manager"
/* As much as the service makes of it. */
#define BITMAP_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void delta_freep(VSS_SNAPSHOT_DELTA **d) {
        VssFreeSnapshotDelta(*d);
}

static int refuse(const char *what, struct vss_error *reterr) {
        (void)vss_error_set(reterr, VSS_E_UNEXPECTED, 0, "%s", what);
        return reply_refuse(reterr);
}

/* By words: of a large volume most are 0. */
static ULONGLONG count_bits(const BYTE *bits, size_t size) {
        ULONGLONG n = 0;
        uint64_t word;

        for (; size >= sizeof(word); bits += sizeof(word), size -= sizeof(word)) {
                memcpy(&word, bits, sizeof(word));
                if (word != 0)
                        n += (unsigned)__builtin_popcountll(word);
        }
        for (; size > 0; bits++, size--)
                n += (unsigned)__builtin_popcount(*bits);
        return n;
}

static int read_bitmap(VSS_SNAPSHOT_DELTA *d, DBusMessageIter *iter, struct vss_error *reterr) {
        _cleanup_(document_unrefp) struct document *document = NULL;
        size_t size;
        const char *text;
        int r;

        if (d->block_size == 0 || d->volume_size == 0)
                return refuse("a volume without blocks", reterr);
        d->block_count = d->volume_size / d->block_size + (d->volume_size % d->block_size != 0);
        if (d->block_count > (uint64_t)BITMAP_BYTES_MAX * 8)
                return refuse("there are too many blocks", reterr);
        size = (size_t)(d->block_count / 8 + (d->block_count % 8 != 0));
        r = document_read(iter, "The bitmap", BITMAP_BYTES_MAX, &document, reterr);
        if (r < 0)
                return reply_refuse(reterr);
        if (!document || document_size(document) != size)
                return refuse("the bitmap does not fit the volume", reterr);
        text = document_text(document);
        d->bitmap = text ? malloc(size) : NULL;
        if (!d->bitmap)
                return vss_error_from_errno(reterr, -ENOMEM, "The bitmap");
        memcpy(d->bitmap, text, size);
        if (d->block_count % 8 != 0 && d->bitmap[size - 1] >> (d->block_count % 8) != 0)
                return refuse("the bitmap has bits behind the volume", reterr);
        d->changed_count = count_bits(d->bitmap, size);
        return 0;
}

static int read_delta(VSS_SNAPSHOT_DELTA *d, DBusMessage *reply, struct vss_error *reterr) {
        dbus_bool_t exact;
        DBusMessageIter iter;

        if (!dbus_message_has_signature(reply, "utbv"))
                return refuse("this is no map of blocks", reterr);
        (void)dbus_message_iter_init(reply, &iter); /* it has arguments */
        dbus_message_iter_get_basic(&iter, &d->block_size);
        (void)dbus_message_iter_next(&iter);
        dbus_message_iter_get_basic(&iter, &d->volume_size);
        (void)dbus_message_iter_next(&iter);
        dbus_message_iter_get_basic(&iter, &exact);
        (void)dbus_message_iter_next(&iter);
        d->exact = exact;
        return read_bitmap(d, &iter, reterr);
}

static int ask(DBusMessage **ret, VSS_ID older, VSS_ID younger, struct vss_error *reterr) {
        _cleanup_(connection_unrefp) struct connection *c = NULL;
        _cleanup_(message_unrefp) DBusMessage *call = NULL;
        const char *left = VSS_ID_TEXT(older);
        const char *right = vss_id_is_null(younger) ? "" : VSS_ID_TEXT(younger);
        int r;

        r = call_new(&call, VSS_BUS_PATH, MANAGER_INTERFACE, "QuerySnapshotDeltaBitmap", reterr,
                     DBUS_TYPE_STRING, &left, DBUS_TYPE_STRING, &right, DBUS_TYPE_INVALID);
        if (r >= 0)
                r = connection_open(&c, reterr);
        return r < 0 ? r : connection_call(c, call, CALL_TIMEOUT_SLOW_MSEC, ret, reterr);
}

HRESULT VssQuerySnapshotDelta(VSS_ID older, VSS_ID younger, VSS_SNAPSHOT_DELTA **delta) {
        _cleanup_(message_unrefp) DBusMessage *reply = NULL;
        _cleanup_(delta_freep) VSS_SNAPSHOT_DELTA *d = NULL;
        struct vss_error error = { 0 };

        if (!delta)
                return last_error_argument(__func__, "delta is NULL");
        *delta = NULL;
        d = calloc(1, sizeof(*d));
        if (!d) {
                (void)vss_error_from_errno(&error, -ENOMEM, __func__);
                return last_error_raise(&error);
        }
        if (ask(&reply, older, younger, &error) < 0 || read_delta(d, reply, &error) < 0)
                return last_error_raise(&error);
        *delta = TAKE_PTR(d);
        return S_OK;
}

void VssFreeSnapshotDelta(VSS_SNAPSHOT_DELTA *delta) {
        if (!delta)
                return;
        free(delta->bitmap);
        free(delta);
}

static bool is_set(const VSS_SNAPSHOT_DELTA *d, uint64_t block) {
        return (d->bitmap[block / 8] >> (block % 8)) & 1;
}

/* The first block from `block` on whose bit is that. */
static uint64_t find_bit(const VSS_SNAPSHOT_DELTA *d, uint64_t block, bool bit) {
        BYTE all_others = bit ? 0x00 : 0xff;

        while (block < d->block_count && is_set(d, block) != bit)
                if (block % 8 == 0 && d->bitmap[block / 8] == all_others)
                        block += 8;
                else
                        block++;
        return block < d->block_count ? block : d->block_count;
}

HRESULT VssNextDeltaRange(const VSS_SNAPSHOT_DELTA *delta, uint64_t from, uint64_t *offset,
                          uint64_t *length) {
        uint64_t first, end, end_offset;

        if (offset)
                *offset = 0;
        if (length)
                *length = 0;
        if (!delta || !offset || !length)
                return last_error_argument(__func__, "a pointer is NULL");
        if (from >= delta->volume_size)
                return S_FALSE;
        first = find_bit(delta, from / delta->block_size, true);
        if (first == delta->block_count)
                return S_FALSE;
        end = find_bit(delta, first, false);
        /* The last block may end behind the volume. */
        end_offset = end == delta->block_count ? delta->volume_size : end * delta->block_size;
        *offset = first * delta->block_size;
        if (*offset < from)
                *offset = from;
        *length = end_offset - *offset;
        return S_OK;
}

HRESULT IVssDifferentialSoftwareSnapshotMgmt3_QuerySnapshotDeltaBitmap(
        IVssDifferentialSoftwareSnapshotMgmt3 *mgmt, VSS_ID idSnapshotOlder,
        VSS_ID idSnapshotYounger, ULONG *pcBlockSizePerBit, ULONG *pcBitmapLength,
        BYTE **ppbBitmap) {
        _cleanup_(delta_freep) VSS_SNAPSHOT_DELTA *d = NULL;
        HRESULT hr;

        (void)mgmt; /* it is the copies' provider that answers */
        if (pcBlockSizePerBit)
                *pcBlockSizePerBit = 0;
        if (pcBitmapLength)
                *pcBitmapLength = 0;
        if (ppbBitmap)
                *ppbBitmap = NULL;
        if (!pcBlockSizePerBit || !pcBitmapLength || !ppbBitmap)
                return last_error_argument(__func__, "an output pointer is NULL");
        hr = VssQuerySnapshotDelta(idSnapshotOlder, idSnapshotYounger, &d);
        if (FAILED(hr))
                return hr;
        *pcBlockSizePerBit = d->block_size;
        *pcBitmapLength = (ULONG)d->block_count; /* BITMAP_BYTES_MAX keeps it that small */
        *ppbBitmap = TAKE_PTR(d->bitmap);
        return S_OK;
}
