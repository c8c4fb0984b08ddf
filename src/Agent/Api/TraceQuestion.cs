using System;
using System.Collections.Generic;

namespace Postern.Agent.Api;

/// <summary>Body of <c>POST /v1/policy/trace</c>.</summary>
public sealed record TraceQuestion
{
    /// <summary>An endpoint <c>ns/name</c>, or labels <c>k8s:app=x,org=y</c>, or <c>reserved:world</c>.</summary>
    public string From { get; init; } = string.Empty;

    /// <summary>The same for the other end.</summary>
    public string To { get; init; } = string.Empty;

    /// <summary>Destination port, TCP.</summary>
    public ushort Port { get; init; }

    /// <summary><c>METHOD PATH</c>, or null for a connection.</summary>
    public string? Http { get; init; }

    /// <summary><c>name: value</c> each.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];
}

/// <summary>A question that makes no sense; one line that says why.</summary>
public sealed class TraceException(string message) : Exception(message);
