/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What outlives the daemon: its maps, links and filters, kept under a folder of a BPF file system,
 * so that the programs go on while nobody is there, and the next daemon takes them over.
 *
 *	DIR/layout                 who made this, and how it lies in memory: written last
 *	DIR/map_NAME               every map but .rodata, whose settings are each daemon's own
 *	DIR/link_IFINDEX_HOOK      in, out (tcx), xdp, xdpg (generic); link_socket, link_connect
 *	DIR/filters                clsact filters, which are no links (before Linux 6.6)
 *	DIR/keep_*                 windows and alerts (keep.h)
 *
 * Who holds the lock on DIR owns all of it; the kernel lets go of that lock with the process, kill
 * -9 included. What the maps hold is read by programs of two builds while they are exchanged:
 * whoever changes the meaning of what is in them raises PIN_LAYOUT. Sizes are compared map by map.
 *
 * Every function takes a NULL pin for "nothing is kept". */
#ifndef RECONMON_PIN_H
#define RECONMON_PIN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "tc.h"

#define PIN_DIR_DEFAULT "/sys/fs/bpf/reconmon"

#ifndef PIN_LAYOUT
#define PIN_LAYOUT 6
#endif

enum {
	PIN_SEEDS = 4,	   /* words of the hash seed */
	PIN_PATH_MAX = 512 /* of DIR, NUL included */
};

struct pin;
struct bpf_object;

/* pin_open - takes hold of DIR, which is made if its parent is a BPF file system. Returns 0 with
 * *ret for pin_close(), or a negative errno with err filled: -EBUSY if another daemon holds it. */
int pin_open(const char *dir, struct pin **ret, struct error *err);
void pin_close(struct pin *p); /* what is pinned stays */

/* pin_maps_reuse - before obj is loaded: it will use the maps that are kept, if all that matter
 * fit. seed: the one they were filled with, then; unchanged else. Returns 0 or a negative errno.
 * May be called again with another object. */
int pin_maps_reuse(struct pin *p, struct bpf_object *obj, volatile uint64_t *seed);

/* pin_maps_keep - after obj was loaded: its maps are kept from now on. What did not fit is removed
 * first, links too, and said. Returns 0, or a negative errno with err filled. */
int pin_maps_keep(struct pin *p, struct bpf_object *obj, const volatile uint64_t *seed,
		  struct error *err);

/* pin_taken_over - have the maps of an earlier daemon been taken over? pin_map_taken_over - has
 * this one? Those that only count are exchanged where they do not fit. */
bool pin_taken_over(const struct pin *p);
bool pin_map_taken_over(const struct pin *p, const char *name);

/* pin_link_take - the kept link of a hook, with its program exchanged for prog_fd in place: a
 * descriptor, the caller's. -ENOENT: there is none; one that is of no use any more is removed. */
int pin_link_take(struct pin *p, uint32_t ifindex, const char *hook, int prog_fd);

/* pin_link_is_kept - is there one from before? */
bool pin_link_is_kept(struct pin *p, uint32_t ifindex, const char *hook);

/* pin_link_keep - keeps a link; one that is kept already is let go afterwards, so that two run for
 * a moment rather than none. Returns 0 or a negative errno. pin_link_drop - lets go of it: with its
 * last descriptor it detaches. ifindex 0: not of an interface. */
int pin_link_keep(struct pin *p, uint32_t ifindex, const char *hook, int link_fd);
void pin_link_drop(struct pin *p, uint32_t ifindex, const char *hook);

/* pin_filter_take - what is known of the kept filter of a hook. Returns false if there is none.
 * pin_filter_keep - remembers one. Returns 0 or a negative errno. pin_filter_drop - forgets it. */
bool pin_filter_take(const struct pin *p, uint32_t ifindex, bool egress, struct tc_hook *ret);
int pin_filter_keep(struct pin *p, const struct tc_hook *h);
void pin_filter_drop(struct pin *p, uint32_t ifindex, bool egress);

/* pin_sweep - removes what belongs to interfaces that are not wanted, those that vanished while
 * nobody was there among them. Returns how many. */
unsigned int pin_sweep(struct pin *p, bool (*wanted)(void *ctx, uint32_t ifindex), void *ctx);

/* pin_memory - memory of len bytes, zeroed, that is kept under a name (keep_*), in the place of
 * what is there under it: mapped, for pin_memory_close(). pin_memory_open - what is kept under that
 * name; *ret_len is a multiple of the page. NULL with errno set. */
void *pin_memory(struct pin *p, const char *name, size_t len, size_t *ret_len);
void *pin_memory_open(struct pin *p, const char *name, size_t *ret_len);
void pin_memory_close(void *memory, size_t len);
void pin_memory_drop(struct pin *p, const char *name);

/* pin_memory_rename - in the place of what is there. Returns 0 or a negative errno. */
int pin_memory_rename(struct pin *p, const char *from, const char *to);

/* pin_remove - removes everything under DIR, and DIR. *ret_n: how many things that were. Returns 0,
 * or a negative errno with err filled: -EBUSY if a daemon is at work with it. */
int pin_remove(const char *dir, unsigned int *ret_n, struct error *err);

#endif
