using System;
using System.Threading.Tasks;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Tls;

/// <summary>The control of a connection inside TLS: an orderly end says close_notify before FIN, a reset says nothing.</summary>
internal sealed class TlsControl(SecureStream stream, IConnectionControl transport) : IConnectionControl
{
    public bool PeerIsGone => transport.PeerIsGone;

    /// <summary>Of the transport: a session ticket counts as input, too, and costs the kept connection.</summary>
    public bool HasInput => transport.HasInput;

    public void ShutdownReceive() => transport.ShutdownReceive();

    /// <summary>Only when no write is under way, as with <see cref="Stream"/>. Reading goes on.</summary>
    public void ShutdownSend() => _ = EndAsync();

    public void Reset() => transport.Reset();

    private async Task EndAsync()
    {
        try
        {
            await stream.EndAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever TLS has against its closing word, FIN must follow: nobody waits for this task.
        catch (Exception)
#pragma warning restore CA1031
        {
            // Without close_notify the peer sees a broken connection, which it is.
        }
        transport.ShutdownSend();
    }
}
