using System;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Admin;

/// <summary>Writes text into a response and waits, without a thread, whenever the reader has to catch up.</summary>
internal sealed class TextStream(Stream output, CancellationToken cancellation) : IAsyncDisposable
{
    private const int PieceChars = 32 * 1024;

    private readonly StringBuilder pending = new();

    public ValueTask WriteAsync(string text)
    {
        pending.Append(text);
        return pending.Length < PieceChars ? default : SendAsync();
    }

    /// <summary>Sends the rest.</summary>
    public ValueTask DisposeAsync() => SendAsync();

    private ValueTask SendAsync()
    {
        var bytes = Encoding.UTF8.GetBytes(pending.ToString());
        pending.Clear();
        return output.WriteAsync(bytes, cancellation);
    }
}
