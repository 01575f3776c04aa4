/* See writer-transport.h. */

#include "daemon/bus/writer-transport.h"

#include "daemon/bus/bus-private.h"

static int transport_send(void *userdata, const struct writer_event *event, uint64_t timeout_usec,
                          writer_reply_fn reply, void *reply_userdata, struct writer_call **ret) {
        return writer_call_new(ret, userdata, event, timeout_usec, reply, reply_userdata);
}

static const struct writer_transport transport = {
        .send = transport_send,
        .cancel = writer_call_cancel,
};

int writer_peer_new(struct writer_peer **ret, struct bus_client *client,
                    const struct writer_identity *identity, const char *path,
                    struct vss_error *reterr) {
        struct writer_identity who = *identity;
        struct writer_peer *p;
        int r;

        if (client->n_writers >= BUS_CLIENT_WRITERS_MAX)
                return vss_error_set(reterr, E_OUTOFMEMORY, 0,
                                     "This connection already has %u writers; unregister one first",
                                     client->n_writers);
        p = calloc(1, sizeof(*p));
        if (!p)
                return vss_error_from_errno(reterr, -ENOMEM, "register a writer");
        p->bus = client->bus;
        p->client = client;
        p->path = strdup(path);
        who.uid = client->uid;
        who.pid = client->pid;
        r = p->path ? writer_registry_add(p->bus->options.writers, &p->writer, &who, &transport, p,
                                          reterr)
                    : vss_error_from_errno(reterr, -ENOMEM, "register a writer");
        if (r < 0) {
                free(p->path);
                free(p);
                return r;
        }

        p->pprev = &client->writers;
        p->next = client->writers;
        if (p->next)
                p->next->pprev = &p->next;
        client->writers = p;
        client->n_writers++;
        *ret = p;
        return 0;
}

struct writer_peer *writer_peer_free(struct writer_peer *p) {
        if (!p)
                return NULL;

        /* Its participants end the rounds that it is part of, and forget its calls. */
        p->leaving = true;
        writer_remove(p->writer);
        writer_peer_drop_calls(p);
        *p->pprev = p->next;
        if (p->next)
                p->next->pprev = p->pprev;
        p->client->n_writers--;
        free(p->path);
        free(p);
        return NULL;
}
