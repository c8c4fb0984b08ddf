using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one (stream, type), owned by its multiplexer: what is asked for, what is in force, and what has to be sent. Does no I/O and
/// reads no clock. What it knows of the set survives the stream, what it knows of nonces does not.
/// </summary>
internal abstract class TypeState<TRequest, TResponse>(ResourceType type)
    where TRequest : class
{
    private readonly Queue<Answer> answers = new();
    private bool hasAccepted; // an update, on this stream

    public ResourceType Type { get; } = type;

    public Interest Interest { get; } = new();

    public HeldResources Held { get; } = new();

    /// <summary>Last accepted; empty before the first. Belongs to the set, not to the stream.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Latest seen on this stream; empty before the first.</summary>
    public string Nonce { get; private set; } = "";

    /// <summary>The first request of this type was composed on this stream.</summary>
    public bool IsRequested { get; private set; }

    /// <summary>A response is between its receipt and its answer.</summary>
    public bool IsInWork { get; private set; }

    public bool HasAnswer => answers.Count > 0;

    /// <summary>
    /// The whole set was refused, and none was accepted since. What follows on that stream is a difference to it, so only a new stream can
    /// bring a set again.
    /// </summary>
    public bool HasRefusedSet { get; private set; }

    /// <summary>Age of the stream, as an update sees it.</summary>
    public UpdateStream Stream => hasAccepted ? UpdateStream.Old : UpdateStream.New;

    /// <summary>Nonces and answers of the old stream are gone, and so is what the control plane was told.</summary>
    public void StartStream()
    {
        Interest.StartStream();
        answers.Clear();
        Nonce = "";
        IsRequested = false;
        IsInWork = false;
        hasAccepted = false;
        OnStreamStarted();
    }

    /// <summary>Begins the work on a response. False: nobody asked for this type on this stream; it gets no answer.</summary>
    public bool TryBegin(string nonce)
    {
        if (!IsRequested || (Interest.IsEmpty && !Interest.IsToldWildcard))
        {
            return false;
        }
        Nonce = nonce;
        IsInWork = true;
        return true;
    }

    /// <summary>Reads a response into the common form.</summary>
    public abstract ReceivedResponse Read(TResponse response);

    /// <summary>The response in work is in force.</summary>
    public void Accept(string version)
    {
        Version = version;
        hasAccepted = true;
        HasRefusedSet = false;
        IsInWork = false;
        answers.Enqueue(new Answer(Nonce, version, null));
    }

    /// <summary>The response in work changed nothing.</summary>
    public void Reject(Google.Rpc.Status error)
    {
        HasRefusedSet |= !hasAccepted && ComesWholeOnce;
        IsInWork = false;
        answers.Enqueue(new Answer(Nonce, Version, error));
    }

    /// <summary>The oldest ACK or NACK, or null.</summary>
    public TRequest? NextAnswer() => answers.TryDequeue(out var answer) ? Compose(answer) : null;

    /// <summary>
    /// The first request of a stream, or a change of interest; null when there is nothing to say. Waits for a response in work: with its nonce
    /// and the version before it, a request would look like a verdict.
    /// </summary>
    public TRequest? NextRequest()
    {
        if (IsInWork || HasAnswer || (!IsRequested && Interest.IsEmpty))
        {
            return null;
        }
        var request = IsRequested ? ComposeChange() : ComposeFirst();
        IsRequested = true;
        return request;
    }

    /// <summary>Only the first update of a stream is the whole set.</summary>
    protected abstract bool ComesWholeOnce { get; }

    protected abstract TRequest Compose(Answer answer);

    protected abstract TRequest ComposeFirst();

    /// <summary>Null when nothing changed.</summary>
    protected abstract TRequest? ComposeChange();

    protected virtual void OnStreamStarted()
    {
    }
}
