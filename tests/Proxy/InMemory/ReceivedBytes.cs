using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>What one end has received, until a test consumes it, and how it ended.</summary>
internal sealed class ReceivedBytes
{
    private readonly Lock gate = new();
    private readonly List<byte> bytes = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>FIN.</summary>
    public bool Ended { get; private set; }

    /// <summary>RST.</summary>
    public bool Reset { get; private set; }

    public Task Changed => Volatile.Read(ref changed).Task;

    public int Count
    {
        get
        {
            lock (gate)
            {
                return bytes.Count;
            }
        }
    }

    /// <summary>One char per byte.</summary>
    public string Text
    {
        get
        {
            lock (gate)
            {
                return Encoding.Latin1.GetString(bytes.ToArray());
            }
        }
    }

    public byte[] Take(int count)
    {
        lock (gate)
        {
            var taken = bytes.GetRange(0, count).ToArray();
            bytes.RemoveRange(0, count);
            return taken;
        }
    }

    public async Task PumpAsync(Func<Memory<byte>, CancellationToken, ValueTask<int>> read, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (!Ended && !Reset)
            {
                var count = await read(buffer, cancellationToken);
                lock (gate)
                {
                    Ended = count == 0;
                    bytes.AddRange(buffer.AsSpan(0, count));
                }
                Interlocked.Exchange(ref changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Reset = true;
        }
    }

    public override string ToString() => $"\"{Escape(Text)}\"{(Ended ? " then FIN" : Reset ? " then RST" : "")}";

    public static string Escape(string text)
    {
        var shown = new StringBuilder();
        foreach (var c in text.Length > 4000 ? text[..4000] + "…" : text)
        {
            shown.Append(c switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                < ' ' or >= (char)0x7F => $"\\x{(int)c:x2}",
                _ => c.ToString(),
            });
        }
        return shown.ToString();
    }
}
