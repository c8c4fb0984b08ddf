# shellcheck shell=bash
# The starwars demo. ./demo.sh sources this file and calls demo_up, demo_stages, demo_records, demo_hints and demo_down.

# shellcheck source=network.sh
. "$DEMO/network.sh"
# shellcheck source=../agent.sh
. "$DEMO/../agent.sh"

readonly DEATHSTAR_DIR="$STATE/deathstar"
readonly LANDING="-4 -XPOST $DEATHSTAR_NAME/v1/request-landing" LANDING6="-6 -XPOST $DEATHSTAR_NAME/v1/request-landing" EXHAUST="-4 -XPUT $DEATHSTAR_NAME/v1/exhaust-port"

demo_need() { need curl curl nginx nginx iptables iptables iproute2 ip; }

demo_up() {
    network_up
    mkdir -p "$DEATHSTAR_DIR"
    cp "$DEMO/nginx.conf" "$DEATHSTAR_DIR/nginx.conf"
    ip netns exec "$DEATHSTAR" nginx -p "$DEATHSTAR_DIR" -c nginx.conf ||
        die "nginx did not start in $DEATHSTAR; see $DEATHSTAR_DIR/error.log"

    agent_up
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
    say "postern-agent endpoint list:"
    out/postern-agent endpoint list "${ask[@]}" || true
    say ""
    say "postern-agent policy trace --from default/tiefighter --to default/deathstar --port 80 --http \"PUT /v1/exhaust-port\":"
    out/postern-agent policy trace "${ask[@]}" --from default/tiefighter --to default/deathstar --port 80 --http "PUT /v1/exhaust-port" || true
    agent_records
}

demo_hints() {
    cat <<HINTS

The demo is up. Things to try (as root, in $PWD):
  ip netns exec $TIEFIGHTER curl -s $LANDING
  ip netns exec $TIEFIGHTER curl -si $EXHAUST
  ip netns exec $XWING curl -s $LANDING
  nsenter --net=/run/netns/$XWING curl -s -XPOST $DEATHSTAR_IP/v1/request-landing
  tail -f $DEATHSTAR_DIR/access.log
  cp $DEMO/policies/l3-l4.yaml $FOLDER/.new && mv $FOLDER/.new $FOLDER/policy.yaml
  out/postern-agent steering list --api-socket $API
  out/postern-agent steering counters --api-socket $API
  out/postern-agent policy trace --api-socket $API --from default/xwing --to default/deathstar --port 80 --http "POST /v1/request-landing"
  out/postern-agent monitor --api-socket $API
HINTS
    agent_hints
    say "Take everything away:"
    say "  ./demo.sh --down"
}

demo_down() {
    network_down
    agent_down
}
demo_is_up() { network_exists || agent_is_up; }
