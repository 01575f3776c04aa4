/* VSS_ID and its text: fixed-width hexadecimal groups, nothing else accepted. */

#include "common/vss-id.h"
#include <stdio.h>
#include <sys/random.h>

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -EINVAL;
}

int vss_id_parse(VSS_ID *ret, const char *text) {
        static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        uint8_t bytes[16] = { 0 };
        size_t length, nibble = 0;

        if (str_empty(text)) {
                *ret = GUID_NULL;
                return 0;
        }
        length = strlen(text);
        if (text[0] == '{') {
                if (text[length - 1] != '}')
                        return -EINVAL;
                text++;
                length -= 2;
        }
        if (length != sizeof(shape) - 1)
                return -EINVAL;
        for (size_t i = 0; i < length; i++) {
                int digit;

                if (shape[i] == '-') {
                        if (text[i] != '-')
                                return -EINVAL;
                        continue;
                }
                digit = hex_digit(text[i]);
                if (digit < 0)
                        return -EINVAL;
                bytes[nibble / 2] = (uint8_t)(bytes[nibble / 2] << 4 | digit);
                nibble++;
        }
        *ret = (VSS_ID){
                .Data1 = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                         (uint32_t)bytes[2] << 8 | bytes[3],
                .Data2 = (uint16_t)(bytes[4] << 8 | bytes[5]),
                .Data3 = (uint16_t)(bytes[6] << 8 | bytes[7]),
        };
        memcpy(ret->Data4, bytes + 8, sizeof(ret->Data4));
        return 0;
}

char *vss_id_format(VSS_ID id, char buf[static VSS_ID_TEXT_MAX]) {
        (void)snprintf(buf, VSS_ID_TEXT_MAX, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                       id.Data1, id.Data2, id.Data3, id.Data4[0], id.Data4[1], id.Data4[2],
                       id.Data4[3], id.Data4[4], id.Data4[5], id.Data4[6], id.Data4[7]);
        return buf;
}

int vss_id_random(VSS_ID *ret) {
        VSS_ID id;
        ssize_t n;

        /* Up to 256 bytes come whole or not at all, and without GRND_NONBLOCK a kernel that is
         * still collecting at boot makes us wait, not fail. */
        n = getrandom(&id, sizeof(id), 0);
        if (n < 0)
                return -errno;
        if ((size_t)n != sizeof(id))
                return -EIO;
        id.Data3 = (uint16_t)((id.Data3 & 0x0fff) | 0x4000);  /* version 4: random */
        id.Data4[0] = (uint8_t)((id.Data4[0] & 0x3f) | 0x80); /* the variant of RFC 9562 */
        *ret = id;
        return 0;
}

bool vss_id_equal(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

bool vss_id_is_null(VSS_ID id) {
        return vss_id_equal(id, GUID_NULL);
}
