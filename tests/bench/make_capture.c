// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does a busy uplink look like in a capture? Writes one: make_capture [-n PACKETS] [-s
 * SNAPLEN] FILE, or - for standard output; pcap, microseconds, Ethernet.
 *
 * Some thousands of conversations at once, each with its own clock, in order of time: downloads and
 * uploads in bursts, short web connections (HTTP and what looks like TLS), DNS, ARP, and scanners
 * beside them. About 50,000 packets in a second of capture. The same numbers give the same bytes.
 * TCP and UDP checksums are left 0. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BULK = 200, /* conversations at a time, by kind; together they make the mix below */
	WEB = 4200,
	DNS = 700,
	ARP = 100,
	SCANNERS = 8,
	CONVERSATIONS = BULK + WEB + DNS + ARP + SCANNERS,

	SEGMENT = 1448, /* payload of a full segment with time stamps (RFC 7323) */
	BURST = 10,	/* segments that leave at once: the initial window of RFC 6928 */

	INSIDE = 300,  /* hosts that open connections */
	SERVERS = 50,  /* inside */
	OUTSIDE = 400, /* servers elsewhere */
	SWEPT = 4000,  /* addresses that a sweep tries */

	US = 1000, /* nanoseconds */
	MS = 1000 * US,
	HEAD_MAX = 14 + 40 + 40, /* Ethernet, IPv6, TCP with options */
};

#define S_NS (1000ull * MS)

enum kind {
	KIND_BULK,
	KIND_WEB,
	KIND_DNS,
	KIND_ARP,
	KIND_SCAN,
};

enum {
	FIN = 0x01,
	SYN = 0x02,
	RST = 0x04,
	PSH = 0x08,
	ACK = 0x10,
};

/* Where a conversation stands: what its next packet is. */
enum step {
	STEP_OPEN, /* also: the only packet, the query, the probe */
	STEP_ANSWER,
	STEP_ESTABLISH,
	STEP_REQUEST,
	STEP_RESPONSE,
	STEP_FIN,
	STEP_FIN_BACK,
	STEP_LAST_ACK,
};

struct conversation {
	uint64_t at_ns; /* of its next packet */
	enum kind kind;
	enum step step;
	uint32_t number; /* which of its kind: a scanner keeps its address */
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t seq[2];
	uint8_t v6, up, tls; /* up: bulk flows from the originator */
	uint32_t rtt_ns;
	uint32_t exchanges; /* requests still to come */
	uint32_t request, response, unacked, burst, tried;
};

/* What one packet is made of, beside its conversation. */
struct segment {
	int from; /* 0: the originator */
	uint8_t flags;
	uint32_t len;
	const char *text; /* what the payload begins with */
};

struct maker {
	struct conversation all[CONVERSATIONS];
	struct conversation *heap[CONVERSATIONS]; /* the earliest first */
	uint64_t random;
	uint64_t left; /* packets */
	uint32_t snap;
	FILE *out;
};

/* xorshift64*, Vigna 2016: plenty for a load. */
static uint32_t draw(struct maker *m, uint32_t below)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (uint32_t)((m->random * 0x2545F4914F6CDD1Dull >> 32) * below >> 32);
}

static uint32_t draw_between(struct maker *m, uint32_t from, uint32_t to)
{
	return from + draw(m, to - from + 1);
}

/* draw_heavy - mostly near `least`, seldom a thousand times that (Pareto with exponent 1, cut). */
static uint32_t draw_heavy(struct maker *m, uint32_t least)
{
	return (uint32_t)((uint64_t)least * 1000 / (1 + draw(m, 999)));
}

/* --- bytes ---------------------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v);
}

static void put_checksum(uint8_t *ip, uint8_t *at)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(at, ~(sum + (sum >> 16)));
}

/* put_link - Ethernet and the internet header around l4_len bytes. */
static uint8_t *put_link(uint8_t *p, const struct conversation *c, int from, uint8_t proto,
			 uint32_t l4_len)
{
	uint8_t *ip = p + 14;

	memcpy(p, from ? "\2\0\0\0\0\1\2\0\0\0\0\2" : "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
	put16(p + 12, c->v6 ? 0x86dd : 0x0800);
	if (c->v6) {
		put32(ip, 0x60000000);
		put16(ip + 4, l4_len);
		ip[6] = proto;
		ip[7] = 64;
		memcpy(ip + 8, c->addr[from], 16);
		memcpy(ip + 24, c->addr[!from], 16);
		return ip + 40;
	}
	put32(ip, 0x45000000 | (20 + l4_len));
	put32(ip + 4, 0x00004000); /* don't fragment */
	put32(ip + 8, 0x40000000 | (uint32_t)proto << 16);
	memcpy(ip + 12, c->addr[from] + 12, 4);
	memcpy(ip + 16, c->addr[!from] + 12, 4);
	put_checksum(ip, ip + 10);
	return ip + 20;
}

/* put_tcp - the options are those of Linux: maximum segment, SACK, time stamps, window scale on a
 * SYN, time stamps alone afterwards. */
static uint8_t *put_tcp(uint8_t *p, const struct conversation *c, const struct segment *s)
{
	uint32_t options = s->flags & SYN ? 20 : s->flags & RST ? 0 : 12;

	p = put16(p, c->port[s->from]);
	p = put16(p, c->port[!s->from]);
	p = put32(p, c->seq[s->from]);
	p = put32(p, s->flags & ACK ? c->seq[!s->from] : 0);
	p = put16(p, (20 + options) << 10 | s->flags);
	p = put16(p, 64240);
	p = put32(p, 0);
	if (options == 20)
		p = put32(put32(p, 0x020405b4), 0x0402080a);
	else if (options == 12)
		p = put32(p, 0x0101080a);
	if (options)
		p = put32(put32(p, (uint32_t)(c->at_ns / MS)), 0);
	if (options == 20)
		p = put32(p, 0x01030307);
	return p;
}

/* --- records -------------------------------------------------------------------------------- */

static void write_all(struct maker *m, const void *p, size_t len)
{
	if (fwrite(p, 1, len, m->out) == len)
		return;
	fprintf(stderr, "make_capture: writing: %s\n", strerror(errno));
	exit(1);
}

static void write_record(struct maker *m, uint64_t t_ns, const uint8_t *p, uint32_t len)
{
	uint32_t have = len < m->snap ? len : m->snap;
	uint32_t head[] = { (uint32_t)(t_ns / S_NS), (uint32_t)(t_ns % S_NS / US), have, len };

	write_all(m, head, sizeof(head));
	write_all(m, p, have);
	m->left--;
}

/* write_payload - a packet whose headers end at `end`: text, then filling. */
static void write_payload(struct maker *m, const struct conversation *c, uint8_t *packet,
			  uint8_t *end, const struct segment *s)
{
	size_t text = s->text ? strlen(s->text) : 0;

	if (text > s->len)
		text = s->len;
	memcpy(end, s->text ? s->text : "", text);
	write_record(m, c->at_ns, packet, (uint32_t)(end - packet) + s->len);
}

static void send_tcp(struct maker *m, struct conversation *c, struct segment s)
{
	static uint8_t packet[HEAD_MAX + SEGMENT];
	uint32_t options = s.flags & SYN ? 20 : s.flags & RST ? 0 : 12;
	uint8_t *end = put_link(packet, c, s.from, IPPROTO_TCP, 20 + options + s.len);

	write_payload(m, c, packet, put_tcp(end, c, &s), &s);
	c->seq[s.from] += s.len + !!(s.flags & (SYN | FIN));
}

/* send_udp - a question to a name server or its answer; s.len is at least 33. */
static void send_udp(struct maker *m, struct conversation *c, struct segment s)
{
	static const char name[] = "\3www\7example\3com\0\0\1\0\1\xc0\14\0\1\0\1\0\0\1\x2c\0\4";
	static uint8_t packet[HEAD_MAX + SEGMENT];
	uint8_t *p = put_link(packet, c, s.from, IPPROTO_UDP, 8 + s.len);

	p = put32(p, (uint32_t)c->port[s.from] << 16 | c->port[!s.from]);
	p = put32(p, (8 + s.len) << 16);
	put32(p, (uint32_t)c->port[0] << 16 | (s.from ? 0x8180 : 0x0100));
	put32(p + 4, s.from ? 0x00010001 : 0x00010000); /* one question, as many answers */
	put32(p + 8, 0);
	memcpy(p + 12, name, sizeof(name)); /* of a question 21 bytes are within its length */
	write_record(m, c->at_ns, packet, (uint32_t)(p - packet) + s.len);
}

static void send_arp(struct maker *m, const struct conversation *c)
{
	uint8_t packet[60] = "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\x08\6\0\1\x08\0\6\4\0\1";

	memcpy(packet + 28, c->addr[0] + 12, 4);
	memcpy(packet + 38, c->addr[1] + 12, 4);
	write_record(m, c->at_ns, packet, sizeof(packet));
}

/* --- conversations -------------------------------------------------------------------------- */

/* set_addr - host `n` of a network of ours, IPv4 or IPv6. */
static void set_addr(uint8_t addr[16], uint8_t v6, uint32_t net, uint32_t n)
{
	memset(addr, 0, 16);
	put32(addr + 12, v6 ? n : net + n);
	if (v6)
		put32(addr, net >> 24 == 10 ? 0xfd000000 | net >> 16 : 0x20010db8);
}

static void set_ends(struct maker *m, struct conversation *c, uint16_t port)
{
	static const uint32_t inside = 0x0a010000, servers = 0x0a020000, outside = 0xc6120000;
	int is_inner = draw(m, 4) == 0;

	c->v6 = c->kind != KIND_ARP && draw(m, 10) == 0;
	set_addr(c->addr[0], c->v6, inside, 1 + draw(m, INSIDE));
	if (is_inner || c->kind == KIND_ARP)
		set_addr(c->addr[1], c->v6, servers, 1 + draw(m, SERVERS));
	else
		set_addr(c->addr[1], c->v6, outside, 1 + draw(m, OUTSIDE));
	c->port[0] = (uint16_t)draw_between(m, 32768, 60999);
	c->port[1] = port;
	c->seq[0] = draw(m, UINT32_MAX);
	c->seq[1] = draw(m, UINT32_MAX);
	c->rtt_ns =
		is_inner ? draw_between(m, 100 * US, 500 * US) : draw_between(m, 4 * MS, 60 * MS);
}

/* next_exchange - how much is asked and answered the next time. */
static void next_exchange(struct maker *m, struct conversation *c)
{
	if (c->kind == KIND_BULK) {
		c->request = draw_between(m, 200, 600);
		c->response = draw_heavy(m, 300000);
	} else if (c->tls && c->step < STEP_REQUEST) {
		c->request = 517; /* a ClientHello, padded (RFC 7685) */
		c->response = draw_between(m, 2500, 4500);
	} else {
		c->request = draw_between(m, 80, 900);
		c->response = draw_heavy(m, 500);
	}
	if (c->up) {
		uint32_t request = c->request;

		c->request = c->response;
		c->response = request;
	}
}

/* begin_scan - every other scanner goes through the ports of ten hosts, the others through hosts.
 */
static void begin_scan(struct maker *m, struct conversation *c)
{
	static const uint16_t swept[] = { 22, 443, 3389, 6379 };
	int is_sweep = c->number & 1;
	uint32_t host = is_sweep ? c->tried % SWEPT : c->tried / 1000 % 10;

	set_addr(c->addr[0], 0, 0x0a090000, 1 + c->number);
	set_addr(c->addr[1], 0, 0x0a020000, 1 + host);
	c->port[0] = (uint16_t)draw_between(m, 32768, 60999);
	c->port[1] = is_sweep ? swept[c->number / 2] : (uint16_t)(1 + c->tried % 1000);
	c->tried++;
	c->seq[0] = draw(m, UINT32_MAX);
	c->seq[1] = draw(m, UINT32_MAX);
	c->rtt_ns = 200 * US;
}

/* begin - makes c a new conversation of its kind; at_ns is set. */
static void begin(struct maker *m, struct conversation *c)
{
	c->step = STEP_OPEN;
	c->unacked = 0;
	c->burst = 0;
	if (c->kind == KIND_SCAN) {
		begin_scan(m, c);
		return;
	}
	c->tls = c->kind == KIND_WEB && draw(m, 4) != 0;
	c->up = c->kind == KIND_BULK && draw(m, 5) == 0;
	set_ends(m, c, c->kind == KIND_DNS ? 53 : c->tls ? 443 : 80);
	c->exchanges = c->kind == KIND_BULK ? 1 : draw_between(m, 1, c->tls ? 5 : 2);
	next_exchange(m, c);
}

static const char *text_of(const struct conversation *c, int from)
{
	static const char *const text[2][2] = {
		{ "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
		  "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" },
		{ "\x17\x03\x03\x20", "\x17\x03\x03\x20" },
	};

	return text[c->tls][from];
}

/* data_step - one segment of a request or response, or the acknowledgement of two. Returns the
 * pause behind it. */
static uint64_t data_step(struct maker *m, struct conversation *c, int from, uint32_t *left)
{
	uint32_t len = *left < SEGMENT ? *left : SEGMENT;

	if (c->unacked == 2 || (!*left && c->unacked)) {
		send_tcp(m, c, (struct segment){ .from = !from, .flags = ACK });
		c->unacked = 0;
		return 10 * US;
	}
	send_tcp(m, c,
		 (struct segment){ .from = from,
				   .flags = len < SEGMENT ? PSH | ACK : ACK,
				   .len = len,
				   .text = c->burst ? NULL : text_of(c, from) });
	*left -= len;
	c->unacked++;
	if (++c->burst % BURST)
		return 12 * US; /* a full segment at 1 Gbit/s */
	return c->kind == KIND_BULK ? draw_between(m, 20 * MS, 140 * MS) : c->rtt_ns;
}

/* data_done - after a request or a response: on to what follows. Returns the pause. */
static uint64_t data_done(struct maker *m, struct conversation *c)
{
	c->burst = 0;
	if (c->step == STEP_REQUEST) {
		c->step = STEP_RESPONSE;
		return c->rtt_ns;
	}
	if (!--c->exchanges) {
		c->step = STEP_FIN;
		return c->tls ? draw_between(m, 1, 2000) * (uint64_t)MS : c->rtt_ns;
	}
	next_exchange(m, c);
	c->step = STEP_REQUEST;
	return draw_between(m, 1, 900) * (uint64_t)MS;
}

/* tcp_step - the next packet of an ordinary connection. Returns the pause behind it; 0: over. */
static uint64_t tcp_step(struct maker *m, struct conversation *c)
{
	int from = c->step == STEP_RESPONSE;
	uint32_t *left = from ? &c->response : &c->request;
	uint64_t pause;

	switch (c->step++) {
	case STEP_OPEN:
		send_tcp(m, c, (struct segment){ .flags = SYN });
		return c->rtt_ns;
	case STEP_ANSWER:
		send_tcp(m, c, (struct segment){ .from = 1, .flags = SYN | ACK });
		return 30 * US;
	case STEP_ESTABLISH:
		send_tcp(m, c, (struct segment){ .flags = ACK });
		return 100 * US;
	case STEP_REQUEST:
	case STEP_RESPONSE:
		c->step--;
		pause = data_step(m, c, from, left);
		return *left || c->unacked ? pause : data_done(m, c);
	case STEP_FIN:
		send_tcp(m, c, (struct segment){ .flags = FIN | ACK });
		return c->rtt_ns;
	case STEP_FIN_BACK:
		send_tcp(m, c, (struct segment){ .from = 1, .flags = FIN | ACK });
		return 30 * US;
	default:
		send_tcp(m, c, (struct segment){ .flags = ACK });
		return 0;
	}
}

static uint64_t dns_step(struct maker *m, struct conversation *c)
{
	uint32_t len = c->step ? draw_between(m, 50, 400) : 33;

	send_udp(m, c, (struct segment){ .from = c->step != STEP_OPEN, .len = len });
	return c->step++ == STEP_OPEN ? c->rtt_ns : 0;
}

/* scan_step - a port in 50 is open and its handshake is broken off; half of the others refuse, half
 * are silent. */
static uint64_t scan_step(struct maker *m, struct conversation *c)
{
	int is_open = c->tried % 50 == 22;

	switch (c->step++) {
	case STEP_OPEN:
		send_tcp(m, c, (struct segment){ .flags = SYN });
		return is_open || c->tried & 1 ? c->rtt_ns : 0;
	case STEP_ANSWER:
		send_tcp(m, c,
			 (struct segment){ .from = 1, .flags = is_open ? SYN | ACK : RST | ACK });
		return is_open ? 20 * US : 0;
	default:
		send_tcp(m, c, (struct segment){ .flags = RST });
		return 0;
	}
}

/* pause_before - how long a kind rests between two conversations; scanners each have their pace. */
static uint64_t pause_before(struct maker *m, const struct conversation *c)
{
	switch (c->kind) {
	case KIND_SCAN:
		return (uint64_t)(2 * MS) << c->number / 2;
	case KIND_DNS:
		return draw_between(m, 1, 700) * (uint64_t)MS;
	case KIND_ARP:
		return draw_between(m, 1, 400) * (uint64_t)MS;
	default:
		return draw_between(m, 1, 1500) * (uint64_t)MS;
	}
}

/* advance - writes c's next packet and sets the time of the one after it. */
static void advance(struct maker *m, struct conversation *c)
{
	uint64_t pause = 0;

	if (c->kind == KIND_ARP)
		send_arp(m, c);
	else if (c->kind == KIND_DNS)
		pause = dns_step(m, c);
	else if (c->kind == KIND_SCAN)
		pause = scan_step(m, c);
	else
		pause = tcp_step(m, c);
	c->at_ns += pause;
	if (pause)
		return;
	c->at_ns += pause_before(m, c);
	begin(m, c);
}

/* --- all ------------------------------------------------------------------------------------ */

static void heap_sink(struct maker *m, size_t i)
{
	struct conversation *c = m->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < CONVERSATIONS) {
		if (child + 1 < CONVERSATIONS && m->heap[child + 1]->at_ns < m->heap[child]->at_ns)
			child++;
		if (m->heap[child]->at_ns >= c->at_ns)
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = c;
}

static void make_all(struct maker *m)
{
	static const uint32_t count[] = { BULK, WEB, DNS, ARP, SCANNERS };
	const uint32_t head[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, m->snap, 1 };
	struct conversation *c = m->all;

	for (enum kind kind = KIND_BULK; kind <= KIND_SCAN; kind++)
		for (uint32_t i = 0; i < count[kind]; i++, c++) {
			c->kind = kind;
			c->number = i;
			c->at_ns = 1700000000 * S_NS + pause_before(m, c);
			begin(m, c);
			m->heap[c - m->all] = c;
		}
	for (size_t i = CONVERSATIONS / 2; i-- > 0;)
		heap_sink(m, i);
	write_all(m, head, sizeof(head));
	while (m->left) {
		advance(m, m->heap[0]);
		heap_sink(m, 0);
	}
}

int main(int argc, char **argv)
{
	static struct maker m = { .random = 0x9E3779B97F4A7C15, .left = 5000000, .snap = 262144 };

	for (int o; (o = getopt(argc, argv, "n:s:")) != -1;) {
		if (o == 'n')
			m.left = strtoull(optarg, NULL, 10);
		else if (o == 's')
			m.snap = (uint32_t)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind + 1 != argc || !m.snap) {
		fprintf(stderr, "usage: make_capture [-n PACKETS] [-s SNAPLEN] FILE|-\n");
		return 2;
	}
	m.out = strcmp(argv[optind], "-") ? fopen(argv[optind], "w") : stdout;
	if (!m.out) {
		fprintf(stderr, "make_capture: %s: %s\n", argv[optind], strerror(errno));
		return 1;
	}
	setvbuf(m.out, NULL, _IOFBF, 1 << 20);
	make_all(&m);
	if (!fclose(m.out))
		return 0;
	fprintf(stderr, "make_capture: %s: %s\n", argv[optind], strerror(errno));
	return 1;
}
