namespace Postern.Proxy.Http2;

/// <summary>Tells the owner of a stream that it ended by the peer's doing.</summary>
internal sealed class EndNotice(Http2Stream stream) : Waiter
{
    public override void Wake() => stream.Owner.OnReset(stream.Error);
}
