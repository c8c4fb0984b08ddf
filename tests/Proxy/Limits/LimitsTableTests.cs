using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Postern.Proxy.Http2;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Overload;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>docs/limits.md says what the code does.</summary>
public sealed class LimitsTableTests
{
    private static readonly string Root = FindRoot();
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(Root, "docs", "limits.md"));

    [Theory]
    [InlineData("h2.hpack_table_size", nameof(Http2Options.HpackTableSize))]
    [InlineData("h2.max_concurrent_streams", nameof(Http2Options.MaxConcurrentStreams))]
    [InlineData("h2.initial_stream_window_size", nameof(Http2Options.InitialStreamWindow))]
    [InlineData("h2.initial_connection_window_size", nameof(Http2Options.InitialConnectionWindow))]
    [InlineData("h2.max_outbound_frames", nameof(Http2Options.MaxOutboundFrames))]
    [InlineData("h2.max_outbound_control_frames", nameof(Http2Options.MaxOutboundControlFrames))]
    [InlineData("h2.max_consecutive_inbound_frames_with_empty_payload", nameof(Http2Options.MaxConsecutiveEmptyFrames))]
    [InlineData("h2.max_inbound_priority_frames_per_stream", nameof(Http2Options.MaxPriorityFramesPerStream))]
    [InlineData("h2.max_inbound_window_update_frames_per_data_frame_sent", nameof(Http2Options.MaxWindowUpdatesPerDataFrame))]
    public void DefaultOfHttp2_IsTheCodecs(string field, string property) =>
        Assert.Equal(Convert.ToString(typeof(Http2Options).GetProperty(property)!.GetValue(Http2Options.Default), CultureInfo.InvariantCulture), DefaultOf(field));

    [Fact]
    public void PrematureResets_AreTheCodecs() => Assert.Contains($"| premature resets (no field here; Envoy: runtime `overload.premature_reset_total_stream_count`) | {Http2Options.Default.MaxPrematureResets} |", string.Join('\n', Lines), StringComparison.Ordinal);

    [Fact]
    public void DefaultsOfTheConnectionManager_AreTheConfigurations()
    {
        var config = new HttpConnectionManagerConfig { StatPrefix = "s" };
        Assert.Equal(config.MaxRequestHeadersKb.ToString(CultureInfo.InvariantCulture), DefaultOf("max_request_headers_kb"));
        Assert.Equal(config.MaxHeadersCount.ToString(CultureInfo.InvariantCulture), DefaultOf("common.max_headers_count"));
        Assert.Equal(Text(config.IdleTimeout), DefaultOf("common.idle_timeout"));
        Assert.Equal(Text(config.StreamIdleTimeout), DefaultOf("stream_idle_timeout"));
        Assert.Equal(Text(config.RequestTimeout), DefaultOf("request_timeout"));
        Assert.Equal(Text(config.MaxStreamDuration), DefaultOf("common.max_stream_duration"));
        Assert.Equal(Text(config.MaxConnectionDuration), DefaultOf("common.max_connection_duration"));
        Assert.Equal(Text(config.DrainTimeout), DefaultOf("drain_timeout"));
        Assert.Equal(Text(config.DelayedCloseTimeout), DefaultOf("delayed_close_timeout"));
        Assert.Equal((0, "–"), (config.MaxRequestsPerConnection, DefaultOf("common.max_requests_per_connection")));
    }

    [Fact]
    public void DefaultsOfTheProcess_AreTheOptions()
    {
        var options = new RunOptions { ConfigPath = "c" };
        Assert.Equal(options.MaxConnections.ToString(CultureInfo.InvariantCulture), DefaultOf("--max-connections"));
        Assert.Equal((0, "–"), (options.MaxConnectionsPerSource, DefaultOf("--max-connections-per-source")));
    }

    [Fact]
    public void DefaultsOfOverload_AreListedInOrder()
    {
        var folder = Directory.CreateTempSubdirectory("postern-limits").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "self"), "0::/\n");
            File.WriteAllText(Path.Combine(folder, "memory.max"), "100\n");
            var actions = OverloadDefaults.Of(null, MemoryGroup.Find(Path.Combine(folder, "self"), folder), 75)!.Actions;
            var expected = actions.Select(action => (new OverloadAction(action, _ => null).Name.Split('.')[^1], Percent(action.Triggers[0].Scaling), action.Triggers[0].Scaling == action.Triggers[0].Saturation ? "" : Percent(action.Triggers[0].Saturation)));
            var written = Lines.SkipWhile(line => line != "| action | from | in full |").Skip(2).Select(Cells).Select(cells => (cells[0].Trim('`'), cells[1], cells[2]));
            Assert.Equal(expected, written);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void NamedTest_Exists()
    {
        var named = Regex.Matches(string.Join('\n', Lines), @"`(tests/[^`]+)`").Select(match => match.Groups[1].Value).Distinct().ToList();
        Assert.True(named.Count > 5);
        Assert.All(named, path => Assert.True(Path.Exists(Path.Combine(Root, path)), path));
    }

    private static string Percent(double part) => Math.Round(part * 100).ToString(CultureInfo.InvariantCulture) + " %";

    private static string Text(TimeSpan? time) => time switch
    {
        null => "–",
        { TotalHours: >= 1 } t => $"{t.TotalHours} h",
        { TotalMinutes: >= 1 } t => $"{t.TotalMinutes} min",
        { } t => $"{t.TotalSeconds} s",
    };

    // The first row whose first cell begins with the field.
    private static string DefaultOf(string field) => Rows().First(cells => cells[0].StartsWith($"`{field}`", StringComparison.Ordinal))[1];

    private static IEnumerable<string[]> Rows() => Lines.Where(line => line.StartsWith('|')).Select(Cells);

    private static string[] Cells(string line) => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray();

    private static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Proxy.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("no Proxy.sln above " + AppContext.BaseDirectory);
        }
        return at.FullName;
    }
}
