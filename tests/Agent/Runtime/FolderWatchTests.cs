using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Runtime;

namespace Postern.Tests.Agent.Runtime;

public sealed class FolderWatchTests : IDisposable
{
    private readonly TempFolder folder = new();
    private int changes;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task FileRenamedIntoPlace_IsTold()
    {
        using var watch = Watch(folder.Path);
        folder.Write(".new", "a: 1");

        File.Move(folder.At(".new"), folder.At("policy.yaml"));

        await ChangedAsync();
    }

    [Fact]
    public async Task LinkSwappedAsByAConfigMap_IsToldByTheLook()
    {
        Directory.CreateDirectory(folder.At("one"));
        Directory.CreateDirectory(folder.At("two"));
        var mount = Directory.CreateDirectory(folder.At("mount")).FullName;
        File.WriteAllText(folder.At("one/policy.yaml"), "a: 1");
        File.WriteAllText(folder.At("two/policy.yaml"), "a: 22");
        Directory.CreateSymbolicLink(Path.Combine(mount, "..data"), folder.At("one"));
        File.CreateSymbolicLink(Path.Combine(mount, "policy.yaml"), "..data/policy.yaml");
        using var watch = Watch(mount);

        Directory.Delete(Path.Combine(mount, "..data")); // the link
        Directory.CreateSymbolicLink(Path.Combine(mount, "..data"), folder.At("two"));

        await ChangedAsync();
    }

    [Fact]
    public async Task FolderComesLater_IsTold()
    {
        using var watch = Watch(folder.At("later"));

        Directory.CreateDirectory(folder.At("later"));
        folder.Write("later/policy.yaml", "a: 1");

        await ChangedAsync();
    }

    private FolderWatch Watch(string path) => new(path, () => Interlocked.Increment(ref changes), TimeProvider.System, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(50));

    private Task ChangedAsync() => Eventually.True(() => Volatile.Read(ref changes) > 0, () => "no change was told");
}
