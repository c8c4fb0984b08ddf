using System.Collections.Generic;
using System.Net;
using Cilium;
using Postern.Agent.Compile;
using Postern.Agent.Runtime;
using Postern.Policy;

namespace Postern.Tests.Agent.Runtime;

/// <summary>A folder in memory.</summary>
internal sealed class FakeSource : INodeSource
{
    public CompiledNode? Node { get; set; } = CompiledNode.Empty;

    public List<string> Problems { get; } = [];

    /// <summary>When set, the next reading throws it.</summary>
    public System.Exception? Failure { get; set; }

    public NodeReading Read()
    {
        if (Failure is { } failure)
        {
            Failure = null;
            throw failure;
        }
        return new(Node, [.. Problems], []);
    }

    /// <summary>One endpoint with one redirect of its ingress.</summary>
    public static CompiledNode NodeOf(string name, string address, ushort port = 80) => new()
    {
        Endpoints =
        [
            new CompiledEndpoint
            {
                Id = 1,
                Name = name,
                Identity = 1000,
                Labels = [],
                Addresses = [IPAddress.Parse(address)],
                Policy = new NetworkPolicy(),
                IngressEnforced = true,
                EgressEnforced = false,
                Redirects = [new Redirect(TrafficDirection.Ingress, port, port, RedirectKind.Tcp)],
            },
        ],
    };
}
