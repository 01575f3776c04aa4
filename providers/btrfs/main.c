/* vss-btrfs-provider: makes shadow copies of btrfs subvolumes for vssd. An example for authors of
 * providers, too: what it needs of libdbus is in btrfs-service.c, and of vssd's interfaces what
 * org.vssd.Vss1.SnapshotProvider.xml says. */

#include "common/wire-error.h"
#include "common/wire.h"
#include "providers/btrfs/btrfs-service.h"

#include <getopt.h>
#include <stdio.h>

#define SERVICE "org.vssd.Vss1"
#define SERVICE_PATH "/org/vssd/Vss1"
#define MANAGER SERVICE ".Manager"
#define CALL_TIMEOUT_MS 60000

#define PROVIDER_ID "9b1f6d0a-6a57-4a0e-9a0e-5f0f3c1c7b21"
/* Another one with each version. */
#define VERSION_ID "0c5a7a52-1a6e-4c86-8c52-8f3e2f1d9a02"

struct registration {
        char *display_name;
};
static const struct wire_field registration_fields[] = {
        WIRE_FIELD(struct registration, display_name, "display_name", WIRE_TEXT),
};
static const struct wire_table registration_table = WIRE_TABLE(registration_fields);

static const char help[] =
        "Usage: vss-btrfs-provider [OPTION]\n"
        "Makes shadow copies of btrfs subvolumes for vssd, which starts it when it is "
        "registered.\n\n"
        "  --register         make it known to vssd, for good\n"
        "  --unregister       and take it back; its copies have to be deleted before\n"
        "  --address ADDRESS  use this bus instead of the system bus\n"
        "  --version          show the version\n"
        "  --help             show this\n";

static DBusConnection *connect_bus(const char *address) {
        DBusError error = DBUS_ERROR_INIT;
        DBusConnection *c;

        c = address ? dbus_connection_open_private(address, &error)
                    : dbus_bus_get_private(DBUS_BUS_SYSTEM, &error);
        if (c && address && !dbus_bus_register(c, &error)) {
                dbus_connection_close(c);
                dbus_connection_unref(c);
                c = NULL;
        }
        if (!c)
                fprintf(stderr, "vss-btrfs-provider: no connection to the bus: %s\n",
                        error.message);
        else
                dbus_connection_set_exit_on_disconnect(c, FALSE);
        dbus_error_free(&error);
        return c;
}

/* Takes m over. */
static int call(DBusConnection *c, DBusMessage *m) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };
        DBusError failure = DBUS_ERROR_INIT;
        DBusMessage *reply;

        reply = dbus_connection_send_with_reply_and_block(c, m, CALL_TIMEOUT_MS, &failure);
        dbus_message_unref(m);
        if (reply) {
                dbus_message_unref(reply);
                return EXIT_SUCCESS;
        }
        (void)wire_error_from_dbus(&failure, &error);
        fprintf(stderr, "vss-btrfs-provider: %s\n", str_or_empty(error.message));
        dbus_error_free(&failure);
        return EXIT_FAILURE;
}

static int out_of_memory(void) {
        fputs("vss-btrfs-provider: out of memory\n", stderr);
        return EXIT_FAILURE;
}

static int register_with_service(DBusConnection *c) {
        const struct registration options = {
                .display_name = (char *)(uintptr_t) "Snapshots of btrfs subvolumes"
        };
        DBusMessage *m =
                dbus_message_new_method_call(SERVICE, SERVICE_PATH, MANAGER, "RegisterProvider");
        const char *id = PROVIDER_ID, *name = "btrfs", *version = VSSD_VERSION,
                   *version_id = VERSION_ID, *bus_name = BTRFS_BUS_NAME, *path = BTRFS_BUS_PATH;
        dbus_uint32_t type = VSS_PROV_SOFTWARE;
        DBusMessageIter iter;

        if (!m ||
            !dbus_message_append_args(m, DBUS_TYPE_STRING, &id, DBUS_TYPE_STRING, &name,
                                      DBUS_TYPE_UINT32, &type, DBUS_TYPE_STRING, &version,
                                      DBUS_TYPE_STRING, &version_id, DBUS_TYPE_STRING, &bus_name,
                                      DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID))
                return out_of_memory();
        dbus_message_iter_init_append(m, &iter);
        if (wire_append_dict(&iter, &registration_table, &options) < 0)
                return out_of_memory();
        return call(c, m);
}

static int unregister_with_service(DBusConnection *c) {
        DBusMessage *m =
                dbus_message_new_method_call(SERVICE, SERVICE_PATH, MANAGER, "UnregisterProvider");
        const char *id = PROVIDER_ID;

        if (!m || !dbus_message_append_args(m, DBUS_TYPE_STRING, &id, DBUS_TYPE_INVALID))
                return out_of_memory();
        return call(c, m);
}

static int serve(DBusConnection *c) {
        _cleanup_(vss_error_done) struct vss_error error = { 0 };

        if (btrfs_service_run(c, &error) >= 0)
                return EXIT_SUCCESS;
        fprintf(stderr, "vss-btrfs-provider: %s\n", str_or_empty(error.message));
        return EXIT_FAILURE;
}

int main(int argc, char **argv) {
        enum {
                OPTION_ADDRESS = 256,
                OPTION_REGISTER,
                OPTION_UNREGISTER,
                OPTION_VERSION,
                OPTION_HELP
        };
        static const struct option options[] = {
                { "address", required_argument, NULL, OPTION_ADDRESS },
                { "register", no_argument, NULL, OPTION_REGISTER },
                { "unregister", no_argument, NULL, OPTION_UNREGISTER },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "help", no_argument, NULL, OPTION_HELP },
                { NULL, 0, NULL, 0 },
        };
        int (*work)(DBusConnection * c) = serve;
        const char *address = NULL;
        DBusConnection *c;
        int option, status;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case OPTION_ADDRESS: address = optarg; break;
                case OPTION_REGISTER: work = register_with_service; break;
                case OPTION_UNREGISTER: work = unregister_with_service; break;
                case OPTION_VERSION: puts("vss-btrfs-provider " VSSD_VERSION); return EXIT_SUCCESS;
                case OPTION_HELP: fputs(help, stdout); return EXIT_SUCCESS;
                default: return EXIT_FAILURE; /* getopt said what is wrong */
                }
        if (optind < argc) {
                fprintf(stderr,
                        "vss-btrfs-provider: there is no argument \"%s\"; see vss-btrfs-provider "
                        "--help\n",
                        argv[optind]);
                return EXIT_FAILURE;
        }
        c = connect_bus(address);
        if (!c)
                return EXIT_FAILURE;
        status = work(c);
        dbus_connection_close(c);
        dbus_connection_unref(c);
        return status;
}
