# shellcheck shell=bash
# The starwars demo. ./demo.sh sources this file and calls demo_up, demo_stages, demo_records, demo_hints and demo_down.

# shellcheck source=network.sh
. "$DEMO/network.sh"

readonly FOLDER="$STATE/folder" RUN="$STATE/run" AGENT_LOG="$STATE/agent.log" DEATHSTAR_DIR="$STATE/deathstar"
readonly BPF="$STATE/bpf" # a BPF file system of the demo's own: whatever is pinned goes with its mount
readonly API="$RUN/agent.sock" OBSERVE="$RUN/observe.sock" POSTERN_LOG="$RUN/proxy.log" RECORDS="$STATE/records.json"
readonly LANDING="-4 -XPOST $DEATHSTAR_NAME/v1/request-landing" LANDING6="-6 -XPOST $DEATHSTAR_NAME/v1/request-landing" EXHAUST="-4 -XPUT $DEATHSTAR_NAME/v1/exhaust-port"

demo_need() { need curl curl nginx nginx iptables iptables iproute2 ip; }

demo_up() {
    network_up
    mkdir -p "$DEATHSTAR_DIR"
    cp "$DEMO/nginx.conf" "$DEATHSTAR_DIR/nginx.conf"
    ip netns exec "$DEATHSTAR" nginx -p "$DEATHSTAR_DIR" -c nginx.conf ||
        die "nginx did not start in $DEATHSTAR; see $DEATHSTAR_DIR/error.log"

    mkdir -p "$FOLDER" "$RUN" "$BPF"
    # Where it cannot be mounted, the agent steers by iptables and says why.
    mount -t bpf bpf "$BPF" 2>/dev/null || true
    cp "$DEMO/endpoints.yaml" "$FOLDER/"
    # Its own session: Ctrl-C reaches this script only, which then takes the demo down in order.
    # nsenter, for `ip netns exec` would take it to a mount namespace of its own, and what eBPF pins would end with it.
    setsid nsenter --net="/run/netns/$NODE" out/postern-agent run --bpf-root "$BPF" --dir "$FOLDER" --runtime-dir "$RUN" --state-dir "$STATE/agent" \
        --proxy-arg=--record-json --proxy-arg="$RECORDS" </dev/null >"$AGENT_LOG" 2>&1 &
    AGENT_PID=$!
    disown
    enforced_after 0
    say "Steering: $(out/postern-agent steering list --api-socket "$API" | sed -n 's/^Mode: *//p')"
}

# put_policy NAME: renaming a whole file into place is what makes the change atomic for whoever watches it. Waits until the proxy has
# ACKed it and the traffic is steered.
put_policy() {
    local before
    before=$(revision enforcedRevision)
    cp "$DEMO/policies/$1.yaml" "$FOLDER/.policy.new"
    mv "$FOLDER/.policy.new" "$FOLDER/policy.yaml"
    enforced_after "$before"
}

# revision NAME: a number of the agent's status: revision or enforcedRevision; nothing while the agent does not answer.
revision() { out/postern-agent status --api-socket "$API" -o json 2>/dev/null | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"; }

enforced_after() { until_true "the agent enforces a revision after $1" is_enforced_after "$1"; }

is_enforced_after() { [ "$(revision enforcedRevision)" -gt "$1" ] 2>/dev/null; }

# until_true WHAT COMMAND...: waits for a condition at most 40 s, and reports what agent and proxy said when it does not come.
until_true() {
    local what="$1" deadline=$((SECONDS + 40))
    shift
    until "$@"; do
        [ -e "/proc/$AGENT_PID" ] || complain "postern-agent ended"
        [ "$SECONDS" -lt "$deadline" ] || complain "waited 40 s in vain: $what"
        sleep 0.1
    done
}

complain() {
    out/postern-agent status --api-socket "$API" >&2 || true
    tail -n 20 "$AGENT_LOG" >&2
    tail -n 20 "$POSTERN_LOG" >&2 || true
    die "$1; the agent's status and the last lines of agent and proxy stand above."
}

demo_stages() {
    stage "no policy: everybody lands, nothing is steered"
    expect "$TIEFIGHTER" "$LANDING" "Ship landed"
    expect "$XWING" "$LANDING" "Ship landed"
    seen "$TIEFIGHTER_IP POST /v1/request-landing 200" 1
    seen "$XWING_IP POST /v1/request-landing 200" 1
    enforcement deathstar Disabled

    put_policy l3-l4
    stage "L3/L4 policy: port 80 for org=empire"
    enforcement deathstar Enabled
    enforcement tiefighter Disabled
    expect "$TIEFIGHTER" "$LANDING" "Ship landed"
    expect "$XWING" "$LANDING" "reset or times out"
    expect "$TIEFIGHTER" "$EXHAUST" "Panic: deathstar exploded"
    seen "$XWING_IP POST /v1/request-landing 200" 1
    seen "$TIEFIGHTER_IP PUT /v1/exhaust-port 503" 1

    put_policy l7
    stage "L7 policy: org=empire may only POST /v1/request-landing"
    expect "$TIEFIGHTER" "$LANDING" "Ship landed"
    expect "$TIEFIGHTER" "$EXHAUST" "Access denied (403)"
    expect "$XWING" "$LANDING" "reset or times out"
    expect "$TIEFIGHTER" "$LANDING6" "Ship landed"
    expect "$XWING" "$LANDING6" "reset or times out"
    seen "$TIEFIGHTER_IP6 POST /v1/request-landing 200" 1
    seen "$TIEFIGHTER_IP PUT /v1/exhaust-port 503" 1
    traced default/tiefighter "POST /v1/request-landing" allowed
    traced default/tiefighter "PUT /v1/exhaust-port" denied
    traced default/xwing "POST /v1/request-landing" denied
}

# enforcement ENDPOINT EXPECTED: the INGRESS column of the agent's endpoint list.
enforcement() {
    local got
    got=$(out/postern-agent endpoint list --api-socket "$API" 2>&1 | awk -v name="default/$1" '$2 == name { print $3 }')
    row "postern-agent endpoint list: ingress of $1" "$2" "$got"
}

# traced ENDPOINT REQUEST EXPECTED: what the agent says it would decide.
traced() {
    local got
    got=$(out/postern-agent policy trace --api-socket "$API" --from "$1" --to default/deathstar --port 80 --http "$2" -o json 2>&1 | sed -n 's/.*"verdict": *"\([a-z]*\)".*/\1/p')
    row "postern-agent policy trace --from $1 --to default/deathstar --port 80 --http \"$2\"" "$3" "$got"
}

# expect NAMESPACE CURL-ARGUMENTS EXPECTED: runs curl as a ship and compares.
expect() {
    local ship="${1#pst-}" args="$2" want="$3" body status=0 code got
    # shellcheck disable=SC2086 # the arguments are words without blanks
    body=$(ip netns exec "$1" curl -s -v -m 5 -w '\n%{http_code}' $args 2>"$STATE/curl.err") || status=$?
    code=${body##*$'\n'}
    body=${body%%$'\n'*}
    body=${body%$'\r'}
    case "$status:$code" in
        0:403) got="$body (403)" ;;
        0:*) got="$body" ;;
        # A datapath that drops makes the client hang; a proxy that refuses resets it.
        28:* | 35:* | 52:* | 55:* | 56:*) got="reset or times out" ;;
        # The reset may be faster than curl's look at the new connection; "Connection refused" (nobody listens) has the same exit code.
        7:*) if grep -q 'Connection reset by peer' "$STATE/curl.err"; then got="reset or times out"; else got="no connection (curl 7)"; fi ;;
        *) got="curl exit $status" ;;
    esac
    row "$ship: curl -s $args" "$want" "$got"
}

# seen LINE COUNT: what the death star's own log must hold: a denied request never gets there, an allowed one comes from the ship's own address.
# nginx writes its line after the answer is out, so a missing one is waited for, at most 2 s.
seen() {
    local count deadline=$((SECONDS + 2))
    while count=$(grep -cxF "$1" "$DEATHSTAR_DIR/access.log" || true) && [ "$count" -lt "$2" ] && [ "$SECONDS" -le "$deadline" ]; do sleep 0.05; done
    row "deathstar's log: $1" "$2 x" "$count x"
}

demo_records() {
    local ask=(--api-socket "$API")
    say ""
    say "postern-agent status:"
    out/postern-agent status "${ask[@]}" || true
    say ""
    say "postern-agent endpoint list:"
    out/postern-agent endpoint list "${ask[@]}" || true
    say ""
    say "postern-agent policy trace --from default/tiefighter --to default/deathstar --port 80 --http \"PUT /v1/exhaust-port\":"
    out/postern-agent policy trace "${ask[@]}" --from default/tiefighter --to default/deathstar --port 80 --http "PUT /v1/exhaust-port" || true
    say ""
    say "Flow records:"
    # A postern that cannot be asked is no reason to hide the records: the file has them too.
    timeout 10 out/postern observe --socket "$OBSERVE" --last 20 --follow false -o table </dev/null 2>"$STATE/observe.err" || {
        sed 's/^/observe: /' "$STATE/observe.err" >&2
        tail -n 20 "$RECORDS"
    }
}

demo_hints() {
    cat <<HINTS

The demo is up. Things to try (as root, in $PWD):
  ip netns exec $TIEFIGHTER curl -s $LANDING
  ip netns exec $TIEFIGHTER curl -si $EXHAUST
  ip netns exec $XWING curl -s $LANDING
  nsenter --net=/run/netns/$XWING curl -s -XPOST $DEATHSTAR_IP/v1/request-landing
Change the policy: edit a copy, then rename it into place; the agent compiles it, the proxy ACKs it, it applies to the next request.
  cp $FOLDER/policy.yaml $FOLDER/.new && editor $FOLDER/.new && mv $FOLDER/.new $FOLDER/policy.yaml
  cp $DEMO/policies/l3-l4.yaml $FOLDER/.new && mv $FOLDER/.new $FOLDER/policy.yaml
Ask the agent (add -o json for programs):
  out/postern-agent status --api-socket $API
  out/postern-agent endpoint list --api-socket $API
  out/postern-agent steering list --api-socket $API
  out/postern-agent steering counters --api-socket $API
  out/postern-agent policy get --api-socket $API
  out/postern-agent policy trace --api-socket $API --from default/xwing --to default/deathstar --port 80 --http "POST /v1/request-landing"
  nsenter --net=/run/netns/$NODE out/postern-agent doctor --api-socket $API --bpf-root $BPF
Watch the flows, the agent, the proxy, the death star:
  out/postern observe --socket $OBSERVE
  out/postern-agent monitor --api-socket $API
  tail -f $AGENT_LOG
  tail -f $POSTERN_LOG
  tail -f $DEATHSTAR_DIR/access.log
Take everything away:
  ./demo.sh --down
HINTS
}

demo_down() {
    network_down
    while mountpoint -q "$BPF"; do umount -l "$BPF"; done
}
demo_is_up() { network_exists || mountpoint -q "$BPF"; }
