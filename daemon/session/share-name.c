/* See share-name.h. Stateless. */

#include "daemon/session/share-name.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

/* An address stands for no name until it is looked up backwards. */
static bool is_address(const char *host) {
        unsigned char address[sizeof(struct in6_addr)];

        return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int resolve(char **ret, const char *host) {
        const struct addrinfo hints = {
                .ai_socktype = SOCK_STREAM,
                .ai_flags = is_address(host) ? AI_NUMERICHOST : AI_CANONNAME,
        };
        char text[NI_MAXHOST];
        const char *name = NULL;
        struct addrinfo *found;
        int r = 0;

        *ret = NULL;
        if (getaddrinfo(host, NULL, &hints, &found) != 0)
                return 0;
        if (!is_address(host))
                name = found->ai_canonname;
        else if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), NULL, 0,
                             NI_NAMEREQD) == 0)
                name = text;
        if (name)
                r = str_replace(ret, name);
        freeaddrinfo(found);
        return r;
}

int (*share_resolve)(char **ret, const char *host) = resolve;

static bool is_share(const char *file_system) {
        static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3" };

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (streq(types[i], file_system))
                        return true;
        return false;
}

/* Where the host begins and ends in the source: after "//", before '/'; or before ":/", in brackets
 * if it is an address with colons. False: it is of no such form. */
static bool find_host(const char *source, size_t *ret_at, size_t *ret_length) {
        const char *end;
        size_t at = 0;

        if (source[0] == '/' && source[1] == '/') {
                at = 2;
                end = strchr(source + at, '/');
        } else if (source[0] == '[') {
                at = 1;
                end = strchr(source, ']');
        } else
                end = strstr(source, ":/");
        if (!end || end == source + at)
                return false;
        *ret_at = at;
        *ret_length = (size_t)(end - source) - at;
        return true;
}

/* The host as it is to be shown. */
static int name_host(char **ret, const char *host, bool full) {
        _cleanup_(freep) char *name = NULL;
        int r;

        if (full || is_address(host)) {
                r = share_resolve(&name, host);
                if (r < 0)
                        return r;
        }
        r = str_replace(ret, name ? name : host);
        if (r >= 0 && !full && !is_address(*ret))
                (*ret)[strcspn(*ret, ".")] = '\0';
        return r;
}

int share_name(char **ret, const char *file_system, const char *source, bool full) {
        _cleanup_(freep) char *host = NULL, *shown = NULL;
        const char *rest;
        size_t at, length;
        bool bracket;

        if (!is_share(file_system))
                return 0;
        if (!find_host(source, &at, &length))
                return str_replace(ret, source) < 0 ? -ENOMEM : 1;
        host = strndup(source + at, length);
        if (!host || name_host(&shown, host, full) < 0)
                return -ENOMEM;
        /* The brackets go with the address. */
        bracket = source[0] == '[';
        rest = source + at + length + (bracket ? 1 : 0);
        bracket = bracket && strchr(shown, ':');
        return str_format(ret, "%s%s%s%s%s", source[0] == '/' ? "//" : "", bracket ? "[" : "",
                          shown, bracket ? "]" : "", rest) < 0
                       ? -ENOMEM
                       : 1;
}
