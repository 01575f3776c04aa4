/* One call's round trip through the library, against org.freedesktop.DBus.Peer.Ping to the same
 * daemon over the same bus, which libdbus answers there by itself: nothing can be faster.
 *
 *      rtt-bench ADDRESS [ROUNDS]
 *
 * Rounds of both take turns, so that what else the machine does falls on both. The figure is the
 * ratio of the medians of all calls. Prints `name value unit` per line:
 * rtt_ratio, rtt_library_us, rtt_ping_us. */

#include <dbus/dbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <vss/vsslinux.h>

#define CALLS 200 /* of each kind in a round */

static void fail(const char *what, const char *why) {
        (void)fprintf(stderr, "rtt-bench: %s: %s\n", what, why);
        exit(1);
}

static DBusConnection *open_bus(const char *address) {
        DBusError error = DBUS_ERROR_INIT;
        DBusConnection *bus = dbus_connection_open_private(address, &error);

        if (bus)
                (void)dbus_bus_register(bus, &error);
        if (dbus_error_is_set(&error))
                fail(address, error.message);
        return bus;
}

static void ping(DBusConnection *bus) {
        DBusMessage *call, *reply;
        DBusError error = DBUS_ERROR_INIT;

        call = dbus_message_new_method_call("org.vssd.Vss1", "/org/vssd/Vss1", DBUS_INTERFACE_PEER,
                                            "Ping");
        reply = dbus_connection_send_with_reply_and_block(bus, call, -1, &error);
        if (!reply)
                fail("Ping", error.message);
        dbus_message_unref(call);
        dbus_message_unref(reply);
}

static void call_library(IVssBackupComponents *backup) {
        VSS_ID session;

        if (FAILED(IVssBackupComponentsEx3_GetSessionId(backup, &session)))
                fail("GetSessionId", VssLastErrorMessage());
}

static IVssBackupComponents *open_library(const char *address) {
        IVssBackupComponents *backup = NULL;

        if (FAILED(VssSetBusAddress(address)) || FAILED(CreateVssBackupComponents(&backup)))
                fail("CreateVssBackupComponents", VssLastErrorMessage());
        return backup;
}

static int compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

/* In microseconds. */
static double median(uint64_t *nsec, size_t n) {
        qsort(nsec, n, sizeof(*nsec), compare);
        return (double)nsec[n / 2] / 1000;
}

static uint64_t now_nsec(void) {
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static size_t read_rounds(int argc, char **argv) {
        char *end = NULL;
        unsigned long rounds = argc > 2 ? strtoul(argv[2], &end, 10) : 25;

        if (argc < 2 || argc > 3 || (end && *end) || rounds == 0 || rounds > 10000) {
                (void)fprintf(stderr, "usage: rtt-bench ADDRESS [ROUNDS]\n");
                exit(2);
        }
        return rounds;
}

int main(int argc, char **argv) {
        size_t n = read_rounds(argc, argv) * CALLS;
        IVssBackupComponents *backup = open_library(argv[1]);
        DBusConnection *bus = open_bus(argv[1]);
        uint64_t *library = calloc(n, sizeof(*library)), *pings = calloc(n, sizeof(*pings));
        double of_library, of_ping;

        if (!library || !pings)
                fail("memory", "not enough");
        ping(bus); /* both have been through everything that happens once */
        call_library(backup);
        for (size_t done = 0; done < n; done += CALLS) {
                for (size_t i = done; i < done + CALLS; i++) {
                        uint64_t begin = now_nsec();

                        ping(bus);
                        pings[i] = now_nsec() - begin;
                }
                for (size_t i = done; i < done + CALLS; i++) {
                        uint64_t begin = now_nsec();

                        call_library(backup);
                        library[i] = now_nsec() - begin;
                }
        }
        of_library = median(library, n);
        of_ping = median(pings, n);
        printf("rtt_ratio %.3f x\n", of_library / of_ping);
        printf("rtt_library_us %.1f us\n", of_library);
        printf("rtt_ping_us %.1f us\n", of_ping);
        IVssBackupComponents_Release(backup);
        dbus_connection_close(bus);
        dbus_connection_unref(bus);
        free(library);
        free(pings);
        return 0;
}
