using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;

namespace Postern.Tests.Xds;

/// <summary>A file source as the proxy uses it: how changes are noticed, and that a bad one changes nothing.</summary>
public sealed class FollowedFileTests : IDisposable, IResourceSink
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static readonly FileWatchOptions Notified = new(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(200), TimeSpan.FromHours(1));
    private static readonly FileWatchOptions Polled = Notified with { Poll = TimeSpan.FromMilliseconds(5), UseNotifications = false };

    private readonly string folder = Directory.CreateTempSubdirectory("postern-xds-").FullName;
    private readonly BlockingCollection<ulong> published = [];
    private readonly BlockingCollection<string> errors = [];

    private string File1 => Path.Combine(folder, "policy.yaml");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Text(ulong policy) =>
        $"version_info: \"1\"\nresources:\n- \"@type\": type.googleapis.com/cilium.NetworkPolicyHosts\n  policy: {policy}\n";

    private DiscoveryClient Follow(FileWatchOptions options, string? path = null)
    {
        var client = new DiscoveryClient(new DiscoveryClientOptions
        {
            Node = new Envoy.Config.Core.V3.Node(),
            Decoder = new ResourceDecoder(new DecodeOptions()),
            Transport = _ => throw new InvalidOperationException("a file needs no transport"),
            Log = errors.Add,
            FileWatch = options,
        });
        client.Subscribe(ResourceType.NetworkPolicyHosts, new FileSourceConfig(path ?? File1), [], this);
        return client;
    }

    IReadOnlyList<ResourceProblem> IResourceSink.Apply(ResourceUpdate update)
    {
        var policy = ((NetworkPolicyHostsConfig)update.Resources[0].Config).Policy;
        if (policy == 666)
        {
            return [new ResourceProblem("666", "", "NetworkPolicyHosts: refused")];
        }
        published.Add(policy);
        return [];
    }

    void IResourceSink.OnFetchTimeout(IReadOnlyList<string> names)
    {
    }

    private ulong NextPublished() =>
        published.TryTake(out var policy, Deadline) ? policy : throw new TimeoutException($"nothing published; errors: {string.Join(" | ", errors)}");

    private string NextError() => errors.TryTake(out var error, Deadline) ? error : throw new TimeoutException("no error reported");

    private void Replace(string text)
    {
        System.IO.File.WriteAllText(File1 + ".tmp", text);
        System.IO.File.Move(File1 + ".tmp", File1, overwrite: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReplacementByRename_IsPublished(bool notified)
    {
        Replace(Text(1));
        await using var client = Follow(notified ? Notified : Polled);
        Assert.Equal(1ul, NextPublished());
        for (var i = 2ul; i < 6; i++)
        {
            // Another length each time, so that the poll can tell without waiting for the clock of the file system.
            Replace(Text(i) + new string('\n', (int)i));
            Assert.Equal(i, NextPublished());
        }
        Assert.Empty(errors);
    }

    [Fact]
    public async Task WriteInPlace_IsPublished()
    {
        System.IO.File.WriteAllText(File1, Text(1));
        await using var client = Follow(Notified);
        Assert.Equal(1ul, NextPublished());
        System.IO.File.WriteAllText(File1, Text(2));
        Assert.Equal(2ul, NextPublished());
    }

    [Fact]
    public async Task SymlinkSwapOfAConfigMap_IsPublished()
    {
        foreach (var version in (ulong[])[1, 2])
        {
            var data = Directory.CreateDirectory(Path.Combine(folder, "..v" + version)).FullName;
            System.IO.File.WriteAllText(Path.Combine(data, "policy.yaml"), Text(version));
        }
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data"), "..v1");
        System.IO.File.CreateSymbolicLink(File1, "..data/policy.yaml");
        await using var client = Follow(Notified);
        Assert.Equal(1ul, NextPublished());
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data_tmp"), "..v2");
        Assert.Equal(0, Rename(Path.Combine(folder, "..data_tmp"), Path.Combine(folder, "..data")));
        Assert.Equal(2ul, NextPublished());
    }

    // .NET refuses to move a link to a directory over another one; the kernel does not.
    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "rename", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Rename(string from, string to);

    [Fact]
    public async Task FileThatIsMissingAtTheStart_IsReportedAndThenTaken()
    {
        await using var client = Follow(Notified);
        Assert.StartsWith($"{File1}: cannot be read: ", NextError(), StringComparison.Ordinal);
        Replace(Text(3));
        Assert.Equal(3ul, NextPublished());
    }

    [Fact]
    public async Task BrokenFile_KeepsTheLastGoodOneAndSaysWhere()
    {
        Replace(Text(1));
        await using var client = Follow(Notified);
        Assert.Equal(1ul, NextPublished());
        Replace(Text(1).Replace("policy:", "polcy:", StringComparison.Ordinal));
        Assert.Equal($"{File1}:4:3: resources[0].polcy: unknown field 'polcy' of cilium.NetworkPolicyHosts; did you mean 'policy'?", NextError());
        Assert.Empty(published);
        Replace(Text(666));
        Assert.StartsWith($"{File1}:", NextError(), StringComparison.Ordinal);
        Assert.Empty(published);
        Replace(Text(2));
        Assert.Equal(2ul, NextPublished());
        Assert.Empty(errors);
    }

    [Fact]
    public async Task EqualContent_IsOfferedToNobody()
    {
        Replace(Text(1));
        await using var client = Follow(Notified);
        Assert.Equal(1ul, NextPublished());
        Replace("# the same in other words\n" + Text(1));
        Replace(Text(2));
        Assert.Equal(2ul, NextPublished());
        Assert.Empty(published);
    }

    [Fact]
    public async Task DirectoryThatComesLater_IsNoticedByThePoll()
    {
        var path = Path.Combine(folder, "later", "policy.yaml");
        await using var client = Follow(Notified with { Poll = TimeSpan.FromMilliseconds(5) }, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path + ".tmp", Text(4));
        System.IO.File.Move(path + ".tmp", path);
        Assert.Equal(4ul, NextPublished());
    }

    [Fact]
    public void Dispose_EndsTheThreadAndTheCallbacks()
    {
        Replace(Text(1));
        var calls = 0;
        var watch = new FileWatch(File1, () => Interlocked.Increment(ref calls), Notified);
        watch.Dispose();
        var before = Volatile.Read(ref calls);
        Replace(Text(2));
        Assert.Equal(before, Volatile.Read(ref calls));
    }
}
