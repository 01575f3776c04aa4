#pragma once

/* One `lvm` process that takes commands on its standard input. The start of lvm costs more than
 * most commands, so everything that concerns a set goes through one of these. No shell is
 * involved; the environment is fixed; lines are split by lvm itself.
 *
 * lvm's own shell tells no exit status per command. What was done is known by what lvm said it has
 * done (in English, always), or by a report; when that is not as it should be, lvm_complaint() has
 * lvm's words. */

#include "common/vss-error.h"

struct lvm;

/* The program; a test puts its own in its place. NULL: /usr/sbin/lvm or /sbin/lvm. */
extern const char *lvm_program;

/* Locks of our own, below LVM's: every lvm holds one while it runs, and it takes its own of the
 * groups there where it must not ask for those that we hold. A test has another. */
extern const char *lvm_lock_directory;
/* When a daemon dies, its lvm finishes what it was told; its successor must not work on the same
 * groups meanwhile. Waits until there is no such lvm of an earlier run. */
int lvm_await_orphans(uint64_t timeout_usec, struct vss_error *reterr);

int lvm_open(struct lvm **ret, struct vss_error *reterr);
/* Ends the process: it finishes what it was told and goes. */
struct lvm *lvm_close(struct lvm *l);
DEFINE_CLEANUP(struct lvm, lvm_close);

/* Runs the commands in order and waits for the last. *ret_report is what their reports printed,
 * one row a line (NULL: not wanted). An error means that lvm itself failed: it died, or did not
 * answer in minutes; it is dead then. */
int lvm_run(struct lvm *l, char *const *commands, char **ret_report, struct vss_error *reterr);
/* How many lines of the last lvm_run()'s messages have the words. */
size_t lvm_said(const struct lvm *l, const char *words);
/* The first line of the last lvm_run() that was an error and no warning; "" if there was none. */
const char *lvm_complaint(const struct lvm *l);

/* LVM's own: 2.03.16 as 2003016. -EBADMSG: it does not say. */
int lvm_version(struct lvm *l, unsigned *ret, struct vss_error *reterr);

/* The fields of reports that this project asks for: rows of fields between '|'. */
#define LVM_REPORT_OPTIONS "--noheadings --separator | --units s --nosuffix"
struct lvm_row {
        char **fields;
        size_t n;
};
/* Takes apart a report whose rows have n fields each; -EBADMSG if a row has not. */
int lvm_report_parse(const char *report, size_t n_fields, struct lvm_row **ret, size_t *ret_n);
void lvm_rows_free(struct lvm_row *rows, size_t n);
struct lvm_report {
        struct lvm_row *rows;
        size_t n;
};
void lvm_report_done(struct lvm_report *r);
/* The report of one command, which is given as a format. */
int lvm_report_ask(struct lvm_report *ret, struct lvm *l, size_t n_fields, struct vss_error *reterr,
                   const char *format, ...) _printf_(5, 6);
/* Runs one command, which is given as a format. */
int lvm_tell(struct lvm *l, struct vss_error *reterr, const char *format, ...) _printf_(3, 4);
/* A whole non-negative number; -EBADMSG. */
int lvm_number(const char *field, uint64_t *ret);
