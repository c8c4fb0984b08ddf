using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;

namespace Postern.Xds.Discovery.Streams;

/// <summary>Wakes one waiter; many wake-ups before it looks are one.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> channel = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => channel.Writer.TryWrite(true);

    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await channel.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
}
