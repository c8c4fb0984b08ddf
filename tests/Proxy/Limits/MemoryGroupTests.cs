using System;
using System.IO;
using Postern.Proxy.Overload;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>The control group's memory, and what is done where nobody configured anything.</summary>
public sealed class MemoryGroupTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("postern-cgroup").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Version2_CountsWithoutPageCache()
    {
        Write("self", "0::/pod/app\n");
        Group("mnt/pod/app", "1000", "max");
        Write("mnt/pod/app/memory.stat", "anon 300\ninactive_file 400\nactive_file 100\nshmem 5\n");
        Group("mnt/pod", "9000", "2000");
        Group("mnt", "9000", "max");

        var group = Find();

        Assert.Equal((Path.Combine(root, "mnt", "pod"), 2000), (group!.Folder, group.Limit)); // the bound that is met first
        Assert.Equal(9000, group.Used);
        Group("mnt/pod/app", "1000", "1500");
        Assert.Equal((1500, 500), (Find()!.Limit, Find()!.Used));
    }

    [Fact]
    public void Version1_IsReadToo()
    {
        Write("self", "5:cpu,memory:/app\n0::/\n");
        Write("mnt/memory/app/memory.limit_in_bytes", "4000\n");
        Write("mnt/memory/app/memory.usage_in_bytes", "3000\n");
        Write("mnt/memory/app/memory.stat", "cache 9\ntotal_inactive_file 500\ntotal_active_file 500\n");
        Assert.Equal((4000, 2000), (Find()!.Limit, Find()!.Used));
        Assert.True(new CgroupMonitor(Find()!, 0).TryRead(out var pressure, out _));
        Assert.Equal(0.5, pressure);
        Assert.True(new CgroupMonitor(Find()!, 2000).TryRead(out pressure, out _));
        Assert.Equal(1, pressure);
    }

    [Fact]
    public void PathOfAnotherNamespace_FallsBackToTheMount()
    {
        Write("self", "0::/kubepods/x\n");
        Group("mnt", "10", "100");
        Assert.Equal(100, Find()!.Limit);
    }

    [Theory]
    [InlineData("9223372036854771712")] // version 1's word for none
    [InlineData("max")]
    [InlineData("")]
    public void GroupWithoutABound_HasNoPressure(string limit)
    {
        Write("self", "0::/\n");
        Group("mnt", "10", limit);
        Assert.Null(Find()!.Limit);
        Assert.False(new CgroupMonitor(Find(), 0).TryRead(out _, out var problem));
        Assert.Contains("max_memory_bytes", problem, StringComparison.Ordinal);
        Assert.True(new CgroupMonitor(Find(), 20).TryRead(out var pressure, out _));
        Assert.Equal(0.5, pressure);
        Assert.Null(OverloadDefaults.Of(null, Find(), 1000));
    }

    [Fact]
    public void NoControlGroups_AreNoGroup()
    {
        Assert.Null(Find());
        Assert.False(new CgroupMonitor(null, 20).TryRead(out _, out _));
        Assert.Null(OverloadDefaults.Of(null, null, 1000));
    }

    [Fact]
    public void WithABoundAndNoActions_NewWorkIsShedInOrder()
    {
        Write("self", "0::/\n");
        Group("mnt", "10", "100");
        var config = OverloadDefaults.Of(new OverloadConfig { RefreshInterval = TimeSpan.FromSeconds(3) }, Find(), 75)!;
        Assert.Equal(TimeSpan.FromSeconds(3), config.RefreshInterval);
        Assert.Equal([OverloadActionKind.ShrinkHeap, OverloadActionKind.DisableHttpKeepalive, OverloadActionKind.RejectIncomingConnections, OverloadActionKind.StopAcceptingRequests], Kinds(config));
        double earlier = 0;
        foreach (var action in config.Actions)
        {
            Assert.True(action.Triggers[0].Scaling >= earlier);
            earlier = action.Triggers[0].Scaling;
        }
        var own = new OverloadConfig { Actions = [OverloadRig.At(OverloadActionKind.ShrinkHeap, 1)] };
        Assert.Same(own, OverloadDefaults.Of(own, Find(), 75));
    }

    private static System.Collections.Generic.List<OverloadActionKind> Kinds(OverloadConfig config)
    {
        var kinds = new System.Collections.Generic.List<OverloadActionKind>();
        foreach (var action in config.Actions)
        {
            kinds.Add(action.Kind);
        }
        return kinds;
    }

    private MemoryGroup? Find() => MemoryGroup.Find(Path.Combine(root, "self"), Path.Combine(root, "mnt"));

    private void Group(string folder, string current, string max)
    {
        Write(folder + "/memory.current", current + "\n");
        Write(folder + "/memory.max", max + "\n");
    }

    private void Write(string file, string text)
    {
        var path = Path.Combine(root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
