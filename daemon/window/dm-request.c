/* A prepared ioctl: the command, its argument as it was filled, and the buffer that the kernel
 * reads and overwrites. Owned by whoever made it; the buffer is filled anew for each run, because
 * the kernel answers into it. */

#include "daemon/window/dm-request.h"
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

/* The oldest minor version will do: nothing here is newer, and a kernel accepts every minor up to
 * its own. */
#define INTERFACE_MINOR 0

#define MESSAGE_MAX 1024

/* Flags for udev are the upper half of a cookie whose lower half is the number of a semaphore to
 * be counted down; without one dmsetup's rules take the flags and notify nobody. */
#define UDEV_FLAGS_SHIFT 16

/* The longest status of a target that can be checked, with its head. */
#define STATUS_MAX 4096
#define WORD_MAX 256

struct dm_request {
        const char *verb;
        unsigned long command;
        size_t size;
        struct dm_ioctl *filled; /* as it was made */
        struct dm_ioctl *buffer; /* as the kernel left it */
        char word[WORD_MAX];     /* that must be in the status; "": none */
};

struct dm_request *dm_request_free(struct dm_request *r) {
        if (!r)
                return NULL;
        free(r->filled);
        free(r->buffer);
        free(r);
        return NULL;
}

/* The kernel's huge_encode_dev(): the form in which a device number crosses this interface. */
static uint64_t encode_device(dev_t device) {
        uint64_t major_number = major(device), minor_number = minor(device);

        return (minor_number & 0xff) | (major_number << 8) |
               ((minor_number & ~UINT64_C(0xff)) << 12);
}

static int request_new(struct dm_request **ret, const char *verb, unsigned long command,
                       dev_t device, uint32_t flags, size_t payload) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;

        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->verb = verb;
        r->command = command;
        r->size = sizeof(struct dm_ioctl) + payload;
        r->filled = calloc(1, r->size);
        r->buffer = calloc(1, r->size);
        if (!r->filled || !r->buffer)
                return -ENOMEM;

        r->filled->version[0] = DM_VERSION_MAJOR;
        r->filled->version[1] = INTERFACE_MINOR;
        r->filled->data_size = (uint32_t)r->size;
        r->filled->data_start = sizeof(struct dm_ioctl);
        r->filled->flags = flags;
        r->filled->dev = device ? encode_device(device) : 0;
        *ret = TAKE_PTR(r);
        return 0;
}

int dm_request_new_suspend(struct dm_request **ret, dev_t device) {
        return request_new(ret, "suspend", DM_DEV_SUSPEND, device, DM_SUSPEND_FLAG, 0);
}

int dm_request_new_resume(struct dm_request **ret, dev_t device) {
        return request_new(ret, "resume", DM_DEV_SUSPEND, device, 0, 0);
}

int dm_request_new_announce(struct dm_request **ret, dev_t device, uint16_t udev_flags) {
        int r = request_new(ret, "resume", DM_DEV_SUSPEND, device, 0, 0);

        if (r >= 0)
                (*ret)->filled->event_nr = (uint32_t)udev_flags << UDEV_FLAGS_SHIFT;
        return r;
}

int dm_request_new_clear(struct dm_request **ret, dev_t device) {
        return request_new(ret, "clear", DM_TABLE_CLEAR, device, 0, 0);
}

int dm_request_new_status(struct dm_request **ret, dev_t device) {
        return request_new(ret, "status", DM_DEV_STATUS, device, 0, 0);
}

int dm_request_new_check(struct dm_request **ret, dev_t device, const char *word) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;
        int k;

        if (strlen(word) >= WORD_MAX)
                return -ENAMETOOLONG;
        k = request_new(&r, "check", DM_TABLE_STATUS, device, DM_NOFLUSH_FLAG, STATUS_MAX);
        if (k < 0)
                return k;
        memcpy(r->word, word, strlen(word) + 1);
        *ret = TAKE_PTR(r);
        return 0;
}

int dm_request_new_message(struct dm_request **ret, dev_t device, uint64_t sector,
                           const char *message) {
        _cleanup_(dm_request_freep) struct dm_request *r = NULL;
        struct dm_target_msg *target;
        size_t length = strlen(message) + 1;
        int k;

        if (length > MESSAGE_MAX)
                return -ENAMETOOLONG;
        k = request_new(&r, "message", DM_TARGET_MSG, device, 0, sizeof(*target) + length);
        if (k < 0)
                return k;
        target = (void *)(r->filled + 1);
        target->sector = sector;
        memcpy(target->message, message, length);
        *ret = TAKE_PTR(r);
        return 0;
}

const char *dm_request_verb(const struct dm_request *r) {
        return r->verb;
}

/* Whether the first target's status has the word. It calls no function that allocates or locks. */
static bool status_has_word(const struct dm_request *r) {
        const struct dm_target_spec *target =
                (const void *)((const char *)r->buffer + r->buffer->data_start);
        const char *end = (const char *)r->buffer + r->size;
        const char *p = (const char *)(target + 1);
        size_t length = strlen(r->word);

        if (r->buffer->flags & DM_BUFFER_FULL_FLAG || r->buffer->target_count == 0)
                return false;
        while (p < end && *p) {
                const char *word = p;

                while (p < end && *p && *p != ' ')
                        p++;
                if ((size_t)(p - word) == length && memcmp(word, r->word, length) == 0)
                        return true;
                while (p < end && *p == ' ')
                        p++;
        }
        return false;
}

int dm_request_run(struct dm_request *r, const struct dm_kernel *kernel, int control_fd) {
        int k;

        do {
                memcpy(r->buffer, r->filled, r->size);
                /* A suspend that a signal interrupts has been undone by the kernel. */
                k = kernel->ioctl(control_fd, r->command, r->buffer);
        } while (k == -EINTR);
        if (k == 0 && r->word[0] != '\0' && !status_has_word(r))
                return -ESTALE;
        return k;
}

void dm_request_touch(struct dm_request *r) {
        memcpy(r->buffer, r->filled, r->size);
}

bool dm_request_saw_suspended(const struct dm_request *r) {
        return r->buffer->flags & DM_SUSPEND_FLAG;
}

bool dm_request_saw_live_table(const struct dm_request *r) {
        return r->buffer->flags & DM_ACTIVE_PRESENT_FLAG;
}

bool dm_request_saw_inactive_table(const struct dm_request *r) {
        return r->buffer->flags & DM_INACTIVE_PRESENT_FLAG;
}

const char *dm_request_saw_uuid(const struct dm_request *r) {
        return r->buffer->uuid;
}
