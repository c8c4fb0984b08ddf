# shellcheck shell=bash
# What the demos' networks have in common: pods and a node, each a network namespace. All links live inside the namespaces, so that
# the host's own network is never touched and removing the namespaces removes everything.
# A demo says before: NODE, PREFIX (of the namespaces' names), NAMESPACES (all of them) and HOSTS (lines of /etc/hosts).

namespaces_up() {
    local ns
    for ns in "${NAMESPACES[@]}"; do
        ip netns add "$ns"
        # Duplicate address detection would keep the links' own IPv6 addresses unusable for their first second.
        ip netns exec "$ns" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
        ip -n "$ns" link set lo up
        # `ip netns exec` lays this file over /etc/hosts: pods call each other by name.
        mkdir -p "/etc/netns/$ns"
        printf '127.0.0.1 localhost\n%s\n' "$HOSTS" >"/etc/netns/$ns/hosts"
    done
    # The replies of upstream connections carry a pod's address yet end at the node: reverse-path checks would drop them.
    ip netns exec "$NODE" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
        echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
        for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >"$f"; done'
}

# pod_up NAMESPACE IP IP6: a veth pair to the node, which is the pod's gateway (the .1 of its /24, the ::1 of its /64).
pod_up() {
    local link="${1#"$PREFIX"}" gateway="${2%.*}.1" gateway6="${3%::*}::1"
    ip -n "$NODE" link add "$link" type veth peer name eth0 netns "$1"
    ip -n "$NODE" addr add "$gateway/24" dev "$link"
    # nodad: the address is usable at once instead of after a second of duplicate detection.
    ip -n "$NODE" addr add "$gateway6/64" dev "$link" nodad
    ip netns exec "$NODE" sh -c "echo 0 >/proc/sys/net/ipv4/conf/$link/rp_filter"
    ip -n "$NODE" link set "$link" up
    ip -n "$1" addr add "$2/24" dev eth0
    ip -n "$1" addr add "$3/64" dev eth0 nodad
    ip -n "$1" link set eth0 up
    ip -n "$1" route add default via "$gateway"
    ip -n "$1" -6 route add default via "$gateway6"
}

# Ends what runs inside the namespaces, and nothing else, then removes them. Safe to call twice and half-way.
network_down() {
    local ns
    signal_inside TERM
    local deadline=$((SECONDS + 8))
    while [ -n "$(pids_inside)" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
    signal_inside KILL
    for ns in "${NAMESPACES[@]}"; do
        [ ! -e "/run/netns/$ns" ] || ip netns del "$ns"
        rm -rf "/etc/netns/$ns"
    done
    rmdir /etc/netns 2>/dev/null || true
}

pids_inside() {
    local ns
    for ns in "${NAMESPACES[@]}"; do
        [ ! -e "/run/netns/$ns" ] || ip netns pids "$ns"
    done
}

signal_inside() {
    local pid
    for pid in $(pids_inside); do kill "-$1" "$pid" 2>/dev/null || true; done
}

network_exists() {
    local ns
    for ns in "${NAMESPACES[@]}"; do
        [ ! -e "/run/netns/$ns" ] || return 0
    done
    return 1
}
