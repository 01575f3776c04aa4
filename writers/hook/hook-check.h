#pragma once

/* vss-hook-writer --check: what would the service say of these files? */

/* files: argv-like, ends in NULL; empty: all in directory. Prints a line per file. Exit status. */
int hook_check(const char *directory, char *const *files);
