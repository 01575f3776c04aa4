#pragma once

/* Opens a directory without following a link anywhere below a root that is trusted. */

/* root: "" for "/". inside: "" or "/...". The descriptor, for reading; -ELOOP: inside has a
 * symbolic link in it; other negative errno. */
int open_beneath(const char *root, const char *inside);
/* A directory in an open one. As open_beneath. */
int open_directory_at(int directory, const char *name);
