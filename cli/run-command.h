#pragma once

/* Runs the user's command beside a set that is held: same terminal, same stdin, stdout, stderr;
 * signals that are sent to vssctl reach it. */

/* argv[0] is looked up in PATH. 0 if it can be run; otherwise a negative errno. */
int run_command_check(const char *program);
/* environment: as for execve(). Returns 0 with *ret_wait_status as waitpid() has it and *ret_signal
 * the last signal that told us, or us and it, to stop (0: none); a negative errno if it could not
 * be started. */
int run_command(char *const *argv, char *const *environment, int *ret_wait_status, int *ret_signal);
