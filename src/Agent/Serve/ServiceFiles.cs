using System.Collections.Generic;
using Cilium;
using Envoy.Service.Cluster.V3;
using Envoy.Service.Discovery.V3;
using Envoy.Service.Endpoint.V3;
using Envoy.Service.Listener.V3;
using Envoy.Service.Route.V3;
using Envoy.Service.Secret.V3;
using Google.Protobuf.Reflection;

namespace Postern.Agent.Serve;

/// <summary>The files that describe the services, for reflection: Cilium's agent has it on.</summary>
internal static class ServiceFiles
{
    private static readonly FileDescriptor[] All =
    [
        LdsReflection.Descriptor, CdsReflection.Descriptor, RdsReflection.Descriptor, EdsReflection.Descriptor, SdsReflection.Descriptor,
        AdsReflection.Descriptor, NpdsReflection.Descriptor, NphdsReflection.Descriptor,
    ];

    /// <summary>The file of a service, by full name.</summary>
    public static FileDescriptor Find(string service)
    {
        foreach (var file in All)
        {
            foreach (var declared in file.Services)
            {
                if (declared.FullName == service)
                {
                    return file;
                }
            }
        }
        throw new KeyNotFoundException($"no file describes {service}");
    }
}
