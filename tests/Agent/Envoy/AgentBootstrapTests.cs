using System.Linq;
using System.Net.Sockets;
using System.Text;
using Postern.Agent.Envoy;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Tests.Agent.Envoy;

public sealed class AgentBootstrapTests
{
    [Fact]
    public void Bootstrap_IsAcceptedByTheProxysLoader()
    {
        var text = AgentBootstrap.Write(new AgentBootstrapOptions { XdsSocket = "/run/a \"quoted\" folder/xds.sock", AdminSocket = "/run/admin.sock" });
        var config = BootstrapLoader.Load(Encoding.UTF8.GetBytes(text), "bootstrap.json");
        Assert.Equal(("host~127.0.0.1~no-id~localdomain", "ingress-cluster"), (config.Node.Id, config.Node.Cluster));
        Assert.Equal(["ingress-cluster", "egress-cluster", "ingress-cluster-tls", "egress-cluster-tls", "xds-grpc-cilium"], config.StaticClusters.Select(cluster => cluster.Name));
        Assert.Equal([ClusterType.OriginalDst, ClusterType.OriginalDst, ClusterType.OriginalDst, ClusterType.OriginalDst, ClusterType.Static], config.StaticClusters.Select(cluster => cluster.Type));
        Assert.Equal([false, false, true, true, false], config.StaticClusters.Select(cluster => cluster.TlsByPolicy));
        // The name in TLS is the client's own: neither of these may stand in for it.
        Assert.All(config.StaticClusters, cluster => Assert.False(cluster.AutoSni || cluster.AutoSanValidation));
        Assert.Contains("xds-grpc-cilium", Assert.IsType<GrpcSourceConfig>(config.LdsSource).ToString());
        Assert.Equal(config.LdsSource, config.CdsSource);
        Assert.Equal("/run/admin.sock", Assert.IsType<UnixDomainSocketEndPoint>(config.AdminAddress).ToString());
        Assert.Contains("/run/a \\\"quoted\\\" folder/xds.sock", text);
    }
}
