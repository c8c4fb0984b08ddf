using System;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Agent.Envoy;

/// <summary>The agent as a source of resources, as its own listeners and the bootstrap name it.</summary>
public static class AgentSources
{
    /// <summary>The static cluster that leads to the agent's xDS socket. Cilium's name, which is the default of <c>cilium.bpf_metadata</c>.</summary>
    public const string ClusterName = "xds-grpc-cilium";

    /// <summary>State of the world over one gRPC stream per type; the first fetch may take 30 s, Cilium's <c>proxy-initial-fetch-timeout</c>.</summary>
    public static ConfigSource Grpc() => new()
    {
        ApiConfigSource = new ApiConfigSource
        {
            ApiType = ApiConfigSource.Types.ApiType.Grpc,
            TransportApiVersion = ApiVersion.V3,
            SetNodeOnFirstMessageOnly = true,
            GrpcServices = { new GrpcService { EnvoyGrpc = new GrpcService.Types.EnvoyGrpc { ClusterName = ClusterName } } },
        },
        InitialFetchTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
        ResourceApiVersion = ApiVersion.V3,
    };
}
