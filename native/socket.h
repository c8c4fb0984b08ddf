/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proxy's sockets: finding them, and giving them a packet. */
#ifndef POSTERN_SOCKET_H
#define POSTERN_SOCKET_H

#include <linux/pkt_cls.h>

#include "packet.h"

#define POSTERN_MARK_MAGIC 0x0f00u
#define POSTERN_MARK_TO_PROXY 0x0200u

/* Returns the length that the family demands. */
static __always_inline __u32 real_tuple(const struct packet *packet, struct bpf_sock_tuple *tuple)
{
	__builtin_memset(tuple, 0, sizeof(*tuple));
	if (packet->ipv6) {
		__builtin_memcpy(tuple->ipv6.saddr, packet->source, 16);
		__builtin_memcpy(tuple->ipv6.daddr, packet->destination, 16);
		tuple->ipv6.sport = bpf_htons(packet->source_port);
		tuple->ipv6.dport = bpf_htons(packet->destination_port);
		return sizeof(tuple->ipv6);
	}
	tuple->ipv4.saddr = packet->source[3];
	tuple->ipv4.daddr = packet->destination[3];
	tuple->ipv4.sport = bpf_htons(packet->source_port);
	tuple->ipv4.dport = bpf_htons(packet->destination_port);
	return sizeof(tuple->ipv4);
}

/* From the packet's source, so that listeners that share a port share the load, to 127.0.0.1 or ::1; finds who listens at all addresses, too. */
static __always_inline __u32 listener_tuple(const struct packet *packet, __u16 proxy_port, struct bpf_sock_tuple *tuple)
{
	__u32 length = real_tuple(packet, tuple);

	if (packet->ipv6) {
		tuple->ipv6.daddr[0] = tuple->ipv6.daddr[1] = tuple->ipv6.daddr[2] = 0;
		tuple->ipv6.daddr[3] = bpf_htonl(1);
		tuple->ipv6.dport = bpf_htons(proxy_port);
	} else {
		tuple->ipv4.daddr = bpf_htonl(0x7f000001);
		tuple->ipv4.dport = bpf_htons(proxy_port);
	}
	return length;
}

/* The ip rule takes what bears the mark to the table in which every address is local. */
static __always_inline int steer_by_mark(struct __sk_buff *skb, enum postern_counter why)
{
	skb->mark = (skb->mark & ~POSTERN_MARK_MAGIC) | POSTERN_MARK_TO_PROXY;
	count(why);
	return TC_ACT_OK;
}

/* The caller releases the socket. */
static __always_inline int steer(struct __sk_buff *skb, struct bpf_sock *socket, enum postern_counter why)
{
	if (bpf_sk_assign(skb, socket, 0)) {
		count(POSTERN_ASSIGN_FAILED);
		return TC_ACT_SHOT;
	}
	return steer_by_mark(skb, why);
}

/* No verdicts of tc that are used here. */
#define NO_SOCKET 1
#define IN_TIME_WAIT 3

/* To the connection that the proxy has, if it has one. IN_TIME_WAIT: a SYN; the verdict is not made. */
static __noinline int steer_established(struct __sk_buff *skb, const struct packet *packet, __u32 why)
{
	struct bpf_sock_tuple tuple;
	__u32 length = real_tuple(packet, &tuple);
	struct bpf_sock *socket = bpf_skc_lookup_tcp(skb, &tuple, length, BPF_F_CURRENT_NETNS, 0);
	int result = NO_SOCKET;

	if (!socket)
		return NO_SOCKET;
	if (socket->state == BPF_TCP_TIME_WAIT) {
		/* No socket to assign; the stack finds it. */
		result = packet->opening ? IN_TIME_WAIT : steer_by_mark(skb, why);
	} else if (socket->state != BPF_TCP_LISTEN) {
		result = steer(skb, socket, why);
	}
	bpf_sk_release(socket);
	return result;
}

static __noinline int steer_to_listener(struct __sk_buff *skb, const struct packet *packet, __u32 proxy_port, __u32 why)
{
	struct bpf_sock_tuple tuple;
	__u32 length = listener_tuple(packet, proxy_port, &tuple);
	struct bpf_sock *socket = bpf_skc_lookup_tcp(skb, &tuple, length, BPF_F_CURRENT_NETNS, 0);
	int result;

	if (!socket) {
		count(POSTERN_NO_LISTENER);
		return TC_ACT_SHOT;
	}
	if (socket->state == BPF_TCP_LISTEN) {
		result = steer(skb, socket, why);
	} else {
		count(POSTERN_NO_LISTENER);
		result = TC_ACT_SHOT;
	}
	bpf_sk_release(socket);
	return result;
}

static __noinline int steer_datagram(struct __sk_buff *skb, const struct packet *packet, __u32 proxy_port)
{
	struct bpf_sock_tuple tuple;
	__u32 length = listener_tuple(packet, proxy_port, &tuple);
	struct bpf_sock *socket = bpf_sk_lookup_udp(skb, &tuple, length, BPF_F_CURRENT_NETNS, 0);
	int result;

	if (!socket) {
		count(POSTERN_NO_LISTENER);
		return TC_ACT_SHOT;
	}
	result = steer(skb, socket, POSTERN_STEERED_DATAGRAM);
	bpf_sk_release(socket);
	return result;
}

/*
 * Whose socket a datagram may be. The lookup finds sockets that are bound to the port alone, too; an upstream socket of the proxy has the client's
 * address, and those that wait for one server's answers are connected to it.
 */
enum claim {
	CLAIM_BOUND,
	CLAIM_CONNECTED,
};

static __always_inline bool is_own(const struct bpf_sock *socket, const struct packet *packet, enum claim claim)
{
	/* Read whole and apart: the verifier knows the fields at their own offsets only, and clang would reckon a pointer to them. */
	const volatile struct bpf_sock *fields = socket;
	__u32 port = fields->src_port, ipv4 = fields->src_ip4;
	__u32 word0 = fields->src_ip6[0], word1 = fields->src_ip6[1], word2 = fields->src_ip6[2], word3 = fields->src_ip6[3];

	if (port != packet->destination_port)
		return false;
	if (claim == CLAIM_CONNECTED && (__u16)fields->dst_port != bpf_htons(packet->source_port))
		return false; /* the lookup has compared the address of one that is connected; one that is not has port 0 */
	if (!packet->ipv6)
		return ipv4 == packet->destination[3];
	return word0 == packet->destination[0] && word1 == packet->destination[1] && word2 == packet->destination[2] && word3 == packet->destination[3];
}

static __noinline int return_datagram(struct __sk_buff *skb, const struct packet *packet, __u32 claim)
{
	struct bpf_sock_tuple tuple;
	__u32 length = real_tuple(packet, &tuple);
	struct bpf_sock *socket = bpf_sk_lookup_udp(skb, &tuple, length, BPF_F_CURRENT_NETNS, 0);
	int result = NO_SOCKET;

	if (!socket)
		return NO_SOCKET;
	if (is_own(socket, packet, claim))
		result = steer(skb, socket, POSTERN_RETURNED);
	bpf_sk_release(socket);
	return result;
}

#endif
