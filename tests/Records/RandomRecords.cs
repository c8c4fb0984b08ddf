using System;
using Postern.Policy;
using Postern.Records;

namespace Postern.Tests.Records;

/// <summary>Random records from a seed: any Latin-1 character anywhere, sizes from nothing to far beyond the bounds.</summary>
public sealed class RandomRecords(int seed)
{
    private readonly Random random = new(seed);

    public VisibilityRecord Next()
    {
        var record = new VisibilityRecord
        {
            TimestampNanos = (ulong)random.NextInt64(),
            EntryType = (EntryType)random.Next(3),
            Direction = (TrafficDirection)random.Next(2),
            PolicyName = Text(40),
            ProxyId = (uint)random.NextInt64(0, 1L << 32),
            SourceIdentity = (uint)random.NextInt64(0, 1L << 32),
            DestinationIdentity = (uint)random.Next(3),
            SourceAddress = Text(60),
            DestinationAddress = Text(60),
            Listener = Text(40),
            Sni = Text(300),
            Reason = Text(20),
            Detail = Text(200),
            RuleName = Text(20),
            LatencyNanos = (ulong)random.NextInt64(0, 1L << 40),
        };
        if (random.Next(8) != 0)
        {
            var log = new HeaderMatchLog();
            for (var i = random.Next(4); i > 0; i--)
            {
                SampleExchange.NoteMissing(log, Text(20), Text(40));
                SampleExchange.NoteRejected(log, Text(20), Text(40));
            }

            record.Http = new HttpRecord
            {
                Protocol = (HttpProtocol)random.Next(3),
                Scheme = random.Next(2) == 0 ? "http" : "https",
                Request = random.Next(10) == 0 ? null : Exchange(),
                ResponseHeaders = record.EntryType == EntryType.Response ? Exchange() : null,
                Status = record.EntryType == EntryType.Response ? (uint)random.Next(100, 600) : 0,
                HeaderMatches = random.Next(3) == 0 ? null : log,
                IsGrpc = random.Next(4) == 0,
                GrpcStatus = random.Next(2) == 0 ? random.Next() : null,
            };
        }

        return record;
    }

    private SampleExchange Exchange()
    {
        var exchange = new SampleExchange { MethodText = Text(12), PathText = "/" + Text(random.Next(20) == 0 ? 20_000 : 80), AuthorityText = Text(60), SchemeText = random.Next(2) == 0 ? "" : "https" };
        for (var i = random.Next(random.Next(10) == 0 ? 200 : 12); i > 0; i--)
        {
            exchange.With(Name(), Text(random.Next(30) == 0 ? 5_000 : 60));
        }

        return exchange;
    }

    private string Name() => random.Next(6) switch
    {
        0 => "X-Request-Id",
        1 => "X-Forwarded-Proto",
        2 => "Host",
        _ => Text(24),
    };

    /// <summary>Mostly ASCII words; one in three holds any of the 256 characters.</summary>
    private string Text(int max)
    {
        var any = random.Next(3) == 0;
        return string.Create(random.Next(max + 1), (random, any), static (span, state) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = (char)(state.any ? state.random.Next(256) : state.random.Next('a', 'z' + 1));
            }
        });
    }
}
