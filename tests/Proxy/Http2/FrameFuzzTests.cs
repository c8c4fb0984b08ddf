using System;
using System.Collections.Generic;
using System.IO;
using System.Threading.Tasks;
using Postern.Proxy.Http2;
using Postern.Tests.Fuzzing;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.Http2;

/// <summary>
/// What clients send in the dialogue files, mutated: a connection never throws, never hangs and gives everything back.
/// </summary>
public sealed class FrameFuzzTests(ITestOutputHelper output)
{
    private const int Rounds = 400;

    [Fact]
    [Trait("Fuzz", "http2-frames")]
    public Task MutatedClients_NeverBreakTheServer() => FuzzRun.RepeatAsync(Environment.TickCount, async run =>
    {
        var seeds = Seeds();
        var (seed, random) = (run.Seed, run.Random);
        output.WriteLine($"seed {seed}");
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = run.Try(Mutate(random, seeds[random.Next(seeds.Count)], seeds));
            using var talk = new ClientTalk(new Http2Options { MaxConcurrentStreams = 10, AllowConnect = true, InitialStreamWindow = 70_000, InitialConnectionWindow = 100_000 }, maxRead: random.Next(3) == 0 ? 1 + random.Next(50) : int.MaxValue, serve: null);
            talk.Send(bytes);
            if (random.Next(2) == 0)
            {
                talk.Connection.Sweep(Environment.TickCount64 + random.Next(20_000));
            }
            talk.Fin();
            if (random.Next(4) == 0)
            {
                talk.Connection.Abort();
            }
            try
            {
                await talk.Running.WaitAsync(TimeSpan.FromSeconds(10));
            }
            catch (Exception e)
            {
                Assert.Fail($"round {round} of seed {seed}: {e.GetType().Name} {e.Message}\n{Convert.ToHexString(bytes)}");
            }
            Assert.Equal(0, talk.Stats.StreamsActive.Value);
        }
    });

    [Fact]
    [Trait("Fuzz", "http2-frames")]
    public Task MutatedServers_NeverBreakTheClient() => FuzzRun.RepeatAsync(Environment.TickCount, async run =>
    {
        var (seed, random) = (run.Seed, run.Random);
        output.WriteLine($"seed {seed}");
        List<byte[]> seeds = [ServerBytes()];
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = run.Try(Mutate(random, seeds[0], seeds));
            using var pipe = new Pipe();
            using var connection = JoinedRolesTests.Client(pipe.Left);
            var (stream, _) = await connection.OpenStreamAsync();
            await stream!.SendHeadAsync(JoinedRolesTests.Request("/", "GET"), end: random.Next(2) == 0);
            pipe.Right.To.Write(bytes);
            pipe.Right.To.End();
            var reading = ReadAsync(stream);
            try
            {
                await reading.WaitAsync(TimeSpan.FromSeconds(10));
                await connection.Ended.WaitAsync(TimeSpan.FromSeconds(10));
            }
            catch (Exception e)
            {
                Assert.Fail($"round {round} of seed {seed}: {e.GetType().Name} {e.Message}\n{Convert.ToHexString(bytes)}");
            }
            stream.Release();
            Assert.True(connection.IsIdleNow);
        }
    });

    private static async Task ReadAsync(Postern.Proxy.Upstream.ServerStream stream)
    {
        for (var heads = 0; heads < 20; heads++)
        {
            if ((await stream.ReadHeadAsync()).IsError)
            {
                return;
            }
            if (stream.Head.Status >= 200)
            {
                break;
            }
        }
        while (await stream.ReadAsync() is { IsEnd: false, Error.IsError: false })
        {
        }
    }

    private static byte[] Mutate(Random random, byte[] from, List<byte[]> seeds)
    {
        var bytes = new List<byte>(from);
        for (var changes = random.Next(6); changes > 0 && bytes.Count > 0; changes--)
        {
            var at = random.Next(4) == 0 ? random.Next(bytes.Count) : Math.Min(bytes.Count - 1, 24 + random.Next(Math.Max(1, bytes.Count - 24)));
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)); break;
                case 3:
                    var count = Math.Min(random.Next(1, 200), bytes.Count - at);
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, count));
                    break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                default:
                    var other = seeds[random.Next(seeds.Count)];
                    bytes.AddRange(other.AsSpan(Math.Min(24, other.Length)).ToArray());
                    break;
            }
        }
        return bytes.ToArray();
    }

    // Requests that wait for a clock have no place here.
    private static List<byte[]> Seeds()
    {
        var seeds = new List<byte[]>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Http2", "Dialogues"), "*.dialogue", SearchOption.AllDirectories))
        {
            var bytes = new List<byte>();
            foreach (var line in File.ReadAllLines(file))
            {
                if (line == "hello")
                {
                    bytes.AddRange([.. FrameText.Encode("PREFACE"), .. FrameText.Encode("SETTINGS"), .. FrameText.Encode("SETTINGS ACK")]);
                }
                else if (line.StartsWith("C> ", StringComparison.Ordinal) && line[3] != 'x')
                {
                    bytes.AddRange(FrameText.Encode(line[3..]));
                }
            }
            seeds.Add(bytes.ToArray());
        }
        Assert.NotEmpty(seeds);
        return seeds;
    }

    private static byte[] ServerBytes()
    {
        var bytes = new List<byte>();
        foreach (var line in (string[])["SETTINGS MAX_CONCURRENT_STREAMS=10", "SETTINGS ACK", "PING", "HEADERS stream=1 flags=END_HEADERS :status=103 link=x", "HEADERS stream=1 flags=END_HEADERS :status=200 content-length=8 x=y",
            "DATA stream=1 text=body", "WINDOW_UPDATE stream=1 increment=5", "DATA stream=1 text=body pad=4", "HEADERS stream=1 flags=END_STREAM|END_HEADERS grpc-status=0", "GOAWAY last=1 code=NO_ERROR"])
        {
            bytes.AddRange(FrameText.Encode(line));
        }
        return bytes.ToArray();
    }
}
