// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output_spool.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum {
	READABLE_MAX = 80, /* of the destination, for people */
};

/* name_make - "hec-siem.example-8088-ecs-1f0c6a52": what may stand in a file name, and a checksum
 * of all that tells two outputs apart. */
static void name_make(const struct output_config *oc, char *buf, size_t size)
{
	const char *format = output_format_name(oc->format);
	char name[OUTPUT_NAME_MAX], readable[READABLE_MAX + 1];
	uLong crc;
	size_t n = 0;

	output_config_name(oc, name);
	crc = crc32(0, (const Bytef *)name, (uInt)strlen(name));
	crc = crc32(crc, (const Bytef *)oc->index, (uInt)strlen(oc->index));
	for (const char *p = name; *p && n < READABLE_MAX; p++) {
		bool plain = isalnum((unsigned char)*p) || *p == '.' || *p == '_';

		if (plain || (n && readable[n - 1] != '-'))
			readable[n++] = plain ? *p : '-';
	}
	readable[n] = '\0';
	snprintf(buf, size, "%s-%s-%08lx", readable, format, crc & 0xffffffff);
}

const char *output_spool_folder(const struct config *cfg, const struct output_config *oc, char *buf)
{
	char name[OUTPUT_SPOOL_MAX - 8]; /* room for "-15" */
	size_t len;

	buf[0] = '\0';
	if (!config_spool(cfg, oc, buf)) {
		buf[0] = '\0';
		return NULL;
	}
	mkdir(buf, 0700); /* if that fails, so does what is made in it, and says why */
	len = strlen(buf);
	name_make(oc, name, sizeof(name));
	snprintf(buf + len, STATE_MAX + OUTPUT_SPOOL_MAX - len, "/%s", name);
	return buf;
}

void output_spool_each(const char *folder, void (*fn)(void *ctx, const char *spool), void *ctx)
{
	char path[STATE_MAX + 256];
	const struct dirent *e;
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) < (int)sizeof(path))
			fn(ctx, path);
	closedir(dir);
}
