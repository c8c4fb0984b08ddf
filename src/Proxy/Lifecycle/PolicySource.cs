using System;
using Postern.Filters;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Proxy.Lifecycle;

/// <summary>
/// Policies and identities of one <c>cilium_config_source</c>: a file, compiled when it changes, swapped by one reference write. Before the
/// first good version, and when the file never was good, everything is denied.
/// </summary>
internal sealed class PolicySource : IPolicySource, IDisposable
{
    private readonly FileResourceSource<ResourceFile> source;
    private readonly Action<string> log;
    private readonly string path;
    private volatile PolicyState current = PolicyState.Empty;

    public PolicySource(string path, Action<string> warn, Action<string> log)
    {
        this.path = path;
        this.log = log;
        var store = new ResourceStore<ResourceFile>(Publish, warn);
        source = new FileResourceSource<ResourceFile>(path, static p => ResourceFile.Load(p, ResourceKinds.Policy), store);
    }

    public PolicyState Current => current;

    public ISecretSource Secrets { get; } = new NoSecrets();

    /// <summary>Reads the file and follows it. An error is reported and leaves everything denied until the file is mended.</summary>
    public void Start() => source.Start();

    public void Dispose() => source.Dispose();

    private void Publish(ResourceFile file)
    {
        var old = current;
        // Compile throws before anything changed: the last good state stays in force.
        var policies = PolicySnapshot.Compile(file.NetworkPolicies, old.Policies);
        var hosts = IdentityMap.Compile(file.NetworkPolicyHosts);
        current = new PolicyState(policies, hosts, file.VersionInfo.Length > 0 ? file.VersionInfo : "unversioned");
        log($"policy in force: {path} version {current.Version}, {file.NetworkPolicies.Count} endpoint policies, {file.NetworkPolicyHosts.Count} identities");
    }

    // SDS comes with the gRPC control plane; until then a rule that needs a secret fails, as it does upstream while a secret is missing.
    private sealed class NoSecrets : ISecretSource
    {
        public string? FindGenericSecret(string name) => null;
    }
}
