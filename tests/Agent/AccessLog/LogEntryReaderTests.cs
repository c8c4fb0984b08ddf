using System;
using System.Linq;
using Cilium;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Postern.Agent.AccessLog;

namespace Postern.Tests.Agent.AccessLog;

public sealed class LogEntryReaderTests
{
    public static TheoryData<string> BadEntries =>
    [
        "",                       // an empty packet: no time
        "08e807",                 // a time of the seventies
        "ff",                     // a tag without an end
        "0a05",                   // a length beyond the packet
        "088080a0cac8b5a7cd171805", // entry_type 5
        "088080a0cac8b5a7cd17880180800422", // proxy_id beyond 65535, then a cut field
        "2202c328",               // policy_name that is not UTF-8
        "a20602080a",             // http_protocol 10, without a time
    ];

    [Theory]
    [MemberData(nameof(BadEntries))]
    public void BadEntry_IsRefusedInOneLine(string hex)
    {
        Assert.False(LogEntryReader.TryRead(Convert.FromHexString(hex), out var entry, out var problem));
        Assert.Null(entry);
        Assert.NotEmpty(problem);
        Assert.DoesNotContain('\n', problem);
    }

    [Fact]
    public void ValueOutOfRange_IsNamed()
    {
        AssertRefused(entry => entry.Timestamp = 0, "timestamp");
        AssertRefused(entry => entry.EntryType = (EntryType)5, "entry_type");
        AssertRefused(entry => entry.ProxyId = 65536, "proxy_id");
        AssertRefused(entry => entry.Http.HttpProtocol = (HttpProtocol)10, "http_protocol");
        AssertRefused(entry => entry.Http.Status = 1000, "status");
    }

    [Fact]
    public void GoodEntry_IsReadAndUnknownFieldsAreNotKept()
    {
        var bytes = ProxySocket.Entry().ToByteArray().Concat(Convert.FromHexString("f23f0474657374")).ToArray();
        Assert.True(LogEntryReader.TryRead(bytes, out var entry, out _));
        Assert.Equal(ProxySocket.Entry(), entry);
    }

    [Fact]
    public void AnyBytes_AreReadOrRefused()
    {
        var good = ProxySocket.Entry().ToByteArray();
        Prop.ForAll<byte[], byte[], ushort>((noise, tail, at) =>
        {
            // Noise, noise behind a good entry, and a good entry cut and spoiled.
            var spoiled = (byte[])good.Clone();
            spoiled[at % good.Length] ^= (byte)(1 + (at >> 8));
            return Holds(noise) && Holds([.. good, .. tail]) && Holds(spoiled) && Holds(spoiled.AsSpan(0, at % good.Length).ToArray());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    private static bool Holds(byte[] packet) =>
        LogEntryReader.TryRead(packet, out var entry, out var problem) == (entry is not null) && (entry is null) == (problem.Length > 0);

    private static void AssertRefused(Action<LogEntry> spoil, string word)
    {
        var entry = ProxySocket.Entry();
        spoil(entry);
        Assert.False(LogEntryReader.TryRead(entry.ToByteArray(), out _, out var problem));
        Assert.Contains(word, problem);
    }
}
