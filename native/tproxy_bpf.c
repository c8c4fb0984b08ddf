// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steering: what rules concern goes to the proxy's sockets. postern_ingress stands at the ingress of every device, postern_guard at the egress.
 * docs/steering.md tells the order of the questions and what each counter means; steering.h what the maps hold.
 */
#include <linux/if_packet.h>

#include "error.h"
#include "flow.h"
#include "match.h"
#include "socket.h"
#include "timewait.h"

/* In a tcx chain and in a chain of classic filters alike: those behind us decide. */
#define PASS TC_ACT_UNSPEC

#define LOOPBACK 1 /* lo, in every network namespace */

static __always_inline int passed(enum postern_counter why)
{
	count(why);
	return PASS;
}

static __always_inline int dropped(enum postern_counter why)
{
	count(why);
	return TC_ACT_SHOT;
}

static __always_inline bool is_from_proxy(const struct __sk_buff *skb)
{
	return (skb->mark & 0xe00) == 0xa00;
}

/*
 * A tag with an id takes the packet to the VLAN's own device, which has the program too, or to nowhere. A priority tag, id 0, the stack takes off,
 * and the next one as well: IP behind two of them would come to the stack unseen.
 */
static __always_inline int judge_tag(struct __sk_buff *skb)
{
	__be16 inner;

	if (skb->vlan_present && skb->vlan_tci & POSTERN_VLAN_ID)
		return passed(POSTERN_VLAN_PASSED);
	if (skb->protocol != bpf_htons(ETH_P_8021Q) && skb->protocol != bpf_htons(ETH_P_8021AD))
		return passed(POSTERN_NOT_IP);
	if (load(skb, 0, &inner, sizeof(inner)) || !(bpf_ntohs(inner) & POSTERN_VLAN_ID))
		return dropped(POSTERN_TRUNCATED);
	return passed(POSTERN_VLAN_PASSED);
}

/* Fills in the set in force. False: nobody steers these addresses. */
static __always_inline bool is_concerned(const struct packet *packet, struct set *set)
{
	__u32 key = 0;
	struct postern_state *current = bpf_map_lookup_elem(&state, &key);
	struct postern_filter *filter;

	if (!current)
		return false;
	set->half = current->generation & 1;
	set->keep_older = current->flags & POSTERN_STATE_KEEP_OLDER;
	key = set->half;
	filter = bpf_map_lookup_elem(&filters, &key);
	if (!filter)
		return false;
	set->flags = filter->flags;
	set->lengths = lengths_of(packet->protocol, filter->lengths_tcp, filter->lengths_udp);
	if (set->flags & (POSTERN_FILTER_EVERYBODY | (packet->ipv6 ? POSTERN_FILTER_PREFIXES6 : POSTERN_FILTER_PREFIXES4)))
		return true;
	return in_filter(filter, packet->source, packet->ipv6) || in_filter(filter, packet->destination, packet->ipv6);
}

/* What the filter speaks of is there. User space never leaves a set in force without it; should it be lost, nobody can say what may pass. */
static __always_inline bool is_whole(const struct set *set)
{
	__u32 half = set->half;

	return bpf_map_lookup_elem(&rules, &half)
		&& (!(set->flags & POSTERN_FILTER_PREFIXES4) || bpf_map_lookup_elem(&prefixes4, &half))
		&& (!(set->flags & POSTERN_FILTER_PREFIXES6) || bpf_map_lookup_elem(&prefixes6, &half));
}

static __always_inline void ask(const struct set *set, const struct packet *packet, struct question *question)
{
	__builtin_memset(question, 0, sizeof(*question));
	classify(set, packet, packet->source, &question->source);
	classify(set, packet, packet->destination, &question->destination);
	question->flags = set->flags;
	question->lengths = set->lengths;
	question->half = set->half;
	question->port = packet->destination_port;
	question->protocol = packet->protocol;
}

/* Of a packet that no rule steers: whether the packets of the other direction are steered, so that a socket of the proxy may wait for this one. */
static __always_inline bool is_steered_backward(struct question *question, const struct packet *packet)
{
	struct party source = question->source;

	question->source = question->destination;
	question->destination = source;
	question->port = packet->source_port;
	question->device = 0;
	return match(question);
}

static __always_inline int judge_tcp(struct __sk_buff *skb, const struct packet *packet, const struct set *set, struct question *question)
{
	__u32 found = match(question);
	int result;

	if (found & MATCH_IN_FORCE) {
		__u32 port = found & 0xffff;

		result = steer_established(skb, packet, POSTERN_STEERED_ESTABLISHED);
		if (result == IN_TIME_WAIT)
			return end_time_wait(skb, packet, POSTERN_STEERED_ESTABLISHED);
		if (result != NO_SOCKET) {
			remember_closing(packet);
			return result;
		}
		if (packet->opening) {
			result = steer_to_listener(skb, packet, port, POSTERN_STEERED_NEW);
			if (result == TC_ACT_OK)
				remember_steered(packet);
			return result;
		}
		if (is_answer(packet))
			return passed(POSTERN_ANSWER_PASSED);
		/* The end of a handshake by SYN cookie is of no socket either. */
		if (is_steered(packet))
			return steer_to_listener(skb, packet, port, POSTERN_STEERED_ESTABLISHED);
		if (set->keep_older)
			return passed(POSTERN_OLDER_PASSED);
		return steer_to_listener(skb, packet, port, POSTERN_OLDER_CUT);
	}

	if (found & MATCH_DRAINING) {
		result = steer_established(skb, packet, POSTERN_DRAINED);
		if (result == IN_TIME_WAIT)
			return steer_by_mark(skb, POSTERN_DRAINED);
		if (result != NO_SOCKET)
			return result;
	}
	if (!is_steered_backward(question, packet))
		return PASS;
	if (!(found & MATCH_DRAINING)) {
		result = steer_established(skb, packet, POSTERN_RETURNED);
		if (result == IN_TIME_WAIT)
			return steer_by_mark(skb, POSTERN_RETURNED);
		if (result != NO_SOCKET)
			return result;
	}
	if (packet->opening)
		remember_unsteered(packet);
	return PASS;
}

static __always_inline int judge_udp(struct __sk_buff *skb, const struct packet *packet, struct question *question)
{
	__u32 found = match(question);
	int result;

	if (found & MATCH_IN_FORCE) {
		/* What a server's rule concerns may also be its answer to a question that came through the proxy. */
		result = return_datagram(skb, packet, CLAIM_CONNECTED);
		return result == NO_SOCKET ? steer_datagram(skb, packet, found & 0xffff) : result;
	}
	if (!is_steered_backward(question, packet))
		return PASS;
	result = return_datagram(skb, packet, CLAIM_BOUND);
	return result == NO_SOCKET ? PASS : result;
}

/*
 * Of a packet that is IP, neither TCP nor UDP. What counts is the socket with the very addresses and ports, not which rule it came by; that may be
 * gone. The mark alone: the stack finds the socket itself.
 */
static __always_inline int judge_other(struct __sk_buff *skb, const struct packet *packet)
{
	struct packet quoted;
	struct set set;

	if (is_error(skb, packet) && read_quoted(skb, packet, &quoted) && is_concerned(&quoted, &set) && has_sender(skb, &quoted))
		return steer_by_mark(skb, POSTERN_ERROR_RETURNED);
	return passed(POSTERN_OTHER_PROTOCOL);
}

SEC("tc")
int postern_ingress(struct __sk_buff *skb)
{
	struct packet packet;
	struct question question;
	struct set set;

	/* Of somebody else's link-layer address: the stack drops it, unless it is a bridge's to send on, and what is assigned a socket must not leave. */
	if (skb->pkt_type == PACKET_OTHERHOST)
		return PASS;
	if (!is_ip(skb) || (skb->vlan_present && skb->vlan_tci & POSTERN_VLAN_ID))
		return judge_tag(skb);
	if (is_from_proxy(skb))
		return passed(POSTERN_FROM_PROXY);

	switch (read_packet(skb, &packet)) {
	case READ:
		break;
	case READ_OTHER_PROTOCOL:
		return judge_other(skb, &packet);
	default:
		return dropped(POSTERN_TRUNCATED);
	}

	if (!is_concerned(&packet, &set))
		return PASS;
	if (!is_whole(&set))
		return dropped(POSTERN_SET_MISSING);
	ask(&set, &packet, &question);
	question.device = skb->ifindex;
	if (packet.shape == SHAPE_FRAGMENT)
		return may_match(&question) ? dropped(POSTERN_FRAGMENT_DROPPED) : passed(POSTERN_FRAGMENT_PASSED);
	if (packet.shape == SHAPE_EXTENDED)
		return may_match(&question) ? dropped(POSTERN_EXTENSIONS_DROPPED) : PASS;
	return packet.protocol == IPPROTO_TCP ? judge_tcp(skb, &packet, &set, &question) : judge_udp(skb, &packet, &question);
}

SEC("tc")
int postern_guard(struct __sk_buff *skb)
{
	struct packet packet;
	struct question question;
	struct set set;
	enum reading reading;
	__u32 device = skb->ingress_ifindex;

	/* Made here, or forwarded from a device at which postern_ingress has judged. */
	if (device == 0 || device == LOOPBACK || bpf_map_lookup_elem(&devices, &device))
		return PASS;
	if (is_from_proxy(skb) || !is_ip(skb))
		return PASS;

	reading = read_packet(skb, &packet);
	if (reading == READ_BROKEN)
		return dropped(POSTERN_UNGUARDED_DROPPED);
	if (reading == READ_OTHER_PROTOCOL || !is_concerned(&packet, &set))
		return PASS;
	if (!is_whole(&set))
		return dropped(POSTERN_SET_MISSING);
	ask(&set, &packet, &question);
	if (reading == READ_CUT || packet.shape != SHAPE_WHOLE)
		return may_match(&question) ? dropped(POSTERN_UNGUARDED_DROPPED) : PASS;
	if (!(match(&question) & MATCH_IN_FORCE))
		return PASS;
	if (packet.protocol == IPPROTO_TCP && !packet.opening && (is_answer(&packet) || (set.keep_older && !is_steered(&packet))))
		return PASS;
	return dropped(POSTERN_UNGUARDED_DROPPED);
}

char _license[] SEC("license") = "GPL";
