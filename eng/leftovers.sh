# shellcheck shell=bash
# What a test or a demo could leave behind on the machine, one item a line and sorted, so that two listings can be compared.

# Rules and chains only: the iptables tools create empty built-in tables when they are first asked, and that is no leftover.
network_state() {
    {
        ip netns list 2>/dev/null | awk '{print "namespace " $1}'
        iptables-save 2>/dev/null | sed -n 's/^\(-A .*\)/iptables \1/p; s/^:\([^ ]*\) - .*/iptables chain \1/p'
        ip6tables-save 2>/dev/null | sed -n 's/^\(-A .*\)/ip6tables \1/p; s/^:\([^ ]*\) - .*/ip6tables chain \1/p'
        ip rule list 2>/dev/null | sed 's/^/ip rule /'
        ip -6 rule list 2>/dev/null | sed 's/^/ip -6 rule /'
        awk '$3 == "bpf" {print "bpf file system " $2}' /proc/mounts
        ip -o link show 2>/dev/null | awk '{sub(/@.*/, "", $2); sub(/:$/, "", $2); print "link " $2}'
    } | sort
}

# added_since FILE: what is there now and was not when FILE was written by network_state.
added_since() { network_state | comm -13 "$1" -; }

# Waits until nothing is left (a process that ends takes a moment to take its rules away), at most 5 s; prints what stays.
leftovers_since() {
    local deadline=$((SECONDS + 5)) left
    while left=$(added_since "$1") && [ -n "$left" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
    printf '%s' "$left"
}
