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
static __always_inline bool flow_is(const struct postern_flow *flow, __u32 what)
{
	__u32 *found = bpf_map_lookup_elem(&flows, flow);

	return found && *found == what;
}

/* The other end began the connection, and its SYN was not steered. */
static __noinline bool is_answer(const struct packet *packet)
{
	struct postern_flow flow;

	flow_backward(packet, &flow);
	return flow_is(&flow, POSTERN_FLOW_UNSTEERED);
}

static __noinline bool is_steered(const struct packet *packet)
{
	struct postern_flow flow;

	flow_forward(packet, &flow);
	return flow_is(&flow, POSTERN_FLOW_STEERED);
}

/* A SYN decides anew: for its own direction, and what an older connection of the same two ends left for the other. */
static __noinline void remember_steered(const struct packet *packet)
{
	struct postern_flow flow;
	__u32 value = POSTERN_FLOW_STEERED;

	flow_forward(packet, &flow);
	bpf_map_update_elem(&flows, &flow, &value, BPF_ANY);
	flow_backward(packet, &flow);
	bpf_map_delete_elem(&flows, &flow);
}

static __noinline void remember_unsteered(const struct packet *packet)
{
	struct postern_flow flow;
	__u32 value = POSTERN_FLOW_UNSTEERED;

	flow_forward(packet, &flow);
	bpf_map_update_elem(&flows, &flow, &value, BPF_ANY);
}

#endif
