using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>The server's role: reads requests and has each of them served.</summary>
internal sealed class Http2ServingSession : Http2Session
{
    private const int MaxPooled = 128; // streams that wait for their next request

    private static readonly BlockWriter<ResponseHead> WriteHead = HeadWriter.WriteResponse;

    private readonly Http2Connection connection;
    private readonly Func<ClientStream, Task> serve;
    private readonly Stack<Http2ClientStream> pool = new(); // under the gate, as what follows
    private readonly List<Http2ClientStream> sweeping = [];
    private readonly HashSet<Http2ClientStream> served = []; // requests whose serving has not ended, whatever became of their streams
    private readonly TaskCompletionSource allServed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool isSweeping;
    private bool hasEnded; // no request begins any more
    private bool headTimedOut;

    public Http2ServingSession(Http2Connection connection, HttpConnectionParts parts, Func<ClientStream, Task> serve)
        : base(parts.Channel, parts.Listener.Http2, parts.Listener.Stats.Http2, isServer: true, new HeadLimits(parts.Listener.MaxHeadBytes, parts.Listener.MaxHeaders, parts.Listener.Http2.AllowConnect))
    {
        this.connection = connection;
        this.serve = serve;
        var options = Options;
        Announce(default,
        [
            (SettingId.HeaderTableSize, options.HpackTableSize),
            (SettingId.MaxConcurrentStreams, options.MaxConcurrentStreams),
            (SettingId.InitialWindowSize, options.InitialStreamWindow),
            (SettingId.MaxHeaderListSize, parts.Listener.MaxHeadBytes),
            (SettingId.EnableConnectProtocol, options.AllowConnect ? 1 : 0),
        ]);
    }

    /// <summary>The connection's life up to its last byte; then the transport can be closed.</summary>
    public async Task RunAsync(ReadOnlyMemory<byte> first, Http2Upgrade? upgrade = null)
    {
        if (upgrade is not null)
        {
            _ = TakeSettings(upgrade.Settings);
            LastPeerStream = 1;
            _ = OnRequest(1, upgrade.Block, endsStream: true, Http2Upgrade.NewDecoder());
        }
        RequestFlush();
        await ReadAllAsync(first).ConfigureAwait(false);
        if (Fault is { } fault)
        {
            connection.Refuse(fault.Label, fault.Detail);
        }
        Fail(new ProxyError(ErrorCode.DownstreamReset, Fault is null ? "the client closed the connection" : $"the client broke HTTP/2: {Fault.Label}"));
        Task rest;
        lock (Gate)
        {
            hasEnded = true;
            rest = served.Count == 0 ? Task.CompletedTask : allServed.Task;
        }
        await rest.ConfigureAwait(false);
        await WhenFlushedAsync().ConfigureAwait(false);
    }

    /// <summary>The peer may still send: closing at once would answer that with a reset.</summary>
    public bool NeedsLinger => !IsEndOfStream && !IsPeerReset;

    /// <summary>Ends every request that is being served.</summary>
    public void Fail(in ProxyError error)
    {
        Http2ClientStream[] all;
        lock (Gate)
        {
            all = [.. served];
        }
        FailStreams(error);
        foreach (var stream in all)
        {
            stream.Fail(error);
        }
    }

    /// <summary>Times of the connection and of its requests; the sweeper's thread.</summary>
    public void Sweep(long now)
    {
        SweepSession(now);
        if (HeadSince is var since && since != 0 && now - since > connection.Listener.RequestHeadersTimeout.TotalMilliseconds && !headTimedOut)
        {
            headTimedOut = true;
            Stop(Http2Fault.HeadUnfinished, wake: true);
        }
        if (IsIdleFor(now) is var idle && idle > 0 && connection.HasIdled(idle))
        {
            Stop(null, wake: true);
        }
        SweepRequests(now);
    }

    /// <summary>Milliseconds without a stream; 0 while there is one.</summary>
    public long IsIdleFor(long now) => IdleSince is var since && since != 0 ? now - since : 0;

    /// <summary>A request was served: its stream is over, if not before.</summary>
    public void OnServed(Http2ClientStream client)
    {
        Finish(client.Wire, client.Serving.IsFaulted ? Http2ErrorCode.InternalError : client.Failure.IsError ? Http2ErrorCode.Cancel : Http2ErrorCode.InternalError);
        client.Rest();
        bool last;
        lock (Gate)
        {
            served.Remove(client);
            if (!isSweeping && pool.Count < MaxPooled && !hasEnded)
            {
                pool.Push(client);
            }
            last = hasEnded && served.Count == 0;
        }
        if (last)
        {
            allServed.TrySetResult();
        }
    }

    protected override bool IsIdle(int streamId) => (streamId & 1) == 0 || streamId > LastPeerStream;

    protected override ProxyError ErrorOf(Http2Fault wrong) =>
        ReferenceEquals(wrong, Http2Fault.ContentLength) || ReferenceEquals(wrong, Http2Fault.Malformed)
            ? new ProxyError(ErrorCode.RequestBodyMalformed, wrong.Detail)
            : new ProxyError(ErrorCode.DownstreamReset, wrong.Detail);

    protected override Http2Fault? OnHeaderBlock(int streamId, ReadOnlySpan<byte> block, bool endsStream)
    {
        Http2Stream? open;
        lock (Gate)
        {
            if (!Streams.TryGetValue(streamId, out open))
            {
                if ((streamId & 1) == 0)
                {
                    return Http2Fault.StreamId;
                }
                if (streamId <= LastPeerStream)
                {
                    return WasResetByUs(streamId) ? DropBlock(block) : Http2Fault.ClosedStream;
                }
                LastPeerStream = streamId;
                if (IsClosedToNew || Streams.Count >= Options.MaxConcurrentStreams || served.Count >= 2L * Options.MaxConcurrentStreams)
                {
                    Stats.RefusedStreams.Increment();
                    RefuseStream(streamId, Http2ErrorCode.RefusedStream);
                    return DropBlock(block);
                }
            }
        }
        return open is null ? OnRequest(streamId, block, endsStream, Decoder) : OnTrailers(open, block, endsStream);
    }

    // A reset of a stream cancels its request, even one that came whole.
    protected override Http2Fault? OnPeerReset(Http2Stream stream, Http2ErrorCode code, ref WakeList wakes)
    {
        var early = !((Http2ClientStream)stream.Owner).IsAnswered;
        End(stream, new ProxyError(ErrorCode.DownstreamReset, "the client reset the stream"), ref wakes);
        return early ? CountPrematureReset() : null;
    }

    // A client that is leaving still gets its answers.
    protected override void OnGoAway(int lastStreamId, Http2ErrorCode code)
    {
        lock (Gate)
        {
            PeerIsLeaving = true;
            EndWhenUnused();
        }
    }

    private Http2Fault? OnRequest(int streamId, ReadOnlySpan<byte> block, bool endsStream, HpackDecoder decoder)
    {
        Http2ClientStream? client;
        lock (Gate)
        {
            pool.TryPop(out client);
        }
        client ??= new Http2ClientStream(connection, this);
        var error = Heads.ReadRequest(decoder, block, endsStream, client.Head, Limits);
        if (error != Http2HeadError.None)
        {
            return OnMalformed(client, streamId, error);
        }
        client.Begin();
        lock (Gate)
        {
            Open(client.Wire, streamId);
            client.Wire.Expected = client.Head.IsConnect || client.Head.IsExtendedConnect ? -1 : client.Head.ContentLength;
            served.Add(client);
            if (endsStream)
            {
                EndRemote(client.Wire);
            }
        }
        client.Serving = serve(client);
        if (client.Serving.IsCompleted)
        {
            OnServed(client);
        }
        else
        {
            client.Serving.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(client.Ended);
        }
        return null;
    }

    // Nobody upstream hears of it. Too much is answered as in HTTP/1; everything else is a reset (RFC 9113 §8.1.1).
    private Http2Fault? OnMalformed(Http2ClientStream client, int streamId, Http2HeadError error)
    {
        client.Rest();
        if (error == Http2HeadError.MalformedHpack)
        {
            return Http2Fault.Compression;
        }
        connection.Refuse(Http2HeadErrors.Label(error), "the request is not acceptable HTTP/2; it was not forwarded");
        var tooMuch = error is Http2HeadError.TooLarge or Http2HeadError.TooManyFields;
        (tooMuch ? Stats.HeaderOverflow : Stats.MessagingErrors).Increment();
        lock (Gate)
        {
            pool.Push(client);
            if (tooMuch)
            {
                var answer = new ResponseHead();
                answer.Begin(Http2HeadErrors.Status(error));
                AppendLastHead(streamId, answer, WriteHead);
                answer.Release();
            }
            RefuseStream(streamId, tooMuch ? Http2ErrorCode.NoError : Http2ErrorCode.ProtocolError);
        }
        return null;
    }

    private Http2Fault? OnTrailers(Http2Stream open, ReadOnlySpan<byte> block, bool endsStream)
    {
        if (open.RemoteEnded || !endsStream)
        {
            return DropBlock(block) ?? ResetStream(open.Id, open.RemoteEnded ? Http2Fault.HalfClosedStream : Http2Fault.Malformed);
        }
        var owner = (Http2ClientStream)open.Owner;
        var trailers = owner.TrailerBlock;
        var error = Heads.ReadTrailers(Decoder, block, trailers, Limits);
        if (error == Http2HeadError.MalformedHpack)
        {
            return Http2Fault.Compression;
        }
        Stats.Trailers.Increment();
        if (error != Http2HeadError.None || IsWrongLength(open, 0, ends: true))
        {
            return ResetStream(open.Id, error == Http2HeadError.None ? Http2Fault.ContentLength : Http2Fault.Malformed);
        }
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (!open.IsReset)
            {
                open.Trailers = trailers.Count > 0 ? trailers : null;
                EndRemote(open);
                WakeReader(open, ref wakes);
            }
        }
        Wake(ref wakes);
        return null;
    }

    // A stream that ends meanwhile is not used again before the sweep is over: what is done to it here must not hit its successor.
    private void SweepRequests(long now)
    {
        lock (Gate)
        {
            if (served.Count == 0)
            {
                return;
            }
            isSweeping = true;
            sweeping.AddRange(served);
        }
        foreach (var client in sweeping)
        {
            client.Sweep(now);
        }
        sweeping.Clear();
        lock (Gate)
        {
            isSweeping = false;
        }
    }
}
