/* A short array, oldest first. */

#include "writers/hook/hook-session.h"

static bool id_equal(VSS_ID a, VSS_ID b) {
        return memcmp(&a, &b, sizeof(a)) == 0;
}

struct hook_session *hook_sessions_find(struct hook_sessions *s, VSS_ID id) {
        for (size_t i = 0; i < s->n; i++)
                if (id_equal(s->items[i].id, id))
                        return &s->items[i];
        return NULL;
}

static void drop(struct hook_sessions *s, size_t i) {
        s->n--;
        memmove(&s->items[i], &s->items[i + 1], (s->n - i) * sizeof(s->items[0]));
}

/* Whom to forget: SIZE_MAX: nobody. */
static size_t find_victim(const struct hook_sessions *s) {
        size_t victim = SIZE_MAX;

        for (size_t i = 0; i < s->n; i++) {
                if (s->items[i].frozen)
                        continue;
                if (!s->items[i].undo)
                        return i;
                if (victim == SIZE_MAX)
                        victim = i;
        }
        return victim;
}

struct hook_session *hook_sessions_open(struct hook_sessions *s, VSS_ID id) {
        struct hook_session *known = hook_sessions_find(s, id);

        if (known)
                return known;
        if (s->n == HOOK_SESSIONS_MAX) {
                size_t victim = find_victim(s);

                if (victim == SIZE_MAX)
                        return NULL;
                drop(s, victim);
        }
        s->items[s->n] = (struct hook_session){ .id = id };
        return &s->items[s->n++];
}

void hook_sessions_close(struct hook_sessions *s, VSS_ID id) {
        for (size_t i = 0; i < s->n; i++)
                if (id_equal(s->items[i].id, id)) {
                        drop(s, i);
                        return;
                }
}
