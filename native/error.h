/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMP errors about what the proxy sent with somebody else's address: they go to that address, and the proxy's socket would never learn of a
 * smaller MTU on the path, nor that nobody listens. The error quotes the packet it is about, so its socket can be found.
 */
#ifndef POSTERN_ERROR_H
#define POSTERN_ERROR_H

#include "socket.h"

#define ICMP_HEADER 8
#define QUOTED_PORTS 8 /* an error quotes that much of the header behind IP at least (RFC 792) */

/* Unreachable (which includes "fragmentation needed"), time exceeded, parameter problem; ICMPv6: and packet too big. */
static __always_inline bool is_error(struct __sk_buff *skb, const struct packet *packet)
{
	__u8 type;

	if (packet->carried != (packet->ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) || packet->transport + ICMP_HEADER > packet->end)
		return false;
	if (load(skb, packet->transport, &type, sizeof(type)))
		return false;
	return packet->ipv6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
}

static __always_inline bool read_quoted_ipv4(struct __sk_buff *skb, __u32 *offset, struct packet *quoted)
{
	struct iphdr ip;

	if (load(skb, *offset, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 || ip.frag_off & bpf_htons(0x1fff))
		return false;
	quoted->source[2] = quoted->destination[2] = bpf_htonl(0xffff);
	quoted->source[3] = ip.saddr;
	quoted->destination[3] = ip.daddr;
	quoted->protocol = ip.protocol;
	*offset += ip.ihl * 4u;
	return true;
}

static __always_inline bool read_quoted_ipv6(struct __sk_buff *skb, __u32 *offset, struct packet *quoted)
{
	struct ipv6hdr ip;

	if (load(skb, *offset, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	__builtin_memcpy(quoted->source, &ip.saddr, 16);
	__builtin_memcpy(quoted->destination, &ip.daddr, 16);
	quoted->ipv6 = 1;
	quoted->protocol = ip.nexthdr;
	*offset += sizeof(ip);
	return true;
}

/* The packet an error is about, which went from where the error goes. False: no TCP or UDP directly behind its IP header, or the error is not whole. */
static __noinline int read_quoted(struct __sk_buff *skb, const struct packet *error, struct packet *quoted)
{
	__u32 offset = error->transport + ICMP_HEADER;
	__be16 ports[2];

	__builtin_memset(quoted, 0, sizeof(*quoted));
	if (!(error->ipv6 ? read_quoted_ipv6(skb, &offset, quoted) : read_quoted_ipv4(skb, &offset, quoted)))
		return false;
	if (quoted->protocol != IPPROTO_TCP && quoted->protocol != IPPROTO_UDP)
		return false;
	for (int i = 0; i < 4; i++) {
		if (quoted->source[i] != error->destination[i])
			return false;
	}
	if (offset + QUOTED_PORTS > error->end || load(skb, offset, ports, sizeof(ports)))
		return false;
	quoted->source_port = bpf_ntohs(ports[0]);
	quoted->destination_port = bpf_ntohs(ports[1]);
	return true;
}

/* As if what was quoted were answered. */
static __noinline int has_sender(struct __sk_buff *skb, const struct packet *quoted)
{
	struct packet answer = *quoted;
	struct bpf_sock_tuple tuple;
	struct bpf_sock *socket;
	__u32 length;
	bool has;

	__builtin_memcpy(answer.source, quoted->destination, 16);
	__builtin_memcpy(answer.destination, quoted->source, 16);
	answer.source_port = quoted->destination_port;
	answer.destination_port = quoted->source_port;
	length = real_tuple(&answer, &tuple);
	if (answer.protocol == IPPROTO_TCP) {
		socket = bpf_skc_lookup_tcp(skb, &tuple, length, BPF_F_CURRENT_NETNS, 0);
		if (!socket)
			return false;
		has = socket->state != BPF_TCP_LISTEN;
	} else {
		socket = bpf_sk_lookup_udp(skb, &tuple, length, BPF_F_CURRENT_NETNS, 0);
		if (!socket)
			return false;
		has = is_own(socket, &answer, CLAIM_BOUND);
	}
	bpf_sk_release(socket);
	return has;
}

#endif
