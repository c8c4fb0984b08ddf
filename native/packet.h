/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What steering has to know of a packet, read from its headers. */
#ifndef POSTERN_PACKET_H
#define POSTERN_PACKET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>

#include "maps.h"

#define POSTERN_EXTENSIONS 6 /* IPv6 extension headers that are read */
#define POSTERN_VLAN_ID 0x0fff
#define POSTERN_NO_END 0xffffffffu

enum shape {
	SHAPE_WHOLE,
	SHAPE_FRAGMENT, /* no ports */
	SHAPE_EXTENDED, /* more extension headers than are read; no ports, and no protocol */
};

struct packet {
	__u32 source[4]; /* network order; IPv4 as ::ffff:a.b.c.d */
	__u32 destination[4];
	__u16 source_port; /* host order */
	__u16 destination_port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, or 0: either */
	__u8 ipv6;
	__u8 opening; /* SYN without ACK */
	__u8 shape;
	__u8 flags; /* of TCP, as in the header */
	__u8 carried; /* protocol in the IP header, or behind the extension headers; of a fragment 0 */
	__u16 transport; /* where the header of that protocol begins, from the IP header on */
	__u32 end; /* of the packet, from the IP header on */
	__u32 end_of_data; /* sequence number behind a FIN; not known if end is not */
};

enum reading {
	READ,
	READ_OTHER_PROTOCOL, /* addresses are valid */
	READ_BROKEN,         /* addresses are not */
	READ_CUT,            /* the headers behind the addresses are not whole; addresses are valid */
};

/*
 * By the network header: tun and the like have no link-layer header. That helper reads the linear part of the buffer only; a driver may put
 * headers into pages, so what it misses is pulled in once. 32 bytes more than wanted: the length of the link-layer header is not known here.
 */
static __noinline int load(struct __sk_buff *skb, __u32 offset, void *to, __u32 length)
{
	__u32 wanted = offset + length + 32;

	if (length > 40) /* for the verifier */
		return -1;
	if (!bpf_skb_load_bytes_relative(skb, offset, to, length, BPF_HDR_START_NET))
		return 0;
	if (wanted > skb->len)
		wanted = skb->len;
	if (bpf_skb_pull_data(skb, wanted))
		return -1;
	return bpf_skb_load_bytes_relative(skb, offset, to, length, BPF_HDR_START_NET);
}

static __always_inline bool is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

/* The stack cuts off what stands behind the end that the IP header tells; headers there are none. */
static __always_inline enum reading read_transport(struct __sk_buff *skb, struct packet *packet, __u8 protocol, __u32 offset, __u32 end)
{
	packet->carried = protocol;
	packet->transport = offset;
	packet->end = end;
	if (protocol == IPPROTO_TCP) {
		struct tcphdr tcp;

		if (offset + sizeof(tcp) > end || load(skb, offset, &tcp, sizeof(tcp)))
			return READ_CUT;
		packet->source_port = bpf_ntohs(tcp.source);
		packet->destination_port = bpf_ntohs(tcp.dest);
		packet->opening = tcp.syn && !tcp.ack;
		packet->flags = ((const __u8 *)&tcp)[13];
		packet->end_of_data = bpf_ntohl(tcp.seq) + end - offset - tcp.doff * 4u + 1;
	} else if (protocol == IPPROTO_UDP) {
		struct udphdr udp;

		if (offset + sizeof(udp) > end || load(skb, offset, &udp, sizeof(udp)))
			return READ_CUT;
		packet->source_port = bpf_ntohs(udp.source);
		packet->destination_port = bpf_ntohs(udp.dest);
	} else {
		return READ_OTHER_PROTOCOL;
	}
	packet->protocol = protocol;
	return READ;
}

static __always_inline enum reading read_fragment(struct packet *packet, __u8 protocol)
{
	packet->shape = SHAPE_FRAGMENT;
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		packet->protocol = protocol;
	else if (!packet->ipv6 || !is_extension(protocol))
		return READ_OTHER_PROTOCOL;
	return READ;
}

static __always_inline enum reading read_ipv4(struct __sk_buff *skb, struct packet *packet)
{
	struct iphdr ip;
	__u32 end;

	if (load(skb, 0, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return READ_BROKEN;
	packet->source[2] = bpf_htonl(0xffff);
	packet->source[3] = ip.saddr;
	packet->destination[2] = bpf_htonl(0xffff);
	packet->destination[3] = ip.daddr;

	/* More fragments, or an offset. */
	if (ip.frag_off & bpf_htons(0x3fff))
		return read_fragment(packet, ip.protocol);

	/* What GRO made larger than 64 KiB has length 0 (BIG TCP). */
	end = bpf_ntohs(ip.tot_len);
	if (end == 0 && skb->gso_size)
		end = POSTERN_NO_END;
	return read_transport(skb, packet, ip.protocol, ip.ihl * 4u, end);
}

static __always_inline enum reading read_ipv6(struct __sk_buff *skb, struct packet *packet)
{
	struct ipv6hdr ip;
	__u32 offset = sizeof(ip), end;
	__u8 protocol;

	if (load(skb, 0, &ip, sizeof(ip)) || ip.version != 6)
		return READ_BROKEN;
	__builtin_memcpy(packet->source, &ip.saddr, 16);
	__builtin_memcpy(packet->destination, &ip.daddr, 16);
	packet->ipv6 = 1;

	/* Length 0 is a jumbogram (RFC 2675: with a hop-by-hop option), or what GRO made larger than 64 KiB. */
	protocol = ip.nexthdr;
	end = sizeof(ip) + bpf_ntohs(ip.payload_len);
	if (end == sizeof(ip) && (protocol == IPPROTO_HOPOPTS || skb->gso_size))
		end = POSTERN_NO_END;

	for (int i = 0; i < POSTERN_EXTENSIONS; i++) {
		__u8 extension[4]; /* next header, length; of a fragment's header: reserved, then offset and flags */

		if (!is_extension(protocol))
			return read_transport(skb, packet, protocol, offset, end);
		if (offset + 8 > end || load(skb, offset, extension, sizeof(extension)))
			return READ_CUT;
		if (protocol == IPPROTO_FRAGMENT) {
			/* Offset (13 bits), reserved (2), more fragments. Neither: an atomic fragment (RFC 6946), which is whole. */
			if (extension[2] | (extension[3] & 0xf9))
				return read_fragment(packet, extension[0]);
			offset += 8;
		} else {
			offset += (extension[1] + 1u) * 8;
		}
		protocol = extension[0];
	}
	if (!is_extension(protocol))
		return read_transport(skb, packet, protocol, offset, end);
	packet->shape = SHAPE_EXTENDED;
	return READ;
}

static __always_inline bool is_ip(const struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IP) || skb->protocol == bpf_htons(ETH_P_IPV6);
}

/* Of a packet that is_ip. */
static __always_inline enum reading read_packet(struct __sk_buff *skb, struct packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	return skb->protocol == bpf_htons(ETH_P_IP) ? read_ipv4(skb, packet) : read_ipv6(skb, packet);
}

#endif
