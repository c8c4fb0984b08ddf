using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Postern.Records;
using Postern.Records.Json;

namespace Postern.Tests.Records.Json;

public sealed class FileLineOutputTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("postern-records-").FullName;
    private readonly ConcurrentQueue<string> log = new();

    private string File1 => Path.Combine(folder, "flows.log");

    // A writer that was stuck when its output was disposed wakes up with the end of its pipe, and may still make a last file.
    public void Dispose() => Until.True(DeleteFolder, () => $"{folder} cannot be deleted");

    private bool DeleteFolder()
    {
        try
        {
            Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return !Directory.Exists(folder);
        }
    }

    private FileLineOutput Open(FileLineOptions options) => new(options, log.Enqueue);

    private static string Read(string path)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return reader.ReadToEnd();
        }
        catch (FileNotFoundException)
        {
            return ""; // between the two steps of a rotation
        }
    }

    [Fact]
    public void Line_IsOnDiskSoonWithoutAnotherOneAndAfterAQuietTime()
    {
        using var output = Open(new FileLineOptions { Path = File1, FlushInterval = TimeSpan.FromMilliseconds(5) });
        for (var i = 1; i <= 3; i++)
        {
            // Longer than the polls after which the writer sleeps for good (20 × 5 ms): the next line must wake it.
            using (var quiet = new ManualResetEventSlim())
            {
                quiet.Wait(TimeSpan.FromMilliseconds(150));
            }

            output.Write("line\n"u8);
            var expected = string.Concat(Enumerable.Repeat("line\n", i));
            Until.True(() => Read(File1) == expected, () => $"file holds '{Read(File1)}'", seconds: 2);
        }
    }

    [Fact]
    public void Dispose_WritesEverythingThatWasTaken()
    {
        using (var output = Open(new FileLineOptions { Path = File1, FlushInterval = TimeSpan.FromMinutes(1) }))
        {
            for (var i = 0; i < 1000; i++)
            {
                output.Write(Encoding.ASCII.GetBytes($"{i}\n"));
            }

            Assert.Equal(1000, output.Written);
        }

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => i.ToString(CultureInfo.InvariantCulture)), File.ReadAllLines(File1));
        Assert.Empty(log);
    }

    [Fact]
    public void ExistingFile_IsAppendedTo()
    {
        File.WriteAllText(File1, "before\n");
        using (var output = Open(new FileLineOptions { Path = File1 }))
        {
            output.Write("after\n"u8);
        }

        Assert.Equal("before\nafter\n", File.ReadAllText(File1));
    }

    [Fact]
    public void ConcurrentWriters_NeverInterleaveAndEveryLineIsCountedOnce()
    {
        const int threads = 8;
        const int each = 5_000;
        long written;
        long dropped;
        using (var output = Open(new FileLineOptions { Path = File1, QueueBytes = 64 * 1024 }))
        {
            var workers = Enumerable.Range(0, threads).Select(t => new Thread(() =>
            {
                for (var i = 0; i < each; i++)
                {
                    output.Write(Encoding.ASCII.GetBytes($"{t}:{i}:{new string((char)('a' + t), 10 + (i % 90))}.\n"));
                }
            })).ToArray();
            Array.ForEach(workers, w => w.Start());
            Array.ForEach(workers, w => w.Join());
            (written, dropped) = (output.Written, output.Dropped);
        }

        var next = new int[threads];
        var lines = File.ReadAllLines(File1);
        foreach (var line in lines)
        {
            var parts = line.Split(':');
            var (t, i) = (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
            Assert.True(i >= next[t], $"line {i} of writer {t} came after {next[t] - 1}");
            next[t] = i + 1;
            Assert.Equal(new string((char)('a' + t), 10 + (i % 90)) + ".", parts[2]);
        }

        Assert.Equal(written, lines.Length);
        Assert.Equal(threads * each, written + dropped);
    }

    [Fact]
    public void FullQueue_DropsAndCounts()
    {
        // Nobody reads the pipe: the writer thread is stuck, the queue fills up, and the callers go on.
        var pipe = Path.Combine(folder, "pipe");
        System.Diagnostics.Process.Start("mkfifo", pipe).WaitForExit();
        using var reader = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite);
        using var output = Open(new FileLineOptions { Path = pipe, QueueBytes = 4096, DisposeTimeout = TimeSpan.FromMilliseconds(100) });
        var line = Encoding.ASCII.GetBytes(new string('x', 999) + "\n");

        // The pipe itself holds some 64 KB: the writer is stuck once nothing more is taken for a while.
        var taken = 0L;
        var since = System.Diagnostics.Stopwatch.StartNew();
        Until.True(
            () =>
            {
                output.Write(line);
                if (output.Written != taken)
                {
                    taken = output.Written;
                    since.Restart();
                }

                return output.Dropped >= 100 && since.ElapsedMilliseconds > 500;
            },
            () => $"written {output.Written}, dropped {output.Dropped}");
        Assert.InRange(output.Written, 1, 200);
        output.Dispose();
        Assert.Contains(log, text => text.Contains("at shutdown", StringComparison.Ordinal));
    }

    [Fact]
    public void FullFile_IsRotatedAndOldBackupsGo()
    {
        var options = new FileLineOptions { Path = File1, MaxFileBytes = 100, MaxBackups = 2, FlushInterval = TimeSpan.FromMilliseconds(1) };
        using (var output = Open(options))
        {
            for (var i = 0; i < 50; i++)
            {
                var text = $"line {i:00}\n";
                output.Write(Encoding.ASCII.GetBytes(text));
                Until.True(() => Read(File1).EndsWith(text, StringComparison.Ordinal), () => $"{text} is not in the file");
            }
        }

        // 8 bytes a line, 12 lines a file: 50 lines make four full files and two lines; two backups stay.
        Assert.Equal(["flows.log", "flows.log.1", "flows.log.2"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        var kept = string.Concat(new[] { ".2", ".1", "" }.Select(suffix => File.ReadAllText(File1 + suffix)));
        Assert.Equal(string.Concat(Enumerable.Range(24, 26).Select(i => $"line {i:00}\n")), kept);
    }

    [Fact]
    public void MovedFile_IsLeftAtReopen()
    {
        using var output = Open(new FileLineOptions { Path = File1, FlushInterval = TimeSpan.FromMilliseconds(1) });
        output.Write("one\n"u8);
        Until.True(() => Read(File1) == "one\n", () => Read(File1));
        File.Move(File1, File1 + ".moved");
        output.Reopen();
        Until.True(() => File.Exists(File1), () => "no new file");
        output.Write("two\n"u8);
        Until.True(() => Read(File1) == "two\n", () => Read(File1));
        Assert.Equal("one\n", Read(File1 + ".moved"));
    }

    [Fact]
    public void TruncatedFile_IsContinuedFromItsNewEnd()
    {
        using var output = Open(new FileLineOptions { Path = File1, FlushInterval = TimeSpan.FromMilliseconds(1) });
        output.Write("one\n"u8);
        Until.True(() => Read(File1) == "one\n", () => Read(File1));
        using (var other = new FileStream(File1, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            other.SetLength(0);
        }

        output.Write("two\n"u8);
        Until.True(() => Read(File1) == "two\n", () => Read(File1));
    }

    [Theory]
    [InlineData("no/such/folder/flows.log")]
    [InlineData(".")]
    public void UnwritablePath_IsAClearErrorAtStart(string name)
    {
        var path = Path.Combine(folder, name);
        var e = Assert.Throws<RecordSinkException>(() => Open(new FileLineOptions { Path = path }));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [NeedsFact("/dev/full")]
    public void FullDisk_IsReportedAndDropsAreCounted()
    {
        var output = Open(new FileLineOptions { Path = "/dev/full", QueueBytes = 1024, FlushInterval = TimeSpan.FromMilliseconds(1) });
        Until.True(
            () =>
            {
                output.Write(new byte[100]);
                return output.Dropped > 10 && !log.IsEmpty;
            },
            () => $"dropped {output.Dropped}, log {log.Count}");
        output.Dispose();
        Assert.Equal(0, output.Written);
        Assert.Contains(log, text => text.Contains("/dev/full", StringComparison.Ordinal) && text.Contains("trying again", StringComparison.Ordinal));
    }

    [Fact]
    public void FileThatBecomesWritableAgain_GetsTheWaitingLinesWhole()
    {
        var inner = Directory.CreateDirectory(Path.Combine(folder, "sub")).FullName;
        var path = Path.Combine(inner, "flows.log");
        using var output = Open(new FileLineOptions { Path = path, FlushInterval = TimeSpan.FromMilliseconds(1) });
        Directory.Delete(inner, recursive: true);
        output.Reopen();
        Until.True(() => !log.IsEmpty, () => "no complaint about the missing folder");
        output.Write("kept\n"u8);
        Directory.CreateDirectory(inner);
        Until.True(() => File.Exists(path) && Read(path) == "kept\n", () => string.Join('|', log));
        Assert.Equal(0, output.Dropped);
    }
}
