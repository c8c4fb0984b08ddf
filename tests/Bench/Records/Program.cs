using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using Postern.Records;
using Postern.Records.AccessLog;
using Postern.Records.Json;
using Postern.Records.Observe;
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
        MeasureObserve(encoder, request);
        MeasureAccessLog(request);
        return failed ? 1 : 0;
    }

    private static void MeasureObserve(JsonRecordEncoder encoder, VisibilityRecord request)
    {
        var socket = Path.Combine(Path.GetTempPath(), $"postern-bench-{Environment.ProcessId}.sock");
        foreach (var replay in new[] { 0, 256 })
        {
            using var hub = new RecordHub(new JsonLineSink(encoder, new ObserveServer(new ObserveServerOptions { Path = socket, ReplayRecords = replay }, Console.Error.WriteLine)));
            Measure($"hub + observe, nobody there, replay {replay}", () =>
            {
                hub.Publish(request);
                return 0;
            });
        }
    }

    // A reader on another thread takes the packets; where it shares the core, its work is in the number as well.
    private static void MeasureAccessLog(VisibilityRecord request)
    {
        var buffer = new byte[4096];
        Measure("cilium.LogEntry encode, 8 headers", () => LogEntryEncoder.Encode(request, buffer, out _));
        var path = $"\0postern-bench-{Environment.ProcessId}";
        using var server = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(path));
        server.Listen(1);
        using var sink = new AccessLogSocketSink("@" + path[1..], new AccessLogOptions(), _ => { });
        sink.Write(request);
        var peer = server.Accept();
        var reader = new Thread(() =>
        {
            var packet = new byte[4096];
            while (peer.Receive(packet) > 0)
            {
            }
        });
        reader.Start();
        Measure("access log socket, reader busy", () =>
        {
            sink.Write(request);
            return 0;
        });
        Console.WriteLine($"  written {sink.Written}, dropped {sink.Dropped}");
        sink.Dispose();
        reader.Join();
        peer.Dispose();
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
