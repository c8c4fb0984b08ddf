# shellcheck shell=bash
# Cloud City: the door manager, a public terminal, a droid and a node between them.

readonly NODE=pcc-node PREFIX=pcc- DOORS=pcc-doors TERMINAL=pcc-terminal87 DROID=pcc-droid
readonly DOORS_IP=10.201.1.2 TERMINAL_IP=10.201.2.2 DROID_IP=10.201.3.2
readonly DOORS_NAME=cc-door-server
readonly NAMESPACES=("$DOORS" "$TERMINAL" "$DROID" "$NODE")
readonly HOSTS="$DOORS_IP $DOORS_NAME"

# shellcheck source=../network.sh
. "$DEMO/../network.sh"

network_up() {
    namespaces_up
    pod_up "$DOORS" "$DOORS_IP" fd00:201:1::2
    pod_up "$TERMINAL" "$TERMINAL_IP" fd00:201:2::2
    pod_up "$DROID" "$DROID_IP" fd00:201:3::2
}
