#pragma warning disable CA1416 // Linux only, as all of Postern

using System;
using System.IO;
using Postern.Proxy.LastGood;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>Who could put policy where the proxy looks for its own.</summary>
public sealed class StateDirectoryTests : IDisposable
{
    private const UnixFileMode OnlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string parent = Directory.CreateTempSubdirectory("postern-state-").FullName;

    public void Dispose() => Directory.Delete(parent, recursive: true);

    [Theory]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite | UnixFileMode.StickyBit)]
    public void FolderThatOthersMayWriteTo_IsRefusedAndSaysWhatToDo(UnixFileMode more)
    {
        File.SetUnixFileMode(parent, OnlyUs | more);

        var error = Assert.Throws<IOException>(() => StateDirectory.Open(parent));

        Assert.Contains("chmod go-w", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FolderBelowSuchAFolder_IsMadeForUsAlone()
    {
        File.SetUnixFileMode(parent, OnlyUs | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);
        var folder = Path.Combine(parent, "state");

        StateDirectory.Open(folder);

        Assert.Equal(OnlyUs, File.GetUnixFileMode(folder));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void LinkInPlaceOfTheNewFile_IsNotFollowed()
    {
        var victim = Path.Combine(parent, "victim");
        File.WriteAllText(victim, "untouched");
        var file = StateDirectory.Open(Path.Combine(parent, "state")).FileOf("NPDS", "source");
        File.CreateSymbolicLink(file + ".new", victim);

        StateDirectory.Write(file, [1, 2, 3]);

        Assert.Equal("untouched", File.ReadAllText(victim));
        Assert.Equal([1, 2, 3], StateDirectory.Read(file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }
}
