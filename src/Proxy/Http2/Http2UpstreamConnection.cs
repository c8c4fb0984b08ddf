using System;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;

namespace Postern.Proxy.Http2;

/// <summary>
/// The client's role: one upstream connection that many requests of one client connection share. Ends by itself when the server leaves or dies; its owner
/// sweeps it, closes it when it is idle and disposes of it at the end.
/// </summary>
internal sealed class Http2UpstreamConnection : Http2Session, IDisposable
{
    private const int MaxHeadBytes = 64 * 1024;
    private const int MaxHeaders = 256;

    private static readonly BlockWriter<RequestHead> WriteRequest = HeadWriter.WriteRequest;
    private static readonly ProxyError Leaving = new(ErrorCode.UpstreamReset, "the server takes no more requests on this connection (GOAWAY)");
    private static readonly ProxyError Full = new(ErrorCode.UpstreamReset, "the server takes no more requests at a time on one connection (SETTINGS_MAX_CONCURRENT_STREAMS)");
    private static readonly ProxyError NotAtOnce = new(ErrorCode.UpstreamProtocol, "the server takes no extended CONNECT (SETTINGS_ENABLE_CONNECT_PROTOCOL)");
    private static readonly ProxyError Unsendable = new(ErrorCode.UpstreamProtocol, "the request has a header that HTTP/2 cannot carry");

    private readonly TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously); // its SETTINGS came, or it is gone
    private EndpointSet endpoints; // the set that the destination was last seen in
    private int nextId = 1; // under the gate
    private int opened; // streams that requests hold; under the gate
    private volatile bool ended;

    /// <summary>Starts at once.</summary>
    /// <param name="channel">The transport; owned.</param>
    /// <param name="cluster">Whose server it is.</param>
    /// <param name="destination">Its address.</param>
    /// <param name="options">Bounds.</param>
    public Http2UpstreamConnection(TransportChannel channel, ClusterSnapshot cluster, EndPoint destination, Http2Options options)
        : base(channel, options, cluster.Stats.Http2, isServer: false, new HeadLimits(MaxHeadBytes, MaxHeaders, AllowExtendedConnect: false))
    {
        Cluster = cluster;
        Destination = destination;
        endpoints = cluster.Endpoints;
        cluster.Stats.ConnectionsActive.Increment();
        Announce(Preface,
        [
            (SettingId.HeaderTableSize, options.HpackTableSize),
            (SettingId.EnablePush, 0),
            (SettingId.InitialWindowSize, options.InitialStreamWindow),
            (SettingId.MaxHeaderListSize, MaxHeadBytes),
        ]);
        Ended = RunAsync();
    }

    public ClusterSnapshot Cluster { get; }

    public EndPoint Destination { get; }

    /// <summary>Completes when the transport is closed and no stream is left.</summary>
    public Task Ended { get; }

    /// <summary>In whose name it was opened.</summary>
    public ConnectionMetadata? OpenedFor { get; init; }

    /// <summary>What for.</summary>
    public ConnectPurpose OpenedWith { get; init; } = ConnectPurpose.Opaque;

    /// <summary>Another request may use it, as far as the connection goes.</summary>
    public bool IsReusable => !ended && !IsDraining && !PeerIsLeaving && nextId > 0;

    /// <summary>The server takes another request now.</summary>
    public bool HasCapacity => opened < Peer.MaxConcurrentStreams;

    /// <summary>No request uses it.</summary>
    public bool IsIdleNow => opened == 0;

    /// <summary>The server takes extended CONNECT; known once its SETTINGS came.</summary>
    public bool AllowsExtendedConnect => Peer.AllowsExtendedConnect;

    /// <summary>Whether the cluster still sends to this endpoint; one comparison unless EDS spoke since.</summary>
    public bool IsStillWanted()
    {
        var now = Cluster.Endpoints;
        if (!ReferenceEquals(endpoints, now))
        {
            if (!Cluster.StillUses(Destination))
            {
                return false;
            }
            endpoints = now;
        }
        return true;
    }

    /// <summary>A stream for one request. Release it in any case.</summary>
    /// <param name="extendedConnect">The request is one; waits for the server's SETTINGS to learn whether it takes them.</param>
    public ValueTask<(ServerStream? Stream, ProxyError Error)> OpenStreamAsync(bool extendedConnect = false) =>
        extendedConnect && !Peer.Received ? OpenWhenSettledAsync() : new(OpenStream(extendedConnect));

    /// <summary>Ends it, if nobody uses it.</summary>
    public void CloseIdle()
    {
        lock (Gate)
        {
            if (opened > 0)
            {
                return;
            }
            PeerIsLeaving = true; // nobody begins here any more
        }
        Stop(null, wake: true);
    }

    /// <summary>Its times; from the sweeper's thread.</summary>
    public void Sweep(long now)
    {
        SweepSession(now);
        if (IdleSince is var since && since != 0 && Cluster.IsIdleTooLong(now - since))
        {
            CloseIdle();
        }
    }

    /// <summary>Cuts it: requests that still use it fail.</summary>
    public void Dispose()
    {
        if (!ended)
        {
            Channel.Control.Reset();
        }
    }

    /// <summary>The request's head, on a stream of the next id.</summary>
    public ProxyError SendRequest(Http2ServerStream request, RequestHead head, bool end)
    {
        lock (Gate)
        {
            if (request.Wire.Error.IsError)
            {
                return request.Wire.Error; // aborted before it began
            }
            if (ended || IsDraining || PeerIsLeaving || nextId < 0)
            {
                request.Wire.WasRefused = true;
                return Leaving;
            }
            PingIfQuiet();
            Open(request.Wire, nextId);
            var sent = AppendHead(request.Wire, head, end, WriteRequest);
            if (sent != true)
            {
                var wakes = default(WakeList);
                EndLocal(request.Wire, ref wakes); // of no effect on the wire: the id is still free
                request.Wire.WasRefused = sent == false;
                return sent == false ? Leaving : Unsendable;
            }
            nextId += 2; // below 0 after the last one: then it is not reusable
        }
        Cluster.Stats.RequestsTotal.Increment();
        return ProxyError.None;
    }

    /// <summary>The next head of the answer.</summary>
    public ValueTask<ProxyError> ReadHeadAsync(Http2ServerStream request)
    {
        lock (Gate)
        {
            return request.TryRead(out var error) ? new ValueTask<ProxyError>(error) : new ValueTask<ProxyError>(request.Wire.Reader, request.Wire.Reader.Arm());
        }
    }

    /// <summary>What a reader of a head was woken for.</summary>
    public ProxyError TakeHead(Http2ServerStream request)
    {
        lock (Gate)
        {
            return request.TryRead(out var error) ? error : new ProxyError(ErrorCode.Internal, "a reader of an HTTP/2 head was woken for nothing; this is a bug");
        }
    }

    /// <summary>From here on no content-length counts.</summary>
    public void BeginTunnel(Http2Stream stream)
    {
        lock (Gate)
        {
            stream.Expected = -1;
        }
    }

    /// <summary>The request is over; what is left of its stream is cancelled.</summary>
    public void Release(Http2ServerStream request)
    {
        Finish(request.Wire, Http2ErrorCode.Cancel);
        lock (Gate)
        {
            opened--;
        }
    }

    protected override Http2ErrorCode EndedEarly => Http2ErrorCode.Cancel;

    protected override bool IsIdle(int streamId) => (streamId & 1) == 0 || (nextId > 0 && streamId >= nextId);

    protected override ProxyError ErrorOf(Http2Fault wrong) => new(ErrorCode.UpstreamProtocol, wrong.Detail);

    protected override void OnSettings() => settled.TrySetResult();

    protected override void OnGoAway(int lastStreamId, Http2ErrorCode code)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            PeerIsLeaving = true;
            foreach (var (id, stream) in new System.Collections.Generic.Dictionary<int, Http2Stream>(Streams))
            {
                if (id > lastStreamId)
                {
                    stream.WasRefused = true; // RFC 9113 §6.8: it did not and will not act on it
                    End(stream, Leaving, ref wakes);
                }
            }
            EndWhenUnused();
        }
        Wake(ref wakes);
    }

    // An answer that came whole stands, whatever the server thinks of the rest of the request (RFC 9113 §8.1).
    protected override Http2Fault? OnPeerReset(Http2Stream stream, Http2ErrorCode code, ref WakeList wakes)
    {
        if (stream.RemoteEnded)
        {
            EndLocal(stream, ref wakes);
            return null;
        }
        stream.WasRefused = code == Http2ErrorCode.RefusedStream;
        End(stream, new ProxyError(ErrorCode.UpstreamReset, $"the server reset the stream: {code}"), ref wakes);
        return null;
    }

    protected override Http2Fault? OnHeaderBlock(int streamId, ReadOnlySpan<byte> block, bool endsStream)
    {
        Http2Stream? stream;
        lock (Gate)
        {
            if (!Streams.TryGetValue(streamId, out stream))
            {
                return IsIdle(streamId) ? Http2Fault.IdleStream : WasResetByUs(streamId) ? DropBlock(block) : Http2Fault.ClosedStream;
            }
        }
        if (stream.RemoteEnded)
        {
            return DropBlock(block) ?? ResetStream(streamId, Http2Fault.HalfClosedStream);
        }
        return stream.AwaitsHead ? OnResponse(stream, block, endsStream) : OnTrailers(stream, block, endsStream);
    }

    private Http2Fault? OnResponse(Http2Stream stream, ReadOnlySpan<byte> block, bool endsStream)
    {
        var request = (Http2ServerStream)stream.Owner;
        var head = new ResponseHead();
        var error = Heads.ReadResponse(Decoder, block, endsStream, request.IsHeadRequest, head, Limits);
        if (error != Http2HeadError.None)
        {
            return error == Http2HeadError.MalformedHpack ? Http2Fault.Compression : ResetStream(stream.Id, Http2Fault.Malformed);
        }
        var wakes = default(WakeList);
        var isFinal = head.Status >= 200;
        bool taken;
        lock (Gate)
        {
            taken = stream.IsReset || request.Take(head);
            if (isFinal)
            {
                stream.AwaitsHead = false;
                stream.Expected = request.IsHeadRequest || head.Status is 204 or 304 ? -1 : head.ContentLength;
            }
            if (endsStream)
            {
                EndRemote(stream);
            }
            WakeReader(stream, ref wakes);
        }
        Wake(ref wakes);
        return taken ? null : ResetStream(stream.Id, Http2Fault.InterimFlood);
    }

    private Http2Fault? OnTrailers(Http2Stream stream, ReadOnlySpan<byte> block, bool endsStream)
    {
        if (!endsStream)
        {
            return DropBlock(block) ?? ResetStream(stream.Id, Http2Fault.Malformed);
        }
        var trailers = ((Http2ServerStream)stream.Owner).TrailerBlock;
        var error = Heads.ReadTrailers(Decoder, block, trailers, Limits);
        if (error != Http2HeadError.None || IsWrongLength(stream, 0, ends: true))
        {
            return error == Http2HeadError.MalformedHpack ? Http2Fault.Compression
                : ResetStream(stream.Id, error == Http2HeadError.None ? Http2Fault.ContentLength : Http2Fault.Malformed);
        }
        Stats.Trailers.Increment();
        var wakes = default(WakeList);
        lock (Gate)
        {
            stream.Trailers = trailers.Count > 0 ? trailers : null;
            EndRemote(stream);
            WakeReader(stream, ref wakes);
        }
        Wake(ref wakes);
        return null;
    }

    private (ServerStream? Stream, ProxyError Error) OpenStream(bool extendedConnect)
    {
        lock (Gate)
        {
            if (!IsReusable)
            {
                return (null, Leaving);
            }
            if (extendedConnect && !Peer.AllowsExtendedConnect)
            {
                return (null, NotAtOnce);
            }
            if (!HasCapacity)
            {
                return (null, Full);
            }
            opened++;
        }
        return (new Http2ServerStream(this), ProxyError.None);
    }

    private async ValueTask<(ServerStream? Stream, ProxyError Error)> OpenWhenSettledAsync()
    {
        RequestFlush();
        await settled.Task.ConfigureAwait(false);
        return OpenStream(extendedConnect: true);
    }

    private async Task RunAsync()
    {
        RequestFlush();
        await ReadAllAsync(default).ConfigureAwait(false);
        ended = true;
        settled.TrySetResult();
        FailStreams(Fault is { } fault
            ? new ProxyError(ErrorCode.UpstreamProtocol, $"the server broke HTTP/2: {fault.Detail}")
            : new ProxyError(ErrorCode.UpstreamReset, "the server closed the connection"));
        await WhenFlushedAsync().ConfigureAwait(false);
        Channel.Control.ShutdownSend();
        await Channel.Stream.DisposeAsync().ConfigureAwait(false);
        Cluster.Stats.ConnectionsActive.Decrement();
    }
}
