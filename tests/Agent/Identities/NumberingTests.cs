using System;
using System.IO;
using Postern.Agent.Identities;

namespace Postern.Tests.Agent.Identities;

public sealed class NumberingTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void NumbersRestored_TheNameStays()
    {
        var first = Numbering.Of(folder.Path, isRestored: false);
        Assert.Equal(first, Numbering.Of(folder.Path, isRestored: true));
        Assert.Equal(first, Numbering.Of(folder.Path, isRestored: true));
    }

    [Fact]
    public void NumbersGivenAnew_TheNameIsNewForGood()
    {
        var first = Numbering.Of(folder.Path, isRestored: false);
        var second = Numbering.Of(folder.Path, isRestored: false);
        Assert.NotEqual(first, second);
        Assert.Equal(second, Numbering.Of(folder.Path, isRestored: true));
    }

    [Fact]
    public void NameDamaged_IsNotUsed()
    {
        File.WriteAllText(folder.At("numbering"), "~~~~~~~~~~~~");
        Assert.DoesNotContain('~', Numbering.Of(folder.Path, isRestored: true));
    }

    [Fact]
    public void FolderCannotBeWritten_EachStartHasANameOfItsOwn() =>
        Assert.NotEqual(Numbering.Of("/proc/none", isRestored: true), Numbering.Of("/proc/none", isRestored: true));
}
