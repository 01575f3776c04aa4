/* See nbd-listener.h. Owned by the verb. */

#include "cli/nbd-listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 16
#define LOOPBACK "127.0.0.1"

void nbd_listener_close(struct nbd_listener *l) {
        if (l->fd >= 0 && l->path)
                (void)unlink(l->path); /* it is ours, or gone */
        l->fd = safe_close(l->fd);
        free(TAKE_PTR(l->path));
        free(TAKE_PTR(l->uri));
}

/* What a URI cannot hold as it is becomes %XX. */
static int escape(char **ret, const char *text) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "-._~/";
        char *to = *ret = malloc(3 * strlen(text) + 1);

        if (!to)
                return -ENOMEM;
        for (; *text; text++)
                if (strchr(plain, *text))
                        *to++ = *text;
                else
                        to += sprintf(to, "%%%02X", (unsigned)(unsigned char)*text);
        *to = '\0';
        return 0;
}

/* Of one that was killed, and nobody listens to. */
static bool is_stale(const struct sockaddr_un *address) {
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct stat st;

        return fd >= 0 && lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
               connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
               errno == ECONNREFUSED;
}

static int bind_unix(int fd, const struct sockaddr_un *address) {
        const mode_t before = umask(0177);
        int r;

        r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
        if (r == -EADDRINUSE && is_stale(address) && unlink(address->sun_path) >= 0)
                r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
        (void)umask(before); /* it has no way to fail */
        return r;
}

int nbd_listener_make_directory(const char *directory) {
        struct stat st;

        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
                return -errno;
        if (lstat(directory, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}

static int listen_unix(struct nbd_listener *l, const char *path, bool tls, const char **ret_error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(freep) char *escaped = NULL;
        int r;

        if (path[0] != '/' || strlen(path) >= sizeof(address.sun_path)) {
                *ret_error = path[0] != '/' ? "the path of a socket begins with '/'"
                                            : "the path of a socket has 107 characters at most";
                return -EINVAL;
        }
        memcpy(address.sun_path, path, strlen(path) + 1);
        l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (l->fd < 0)
                return -errno;
        r = bind_unix(l->fd, &address);
        if (r < 0)
                return r;
        if (str_replace(&l->path, path) < 0) {
                (void)unlink(path); /* as above */
                return -ENOMEM;
        }
        r = escape(&escaped, path);
        return r < 0 ? r : str_format(&l->uri, "nbd%s+unix:///?socket=%s", tls ? "s" : "", escaped);
}

/* "[::1]:10809", "10.0.0.1:10809", "10.0.0.1", ":10809", "::1". -EINVAL. */
static int split(const char *text, char **ret_host, char **ret_port) {
        const char *colon = strrchr(text, ':'), *host = text, *end;

        if (*text == '[') {
                host = text + 1;
                end = strchr(host, ']');
                if (!end || (end[1] != '\0' && end[1] != ':'))
                        return -EINVAL;
                colon = end[1] == ':' ? end + 1 : NULL;
        } else if (colon && strchr(text, ':') != colon) {
                colon = NULL; /* an IPv6 address alone */
                end = text + strlen(text);
        } else
                end = colon ? colon : text + strlen(text);
        if (colon && (colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0'))
                return -EINVAL;
        if (colon && (strlen(colon + 1) > 5 || atoi(colon + 1) > UINT16_MAX))
                return -EINVAL;
        *ret_host = end > host ? strndup(host, (size_t)(end - host)) : strdup(LOOPBACK);
        *ret_port = strdup(colon ? colon + 1 : NBD_PORT);
        return *ret_host && *ret_port ? 0 : -ENOMEM;
}

static int name_tcp(struct nbd_listener *l, bool tls) {
        struct sockaddr_storage bound = { 0 };
        socklen_t size = sizeof(bound);
        char host[NI_MAXHOST], port[NI_MAXSERV];
        const bool v6 = getsockname(l->fd, (struct sockaddr *)&bound, &size) == 0 &&
                        bound.ss_family == AF_INET6;

        if (getnameinfo((struct sockaddr *)&bound, size, host, sizeof(host), port, sizeof(port),
                        NI_NUMERICHOST | NI_NUMERICSERV) != 0)
                return -EIO;
        return str_format(&l->uri, "nbd%s://%s%s%s:%s", tls ? "s" : "", v6 ? "[" : "", host,
                          v6 ? "]" : "", port);
}

static int listen_tcp(struct nbd_listener *l, const char *text, bool tls, const char **ret_error) {
        /* Numbers alone: a name can have several addresses, and others tomorrow. */
        const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                        .ai_socktype = SOCK_STREAM,
                                        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
        _cleanup_(freep) char *host = NULL, *port = NULL;
        struct addrinfo *found = NULL;
        const int yes = 1;
        int r;

        r = split(text, &host, &port);
        if (r == -ENOMEM)
                return r;
        if (r < 0 || getaddrinfo(host, port, &hints, &found) != 0) {
                *ret_error = "an address is ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or :PORT, in "
                             "numbers";
                return -EINVAL;
        }
        l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
            bind(l->fd, found->ai_addr, found->ai_addrlen) < 0)
                r = -errno;
        freeaddrinfo(found);
        return r < 0 ? r : name_tcp(l, tls);
}

int nbd_listener_open(struct nbd_listener *ret, const char *path, const char *address, bool tls,
                      const char **ret_error) {
        _cleanup_(nbd_listener_close) struct nbd_listener l = { .fd = -1 };
        int r;

        *ret_error = NULL;
        r = path ? listen_unix(&l, path, tls, ret_error) : listen_tcp(&l, address, tls, ret_error);
        if (r >= 0 && listen(l.fd, BACKLOG) < 0)
                r = -errno;
        if (r < 0)
                return r;
        *ret = l;
        l = (struct nbd_listener){ .fd = -1 };
        return 0;
}
