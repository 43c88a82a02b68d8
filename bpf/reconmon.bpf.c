// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Where packets enter: one program a hook. Each only says where the bytes are and which way they
 * go; parse.h, track.h and the store do the rest. Every program lets every packet pass untouched.
 */
#include <reconmon/parse.h>

#ifdef STORE_LRU
#include "store_lru.h"
#else
#include "store_nursery.h"
#endif

#include <reconmon/track.h>

#include "owner.h"

#define TC_NEXT (-1) /* TCX_NEXT (Linux 6.6) and TC_ACT_UNSPEC: whoever comes after us runs too */

/* Headers we may have to read: Ethernet, two VLAN tags, IPv6, some extension headers, TCP. */
#define PULL_BYTES 128

/* follow_packet - what packets come to that may open, change or end an attempt. A global function:
 * the verifier walks it once, not once for each way that leads through the parser. */
__attribute__((noinline)) int follow_packet(const struct packet *pkt, __u64 hash, __u32 look,
					    __u32 ifindex, __u32 dir)
{
	struct store st = { .stats = stats_of_cpu(), .ifindex = ifindex, .dir = (__u8)dir };

	OPAQUE(hash); /* the LRU store ignores both; the caller must set the registers all the same
		       */
	OPAQUE(look);
	if (pkt && st.stats)
		track_packet(&st, hash, look, pkt);
	return 0;
}

static __always_inline void count_unparsed(struct store *st, int r)
{
	__u32 why = (__u32)-r;

	OPAQUE(why); /* the verifier of 6.1 must see the bound right before the access */
	if (why < STAT_MAX)
		st->stats->n[why]++;
}

enum handled {
	HANDLED,	/* nothing more is to be done */
	HANDLED_PARSED, /* *pkt has to be followed */
	HANDLED_NOT,	/* handle_thorough() has to look */
};

/* handle_quick - for what parse_quick() knows: the whole path of most packets. */
static __always_inline enum handled handle_quick(struct store *st, const struct cursor *cur,
						 enum quick_extent extent, int ethernet,
						 struct packet *pkt, __u64 *ret_hash)
{
	const volatile __u64 *seed = hash_seed;
	enum quick_family family;
	struct quick q;

	family = parse_quick(cur, extent, ethernet, &q);
	if (family == QUICK_NOT)
		return HANDLED_NOT;
	OPAQUE(seed); /* or clang loads an address of 64 bits for each word of it */
	*ret_hash = quick_hash(&q, family, seed);
	OPAQUE(q.ip); /* what follows this is rare: nothing is kept for it, least of all on the
			 stack */
	if (track_quick(st, *ret_hash, &q))
		return HANDLED;
	quick_packet(&q, pkt);
	return HANDLED_PARSED;
}

static __always_inline enum handled handle_thorough(struct store *st, struct cursor *cur,
						    int ethernet, struct packet *pkt,
						    __u64 *ret_hash)
{
	int r = parse_thorough(cur, ethernet, pkt);

	if (r < 0) {
		count_unparsed(st, r);
		return HANDLED;
	}
	*ret_hash = store_hash(st, pkt);
	return HANDLED_PARSED;
}

/* handle_packet - what comes of a parsed packet. Returns 1 if it has opened an attempt. */
static __always_inline int handle_packet(struct store *st, const struct packet *pkt, __u64 hash,
					 __u32 ifindex)
{
	__u32 look = store_look(st, hash), how;
	__u64 opened;

	if (!track_concerns(pkt, look)) {
		track_passing(st, hash, pkt);
		return 0;
	}
	how = look & LOOK_NONE ? opens(pkt) : 0;
	if (how) { /* as track_packet() would; that is a call more */
		st->ifindex = ifindex;
		return attempt_open(st, hash, pkt, how);
	}
	opened = st->stats->n[STAT_ATTEMPTS];
	follow_packet(pkt, hash, look, ifindex, st->dir);
	return st->stats->n[STAT_ATTEMPTS] != opened;
}

static __always_inline void cursor_skb(struct cursor *cur, const struct __sk_buff *skb)
{
	cur->pos = (void *)(long)skb->data;
	cur->end = (void *)(long)skb->data_end;
	cur->wire_left = skb->len;
}

static __always_inline int handle_skb(struct __sk_buff *skb, int ethernet, __u8 dir)
{
	struct store st = { .stats = stats_of_cpu(), .dir = dir };
	struct cursor cur;
	struct packet pkt;
	enum handled h;
	__u64 hash = 0;
	__u32 want;

	if (!st.stats)
		return TC_NEXT;
	note_seen(skb->ifindex, dir);
	store_count(&st, dir == DIR_INGRESS ? STAT_INGRESS : STAT_EGRESS);
	cursor_skb(&cur, skb);
	h = handle_quick(&st, &cur, QUICK_WIRE, ethernet, &pkt, &hash);
	if (h == HANDLED)
		return TC_NEXT;
	if (h == HANDLED_NOT) {
		/* Headers may sit in a page frag, with some drivers and after some tunnels. */
		want = skb->len < PULL_BYTES ? skb->len : PULL_BYTES;
		if ((void *)(long)skb->data + want > (void *)(long)skb->data_end)
			bpf_skb_pull_data(skb, want);
		cursor_skb(&cur, skb);
		if (handle_thorough(&st, &cur, ethernet, &pkt, &hash) == HANDLED)
			return TC_NEXT;
	}
	OPAQUE(skb); /* the index is read again, not kept: Linux 6.1 counts 512 bytes of stack */
	if (handle_packet(&st, &pkt, hash, skb->ifindex) && dir == DIR_EGRESS && owners_on)
		owner_note(skb, &pkt);
	return TC_NEXT;
}

SEC("tc")
int tc_ingress(struct __sk_buff *skb)
{
	return handle_skb(skb, 1, DIR_INGRESS);
}

SEC("tc")
int tc_egress(struct __sk_buff *skb)
{
	return handle_skb(skb, 1, DIR_EGRESS);
}

/* The same for devices without an Ethernet header. */
SEC("tc")
int tc_ingress_l3(struct __sk_buff *skb)
{
	return handle_skb(skb, 0, DIR_INGRESS);
}

SEC("tc")
int tc_egress_l3(struct __sk_buff *skb)
{
	return handle_skb(skb, 0, DIR_EGRESS);
}

static __always_inline void cursor_xdp(struct cursor *cur, const struct xdp_md *ctx)
{
	cur->pos = (void *)(long)ctx->data;
	cur->end = (void *)(long)ctx->data_end;
}

static __always_inline int handle_xdp(struct xdp_md *ctx)
{
	struct store st = { .stats = stats_of_cpu(), .dir = DIR_INGRESS };
	struct cursor cur;
	struct packet pkt;
	enum handled h;
	__u64 hash = 0;

	if (!st.stats)
		return XDP_PASS;
	note_seen(ctx->ingress_ifindex, DIR_INGRESS);
	store_count(&st, STAT_INGRESS);
	cursor_xdp(&cur, ctx);
	h = handle_quick(&st, &cur, QUICK_AT_HAND, 1, &pkt, &hash);
	if (h == HANDLED)
		return XDP_PASS;
	if (h == HANDLED_NOT) {
		/* The whole frame's length is a call, which few packets need. */
		cur.wire_left = (__u32)bpf_xdp_get_buff_len(ctx);
		cursor_xdp(&cur, ctx);
		if (handle_thorough(&st, &cur, 1, &pkt, &hash) == HANDLED)
			return XDP_PASS;
	}
	OPAQUE(ctx);
	handle_packet(&st, &pkt, hash, ctx->ingress_ifindex);
	return XDP_PASS;
}

/* "frags": a driver with a jumbo MTU takes only programs that know of multi-buffer packets. */
SEC("xdp.frags")
int xdp_ingress(struct xdp_md *ctx)
{
	return handle_xdp(ctx);
}

/* Not in the way of packets: whose sockets they are (owner.h). Loaded where the kernel allows it.
 */

#define TCP_STATE_SYN_SENT 2 /* as in the kernel's net/tcp_states.h */

/* A socket changes its state: (sock, old state, new state). Before its SYN is made. */
SEC("?tp_btf/inet_sock_set_state")
int on_connect(__u64 *ctx)
{
	if ((__u32)ctx[2] == TCP_STATE_SYN_SENT)
		socket_note(bpf_get_socket_cookie((void *)ctx[0]));
	return 0;
}

#define SOCKET_ALLOWED 1

SEC("?cgroup/sock_create")
int on_socket(struct bpf_sock *sk)
{
	socket_note(bpf_get_socket_cookie(sk));
	return SOCKET_ALLOWED;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
