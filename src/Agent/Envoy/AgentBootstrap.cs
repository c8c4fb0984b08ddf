using System;
using Cilium;
using Envoy.Config.Bootstrap.V3;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Options = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;

namespace Postern.Agent.Envoy;

/// <summary>The bootstrap of the proxy that the agent launches: who it is, where its agent is, and the clusters of its own listeners.</summary>
public static class AgentBootstrap
{
    /// <summary>Upstream of ingress listeners: the original destination.</summary>
    public const string IngressCluster = "ingress-cluster";

    /// <summary>Upstream of egress listeners: the original destination.</summary>
    public const string EgressCluster = "egress-cluster";

    /// <summary>Behind a cluster's name: the same upstream, with TLS where policy originates it.</summary>
    public const string TlsSuffix = "-tls";

    private const string HttpOptionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>The text for <c>postern run -c FILE.json</c>.</summary>
    public static string Write(AgentBootstrapOptions options)
    {
        var types = TypeRegistry.FromMessages(Options.Descriptor, UpstreamTlsWrapperContext.Descriptor);
        var form = JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithIndentation().WithTypeRegistry(types);
        return new JsonFormatter(form).Format(Build(options)) + "\n";
    }

    /// <summary>The message.</summary>
    public static Bootstrap Build(AgentBootstrapOptions options) => new()
    {
        Node = new Node { Id = options.NodeId, Cluster = IngressCluster },
        StaticResources = new Bootstrap.Types.StaticResources
        {
            Clusters =
            {
                OriginalDestination(IngressCluster, options),
                OriginalDestination(EgressCluster, options),
                WithTls(OriginalDestination(IngressCluster + TlsSuffix, options)),
                WithTls(OriginalDestination(EgressCluster + TlsSuffix, options)),
                Agent(options),
            },
        },
        DynamicResources = new Bootstrap.Types.DynamicResources { LdsConfig = AgentSources.Grpc(), CdsConfig = AgentSources.Grpc() },
        Admin = new Admin { Address = Pipe(options.AdminSocket) },
    };

    private static Cluster OriginalDestination(string name, AgentBootstrapOptions options) => new()
    {
        Name = name,
        Type = Cluster.Types.DiscoveryType.OriginalDst,
        LbPolicy = Cluster.Types.LbPolicy.ClusterProvided,
        ConnectTimeout = Duration.FromTimeSpan(options.ConnectTimeout),
        CleanupInterval = Duration.FromTimeSpan(options.ConnectTimeout + TimeSpan.FromSeconds(0.5)),
        TypedExtensionProtocolOptions =
        {
            [HttpOptionsName] = Any.Pack(new Options
            {
                CommonHttpProtocolOptions = new global::Envoy.Config.Core.V3.HttpProtocolOptions { IdleTimeout = Duration.FromTimeSpan(options.IdleTimeout) },
                UseDownstreamProtocolConfig = new Options.Types.UseDownstreamHttpConfig(),
            }),
        },
    };

    // Without auto_sni and auto_san_validation: the name is the one that the client's hello has, and the rule's CA decides (cilium.tls_wrapper).
    private static Cluster WithTls(Cluster cluster)
    {
        cluster.TransportSocket = new TransportSocket { Name = "cilium.tls_wrapper", TypedConfig = Any.Pack(new UpstreamTlsWrapperContext()) };
        return cluster;
    }

    private static Cluster Agent(AgentBootstrapOptions options) => new()
    {
        Name = AgentSources.ClusterName,
        Type = Cluster.Types.DiscoveryType.Static,
        ConnectTimeout = Duration.FromTimeSpan(options.ConnectTimeout),
        LoadAssignment = new ClusterLoadAssignment
        {
            ClusterName = AgentSources.ClusterName,
            Endpoints = { new LocalityLbEndpoints { LbEndpoints = { new LbEndpoint { Endpoint = new Endpoint { Address = Pipe(options.XdsSocket) } } } } },
        },
        TypedExtensionProtocolOptions =
        {
            [HttpOptionsName] = Any.Pack(new Options
            {
                ExplicitHttpConfig = new Options.Types.ExplicitHttpConfig { Http2ProtocolOptions = new Http2ProtocolOptions() },
            }),
        },
    };

    private static Address Pipe(string path) => new() { Pipe = new Pipe { Path = path } };
}
