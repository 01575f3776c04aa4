/* What vssctl export serves by: addresses and sockets, and nbdkit as a child; by a script that
 * looks at what it is given, and by the real one. */

#include "cli/nbd-listener.h"
#include "cli/nbd-server.h"

#include <check.h>
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static char top[] = "/tmp/test-nbd.XXXXXX";
static char at[128]; /* a socket */
static char *path_before;

static void setup(void) {
        ck_assert_ptr_nonnull(mkdtemp(top));
        (void)snprintf(at, sizeof(at), "%s/so cket", top);
        path_before = strdup(getenv("PATH"));
}

static void teardown(void) {
        char command[128];

        ck_assert_int_eq(setenv("PATH", path_before, 1), 0);
        free(path_before);
        (void)snprintf(command, sizeof(command), "rm -r '%s'", top);
        ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *name, const char *text) {
        char path[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(text, f), 0);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(chmod(path, 0700), 0);
}

/* Waits for it: the first bytes of a file. */
static void read_file(const char *name, char *text, size_t size) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        for (unsigned i = 0; i < 500; i++) {
                FILE *f = fopen(path, "re");

                if (f) {
                        text[fread(text, 1, size - 1, f)] = '\0';
                        (void)fclose(f); /* it was only read */
                        return;
                }
                (void)usleep(20000);
        }
        ck_abort_msg("there is no %s", path);
}

/* --- where --- */

static const struct {
        const char *address;
        bool tls;
        const char *uri; /* its beginning; NULL: it is none */
} addresses[] = {
        { "127.0.0.1:0", false, "nbd://127.0.0.1:" },
        { "127.0.0.1:0", true, "nbds://127.0.0.1:" },
        { ":0", false, "nbd://127.0.0.1:" },
        { "127.0.0.2:0", false, "nbd://127.0.0.2:" },
        { "0.0.0.0:0", false, "nbd://0.0.0.0:" },
        { "[127.0.0.1]:0", false, "nbd://127.0.0.1:" },
        { "localhost", false, NULL },
        { "example.com:0", false, NULL },
        { "127.0.0.1:", false, NULL },
        { "127.0.0.1:x", false, NULL },
        { "127.0.0.1:99999", false, NULL },
        { "127.0.0.1:-1", false, NULL },
        { "[::1", false, NULL },
        { "[::1]x", false, NULL },
        { "300.0.0.1:0", false, NULL },
};

START_TEST(an_address) {
        struct nbd_listener l = { .fd = -1 };
        const char *sentence;
        int r;

        r = nbd_listener_open(&l, NULL, addresses[_i].address, addresses[_i].tls, &sentence);
        if (!addresses[_i].uri) {
                ck_assert_int_eq(r, -EINVAL);
                ck_assert_ptr_nonnull(sentence);
                ck_assert_int_eq(l.fd, -1);
                return;
        }
        ck_assert_int_eq(r, 0);
        ck_assert_msg(strncmp(l.uri, addresses[_i].uri, strlen(addresses[_i].uri)) == 0, "%s",
                      l.uri);
        ck_assert_int_gt(atoi(strrchr(l.uri, ':') + 1), 0);
        nbd_listener_close(&l);
}
END_TEST

START_TEST(a_port_that_is_taken) {
        struct nbd_listener l = { .fd = -1 }, other = { .fd = -1 };
        const char *sentence;
        char address[64];

        ck_assert_int_eq(nbd_listener_open(&l, NULL, ":0", false, &sentence), 0);
        (void)snprintf(address, sizeof(address), "%s", strrchr(l.uri, ':'));
        ck_assert_int_eq(nbd_listener_open(&other, NULL, address, false, &sentence), -EADDRINUSE);
        ck_assert_ptr_null(sentence);
        nbd_listener_close(&l);
}
END_TEST

START_TEST(a_unix_socket) {
        struct nbd_listener l = { .fd = -1 }, other = { .fd = -1 };
        char expected[256], longer[256];
        const char *sentence;
        struct stat st;

        ck_assert_int_eq(nbd_listener_open(&l, at, NULL, false, &sentence), 0);
        ck_assert_int_eq(stat(at, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        (void)snprintf(expected, sizeof(expected), "nbd+unix:///?socket=%s/so%%20cket", top);
        ck_assert_str_eq(l.uri, expected);
        ck_assert_int_eq(nbd_listener_open(&other, at, NULL, false, &sentence), -EADDRINUSE);
        ck_assert_int_eq(access(at, F_OK), 0); /* it is not the other's to take away */
        nbd_listener_close(&l);
        ck_assert_int_lt(access(at, F_OK), 0);

        /* One that was killed has left it; what is no socket is somebody's. */
        ck_assert_int_eq(nbd_listener_open(&l, at, NULL, false, &sentence), 0);
        l.fd = safe_close(l.fd);
        ck_assert_int_eq(access(at, F_OK), 0);
        ck_assert_int_eq(nbd_listener_open(&other, at, NULL, false, &sentence), 0);
        nbd_listener_close(&l);
        nbd_listener_close(&other);
        write_file("so cket", "mine");
        ck_assert_int_eq(nbd_listener_open(&other, at, NULL, false, &sentence), -EADDRINUSE);
        ck_assert_int_eq(access(at, F_OK), 0);

        ck_assert_int_eq(nbd_listener_open(&other, "so", NULL, false, &sentence), -EINVAL);
        ck_assert_ptr_nonnull(sentence);
        memset(longer, 'x', sizeof(longer) - 1);
        longer[0] = '/';
        longer[sizeof(longer) - 1] = '\0';
        ck_assert_int_eq(nbd_listener_open(&other, longer, NULL, false, &sentence), -EINVAL);
}
END_TEST

START_TEST(a_directory) {
        char path[128], link[128];
        struct stat st;

        (void)snprintf(path, sizeof(path), "%s/directory", top);
        (void)snprintf(link, sizeof(link), "%s/link", top);
        ck_assert_int_eq(nbd_listener_make_directory(path), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 07777, 0700);
        ck_assert_int_eq(nbd_listener_make_directory(path), 0);
        ck_assert_int_eq(chmod(path, 0770), 0);
        ck_assert_int_eq(nbd_listener_make_directory(path), -EPERM);
        ck_assert_int_eq(chmod(path, 0700), 0);
        ck_assert_int_eq(symlink(path, link), 0);
        ck_assert_int_eq(nbd_listener_make_directory(link), -EPERM);
}
END_TEST

/* --- who --- */

static int open_data(void) {
        char path[128];
        int fd;

        write_file("data", "what there is to be read");
        (void)snprintf(path, sizeof(path), "%s/data", top);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

START_TEST(what_the_server_is_given) {
        struct nbd_listener l = { .fd = -1 };
        char path[512], text[512];
        const char *sentence;
        int status = 0, fd, leash;
        pid_t pid;

        /* ":" and all that follows: what it finds besides is not ours. */
        write_file(
                "nbdkit",
                "#!/bin/sh\n"
                "d=$(dirname \"$0\")\n"
                "{ echo \"$*\"; echo \"$LISTEN_FDS $((LISTEN_PID - $$)) ${LISTEN_FDNAMES-none}\"\n"
                "head -c 4 /dev/fd/4; echo; ls -l /proc/$$/fd | grep -c socket\n"
                "} >\"$d/new\" && mv \"$d/new\" \"$d/seen\"\n"
                "exec sleep 1000\n");
        (void)snprintf(path, sizeof(path), "%s:%s", top, path_before);
        ck_assert_int_eq(setenv("PATH", path, 1), 0);
        ck_assert_int_eq(setenv("LISTEN_FDNAMES", "old", 1), 0);
        ck_assert_int_eq(nbd_listener_open(&l, at, NULL, _i == 1, &sentence), 0);
        fd = open_data();
        ck_assert_int_eq(
                nbd_server_start(&pid, &leash, fd, l.fd, _i == 1 ? "/etc/certificates" : NULL), 0);
        read_file("seen", text, sizeof(text));
        ck_assert_str_eq(text,
                         _i == 1 ? "--foreground --readonly --tls=require "
                                   "--tls-certificates=/etc/certificates --tls-verify-peer file "
                                   "file=/dev/fd/4\n1 0 none\nwhat\n1\n"
                                 : "--foreground --readonly file file=/dev/fd/4\n1 0 none\n"
                                   "what\n1\n");
        ck_assert_int_eq(nbd_server_look(pid, &status), 1);
        nbd_server_stop(pid);
        close(leash);
        ck_assert_int_lt(kill(pid, 0), 0);
        nbd_listener_close(&l);
        close(fd);
}
END_TEST

START_TEST(a_server_that_ends) {
        struct nbd_listener l = { .fd = -1 };
        char path[512];
        const char *sentence;
        int status = 0, fd, leash;
        pid_t pid;

        write_file("nbdkit", "#!/bin/sh\nexit 3\n");
        (void)snprintf(path, sizeof(path), "%s:%s", top, path_before);
        ck_assert_int_eq(setenv("PATH", path, 1), 0);
        ck_assert_int_eq(nbd_listener_open(&l, at, NULL, false, &sentence), 0);
        fd = open_data();
        ck_assert_int_eq(nbd_server_start(&pid, &leash, fd, l.fd, NULL), 0);
        ck_assert_int_eq(nbd_server_await(pid, l.fd, &status), -ECHILD);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 3);
        ck_assert_int_eq(setenv("PATH", top, 1), 0);
        write_file("other", "");
        (void)snprintf(path, sizeof(path), "%s/nbdkit", top);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(nbd_server_start(&pid, &leash, fd, l.fd, NULL), -ENOENT);
        nbd_listener_close(&l);
        close(fd);
}
END_TEST

/* --- a client --- */

static int connect_client(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, at, strlen(at) + 1);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void tell(int fd, const void *bytes, size_t size) {
        ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void hear(int fd, void *bytes, size_t size) {
        ck_assert_int_eq(recv(fd, bytes, size, MSG_WAITALL), (ssize_t)size);
}

/* By the export's name, which is empty, without zeroes after the answer. */
static uint64_t agree(int fd) {
        static const char name[] = "\0\0\0\3"
                                   "IHAVEOPT"
                                   "\0\0\0\1\0\0\0\0";
        char greeting[18];
        struct {
                uint64_t size;
                uint16_t flags;
        } __attribute__((packed)) answer;

        hear(fd, greeting, sizeof(greeting));
        ck_assert_int_eq(memcmp(greeting, "NBDMAGICIHAVEOPT", 16), 0);
        tell(fd, name, sizeof(name) - 1);
        hear(fd, &answer, sizeof(answer));
        ck_assert(be16toh(answer.flags) & 2); /* read-only */
        return be64toh(answer.size);
}

enum { NBD_READ, NBD_WRITE };

/* What it answers; data: what is to be written, or what was read. */
static uint32_t ask(int fd, uint16_t command, uint64_t offset, char *data, uint32_t size) {
        const struct {
                uint32_t magic;
                uint16_t flags, command;
                uint64_t handle, offset;
                uint32_t size;
        } __attribute__((packed))
        request = { htobe32(0x25609513), 0, htobe16(command), 7, htobe64(offset), htobe32(size) };
        struct {
                uint32_t magic, error;
                uint64_t handle;
        } __attribute__((packed)) reply;

        tell(fd, &request, sizeof(request));
        if (command == NBD_WRITE)
                tell(fd, data, size);
        hear(fd, &reply, sizeof(reply));
        ck_assert_uint_eq(be32toh(reply.magic), 0x67446698);
        ck_assert_uint_eq(reply.handle, 7);
        if (command == NBD_READ && reply.error == 0)
                hear(fd, data, size);
        return be32toh(reply.error);
}

/* The real one serves whoever connects, also if that was before it was there; and nobody writes,
 * whatever they were told. */
START_TEST(nbdkit_serves) {
        struct nbd_listener l = { .fd = -1 };
        const char *sentence;
        char text[64] = "";
        int fd, client, other, status = 0, leash;
        uint64_t size;
        pid_t pid;

        ck_assert_int_eq(nbd_listener_open(&l, at, NULL, false, &sentence), 0);
        fd = open_data();
        client = connect_client();
        ck_assert_int_eq(nbd_server_start(&pid, &leash, fd, l.fd, NULL), 0);
        ck_assert_int_eq(nbd_server_await(pid, l.fd, &status), 0);
        size = agree(client);
        ck_assert_uint_eq(size, strlen("what there is to be read"));
        ck_assert_uint_eq(ask(client, NBD_READ, 0, text, (uint32_t)size), 0);
        ck_assert_str_eq(text, "what there is to be read");
        ck_assert_uint_eq(ask(client, NBD_WRITE, 0, text + 5, 5), EPERM);
        other = connect_client();
        ck_assert_uint_eq(agree(other), size);
        ck_assert_uint_eq(ask(other, NBD_READ, 0, text, (uint32_t)size), 0);
        ck_assert_str_eq(text, "what there is to be read");
        nbd_server_stop(pid); /* whoever is connected */
        close(leash);
        ck_assert_int_lt(kill(pid, 0), 0);
        close(client);
        close(other);
        nbd_listener_close(&l);
        close(fd);
}
END_TEST

/* Without a certificate it cannot serve, and whoever would be told of the URI is not. */
START_TEST(nbdkit_cannot_serve) {
        struct nbd_listener l = { .fd = -1 };
        const char *sentence;
        int fd, status = 0, leash;
        pid_t pid;

        ck_assert_int_eq(nbd_listener_open(&l, NULL, ":0", true, &sentence), 0);
        fd = open_data();
        ck_assert_int_eq(nbd_server_start(&pid, &leash, fd, l.fd, top), 0);
        ck_assert_int_eq(nbd_server_await(pid, l.fd, &status), -ECHILD);
        ck_assert(WIFEXITED(status));
        ck_assert_int_ne(WEXITSTATUS(status), 0);
        nbd_listener_close(&l);
        close(fd);
}
END_TEST

/* It goes with who has started it, killed or not, while a client is connected. */
START_TEST(it_goes_with_us) {
        struct nbd_listener l = { .fd = -1 };
        const char *sentence;
        int fd, client, pipes[2], status = 0, leash;
        char byte;
        pid_t starter, server, p;

        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
        ck_assert_int_eq(nbd_listener_open(&l, at, NULL, false, &sentence), 0);
        fd = open_data();
        starter = fork();
        if (starter == 0) {
                if (nbd_server_start(&server, &leash, fd, l.fd, NULL) < 0 ||
                    nbd_server_await(server, l.fd, &status) < 0 ||
                    write(pipes[1], &server, sizeof(server)) != sizeof(server))
                        _exit(1);
                for (;;)
                        pause();
        }
        ck_assert_int_eq(read(pipes[0], &server, sizeof(server)), sizeof(server));
        client = connect_client();
        (void)agree(client);
        ck_assert_int_eq(kill(starter, SIGKILL), 0);
        /* What was its is ours by now: the server, and whoever saw to it. */
        do
                p = waitpid(-1, &status, 0);
        while (p > 0 && p != server);
        ck_assert_int_eq(p, server);
        ck_assert_msg(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "status 0x%x", status);
        ck_assert_int_eq(recv(client, &byte, 1, 0), 0);
        close(client);
        nbd_listener_close(&l);
        close(fd);
        close(pipes[0]);
        close(pipes[1]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("nbd");
        TCase *tc = tcase_create("all");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_loop_test(tc, an_address, 0, ARRAY_SIZE(addresses));
        tcase_add_test(tc, a_port_that_is_taken);
        tcase_add_test(tc, a_unix_socket);
        tcase_add_test(tc, a_directory);
        tcase_add_loop_test(tc, what_the_server_is_given, 0, 2);
        tcase_add_test(tc, a_server_that_ends);
        tcase_add_test(tc, nbdkit_serves);
        tcase_add_test(tc, nbdkit_cannot_serve);
        tcase_add_test(tc, it_goes_with_us);
        suite_add_tcase(suite, tc);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
