/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which hook on which interface? Egress is always tc. Ingress is tc on virtual devices and lo,
 * native XDP on physical NICs where the driver has it and nobody else holds it, or what --ingress
 * says. */
#ifndef RECONMON_ATTACH_H
#define RECONMON_ATTACH_H

#include "iface.h"
#include "load.h"
#include "tc.h"

enum ingress_mode {
	MODE_TC,
	MODE_XDP_NATIVE,
	MODE_XDP_GENERIC
};

struct attachment {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	enum ingress_mode mode;
	int xdp_fd; /* link, with XDP; -1: none */
	struct tc_hook ingress, egress;
};

/* attach_iface - puts the programs on one interface, or leaves it as it was. Where `auto` had to do
 * without native XDP, `note` (not NULL) gets a sentence that says why; else it is empty. Returns 0
 * with *ret for attach_release(), or a negative errno with err filled: -ENODEV means that the
 * interface is gone by now. */
int attach_iface(struct bpf_side *b, enum ingress_hook want, const struct iface *iface,
		 struct attachment *ret, struct error *note, struct error *err);

/* attach_release - takes them away. attach_leave - leaves what b->pin keeps where it is. */
void attach_release(const struct bpf_side *b, struct attachment *a);
void attach_leave(struct attachment *a);

/* attach_mode_text - "tcx", "clsact", "xdp + tcx", "xdp-generic + tcx" into buf of 32 bytes. */
const char *attach_mode_text(const struct attachment *a, char *buf);

#endif
