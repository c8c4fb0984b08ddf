using System;
using System.IO;
using System.Threading.Tasks;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

public sealed class FileSubscriptionTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-xds-").FullName;

    private string Policy => Path.Combine(folder, "policy.yaml");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string text)
    {
        File.WriteAllText(Policy + ".tmp", text);
        File.Move(Policy + ".tmp", Policy, overwrite: true);
    }

    // The fake decoder reads NAME=VALUE from bytes; a policy's bytes hold its address.
    private static string Hosts(string version, string host) =>
        $"version_info: \"{version}\"\nresources:\n- \"@type\": type.googleapis.com/cilium.NetworkPolicyHosts\n  policy: 1\n  host_addresses: [\"{host}\"]\n";

    [Fact]
    public async Task File_Replacement_IsAnUpdateAndABadOneKeepsTheLastGood()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        Write(Hosts("1", "a=1"));
        using var subscription = x.Client.Subscribe(ResourceType.NetworkPolicyHosts, new FileSourceConfig(Policy), [], sink);
        Assert.True((await sink.UpdateAsync()).IsFullSet);
        Write(Hosts("2", "a=bad"));
        await ClientFixture.UntilAsync(() => subscription.Status.Rejected == 1, () => subscription.Status.ToString());
        Assert.StartsWith($"{Policy}:3:3: resources[0].value: ", Assert.Single(x.Log), StringComparison.Ordinal);
        Assert.Equal("1", subscription.Status.Version);
        Write(Hosts("3", "a=22"));
        Assert.Equal("3", (await sink.UpdateAsync()).Version);
        Assert.Equal("live", subscription.Status.State);
    }

    [Fact]
    public async Task File_OfSeveralTypes_GivesEachSubscriptionItsOwn()
    {
        await using var x = new ClientFixture();
        RecordingSink hosts = new(), policies = new();
        Write(Hosts("1", "h=1") + "- \"@type\": type.googleapis.com/cilium.NetworkPolicy\n  endpoint_ips: [\"p=1\"]\n");
        using var first = x.Client.Subscribe(ResourceType.NetworkPolicyHosts, new FileSourceConfig(Policy), [], hosts);
        using var second = x.Client.Subscribe(ResourceType.NetworkPolicy, new FileSourceConfig(Policy), [], policies);
        Assert.Single((await hosts.UpdateAsync()).Resources);
        Assert.Single((await policies.UpdateAsync()).Resources);
    }

    [Fact]
    public async Task File_RefusedByTheSink_NamesTheLine()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink { OnApply = static update => [new ResourceProblem(update.Resources[0].Name, "host_addresses[0]", "is refused")] };
        Write(Hosts("1", "a=1"));
        using var subscription = x.Client.Subscribe(ResourceType.NetworkPolicyHosts, new FileSourceConfig(Policy), [], sink);
        await ClientFixture.UntilAsync(() => !x.Log.IsEmpty, () => subscription.Status.ToString());
        Assert.StartsWith($"{Policy}:5:", Assert.Single(x.Log), StringComparison.Ordinal);
    }
}
