// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "linktype.h"

#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stddef.h>

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
	TYPE_QINQ = 0x88a8,

	LINKTYPE_RAW = 101,

	SLL_VLANS_MAX = 2,	   /* as parse.h */
	SLL_PACKET_OUTGOING = 4,   /* <linux/if_packet.h>, PACKET_OUTGOING */
	SLL_HATYPE_FRAD = 770,	   /* <linux/if_arp.h>: with these three the protocol is no */
	SLL_HATYPE_RADIOTAP = 803, /* EtherType (tcpdump.org/linktypes/LINKTYPE_LINUX_SLL) */
	SLL_HATYPE_NETLINK = 824,

	PPP_ADDRESS = 0xff, /* RFC 1662, 3.1 */
	PPP_CONTROL = 0x03,
	CHDLC_UNICAST = 0x0f, /* RFC 1547, 4.3.1: Cisco HDLC, in place of PPP's address */
	CHDLC_MULTICAST = 0x8f,
	PPP_IPV4 = 0x0021, /* RFC 1332 */
	PPP_IPV6 = 0x0057, /* RFC 5072 */

	LLC_SAP_IP = 0x06,   /* RFC 948 */
	LLC_SAP_SNAP = 0xaa, /* RFC 1042 */
	LLC_UI = 0x03,	     /* unnumbered information: a datagram */
	LLC_LEN = 3,
	SNAP_LEN = 8, /* LLC, organisation, EtherType */

	FDDI_LEN = 13,	  /* frame control, two addresses */
	FDDI_CLFF = 0xf0, /* class, length, format: of the frame control (ISO 9314-2, 7.3.3) */
	FDDI_LLC_ASYNC = 0x50,
	FDDI_LLC_SYNC = 0xd0,

	WLAN_TYPE =
		0x0f, /* of frame control's first byte: version and type (IEEE 802.11, 9.2.4.1) */
	WLAN_DATA = 0x08,  /* version 0, data */
	WLAN_NULL = 0x40,  /* subtypes: without a body, */
	WLAN_QOS = 0x80,   /* with a QoS control field */
	WLAN_TO_DS = 0x01, /* of its second byte */
	WLAN_FROM_DS = 0x02,
	WLAN_PROTECTED = 0x40,
	WLAN_ORDER = 0x80, /* with QoS: an HT control field follows */
	WLAN_LEN = 24,
	WLAN_AMSDU = 0x80, /* of the QoS control field: the body holds several frames, */
	AMSDU_LEN = 14,	   /* each behind two addresses and its length */

	RADIOTAP_LEN = 8, /* version, pad, length, which fields are present (radiotap.org) */
	RADIOTAP_TSFT = 1u << 0,
	RADIOTAP_FLAGS = 1u << 1,
	RADIOTAP_MORE = 1u << 31, /* another word of presence bits follows */
	RADIOTAP_DATA_PAD = 0x20, /* of flags: the body begins at a multiple of 4 */
};

static uint16_t be16_at(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static int link_raw(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	if (have < 1)
		return -1;
	ret->ethertype = p[0] >> 4 == 4 ? TYPE_IPV4 : p[0] >> 4 == 6 ? TYPE_IPV6 : LINK_NOT_IP;
	return 0;
}

static int link_ipv4(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	(void)p;
	(void)have;
	ret->ethertype = TYPE_IPV4;
	return 0;
}

static int link_ipv6(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	(void)p;
	(void)have;
	ret->ethertype = TYPE_IPV6;
	return 0;
}

/* link_sll_protocol - from a cooked header's protocol to the EtherType: `at` is the length of the
 * header, behind which libpcap has put the VLAN tags that the kernel had taken out. Returns the
 * length with tags, or -1. */
static int link_sll_protocol(const unsigned char *p, uint32_t have, uint32_t at, uint16_t protocol,
			     uint16_t hatype, struct link_info *ret)
{
	if (hatype == SLL_HATYPE_FRAD || hatype == SLL_HATYPE_RADIOTAP ||
	    hatype == SLL_HATYPE_NETLINK)
		protocol = LINK_NOT_IP;
	for (int i = 0; i < SLL_VLANS_MAX; i++) {
		if (protocol != TYPE_VLAN && protocol != TYPE_QINQ)
			break;
		if (have < at + 4)
			return -1;
		protocol = be16_at(p + at + 2);
		at += 4;
	}
	ret->ethertype = protocol ? protocol : LINK_NOT_IP;
	return (int)at;
}

/* link_sll - packet type 2, ARPHRD type 2, address length 2, address 8, protocol 2; big-endian. */
static int link_sll(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	if (have < SLL_HDR_LEN)
		return -1;
	ret->outgoing = be16_at(p) == SLL_PACKET_OUTGOING;
	return link_sll_protocol(p, have, SLL_HDR_LEN, be16_at(p + 14), be16_at(p + 2), ret);
}

/* link_sll2 - protocol 2, zero 2, interface 4, ARPHRD type 2, packet type 1, address length 1,
 * address 8; big-endian. */
static int link_sll2(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	if (have < SLL2_HDR_LEN)
		return -1;
	ret->outgoing = p[10] == SLL_PACKET_OUTGOING;
	return link_sll_protocol(p, have, SLL2_HDR_LEN, be16_at(p), be16_at(p + 8), ret);
}

/* link_null - the capturing host's AF_ number in its byte order (null) or in network order (loop).
 * No family reaches 65,536, so the order tells itself. */
static int link_null(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	uint16_t family;

	if (have < 4)
		return -1;
	family = be16_at(p) ? (uint16_t)(p[1] << 8 | p[0]) : be16_at(p + 2);
	switch (family) {
	case 2:
		ret->ethertype = TYPE_IPV4;
		break;
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD, Npcap */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		ret->ethertype = TYPE_IPV6;
		break;
	default:
		ret->ethertype = LINK_NOT_IP;
	}
	return 4;
}

/* link_ppp - address and control, which may be left out (RFC 1661, 6.6), then the protocol, whose
 * upper byte may be left out if it is zero: the lower byte is always odd, the upper even (6.5). */
static int link_ppp(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	uint32_t at = 0;
	uint16_t protocol;

	if (have >= 2 && p[0] == PPP_ADDRESS && p[1] == PPP_CONTROL)
		at = 2;
	if (have < at + 1)
		return -1;
	protocol = p[at++];
	if (!(protocol & 1)) {
		if (have < at + 1)
			return -1;
		protocol = (uint16_t)(protocol << 8 | p[at++]);
	}
	ret->ethertype = protocol == PPP_IPV4	? TYPE_IPV4
			 : protocol == PPP_IPV6 ? TYPE_IPV6
						: LINK_NOT_IP;
	return (int)at;
}

/* link_ppp_serial - PPP, or Cisco HDLC, which has an EtherType where PPP has its protocol. */
static int link_ppp_serial(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	if (have < 4 || (p[0] != CHDLC_UNICAST && p[0] != CHDLC_MULTICAST))
		return link_ppp(p, have, ret);
	ret->ethertype = be16_at(p + 2) ? be16_at(p + 2) : LINK_NOT_IP;
	return 4;
}

/* link_llc - from an IEEE 802.2 header at `at` to the EtherType. Returns the length with it. */
static int link_llc(const unsigned char *p, uint32_t have, uint32_t at, struct link_info *ret)
{
	if (have < at + LLC_LEN)
		return -1;
	p += at;
	if (p[0] == LLC_SAP_IP && p[1] == LLC_SAP_IP && p[2] == LLC_UI) {
		ret->ethertype = TYPE_IPV4;
		return (int)at + LLC_LEN;
	}
	ret->ethertype = LINK_NOT_IP;
	if (p[0] != LLC_SAP_SNAP || p[1] != LLC_SAP_SNAP || p[2] != LLC_UI)
		return (int)at + LLC_LEN;
	if (have < at + SNAP_LEN)
		return -1;
	if (!p[3] && !p[4] && !p[5] && be16_at(p + 6)) /* other organisations number otherwise */
		ret->ethertype = be16_at(p + 6);
	return (int)at + SNAP_LEN;
}

static int link_fddi(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	int clff;

	if (have < FDDI_LEN)
		return -1;
	clff = p[0] & FDDI_CLFF;
	if (clff == FDDI_LLC_ASYNC || clff == FDDI_LLC_SYNC)
		return link_llc(p, have, FDDI_LEN, ret);
	ret->ethertype = LINK_NOT_IP; /* station management, tokens */
	return FDDI_LEN;
}

/* wlan_len - of an 802.11 data frame's header, from the bits that say what is in it. */
static uint32_t wlan_len(const unsigned char *p)
{
	uint32_t len = WLAN_LEN;

	if ((p[1] & (WLAN_TO_DS | WLAN_FROM_DS)) == (WLAN_TO_DS | WLAN_FROM_DS))
		len += 6; /* a fourth address */
	if (p[0] & WLAN_QOS)
		len += p[1] & WLAN_ORDER ? 6 : 2;
	return len;
}

/* link_wlan_at - an 802.11 frame at `at`; `pad`: its body begins at a multiple of 4. Of an
 * aggregate the first frame is read: the others have no place of their own in the capture. */
static int link_wlan_at(const unsigned char *p, uint32_t have, uint32_t at, bool pad,
			struct link_info *ret)
{
	const unsigned char *w = p + at;
	uint32_t len;
	bool is_aggregate;

	if (have < at + 2)
		return -1;
	ret->ethertype = LINK_NOT_IP;
	if ((w[0] & WLAN_TYPE) != WLAN_DATA || w[0] & WLAN_NULL || w[1] & WLAN_PROTECTED)
		return (int)at + 2;
	len = wlan_len(w);
	if (have < at + len)
		return -1;
	/* The QoS field is the header's end, but for HT control. */
	is_aggregate = w[0] & WLAN_QOS && w[len - (w[1] & WLAN_ORDER ? 6 : 2)] & WLAN_AMSDU;
	if (pad)
		len = (len + 3) & ~3u;
	if (is_aggregate)
		len += AMSDU_LEN;
	return link_llc(p, have, at + len, ret);
}

static int link_wlan(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	return link_wlan_at(p, have, 0, false, ret);
}

static uint32_t le32_at(const unsigned char *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* radiotap_flags - the field `flags` in a header of len bytes; 0 if it has none. Fields stand in
 * the order of their bits, each aligned to its size; the first two are all that matters. */
static uint8_t radiotap_flags(const unsigned char *p, uint32_t len)
{
	uint32_t present = le32_at(p + 4), at = 4;

	do {
		if (len < at + 4)
			return 0;
		at += 4;
	} while (le32_at(p + at - 4) & RADIOTAP_MORE);
	if (present & RADIOTAP_TSFT)
		at = ((at + 7) & ~7u) + 8;
	return present & RADIOTAP_FLAGS && at < len ? p[at] : 0;
}

/* link_radiotap - version 1, zero 1, length 2, presence 4, fields; little-endian. Then 802.11. */
static int link_radiotap(const unsigned char *p, uint32_t have, struct link_info *ret)
{
	uint32_t len;

	if (have < RADIOTAP_LEN)
		return -1;
	len = (uint32_t)(p[3] << 8 | p[2]);
	if (p[0] || len < RADIOTAP_LEN) { /* of a version to come, or nonsense */
		ret->ethertype = LINK_NOT_IP;
		return RADIOTAP_LEN;
	}
	if (have < len)
		return -1;
	return link_wlan_at(p, have, len, radiotap_flags(p, len) & RADIOTAP_DATA_PAD, ret);
}

static const struct linktype linktypes[] = {
	{ DLT_EN10MB, NULL },
	{ DLT_RAW, link_raw },
	{ DLT_IPV4, link_ipv4 },
	{ DLT_IPV6, link_ipv6 },
	{ DLT_LINUX_SLL, link_sll },
	{ DLT_LINUX_SLL2, link_sll2 },
	{ DLT_NULL, link_null },
	{ DLT_LOOP, link_null },
	{ DLT_PPP, link_ppp },
	{ DLT_PPP_SERIAL, link_ppp_serial },
	{ DLT_FDDI, link_fddi },
	{ DLT_IEEE802_11, link_wlan },
	{ DLT_IEEE802_11_RADIO, link_radiotap },
};

const struct linktype *linktype_find(int dlt)
{
	for (size_t i = 0; i < sizeof(linktypes) / sizeof(linktypes[0]); i++)
		if (linktypes[i].dlt == dlt)
			return &linktypes[i];
	return NULL;
}

/* Only raw IP has a number of its own in files; so has the loop of OpenBSD, but on Linux it is the
 * same (tcpdump.org/linktypes.html). */
int linktype_dlt(uint16_t link)
{
	return link == LINKTYPE_RAW ? DLT_RAW : link;
}

const char *linktype_names(void)
{
	return "Ethernet, raw IP, Linux SLL and SLL2, BSD null and loop, PPP, FDDI, 802.11 with "
	       "and "
	       "without radiotap";
}
