/* A header of 512 bytes per file, everything in blocks of that size. */

#include "cli/tar-archive.h"

#include <time.h>

#define BLOCK 512

/* What a header has room for. */
#define SIZE_MAX_OCTAL 077777777777ull

struct header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
        char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155];
        char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

/* With blanks where the sum itself stands. */
static unsigned checksum(const struct header *h) {
        struct header plain = *h;
        unsigned sum = 0;

        memset(plain.checksum, ' ', sizeof(plain.checksum));
        for (size_t i = 0; i < sizeof(plain); i++)
                sum += ((const unsigned char *)&plain)[i];
        return sum;
}

static size_t padding(uint64_t size) {
        return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

void tar_archive_add(FILE *f, const char *name, const char *text) {
        static const char zeroes[BLOCK];
        struct header h = { .type = '0', .magic = "ustar", .version = { '0', '0' } };
        unsigned long long size = strlen(text);

        (void)snprintf(h.name, sizeof(h.name), "%s", name);
        (void)snprintf(h.mode, sizeof(h.mode), "%07o", 0600u);
        (void)snprintf(h.uid, sizeof(h.uid), "%07o", 0u);
        (void)snprintf(h.gid, sizeof(h.gid), "%07o", 0u);
        (void)snprintf(h.size, sizeof(h.size), "%011llo", size & SIZE_MAX_OCTAL);
        (void)snprintf(h.mtime, sizeof(h.mtime), "%011llo",
                       (unsigned long long)time(NULL) & SIZE_MAX_OCTAL);
        (void)snprintf(h.checksum, sizeof(h.checksum) - 1, "%06o", checksum(&h));
        h.checksum[sizeof(h.checksum) - 1] = ' ';
        fwrite(&h, 1, sizeof(h), f);
        fwrite(text, 1, (size_t)size, f);
        fwrite(zeroes, 1, padding(size), f);
}

void tar_archive_end(FILE *f) {
        static const char end[2 * BLOCK];

        fwrite(end, 1, sizeof(end), f);
}

/* An octal number: blanks before it, a blank or NUL behind it, if it does not fill the field. */
static bool read_number(const char *field, size_t size, uint64_t *ret) {
        size_t i = 0, begin;
        uint64_t n = 0;

        while (i < size && field[i] == ' ')
                i++;
        for (begin = i; i < size && field[i] >= '0' && field[i] <= '7'; i++)
                n = n * 8 + (uint64_t)(field[i] - '0');
        *ret = n;
        return i > begin && (i == size || field[i] == ' ' || field[i] == '\0');
}

static bool is_empty(const struct header *h) {
        static const struct header empty;

        return memcmp(h, &empty, sizeof(empty)) == 0;
}

int tar_archive_next(FILE *f, char ret_name[static TAR_ARCHIVE_NAME_MAX], uint64_t *ret_size) {
        for (;;) {
                uint64_t sum, size;
                struct header h;
                size_t n, dots;
                int r;

                n = fread(&h, 1, sizeof(h), f);
                if (ferror(f))
                        return -EIO;
                if (n == 0 || (n == sizeof(h) && is_empty(&h)))
                        return 0;
                if (n < sizeof(h) || !read_number(h.checksum, sizeof(h.checksum), &sum) ||
                    sum != checksum(&h) || !read_number(h.size, sizeof(h.size), &size))
                        return -EBADMSG;
                if ((h.type == '0' || h.type == '\0') && h.prefix[0] == '\0') {
                        dots = strncmp(h.name, "./", 2) == 0 ? 2 : 0;
                        (void)snprintf(ret_name, TAR_ARCHIVE_NAME_MAX, "%.*s",
                                       (int)(sizeof(h.name) - dots), h.name + dots);
                        *ret_size = size;
                        return 1;
                }
                r = tar_archive_skip(f, size);
                if (r < 0)
                        return r;
        }
}

/* Reads on: it may be a pipe. */
static int discard(FILE *f, uint64_t size) {
        char buffer[8192];

        while (size > 0) {
                size_t n =
                        fread(buffer, 1, size < sizeof(buffer) ? (size_t)size : sizeof(buffer), f);

                if (n == 0)
                        return ferror(f) ? -EIO : -EBADMSG;
                size -= n;
        }
        return 0;
}

int tar_archive_skip(FILE *f, uint64_t size) {
        return discard(f, size + padding(size));
}

int tar_archive_read_text(FILE *f, uint64_t size, char **ret) {
        _cleanup_(freep) char *text = NULL;

        if (size >= SIZE_MAX)
                return -ENOMEM;
        text = malloc((size_t)size + 1);
        if (!text)
                return -ENOMEM;
        if (fread(text, 1, (size_t)size, f) != size)
                return ferror(f) ? -EIO : -EBADMSG;
        text[size] = '\0';
        if (strlen(text) != size)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

int tar_archive_read(FILE *f, uint64_t size, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = tar_archive_read_text(f, size, &text);
        if (r >= 0)
                r = discard(f, padding(size));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(text);
        return 0;
}
