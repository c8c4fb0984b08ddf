/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a SYN decided is remembered: the packets that follow bear no sign of who began the connection. */
#ifndef POSTERN_FLOW_H
#define POSTERN_FLOW_H

#include "packet.h"

static __always_inline void flow_forward(const struct packet *packet, struct postern_flow *flow)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	__builtin_memcpy(flow->source, packet->source, 16);
	__builtin_memcpy(flow->destination, packet->destination, 16);
	flow->source_port = packet->source_port;
	flow->destination_port = packet->destination_port;
	flow->protocol = packet->protocol;
}

static __always_inline void flow_backward(const struct packet *packet, struct postern_flow *flow)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	__builtin_memcpy(flow->source, packet->destination, 16);
	__builtin_memcpy(flow->destination, packet->source, 16);
	flow->source_port = packet->destination_port;
	flow->destination_port = packet->source_port;
	flow->protocol = packet->protocol;
}

/* Reading keeps an entry from being the least recently used. */
static __always_inline __u32 remembered(const struct postern_flow *flow)
{
	struct postern_memory *found = bpf_map_lookup_elem(&flows, flow);

	return found ? found->what : 0;
}

/* The other end began the connection, and its SYN was not steered. */
static __noinline bool is_answer(const struct packet *packet)
{
	struct postern_flow flow;

	flow_backward(packet, &flow);
	return remembered(&flow) == POSTERN_FLOW_UNSTEERED;
}

static __noinline bool is_steered(const struct packet *packet)
{
	struct postern_flow flow;
	__u32 what;

	flow_forward(packet, &flow);
	what = remembered(&flow);
	return what == POSTERN_FLOW_STEERED || what == POSTERN_FLOW_CLOSING;
}

/* A SYN decides anew: for its own direction, and what an older connection of the same two ends left for the other. */
static __noinline void remember_steered(const struct packet *packet)
{
	struct postern_flow flow;
	struct postern_memory value = { .what = POSTERN_FLOW_STEERED };

	flow_forward(packet, &flow);
	bpf_map_update_elem(&flows, &flow, &value, BPF_ANY);
	flow_backward(packet, &flow);
	bpf_map_delete_elem(&flows, &flow);
}

static __noinline void remember_unsteered(const struct packet *packet)
{
	struct postern_flow flow;
	struct postern_memory value = { .what = POSTERN_FLOW_UNSTEERED };

	flow_forward(packet, &flow);
	bpf_map_update_elem(&flows, &flow, &value, BPF_ANY);
}

#define FLAGS_OF_END 0x07 /* FIN, SYN, RST */
#define FLAG_FIN 0x01

/* Of a packet of a steered connection, whatever it is. */
static __noinline void remember_closing(const struct packet *packet)
{
	struct postern_flow flow;
	struct postern_memory value = { .what = POSTERN_FLOW_CLOSING, .end = packet->end_of_data };

	if ((packet->flags & FLAGS_OF_END) != FLAG_FIN || packet->end == POSTERN_NO_END)
		return;
	flow_forward(packet, &flow);
	bpf_map_update_elem(&flows, &flow, &value, BPF_ANY);
}

/* What remember_closing noted, once. */
static __always_inline bool take_closing(const struct packet *packet, __u32 *end)
{
	struct postern_flow flow;
	struct postern_memory *found;

	flow_forward(packet, &flow);
	found = bpf_map_lookup_elem(&flows, &flow);
	if (!found || found->what != POSTERN_FLOW_CLOSING)
		return false;
	*end = found->end;
	found->what = POSTERN_FLOW_STEERED;
	return true;
}

#endif
