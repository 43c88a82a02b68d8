// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "config_change.h"

#include <string.h>
#include <sys/stat.h>

static struct config_stamp look(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		return (struct config_stamp){ 0 };
	return (struct config_stamp){ .dev = st.st_dev,
				      .ino = st.st_ino,
				      .size = (uint64_t)st.st_size,
				      .changed_s = st.st_mtim.tv_sec,
				      .changed_ns = st.st_mtim.tv_nsec };
}

static bool is_same(const struct config_stamp *a, const struct config_stamp *b)
{
	return !memcmp(a, b, sizeof(*a)); /* five words of 64 bits: no padding */
}

void config_change_applied(struct config_change *c, const char *path)
{
	c->applied = look(path);
	c->seen = c->applied;
}

bool config_change_due(struct config_change *c, const char *path)
{
	struct config_stamp was = c->seen;

	c->seen = look(path);
	if (!c->seen.ino || is_same(&c->seen, &c->applied) || !is_same(&c->seen, &was))
		return false;
	c->applied = c->seen;
	return true;
}
