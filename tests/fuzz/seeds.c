// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* seeds DIR [CAPTURE...] - writes inputs of fuzz_track.c into DIR: the conversations and frames of
 * tests/packets.h, and what the captures begin with, cut into pieces. Captures that cannot be read
 * are left out: captures of broken captures are inputs of another fuzzer. */
#include "fuzz.h"

#include <packets.h>

#include <capture.h>

#include "trace.h"

enum {
	PIECE_BYTES = 1500, /* small inputs mutate better */
	PIECES_MAX = 6,	    /* of a capture */
	FRAME_KEEP = 100,   /* headers, and the packet that an ICMP error quotes */
};

/* One seed as it grows. */
struct seed {
	const char *dir, *name;
	unsigned int number;
	uint8_t b[4096];
	size_t n;
	uint64_t last_ns;
};

static void seed_begin(struct seed *s)
{
	s->n = 1; /* options: none */
	s->b[0] = 0;
}

static void seed_write(struct seed *s)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s-%u", s->dir, s->name, s->number++);
	f = fopen(path, "wb");
	if (!f || fwrite(s->b, 1, s->n, f) != s->n || fclose(f)) {
		perror(path);
		exit(1);
	}
	seed_begin(s);
}

/* step_index - the longest of the steps that is not longer. */
static unsigned int step_index(uint64_t ns)
{
	unsigned int i = 0;

	while (i + 1 < sizeof(trace_steps_ns) / sizeof(trace_steps_ns[0]) &&
	       trace_steps_ns[i + 1] <= ns)
		i++;
	return i;
}

static void seed_add(struct seed *s, const void *data, uint32_t have, uint32_t wire_len,
		     uint64_t t_ns, uint8_t control)
{
	uint32_t keep = have < FRAME_KEEP ? have : FRAME_KEEP;
	bool longer = wire_len > keep;
	uint64_t step = s->last_ns && t_ns > s->last_ns ? t_ns - s->last_ns : 0;

	s->last_ns = t_ns;
	control |= (uint8_t)(REC_RAW | (longer ? REC_LONGER : 0));
	control |= (uint8_t)(step_index(step) << REC_STEP_SHIFT);
	s->b[s->n++] = control;
	s->b[s->n++] = (uint8_t)keep;
	s->b[s->n++] = (uint8_t)(keep >> 8);
	if (longer) /* a power of two: enough for the lengths in the headers */
		s->b[s->n++] =
			(uint8_t)(wire_len - keep > 32768 ? 16
							  : 32 - __builtin_clz(wire_len - keep));
	memcpy(s->b + s->n, data, keep);
	s->n += keep;
}

static void from_capture(struct seed *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct capture_packet p;
	struct captures *c;
	struct error err;

	if (captures_open(&path, 1, NULL, NULL, &c, &err) < 0)
		return;
	s->name = slash ? slash + 1 : path;
	s->number = 0;
	seed_begin(s);
	while (s->number < PIECES_MAX && captures_next(c, &p)) {
		uint8_t control = p.outgoing ? REC_OUT : 0;

		if (p.ethertype && p.ethertype != ETH_TYPE_IPV4 && p.ethertype != ETH_TYPE_IPV6)
			continue;
		if (p.ethertype)
			control |= REC_L3;
		seed_add(s, p.data, p.have, p.wire_len, p.t_ns, control);
		if (s->n > PIECE_BYTES)
			seed_write(s);
	}
	if (s->n > 1)
		seed_write(s);
	captures_close(c);
}

static void scene_send(void *ctx, const struct frame *f, enum side from)
{
	struct seed *s = ctx;

	seed_add(s, f->b, f->len, f->len, 0, from == ORIG ? REC_OUT : 0);
}

static void from_tables(struct seed *s)
{
	s->name = "frame";
	for (size_t i = 0; i < ARRAY_SIZE(frame_cases); i++) {
		const struct frame_case *fc = &frame_cases[i];
		uint32_t wire_len;
		struct frame f;

		frame_build(&f, fc->layers, &test_ends);
		wire_len = fc->wire_len ? fc->wire_len : f.len;
		seed_begin(s);
		seed_add(s, f.b, f.len, wire_len, 0, fc->l3 ? REC_L3 : 0);
		seed_write(s);
	}
	s->name = "scene";
	s->number = 0;
	for (size_t i = 0; i < ARRAY_SIZE(scenes) * ARRAY_SIZE(variants); i++) {
		const struct scene *sc = &scenes[i / ARRAY_SIZE(variants)];

		seed_begin(s);
		s->b[0] = sc->literal ? TRACE_LITERAL : 0;
		scene_play(sc, &variants[i % ARRAY_SIZE(variants)], scene_send, s);
		seed_write(s);
	}
}

int main(int argc, char **argv)
{
	static struct seed s;

	if (argc < 2) {
		fprintf(stderr, "usage: seeds DIR [CAPTURE...]\n");
		return 2;
	}
	s.dir = argv[1];
	from_tables(&s);
	for (int i = 2; i < argc; i++)
		from_capture(&s, argv[i]);
	return 0;
}
