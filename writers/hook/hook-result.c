/* What a command's end means: to the service, and in words. */

#include "writers/hook/hook-command.h"

#include "common/time-util.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <vss/vsserror.h>

#define LAST_LINE_MAX 512U
#define EXIT_TIMED_OUT 124 /* as timeout(1) has it */

void hook_result_done(struct hook_result *r) {
        free(r->errors);
        free(r->output);
        *r = (struct hook_result){ 0 };
}

char *hook_last_line(const char *text) {
        _cleanup_(freep) char *line = NULL;
        size_t end = strlen(text), begin, length;

        while (end > 0 && strchr(" \t\r\n", text[end - 1]))
                end--;
        if (end == 0)
                return NULL;
        begin = end;
        while (begin > 0 && text[begin - 1] != '\n')
                begin--;
        begin += strspn(text + begin, " \t\r");

        length = end - begin;
        if (length > LAST_LINE_MAX)
                length = LAST_LINE_MAX;
        line = strndup(text + begin, length);
        return line ? utf8_clean(line) : NULL;
}

HRESULT hook_result_failure(const struct hook_result *r) {
        static const struct {
                int status;
                HRESULT hr;
        } table[] = {
                { 0, S_OK },
                { EX_USAGE, S_OK }, /* 64: the script does not know this event */
                { EX_DATAERR, VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT }, /* 65 */
                { EX_OSERR, VSS_E_WRITERERROR_OUTOFRESOURCES },         /* 71 */
                { EX_IOERR, VSS_E_WRITERERROR_OUTOFRESOURCES },         /* 74 */
                { EX_TEMPFAIL, VSS_E_WRITERERROR_RETRYABLE },           /* 75 */
                { EXIT_TIMED_OUT, VSS_E_WRITERERROR_TIMEOUT },
        };

        if (r->timed_out)
                return VSS_E_WRITERERROR_TIMEOUT;
        if (r->stopped || !WIFEXITED(r->wait_status))
                return VSS_E_WRITERERROR_NONRETRYABLE;
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].status == WEXITSTATUS(r->wait_status))
                        return table[i].hr;
        return VSS_E_WRITERERROR_NONRETRYABLE;
}

char *hook_result_sentence(const struct hook_result *r, const struct hook_command *command) {
        _cleanup_(freep) char *line = NULL, *end = NULL;
        char *sentence;
        int q;

        line = hook_last_line(r->errors);
        if (!line)
                line = hook_last_line(r->output);

        if (r->timed_out)
                q = str_format(&end, "%s took longer than its %" PRIu64 " ms and was stopped",
                               command->argv[0], command->deadline_usec / USEC_PER_MSEC);
        else if (r->stopped)
                q = str_format(&end, "%s was stopped because the hook writer is to end",
                               command->argv[0]);
        else if (WIFSIGNALED(r->wait_status))
                q = str_format(&end, "%s was killed by signal %d", command->argv[0],
                               WTERMSIG(r->wait_status));
        else
                q = str_format(&end, "%s ended with exit status %d", command->argv[0],
                               WEXITSTATUS(r->wait_status));
        if (q < 0 || str_format(&sentence, "%s%s%s", end, line ? ": " : "", str_or_empty(line)) < 0)
                return NULL;
        return sentence;
}
