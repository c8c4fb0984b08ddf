using System;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Filters.Network.WebSocket;

/// <summary>The head of a handshake's request or response, for checks and records. The Host line is the authority and not among the lines.</summary>
public sealed class HandshakeHead : IHttpPolicyRequest
{
    private readonly List<(string Name, string Value)> lines = [];
    private string authority = "";

    /// <summary>Of a request.</summary>
    public string RequestMethod { get; set; } = "";

    /// <summary>Of a request.</summary>
    public string Target { get; set; } = "";

    /// <summary>Of a response.</summary>
    public int Status { get; set; }

    /// <summary>More than one Host line came.</summary>
    public bool HasTwoHosts { get; private set; }

    /// <inheritdoc/>
    public ReadOnlySpan<char> Method => RequestMethod;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Path => Target;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Authority => authority;

    /// <inheritdoc/>
    public ReadOnlySpan<char> Scheme => "http";

    /// <inheritdoc/>
    public int Count => lines.Count;

    /// <inheritdoc/>
    public ReadOnlySpan<char> NameAt(int index) => lines[index].Name;

    /// <inheritdoc/>
    public ReadOnlySpan<char> ValueAt(int index) => lines[index].Value;

    /// <summary>The value of the one line of that name; null if there is none, or more than one.</summary>
    public string? FindOnly(string name)
    {
        string? found = null;
        foreach (var line in lines)
        {
            if (string.Equals(line.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                if (found is not null)
                {
                    return null;
                }
                found = line.Value;
            }
        }
        return found;
    }

    /// <summary>Whether any line has that name.</summary>
    public bool Has(string name) => lines.Exists(line => string.Equals(line.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public void AppendHeader(string name, string value)
    {
        if (string.Equals(name, "host", StringComparison.OrdinalIgnoreCase))
        {
            HasTwoHosts |= authority.Length > 0;
            authority = value;
            return;
        }
        lines.Add((name, value));
    }

    /// <inheritdoc/>
    public void RemoveHeader(string name) => lines.RemoveAll(line => string.Equals(line.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public void SetHeader(string name, string value)
    {
        RemoveHeader(name);
        AppendHeader(name, value);
    }
}
