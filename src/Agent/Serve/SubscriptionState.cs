using System;
using System.Collections.Generic;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>Owned by <see cref="ServedWorld"/>, read and written under its gate: where one stream stands for one type.</summary>
internal sealed class SubscriptionState(ResourceType type, NodeId node, DateTimeOffset connected)
{
    private string lastNack = "";
    private DateTimeOffset? lastNackAt;
    private ulong acked;

    public ResourceType Type { get; } = type;

    public NodeId Node { get; } = node;

    /// <summary>For people; empty is all.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>Version of the last response.</summary>
    public ulong Sent { get; private set; }

    /// <summary>Version that was looked at last, whether or not there was something to send.</summary>
    public ulong Seen { get; private set; }

    /// <summary>The client enforces what this version says of its names: ACKed, or nothing for it changed since.</summary>
    public ulong InForce { get; private set; }

    /// <summary>The last response was refused, and nothing was sent since.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>A response without an answer; nothing goes out meanwhile.</summary>
    public bool IsOutstanding { get; private set; }

    public bool HasAcked => acked > 0;

    public string LastNack => lastNack;

    public void OnSent(ulong version)
    {
        Sent = Seen = version;
        IsOutstanding = true;
        IsRefused = false;
    }

    public void OnNothingToSend(ulong version)
    {
        Seen = version;
        if (!IsRefused)
        {
            InForce = version;
        }
    }

    public void OnAck()
    {
        IsOutstanding = false;
        acked = InForce = Sent;
    }

    /// <summary>An ACK of a response that was not the whole truth.</summary>
    public void OnAckOfNothing() => IsOutstanding = false;

    public void OnNack(string text, DateTimeOffset now)
    {
        IsOutstanding = false;
        IsRefused = true;
        lastNack = text.Length > 0 ? Protocol.Clip(text) : "refused without a text (no error_detail.message)";
        lastNackAt = now;
    }

    public StreamStatus ToStatus() => new(Type, Node.Text, Names, Sent, acked, lastNack, lastNackAt, connected);
}
