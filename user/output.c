// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "drain.h"
#include "sink.h"

struct output {
	const struct config *cfg;
	uint64_t sequence, errors;
	uint64_t clock_ns; /* replay: the capture's; 0: live */
	int broken;
	char hostname[256], host_id[64];
};

static void read_host_id(char *buf, size_t len)
{
	FILE *f = fopen("/etc/machine-id", "re");

	if (!f)
		return;
	if (fgets(buf, (int)len, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
}

struct output *output_new(const struct config *cfg)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->cfg = cfg;
	if (gethostname(o->hostname, sizeof(o->hostname) - 1) < 0)
		o->hostname[0] = '\0';
	read_host_id(o->host_id, sizeof(o->host_id));
	return o;
}

void output_free(struct output *o)
{
	free(o);
}

void output_clock(struct output *o, uint64_t now_ns)
{
	o->clock_ns = now_ns;
}

static void set_times(const struct output *o, struct sink_context *sc)
{
	struct timespec wall;

	sc->now_ns = o->clock_ns;
	if (o->clock_ns)
		return;
	sc->now_ns = clock_boot_ns();
	clock_gettime(CLOCK_REALTIME, &wall);
	sc->wall_offset_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - (int64_t)sc->now_ns;
}

void output_emit(void *ctx, const struct alert *a, enum alert_state state)
{
	struct output *o = ctx;
	struct sink_context sc = {
		.sequence = ++o->sequence,
		.hostname = o->hostname,
		.host_id = o->host_id,
		.color = o->cfg->color,
	};
	int r;

	set_times(o, &sc);
	errno = 0;
	r = o->cfg->json ? sink_json_write(stdout, a, state, &sc)
			 : sink_text_write(stdout, a, state, &sc);
	if (!r)
		return;
	o->errors++;
	if (errno == EPIPE || errno == EBADF)
		o->broken = errno;
	clearerr(stdout);
}

uint64_t output_errors(const struct output *o)
{
	return o->errors;
}

int output_broken(const struct output *o)
{
	return o->broken;
}
