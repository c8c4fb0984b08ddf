using System;
using System.Diagnostics;
using System.IO;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Steering;

public sealed class CommandRunnerTests
{
    private static readonly CommandRunner Runner = new(TimeSpan.FromSeconds(10));

    [Fact]
    public void MissingCommand_ErrorNamesItAndThePackages()
    {
        var error = Assert.Throws<TproxyException>(() => Runner.Run("no-such-iptables", []));

        Assert.Contains("'no-such-iptables'", error.Message, StringComparison.Ordinal);
        Assert.Contains("install it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CommandThatHangs_IsStoppedAfterTheLimit()
    {
        var clock = Stopwatch.StartNew();

        var error = Assert.Throws<TproxyException>(() => new CommandRunner(TimeSpan.FromMilliseconds(200)).Run("sleep", ["60"]));

        Assert.Contains("took longer than 0.2 s", error.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void CommandThatNeverReadsMuchInput_IsStoppedAfterTheLimit() => Assert.Throws<TproxyException>(() =>
        new CommandRunner(TimeSpan.FromMilliseconds(200)).Run("sleep", ["60"], new string('x', 300_000)));

    [Fact]
    public void CommandThatEndsWithoutReading_GivesItsResult() =>
        Assert.Equal(1, Runner.Run("false", [], new string('x', 300_000)).ExitCode);

    [Fact]
    public void ArgumentWithShellSigns_IsTakenLiterally() =>
        Assert.Equal("$(id); a b", Runner.Run("printf", ["%s", "$(id); a b"]).Output);

    [Fact]
    public void MoreOutputThanAPipeHolds_ComesWhole() =>
        Assert.Equal(300_000, Runner.Run("cat", [], new string('x', 300_000)).Output.Length);

    [Fact]
    public void FailedCommand_ComplaintIsItsFirstErrorLine()
    {
        var result = Runner.Run("sh", ["-c", "echo one >&2; echo two >&2; exit 3"]);

        Assert.False(result.Succeeded);
        Assert.Equal("one", result.Complaint);
    }

    [Fact]
    public void LockHeld_SecondTakerGetsNothingUntilItIsFree()
    {
        var folder = Directory.CreateTempSubdirectory("pst-lock-").FullName;
        try
        {
            using (SteeringLock.TryTake(folder, TimeSpan.Zero))
            {
                Assert.Null(SteeringLock.TryTake(folder, TimeSpan.FromMilliseconds(120)));
            }

            using var again = SteeringLock.TryTake(folder, TimeSpan.Zero);
            Assert.NotNull(again);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void LockFolderCannotBeMade_ErrorNamesTheOption()
    {
        var error = Assert.Throws<TproxyException>(() => SteeringLock.TryTake("/proc/no-such-folder", TimeSpan.Zero));

        Assert.Contains("LockDirectory", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CapEff:\t0000000000001000", true)]
    [InlineData("CapEff:\t0000000000000fff", false)]
    [InlineData("CapEff:\t000001ffffffffff", true)]
    [InlineData("CapPrm:\t0000000000001000", false)]
    public void CapabilityBits_AreReadFromStatus(string status, bool has) => Assert.Equal(has, Privilege.Has("Name:\tx\n" + status + "\n", "CapEff"));
}
