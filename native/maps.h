/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps, with the names that their pins have. What is in them stands in steering.h. */
#ifndef POSTERN_MAPS_H
#define POSTERN_MAPS_H

#include <linux/bpf.h>

#if !__has_include(<bpf/bpf_helpers.h>)
#error "bpf/bpf_helpers.h is missing: apt-get install libbpf-dev"
#endif
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steering.h"

/*
 * Inner maps with other numbers of entries may take the place of the template: the kernel compares type, key size, value size and flags only.
 * Sizes instead of types: of types that only an inner map names, clang puts no more than a forward declaration into the BTF.
 */
struct postern_rules {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct postern_key));
	__uint(value_size, sizeof(union postern_value));
};

struct postern_prefixes4 {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct postern_prefix4));
	__uint(value_size, sizeof(struct postern_class));
};

struct postern_prefixes6 {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct postern_prefix6));
	__uint(value_size, sizeof(struct postern_class));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct postern_state);
} state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct postern_filter);
} filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct postern_rules);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct postern_prefixes4);
} prefixes4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct postern_prefixes6);
} prefixes6 SEC(".maps");

/* max_entries is set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct postern_flow);
	__type(value, struct postern_memory);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, POSTERN_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(enum postern_counter which)
{
	__u32 key = which;
	__u64 *packets = bpf_map_lookup_elem(&counters, &key);

	if (packets)
		*packets += 1; /* per CPU, and nothing interrupts a tc program to run it again on the same CPU */
}

#endif
