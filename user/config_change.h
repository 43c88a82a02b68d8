/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Is the configuration file another one than the one that holds? Asked once a tick, by stat(): it
 * follows links as reading will, so that a ConfigMap counts, whose file stays the same link while
 * the folder behind it is exchanged (..data); a watch by inotify would have to follow every link of
 * the path, and sees nothing of what other hosts write. */
#ifndef RECONMON_CONFIG_CHANGE_H
#define RECONMON_CONFIG_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

/* What tells one file from another, and from itself written again; zero: it is not there. */
struct config_stamp {
	uint64_t dev, ino, size;
	int64_t changed_s, changed_ns;
};

struct config_change {
	struct config_stamp applied, seen;
};

/* config_change_applied - the file as it is now is what holds. path may be NULL: there is none. */
void config_change_applied(struct config_change *c, const char *path);

/* config_change_due - is it time to read the file? True once for each change, when the file has
 * stayed the same from one call to the next (nobody is writing it any more). A file that is gone is
 * waited for. */
bool config_change_due(struct config_change *c, const char *path);

#endif
