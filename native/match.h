/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rule concerns a packet. */
#ifndef POSTERN_MATCH_H
#define POSTERN_MATCH_H

#include "packet.h"

/* What a match answers: the proxy port in the low 16 bits, and these. 0: no rule. */
#define MATCH_IN_FORCE 0x10000u
#define MATCH_DRAINING 0x20000u

/* One set of rules, and where the two addresses of a packet stand in it. */
struct set {
	__u32 half; /* generation & 1 */
	__u32 flags; /* of the filter */
	__u32 lengths; /* of rules that name no address, for the packet's protocol */
	__u32 keep_older;
};

struct party {
	__u32 id;
	__u32 roles;
	__u32 lengths; /* for the packet's protocol */
};

struct question {
	struct party source;
	struct party destination;
	__u32 flags; /* of the filter */
	__u32 lengths;
	__u32 half;
	__u32 device;    /* 0: any, and a class of which some rule names a device counts as matched */
	__u16 port;
	__u8 protocol;
};

static __always_inline __u32 lengths_of(__u8 protocol, __u32 tcp, __u32 udp)
{
	return protocol == IPPROTO_TCP ? tcp : protocol == IPPROTO_UDP ? udp : tcp | udp;
}

static __always_inline bool in_filter(const struct postern_filter *filter, const __u32 *address, bool ipv6)
{
	__u32 folded = ipv6 ? address[0] ^ address[1] ^ address[2] ^ address[3] : address[3];
	__u32 bit = postern_filter_bit(bpf_ntohl(folded));

	return filter->addresses[(bit >> 6) & (POSTERN_FILTER_BITS / 64 - 1)] >> (bit & 63) & 1;
}

static __noinline int classify(const struct set *set, const struct packet *packet, const __u32 *address, struct party *party)
{
	struct postern_class *class = 0;
	__u32 half = set->half;
	void *inner = bpf_map_lookup_elem(&rules, &half);

	if (inner) {
		struct postern_key key;

		__builtin_memset(&key, 0, sizeof(key));
		key.kind = POSTERN_KEY_ADDRESS;
		__builtin_memcpy(key.address, address, sizeof(key.address));
		class = bpf_map_lookup_elem(inner, &key);
	}
	if (!class && !packet->ipv6 && set->flags & POSTERN_FILTER_PREFIXES4) {
		struct postern_prefix4 prefix;

		prefix.length = 32;
		__builtin_memcpy(prefix.address, &address[3], sizeof(prefix.address));
		inner = bpf_map_lookup_elem(&prefixes4, &half);
		if (inner)
			class = bpf_map_lookup_elem(inner, &prefix);
	}
	if (!class && packet->ipv6 && set->flags & POSTERN_FILTER_PREFIXES6) {
		struct postern_prefix6 prefix;

		prefix.length = 128;
		__builtin_memcpy(prefix.address, address, sizeof(prefix.address));
		inner = bpf_map_lookup_elem(&prefixes6, &half);
		if (inner)
			class = bpf_map_lookup_elem(inner, &prefix);
	}
	if (!class) {
		__builtin_memset(party, 0, sizeof(*party));
		return 0;
	}
	party->id = class->id;
	party->roles = class->roles;
	party->lengths = lengths_of(packet->protocol, class->lengths_tcp, class->lengths_udp);
	return 0;
}

struct best {
	__u32 order;
	__u32 answer;
};

static __always_inline bool try_length(void *inner, struct postern_key *key, __u32 length, __u32 port, struct best *best)
{
	struct postern_rule *rule;
	__u32 answer;

	key->port_length = length;
	key->rule.port = port & ~(0xffffu >> length);
	rule = bpf_map_lookup_elem(inner, key);
	if (!rule)
		return false;
	/* One that drains counts only where none in force matches. */
	answer = rule->proxy_port | (rule->flags & POSTERN_RULE_DRAINING ? MATCH_DRAINING : MATCH_IN_FORCE);
	if (!best->answer || (answer & MATCH_IN_FORCE && (best->answer & MATCH_DRAINING || rule->order < best->order))) {
		best->order = rule->order;
		best->answer = answer;
	}
	return true;
}

/* Of one device, source and destination. The ranges of ports are disjoint there, so the first hit is the only one. */
static __noinline int try_lengths(void *inner, struct postern_key *key, __u32 lengths, __u32 port, struct best *best)
{
	if (lengths & 1u << 16 && try_length(inner, key, 16, port, best))
		return 0;
	lengths &= 0xffff;
	for (__u32 length = 0; length < 16; length++) {
		if (!(lengths >> length))
			return 0;
		if (lengths >> length & 1 && try_length(inner, key, length, port, best))
			return 0;
	}
	return 0;
}

/* The rules that name the source alone, the destination alone, both, or no address. */
enum naming {
	NAMES_SOURCE,
	NAMES_DESTINATION,
	NAMES_BOTH,
	NAMES_NEITHER,
	NAMINGS,
};

/* The port lengths of such rules for these two; 0: there are none. */
static __always_inline __u32 lengths_of_naming(const struct question *question, enum naming naming)
{
	const struct party *source = &question->source, *destination = &question->destination;

	switch (naming) {
	case NAMES_SOURCE:
		return source->roles & POSTERN_ROLE_SOURCE ? source->lengths : 0;
	case NAMES_DESTINATION:
		return destination->roles & POSTERN_ROLE_DESTINATION ? destination->lengths : 0;
	case NAMES_BOTH:
		return source->roles & POSTERN_ROLE_PAIR_SOURCE && destination->roles & POSTERN_ROLE_PAIR_DESTINATION ? source->lengths & destination->lengths : 0;
	default:
		return question->flags & POSTERN_FILTER_EVERYBODY ? question->lengths : 0;
	}
}

static __always_inline bool names_device(const struct question *question, enum naming naming)
{
	switch (naming) {
	case NAMES_SOURCE:
		return question->source.roles & POSTERN_ROLE_DEVICE;
	case NAMES_DESTINATION:
		return question->destination.roles & POSTERN_ROLE_DEVICE;
	case NAMES_BOTH:
		return question->source.roles & question->destination.roles & POSTERN_ROLE_DEVICE;
	default:
		return question->flags & POSTERN_FILTER_EVERYBODY_DEVICE;
	}
}

/* Whether any rule can concern these two, whatever the ports. */
static __always_inline bool may_match(const struct question *question)
{
	return lengths_of_naming(question, NAMES_SOURCE) || lengths_of_naming(question, NAMES_DESTINATION)
		|| lengths_of_naming(question, NAMES_BOTH) || lengths_of_naming(question, NAMES_NEITHER);
}

static __always_inline __u32 find(const struct question *question)
{
	struct best best = {};
	__u32 half = question->half;
	void *inner = bpf_map_lookup_elem(&rules, &half);

	if (!inner)
		return 0;
	for (int naming = 0; naming < NAMINGS; naming++) {
		struct postern_key key;
		__u32 lengths = lengths_of_naming(question, naming);
		bool by_device = names_device(question, naming);

		if (!lengths)
			continue;
		if (by_device && !question->device)
			return MATCH_IN_FORCE;
		__builtin_memset(&key, 0, sizeof(key)); /* an initializer would become a map of constants */
		key.kind = POSTERN_KEY_RULE;
		key.protocol = question->protocol;
		if (naming == NAMES_SOURCE || naming == NAMES_BOTH)
			key.rule.source = question->source.id;
		if (naming == NAMES_DESTINATION || naming == NAMES_BOTH)
			key.rule.destination = question->destination.id;
		try_lengths(inner, &key, lengths, question->port, &best);
		if (by_device) {
			key.rule.device = question->device;
			try_lengths(inner, &key, lengths, question->port, &best);
		}
	}
	return best.answer;
}

/*
 * Not static, so that the verifier looks at it once, for whatever it may be asked, and not anew for each path that leads here: an eighth of the work in all.
 * Numbers alone, because before Linux 5.12 such a function takes no pointers but the context.
 */
__noinline __u32 match_numbers(__u64 ids, __u64 lengths, __u64 roles, __u64 where, __u64 lengths_of_all)
{
	struct question question;

	__builtin_memset(&question, 0, sizeof(question));
	question.source.id = ids;
	question.destination.id = ids >> 32;
	question.source.lengths = lengths;
	question.destination.lengths = lengths >> 32;
	question.source.roles = roles;
	question.destination.roles = roles >> 32;
	question.device = where;
	question.port = where >> 32;
	question.protocol = where >> 48;
	question.half = where >> 56;
	question.lengths = lengths_of_all;
	question.flags = lengths_of_all >> 32;
	return find(&question);
}

static __always_inline __u64 two(__u32 low, __u32 high)
{
	return low | (__u64)high << 32;
}

static __always_inline __u32 match(const struct question *question)
{
	const struct party *source = &question->source, *destination = &question->destination;
	__u32 rest = question->port | (__u32)question->protocol << 16 | question->half << 24;

	return match_numbers(two(source->id, destination->id), two(source->lengths, destination->lengths), two(source->roles, destination->roles),
		two(question->device, rest), two(question->lengths, question->flags));
}

#endif
