/* Numbers as people read them: pure functions into small buffers. */

#include "cli/output-text.h"

#include "common/time-util.h"
#include "common/util.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

char *text_size(uint64_t bytes, char buf[static TEXT_SHORT_MAX]) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double value = (double)bytes;
        size_t unit = 0;

        /* 1023.96 would be printed as "1024.0". */
        while (value >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
                value /= 1024;
                unit++;
        }

        if (unit == 0)
                snprintf(buf, TEXT_SHORT_MAX, "%" PRIu64 " B", bytes);
        else
                snprintf(buf, TEXT_SHORT_MAX, "%.1f %s", value, units[unit]);
        return buf;
}

char *text_relative_time(int64_t then_sec, int64_t now_sec, char buf[static TEXT_SHORT_MAX]) {
        static const struct {
                uint64_t seconds;
                const char *name;
        } units[] = {
                { 365 * 86400, "y" }, { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" },
        };
        uint64_t distance = then_sec < now_sec ? (uint64_t)now_sec - (uint64_t)then_sec
                                               : (uint64_t)then_sec - (uint64_t)now_sec;

        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                if (distance < units[i].seconds)
                        continue;
                snprintf(buf, TEXT_SHORT_MAX,
                         then_sec < now_sec ? "%" PRIu64 " %s ago" : "in %" PRIu64 " %s",
                         distance / units[i].seconds, units[i].name);
                return buf;
        }
        snprintf(buf, TEXT_SHORT_MAX, "just now");
        return buf;
}

char *text_duration(uint64_t usec, char buf[static TEXT_SHORT_MAX]) {
        if (usec < 10 * USEC_PER_MSEC)
                snprintf(buf, TEXT_SHORT_MAX, "%.1f ms", (double)usec / (double)USEC_PER_MSEC);
        else if (usec < USEC_PER_SEC)
                snprintf(buf, TEXT_SHORT_MAX, "%" PRIu64 " ms", usec / USEC_PER_MSEC);
        else if (usec < 60 * USEC_PER_SEC)
                snprintf(buf, TEXT_SHORT_MAX, "%.1f s", (double)usec / (double)USEC_PER_SEC);
        else
                snprintf(buf, TEXT_SHORT_MAX, "%" PRIu64 " min %" PRIu64 " s",
                         usec / (60 * USEC_PER_SEC), usec / USEC_PER_SEC % 60);
        return buf;
}

char *text_rfc3339(int64_t unix_sec, char buf[static TEXT_SHORT_MAX]) {
        time_t t = (time_t)unix_sec;
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(buf, TEXT_SHORT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                buf[0] = '\0';
        return buf;
}
