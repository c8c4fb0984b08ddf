using System;
using System.IO;
using Postern.Agent.Identities;

namespace Postern.Tests.Agent.Identities;

public sealed class NumberingTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void NumbersGoOn_TheNameStays()
    {
        var first = After("d1", "d2");

        var second = new Numbering(folder.Path, "d2");

        Assert.True(second.IsKept);
        Assert.Equal(first.Name, second.Name);
    }

    [Fact]
    public void NumbersOfATimeBefore_TheNameIsNew()
    {
        var first = After("d1", "d2");

        var second = new Numbering(folder.Path, "d1");

        Assert.False(second.IsKept);
        Assert.NotEqual(first.Name, second.Name);
    }

    [Fact]
    public void NumbersGivenAnew_TheNameIsNewForGood()
    {
        var first = After("d1");
        var second = new Numbering(folder.Path, null);
        Assert.False(second.IsKept);
        Assert.NotEqual(first.Name, second.Name);

        second.Keep("d2");

        Assert.Equal(second.Name, new Numbering(folder.Path, "d2").Name);
    }

    [Fact]
    public void FirstStart_KeepsNothing() => Assert.False(new Numbering(folder.Path, "d1").IsKept);

    [Theory]
    [InlineData("~~~~~~~~~~~~ d1\n")]
    [InlineData("0123456789ab d")]
    [InlineData("0123456789ab d1")]
    [InlineData("0123456789ab")]
    [InlineData("")]
    public void NameDamaged_IsNotUsed(string text)
    {
        folder.Write("numbering", text);

        var numbering = new Numbering(folder.Path, "d1");

        Assert.False(numbering.IsKept);
        Assert.NotEqual("0123456789ab", numbering.Name);
    }

    [Fact]
    public void FolderCannotBeWritten_EachStartHasANameOfItsOwn()
    {
        var first = new Numbering("/proc/none", "d1");

        Assert.ThrowsAny<IOException>(() => first.Keep("d1"));

        Assert.NotEqual(first.Name, new Numbering("/proc/none", "d1").Name);
    }

    private Numbering After(params string[] digests)
    {
        var numbering = new Numbering(folder.Path, null);
        foreach (var digest in digests)
        {
            numbering.Keep(digest);
        }
        return numbering;
    }
}
