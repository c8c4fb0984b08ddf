using System;
using System.Diagnostics;
using System.IO;
using Postern.Records;
using Postern.Records.Json;
using Postern.Tests.Records;

namespace Postern.Bench.Records;

/// <summary>Prints ns and bytes allocated per record for each sink. Run with <c>-c Release</c>. Exit code 1 when something allocates.</summary>
internal static class Program
{
    private const int Rounds = 7;
    private const int PerRound = 200_000;
    private static bool failed;

    private static int Main()
    {
        var request = SampleExchange.Request();
        var response = SampleExchange.Response();
        var encoder = new JsonRecordEncoder();
        Measure("json encode, request, 8 headers", () => encoder.Encode(request).Length);
        Measure("json encode, response, 4 headers", () => encoder.Encode(response).Length);

        var path = Path.GetTempFileName();
        using (var output = new FileLineOutput(new FileLineOptions { Path = path, MaxFileBytes = 64 << 20, MaxBackups = 0, QueueBytes = 8 << 20 }, Console.Error.WriteLine))
        {
            using var hub = new RecordHub(new JsonLineSink(encoder, output));
            Measure("hub + json file, request", () =>
            {
                hub.Publish(request);
                return 0;
            });
            Console.WriteLine($"  written {output.Written}, dropped {output.Dropped}");
        }

        File.Delete(path);
        return failed ? 1 : 0;
    }

    private static void Measure(string name, Func<int> action)
    {
        var size = 0;
        for (var i = 0; i < PerRound; i++)
        {
            size = action();
        }

        var best = double.MaxValue;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < PerRound; i++)
            {
                action();
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / PerRound);
        }

        var allocated = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)(Rounds * PerRound);
        failed |= allocated > 0.01;
        Console.WriteLine($"{name,-40} {best,8:0} ns/record {allocated,8:0.##} bytes allocated/record {size,6} bytes");
    }
}
