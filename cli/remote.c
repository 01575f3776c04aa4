/* ssh as `systemctl -H` uses it. A host is checked letter by letter, words are quoted whole. */

#include "cli/remote.h"

#include "cli/exit-status.h"
#include "cli/message.h"

#include <ctype.h>
#include <stdio.h>

void remote_host_done(struct remote_host *h) {
        free(h->target);
        free(h->port);
        *h = (struct remote_host){ 0 };
}

/* Letters that a user or a host name can have; a leading '-' would make an option of it, for ssh
 * or for whatever its configuration hands the name to. */
static bool is_name(const char *s, size_t n, const char *more) {
        if (n == 0 || s[0] == '-')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)s[i]) && !strchr(more, s[i]))
                        return false;
        return true;
}

static bool is_port(const char *s) {
        size_t n = strspn(s, "0123456789");

        return n > 0 && n <= 5 && s[n] == '\0' && atoi(s) > 0 && atoi(s) <= 65535;
}

int remote_host_parse(struct remote_host *ret, const char *text) {
        _cleanup_(remote_host_done) struct remote_host h = { 0 };
        const char *at = strrchr(text, '@'), *host = at ? at + 1 : text, *port = NULL;
        size_t user_length = at ? (size_t)(at - text) : 0, host_length = strlen(host);
        int r;

        if (at && !is_name(text, user_length, "._-+@\\"))
                return -EINVAL;

        if (host[0] == '[') {
                const char *end = strchr(host, ']');

                if (!end || !is_name(host + 1, (size_t)(end - host) - 1, ".:%_-"))
                        return -EINVAL;
                if (end[1] == ':')
                        port = end + 2;
                else if (end[1] != '\0')
                        return -EINVAL;
                host_length = (size_t)(end - host) - 1;
                host++;
        } else {
                const char *colon = strchr(host, ':');

                /* Two colons: an IPv6 address without brackets, hence without a port. */
                if (colon && !strchr(colon + 1, ':')) {
                        port = colon + 1;
                        host_length = (size_t)(colon - host);
                }
                if (!is_name(host, host_length, ".:%_-"))
                        return -EINVAL;
        }
        if (port && !is_port(port))
                return -EINVAL;

        r = str_format(&h.target, "%.*s%s%.*s", (int)user_length, text, at ? "@" : "",
                       (int)host_length, host);
        if (r < 0)
                return r;
        if (port) {
                r = str_replace(&h.port, port);
                if (r < 0)
                        return r;
        }

        *ret = h;
        h = (struct remote_host){ 0 };
        return 0;
}

int remote_quote(char **ret, const char *const *words, size_t n) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 1, length = 0;

        for (size_t i = 0; i < n; i++)
                size += strlen(words[i]) * 4 + 3; /* each quote becomes '\'' */
        text = malloc(size);
        if (!text)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        text[length++] = ' ';
                text[length++] = '\'';
                for (const char *c = words[i]; *c != '\0'; c++) {
                        if (*c == '\'') {
                                memcpy(text + length, "'\\''", 4);
                                length += 4;
                        } else
                                text[length++] = *c;
                }
                text[length++] = '\'';
        }
        text[length] = '\0';

        *ret = TAKE_PTR(text);
        return 0;
}

int remote_command(char ***ret, const struct remote_host *host, char *const *words,
                   char *const *command) {
        _cleanup_(strv_freep) char **ssh = NULL;
        _cleanup_(freep) const char **all = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t n = 0;
        int r;

        all = calloc(strv_length(words) + strv_length(command) + 2, sizeof(*all));
        if (!all)
                return -ENOMEM;
        all[n++] = "vssctl";
        STRV_FOREACH (w, words)
                all[n++] = *w;
        if (command)
                all[n++] = "--";
        STRV_FOREACH (w, command)
                all[n++] = *w;

        r = remote_quote(&line, all, n);
        if (r < 0)
                return r;

        const char *const head[] = { "ssh",      "-xT", host->port ? "-p" : NULL,
                                     host->port, "--",  host->target,
                                     line };
        for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
                if (!head[i])
                        continue;
                r = strv_append(&ssh, head[i]);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(ssh);
        return 0;
}

int remote_execute(const char *text, char *const *words, char *const *command) {
        _cleanup_(remote_host_done) struct remote_host host = { 0 };
        _cleanup_(strv_freep) char **ssh = NULL;
        int r;

        r = remote_host_parse(&host, text);
        if (r == -EINVAL) {
                message(MESSAGE_ERROR,
                        "'%s' is no host: [USER@]HOST[:PORT] is wanted, an IPv6 address with a "
                        "port in brackets",
                        text);
                return EXIT_USAGE;
        }
        if (r >= 0)
                r = remote_command(&ssh, &host, words, command);
        if (r < 0)
                return message_out_of_memory();

        execvp(ssh[0], ssh);
        message(MESSAGE_ERROR, "cannot run ssh: %s", strerror(errno));
        return EXIT_FAILED;
}
