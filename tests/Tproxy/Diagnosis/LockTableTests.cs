using System;
using System.IO;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Diagnosis;

public sealed class LockTableTests
{
    private const string Table =
        "1: POSIX  ADVISORY  WRITE 812 00:1b:77 0 EOF\n"
        + "2: FLOCK  ADVISORY  READ  813 00:1b:78 0 EOF\n"
        + "3: FLOCK  ADVISORY  WRITE 814 00:1b:79 0 EOF\n"
        + "3: -> FLOCK  ADVISORY  WRITE 815 00:1b:80 0 EOF\n"
        + "4: FLOCK  ADVISORY  WRITE 816 103:02:81 0 EOF\n";

    [Theory]
    [InlineData(0, 0x1b, 79, true)]
    [InlineData(0x103, 2, 81, true)]
    [InlineData(0, 0x1b, 77, false)] // of another kind
    [InlineData(0, 0x1b, 78, false)] // shared: the doctor's
    [InlineData(0, 0x1b, 80, false)] // waits
    [InlineData(0, 0x1c, 79, false)] // of another file system
    [InlineData(0, 0x1b, 7, false)]
    public void Table_TellsWhoHoldsAFileExclusively(uint major, uint minor, ulong inode, bool held) => Assert.Equal(held, LockTable.Holds(Table, major, minor, inode));

    [Fact]
    public void SteeringLock_IsSeenWhileItIsHeldOnly()
    {
        var folder = Directory.CreateTempSubdirectory("pst-locks-").FullName;
        try
        {
            Assert.False(LockTable.IsHeld(SteeringLock.PathIn(folder)));
            using (SteeringLock.TryTake(folder, TimeSpan.Zero))
            {
                Assert.True(LockTable.IsHeld(SteeringLock.PathIn(folder)));
            }

            Assert.NotEqual(true, LockTable.IsHeld(SteeringLock.PathIn(folder)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
