# shellcheck shell=bash
# The grpc demo. ./demo.sh sources this file and calls demo_up, demo_stages, demo_records, demo_hints and demo_down.

# shellcheck source=network.sh
. "$DEMO/network.sh"
# shellcheck source=../agent.sh
. "$DEMO/../agent.sh"

readonly SEEN="$STATE/doors.log" PORT=50051
# Debian's own Python: the package python3-grpcio belongs to it, whatever other Python comes first on PATH.
readonly PYTHON=(/usr/bin/python3 -B)

demo_need() { need python3 /usr/bin/python3 python3-grpcio /usr/lib/python3/dist-packages/grpc iptables iptables iproute2 ip; }

demo_up() {
    network_up
    setsid ip netns exec "$DOORS" "${PYTHON[@]}" "$DEMO/door_server.py" "$PORT" "$SEEN" </dev/null >"$STATE/doors.err" 2>&1 &
    disown
    agent_up
    until_true "the door manager listens on port $PORT; see $STATE/doors.err" listens
}

listens() { [ -n "$(ip netns exec "$DOORS" ss -Hltn "sport = :$PORT")" ]; }

demo_stages() {
    stage "no policy: everybody does everything, nothing is steered"
    expect "$TERMINAL" "GetName 1" "Spaceport Door #1"
    expect "$TERMINAL" "GetLocation 1" "lat 10.25 long 68.5"
    expect "$TERMINAL" "SetAccessCode 1 999" "done"
    expect "$DROID" "Patrol 4" "closed open closed open"
    seen "$TERMINAL_IP SetAccessCode 1" 1

    put_policy terminals
    stage "terminals may GetName, GetLocation and RequestMaintenance; others may not come near"
    expect "$TERMINAL" "GetName 1" "Spaceport Door #1"
    expect "$TERMINAL" "GetLocation 1" "lat 10.25 long 68.5"
    expect "$TERMINAL" "RequestMaintenance 1 squeaks" "done"
    expect "$TERMINAL" "GetStatus 1" "PERMISSION_DENIED: Access denied"
    expect "$TERMINAL" "SetAccessCode 1 999" "PERMISSION_DENIED: Access denied"
    expect "$DROID" "GetName 1" "UNAVAILABLE"
    seen "$TERMINAL_IP RequestMaintenance 1" 1
    seen "$TERMINAL_IP GetStatus 1" 0
    seen "$TERMINAL_IP SetAccessCode 1" 1
    seen "$DROID_IP GetName 1" 0
    recorded "GetName over HTTP/2, allowed" 1 '"entry_type":"Request"' '"protocol":"HTTP/2"' '"path":"/cloudcity.DoorManager/GetName"' '"verdict":"forwarded"'
    recorded "SetAccessCode, denied" 1 '"entry_type":"Denied"' '"path":"/cloudcity.DoorManager/SetAccessCode"' '"reason":"no_http_rule_matched"'
    recorded "its answer: grpc-status 7" 1 '"entry_type":"Response"' '"path":"/cloudcity.DoorManager/SetAccessCode"' '["grpc-status","7"]'

    put_policy droids
    stage "and droids may GetStatus and Patrol"
    expect "$DROID" "GetStatus 3" "closed"
    expect "$DROID" "Patrol 4" "closed open closed open"
    expect "$DROID" "SetAccessCode 1 0" "PERMISSION_DENIED: Access denied"
    expect "$TERMINAL" "GetName 1" "Spaceport Door #1"
    expect "$TERMINAL" "Patrol 4" "PERMISSION_DENIED: Access denied"
    seen "$DROID_IP Patrol 4" 2
    seen "$TERMINAL_IP Patrol 1" 0
}

# expect NAMESPACE CALL EXPECTED: makes the call as that pod and compares.
expect() {
    local who="${1#"$PREFIX"}" got
    # shellcheck disable=SC2086 # the arguments are words without blanks
    got=$(ip netns exec "$1" "${PYTHON[@]}" "$DEMO/door_client.py" "$DOORS_NAME:$PORT" $2 2>"$STATE/client.err") || got="client failed: $(tail -n 1 "$STATE/client.err")"
    row "$who: door_client.py $DOORS_NAME:$PORT $2" "$3" "$got"
}

# seen LINE COUNT: what the door manager's own log must hold: a denied call never gets there, an allowed one comes from the caller's own address.
seen() { row "door manager's log: $1" "$2 x" "$(grep -cxF "$1" "$SEEN" || true) x"; }

demo_records() { agent_records 24; }

demo_hints() {
    cat <<HINTS

The demo is up. Things to try (as root, in $PWD):
  ip netns exec $TERMINAL ${PYTHON[*]} demos/grpc/door_client.py $DOORS_NAME:$PORT GetName 1
  ip netns exec $TERMINAL ${PYTHON[*]} demos/grpc/door_client.py $DOORS_NAME:$PORT SetAccessCode 1 999
  ip netns exec $DROID ${PYTHON[*]} demos/grpc/door_client.py $DOORS_NAME:$PORT Patrol 6
  tail -f $SEEN
HINTS
    agent_hints
    say "Take everything away:"
    say "  ./demo.sh grpc --down"
}

demo_down() {
    network_down
    agent_down
}
demo_is_up() { network_exists || agent_is_up; }
