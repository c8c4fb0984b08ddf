using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using Google.Protobuf;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>An xDS server on a foreign gRPC stack (xds_server.py) as a process; the test publishes resources and reads what it saw.</summary>
internal sealed class ForeignControlPlane : IDisposable
{
    private readonly Process _process;
    private readonly List<JsonElement> _events = [];
    private readonly Thread _reader;
    private int _disposed;

    private ForeignControlPlane(Process process)
    {
        _process = process;
        _reader = new Thread(() =>
        {
            while (process.StandardOutput.ReadLine() is { } line)
            {
                lock (_events)
                {
                    _events.Add(JsonElement.Parse(line));
                }
            }
        }) { IsBackground = true };
        _reader.Start();
    }

    /// <summary>Starts it on a Unix socket.</summary>
    internal static ForeignControlPlane Start(string socket, params string[] options)
    {
        File.Delete(socket); // of one that was killed
        var script = Path.Combine(AppContext.BaseDirectory, "ControlPlane", "xds_server.py");
        var start = new ProcessStartInfo(PythonGrpc.Python, [script, "--listen", "unix:" + socket, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var server = new ForeignControlPlane(Process.Start(start)!);
        server.WaitFor("ready", e => Is(e, "ready"));
        return server;
    }

    /// <summary>Everything it saw so far, in order.</summary>
    internal IReadOnlyList<JsonElement> Events
    {
        get
        {
            lock (_events)
            {
                return [.. _events];
            }
        }
    }

    /// <summary>Requests of a type, in order.</summary>
    internal IReadOnlyList<JsonElement> Requests(ResourceType type) => [.. Events.Where(e => IsRequest(e, type))];

    /// <summary>Publishes the whole state of a type.</summary>
    internal void Publish(ResourceType type, params (string Name, IMessage Message)[] resources) =>
        Send(new
        {
            @do = "publish",
            type = type.TypeUrl,
            resources = resources.ToDictionary(r => r.Name, r => Convert.ToBase64String(r.Message.ToByteArray())),
        });

    /// <summary>Publishes and waits until a request ACKs a response that was sent after.</summary>
    internal JsonElement PublishAndWaitForAck(ResourceType type, params (string Name, IMessage Message)[] resources) =>
        PublishAndWait(type, e => e.GetProperty("error").ValueKind == JsonValueKind.Null, "an ACK of " + type, resources);

    /// <summary>Publishes and waits for the NACK; gives its error_detail.</summary>
    internal JsonElement PublishAndWaitForNack(ResourceType type, params (string Name, IMessage Message)[] resources) =>
        PublishAndWait(type, e => e.GetProperty("error").ValueKind == JsonValueKind.Object, "a NACK of " + type, resources).GetProperty("error");

    /// <summary>Sends bytes in place of a response.</summary>
    internal void SendRaw(ResourceType type, byte[] response) => Send(new { @do = "raw", type = type.TypeUrl, response = Convert.ToBase64String(response) });

    /// <summary>Ends all streams.</summary>
    internal void BreakStreams() => Send(new { @do = "break" });

    /// <summary>Takes requests and gives no answers.</summary>
    internal void Mute(bool on) => Send(new { @do = "mute", on });

    /// <summary>Waits for an event.</summary>
    internal JsonElement WaitFor(string what, Func<JsonElement, bool> match, int from = 0)
    {
        JsonElement found = default;
        Patience.Until(
            () =>
            {
                var hit = Events.Skip(from).Where(match).ToList();
                found = hit.Count > 0 ? hit[0] : default;
                return hit.Count > 0;
            },
            () => $"{what} did not come; the control plane saw:\n" + string.Join('\n', Events.TakeLast(40)));
        return found;
    }

    internal static bool Is(JsonElement seen, string name) => seen.GetProperty("event").GetString() == name;

    internal static bool IsRequest(JsonElement seen, ResourceType type) => Is(seen, "request") && seen.GetProperty("type").GetString() == type.TypeUrl;

    internal static bool IsSend(JsonElement seen, ResourceType type) => Is(seen, "send") && seen.GetProperty("type").GetString() == type.TypeUrl;

    /// <summary>SIGKILL: the socket stays behind, connections are reset.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
        _reader.Join(Patience.Limit);
        _process.Dispose();
    }

    private JsonElement PublishAndWait(ResourceType type, Func<JsonElement, bool> verdict, string what, (string Name, IMessage Message)[] resources)
    {
        var before = Events.Count;
        Publish(type, resources);
        var sent = WaitFor("a response with " + type, e => IsSend(e, type), before);
        var nonce = sent.GetProperty("nonce").GetString();
        return WaitFor(what, e => IsRequest(e, type) && e.GetProperty("nonce").GetString() == nonce && verdict(e), before);
    }

    private void Send(object command)
    {
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(command));
        _process.StandardInput.Flush();
    }
}
