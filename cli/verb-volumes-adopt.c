/* vssctl volumes adopt, vssctl volumes release: how a plain partition is mounted. */

#include "cli/message.h"
#include "cli/output-json.h"
#include "cli/verb.h"
#include "common/utf8.h"

#include <stdio.h>
#include <vss/vsslinux.h>

static const struct {
        const char *word;
        bool takes_name;
        HRESULT (*change)(LPCWSTR volume, const LPCWSTR *options, char ***notes);
} actions[] = {
        { .word = "adopt", .takes_name = true, .change = VssAdoptVolume },
        { .word = "release", .change = VssReleaseVolume },
};

static void free_strings(char ***strings) {
        VssFreeStrings(*strings);
}

static void print_json(const char *volume, char *const *notes) {
        struct json j;

        json_init(&j, stdout);
        json_object_begin(&j, NULL);
        json_string(&j, "volume", volume);
        json_array_begin(&j, "notes");
        STRV_FOREACH (note, notes)
                json_string(&j, NULL, *note);
        json_array_end(&j);
        json_object_end(&j);
        json_done(&j);
}

/* A mount point may have any bytes. */
static int print_text(char *const *notes) {
        STRV_FOREACH (note, notes) {
                _cleanup_(freep) char *clean = utf8_clean(*note);

                if (!clean)
                        return message_out_of_memory();
                puts(clean);
        }
        return EXIT_DONE;
}

static int change_volume(const struct cli *cli, size_t action, const char *volume) {
        _cleanup_(free_strings) char **notes = NULL;
        _cleanup_(strv_freep) char **options = NULL;
        _cleanup_(freep) char *name = NULL;
        HRESULT hr;
        int r = 0;

        if (cli->line.options.name && !actions[action].takes_name) {
                message(MESSAGE_ERROR, "'volumes %s' has no option '--name'; it goes with 'adopt'",
                        actions[action].word);
                return EXIT_USAGE;
        }
        if (cli->line.options.name) {
                r = str_format(&name, "name=%s", cli->line.options.name);
                if (r >= 0)
                        r = strv_append(&options, name);
        }
        if (r >= 0 && cli->line.options.no_initramfs)
                r = strv_append(&options, "initramfs=no");
        if (r < 0)
                return message_out_of_memory();
        hr = actions[action].change(volume, (const LPCWSTR *)options, &notes);
        if (FAILED(hr))
                return message_hresult(hr, "%s", volume);
        if (cli->line.options.json)
                print_json(volume, notes);
        else if (!cli->line.options.quiet)
                return print_text(notes);
        return EXIT_DONE;
}

int verb_volumes_change(const struct cli *cli) {
        char *const *words = cli->line.arguments;

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
                if (streq(words[0], actions[i].word) && strv_length(words) == 2)
                        return change_volume(cli, i, words[1]);
        message(MESSAGE_ERROR, "usage: vssctl volumes [adopt VOLUME | release VOLUME]");
        return EXIT_USAGE;
}
