/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A SYN that meets the TIME_WAIT of an older connection of the same two ends. A listener takes none while that is in the table (seen with 6.18), and
 * a program may not take it out. By itself the old one answers the SYN with an ACK, the client resets that, which ends the old one (RFC 1337), and
 * sends its SYN again after 1 s. So the reset is made here: a copy of the SYN goes to the device's queue as a reset, and the SYN behind it.
 *
 * The old one believes a reset at the very sequence number that it expects: the one behind the client's FIN, which was seen when it came by. What is
 * noted is used once, so that a SYN goes round once, even if the old connection stays (tcp_rfc1337).
 */
#ifndef POSTERN_TIMEWAIT_H
#define POSTERN_TIMEWAIT_H

#include "flow.h"
#include "socket.h"

union tcp_start {
	__u8 bytes[20];
	__be32 words[5];
};

#define TCP_SEQUENCE 4
#define TCP_LENGTH_AND_FLAGS 12
#define TCP_CHECKSUM 16
#define NO_LINK_HEADER 0xffffffffu

/* What stands before the IP header: nothing or Ethernet. No helper tells, so both are tried. */
static __always_inline __u32 length_of_link_header(struct __sk_buff *skb)
{
	__u32 known[5], seen[5];

	if (load(skb, 0, known, sizeof(known)))
		return NO_LINK_HEADER;
	for (__u32 length = 0; length <= ETH_HLEN; length += ETH_HLEN) {
		if (!bpf_skb_load_bytes(skb, length, seen, sizeof(seen))
			&& !((known[0] ^ seen[0]) | (known[1] ^ seen[1]) | (known[2] ^ seen[2]) | (known[3] ^ seen[3]) | (known[4] ^ seen[4])))
			return length;
	}
	return NO_LINK_HEADER;
}

/*
 * The length of the options goes, so that an older time stamp in them does not matter; they become data, at which nobody looks. The checksum changes
 * with the fields, as a driver may have left it to be made.
 */
static __always_inline bool make_reset(struct __sk_buff *skb, __u32 at, const union tcp_start *syn, __u32 sequence)
{
	union tcp_start reset = *syn;

	reset.words[1] = bpf_htonl(sequence);
	reset.bytes[TCP_LENGTH_AND_FLAGS] = 5 << 4;
	reset.bytes[TCP_LENGTH_AND_FLAGS + 1] = 4;
	return !bpf_skb_store_bytes(skb, at, reset.bytes, TCP_CHECKSUM, 0)
		&& !bpf_l4_csum_replace(skb, at + TCP_CHECKSUM, syn->words[1], reset.words[1], sizeof(__be32))
		&& !bpf_l4_csum_replace(skb, at + TCP_CHECKSUM, syn->words[3], reset.words[3], sizeof(__be32));
}

static __always_inline int send_round(struct __sk_buff *skb, const struct packet *packet)
{
	union tcp_start syn;
	__u32 link, at, sequence;
	bool sent;

	if (!take_closing(packet, &sequence))
		return NO_SOCKET;
	link = length_of_link_header(skb);
	if (link == NO_LINK_HEADER || load(skb, packet->transport, &syn, sizeof(syn)))
		return NO_SOCKET;
	at = link + packet->transport;
	sent = make_reset(skb, at, &syn, sequence) && !bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
	if (bpf_skb_store_bytes(skb, at, syn.bytes, sizeof(syn.bytes), 0)) {
		count(POSTERN_TRUNCATED);
		return TC_ACT_SHOT;
	}
	if (!sent)
		return NO_SOCKET;
	count(POSTERN_TIME_WAIT_ENDED);
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

/* The verdict for a SYN in a TIME_WAIT's way. */
static __noinline int end_time_wait(struct __sk_buff *skb, const struct packet *packet, __u32 why)
{
	int result = send_round(skb, packet);

	return result == NO_SOCKET ? steer_by_mark(skb, why) : result;
}

#endif
