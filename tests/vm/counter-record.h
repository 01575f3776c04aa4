#pragma once

/* The record that vss-counter writes and vss-verify reads: a counter as decimal text of one fixed
 * length, far smaller than a sector, so that one write puts down all of it or nothing. */

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTER_RECORD_SIZE 21 /* twenty digits and a newline */

static inline void counter_record_format(char record[static COUNTER_RECORD_SIZE], uint64_t value) {
        record[COUNTER_RECORD_SIZE - 1] = '\n';
        for (size_t i = COUNTER_RECORD_SIZE - 1; i-- > 0; value /= 10)
                record[i] = (char)('0' + (int)(value % 10));
}

/* 0, or -1 if the bytes are no record. */
static inline int counter_record_parse(uint64_t *ret, const char *record, size_t size) {
        uint64_t value = 0;

        if (size != COUNTER_RECORD_SIZE || record[COUNTER_RECORD_SIZE - 1] != '\n')
                return -1;
        for (size_t i = 0; i < COUNTER_RECORD_SIZE - 1; i++) {
                unsigned digit = (unsigned char)record[i] - (unsigned)'0';

                if (digit > 9 || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, digit, &value))
                        return -1;
        }
        *ret = value;
        return 0;
}
