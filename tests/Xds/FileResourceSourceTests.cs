using System;
using System.Collections.Concurrent;
using System.IO;
using System.Threading;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Tests.Xds;

public sealed class FileResourceSourceTests : IDisposable
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

    private FileResourceSource<ResourceFile> Source(FileWatchOptions options, string? path = null) => new(
        path ?? File1,
        p => ResourceFile.Load(p, ResourceKinds.Policy),
        new ResourceStore<ResourceFile>(Publish, errors.Add),
        options);

    private void Publish(ResourceFile file)
    {
        if (file.NetworkPolicyHosts[0].Policy == 666)
        {
            throw new PolicyConfigException("NetworkPolicyHosts: refused");
        }
        published.Add(file.NetworkPolicyHosts[0].Policy);
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
    public void ReplacementByRename_IsPublished(bool notified)
    {
        Replace(Text(1));
        using var source = Source(notified ? Notified : Polled);
        Assert.Equal(OfferOutcome.Published, source.Start().Outcome);
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
    public void WriteInPlace_IsPublished()
    {
        System.IO.File.WriteAllText(File1, Text(1));
        using var source = Source(Notified);
        source.Start();
        Assert.Equal(1ul, NextPublished());
        System.IO.File.WriteAllText(File1, Text(2));
        Assert.Equal(2ul, NextPublished());
    }

    [Fact]
    public void SymlinkSwapOfAConfigMap_IsPublished()
    {
        foreach (var version in (ulong[])[1, 2])
        {
            var data = Directory.CreateDirectory(Path.Combine(folder, "..v" + version)).FullName;
            System.IO.File.WriteAllText(Path.Combine(data, "policy.yaml"), Text(version));
        }
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data"), "..v1");
        System.IO.File.CreateSymbolicLink(File1, "..data/policy.yaml");
        using var source = Source(Notified);
        source.Start();
        Assert.Equal(1ul, NextPublished());
        Directory.CreateSymbolicLink(Path.Combine(folder, "..data_tmp"), "..v2");
        Assert.Equal(0, Rename(Path.Combine(folder, "..data_tmp"), Path.Combine(folder, "..data")));
        Assert.Equal(2ul, NextPublished());
    }

    // .NET refuses to move a link to a directory over another one; the kernel does not.
    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "rename", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Rename(string from, string to);

    [Fact]
    public void FileThatIsMissingAtTheStart_IsReportedAndThenTaken()
    {
        using var source = Source(Notified);
        var result = source.Start();
        Assert.Equal(OfferOutcome.Rejected, result.Outcome);
        Assert.StartsWith($"{File1}: cannot be read: ", result.Error, StringComparison.Ordinal);
        Replace(Text(3));
        Assert.Equal(3ul, NextPublished());
    }

    [Fact]
    public void BrokenFile_KeepsTheLastGoodOneAndSaysWhere()
    {
        Replace(Text(1));
        var store = new ResourceStore<ResourceFile>(Publish, errors.Add);
        using var source = new FileResourceSource<ResourceFile>(File1, p => ResourceFile.Load(p, ResourceKinds.Policy), store, Notified);
        source.Start();
        Assert.Equal(1ul, NextPublished());
        Replace(Text(1).Replace("policy:", "polcy:", StringComparison.Ordinal));
        Assert.Equal($"{File1}:4:3: resources[0].polcy: unknown field 'polcy' of cilium.NetworkPolicyHosts; did you mean 'policy'?", NextError());
        Assert.Equal(1ul, store.Current!.NetworkPolicyHosts[0].Policy);
        Replace(Text(666));
        Assert.Equal($"{File1}: NetworkPolicyHosts: refused", NextError());
        Assert.Equal(1ul, store.Current!.NetworkPolicyHosts[0].Policy);
        Replace(Text(2));
        Assert.Equal(2ul, NextPublished());
        Assert.Empty(errors);
    }

    [Fact]
    public void EqualContent_ChangesNothing()
    {
        Replace(Text(1));
        using var source = Source(Polled with { Poll = TimeSpan.FromHours(1) });
        Assert.Equal(OfferOutcome.Published, source.Start().Outcome);
        Replace("# the same in other words\n" + Text(1));
        Assert.Equal(new OfferResult(OfferOutcome.Unchanged, null), source.Reload());
        Assert.Single(published);
    }

    [Fact]
    public void DirectoryThatComesLater_IsNoticedByThePoll()
    {
        var path = Path.Combine(folder, "later", "policy.yaml");
        using var source = Source(Notified with { Poll = TimeSpan.FromMilliseconds(5) }, path);
        Assert.Equal(OfferOutcome.Rejected, source.Start().Outcome);
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
