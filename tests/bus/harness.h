#pragma once

/* A private bus and the daemon on it with fake storage, both children of the test, in a directory
 * of their own. They die with the test, whatever becomes of it.
 *
 * A client is a connection with blocking calls; signals that came meanwhile are kept. Everything
 * here fails the test (Check) when it fails itself. */

#include "common/util.h"

#include <check.h>
#include <dbus/dbus.h>
#include <sys/types.h>

#define ROOT "/org/vssd/Vss1"
#define SERVICE "org.vssd.Vss1"
#define MANAGER SERVICE ".Manager"
#define SESSION SERVICE ".BackupComponents"
#define ASYNC SERVICE ".Async"
#define SNAPSHOT SERVICE ".Snapshot"
#define SNAPSHOT_SET SERVICE ".SnapshotSet"
#define WRITER SERVICE ".Writer"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define ERROR(name) SERVICE ".Error." name

struct harness {
        char directory[64], address[96];
        pid_t bus, vssd;
};

/* config: the text of a vssd.conf; NULL: none. The bus has the configuration that we install, .. */
void harness_start(struct harness *h, const char *config);
/* .. and then these, as an administrator's. */
void harness_start_limited(struct harness *h, const char *config, const char *limits);
/* Those of a dbus-daemon that is told none. */
#define STOCK_CONNECTIONS                                      \
        "<limit name=\"max_connections_per_user\">256</limit>" \
        "<limit name=\"max_completed_connections\">2048</limit>"
#define STOCK_REPLIES "<limit name=\"max_replies_per_connection\">128</limit>"
/* SIGTERM, which must end the daemon with success within its time. */
void harness_stop(struct harness *h);
void harness_stop_daemon(struct harness *h);
/* As if the machine's power were cut. */
void harness_kill_daemon(struct harness *h);
/* On the state that it left. */
void harness_start_daemon(struct harness *h, const char *config);
/* Writes a knob of fake-storage.h; text NULL takes it away. */
void harness_knob(const struct harness *h, const char *name, const char *text);
/* What the storage was asked to do so far: lines, static. */
const char *harness_journal(const struct harness *h);
size_t harness_count(const struct harness *h, const char *step);
/* Waits for the n-th mention of a step. */
void harness_await(const struct harness *h, const char *step, size_t n);

#define SIGNALS_MAX 512

struct client {
        DBusConnection *connection;
        DBusMessage *signals[SIGNALS_MAX];
        size_t n_signals;
};

void client_open(struct client *c, const struct harness *h);
void client_close(struct client *c);

/* Appends "s", "o", "i", "u", "b", "v" (a document's text) or "as" (a NULL-terminated char *const
 * *) by signature; "a{sv}" and "a{ss}" take a NULL-terminated list of strings, key, value (in
 * a{sv}: string variants). */
DBusMessage *message_new(const char *path, const char *interface, const char *member,
                         const char *signature, ...);
/* The reply, an error or not. Takes m over. */
DBusMessage *client_send(struct client *c, DBusMessage *m);
/* The reply, which must not be an error. */
#define client_call(c, path, interface, member, ...)                                          \
        reply_good(client_send((c), message_new((path), (interface), (member), __VA_ARGS__)), \
                   (member))
/* The same for an answer that says nothing. */
#define client_do(...) dbus_message_unref(client_call(__VA_ARGS__))
/* The call must fail with that name; returns its sentence, static. */
#define client_fails(c, error, path, interface, member, ...)                                 \
        reply_bad(client_send((c), message_new((path), (interface), (member), __VA_ARGS__)), \
                  (member), (error))
DBusMessage *reply_good(DBusMessage *reply, const char *member);
const char *reply_bad(DBusMessage *reply, const char *member, const char *error);
/* Takes the reply apart, which has this signature ("s", "o", "i", "u", "b", "as"), and releases it;
 * strings are static and hold for a few calls. */
void reply_read(DBusMessage *reply, const char *signature, ...);
/* The value of a key of the dictionary that the reply begins with, or of row n of an array of them;
 * text: strings as they are, numbers in decimal. Static. NULL: no such row or key. */
const char *reply_dict(DBusMessage *reply, const char *key);
const char *reply_row(DBusMessage *reply, size_t n, const char *key);
size_t reply_rows(DBusMessage *reply);

/* A property as text. */
const char *client_property(struct client *c, const char *path, const char *interface,
                            const char *name);
/* Waits for a signal, those included that came already; NULL when it has not come in time. It is
 * taken out; the caller releases it. path NULL: any. */
DBusMessage *client_signal(struct client *c, const char *path, const char *interface,
                           const char *member);
/* Forgets the signals that came. */
void client_drain(struct client *c);

/* CreateBackupComponents: the path, static. */
const char *client_session(struct client *c);
/* Calls a method that answers with an async, waits for its Completed and returns its code; the
 * sentence, static, in *ret_message (NULL allowed). */
int32_t client_run(struct client *c, const char *session, const char *member,
                   const char **ret_message);
int32_t client_await(struct client *c, const char *async, const char **ret_message);
