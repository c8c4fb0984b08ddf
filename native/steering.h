/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maps of tproxy_bpf.c, byte by byte. src/Tproxy/Bpf/SteeringLayout.cs has the same numbers and a test compares them.
 *
 * A set of rules lies in three inner maps (rules, prefixes4, prefixes6) and one filter. Each of the four is held twice; the lowest bit of
 * state.generation says which half is in force. User space writes the other half and then flips the generation: a packet sees one set whole.
 */
#ifndef POSTERN_STEERING_H
#define POSTERN_STEERING_H

#include <linux/types.h>

/* Raised when a map's shape changes. Pins of another layout are not adopted; their links are. */
#define POSTERN_LAYOUT 2

/* -- state: ARRAY, one element ------------------------------------------------------------------------------------------------------- */
struct postern_state {
	__u32 generation; /* set in force: generation & 1 */
	__u32 flags;
};
#define POSTERN_STATE_KEEP_OLDER 1u /* a connection older than the rules passes; without it the listener gets its packets, and resets it */

/* -- filters: ARRAY, two elements: who is concerned at all ---------------------------------------------------------------------------- */
#define POSTERN_FILTER_BITS 65536u
struct postern_filter {
	__u32 flags;
	__u32 lengths_tcp; /* of rules that name no address: bit n is set if a key with n leading port bits exists */
	__u32 lengths_udp;
	__u32 reserved;
	__u64 addresses[POSTERN_FILTER_BITS / 64]; /* bit postern_filter_bit(address) of each host address that rules name */
};
/* Of an IPv4 address as a big-endian number, or of an IPv6 address as the XOR of its four words, each a big-endian number. */
static inline __u32 postern_filter_bit(__u32 folded)
{
	return folded * 0x9E3779B1u >> 16;
}
#define POSTERN_FILTER_EVERYBODY 1u /* rules that name no address */
#define POSTERN_FILTER_PREFIXES4 2u /* rules that name a net, so the prefixes are to be asked */
#define POSTERN_FILTER_PREFIXES6 4u
#define POSTERN_FILTER_EVERYBODY_DEVICE 8u /* some rule that names no address names a device */

/* -- rules: ARRAY_OF_MAPS, two elements (and a third, which user space writes to wait for packets in flight); inner: HASH ------------- */
#define POSTERN_KEY_ADDRESS 1
#define POSTERN_KEY_RULE 2
struct postern_key {
	__u8 kind;
	__u8 protocol;    /* rule: IPPROTO_TCP or IPPROTO_UDP; address: 0 */
	__u8 port_length; /* rule: how many leading bits of the port count, 0 to 16; address: 0 */
	__u8 zero;
	union {
		__u8 address[16]; /* network order; IPv4 as ::ffff:a.b.c.d */
		struct {
			__u32 device;      /* interface index, or 0: any */
			__u32 source;      /* class, or 0: any */
			__u32 destination; /* class, or 0: any */
			__u16 port;        /* destination port, host order, bits behind port_length zero */
			__u16 zero;
		} rule;
	};
};

/* Class of an address: the most specific prefix (or host) that a rule names. A rule of a wider prefix is repeated for the classes within. */
struct postern_class {
	__u32 id; /* 1 and up */
	__u32 roles;
	__u32 lengths_tcp; /* port lengths in use by rules that name this class */
	__u32 lengths_udp;
};
#define POSTERN_ROLE_SOURCE 1u           /* there are rules (class -> any) */
#define POSTERN_ROLE_DESTINATION 2u      /* there are rules (any -> class) */
#define POSTERN_ROLE_PAIR_SOURCE 4u      /* there are rules (class -> some class) */
#define POSTERN_ROLE_PAIR_DESTINATION 8u /* there are rules (some class -> class) */
#define POSTERN_ROLE_DEVICE 16u          /* some of them name a device */

struct postern_rule {
	__u32 order; /* the lowest of all that match decides */
	__u16 proxy_port;
	__u16 flags;
	__u32 reserved[2];
};
#define POSTERN_RULE_DRAINING 1u /* not in force any more: only the connections that the proxy has already go to it */

union postern_value {
	struct postern_class class;
	struct postern_rule rule;
};

/* -- prefixes4, prefixes6: ARRAY_OF_MAPS as rules; inner: LPM_TRIE to struct postern_class. Host addresses are in rules, not here. ---- */
struct postern_prefix4 {
	__u32 length;
	__u8 address[4];
};
struct postern_prefix6 {
	__u32 length;
	__u8 address[16];
};

/* -- flows: LRU_HASH to struct postern_memory: what a SYN decided -------------------------------------------------------------------- */
struct postern_flow {
	__u8 source[16]; /* as in postern_key */
	__u8 destination[16];
	__u16 source_port; /* host order */
	__u16 destination_port;
	__u8 protocol;
	__u8 zero[3];
};
struct postern_memory {
	__u32 what;
	__u32 end; /* of one that is closing: the sequence number behind the FIN of the end that began the connection, host order */
};
#define POSTERN_FLOW_STEERED 1u
#define POSTERN_FLOW_UNSTEERED 2u
#define POSTERN_FLOW_CLOSING 3u /* steered */

/* -- devices: HASH, interface index to 1: where postern_ingress runs ------------------------------------------------------------------ */

/* -- counters: PERCPU_ARRAY of __u64 packets ------------------------------------------------------------------------------------------ */
enum postern_counter {
	POSTERN_STEERED_NEW = 0,       /* SYN given to a listener */
	POSTERN_STEERED_ESTABLISHED,   /* packet of a connection the proxy has */
	POSTERN_STEERED_DATAGRAM,      /* UDP given to a listener */
	POSTERN_RETURNED,              /* answer to an upstream socket of the proxy */
	POSTERN_DRAINED,               /* packet of a connection the proxy has, by a rule that is gone */
	POSTERN_FROM_PROXY,            /* passed: bears the proxy's mark */
	POSTERN_ANSWER_PASSED,         /* passed: answers on a connection that began unsteered */
	POSTERN_OLDER_PASSED,          /* passed: of a connection older than the rules */
	POSTERN_OLDER_CUT,             /* given to the listener, which resets it: of no connection that is known */
	POSTERN_NO_LISTENER,           /* dropped: nobody listens at the proxy port */
	POSTERN_ASSIGN_FAILED,         /* dropped: the kernel refused the socket (SO_REUSEPORT before 6.6, another network namespace) */
	POSTERN_FRAGMENT_DROPPED,      /* dropped: a fragment between addresses that rules concern */
	POSTERN_FRAGMENT_PASSED,       /* passed: any other fragment */
	POSTERN_TRUNCATED,             /* dropped: the headers are not whole, or stand behind a second priority tag */
	POSTERN_EXTENSIONS_DROPPED,    /* dropped: more IPv6 extension headers than are read, between addresses that rules concern */
	POSTERN_VLAN_PASSED,           /* passed: tagged; the VLAN's own device judges it */
	POSTERN_OTHER_PROTOCOL,        /* passed: IP, neither TCP nor UDP */
	POSTERN_NOT_IP,                /* passed: ARP and the like */
	POSTERN_UNGUARDED_DROPPED,     /* dropped on the way out: a rule concerns it, and it came in by a device without the program */
	POSTERN_TIME_WAIT_ENDED,       /* SYN sent round by way of the device's queue, behind a reset that ends the TIME_WAIT in its way */
	POSTERN_ERROR_RETURNED,        /* ICMP error about what a socket of the proxy sent */
	POSTERN_SET_MISSING,           /* dropped: the filter says that rules concern the addresses, and the rules are not there */
	POSTERN_COUNTERS
};

_Static_assert(sizeof(struct postern_state) == 8, "StateSize");
_Static_assert(sizeof(struct postern_filter) == 8208, "FilterSize");
_Static_assert(sizeof(struct postern_key) == 20, "KeySize");
_Static_assert(sizeof(union postern_value) == 16, "ValueSize");
_Static_assert(sizeof(struct postern_prefix4) == 8, "Prefix4Size");
_Static_assert(sizeof(struct postern_prefix6) == 20, "Prefix6Size");
_Static_assert(sizeof(struct postern_flow) == 40, "FlowSize");
_Static_assert(sizeof(struct postern_memory) == 8, "MemorySize");

#endif
