# shellcheck shell=bash
# Three pods and a node.

readonly NODE=pst-node PREFIX=pst- DEATHSTAR=pst-deathstar TIEFIGHTER=pst-tiefighter XWING=pst-xwing
readonly DEATHSTAR_IP=10.200.1.2 TIEFIGHTER_IP=10.200.2.2 XWING_IP=10.200.3.2
readonly DEATHSTAR_IP6=fd00:200:1::2 TIEFIGHTER_IP6=fd00:200:2::2 XWING_IP6=fd00:200:3::2
readonly DEATHSTAR_NAME=deathstar.default.svc.cluster.local
readonly NAMESPACES=("$DEATHSTAR" "$TIEFIGHTER" "$XWING" "$NODE")
readonly HOSTS="$DEATHSTAR_IP $DEATHSTAR_NAME
$DEATHSTAR_IP6 $DEATHSTAR_NAME"

# shellcheck source=../network.sh
. "$DEMO/../network.sh"

network_up() {
    namespaces_up
    pod_up "$DEATHSTAR" "$DEATHSTAR_IP" "$DEATHSTAR_IP6"
    pod_up "$TIEFIGHTER" "$TIEFIGHTER_IP" "$TIEFIGHTER_IP6"
    pod_up "$XWING" "$XWING_IP" "$XWING_IP6"
}
